import type { Metric, Schemas } from "../api/types";

/** The effect of a confidence threshold, from the table of held-out answers. */

export type Bin = Schemas["ReliabilityBin"];

interface AtThreshold {
  /** Share of answers at or above the threshold. */
  coverage: number;
  /** Share of right ones among them; null when there are none. */
  accuracy: number | null;
  /** The 95 % interval of that share. */
  low: number;
  high: number;
  /** How many would be left to the fallback. */
  below: number;
  kept: number;
}

/** Bins count as a whole, by their mean confidence: the table knows no more. */
export function atThreshold(bins: Bin[], threshold: number): AtThreshold {
  const all = bins.reduce((sum, bin) => sum + bin.count, 0);
  const kept = bins.filter((bin) => bin.confidence >= threshold);
  const count = kept.reduce((sum, bin) => sum + bin.count, 0);
  const right = kept.reduce((sum, bin) => sum + bin.count * bin.accuracy, 0);
  const [low, high] = wilson(right, count);
  return {
    coverage: all === 0 ? 0 : count / all,
    accuracy: count === 0 ? null : right / count,
    low,
    high,
    below: all - count,
    kept: count,
  };
}

/** The 95 % interval of a share of which so many of `n` were seen (Wilson 1927): 3 of 3 are 44 to 100 %. */
export function wilson(right: number, n: number): [number, number] {
  if (n === 0) return [0, 1];
  const z = 1.959964;
  const share = right / n;
  const middle = share + z ** 2 / (2 * n);
  const reach = z * Math.sqrt((share * (1 - share)) / n + z ** 2 / (4 * n ** 2));
  const scale = 1 + z ** 2 / n;
  return [Math.max(0, (middle - reach) / scale), Math.min(1, (middle + reach) / scale)];
}

export type Verdict = "better" | "worse" | "cannot-tell";

/** Two intervals of the same metric: only where they don't overlap is one better. */
export function verdict(left: Metric, right: Metric): Verdict {
  if (left.low > right.high) return "better";
  return left.high < right.low ? "worse" : "cannot-tell";
}

/** Roughly how many held-out examples would tell two shares apart (normal approximation, 95 %). */
export function examplesNeeded(left: Metric, right: Metric, n: number): number | null {
  const gap = Math.abs(left.value - right.value);
  if (gap < 0.005) return null;
  const spread = (metric: Metric) => metric.value * (1 - metric.value);
  return Math.max(n + 1, Math.ceil((3.84 * (spread(left) + spread(right))) / gap ** 2));
}
