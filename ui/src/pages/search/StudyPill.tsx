import type { Study } from "../../api/types";
import { Pill } from "../../components/bits";

/** The state of a study. */
export function StudyPill({ state }: { state: Study["state"] }) {
  if (state === "running") return <Pill dot="live">Running</Pill>;
  return state === "done" ? <Pill tone="good">✓ Done</Pill> : <Pill tone="warn">■ Stopped</Pill>;
}
