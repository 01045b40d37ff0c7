import { expect, test } from "vitest";
import { blocks } from "./prose";

test("paragraphs, headings and lists are detected", () => {
  expect(blocks("What it\nis.\n\nUnit\n- cs is case\n- none\n\n- alone\nand after\n")).toEqual([
    { kind: "paragraph", text: "What it is." },
    { kind: "heading", text: "Unit" },
    { kind: "list", items: ["cs is case", "none", "alone"] },
    { kind: "paragraph", text: "and after" },
  ]);
  expect(blocks("  ")).toEqual([]);
});
