import { expect, test } from "vitest";
import type { Event } from "../api/types";
import { lastScores, scoredOf, series } from "./events";

const scores = (accuracy: number, f1?: number) => ({ examples: 64, accuracy, f1, seconds: 1 });
const events: Event[] = [
  { seq: 1, at: 1, event: "eval", step: 10, loss: 2, best: true, scores: scores(0.5, 0.4) },
  { seq: 2, at: 2, event: "eval", step: 20, loss: 1, best: true },
  // Resumed from a checkpoint before step 10: the later measurement counts.
  { seq: 3, at: 3, event: "eval", step: 10, loss: 2, best: true, scores: scores(0.6) },
];

test("curves of accuracy and F1 have the measurements that scored answers", () => {
  const found = series(events);
  expect(found.held).toEqual([
    [10, 2],
    [20, 1],
  ]);
  expect(found.accuracy).toEqual([[10, 0.6]]);
  expect(found.f1).toEqual([[10, 0.4]]);
});

test("the newest scores say of how many examples they are", () => {
  const last = lastScores(events);
  expect(last?.accuracy).toBe(0.6);
  expect(lastScores(events.slice(1, 2))).toBeUndefined();
  expect(last && scoredOf(last, 200)).toBe("of 64 of 200 held-out examples");
  expect(last && scoredOf(last, 64)).toBe("of 64 held-out examples");
  expect(last && scoredOf(last, undefined)).toBe("of 64 held-out examples");
});
