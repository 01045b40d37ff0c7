import { expect, test } from "vitest";
import type { JsonObject } from "../../lib/json";
import { drafted, stored } from "./rules";

test("rules are edited as lines and stored as they were", () => {
  const rules: JsonObject = {
    kind: "rules",
    rules: [
      { pattern: "(?<total>\\d+)" },
      { pattern: "(?i)paid", set: { paid: true, currency: "EUR" } },
      { pattern: "(?<name>\\w+)", list: "lines" },
    ],
    otherwise: { number: "12", total: 0 },
    aliases: { "lines.unit": { boxes: "box", dozen: "box" }, currency: { euro: "EUR" } },
    units: { total: { k: 1000 } },
  };
  const draft = drafted(rules);
  expect(draft.otherwise).toBe('number = "12"\ntotal = 0');
  expect(draft.units).toBe("total: k = 1000");
  expect(stored(draft, "fields")).toEqual(rules);
});

test("rules of labels have a label each", () => {
  const rules = { kind: "rules", rules: [{ pattern: "free", label: "spam" }], otherwise: "ham" };
  expect(stored(drafted(rules), "labels")).toEqual(rules);
  const draft = { rules: [{ pattern: "", to: "spam", set: "" }], otherwise: "", aliases: "x: a = b", units: "" };
  expect(stored(draft, "labels")).toEqual({ kind: "rules", rules: [] });
});
