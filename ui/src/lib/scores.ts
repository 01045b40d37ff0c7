import type { Evaluation, Metric, Schemas, Scores, Version } from "../api/types";
import { label } from "./format";

/** The evaluation of a version; the API description does not specify `metrics`. */
export const evaluationOf = (version: Version | null | undefined) =>
  version?.metrics.evaluation as Evaluation | null | undefined;

/** The metric that decides between versions. */
export function headline(scores: Scores | null | undefined): Metric | undefined {
  return scores?.metrics.find((metric) => metric.name === scores.headline) ?? scores?.metrics[0];
}

/** A metric by its name. */
export function metricOf(scores: Scores | null | undefined, name: string): Metric | undefined {
  return scores?.metrics.find((metric) => metric.name === name);
}

/** A metric as people say it. */
export const titleOf = (name: string): string => (name === "exact" ? "Whole answer" : label(name));

export const BASE = "Base model alone";

export interface Ranked {
  /** As people read it. */
  who: string;
  /** A contestant's kind; absent where this version is it. */
  kind?: Schemas["ContestantKind"];
  /** Whether it is the version itself. */
  mine?: boolean;
  metric: Metric | undefined;
  /** On all examples, each answered by one that was fitted to the others; where there are few. */
  crossed?: Scores | null;
  /** Seconds of one answer. */
  seconds?: number;
  /** Seconds that it took to fit it. */
  fitted?: number;
  /** Whether no other is better. */
  best: boolean;
}

/** `N-grams`, `Nearest example`, `Regex`; a hyphen stays. */
export const contestantOf = (name: string): string => name.charAt(0).toUpperCase() + name.slice(1);

type Measured = Partial<Schemas["ContestantScores"]> & Schemas["BaselineScores"];

/** The contestants; of a measurement of earlier times only the baseline is known. */
function contestantsOf({ contestants, baseline }: Evaluation): Measured[] {
  // Lists contain evaluations as they were stored.
  const known = (contestants as Measured[] | undefined) ?? [];
  return known.length > 0 || !baseline ? known : [baseline];
}

/** Everything that answered the held-out examples, the best first; of equal ones the version itself. */
export function ranked(evaluation: Evaluation, name: string, method: Version["method"]): Ranked[] {
  const { adapter, base } = evaluation;
  const contestants = contestantsOf(evaluation);
  const self = contestants.find((one) => one.kind === method);
  return inOrder([
    {
      ...{ who: self ? `${name}: ${self.name}` : name, mine: true, metric: headline(adapter) },
      ...{ seconds: evaluation.seconds_per_answer, fitted: self?.seconds_to_fit, crossed: self?.cross_validated },
    },
    ...contestants
      .filter((one) => one !== self)
      .map((one) => ({
        ...{ who: contestantOf(one.name), kind: one.kind, metric: headline(one.scores) },
        ...{ seconds: one.seconds_per_answer, fitted: one.seconds_to_fit, crossed: one.cross_validated },
      })),
    ...(base ? [{ who: BASE, metric: headline(base) }] : []),
  ]);
}

/** The same of a version in the list of tasks. */
export function rankedBrief({ name, method, scores }: Schemas["VersionBrief"]): Ranked[] {
  if (!scores) return [];
  const { metric, contestants, base } = scores;
  const self = contestants.find((one) => one.kind === method);
  return inOrder([
    { who: self ? `${name}: ${self.name}` : name, mine: true, metric },
    ...contestants
      .filter((one) => one !== self)
      .map((one) => ({ who: contestantOf(one.name), metric: one.metric ?? undefined })),
    ...(base ? [{ who: BASE, metric: base }] : []),
  ]);
}

function inOrder(all: Omit<Ranked, "best">[]): Ranked[] {
  const value = (one: Omit<Ranked, "best">) => one.metric?.value ?? 0;
  const most = Math.max(...all.map(value));
  return all.sort((a, b) => value(b) - value(a)).map((one) => ({ ...one, best: value(one) === most }));
}
