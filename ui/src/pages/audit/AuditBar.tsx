import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api, reply, where } from "../../api/client";
import { read } from "../../api/queries";
import type { TaskInfo } from "../../api/types";
import { Pill } from "../../components/bits";
import { Button } from "../../components/Button";
import { Pick, Segmented } from "../../components/form";
import { Modal } from "../../components/Modal";
import { addressOf } from "../../lib/filter";
import { clip, count, number } from "../../lib/format";
import { useActions } from "../../shell/actions";
import css from "./audit.module.css";
import { Bulk } from "./Bulk";
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

/** Near-duplicates among approved messages: they teach little, and are kept on one side of every split. */
function Duplicates({ task, audit }: { task: TaskInfo; audit: Audit }) {
  const [open, setOpen] = useState(false);
  // Fetched when the page opens, because fetching after each decision would compare all examples again.
  const { data } = useQuery(
    read(
      ["duplicates", task.name],
      () => reply(api.GET("/api/v1/tasks/{task}/duplicates", where({ task: task.name }))),
      { staleTime: 300_000, enabled: task.counts.approved > 1 },
    ),
  );
  if (!data || data.extra === 0) return null;
  return (
    <>
      <Button look="quiet" small onClick={() => setOpen(true)}>
        {count(data.extra, "near-duplicate")}
      </Button>
      <Modal
        open={open}
        close={() => setOpen(false)}
        wide
        title="Near-duplicates among approved messages"
        about="Near-duplicates are always on the same side of the split, so no version is evaluated on an example it was almost trained on. Copies add nothing to training: open one to reject it."
      >
        <ol className={css.groups}>
          {data.groups.slice(0, SHOWN).map((group) => (
            <li key={group[0]?.id}>
              <ul>
                {group.map((one) => (
                  <li key={one.id}>
                    <button
                      type="button"
                      onClick={() => {
                        setOpen(false);
                        audit.open(one.id);
                      }}
                    >
                      {clip(one.input.replace(/\s+/g, " "), 140)}
                    </button>
                  </li>
                ))}
              </ul>
            </li>
          ))}
        </ol>
        {data.groups.length > SHOWN && <p className="muted">And {count(data.groups.length - SHOWN, "more group")}.</p>}
      </Modal>
    </>
  );
}

const SHOWN = 50;
