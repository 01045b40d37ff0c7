import type { Evaluation, Metric, Scores, Version } from "../api/types";
import { label } from "./format";

/** What a version was measured to be; its description leaves open what `metrics` holds. */
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
