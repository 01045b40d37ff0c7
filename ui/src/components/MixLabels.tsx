import { Confirm } from "./Confirm";

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
