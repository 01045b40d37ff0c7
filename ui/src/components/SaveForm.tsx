import { useMutation } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { Problem } from "../api/client";
import { reread } from "../api/queries";
import { Button } from "./Button";
import { Notice } from "./bits";
import { Failure } from "./Failure";
import layout from "./layout.module.css";
import { ShowCommand } from "./ShowCommand";
import { say } from "./toasts";

interface Props {
  save: () => Promise<unknown>;
  /** The message after saving. */
  said: string;
  dirty: boolean;
  /** Whether it can be saved as it is. */
  ready?: boolean;
  onDiscard: () => void;
  /** The queries to invalidate if somebody else changed the object first. */
  list: string;
  /** The command that does the same. */
  command: string;
  className?: string;
  /** The fields. */
  children: ReactNode;
}

/** A form to save or discard; if somebody else changed the object first, it says so and overwrites nothing. */
export function SaveForm({ save, said, dirty, ready = true, onDiscard, list, command, className, children }: Props) {
  const { mutate, error, isPending, reset } = useMutation({
    mutationFn: save,
    onSuccess: () => {
      say("Saved", { detail: said });
      reread();
    },
  });
  const stale = error instanceof Problem && error.status === 412;
  const can = dirty && ready;
  return (
    <form
      className={className}
      data-dirty={dirty || undefined}
      onSubmit={(event) => {
        event.preventDefault();
        if (can) mutate();
      }}
    >
      {children}
      {stale && (
        <Notice tone="warn" title="Somebody else changed this in the meantime.">
          <Button small onClick={() => reread([list])}>
            Load their version
          </Button>
        </Notice>
      )}
      {error && !stale && <Failure error={error} />}
      <ShowCommand command={command} />
      <div className={layout.row}>
        <Button look="main" type="submit" disabled={!can} busy={isPending && "Saving …"}>
          Save
        </Button>
        {dirty && (
          <Button look="quiet" onClick={() => (reset(), onDiscard())}>
            Discard
          </Button>
        )}
      </div>
    </form>
  );
}
