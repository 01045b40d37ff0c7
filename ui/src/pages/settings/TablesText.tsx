import { useState } from "react";
import type { TablesReply } from "../../api/types";
import { Card } from "../../components/bits";
import { TextArea } from "../../components/form";
import layout from "../../components/layout.module.css";
import { SaveForm } from "../../components/SaveForm";
import { commands } from "../../lib/commands";
import css from "./settings.module.css";
import { TablesView } from "./TablesView";
import { saveTables, SAVED } from "./saveTables";

/** The text of the file, and the effective tables. */
export function TablesText({ saved, etag }: { saved: TablesReply; etag: string | null }) {
  const [text, setText] = useState(saved.toml);
  return (
    <div className={layout.two}>
      <Card title="tables.toml" side="Overrides the built-in tables">
        <SaveForm
          className={layout.tight}
          save={() => saveTables({ toml: text }, etag)}
          said={SAVED}
          dirty={text !== saved.toml}
          onDiscard={() => setText(saved.toml)}
          list="tables"
          command={commands.putting("/api/v1/tables", { toml: text })}
        >
          <TextArea
            label="Weights, foods and places"
            hint="[pounds] case = 18 · [items.milk] case = 36 · [locations] “Trader Joe's” = [“TJs”]"

            className={css.toml}
            rows={22}
            spellCheck={false}
            value={text}
            onText={setText}
          />
        </SaveForm>
      </Card>
      <TablesView tables={saved.parsed} />
    </div>
  );
}
