import { useState } from "react";
import type { TaskInfo } from "../../api/types";
import { Button, Kbd } from "../../components/Button";
import { Form, Input } from "../../components/form";
import { Modal } from "../../components/Modal";
import { ShowCommand } from "../../components/ShowCommand";
import { commands } from "../../lib/commands";
import { name } from "../../lib/keys";
import { ActionButton, actionsIn, useActions } from "../../shell/actions";
import { focusNext } from "../../shell/focus";
import css from "./audit.module.css";
import { useRecent } from "../../live/recent";
import type { Audit } from "./useAudit";

const action = actionsIn("Audit");

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
  useActions([
    action("approve-editing", "Approve while editing", "mod+enter", onApprove, { always: true }),
    action("leave", "Leave a field", "escape", focusNext, { always: true }),
  ]);
  const first = audit.at === 0;
  const last = audit.at >= audit.list.length - 1;
  return (
    <footer className={css.decide}>
      <ActionButton action={action("approve", "Approve", "a", onApprove)} look="main" icon="check" />
      <ActionButton action={action("edit", "Edit", "e", onEdit)} icon="edit" className={css.edit} />
      <ActionButton
        action={action("reject", "Reject (then 1–5 for the reason)", "x", () => setRejecting(true))}
        look="danger"
        icon="cross"
      >
        Reject
      </ActionButton>
      <ActionButton action={action("skip", "Skip", "space", forth, { repeats: true })} look="quiet" icon="skip" />
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
        <Reject open={rejecting} close={() => setRejecting(false)} onReject={onReject} example={audit.current} />
      )}
    </footer>
  );
}

const REASONS = [
  "Not a rescue or not for this task",
  "Unclear message",
  "Duplicate",
  "Private information",
  "Can't be answered from the text",
];

interface RejectProps {
  open: boolean;
  close: () => void;
  onReject: (reason: string) => void;
  example: { task: string; id: string };
}

/** Why a message must not be learned from: one key, or own words. */
function Reject({ open, close, onReject, example }: RejectProps) {
  const [own, setOwn] = useState("");
  const choose = (reason: string) => {
    close();
    setOwn("");
    onReject(reason);
  };
  return (
    <Modal
      open={open}
      close={close}
      title="Reject this message"
      about="It stays in the list and is never used for training. Choose a reason."
    >
      <div
        className={css.reasons}
        onKeyDown={(press) => {
          const reason = REASONS[Number(name(press)) - 1];
          if (!reason || press.repeat || press.target instanceof HTMLInputElement) return;
          press.preventDefault();
          choose(reason);
        }}
      >
        {REASONS.map((reason, i) => (
          <button key={reason} type="button" autoFocus={i === 0} onClick={() => choose(reason)}>
            <Kbd>{String(i + 1)}</Kbd> {reason}
          </button>
        ))}
        <Form onSubmit={() => own.trim() !== "" && choose(own.trim())} className={css.own}>
          <Input label="Other reason" value={own} maxLength={200} onText={setOwn} />
          <Button type="submit" disabled={own.trim() === ""}>
            Reject
          </Button>
        </Form>
        <ShowCommand command={commands.rejecting(example.task, example.id, own.trim())} />
      </div>
    </Modal>
  );
}
