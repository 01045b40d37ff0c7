import type { TaskInfo } from "../../api/types";
import { Button } from "../../components/Button";
import { Pick, Segmented } from "../../components/form";
import { Pill } from "../../components/bits";
import { addressOf } from "../../lib/filter";
import { number } from "../../lib/format";
import { useActions } from "../../shell/actions";
import css from "./audit.module.css";
import { Bulk } from "./Bulk";
import { Duplicates } from "./Duplicates";
import { FilterBox } from "./FilterBox";
import { ImportDialog } from "./ImportDialog";
import { ORDERS, type QueueOrder } from "./queue";
import { SuspectsButton } from "./Suspects";
import type { Audit } from "./useAudit";

/** The dialogs of the queue. */
export type Dialog = "bulk" | "import" | null;
interface Props {
  audit: Audit;
  task: TaskInfo | undefined;
  dialog: Dialog;
  setDialog: (dialog: Dialog) => void;
  onGuidelines: () => void;
}

/** The filter and the progress of the queue. */
export function AuditBar({ audit, task, dialog, setDialog, onGuidelines }: Props) {
  const { filter, setUrl, open } = audit;
  const change = (part: Record<string, string | undefined>) => {
    open(undefined);
    setUrl({ ...part, id: undefined });
  };
  const sort = (order: QueueOrder) => change(order === "helpful" ? { ...addressOf({}), order } : { order });
  useActions([
    { id: "import", label: "Import messages", group: "Audit", run: () => setDialog("import") },
    {
      ...{ id: "bulk", label: "Bulk actions", group: "Audit", run: () => setDialog("bulk") },
      // A bulk decision is for all that the filter shows, of which these are a choice.
      disabled: filter?.order === "helpful",
    },
    ...ORDERS.map((order) => ({
      id: `order-${order.value}`,
      label: `Order: ${order.label.toLowerCase()}`,
      group: "Audit",
      run: () => sort(order.value),
    })),
  ]);
  const counts = task?.counts;
  const sources = task?.sources ?? [];
  return (
    <div className={css.bar}>
      <Segmented
        label="Which messages"
        value={filter?.state ?? "pending"}
        options={[
          { value: "pending", label: <Counted name="Unaudited" count={counts?.pending} /> },
          { value: "all", label: "All" },
          { value: "approved", label: <Counted name="Audited" count={counts?.approved} /> },
          ...(counts?.rejected || filter?.state === "rejected"
            ? [{ value: "rejected" as const, label: <Counted name="Rejected" count={counts?.rejected} /> }]
            : []),
        ]}
        onPick={(state) => change({ state })}
      />
      {task && filter && <FilterBox task={task} parts={filter.parts} onChange={(parts) => change(addressOf(parts))} />}
      {sources.length > 1 && (
        <Pick
          aria-label="Source"
          small
          value={filter?.parts.source ?? ""}
          options={[
            { value: "", label: "All sources" },
            ...sources.map((s) => ({ value: s.kind, label: `${s.kind} (${number(s.count)})` })),
          ]}
          onPick={(to) => change({ source: to })}
        />
      )}
      <Pick aria-label="Order" small value={filter?.order ?? "imported"} options={ORDERS} onPick={sort} />
      <div className={css.barEnd}>
        {task && <Readiness task={task} />}
        {task && <SuspectsButton task={task} audit={audit} />}
        {task && <Duplicates task={task} audit={audit} />}
        <Button small shortcut="g" onClick={onGuidelines}>
          Guidelines
        </Button>
        <Button small disabled={filter?.order === "helpful"} onClick={() => setDialog("bulk")}>
          Bulk
        </Button>
        <Button small icon="upload" onClick={() => setDialog("import")}>
          Import
        </Button>
      </div>
      {task && <Bulk open={dialog === "bulk"} close={() => setDialog(null)} audit={audit} task={task} />}
      {task && <ImportDialog open={dialog === "import"} close={() => setDialog(null)} task={task} />}
    </div>
  );
}

function Counted({ name, count }: { name: string; count: number | undefined }) {
  return (
    <>
      {name} <small className="num">{number(count)}</small>
    </>
  );
}

function Readiness({ task }: { task: TaskInfo }) {
  const { approved } = task.counts;
  const missing = Math.max(0, task.needed - approved);
  return (
    <Pill tone={task.ready ? "good" : "plain"}>
      <span className="num">
        {missing > 0 ? `${approved} of ${task.needed} to train` : `${number(approved)} approved`}
        {missing === 0 && <span className={css.roomy}> · ready to train</span>}
      </span>
    </Pill>
  );
}
