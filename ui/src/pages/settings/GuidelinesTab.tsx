import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api, ifMatch, type Tagged } from "../../api/client";
import { guidelinesQuery } from "../../api/queries";
import type { Schemas, TaskInfo } from "../../api/types";
import { Button } from "../../components/Button";
import { Card } from "../../components/bits";
import { TextArea } from "../../components/form";
import layout from "../../components/layout.module.css";
import { Listed } from "../../components/Failure";
import { Prose } from "../../components/Prose";
import { SaveForm } from "../../components/SaveForm";
import { commands } from "../../lib/commands";
import { useTask } from "../../shell/useTask";
import css from "./settings.module.css";

/** The guidelines for judging a task's messages, which a key shows beside every message. */
export function GuidelinesTab() {
  const { task } = useTask();
  return task ? <OfTask key={task.name} task={task} /> : null;
}

function OfTask({ task }: { task: TaskInfo }) {
  const query = useQuery(guidelinesQuery(task.name));
  return (
    <Card title={`Guidelines: ${task.title}`} flush>
      <Listed query={query} lines={8} height={320}>
        {(data) => <Form key={data.etag} task={task.name} {...data} />}
      </Listed>
    </Card>
  );
}

function Form({ task, body: saved, etag }: { task: string } & Tagged<Schemas["Guidelines"]>) {
  const [text, setText] = useState(saved.text);
  const params = { path: { task }, header: ifMatch(etag) };
  return (
    <SaveForm
      className={css.rent}
      save={() => api.PUT("/api/v1/tasks/{task}/guidelines", { body: { text }, params })}
      said="Audit shows them beside each message: press G."
      dirty={text.trim() !== saved.text.trim()}
      onDiscard={() => setText(saved.text)}
      list="guidelines"
      command={commands.putting(`/api/v1/tasks/${task}/guidelines`, { text })}
    >
      <div className={layout.two}>
        <TextArea
          label="Guidelines"
          hint="Lines that start with “- ” become a list; the line above a list becomes its heading."
          rows={20}
          value={text}
          onText={setText}
        />
        <section aria-label="Preview">
          <Prose text={text.trim() === "" ? saved.usual : text} />
        </section>
      </div>
      {text.trim() !== saved.usual.trim() && (
        <div>
          <Button small onClick={() => setText(saved.usual)}>
            Restore the default guidelines
          </Button>
        </div>
      )}
    </SaveForm>
  );
}
