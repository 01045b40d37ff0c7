import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { description, FILES, settings, types } from "../../scripts/types.mjs";

test("types and settings match the API description", { timeout: 60_000 }, async () => {
  const isWritten = (path: string, made: string) => readFileSync(path, "utf8") === made;
  expect(isWritten(FILES.types, await types(description())), "run `npm run types`").toBe(true);
  expect(isWritten(FILES.settings, settings(description())), "run `npm run types`").toBe(true);
});
