import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { imports } from "../../api/calls";
import type { TaskInfo } from "../../api/types";
import { Button } from "../../components/Button";
import { Failure } from "../../components/Failure";
import { Field, Input, Pick, TextArea } from "../../components/form";
import { Modal } from "../../components/Modal";
import { ShowCommand } from "../../components/ShowCommand";
import { commands, type Columns } from "../../lib/commands";
import { asked, ColumnFields } from "./ColumnFields";
import { ImportReport } from "./ImportReport";

const KINDS = [
  {
    value: "slack",
    label: "Slack export",
    accept: ".zip,.json,.xlsx",
    hint: "The zip that Slack gives, one day's JSON, or an XLSX sheet.",
  },
  {
    value: "csv",
    label: "CSV",
    accept: ".csv,.tsv,.txt",
    hint: "With columns for the text and, if there is one, its answer or label.",
  },
  {
    value: "jsonl",
    label: "JSONL",
    accept: ".jsonl,.json,.ndjson",
    hint: "One example a line: chat, instruction or input–output.",
  },
  {
    value: "ask-ai",
    label: "Ask AI database",
    accept: ".db,.sqlite,.sqlite3",
    hint: "A copy of ai_automation.db; it is only read.",
  },
  { value: "prompt", label: "Pasted text", accept: "", hint: 'Lines such as: 1. "I love this" -> positive' },
];
/** Tasks that `lib/samples` has messages for; those are only loaded when they are wanted. */
const SAMPLED = ["slack-rescue", "ask-ai", "sentiment", "text-classification"];
const DRAFTS = [
  { value: "approve", label: "Approve drafts too, as Ask AI did" },
  { value: "pending", label: "Audit drafts here first" },
  { value: "skip", label: "Leave drafts out" },
];
const FOUND_OUT: Columns = { text: "", label: "", id: "", heading: "" };
const NOTHING = { labels: null, text: "", drafts: "approve", columns: FOUND_OUT };
const DEFAULT: Record<string, string> = { "slack-rescue": "slack", "ask-ai": "ask-ai" };

/** Brings messages in, and says what became of every row. */
export function ImportDialog({
  open,
  onOpenChange,
  task,
}: {
  open: boolean;
  onOpenChange: (open: boolean) => void;
  task: TaskInfo;
}) {
  const [kind, setKind] = useState(DEFAULT[task.name] ?? "csv");
  const [file, setFile] = useState<File | null>(null);
  const [labels, setLabels] = useState<File | null>(null);
  const [text, setText] = useState("");
  const [drafts, setDrafts] = useState("approve");
  const [columns, setColumns] = useState(FOUND_OUT);
  const client = useQueryClient();
  const start = useMutation({
    mutationFn: async (from: "form" | "sample") => {
      if (from === "form") return imports.start(form({ kind, task: task.name, file, labels, text, drafts, columns }));
      const { sample } = await import("../../lib/samples");
      return imports.start(form({ ...NOTHING, kind: "jsonl", task: task.name, file: sample(task.name) }));
    },
  });
  const id = start.data?.import.id;
  const job = useQuery({
    queryKey: ["import", id],
    enabled: id !== undefined,
    queryFn: () => imports.read(id ?? ""),
    refetchInterval: (query) => (query.state.data && query.state.data.state !== "running" ? false : 400),
  });
  const state = job.data?.state;
  useEffect(() => {
    if (!state || state === "running") return;
    for (const queryKey of [["tasks"], ["stats"], ["preflight"]]) void client.invalidateQueries({ queryKey });
    void client.resetQueries({ queryKey: ["queue"] });
  }, [state, client]);
  const info = KINDS.find((one) => one.value === kind);
  const ready = kind === "prompt" ? text.trim().length >= 10 : file !== null;
  const again = () => {
    start.reset();
    setFile(null);
  };
  return (
    <Modal
      open={open}
      onOpenChange={onOpenChange}
      title={`Import into ${task.title}`}
      about="The same message imported twice is updated, not doubled; decisions are kept."
      foot={
        id ? (
          <>
            <Button onClick={again}>Import more</Button>
            <Button look="main" onClick={() => onOpenChange(false)}>
              Done
            </Button>
          </>
        ) : (
          <>
            {SAMPLED.includes(task.name) && (
              <Button look="quiet" disabled={start.isPending} onClick={() => start.mutate("sample")}>
                Try sample messages
              </Button>
            )}
            <Button
              look="main"
              icon="upload"
              disabled={!ready}
              busy={start.isPending && "Sending …"}
              onClick={() => start.mutate("form")}
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
          <Field label="From" hint={info?.hint}>
            {(field) => <Pick {...field} value={kind} options={KINDS} onChange={(e) => setKind(e.target.value)} />}
          </Field>
          {kind === "prompt" ? (
            <Field label="Text" hint={`${text.trim().length} characters; at least 10`}>
              {(field) => <TextArea {...field} rows={8} value={text} onChange={(e) => setText(e.target.value)} />}
            </Field>
          ) : (
            <Field label="File">
              {(field) => (
                <Input
                  {...field}
                  type="file"
                  accept={info?.accept}
                  onChange={(e) => setFile(e.target.files?.[0] ?? null)}
                />
              )}
            </Field>
          )}
          {kind === "slack" && (
            <Field label="Labels, if there are any" hint="JSONL with ts and truth for each message.">
              {(field) => (
                <Input
                  {...field}
                  type="file"
                  accept=".jsonl,.json"
                  onChange={(e) => setLabels(e.target.files?.[0] ?? null)}
                />
              )}
            </Field>
          )}
          {kind === "ask-ai" && (
            <Field
              label="Suggestions that nobody has decided on"
              hint="Approved and deployed ones are approved here, too."
            >
              {(field) => (
                <Pick {...field} value={drafts} options={DRAFTS} onChange={(e) => setDrafts(e.target.value)} />
              )}
            </Field>
          )}
          {kind === "csv" && <ColumnFields columns={columns} onChange={setColumns} />}
          <ShowCommand
            command={commands.importing({
              ...{ kind, task: task.name, file: file?.name, labels: labels?.name, drafts, columns },
            })}
          />
          {start.isError && <Failure error={start.error} />}
        </>
      )}
    </Modal>
  );
}

function form(parts: {
  kind: string;
  task: string;
  file: File | null;
  labels: File | null;
  text: string;
  drafts: string;
  columns: Columns;
}): FormData {
  const { kind, task, file, labels, text, drafts, columns } = parts;
  const data = new FormData();
  data.set("kind", kind);
  data.set("task", task);
  if (kind === "ask-ai") data.set("drafts", drafts);
  if (kind === "csv") data.set("columns", JSON.stringify(asked(columns)));
  if (labels && kind === "slack") data.set("labels", labels);
  data.set("file", kind === "prompt" ? new File([text], "prompt.txt", { type: "text/plain" }) : (file ?? new Blob()));
  return data;
}
