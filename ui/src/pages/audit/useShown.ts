import { useState } from "react";
import type { Example, ExampleDetail } from "../../api/types";
import { unchanged } from "../../lib/outbox";
import { outbox } from "../../live/decisions";
import { me } from "../../live/session";
import type { Shown } from "./useDecide";

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
