// @vitest-environment happy-dom
import { act, useState } from "react";
import { createRoot, type Root } from "react-dom/client";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Json } from "../../lib/json";
import type { Form } from "../../lib/schema";
import { AnswerForm } from "./AnswerForm";

const task: Form = {
  form: "json",
  schema: {
    type: "object",
    properties: {
      place: { type: ["string", "null"] },
      items: {
        type: "array",
        items: { type: "object", properties: { name: { type: "string" }, quantity: { type: ["number", "null"] } } },
      },
    },
  },
};
const start: Json = {
  place: "Aldi",
  items: [
    { name: "kale", quantity: 2 },
    { name: "figs", quantity: null },
  ],
};

let host: HTMLElement;
let root: Root;
let answer: Json;

function Harness() {
  const [value, setValue] = useState<Json>(start);
  answer = value;
  return (
    <AnswerForm
      task={task}
      value={value}
      onChange={setValue}
      about={{ confidence: { place: 0.42 }, differing: new Set(["items[0].name"]) }}
    />
  );
}

beforeEach(async () => {
  Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true });
  host = document.body.appendChild(document.createElement("div"));
  root = createRoot(host);
  await act(async () => root.render(<Harness />));
});
afterEach(() => act(async () => root.unmount()));

const field = (label: string) => host.querySelector<HTMLInputElement>(`[aria-label="${label}"]`)!;
const press = (label: string) =>
  act(async () => host.querySelector<HTMLButtonElement>(`button[aria-label="${label}"]`)!.click());
const type = (input: HTMLInputElement, text: string) =>
  act(async () => {
    Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value")!.set!.call(input, text);
    input.dispatchEvent(new Event("input", { bubbles: true }));
  });

test("fields are edited in place; a number may have a decimal comma", async () => {
  await type(field("Item 1, quantity"), "2,5");
  expect(answer).toMatchObject({
    items: [
      { name: "kale", quantity: 2.5 },
      { name: "figs", quantity: null },
    ],
  });
  expect(field("Item 1, quantity").value).toBe("2,5");
  await type(host.querySelector<HTMLInputElement>('[data-path="place"]')!, "");
  expect(answer).toMatchObject({ place: null });
});

test("rows are moved, removed and added, also with keys", async () => {
  await press("Move item 2 up");
  expect(answer).toMatchObject({ items: [{ name: "figs" }, { name: "kale" }] });
  await press("Remove item 1");
  expect(answer).toMatchObject({ items: [{ name: "kale", quantity: 2 }] });
  await act(
    async () => void field("Item 1, name").dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true })),
  );
  expect(answer).toMatchObject({ items: [{ name: "kale" }, { name: "", quantity: null }] });
});

test("differences and low confidence are also stated in words", () => {
  expect(host.querySelector('[data-path="items[0].name"]')?.closest("[data-differs]")?.textContent).toContain(
    "differs",
  );
  expect(host.querySelector('[title="Confidence 42.0 %"]')?.textContent).toBe("42 %");
});
