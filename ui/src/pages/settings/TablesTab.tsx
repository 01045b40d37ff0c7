import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { settings } from "../../api/calls";
import { Card, Skeleton } from "../../components/bits";
import { Failure } from "../../components/Failure";
import { Field, TextArea } from "../../components/form";
import layout from "../../components/layout.module.css";
import { SaveForm } from "../../components/SaveForm";
import { say } from "../../components/toasts";
import css from "./settings.module.css";
import { TablesView } from "./TablesView";

/** Pounds of a unit, classes of food, other names of places. */
export function TablesTab() {
  const query = useQuery({ queryKey: ["tables"], queryFn: settings.tables });
  if (query.isPending) return <Skeleton lines={8} height={400} />;
  if (query.error) return <Failure error={query.error} retry={() => void query.refetch()} />;
  return (
    <div className={layout.two}>
      <Editor key={query.data.etag} saved={query.data.body.toml} etag={query.data.etag} />
      <TablesView tables={query.data.body.parsed} />
    </div>
  );
}

function Editor({ saved, etag }: { saved: string; etag: string | null }) {
  const [text, setText] = useState(saved);
  const client = useQueryClient();
  const save = useMutation({
    mutationFn: () => settings.writeTables(text, etag),
    onSuccess: () => {
      say("Saved", { detail: "Pounds are computed anew from now on." });
      void client.invalidateQueries();
    },
  });
  return (
    <Card title="tables.toml" side="Laid over the built-in tables">
      <SaveForm
        className={layout.tight}
        save={save}
        dirty={text !== saved}
        onDiscard={() => setText(saved)}
        list="tables"
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
  );
}
