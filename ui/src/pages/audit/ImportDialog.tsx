import { useMutation, useQuery } from "@tanstack/react-query";
import { useEffect } from "react";
import { api, reply, where } from "../../api/client";
import { queries, read, reread } from "../../api/queries";
import type { Schemas, TaskInfo } from "../../api/types";
import { Button } from "../../components/Button";
import { Failure } from "../../components/Failure";
import { Input, Pick, TextArea, useFields } from "../../components/form";
import layout from "../../components/layout.module.css";
import { mixed, MixLabels } from "../../components/Confirm";
import { Modal } from "../../components/Modal";
import { ShowCommand } from "../../components/ShowCommand";
import { commands, type Columns } from "../../lib/commands";
import { hasSample, sample } from "../../lib/samples";
import { ImportReport } from "./ImportReport";

const KINDS: { value: Schemas["ImportKind"]; label: string; accept: string; hint: string }[] = [
  {
    value: "slack",
    label: "Slack export",
    accept: ".zip,.json,.xlsx",
    hint: "The zip that Slack gives, one day's JSON, or an XLSX sheet.",
  },
  {
    value: "csv",
    label: "CSV",
    accept: ".csv,.tsv,.txt,.xlsx",
    hint: "CSV or XLSX with a column for the text and, optionally, one for the answer or label.",
  },
  {
    value: "jsonl",
    label: "JSONL",
    accept: ".jsonl,.json,.ndjson",
    hint: "JSON objects, one per line or in a list: chat, instruction or input–output.",
  },
  {
    value: "ask-ai",
    label: "Ask AI database",
    accept: ".db,.sqlite,.sqlite3",
    hint: "A copy of ai_automation.db. It is opened read-only.",
  },
  { value: "prompt", label: "Pasted text", accept: "", hint: 'Lines such as: 1. "I love this" -> positive' },
];
const DRAFTS = [
  { value: "approve", label: "Approve drafts as well, as Ask AI did" },
  { value: "pending", label: "Import drafts as unaudited" },
  { value: "skip", label: "Skip drafts" },
];
const BLANK = {
  kind: "csv" as Schemas["ImportKind"],
  file: null as File | null,
  labels: null as File | null,
  columns: { text: "", label: "", id: "", heading: "" } as Columns,
  ...{ text: "", drafts: "approve", channels: "" },
};

