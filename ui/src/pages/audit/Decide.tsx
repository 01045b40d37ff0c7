import { useState } from "react";
import type { TaskInfo } from "../../api/types";
import { ActionButton } from "../../shell/ActionButton";
import { focusNext } from "../../shell/focus";
import { useActions, type Action } from "../../shell/actions";
import css from "./audit.module.css";
import { Reject } from "./Reject";
import { useRecent } from "../../live/recent";
import type { Audit } from "./useAudit";

interface Props {
  audit: Audit;
  task: TaskInfo;
  onApprove: () => void;
  onReject: (reason: string) => void;
  onEdit: () => void;
}

/** The decision buttons, with their keys. */
export function Decide({ audit, task, onApprove, onReject, onEdit }: Props) {
  const [rejecting, setRejecting] = useState(false);
  const decided = useRecent().find((one) => one.task === task.name);
  const takeBack = () => decided && audit.takeBack(decided);
  const back = () => audit.step(-1);
  const forth = () => audit.step(1);
  const action = (id: string, label: string, key: string, run: () => void, more: Partial<Action> = {}): Action => ({
    ...{ id, label, key, run, group: "Audit" },
    ...more,
  });
  useActions([
    action("approve-editing", "Approve while editing", "mod+enter", onApprove, { always: true }),
    action("leave", "Leave a field", "escape", focusNext, { always: true }),
  ]);
  const first = audit.at === 0;
  const last = audit.at >= audit.list.length - 1;
  return (
    <footer className={css.decide}>
      <ActionButton action={action("approve", "Approve", "a", onApprove)} look="main" icon="check">
        Approve
      </ActionButton>
      <ActionButton action={action("edit", "Edit", "e", onEdit)} icon="edit" className={css.edit}>
        Edit
      </ActionButton>
      <ActionButton
        action={action("reject", "Reject (then 1–5 for the reason)", "x", () => setRejecting(true))}
        look="danger"
        icon="cross"
      >
        Reject
      </ActionButton>
      <ActionButton action={action("skip", "Skip", "space", forth, { repeats: true })} look="quiet" icon="skip">
        Skip
      </ActionButton>
      <ActionButton
        action={action("undo", "Undo the last decision", "u", takeBack, { disabled: !decided })}
        look="quiet"
        icon="undo"
      >
        Undo
      </ActionButton>
      <span className={css.moves}>
        <ActionButton
          action={action("previous", "Previous message", "k", back, { disabled: first, repeats: true })}
          look="quiet"
          icon="left"
          aria-label="Previous message"
        />
        <ActionButton
          action={action("next", "Next message", "j", forth, { disabled: last, repeats: true })}
          look="quiet"
          icon="right"
          aria-label="Next message"
        />
      </span>
      {audit.current && (
        <Reject open={rejecting} onOpenChange={setRejecting} onReject={onReject} example={audit.current} />
      )}
    </footer>
  );
}
