import { expect, test } from "vitest";
import type { Event } from "../api/types";
import { merge } from "../live/useRunStream";
import { buckets } from "./buckets";
import { align, smooth } from "./curve";
import { phases, series } from "./events";
import { money, roughMoney } from "./format";
import { ancestors } from "./lineage";
import { moved } from "./list";
import { atThreshold, examplesNeeded, verdict, wilson } from "./reliability";
import { newRun, START } from "./train";

test("smoothing starts at the first value, keeps a constant, and leaves gaps", () => {
  const values = smooth([2, 2, null, 2, 6], 0.9);
  expect(values[0]).toBeCloseTo(2);
  expect(values[3]).toBeCloseTo(2);
  expect(values[2]).toBeNull();
  expect(values[4]).toBeGreaterThan(2);
  expect(values[4]).toBeLessThan(6);
});

test("curves with other steps share one axis", () => {
  expect(
    align([
      [
        [1, 5],
        [3, 4],
      ],
      [[2, 9]],
    ]),
  ).toEqual([
    [1, 2, 3],
    [5, null, 4],
    [null, 9, null],
  ]);
});

test("a threshold keeps the more confident bins and gives their accuracy", () => {
  const bins = [
    { count: 10, confidence: 0.4, accuracy: 0.3 },
    { count: 30, confidence: 0.9, accuracy: 0.9 },
  ];
  const half = atThreshold(bins, 0.5);
  expect(half).toMatchObject({ coverage: 0.75, accuracy: 0.9, below: 10, kept: 30 });
  // As R's binom.wilson(27, 30).
  expect([half.low, half.high].map((end) => end.toFixed(4))).toEqual(["0.7438", "0.9654"]);
  expect(atThreshold(bins, 0.95)).toEqual({ coverage: 0, accuracy: null, low: 0, high: 1, below: 40, kept: 0 });
  expect(wilson(3, 3)[0].toFixed(2)).toBe("0.44");
  expect(atThreshold([], 0.5).coverage).toBe(0);
});

test("overlapping intervals are inconclusive", () => {
  const metric = (value: number, low: number, high: number) => ({ name: "exact", value, low, high });
  expect(verdict(metric(0.8, 0.72, 0.87), metric(0.74, 0.65, 0.82))).toBe("cannot-tell");
  expect(verdict(metric(0.9, 0.85, 0.95), metric(0.6, 0.5, 0.7))).toBe("better");
  expect(verdict(metric(0.6, 0.5, 0.7), metric(0.9, 0.85, 0.95))).toBe("worse");
  expect(examplesNeeded(metric(0.8, 0.72, 0.87), metric(0.74, 0.65, 0.82), 104)).toBeGreaterThan(104);
  expect(examplesNeeded(metric(0.8, 0, 1), metric(0.8, 0, 1), 10)).toBeNull();
});

const step = (seq: number, at: number, loss: number | null): Event => ({
  seq,
  at: 0,
  event: "step",
  step: at,
  of: 9,
  loss,
  lr: 0.1,
  grad_norm: 1,
  tokens_per_s: 2,
  eta_s: 3,
});

test("the last attempt of a step counts; values that are not numbers are left out", () => {
  const events = [step(1, 1, 5), step(2, 2, 4), step(3, 2, 3), step(4, 3, null)];
  expect(series(events).steps).toEqual([
    [1, 5],
    [2, 3],
  ]);
  expect(merge(events, [step(4, 3, 1), step(5, 4, 1)]).map((event) => event.seq)).toEqual([1, 2, 3, 4, 5]);
});

test("phases follow the events and the run's state", () => {
  const train: Event[] = [{ seq: 1, at: 0, event: "phase", phase: "train" }];
  expect(phases(train, { kind: "train", state: "running" }).map((phase) => phase.state)).toEqual([
    "done",
    "now",
    "todo",
  ]);
  expect(phases(train, { kind: "train", state: "failed" })[1]?.state).toBe("failed");
  const whole: Event[] = [
    { seq: 1, at: 0, event: "phase", phase: "prepare" },
    { seq: 3, at: 5_000, event: "phase", phase: "train" },
    // After a kill and a resume, the last attempt counts.
    { seq: 4, at: 60_000, event: "phase", phase: "prepare" },
    { seq: 5, at: 61_000, event: "phase", phase: "train" },
    {
      seq: 6,
      at: 65_000,
      event: "step",
      step: 1,
      of: 2,
      loss: null,
      lr: 0,
      grad_norm: null,
      tokens: 1,
      tokens_per_s: 1,
    },
  ] as Event[];
  expect(phases(whole, { kind: "train", state: "failed" })).toEqual([
    { name: "prepare", state: "done", seconds: 1 },
    { name: "train", state: "failed", seconds: 4 },
    { name: "evaluate", state: "todo" },
  ]);
  expect(phases([], { kind: "train", state: "succeeded" }).every((phase) => phase.state === "done")).toBe(true);
});

