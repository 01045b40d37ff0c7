// @vitest-environment happy-dom
import { expect, test } from "vitest";
import { numberOf } from "../../components/answer/ValueField";
import type { Example } from "../../api/types";
import { exampleQuery, queries } from "../../api/queries";
import { single } from "../../lib/clicks";
import { Recent, type Decided } from "../../live/recent";
import { outdated } from "../../live/useChanges";
import { chosen, pair, proposals } from "./draft";
import { isSurprise } from "./useDecide";
import { belongs, filterOf, flat, nextOpen, stateOf } from "./queue";

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

test("the most helpful messages are chosen among all that wait", () => {
  const order = (address: Record<string, string>) => filterOf("t", { order: "helpful", ...address }).order;
  expect([order({}), order({ state: "pending" })]).toEqual(["helpful", "helpful"]);
  expect([order({ state: "all" }), order({ search: "x" }), order({ by: "ana" })]).toEqual(Array(3).fill("imported"));
});

test("a local decision is shown before the server confirms it", () => {
  const entry = {
    key: "k",
    task: "t",
    id: "a",
    by: "ana",
    tab: "",
    saw: example("a"),
    deed: { action: "reject", reason: "x" } as const,
    at: 0,
    title: "",
  };
  expect(stateOf(example("a"), [entry], "ana")).toBe("rejected");
  expect(stateOf(example("a"), [{ ...entry, refused: "no" }], "ana")).toBe("pending");
  expect(stateOf(example("b", "approved"), [entry], "ana")).toBe("approved");
  // Neither of another person on this browser, nor of another task: ids are digests of texts.
  expect(stateOf(example("a"), [entry], "ben")).toBe("pending");
  expect(stateOf({ ...example("a"), task: "u" }, [entry], "ana")).toBe("pending");
});

test("reading a message marks it in the open queue", () => {
  const key = ["queue", { task: "t" }];
  const states = () =>
    queries.getQueryData<{ pages: { examples: Example[] }[] }>(key)?.pages[0]?.examples.map((one) => one.review.state);
  queries.setQueryData(key, { pages: [{ examples: [example("a"), example("b")] }], pageParams: [0] });
  queries.setQueryData(exampleQuery("t", "b").queryKey, { example: example("b", "approved"), history: [], spans: {} });
  expect(states()).toEqual(["pending", "approved"]);
});

test("a decision of another person on a message that was offered as undecided is no silent basis", () => {
  // Nobody is logged in on this page, so ana is another person.
  expect(isSurprise(example("a"), example("a", "approved"))).toBe(true);
  expect(isSurprise(example("a", "approved"), example("a", "approved"))).toBe(false);
  expect(isSurprise(example("a"), { ...example("a"), revision: 2 })).toBe(false);
});

test("the last decisions are kept by person, task and message, and leave room in the storage", () => {
  const kept = new Recent("recent.test", []);
  const one = { by: "ana", task: "t", id: "a", title: "", state: "approved", at: 0 } as const;
  const add = (key: string, more: Partial<Decided> = {}) => kept.add({ ...one, key, result: example("a"), ...more });
  add("1");
  add("2", { task: "u" });
  add("3", { by: "ben" });
  add("4");
  expect(kept.read().map(({ key }) => key)).toEqual(["4", "3", "2"]);
  for (let i = 0; i < 5; i += 1) add(`${i}`, { id: `${i}`, result: { ...example("a"), output: "x".repeat(300_000) } });
  expect(kept.read().map(({ id }) => id)).toEqual(["4", "3", "2"]);
});

test("of a double click the first one counts", () => {
  let runs = 0;
  for (const detail of [1, 2]) single(() => (runs += 1))({ detail });
  // The keyboard presses a button with 0.
  single(() => (runs += 1))({ detail: 0 });
  expect(runs).toBe(2);
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