/** Imports messages and reports the outcome of every row. */
export function ImportDialog({ open, close, task }: { open: boolean; close: () => void; task: TaskInfo }) {
  const { values, change, text: typed, pick } = useFields({ ...BLANK, kind: task.integration ?? BLANK.kind });
  const { kind, file, labels, text, drafts, channels, columns } = values;
  const start = useMutation({
    mutationFn: async ({ from, mix }: { from: "form" | "preview" | "sample"; mix?: true }) => {
      if (from === "sample")
        return upload({ kind: "jsonl", task: task.name, mix_labels: mix, file: await sample(task.name) });
      const pasted = new File([text], "prompt.txt", { type: "text/plain" });
      return upload({
        kind,
        task: task.name,
        drafts: kind === "ask-ai" ? drafts : undefined,
        columns: kind === "csv" ? JSON.stringify(asked(columns)) : undefined,
        labels: kind === "slack" && labels ? labels : undefined,
        channels: kind === "slack" ? channels : undefined,
        preview: from === "preview" ? true : undefined,
        mix_labels: mix,
        file: kind === "prompt" ? pasted : (file ?? new Blob()),
      });
    },
  });
  const id = start.data?.import.id;
  const job = useQuery(
    read(["import", id], () => reply(api.GET("/api/v1/imports/{id}", where({ id: id ?? "" }))), {
      enabled: id !== undefined,
      refetchInterval: (query) => (query.state.data && query.state.data.state !== "running" ? false : 400),
    }),
  );
  const state = job.data?.state;
  useEffect(() => {
    if (!state || state === "running") return;
    reread(["tasks"], ["stats"], ["preflight"]);
    void queries.resetQueries({ queryKey: ["queue"] });
  }, [state]);
  const info = KINDS.find((one) => one.value === kind);
  const ready = kind === "prompt" ? text.trim().length >= 10 : file !== null;
  const isPreview = start.variables?.from === "preview";
  const mixes = mixed(job.data?.problem);
  const again = () => {
    start.reset();
    if (!isPreview) change({ file: null });
  };
  if (mixes)
    return (
      <MixLabels
        open={open}
        what={mixes}
        onYes={() => start.mutate({ from: start.variables?.from ?? "form", mix: true })}
        onNo={() => start.reset()}
      />
    );
  return (
    <Modal
      open={open}
      close={close}
      title={`Import into ${task.title}`}
      about="Importing a message again updates it and keeps its decision."
      foot={
        id && isPreview ? (
          <>
            <Button onClick={again}>Change</Button>
            <Button
              look="main"
              icon="upload"
              disabled={job.data?.state !== "done"}
              onClick={() => start.mutate({ from: "form" })}
            >
              Import
            </Button>
          </>
        ) : id ? (
          <>
            <Button onClick={again}>Import more</Button>
            <Button look="main" onClick={close}>
              Done
            </Button>
          </>
        ) : (
          <>
            {hasSample(task.name) && (
              <Button look="quiet" disabled={start.isPending} onClick={() => start.mutate({ from: "sample" })}>
                Try sample messages
              </Button>
            )}
            <Button disabled={!ready || start.isPending} onClick={() => start.mutate({ from: "preview" })}>
              Preview
            </Button>
            <Button
              look="main"
              icon="upload"
              disabled={!ready}
              busy={start.isPending && "Sending …"}
              onClick={() => start.mutate({ from: "form" })}
            >
              Import
            </Button>
          </>
        )
      }
    >
      {id ? (
        <ImportReport job={job.data} error={job.error} />
      ) : (
        <>
          <Pick label="From" hint={info?.hint} options={KINDS} {...pick("kind")} />
          {kind === "prompt" ? (
            <TextArea label="Text" hint={`${text.trim().length} characters; at least 10`} rows={8} {...typed("text")} />
          ) : (
            <Input
              label="File"
              type="file"
              accept={info?.accept}
              onChange={(e) => change({ file: e.target.files?.[0] ?? null })}
            />
          )}
          {kind === "slack" && (
            <>
              <Input
                label="Channels (optional)"
                hint="Names separated by commas; all but direct messages otherwise."
                {...typed("channels")}
              />
              <Input
                label="Labels file (optional)"
                hint="JSONL with ts and truth for each message."
                type="file"
                accept=".jsonl,.json"
                onChange={(e) => change({ labels: e.target.files?.[0] ?? null })}
              />
            </>
          )}
          {kind === "ask-ai" && (
            <Pick
              label="Undecided suggestions"
              hint="Approved and deployed suggestions are imported as approved."
              options={DRAFTS}
              {...pick("drafts")}
            />
          )}
          {kind === "csv" && <ColumnFields columns={columns} onChange={(to) => change({ columns: to })} />}
          <ShowCommand
            command={commands.importing({ ...values, task: task.name, file: file?.name, labels: labels?.name })}
          />
          {start.isError && <Failure error={start.error} />}
        </>
      )}
    </Modal>
  );
}

/** Sends a form with files. */
function upload(body: Schemas["Upload"]) {
  const form = new FormData();
  for (const [name, value] of Object.entries(body))
    if (value) form.set(name, value === true ? "true" : (value as string | Blob));
  return reply(api.POST("/api/v1/imports", { body, bodySerializer: () => form }));
}

const HEADING = [
  { value: "", label: "Detect" },
  { value: "yes", label: "Header with column names" },
  { value: "no", label: "An example" },
];
const COLUMNS = [
  { name: "text", label: "Text column" },
  { name: "label", label: "Answer column" },
  { name: "id", label: "ID column" },
] as const;

/** The columns of a table; Graft detects those that are left empty. */
function ColumnFields({ columns, onChange }: { columns: Columns; onChange: (columns: Columns) => void }) {
  return (
    <div className={layout.fields}>
      {COLUMNS.map(({ name, label }) => (
        <Input
          key={name}
          label={label}
          hint={name === "text" ? "Column name or number" : undefined}
          placeholder={name === "id" ? "none" : "detected"}
          value={columns[name]}
          onText={(to) => onChange({ ...columns, [name]: to })}
        />
      ))}
      <Pick
        label="First row"
        options={HEADING}
        value={columns.heading}
        onPick={(to) => onChange({ ...columns, heading: to as Columns["heading"] })}
      />
    </div>
  );
}

/** The columns as the API takes them: only what was said. */
export function asked({ heading, ...names }: Columns): Record<string, string | boolean> {
  const said = Object.entries(names).flatMap(([name, value]) => (value.trim() === "" ? [] : [[name, value.trim()]]));
  return { ...Object.fromEntries(said), ...(heading === "" ? {} : { heading: heading === "yes" }) };
}
