import { expect, test } from "vitest";
import { addressOf, complete, format, parse, partsOf, sameParts } from "./filter";

const known = { fields: ["items", "quantity"], sources: ["slack", "csv"], people: ["anna"] };
const all = { state: "pending", max: "0.7", field: "quantity", source: "slack", by: "Anna B", search: "ripe squash" };

test("filter and URL convert into each other", () => {
  const text = 'is:pending conf:<0.7 field:quantity source:slack by:"Anna B" ripe squash';
  expect(parse(text, known)).toEqual({ parts: all, problem: null });
  expect(format(all)).toBe(text);
  expect(partsOf({ ...addressOf(all), order: "newest", id: "7" })).toEqual(all);
  expect(parse(format({ search: "is:pending at 10:30" }), known).parts).toEqual({ search: "is:pending at 10:30" });
  expect(sameParts(parse("", known).parts, {})).toBe(true);
});

test("percentages, synonyms of states, and words that only look like a key", () => {
  const parts = (text: string) => parse(text, known).parts;
  expect(parts("conf:>=50% conf:<.7")).toEqual({ min: "0.5", max: "0.7" });
  expect(parts("is:Audited")).toEqual({ state: "approved" });
  expect(parts('"slack:17" 10:30 https://a.b')).toEqual({ search: "slack:17 10:30 https://a.b" });
});

test("invalid filter lists valid values", () => {
  const problem = (text: string) => parse(text, known).problem;
  expect(problem("colour:red")).toContain("is: conf: field: source: by:");
  expect(problem("is:open")).toContain("pending, approved, rejected");
  expect(problem("conf:7")).toContain("conf:<0.7");
  expect(problem("conf:<7")).toContain("0 to 1");
  expect(problem("field:pounds")).toContain("items, quantity");
  expect(problem("source:fax")).toContain("slack, csv");
  expect(parse("field:x", { ...known, fields: [] }).problem).toBe("There is no field here.");
  expect(problem("by:")).toContain("anna");
  expect(problem("is:all is:pending")).toContain("twice");
});

test("only the last word is completed", () => {
  const texts = (text: string) => complete(text, known).map((one) => one.text);
  expect(texts("is:all fi")).toEqual(["is:all field:"]);
  expect(texts("is:all field:q")).toEqual(["is:all field:quantity "]);
  expect(texts("")).toEqual(["is:", "conf:", "field:", "source:", "by:"]);
  expect(texts("by:anna")).toEqual([]);
  expect(texts("squash")).toEqual([]);
});
