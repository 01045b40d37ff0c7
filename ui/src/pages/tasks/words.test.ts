import { expect, test } from "vitest";
import { lines, slug } from "./words";

test("a title becomes a name", () => {
  expect(slug("Rechnungen: Zürich & Köln!")).toBe("rechnungen-zurich-koln");
  expect(slug("  --  ")).toBe("");
  expect(slug("a".repeat(60))).toHaveLength(40);
  expect(slug("order-", true)).toBe("order-");
});

test("labels are one per line, without duplicates", () => {
  expect(lines("bug\n\n wish \nbug\r\n")).toEqual(["bug", "wish"]);
});
