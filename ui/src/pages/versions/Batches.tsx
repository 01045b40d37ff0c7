import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { address, api, reply } from "../../api/client";
import { batchesQuery } from "../../api/queries";
import type { Schemas, TaskInfo, Version } from "../../api/types";
import { AddForm } from "../../components/AddForm";
import { Card, Empty, Pill, Progress } from "../../components/bits";
import { Button } from "../../components/Button";
import { Input, Pick } from "../../components/form";
import layout from "../../components/layout.module.css";
import { Listed } from "../../components/Listed";
import { Remove } from "../../components/Remove";
import { Cell, Table } from "../../components/Table";
import { TimeAgo } from "../../components/TimeAgo";
import { say, sayError } from "../../components/toasts";
import { commands } from "../../lib/commands";
import { number } from "../../lib/format";

type Batch = Schemas["Batch"];

/** Files that a version answers in the background. */
export function Batches({ task, versions, active }: { task: TaskInfo; versions: Version[]; active?: Version }) {
  const query = useQuery(batchesQuery(task.name));
  const [file, setFile] = useState<File | null>(null);
  const [picked, setPicked] = useState("");
  const version = picked || (active ?? versions[0])?.name || "";
  const list = query.data ?? [];
  return (
    <Card title="Files" flush>
      <Listed
        query={query}
        empty={
          list.length === 0 && (
            <Empty title="No file yet">
              Upload a file, and a worker answers it while nothing trains. Large files are answered in parts; after an
              interruption only the current part is repeated.
            </Empty>
          )
        }
      >
        <Table
          stack
          label="Files"
          columns={["File", "Version", "State", "Answered", "Submitted", { hidden: "Actions" }]}
        >
          {list.map((batch) => (
            <Row key={batch.id} batch={batch} />
          ))}
        </Table>
      </Listed>
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

function Row({ batch }: { batch: Batch }) {
  const { id, source, version, state, answered, lines, invalid, failure } = batch;
  const client = useQueryClient();
  const turn = useMutation({
    mutationFn: () => {
      const params = { params: { path: { id } } };
      return state === "running"
        ? reply(api.POST("/api/v1/batches/{id}/stop", params))
        : reply(api.POST("/api/v1/batches/{id}/resume", params));
    },
    onError: sayError,
    onSettled: () => void client.invalidateQueries({ queryKey: ["batches"] }),
  });
  const results = address("/api/v1/batches/{id}/results", { id });
  return (
    <tr>
      <th scope="row" title={id}>
        {source}
      </th>
      <Cell label="Version">{version}</Cell>
      <Cell label="State">
        <BatchPill state={state} />
        {failure && <p>{failure}</p>}
      </Cell>
      <Cell label="Answered">
        {state === "running" && <Progress value={(answered / lines) * 100} label={`Answered messages of ${source}`} />}
        <span className="num">
          {number(answered)} of {number(lines)}
          {invalid > 0 && `, ${number(invalid)} not valid`}
        </span>
      </Cell>
      <Cell label="Submitted">
        <TimeAgo at={batch.created_at} /> by {batch.created_by}
      </Cell>
      <Cell label="Actions">
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
              run={() => reply(api.DELETE("/api/v1/batches/{id}", { params: { path: { id } } }))}
              list="batches"
              said="Removed"
            >
              The messages of the file and their answers are deleted from the database. Download the answers first if
              you need them.
            </Remove>
          )}
        </span>
      </Cell>
    </tr>
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
