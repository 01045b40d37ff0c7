import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { settings } from "../../api/calls";
import { guidelinesQuery } from "../../api/queries";
import type { TaskInfo } from "../../api/types";
import { Button } from "../../components/Button";
import { Card } from "../../components/bits";
import { Field, TextArea } from "../../components/form";
import layout from "../../components/layout.module.css";
import { Listed } from "../../components/Listed";
import { Prose } from "../../components/Prose";
import { SaveForm } from "../../components/SaveForm";
import { say } from "../../components/toasts";
import { commands } from "../../lib/commands";
import { useTask } from "../../shell/useTask";
import css from "./settings.module.css";

/** How a task's messages are judged: what people agree on, beside every message by one key. */
export function GuidelinesTab() {
  const { task } = useTask();
  return task ? <OfTask key={task.name} task={task} /> : null;
}

function OfTask({ task }: { task: TaskInfo }) {
  const query = useQuery(guidelinesQuery(task.name));
  return (
    <Card title={`How to judge: ${task.title}`} flush>
      <Listed query={query} lines={8} height={320}>
        {query.data && <Form key={query.data.etag} task={task.name} saved={query.data.body} etag={query.data.etag} />}
      </Listed>
    </Card>
  );
}

function Form(props: { task: string; saved: { text: string; usual: string }; etag: string | null }) {
  const { task, saved, etag } = props;
  const [text, setText] = useState(saved.text);
  const client = useQueryClient();
  const save = useMutation({
    mutationFn: () => settings.writeGuidelines(task, { text }, etag),
    onSuccess: () => {
      say("Saved", { detail: "Audit shows them beside each message: press G." });
      void client.invalidateQueries({ queryKey: guidelinesQuery(task).queryKey });
    },
  });
  return (
    <SaveForm
      className={css.rent}
      save={save}
      dirty={text.trim() !== saved.text.trim()}
      onDiscard={() => setText(saved.text)}
      list="guidelines"
      command={commands.putting(`/api/v1/tasks/${task}/guidelines`, { text })}
    >
      <div className={layout.two}>
        <Field label="Guidelines" hint="Lines that begin with “- ” become a list, the line above them its heading.">
          {(field) => <TextArea {...field} rows={20} value={text} onChange={(e) => setText(e.target.value)} />}
        </Field>
        <section aria-label="As Audit shows them">
          <Prose text={text.trim() === "" ? saved.usual : text} />
        </section>
      </div>
      {text.trim() !== saved.usual.trim() && (
        <div>
          <Button small onClick={() => setText(saved.usual)}>
            Bring back those that the task comes with
          </Button>
        </div>
      )}
    </SaveForm>
  );
}
