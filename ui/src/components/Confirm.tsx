import type { QueryKey } from "@tanstack/react-query";
import { useState, type ComponentProps, type ReactNode } from "react";
import { Button } from "./Button";
import { Failure } from "./Failure";
import { Modal } from "./Modal";
import { ShowCommand } from "./ShowCommand";
import { useAct } from "./useAct";

interface Props {
  open: boolean;
  title: string;
  about?: ReactNode;
  /** The exact effect. */
  children?: ReactNode;
  /** The command that does the same. */
  command?: string;
  /** Why it could not be done. */
  error?: unknown;
  yes: string;
  danger?: boolean;
  busy?: string | false;
  /** There is nothing to do. */
  disabled?: boolean;
  onYes: () => void;
  onNo: () => void;
}

/** Asks before an action and describes its effect. */
export function Confirm(props: Props) {
  const { open, title, about, children, command, error, yes, danger, busy, disabled, onYes, onNo } = props;
  return (
    <Modal
      {...{ open, title, about }}
      close={onNo}
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
      {command && <ShowCommand command={command} />}
      {error != null && <Failure error={error} />}
    </Modal>
  );
}

interface ActProps extends ComponentProps<typeof Button> {
  run: () => Promise<unknown>;
  said: string;
  /** What it makes old, by the first parts of the keys. */
  old: QueryKey[];
  /** On the button while it is done. */
  busy?: string;
}

/** A button for a change on the server. */
export function ActButton({ run, said, old, busy, ...button }: ActProps) {
  const act = useAct(run, { said, old });
  return <Button {...button} busy={act.isPending && busy} onClick={() => act.mutate()} />;
}

interface AskProps extends Pick<ActProps, "run" | "said" | "old"> {
  button: ComponentProps<typeof Button>;
  title: string;
  yes: string;
  danger?: boolean;
  /** On the button while it is done. */
  busy: string;
  /** Whether all is said that it needs. */
  needs?: boolean;
  command?: string;
  /** The exact effect. */
  children: ReactNode;
}

/** A button for something that is done only after asking. */
export function AskFirst({ button, busy, run, said, old, needs = true, ...question }: AskProps) {
  const [asking, setAsking] = useState(false);
  const act = useAct(() => run().finally(() => setAsking(false)), { said, old });
  return (
    <>
      <Button {...button} onClick={() => setAsking(true)} />
      <Confirm
        {...question}
        open={asking}
        busy={act.isPending && busy}
        onYes={() => needs && act.mutate()}
        onNo={() => setAsking(false)}
      />
    </>
  );
}

interface RemoveProps extends Pick<AskProps, "run" | "said" | "children"> {
  /** Such as "Remove ana". */
  label: string;
  /** The queries to invalidate afterwards. */
  list: string;
}

/** Takes something out of a list, after asking. */
export function Remove({ label, run, list, said, children }: RemoveProps) {
  return (
    <AskFirst
      button={{ small: true, look: "quiet", icon: "cross", "aria-label": label }}
      title={`${label}?`}
      yes="Remove"
      danger
      busy="Removing …"
      {...{ run, said }}
      old={[[list]]}
    >
      <p>{children}</p>
    </AskFirst>
  );
}

/** What the server says of labels that would be mixed, if that is why it refused to import. */
export function mixed(problem: unknown): string | undefined {
  const { errors } = (problem ?? {}) as { errors?: { field: string; detail: string }[] };
  return errors?.find((wrong) => wrong.field === "mix_labels")?.detail;
}

/** Asks before labels are imported of which the task has none. */
export function MixLabels({
  open,
  what,
  onYes,
  onNo,
}: {
  open: boolean;
  what: string;
  onYes: () => void;
  onNo: () => void;
}) {
  return (
    <Confirm open={open} title="Mix these labels?" yes="Mix them" onYes={onYes} onNo={onNo}>
      <p>
        {what.replace(/^t/, "T")}. A version trained on both chooses among all of them. Another task keeps them apart.
      </p>
    </Confirm>
  );
}
