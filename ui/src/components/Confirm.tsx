import type { ReactNode } from "react";
import { Button } from "./Button";
import { Modal } from "./Modal";

interface Props {
  open: boolean;
  title: string;
  /** The exact effect. */
  children: ReactNode;
  yes: string;
  danger?: boolean;
  busy?: string | false;
  /** There is nothing to do. */
  disabled?: boolean;
  onYes: () => void;
  onNo: () => void;
}

/** Asks before an irreversible action and describes its effect. */
export function Confirm({ open, title, children, yes, danger, busy, disabled, onYes, onNo }: Props) {
  return (
    <Modal
      open={open}
      onOpenChange={(on) => !on && onNo()}
      title={title}
      foot={
        <>
          <Button onClick={onNo}>Back</Button>
          <Button look={danger ? "danger" : "main"} busy={busy} disabled={disabled} onClick={onYes}>
            {yes}
          </Button>
        </>
      }
    >
      {children}
    </Modal>
  );
}
