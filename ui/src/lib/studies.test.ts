import { expect, test } from "vitest";
import type { Trial } from "../api/types";
import { axisOf, axisOfNumbers, settingsIn, usedOf } from "./studies";

const trial = (part: Partial<Trial>): Trial => ({
  ...{ number: 0, run: "s-0", state: "complete", millis: 90_000, rungs: [], point: {}, settings: {} },
  ...part,
});

test("a setting's axis covers all its values, on a log scale if it is searched on one", () => {
  const rate = axisOf({
    ...{ name: "learning_rate", default: 1, only_if: null },
    domain: { kind: "real", low: 0.1, high: 10, log: true },
  });
  expect(rate.title).toBe("Learning rate (× the recipe's)");
  expect([0.1, 1, 10].map((value) => rate.at(trial({ point: { learning_rate: value } })))).toEqual([0, 0.5, 1]);
  const rank = axisOf({ name: "rank", default: 1, only_if: null, domain: { kind: "choice", of: ["4", "8", "16"] } });
  expect(rank.ticks).toEqual([
    { at: 0, text: "4" },
    { at: 0.5, text: "8" },
    { at: 1, text: "16" },
  ]);
  expect(rank.at(trial({ point: { rank: 2 } }))).toBe(1);
  expect(rank.at(trial({ point: {} })), "it doesn't apply").toBeNull();
});

test("an axis of losses covers all of them, also for one or none", () => {
  const trials = [0.5, 1, null].map((loss) => trial({ loss }));
  const axis = axisOfNumbers("Loss", trials, (one) => one.loss);
  expect(trials.map(axis.at)).toEqual([0, 1, null]);
  expect(axis.ticks.map((tick) => tick.text)).toEqual(["0.5", "1"]);
  const one = axisOfNumbers("Loss", trials.slice(0, 1), (one) => one.loss);
  expect([one.at(trials[0]!), one.ticks.length]).toEqual([0, 1]);
  expect(axisOfNumbers("Loss", [], (one) => one.loss).ticks).toEqual([]);
});

test("settings and budgets are described in words", () => {
  const settings = {
    method: "soft-prompt",
    settings: { learning_rate: 0.00123, evals_per_epoch: 2, targets: ["a", "b"] },
  };
  expect(settingsIn(trial({ settings }))).toBe("Soft prompt · learning rate 0.00123 · targets a, b");
  const ofBase = { ...settings, base: "tiny" };
  expect(settingsIn(trial({ settings: ofBase }))).toBe("tiny · Soft prompt · learning rate 0.00123 · targets a, b");
  const trials = [trial({}), trial({ state: "running" })];
  expect(usedOf("20-trials", trials)).toEqual({ text: "1 of 20 trials", share: 0.05 });
  expect(usedOf("60m", trials)).toEqual({ text: "1 trial, 3 of 60 min", share: 0.05 });
});
