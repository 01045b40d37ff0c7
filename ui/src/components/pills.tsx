import type { Metric, RunState, Study } from "../api/types";
import { label } from "../lib/format";
import { examplesNeeded, verdict } from "../lib/reliability";
import { Pill } from "./bits";

const TONE = {
  queued: "plain",
  starting: "plain",
  running: "plain",
  succeeded: "good",
  failed: "bad",
  cancelled: "warn",
} as const;
const SIGN = { queued: "… ", starting: "", running: "", succeeded: "✓ ", failed: "✕ ", cancelled: "■ " } as const;

/** The state of a run. */
export function RunPill({ state }: { state: RunState }) {
  const live = state === "running" || state === "starting";
  return (
    <Pill tone={TONE[state]} dot={live ? "live" : undefined}>
      {SIGN[state]}
      {label(state)}
    </Pill>
  );
}

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

/** The state of a study. */
export function StudyPill({ state }: { state: Study["state"] }) {
  if (state === "running") return <Pill dot="live">Running</Pill>;
  return state === "done" ? <Pill tone="good">✓ Done</Pill> : <Pill tone="warn">■ Stopped</Pill>;
}
