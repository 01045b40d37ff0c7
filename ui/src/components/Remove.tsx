import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState, type ReactNode } from "react";
import { Button } from "./Button";
import { Confirm } from "./Confirm";
import { say, sayError } from "./toasts";

interface Props {
  /** Such as "Remove ana". */
  label: string;
  run: () => Promise<unknown>;
  /** The queries to invalidate afterwards. */
  list: string;
  said: string;
  /** The exact effect. */
  children: ReactNode;
}

/** Takes something out of a list, after asking. */
export function Remove({ label, run, list, said, children }: Props) {
  const [asking, setAsking] = useState(false);
  const client = useQueryClient();
  const remove = useMutation({
    mutationFn: run,
    onSuccess: () => say(said),
    onError: sayError,
    onSettled: () => {
      setAsking(false);
      void client.invalidateQueries({ queryKey: [list] });
    },
  });
  return (
    <>
      <Button small look="quiet" icon="cross" aria-label={label} onClick={() => setAsking(true)} />
      <Confirm
        open={asking}
        title={`${label}?`}
        yes="Remove"
        danger
        busy={remove.isPending && "Removing …"}
        onYes={() => remove.mutate()}
        onNo={() => setAsking(false)}
      >
        <p>{children}</p>
      </Confirm>
    </>
  );
}
