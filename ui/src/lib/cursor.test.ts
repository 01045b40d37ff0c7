import { expect, test } from "vitest";
import { last } from "./cursor";

test.each([0, 1, 63, 64, 65, 1000, 10_000])("the end of %i things is found in few questions", async (count) => {
  let asked = 0;
  const found = await last(async (seq) => (asked++, seq < count));
  expect(found).toBe(count);
  expect(asked).toBeLessThan(25);
});
