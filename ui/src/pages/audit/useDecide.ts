import { exampleQuery, queries } from "../../api/queries";
import type { Example } from "../../api/types";
import { clip } from "../../lib/format";
import { same, type Json } from "../../lib/json";
import type { Deed } from "../../lib/outbox";
import { outbox } from "../../live/decisions";
import { drafts } from "./draft";
import { recent, type Decided } from "./recent";

const AFTER = { approve: "approved", reject: "rejected" } as const;

/** What to say about an answer: only what isn't stored already. */
export function approval(example: Example, answer: Json): Extract<Deed, { action: "approve" }> {
  return same(newest(example).output ?? undefined, answer)
    ? { action: "approve" }
    : { action: "approve", output: answer };
}

/** The example as it is known best: after a decision the reply is newer than the list. */
function newest(example: Example): Example {
  return queries.getQueryData(exampleQuery(example.task, example.id).queryKey)?.example ?? example;
}

/** Decides at once here, and sends it behind the scenes. */
export function decide(example: Example, deed: Extract<Deed, { action: "approve" | "reject" }>): void {
  const key = crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}`;
  const title = clip(example.input.replace(/\s+/g, " "), 90);
  const { id, task } = example;
  const { revision } = newest(example);
  const at = Date.now();
  drafts.set(task, id, undefined);
  recent.add({
    key,
    task,
    id,
    title,
    at,
    // Another answer is another revision.
    revision: deed.action === "approve" && deed.output !== undefined ? revision + 1 : revision,
    state: AFTER[deed.action],
    reason: deed.action === "reject" ? deed.reason : undefined,
  });
  outbox.add({ key, task, id, revision, deed, at, title });
}

/** Takes a decision back: unsent ones vanish, others are undone on the server. */
export function undo(decided: Decided, example: Example | undefined): void {
  recent.drop(decided);
  if (outbox.withdraw(decided.key)) return;
  const listed = example && newest(example).revision;
  const read = queries.getQueryData(exampleQuery(decided.task, decided.id).queryKey)?.example.revision;
  const { key, task, id, title } = decided;
  const revision = Math.max(listed ?? 0, read ?? 0, decided.revision);
  outbox.add({ key: `${key}-undo`, task, id, title, revision, deed: { action: "undo" }, at: Date.now() });
}
