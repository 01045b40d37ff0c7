import { useMutation } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { reread } from "../api/queries";
import { Button } from "./Button";
import { Failure } from "./Failure";
import { Form } from "./form";
import layout from "./layout.module.css";
import css from "./listed.module.css";
import { ShowCommand } from "./ShowCommand";

interface Props<T> {
  add: () => Promise<T>;
  onAdded: (added: T) => void;
  /** The queries to invalidate afterwards. */
  list: string;
  button: string;
  ready: boolean;
  /** The command that does the same. */
  command: string;
  /** The fields. */
  children: ReactNode;
}

/** A form below a list that adds an entry. */
export function AddForm<T>({ add, onAdded, list, button, ready, command, children }: Props<T>) {
  const { mutate, error, isPending } = useMutation({
    mutationFn: add,
    onSuccess: (added) => {
      onAdded(added);
      reread([list]);
    },
  });
  return (
    <Form className={css.add} onSubmit={() => mutate()}>
      <div className={layout.fields}>{children}</div>
      {error && <Failure error={error} />}
      <ShowCommand command={command} />
      <div>
        <Button type="submit" icon="plus" disabled={!ready} busy={isPending && "Adding …"}>
          {button}
        </Button>
      </div>
    </Form>
  );
}
