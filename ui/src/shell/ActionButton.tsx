import type { ComponentProps, MouseEvent } from "react";
import { Button } from "../components/Button";
import { useActions, type Action } from "./actions";

/** A button for an action, which its key and the command menu do as well. Of a double click only the first one counts. */
export function ActionButton({ action, ...look }: { action: Action } & ComponentProps<typeof Button>) {
  useActions([action]);
  const click = ({ detail }: MouseEvent) => (detail < 2 || action.repeats) && action.run();
  return <Button shortcut={action.key} disabled={action.disabled} onClick={click} {...look} />;
}
