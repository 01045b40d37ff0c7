import { expect, test } from "vitest";
import { brief, differences, differing, get, leaves, same, set } from "./json";

const answer = {
  place: "Aldi",
  items: [
    { name: "kale", quantity: 2 },
    { name: "figs", quantity: null },
  ],
};

test("a path reads a value and changes only that value", () => {
  expect(get(answer, "items[1].name")).toBe("figs");
  expect(get(answer, "items[7].name")).toBeUndefined();
  const changed = set(answer, "items[1].quantity", 3) as typeof answer;
  expect(changed.items[1]).toEqual({ name: "figs", quantity: 3 });
  expect(changed.items[0]).toBe(answer.items[0]);
  expect(answer.items[1]?.quantity).toBeNull();
  expect(leaves(answer).map(([path]) => path)).toEqual([
    "place",
    "items[0].name",
    "items[0].quantity",
    "items[1].name",
    "items[1].quantity",
  ]);
});

test("the order of keys is ignored, that of lists is compared", () => {
  expect(same({ a: 1, b: [1, 2] }, { b: [1, 2], a: 1 })).toBe(true);
  expect(same({ a: [1, 2] }, { a: [2, 1] })).toBe(false);
  expect(same({ a: null }, {})).toBe(false);
});

test("differences name the smallest differing part", () => {
  const other = { place: "Lidl", items: [{ name: "kale", quantity: 2 }] };
  expect(differences(answer, other)).toEqual([
    { path: "place", left: "Aldi", right: "Lidl" },
    { path: "items[1]", left: { name: "figs", quantity: null }, right: undefined },
  ]);
  expect(differing({ a: "Aldi " }, { a: "aldi" }).size).toBe(0);
  expect([...differing(answer, other)]).toContain("items[1].name");
});

test("an object is summarised by its values", () => {
  expect(brief({ name: "kale", quantity: 2, unit: null, tags: ["a"] })).toBe('kale, 2, ["a"]');
  expect([brief(null), brief("x"), brief({ unit: null })]).toEqual(["", "x", ""]);
});
