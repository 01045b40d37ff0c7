import { beforeEach, expect, test, vi } from "vitest";
import type { Example } from "../api/types";
import { Outbox, refusal, type Entry, type Reply } from "./outbox";

const example = (more: Partial<Example> = {}): Example => ({
  ...{ id: "m", task: "t", revision: 2, input: "", output: { a: 1 } },
  review: { state: "approved", by: "ana", at: 1 },
  source: { kind: "csv", reference: "1" },
  ...more,
});
const entry = (key: string, more: Partial<Entry> = {}): Entry => ({
  key,
  task: "t",
  id: key,
  revision: 1,
  deed: { action: "approve", output: { a: 1 } },
  at: 0,
  title: key,
  ...more,
});

let stored: Record<string, string>;
const storage = {
  getItem: (name: string) => stored[name] ?? null,
  setItem: (name: string, value: string) => void (stored[name] = value),
};
beforeEach(() => {
  stored = {};
});
const settle = () => new Promise((done) => setTimeout(done, 0));

test("what the server can't take now is sent later; what it refuses is for people", () => {
  for (const status of [401, 408, 409, 429, 500, 502, 503, 504, 507])
    expect(refusal(status, undefined, "why"), `${status}`).toEqual({ kind: "away" });
  for (const status of [400, 403, 404, 422])
    expect(refusal(status, undefined, "why").kind, `${status}`).toBe("refused");
  expect(refusal(409, example(), "why")).toEqual({ kind: "conflict", current: example() });
});

test("what can't be sent survives a reload and goes out in order when the server is back", async () => {
  const away = new Outbox(async () => ({ kind: "away" }), storage);
  ["1", "2", "3"].forEach((key) => away.add(entry(key)));
  await settle();
  expect(away.away).toBe(true);

  const sent: string[] = [];
  const reloaded = new Outbox(async ({ key }) => (sent.push(key), { kind: "done", example: example() }), storage);
  await reloaded.flush();
  expect(sent).toEqual(["1", "2", "3"]);
  expect(new Outbox(vi.fn(), storage).list()).toEqual([]);
});

test("a later decision on the same message builds on the revision that the first one made", async () => {
  const revisions: number[] = [];
  const send = async (e: Entry): Promise<Reply> => (
    revisions.push(e.revision),
    { kind: "done", example: example({ revision: 7 }) }
  );
  const box = new Outbox(send, storage);
  box.add(entry("1", { id: "m", revision: 1 }));
  await settle();
  box.add(entry("2", { id: "m", revision: 1, deed: { action: "undo" } }));
  await settle();
  expect(revisions).toEqual([1, 7]);
});

test("a conflict waits for a person, and holds back only its own message", async () => {
  const theirs = example({ id: "m", revision: 5, output: { a: 2 } });
  const sent: [string, number][] = [];
  const send = async (e: Entry): Promise<Reply> => {
    sent.push([e.key, e.revision]);
    return e.key === "1" ? { kind: "conflict", current: theirs } : { kind: "done", example: example({ id: e.id }) };
  };
  const box = new Outbox(send, storage);
  box.add(entry("1", { id: "m" }));
  box.add(entry("2", { id: "m" }));
  box.add(entry("3", { id: "other" }));
  await settle();
  expect(sent.map(([key]) => key)).toEqual(["1", "3"]);
  expect(box.list().map((e) => [e.key, e.conflict?.revision])).toEqual([
    ["1", 5],
    ["2", undefined],
  ]);

  box.resolve("1", "mine");
  await settle();
  expect(sent.slice(2)).toEqual([
    ["1+", 5],
    ["2", 2],
  ]);
  expect(box.list()).toEqual([]);
});

test("a conflict with the very same decision is none", async () => {
  const box = new Outbox(async () => ({ kind: "conflict", current: example() }), storage);
  box.add(entry("1"));
  await settle();
  expect(box.list()).toEqual([]);
});

test("what the server refuses is kept with its reason until a person drops it", async () => {
  const box = new Outbox(async () => ({ kind: "refused", why: "no such unit" }), storage);
  box.add(entry("1"));
  await settle();
  expect(box.list()[0]?.refused).toBe("no such unit");
  box.resolve("1", "theirs");
  expect(box.list()).toEqual([]);
});

test("only an unsent decision can be withdrawn", async () => {
  let answer: (reply: Reply) => void = () => {};
  const box = new Outbox(() => new Promise((done) => (answer = done)), storage);
  box.add(entry("1"));
  box.add(entry("2"));
  expect(box.withdraw("1")).toBe(false);
  expect(box.withdraw("2")).toBe(true);
  answer({ kind: "done", example: example() });
  await settle();
  expect(box.list()).toEqual([]);
});

test("two tabs keep their decisions in one place", () => {
  const one = new Outbox(async () => ({ kind: "away" }), storage);
  const two = new Outbox(async () => ({ kind: "away" }), storage);
  one.add(entry("1"));
  two.add(entry("2"));
  one.reload();
  expect(one.list().map((e) => e.key)).toEqual(["1", "2"]);
});
