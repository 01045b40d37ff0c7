import type { Example, ReviewState } from "../../api/types";
import { Pill } from "../../components/bits";
import { exact } from "../../lib/format";

/** The review state of a message. */
export function ReviewPill({ state, review }: { state: ReviewState; review: Example["review"] }) {
  if (state === "pending") return <Pill>Unaudited</Pill>;
  const known = review.state === state ? review : undefined;
  return (
    <span title={known && "at" in known ? exact(known.at) : undefined}>
      <Pill tone={state === "approved" ? "good" : "bad"}>
        {state === "approved" ? "✓ Approved" : "✕ Rejected"}
        {known && "by" in known && ` by ${known.by}`}
        {known && "reason" in known && known.reason && `: ${known.reason}`}
      </Pill>
    </span>
  );
}
