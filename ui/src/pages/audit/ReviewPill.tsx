import type { Example, ReviewState } from "../../api/types";
import { Pill } from "../../components/bits";
import { exact } from "../../lib/format";

/** What people said of a message. */
export function ReviewPill({ state, review }: { state: ReviewState; review: Example["review"] }) {
  const same = review.state === state && review.state !== "pending";
  const who = same ? ` by ${review.by}` : "";
  const title = same ? exact(review.at) : undefined;
  if (state === "approved")
    return (
      <span title={title}>
        <Pill tone="good">✓ Approved{who}</Pill>
      </span>
    );
  if (state === "rejected")
    return (
      <span title={title}>
        <Pill tone="bad">
          ✕ Rejected{who}
          {same && review.state === "rejected" && review.reason ? `: ${review.reason}` : ""}
        </Pill>
      </span>
    );
  return <Pill>Unaudited</Pill>;
}
