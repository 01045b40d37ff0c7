import { expect, test } from "vitest";
import { blank, blankObject, fields, problems, type Form } from "./schema";

const task: Form = {
  form: "json",
  schema: {
    type: "object",
    properties: {
      direction: { enum: ["inbound", "outbound", "unknown"] },
      place: { type: ["string", "null"] },
      items: {
        type: "array",
        items: {
          type: "object",
          properties: {
            name: { type: "string" },
            quantity: { type: ["number", "null"] },
            unit: { enum: ["bag", "box", null] },
          },
        },
      },
      urgent: { type: "boolean" },
    },
  },
};

test("a schema becomes fields in its order", () => {
  expect(fields(task).map((field) => `${field.name}:${field.kind}`)).toEqual([
    "direction:choice",
    "place:text",
    "items:list",
    "urgent:switch",
  ]);
  expect(fields({ form: "label", labels: ["ham", "spam"] })).toEqual([
    { kind: "choice", name: "", nullable: false, options: ["ham", "spam"] },
  ]);
  expect(fields({ form: "label", labels: [] })[0]?.kind).toBe("text");
  expect(fields({ form: "label", labels: ["ham", "spam"], label_count: 300 })[0]?.kind).toBe("text");
});

test("a blank answer is valid if the schema allows null, otherwise it lists what is missing", () => {
  const empty = blank(task);
  expect(empty).toEqual({ direction: "unknown", place: null, items: [], urgent: false });
  expect(problems(task, empty)).toEqual({});
  const list = fields(task)[2];
  const row = list?.kind === "list" ? blankObject(list.fields) : {};
  expect(row).toEqual({ name: "", quantity: null, unit: null });
  expect(
    problems(task, { direction: "sideways", place: null, items: [{ ...row, quantity: "two" }], urgent: false }),
  ).toEqual({
    direction: "“sideways” is not a choice",
    "items[0].name": "Fill this in",
    "items[0].quantity": "Write a number",
  });
});

test("labels and texts are validated too", () => {
  expect(problems({ form: "label", labels: ["ham"] }, "spam")[""]).toContain("not one of the labels");
  expect(problems({ form: "label", labels: ["ham"], label_count: 300 }, "spam")).toEqual({});
  expect(problems({ form: "text" }, "  ")[""]).toBe("Write the answer");
  expect(problems({ form: "json", schema: task.schema }, null)[""]).toBe("Nothing is filled in");
});