test("days without messages are included, and many days are grouped by week", () => {
  const day = (name: string) => ({ day: name, audited: 1, pounds: 10 });
  expect(buckets([day("2026-01-01"), day("2026-01-03")], 60).bars.map((bar) => bar.audited)).toEqual([1, 0, 1]);
  const weeks = buckets([day("2026-01-01"), day("2026-03-20")], 60);
  expect([weeks.unit, weeks.bars[0]?.day, weeks.bars.length]).toEqual(["week", "2025-12-29", 12]);
});

test("a form sends only settings that differ from the recipe", () => {
  expect(newRun("t", START)).toEqual({ task: "t", method: "lora", activate: true });
  const draft = {
    ...START,
    method: "soft-prompt" as const,
    effort: "quick" as const,
    decoderOnly: true,
    evalShare: "10",
    settings: { rank: "8", prompt_tokens: "20", learning_rate: "0,3", recompute: "true" },
  };
  expect(newRun("t", draft)).toMatchObject({
    eval_share: 0.1,
    effort: "quick",
    settings: { prompt_tokens: 20, learning_rate: 0.3, recompute: true },
  });
  expect(newRun("t", draft).settings).not.toHaveProperty("rank");
  expect(newRun("t", draft).settings).not.toHaveProperty("targets");
  expect(newRun("t", { ...START, decoderOnly: true }).settings).toEqual({ targets: ["decoder"] });
});

test("rows are moved, but not beyond the ends", () => {
  expect([moved([1, 2, 3], 0, 1), moved([1, 2, 3], 0, -1)]).toEqual([
    [2, 1, 3],
    [1, 2, 3],
  ]);
});

test('money has two decimals, and tiny amounts are "less than 0.01"', () => {
  const told = [money(1234.5, "USD"), roughMoney(1.357, "EUR"), roughMoney(0.001, "€")];
  expect(told).toEqual(["1,234.50 USD", "≈ 1.36 EUR", "< 0.01 €"]);
});

test("lineage stops at unknown parents, at cycles, and at its limit", () => {
  const born = (name: string, parent?: string) => ({ name, parent, base: "b" });
  const [one, two, three] = [born("v1", "v3"), born("v2", "v1"), born("v3", "v2")] as const;
  const names = (most: number) => ancestors([one, two, three], three, most).map((version) => version.name);
  expect([names(9), names(2)]).toEqual([
    ["v3", "v2", "v1"],
    ["v3", "v2"],
  ]);
  expect(ancestors([two], two, 9)).toEqual([two]);
});

test("a run that searches prepares before it, and trains after it", () => {
  const states = (events: Event[], phase: string | null) =>
    phases(events, { kind: "train", state: "running", search: "study-1", phase }).map((one) => one.state);
  expect(states([], "search")).toEqual(["done", "now", "todo", "todo"]);
  expect(states([], null), "it waits for its trainer").toEqual(["done", "done", "todo", "todo"]);
  const prepares: Event = { seq: 1, at: 0, event: "phase", phase: "prepare" };
  expect(states([prepares], "prepare")).toEqual(["done", "done", "now", "todo"]);
});

test("a run whose base model is missing downloads it first", () => {
  const names = (phase: string | null, state: "starting" | "failed" = "starting") =>
    phases([], { kind: "train", state, phase }).map((one) => `${one.name} ${one.state}`);
  expect(names("download")).toEqual(["download now", "prepare todo", "train todo", "evaluate todo"]);
  expect(names("download", "failed")[0]).toBe("download failed");
  expect(names(null)).toEqual(["prepare todo", "train todo", "evaluate todo"]);
});
