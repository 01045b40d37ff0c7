import { expect, test } from "vitest";
import { current, find, stretches } from "./spans";

test("values are found as whole words, longer ones first, each position once", () => {
  const text = "almond milk, milk and 12 eggs from ALDI (2 bags)";
  const found = find(text, { items: [{ name: "milk", quantity: 2 }, { name: "almond milk" }], place: "Aldi" });
  const at = (path: string) => found[path]?.map((span) => text.slice(span.start, span.end));
  expect(at("items[1].name")).toEqual(["almond milk"]);
  expect(found["items[0].name"]?.[0]?.start).toBe(13);
  expect(at("place")).toEqual(["ALDI"]);
  // Not the 2 in "12".
  expect(found["items[0].quantity"]?.[0]?.start).toBe(text.indexOf("2 bags"));
});

test("the server's spans are used until a person changes the value", () => {
  const known = { place: [{ start: 0, end: 3 }], n: [{ start: 4, end: 5 }] };
  const spans = current("abc 7 Lidl", { place: "Lidl", n: 7 }, known, { place: "abc", n: 7 });
  expect(spans).toEqual({ place: [{ start: 6, end: 10 }], n: [{ start: 4, end: 5 }] });
});

test("a text is split at every span boundary and nothing is lost", () => {
  const text = "one two three";
  const parts = stretches(text, { a: [{ start: 0, end: 7 }], b: [{ start: 4, end: 7 }], bad: [{ start: 9, end: 99 }] });
  expect(parts.map((part) => part.text).join("")).toBe(text);
  expect(parts.map((part) => part.paths)).toEqual([["a"], ["a", "b"], []]);
});
