import type { Run, RunState } from "../api/types";

/** Whether a run may still get further. */
export const isActive = (state: RunState) => state === "queued" || state === "starting" || state === "running";

/** How long a run took, or has taken until now. */
export function secondsOf({ state, started_at, finished_at }: Run): number | null {
  const ended = finished_at ?? (isActive(state) ? Date.now() : null);
  return started_at && ended ? (ended - started_at) / 1000 : null;
}
