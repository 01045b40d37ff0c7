import type { Metric } from "../api/types";
import { examplesNeeded, verdict } from "../lib/reliability";
import { Pill } from "./bits";

/** Whether one version is better than another, or the result is inconclusive. */
export function VerdictPill({ verdict, than, needs }: { verdict: string; than?: string; needs?: number | null }) {
  const beside = than ? ` than ${than}` : "";
  if (verdict === "better") return <Pill tone="good">▲ Better{beside}</Pill>;
  if (verdict === "worse") return <Pill tone="bad">▼ Worse{beside}</Pill>;
  const title = needs ? `The intervals overlap; about ${needs} held-out examples would tell` : "The intervals overlap";
  return (
    <span title={title}>
      <Pill>≈ Cannot tell yet</Pill>
    </span>
  );
}

/** The same for a metric, as far as both are known. */
export function Verdict({ mine, other, n }: { mine?: Metric; other?: Metric; n: number }) {
  if (!mine || !other) return "–";
  return <VerdictPill verdict={verdict(mine, other)} needs={examplesNeeded(mine, other, n)} />;
}
