import { useMutation } from "@tanstack/react-query";
import { api, reply } from "../../api/client";
import { queries, reread } from "../../api/queries";
import type { Schemas, TaskInfo } from "../../api/types";
import { Confirm } from "../../components/Confirm";
import { Input, Pick, useFields } from "../../components/form";
import { Notice } from "../../components/bits";
import { say } from "../../components/toasts";
import { commands } from "../../lib/commands";
import { format } from "../../lib/filter";
import { count } from "../../lib/format";
import { narrowed } from "./queue";
import type { Audit } from "./useAudit";

const ACTIONS: { value: Schemas["BulkAction"]; label: string }[] = [
  { value: "approve", label: "Approve the proposed answers" },
  { value: "reject", label: "Reject" },
  { value: "reopen", label: "Make unaudited again" },
];

const WORDS: Record<Schemas["BulkAction"], string> = { approve: "Approve", reject: "Reject", reopen: "Reopen" };

const START = { action: "approve" as Schemas["BulkAction"], reason: "", sure: "" };

/** One decision for everything the filter shows. */
export function Bulk(props: { open: boolean; close: () => void; audit: Audit; task: TaskInfo }) {
  const { open, close, audit, task } = props;
  const { values, text, pick } = useFields(START);
  const { action, reason, sure } = values;
  const { filter, total } = audit;
  const asked = action === "approve" ? sure : "";
  const narrow = filter ? narrowed(filter) : undefined;
  const least = asked === "" ? narrow?.min_confidence : Math.max(Number(asked) / 100, narrow?.min_confidence ?? 0);
  const shown = {
    ...narrow,
    state: filter && filter.state !== "all" ? filter.state : undefined,
    min_confidence: least,
  };
  const run = useMutation({
    mutationFn: () => {
      const body = { task: task.name, action, reason: action === "reject" ? reason : undefined, filter: shown };
      return reply(api.POST("/api/v1/examples/bulk", { body }));
    },
    onSuccess: ({ changed, skipped }) => {
      say(`${count(changed, "message")} changed`, {
        detail: skipped.length > 0 ? `${skipped.length} left as they were: ${skipped[0]?.why}` : undefined,
      });
      reread();
      void queries.resetQueries({ queryKey: ["queue"] });
      audit.open(undefined);
      close();
    },
  });
  const words = format(filter?.parts ?? {});
  const ready = action !== "reject" || reason.trim() !== "";
  return (
    <Confirm
      open={open}
      title="Bulk decision"
      about={`For all ${count(total, "message")} that the filter shows${words ? ` (${words})` : ""}.`}
      yes={`${WORDS[action]} up to ${total}`}
      danger={action === "reject"}
      disabled={!ready || total === 0}
      busy={run.isPending && "Working …"}
      command={commands.deciding(task.name, action, reason, shown)}
      error={run.error}
      onYes={() => run.mutate()}
      onNo={close}
    >
      <Pick label="What to do" options={ACTIONS} {...pick("action")} />
      {action === "reject" && <Input label="Reason" {...text("reason")} />}
      {action === "approve" && (
        <Input
          label="Minimum confidence of the adapter (percent)"
          hint="Leave empty for all. Messages without a proposed answer are not changed."
          type="number"
          min={0}
          max={100}
          {...text("sure")}
        />
      )}
      {action === "approve" && (
        <Notice tone="warn">Adapters are trained on approved answers. Check a sample first.</Notice>
      )}
    </Confirm>
  );
}
