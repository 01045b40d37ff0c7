import { useState } from "react";
import type { TablesReply } from "../../api/types";
import { Card } from "../../components/bits";
import { Field, TextArea } from "../../components/form";
import layout from "../../components/layout.module.css";
import { SaveForm } from "../../components/SaveForm";
import { commands } from "../../lib/commands";
import css from "./settings.module.css";
import { TablesView } from "./TablesView";
import { useSaveTables } from "./useSaveTables";

/** The file as it is written, and what is in force because of it. */
export function TablesText({ saved, etag }: { saved: TablesReply; etag: string | null }) {
  const [text, setText] = useState(saved.toml);
  const save = useSaveTables(() => ({ toml: text }), etag);
  return (
    <div className={layout.two}>
      <Card title="tables.toml" side="Laid over the built-in tables">
        <SaveForm
          className={layout.tight}
          save={save}
          dirty={text !== saved.toml}
          onDiscard={() => setText(saved.toml)}
          list="tables"
          command={commands.putting("/api/v1/tables", { toml: text })}
        >
          <Field
            label="Weights, foods and places"
            hint="[pounds] case = 18 · [items.milk] case = 36 · [locations] “Trader Joe's” = [“TJs”]"
          >
            {(field) => (
              <TextArea
                {...field}
                className={css.toml}
                rows={22}
                spellCheck={false}
                value={text}
                onChange={(e) => setText(e.target.value)}
              />
            )}
          </Field>
        </SaveForm>
      </Card>
      <TablesView tables={saved.parsed} />
    </div>
  );
}
