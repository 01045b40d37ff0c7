/** Axes and texts for the trials of a study. */
import type { Parameter, Trial } from "../api/types";
import { bytes, count, label, number, significant } from "./format";
import { isObject, shown } from "./json";

/** The parameters whose values are multiples of something. */
const TIMES: Record<string, string> = {
  learning_rate: "× the recipe's",
  epochs: "× the recipe's",
  alpha: "× rank",
};

/** An axis from 0 at the bottom to 1 at the top. */
export interface Axis {
  title: string;
  /** Where on it a trial is; nothing where the parameter doesn't apply. */
  at: (trial: Trial) => number | null;
  /** What is written beside it. */
  ticks: { at: number; text: string }[];
}

const pointOf = (trial: Trial, name: string): number | null => {
  const value = trial.point[name];
  return typeof value === "number" ? value : null;
};

/** The axis of a parameter. */
export function axisOf({ name, domain }: Parameter): Axis {
  const title = TIMES[name] ? `${label(name)} (${TIMES[name]})` : label(name);
  if (domain.kind === "choice") {
    const last = Math.max(domain.of.length - 1, 1);
    return {
      title,
      at: (trial) => {
        const value = pointOf(trial, name);
        return value === null ? null : value / last;
      },
      ticks: domain.of.map((text, i) => ({ at: i / last, text })),
    };
  }
  const { low, high, log } = domain;
  const share = log ? (v: number) => Math.log(v / low) / Math.log(high / low) : (v: number) => (v - low) / (high - low);
  return {
    title,
    at: (trial) => {
      const value = pointOf(trial, name);
      return value === null ? null : share(value);
    },
    ticks: [low, high].map((value) => ({ at: share(value), text: significant(value) })),
  };
}

/** An axis of measured numbers, from their least to their most; by orders of magnitude where they are far apart. */
export function axisOfNumbers(
  title: string,
  trials: Trial[],
  value: (trial: Trial) => number | null | undefined,
  written: (value: number) => string = significant,
): Axis {
  const known = trials.map(value).filter((one): one is number => one != null && Number.isFinite(one));
  const [low, high] = [Math.min(...known), Math.max(...known)];
  const log = low > 0 && high / low > 20;
  const scale = log ? Math.log : (v: number) => v;
  const span = scale(high) - scale(low) || 1;
  return {
    title,
    at: (trial) => {
      const one = value(trial);
      return one == null || known.length === 0 ? null : (scale(one) - scale(low)) / span;
    },
    ticks:
      known.length === 0
        ? []
        : [...new Set([low, high])].map((v) => ({ at: (scale(v) - scale(low)) / span, text: written(v) })),
  };
}

/** A loss with as many digits as trials differ by. */
export const loss = (value: number | null | undefined): string => number(value, 4);

/** What trials are compared by, beside their loss. */
export const MEASURES = {
  size: { label: "Size", title: "Size of the adapter", of: (trial: Trial) => trial.bytes, written: bytes },
  latency: {
    label: "Latency",
    title: "Time for a held-out example",
    of: (trial: Trial) => trial.latency_ms,
    written: (ms: number | null | undefined) => (ms == null ? "–" : `${significant(ms)} ms`),
  },
} as const;
export type Measure = keyof typeof MEASURES;

/** A trial's settings in words: `LoRA · learning rate 2e-4 · rank 8`. */
export function settingsIn({ settings }: Trial): string {
  const method = settings.method === "soft-prompt" ? "Soft prompt" : "LoRA";
  const given = isObject(settings.settings) ? Object.entries(settings.settings) : [];
  const words = given
    .filter(([name]) => name !== "evals_per_epoch")
    .map(([name, value]) => {
      const text =
        typeof value === "number"
          ? significant(value)
          : Array.isArray(value)
            ? value.map(shown).join(", ")
            : shown(value);
      return `${label(name).toLowerCase()} ${text}`;
    });
  const base = typeof settings.base === "string" ? [settings.base] : [];
  return [...base, method, ...words].join(" · ");
}

/** How much of its budget a study has used: `7 of 20 trials`, `7 trials, 4 of 60 min`. */
export function usedOf(budget: string, trials: Trial[]): { text: string; share: number } {
  const most = Number.parseInt(budget, 10);
  const ended = trials.filter((trial) => trial.state !== "running").length;
  if (!budget.endsWith("m")) return { text: `${number(ended)} of ${number(most)} trials`, share: ended / most };
  const minutes = trials.reduce((sum, trial) => sum + trial.millis, 0) / 60_000;
  const spent = minutes < 10 ? number(minutes, 1) : number(minutes);
  return { text: `${count(ended, "trial")}, ${spent} of ${number(most)} min`, share: minutes / most };
}
