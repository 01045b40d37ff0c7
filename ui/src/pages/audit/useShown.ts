import { useState } from "react";
import type { ExampleDetail } from "../../api/types";
import { unchanged } from "../../lib/outbox";
import { outbox } from "../../live/decisions";

/**
 * What a person sees of a message stays as it was first read, also when somebody else decides on it meanwhile; their
 * own decisions show at once. With how to go over to what it has become, where that is something else.
 */
export function useShown(detail: ExampleDetail | undefined): { shown?: ExampleDetail; adopt?: () => void } {
  const [shown, setShown] = useState(detail);
  if (detail && detail !== shown && (!shown || outbox.isOwn(detail.example))) setShown(detail);
  const isOld = shown && detail && !outbox.isOwn(detail.example) && !unchanged(shown.example, detail.example);
  return { shown, adopt: isOld ? () => setShown(detail) : undefined };
}

/** The `seq` of its newest change. */
export const newest = ({ history }: ExampleDetail): number => history.at(-1)?.seq ?? 0;
