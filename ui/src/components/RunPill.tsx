import type { RunState } from "../api/types";
import { label } from "../lib/format";
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
