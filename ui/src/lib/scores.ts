import type { Scores } from "../api/types";
import { label } from "./format";
import type { Metric } from "./reliability";

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
