import type { Event, InterimScores, Run } from "../api/types";
import { number } from "./format";

type Of<K extends Event["event"]> = Extract<Event, { event: K }>;

/** The newest event of a kind. */
export function newest<K extends Event["event"]>(events: Event[], kind: K): Of<K> | undefined {
  return events.findLast((event) => event.event === kind) as Of<K> | undefined;
}

/** How many held-out examples scores are of. */
export function scoredOf(scores: InterimScores, heldOut: number | null | undefined): string {
  const all = heldOut != null && heldOut > scores.examples ? `${number(scores.examples)} of ${number(heldOut)}` : null;
  return `of ${all ?? number(scores.examples)} held-out examples`;
}

/** What trackers are called. */
export const TRACKERS = { mlflow: "MLflow", otlp: "OpenTelemetry" };

/** The newest scores of the adapter in training. */
export function lastScores(events: Event[]): InterimScores | undefined {
  for (const event of events.toReversed()) if (event.event === "eval" && event.scores) return event.scores;
  return undefined;
}

const PHASES = { train: ["download", "prepare", "search", "train", "evaluate"], evaluate: ["evaluate"] };

interface PhaseState {
  name: string;
  state: "done" | "now" | "failed" | "cancelled" | "todo";
  /** How long it took, or has been going on before it failed. */
  seconds?: number;
}

/** What of a run says where it is. */
type Place = Pick<Run, "kind" | "state" | "phase" | "search">;

/**
 * Where a phase is among all. The data of a run that searches are prepared before the search: what its trainer prepares later
 * belongs to the training. Between two phases while it waits for its trainer after the search.
 */
export function placeOf(phase: string | null | undefined, all: string[]): number {
  const [at, search] = [all.indexOf(phase ?? ""), all.indexOf("search")];
  if (search < 0 || at >= search) return at;
  return at < 0 ? search + 0.5 : search + 1;
}

/** The phases of a run, and where it is in them; after a resumption, those of the last attempt. */
export function phases(events: Event[], { state: run, kind, phase, search }: Place): PhaseState[] {
  const begun = events.filter((event): event is Of<"phase"> & { seq: number; at: number } => event.event === "phase");
  // Few runs search or download; a phase that never started is not shown as done.
  const downloads = phase === "download" && !search;
  const all = PHASES[kind].filter((name) => (name !== "search" || search) && (name !== "download" || downloads));
  const here = placeOf(phase === "search" || phase === "download" ? phase : begun.at(-1)?.phase, all);
  const ended = ["succeeded", "failed", "cancelled"].includes(run) ? events.at(-1)?.at : undefined;
  const took = (name: string) => {
    const i = begun.findLastIndex((event) => event.phase === name);
    const from = begun[i]?.at;
    const to = begun[i + 1]?.at ?? ended;
    return from === undefined || to === undefined ? undefined : Math.max(0, to - from) / 1000;
  };
  return all.map((name, i) => {
    if (run === "succeeded" || i < here) return { name, state: "done", seconds: took(name) };
    if (i > here) return { name, state: "todo" };
    if (run === "failed" || run === "cancelled") return { name, state: run, seconds: took(name) };
    return { name, state: "now" };
  });
}

/** What charts draw; a run that was resumed before its last step goes over the same steps again, and the later ones count. */
export function series(events: Event[]) {
  const curve = (valueOf: (event: Event) => number | null | undefined) => {
    const values = new Map<number, number>();
    for (const event of events) {
      const value = valueOf(event);
      if ("step" in event && value != null && Number.isFinite(value)) values.set(event.step, value);
    }
    return [...values].sort((a, b) => a[0] - b[0]);
  };
  const ofStep = (name: "loss" | "lr" | "grad_norm" | "tokens_per_s" | "memory") =>
    curve((event) => (event.event === "step" ? event[name] : null));
  const scored = (name: "accuracy" | "f1") => curve((event) => (event.event === "eval" ? event.scores?.[name] : null));
  return {
    steps: ofStep("loss"),
    held: curve((event) => (event.event === "eval" ? event.loss : null)),
    accuracy: scored("accuracy"),
    f1: scored("f1"),
    lr: ofStep("lr"),
    norm: ofStep("grad_norm"),
    speed: ofStep("tokens_per_s"),
    memory: ofStep("memory"),
  };
}
