import { useState } from "react";
import type { TaskInfo } from "../../api/types";
import { Button } from "../../components/Button";
import { useActions } from "../../shell/actions";
import css from "./audit.module.css";
import { Reject } from "./Reject";
import { useRecent } from "./recent";
import type { Audit } from "./useAudit";
import { undo } from "./useDecide";

interface Props {
  audit: Audit;
  task: TaskInfo;
  onApprove: () => void;
  onReject: (reason: string) => void;
  onEdit: () => void;
}

/** The buttons that decide; each says its key. */
export function Decide({ audit, task, onApprove, onReject, onEdit }: Props) {
  const [rejecting, setRejecting] = useState(false);
  const last = useRecent().find((one) => one.task === task.name);
  const takeBack = () => {
    if (!last) return;
    undo(
      last,
      audit.list.find((one) => one.id === last.id),
    );
    audit.open(last.id);
  };
  const back = () => audit.step(-1);
  const forth = () => audit.step(1);
  useActions([
    { id: "approve", label: "Approve", group: "Audit", key: "a", run: onApprove },
    {
      id: "approve-editing",
      label: "Approve while editing",
      group: "Audit",
      key: "mod+enter",
      always: true,
      run: onApprove,
    },
    { id: "edit", label: "Edit", group: "Audit", key: "e", run: onEdit },
    {
      id: "leave",
      label: "Leave a field",
      group: "Audit",
      key: "escape",
      always: true,
      run: () => (document.activeElement as HTMLElement | null)?.blur(),
    },
    {
      id: "reject",
      label: "Reject (then 1–5 for the reason)",
      group: "Audit",
      key: "x",
      run: () => setRejecting(true),
    },
    { id: "skip", label: "Skip", group: "Audit", key: "space", run: forth },
    { id: "undo", label: "Undo the last decision", group: "Audit", key: "u", disabled: !last, run: takeBack },
    { id: "next", label: "Next message", group: "Audit", key: "j", run: forth },
    { id: "previous", label: "Previous message", group: "Audit", key: "k", run: back },
  ]);
  return (
    <footer className={css.decide}>
      <Button look="main" icon="check" shortcut="a" onClick={onApprove}>
        Approve
      </Button>
      <Button icon="edit" shortcut="e" className={css.edit} onClick={onEdit}>
        Edit
      </Button>
      <Button look="danger" icon="cross" shortcut="x" onClick={() => setRejecting(true)}>
        Reject
      </Button>
      <Button look="quiet" icon="skip" shortcut="space" onClick={forth}>
        Skip
      </Button>
      <Button look="quiet" icon="undo" shortcut="u" disabled={!last} onClick={takeBack}>
        Undo
      </Button>
      <span className={css.moves}>
        <Button
          look="quiet"
          icon="left"
          shortcut="k"
          aria-label="Previous message"
          disabled={audit.at === 0}
          onClick={back}
        />
        <Button
          look="quiet"
          icon="right"
          shortcut="j"
          aria-label="Next message"
          disabled={audit.at >= audit.list.length - 1}
          onClick={forth}
        />
      </span>
      {audit.current && (
        <Reject open={rejecting} onOpenChange={setRejecting} onReject={onReject} example={audit.current} />
      )}
    </footer>
  );
}
