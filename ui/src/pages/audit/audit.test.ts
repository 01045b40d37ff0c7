// @vitest-environment happy-dom
import { expect, test } from "vitest";
import { numberOf } from "../../components/answer/NumberInput";
import type { Example } from "../../api/types";
import { outdated } from "../../live/useChanges";
import { chosen, pair, proposals } from "./draft";
import { belongs, flat, nextOpen, stateOf } from "./queue";

const example = (id: string, state = "pending", output: Example["output"] = null): Example => ({
  id,
  task: "t",
  input: id,
  output,
  source: { kind: "slack", reference: id },
  review: state === "pending" ? { state: "pending" } : { state: "approved", by: "ana", at: 1 },
  revision: 1,
});
const suggestion = {
  version: "v1",
  prediction: {
    answer: { a: 2 },
    confidence: 0.9,
    fields: { a: 0.5 },
    disagrees: true,
  },
};

test("overlapping result pages list each message once", () => {
  const page = (...ids: string[]) => ({ examples: ids.map((id) => example(id)) });
  expect(flat([page("a", "b"), page("b", "c")]).map((one) => one.id)).toEqual(["a", "b", "c"]);
});

test("a local decision is shown before the server confirms it", () => {
  const entry = {
    key: "k",
    task: "t",
    id: "a",
    by: "",
    tab: "",
    saw: example("a"),
    deed: { action: "reject", reason: "x" } as const,
    at: 0,
    title: "",
  };
  expect(stateOf(example("a"), [entry])).toBe("rejected");
  expect(stateOf(example("a"), [{ ...entry, refused: "no" }])).toBe("pending");
  expect(stateOf(example("b", "approved"), [entry])).toBe("approved");
});

test("the next pending message is after this one, otherwise from the start", () => {
  expect(nextOpen(["approved", "pending", "approved", "pending"], 1)).toBe(3);
  expect(nextOpen(["pending", "approved", "pending"], 2)).toBe(0);
  expect(nextOpen(["approved", "pending"], 1)).toBe(-1);
  const taken = (at: number) => at === 1;
  expect(nextOpen(["pending", "pending", "pending"], 0, taken)).toBe(2);
  expect(nextOpen(["pending", "pending"], 0, taken)).toBe(1);
  expect([belongs("rejected", "approved"), belongs("pending", "all")]).toEqual([false, true]);
});

test("a person's answer comes first, then the adapter's, then the rules'", () => {
  const all = proposals({ example: example("a", "pending", { a: 1 }), baseline: { a: 3 }, suggestion });
  expect(all.map((one) => one.method)).toEqual(["given", "regex", "adapter"]);
  expect(chosen(all, undefined)?.method).toBe("given");
  expect(chosen(all, "regex")?.method).toBe("regex");
  const fresh = proposals({ example: example("a"), baseline: { a: 3 }, suggestion });
  expect(chosen(fresh, "given")?.method).toBe("adapter");
  expect(pair(all)?.map((one) => one.method)).toEqual(["regex", "adapter"]);
  expect(pair(proposals({ example: example("a"), baseline: { a: 3 }, suggestion: null }))).toBeUndefined();
});

test("numbers are kept as typed until they are numbers", () => {
  expect([numberOf("2,5"), numberOf(" "), numberOf("half"), numberOf("1.")]).toEqual([2.5, null, "half", 1]);
});

test("a change invalidates the queries that show it", () => {
  const change = { seq: 1, at: 0, by: "ana", action: "approve", kind: "example", task: "t", subject: "a" } as const;
  expect(outdated(change)).toContainEqual(["example", "t", "a"]);
  expect(outdated({ ...change, kind: "run", subject: "r" })).toContainEqual(["run", "r"]);
});
