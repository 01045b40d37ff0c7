import { expect, test } from "vitest";
import { ago, bytes, clip, duration, label, number, percent, points, roughly, significant } from "./format";
import { name, printed } from "./keys";
import { pageOf } from "./links";
import { matching, tail } from "./logs";
import { rank } from "./search";

test("numbers are formatted for people", () => {
  expect([number(12345), number(null), number(0.256, 1), percent(0.923, 1), percent(undefined)]).toEqual([
    "12,345",
    "–",
    "0.3",
    "92.3 %",
    "–",
  ]);
  expect([significant(0.031407), significant(0.00015), significant(0), significant(Number.NaN)]).toEqual([
    "0.0314",
    "1.5e-4",
    "0",
    "–",
  ]);
  expect([bytes(512), bytes(1_104_835_648), bytes(null)]).toEqual(["512 B", "1.0 GiB", "–"]);
  expect([points(0.0241), points(-0.003), points(-0.0001)]).toEqual(["+2.4", "−0.3", "±0.0"]);
  expect([duration(0.84), duration(185), duration(7_800), roughly(1_020), roughly(4_260)]).toEqual([
    "0.8 s",
    "3 min 05 s",
    "2 h 10 min",
    "17 min",
    "1 h 10 min",
  ]);
});

test("times are relative to now", () => {
  const now = 1_795_000_000_000;
  expect([ago(now - 5_000, now), ago(now - 300_000, now), ago(now + 7_200_000, now)]).toEqual([
    "just now",
    "5 min. ago",
    "in 2 hr.",
  ]);
});

test("identifiers become words and long texts are cut between characters", () => {
  expect([label("rescue_location"), label("item_f1")]).toEqual(["Rescue location", "Item F1"]);
  expect([clip("abc", 3), clip("a👍🏽bc", 2)]).toEqual(["abc", "a👍…"]);
});

test("each key has one name and one label", () => {
  const press = { key: "K", code: "KeyK", ctrlKey: false, metaKey: true, altKey: false, shiftKey: false };
  expect([
    name(press),
    name({ ...press, key: " ", code: "Space", metaKey: false }),
    name({ ...press, key: "?", code: "Slash", metaKey: false, shiftKey: true }),
  ]).toEqual(["mod+k", "space", "?"]);
  expect([printed("mod+k", true), printed("mod+k", false), printed("space", false)]).toEqual(["⌘K", "Ctrl K", "Space"]);
});

test("keys of other layouts are mapped by position: non-Latin letters, digits that need Shift", () => {
  const plain = { ctrlKey: false, metaKey: false, altKey: false, shiftKey: false };
  const named = (key: string, code: string, more = {}) => name({ ...plain, key, code, ...more });
  expect([named("ф", "KeyA"), named("χ", "KeyX"), named("л", "KeyK", { ctrlKey: true })]).toEqual(["a", "x", "mod+k"]);
  expect([named("&", "Digit1"), named("é", "Digit2"), named("?", "Digit7", { shiftKey: true })]).toEqual([
    "1",
    "2",
    "?",
  ]);
  // Latin letters are matched by their label.
  expect([named("a", "KeyQ"), named("q", "KeyA")]).toEqual(["a", "q"]);
});

test("a log is searched line by line, as a terminal would show it", () => {
  const log = "load 10 %\rload 99 %\rload done\nError: no memory\n";
  const all = { text: "", level: "info" } as const;
  expect(matching(log, all).map((line) => line.text)).toEqual(["load done", "Error: no memory"]);
  expect(matching(log, { ...all, text: "MEMORY" })).toEqual([{ number: 2, text: "Error: no memory", level: "error" }]);
  expect(tail("a\nb\nc\n", 2)).toBe("b\nc");
});

test("commands are found by words of their title", () => {
  const items = ["Go to Audit", "Approve", "Order: oldest first"];
  expect(rank("au", items, (item) => item)[0]).toBe("Go to Audit");
  expect(rank("first old", items, (item) => item)).toEqual(["Order: oldest first"]);
});

test("links from the server point to pages", () => {
  expect(pageOf("/tasks/ask-ai/audit?state=pending")).toEqual({
    to: "/audit",
    search: { task: "ask-ai", state: "pending" },
  });
  expect(pageOf("/tasks/ask-ai/versions/v2")).toEqual({ to: "/versions", search: { task: "ask-ai", version: "v2" } });
  expect(pageOf("/runs/r-1")).toEqual({ to: "/runs/r-1", search: {} });
});

test("causes and hint have the severity of their error, following lines do not", () => {
  const log = [
    "step 1/2  loss 0.5",
    "warning: 3 examples were cut",
    "2026-11-22T02:00:00Z  WARN graft: slow disk",
    "error: failed to write the checkpoint",
    "  caused by: no space left",
    "hint: free some space",
    "step 2/2  error 0.1",
  ].join("\n");
  const numbers = (level: "warn" | "error") => matching(log, { text: "", level }).map((line) => line.number);
  expect(numbers("error")).toEqual([4, 5, 6]);
  expect(numbers("warn")).toEqual([2, 3, 4, 5, 6]);
});
