import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { address, api, reply, where } from "../../api/client";
import { batchesQuery } from "../../api/queries";
import type { Schemas, TaskInfo, Version } from "../../api/types";
import { AddForm } from "../../components/AddForm";
import { Card, Empty, Pill, Progress, TimeAgo } from "../../components/bits";
import { Button } from "../../components/Button";
import { Input, Pick } from "../../components/form";
import layout from "../../components/layout.module.css";
import { Remove } from "../../components/Confirm";
import { QueryTable } from "../../components/Table";
import { say } from "../../components/toasts";
import { useAct } from "../../components/useAct";
import { commands } from "../../lib/commands";
import { number } from "../../lib/format";

type Batch = Schemas["Batch"];

/** Files that a version answers in the background. */
export function Batches({ task, versions, active }: { task: TaskInfo; versions: Version[]; active?: Version }) {
  const query = useQuery(batchesQuery(task.name));
  const [file, setFile] = useState<File | null>(null);
  const [picked, setPicked] = useState("");
  const version = picked || (active ?? versions[0])?.name || "";
  return (
    <Card title="Files" flush>
      <QueryTable
        query={query}
        stack
        label="Files"
        rows={(batches) => batches}
        by={({ id }) => id}
        empty={
          <Empty title="No file yet">
            Upload a file, and a worker answers it while nothing trains. Large files are answered in parts; after an
            interruption only the current part is repeated.
          </Empty>
        }
        columns={[
          { title: "File", head: true, tip: ({ id }) => id, cell: ({ source }) => source },
          { title: "Version", cell: ({ version }) => version },
          { title: "State", cell: stateOf },
          { title: "Answered", cell: answeredOf },
          { title: "Submitted", cell: submitted },
          { title: "Actions", hidden: true, label: "Actions", cell: (batch) => <Actions batch={batch} /> },
        ]}
      />
      <AddForm
        add={() => submit({ task: task.name, version, file: file ?? new File([], "") })}
        onAdded={(added) => {
          say(`${number(added.batch.lines)} messages are waiting`, { detail: added.notes.join(" ") });
          setFile(null);
        }}
        list="batches"
        button="Answer the file"
        ready={!!file && version !== ""}
        command={commands.batch({ task: task.name, version, file: file?.name })}
      >
        <Input
          key={file ? "chosen" : "none"}
          label="File to answer"
          hint="A table, JSON lines, a Slack export, or a text with one message per line"
          type="file"
          onChange={(event) => event.target.files?.[0] && setFile(event.target.files[0])}
        />
        <Pick
          label="Version"
          value={version}
          options={versions.map(({ name }) => ({
            value: name,
            label: name === active?.name ? `${name} (active)` : name,
          }))}
          onPick={setPicked}
        />
      </AddForm>
    </Card>
  );
}

const stateOf = ({ state, failure }: Batch) => (
  <>
    <BatchPill state={state} />
    {failure && <p>{failure}</p>}
  </>
);

const answeredOf = ({ source, state, answered, lines, invalid }: Batch) => (
  <>
    {state === "running" && <Progress value={(answered / lines) * 100} label={`Answered messages of ${source}`} />}
    <span className="num">
      {number(answered)} of {number(lines)}
      {invalid > 0 && `, ${number(invalid)} not valid`}
    </span>
  </>
);

const submitted = ({ created_at, created_by }: Batch) => (
  <>
    <TimeAgo at={created_at} /> by {created_by}
  </>
);

function Actions({ batch: { id, source, state, answered } }: { batch: Batch }) {
  const turn = useAct(
    () => reply(api.POST(`/api/v1/batches/{id}/${state === "running" ? "stop" : "resume"}`, where({ id }))),
    { old: [["batches"]] },
  );
  const results = address("/api/v1/batches/{id}/results", { id });
  return (
    <span className={layout.row}>
      {answered > 0 && (
        <a href={state === "done" ? results : `${results}?partial=true`} download={`${id}.jsonl`}>
          {state === "done" ? "Download answers" : "Download finished parts"}
        </a>
      )}
      {state !== "done" && (
        <Button small busy={turn.isPending && "…"} onClick={() => turn.mutate()}>
          {state === "running" ? "Stop" : "Continue"}
        </Button>
      )}
      {state !== "running" && (
        <Remove
          label={`Remove the answers to ${source}`}
          run={() => api.DELETE("/api/v1/batches/{id}", where({ id }))}
          list="batches"
          said="Removed"
        >
          The messages of the file and their answers are deleted from the database. Download the answers first if you
          need them.
        </Remove>
      )}
    </span>
  );
}

function BatchPill({ state }: { state: Batch["state"] }) {
  if (state === "running") return <Pill dot="live">Running</Pill>;
  if (state === "done") return <Pill tone="good">✓ Done</Pill>;
  return state === "failed" ? <Pill tone="bad">✗ Failed</Pill> : <Pill tone="warn">■ Stopped</Pill>;
}

function submit(body: { task: string; version: string; file: File }) {
  const form = new FormData();
  for (const [name, value] of Object.entries(body)) form.set(name, value);
  return reply(api.POST("/api/v1/batches", { body, bodySerializer: () => form }));
}
