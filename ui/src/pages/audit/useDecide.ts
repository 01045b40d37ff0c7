import { useState } from "react";
import type { Example, ExampleDetail } from "../../api/types";
import { clip } from "../../lib/format";
import { same, type Json } from "../../lib/json";
import { unchanged, type Deed } from "../../lib/outbox";
import { outbox } from "../../live/decisions";
import { recent, type Decided } from "../../live/recent";
import { me } from "../../live/session";
import { drafts } from "./draft";

const AFTER = { approve: "approved", reject: "rejected" } as const;

/** A message as a person sees it: what they decide rests on this, whatever happens to it meanwhile. */
export interface Shown {
  example: Example;
  /** The `seq` of its newest change; absent until its history has been read. */
  seen?: number;
}

/** The approval of an answer: contains the answer only if it is not stored already. */
export const approval = ({ example }: Shown, answer: Json): Extract<Deed, { action: "approve" }> =>
  same(example.output ?? undefined, answer) ? { action: "approve" } : { action: "approve", output: answer };

/** Decides at once here, and sends it behind the scenes. */
export function decide({ example, seen }: Shown, deed: Extract<Deed, { action: "approve" | "reject" }>): void {
  const { id, task, revision, output, review } = example;
  const saw = { revision, output, review };
  const title = clip(example.input.replace(/\s+/g, " "), 90);
  const one = {
    key: crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}`,
    by: me(),
    task,
    id,
    title,
    at: Date.now(),
  };
  drafts.set(task, id, undefined);
  const reason = deed.action === "reject" ? deed.reason : undefined;
  recent.add({ ...one, state: AFTER[deed.action], reason, result: saw });
  outbox.add({ ...one, saw, seen, deed });
}

/** Takes a decision back: unsent ones vanish, others are undone on the server. */
export function undo(decided: Decided): void {
  const { key, by, task, id, title, result } = decided;
  // Two simultaneous key presses undo one decision.
  if (!recent.read().some((one) => one.key === key)) return;
  recent.drop(decided);
  if (outbox.withdraw(key)) return;
  outbox.add({ key: `${key}-undo`, by, task, id, title, saw: result, deed: { action: "undo" }, at: Date.now() });
}

/** A message on the page. */
interface OnPage {
  /** As it was first read. */
  shown?: ExampleDetail;
  /** What a decision rests on. */
  basis?: Shown;
  /** Goes over to what it has become, where that is something else. */
  adopt?: () => void;
}

/**
 * What a person sees of a message stays as it was first read, also when somebody else decides on it meanwhile; their
 * own decisions show at once. A message that the list offered as undecided, and that turns out to be decided by another,
 * counts as undecided until the person goes over to that decision.
 */
export function useShown(detail: ExampleDetail | undefined, listed?: Example): OnPage {
  const [shown, setShown] = useState(detail);
  const [offered, setOffered] = useState(listed);
  if (detail && detail !== shown && (!shown || outbox.isOwn(detail.example))) setShown(detail);
  const isLate = offered && shown && isSurprise(offered, shown.example);
  const isOld = shown && detail && !outbox.isOwn(detail.example) && !unchanged(shown.example, detail.example);
  const read = shown && { example: shown.example, seen: newest(shown) };
  return {
    shown,
    basis: isLate || !read ? offered && { example: offered } : read,
    adopt: isLate || isOld ? () => (setShown(detail), setOffered(undefined)) : undefined,
  };
}

/** Whether somebody else has decided on what the list offered as undecided. */
export function isSurprise(offered: Example, { review }: Example): boolean {
  return offered.review.state === "pending" && "by" in review && review.by !== me();
}

/** The `seq` of its newest change. */
const newest = ({ history }: ExampleDetail): number => history.at(-1)?.seq ?? 0;
