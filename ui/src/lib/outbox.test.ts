import { beforeEach, expect, test, vi } from "vitest";
import type { Example } from "../api/types";
import { Outbox, refusal, type Entry, type Reply, type Server } from "./outbox";

const example = (more: Partial<Example> = {}): Example => ({
  ...{ id: "m", task: "t", revision: 2, input: "", output: { a: 1 } },
  review: { state: "approved", by: "ana", at: 1 },
  source: { kind: "csv", reference: "1" },
  ...more,
});
const fresh = example({ revision: 1, review: { state: "pending" } });
const entry = (key: string, more: Partial<Entry> = {}): Entry => ({
  ...{ key, by: "ana", tab: "here", task: "t", id: key, saw: fresh, seen: 7, at: Date.now(), title: key },
  deed: { action: "approve", output: { a: 1 } },
  ...more,
});

let stored: Record<string, string>;
beforeEach(() => {
  stored = {};
  vi.stubGlobal("localStorage", {
    getItem: (name: string) => stored[name] ?? null,
    setItem: (name: string, value: string) => void (stored[name] = value),
  });
});
const settle = () => new Promise((done) => setTimeout(done, 0));
const box = (send: Server["send"], more: Partial<Server> = {}, tab = "here") =>
  new Outbox({ who: async () => "ana", look: async () => ({ example: fresh, seen: 7 }), send, ...more }, tab);
const done = async ({ id }: Entry): Promise<Reply> => ({ kind: "done", example: example({ id }) });
const away = async (): Promise<Reply> => ({ kind: "away" });

test("temporary failures are retried; refusals are shown to people", () => {
  for (const status of [401, 408, 409, 429, 500, 502, 503, 504, 507])
    expect(refusal(status, undefined, "why"), `${status}`).toEqual({ kind: "away" });
  for (const status of [400, 403, 404, 422])
    expect(refusal(status, undefined, "why").kind, `${status}`).toBe("refused");
  expect(refusal(409, example(), "why")).toEqual({ kind: "conflict", current: example() });
});

test("unsent decisions survive a reload and are sent in order", async () => {
  const before = box(away);
  ["1", "2", "3"].forEach((key) => before.add(entry(key, { at: 0 })));
  await settle();
  expect(before.away).toBe(true);
  const sent: string[] = [];
  const reloaded = box(async (one) => (sent.push(one.key), done(one)), {}, "reloaded");
  await reloaded.flush();
  expect(sent).toEqual(["1", "2", "3"]);
  expect(box(done).read()).toEqual([]);
});

test("a waiting decision is sent only while its author is logged in", async () => {
  const sent: string[] = [];
  let who: string | null = "ben";
  const one = box(async (entry) => (sent.push(entry.key), done(entry)), { who: async () => who });
  one.add(entry("1"));
  await settle();
  who = null;
  await one.flush();
  expect(sent).toEqual([]);
  who = "ana";
  await one.flush();
  expect(sent).toEqual(["1"]);
});

test("a tab sends another tab's decisions only after a delay", async () => {
  const sent: string[] = [];
  box(away, {}, "other").add(entry("1", { id: "m" }));
  const look = async () => ({ example: example({ id: "m" }), seen: 8 });
  const here = box(async (one) => (sent.push(one.key), done(one)), { look });
  here.add(entry("2", { id: "m" }));
  here.add(entry("3"));
  await settle();
  // The second one builds on the first.
  expect(sent).toEqual(["3"]);
  // The clock was set back since.
  here.change((list) => list.map((one) => ({ ...one, at: one.at + 60_000 })));
  await here.flush();
  expect(sent).toEqual(["3", "1", "2"]);
});

test("a later decision on the same message builds on the first one", async () => {
  const sent: Entry[] = [];
  const result = example({ revision: 7 });
  const look = async () => ({ example: result, seen: 12 });
  const one = box(async (entry) => (sent.push(entry), { kind: "done", example: result }), { look });
  one.add(entry("1", { id: "m" }));
  one.add(entry("2", { id: "m", deed: { action: "undo" } }));
  await settle();
  expect(sent.map(({ saw, seen }) => [saw.revision, seen])).toEqual([
    [1, 7],
    [7, 12],
  ]);
});

