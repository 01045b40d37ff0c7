import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, reply } from "../../api/client";
import type { Schemas, TaskInfo } from "../../api/types";
import { Button } from "../../components/Button";
import { Failure } from "../../components/Failure";
import { Input, Pick } from "../../components/form";
import { Modal } from "../../components/Modal";
import { Notice } from "../../components/bits";
import { ShowCommand } from "../../components/ShowCommand";
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

/** One decision for everything the filter shows. */
export function Bulk(props: { open: boolean; onOpenChange: (open: boolean) => void; audit: Audit; task: TaskInfo }) {
  const { open, onOpenChange, audit, task } = props;
  const [action, setAction] = useState<Schemas["BulkAction"]>("approve");
  const [reason, setReason] = useState("");
  const [sure, setSure] = useState("");
  const client = useQueryClient();
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
    mutationFn: () =>
      reply(
        api.POST("/api/v1/examples/bulk", {
          body: { task: task.name, action, reason: action === "reject" ? reason : undefined, filter: shown },
        }),
      ),
    onSuccess: ({ changed, skipped }) => {
      say(`${count(changed, "message")} changed`, {
        detail: skipped.length > 0 ? `${skipped.length} left as they were: ${skipped[0]?.why}` : undefined,
      });
      void client.invalidateQueries();
      void client.resetQueries({ queryKey: ["queue"] });
      audit.open(undefined);
      onOpenChange(false);
    },
  });
  const words = format(filter?.parts ?? {});
  const ready = action !== "reject" || reason.trim() !== "";
  return (
    <Modal
      open={open}
      onOpenChange={onOpenChange}
      title="Bulk decision"
      about={`For all ${count(total, "message")} that the filter shows${words ? ` (${words})` : ""}.`}
      foot={
        <>
          <Button onClick={() => onOpenChange(false)}>Back</Button>
          <Button
            look={action === "reject" ? "danger" : "main"}
            disabled={!ready || total === 0}
            busy={run.isPending && "Working …"}
            onClick={() => run.mutate()}
          >
            {action === "approve" ? "Approve" : action === "reject" ? "Reject" : "Reopen"} up to {total}
          </Button>
        </>
      }
    >
      <Pick label="What to do" value={action} options={ACTIONS} onPick={setAction} />
      {action === "reject" && <Input label="Reason" value={reason} onText={setReason} />}
      {action === "approve" && (
        <Input
          label="Minimum confidence of the adapter (percent)"
          hint="Leave empty for all. Messages without a proposed answer are not changed."
          type="number"
          min={0}
          max={100}
          value={sure}
          onText={setSure}
        />
      )}
      {action === "approve" && (
        <Notice tone="warn">Adapters are trained on approved answers. Check a sample first.</Notice>
      )}
      <ShowCommand command={commands.deciding(task.name, action, reason, shown)} />
      {run.isError && <Failure error={run.error} />}
    </Modal>
  );
}
