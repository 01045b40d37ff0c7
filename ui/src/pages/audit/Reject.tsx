import { useState, type FormEvent } from "react";
import { Button } from "../../components/Button";
import { Input } from "../../components/form";
import { Kbd } from "../../components/Kbd";
import { Modal } from "../../components/Modal";
import { ShowCommand } from "../../components/ShowCommand";
import { name } from "../../lib/keys";
import { commands } from "../../lib/commands";
import css from "./audit.module.css";

const REASONS = [
  "Not a rescue or not for this task",
  "Unclear message",
  "Duplicate",
  "Private information",
  "Can't be answered from the text",
];

interface Props {
  open: boolean;
  onOpenChange: (open: boolean) => void;
  onReject: (reason: string) => void;
  example: { task: string; id: string };
}

/** Why a message must not be learned from: one key, or own words. */
export function Reject({ open, onOpenChange, onReject, example }: Props) {
  const [own, setOwn] = useState("");
  const choose = (reason: string) => {
    onOpenChange(false);
    setOwn("");
    onReject(reason);
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (own.trim() !== "") choose(own.trim());
  };
  return (
    <Modal
      open={open}
      onOpenChange={onOpenChange}
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
        <form onSubmit={submit} className={css.own}>
          <Input label="Other reason" value={own} maxLength={200} onText={setOwn} />
          <Button type="submit" disabled={own.trim() === ""}>
            Reject
          </Button>
        </form>
        <ShowCommand command={commands.rejecting(example.task, example.id, own.trim())} />
      </div>
    </Modal>
  );
}