test("a message that changed since it was shown is a conflict, with the same revision too", async () => {
  const theirs = example({ revision: 1, review: { state: "rejected", by: "ben", at: 3, reason: "no" } });
  const send = vi.fn(done);
  const one = box(send, { look: async () => ({ example: theirs, seen: 8 }) });
  one.add(entry("1", { seen: undefined }));
  await settle();
  expect(send).not.toHaveBeenCalled();
  expect(one.read()[0]?.conflict).toEqual(theirs);
});

test("a conflict waits for a person and blocks only its own message", async () => {
  const theirs = example({ id: "m", revision: 5, output: { a: 2 } });
  const sent: Entry[] = [];
  const send = async (one: Entry): Promise<Reply> => {
    sent.push(one);
    return one.key === "1" ? { kind: "conflict", current: theirs } : done(one);
  };
  const one = box(send, { look: async () => ({ example: sent.length > 2 ? example({ id: "m" }) : theirs, seen: 9 }) });
  one.add(entry("1", { id: "m", deed: { action: "approve" }, saw: { ...fresh, output: { a: 1 } } }));
  one.add(entry("2", { id: "m", deed: { action: "undo" } }));
  one.add(entry("3"));
  await settle();
  expect(sent.map(({ key }) => key)).toEqual(["1", "3"]);
  expect(one.read().map((e) => [e.key, e.conflict?.revision])).toEqual([
    ["1", 5],
    ["2", undefined],
  ]);

  one.resolve("1", "mine");
  await settle();
  // The stored answer has changed, so the approval contains the complete answer.
  expect(sent.slice(2).map(({ key, saw, deed }) => [key, saw.revision, deed])).toEqual([
    ["1+", 5, { action: "approve", output: { a: 1 } }],
    ["2", 2, { action: "undo" }],
  ]);
  expect(one.read()).toEqual([]);
});

test("the same decision by two people is no conflict, a different answer is", async () => {
  const one = box(async () => ({ kind: "conflict", current: example() }));
  one.add(entry("1"));
  one.add(entry("2", { deed: { action: "approve" }, saw: { ...fresh, output: { a: 2 } } }));
  await settle();
  expect(one.read().map(({ key }) => key)).toEqual(["2"]);
});

test("a refused decision is kept with its reason until a person discards it", async () => {
  const one = box(async () => ({ kind: "refused", why: "no such unit" }));
  one.add(entry("1"));
  await settle();
  expect(one.read()[0]?.refused).toBe("no such unit");
  one.resolve("1", "theirs");
  expect(one.read()).toEqual([]);
  // The server does not have it, so it can be taken back.
  one.add(entry("2"));
  await settle();
  expect(one.withdraw("2")).toBe(true);
});

test("only an unsent decision can be withdrawn", async () => {
  let answer: (reply: Reply) => void = () => {};
  const one = box(() => new Promise((done) => (answer = done)));
  one.add(entry("1"));
  one.add(entry("2"));
  await settle();
  expect(one.withdraw("1")).toBe(false);
  expect(one.withdraw("2")).toBe(true);
  // Another tab sends it, or has sent it without an answer.
  one.add(entry("3"));
  one.change((list) => list.map((other) => ({ ...other, tried: true })));
  expect(one.withdraw("3")).toBe(false);
  answer({ kind: "done", example: example() });
  await settle();
  answer({ kind: "done", example: example() });
  await settle();
  expect(one.read()).toEqual([]);
});

test("without storage, decisions are sent and the page knows that a reload loses them", async () => {
  vi.stubGlobal("localStorage", {
    getItem: () => null,
    setItem: () => {
      throw new Error("full");
    },
  });
  const sent: string[] = [];
  let isAway = true;
  const one = box(async (entry) => (isAway ? away() : (sent.push(entry.key), done(entry))));
  one.add(entry("1"));
  one.add(entry("2"));
  await settle();
  expect([one.isKept, one.read().length]).toEqual([false, 2]);
  isAway = false;
  await one.flush();
  expect(sent).toEqual(["1", "2"]);
});
