import type { ComponentProps } from "react";
import { single } from "../lib/clicks";
import { Button } from "../components/Button";
import { useActions, type Action } from "./actions";

/** A button for an action, which its key and the command menu do as well. */
export function ActionButton({ action, ...look }: { action: Action } & ComponentProps<typeof Button>) {
  useActions([action]);
  return (
    <Button
      shortcut={action.key}
      disabled={action.disabled}
      onClick={action.repeats ? () => action.run() : single(action.run)}
      {...look}
    />
  );
}
