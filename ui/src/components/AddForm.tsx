import type { UseMutationResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { Button } from "./Button";
import { Failure } from "./Failure";
import layout from "./layout.module.css";
import css from "./listed.module.css";
import { ShowCommand } from "./ShowCommand";

interface Props {
  add: Pick<UseMutationResult<unknown, Error, void>, "mutate" | "isPending" | "error">;
  /** What the button says, and what it says meanwhile. */
  button: string;
  busy: string;
  ready: boolean;
  /** What does the same in a shell. */
  command: string;
  /** The fields. */
  children: ReactNode;
  /** What to tell after it was added. */
  done?: ReactNode;
}

/** Below a list: what adds to it. */
export function AddForm({ add, button, busy, ready, command, children, done }: Props) {
  return (
    <form
      className={css.add}
      onSubmit={(event) => {
        event.preventDefault();
        add.mutate();
      }}
    >
      <div className={layout.fields}>{children}</div>
      {add.error && <Failure error={add.error} />}
      {done}
      <ShowCommand command={command} />
      <div>
        <Button type="submit" icon="plus" disabled={!ready} busy={add.isPending && busy}>
          {button}
        </Button>
      </div>
    </form>
  );
}
