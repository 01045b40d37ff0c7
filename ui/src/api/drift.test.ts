import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { description, types, written } from "../../scripts/types.mjs";

test(
  "the types are those of the server's description; `npm run types` writes them anew",
  { timeout: 60_000 },
  async () => {
    expect((await types(description())) === written(), "run `npm run types`").toBe(true);
  },
);

test("every route that the page calls is described", () => {
  const shape = (path: string) => path.replace(/\$\{[^}]*\}|\{[^}]*\}/g, "{}");
  const known = new Set(Object.keys(description().paths).map(shape));
  const calls = readFileSync(new URL("calls.ts", import.meta.url), "utf8")
    .replaceAll("${V1}", "")
    .replaceAll(/\$\{(version|example)\(task, (?:name|id)\)\}/g, (_, kind: string) => `/${kind}s/\${task}/\${id}`);
  const called = [...calls.matchAll(/["`](\/[a-z][^"`]*)["`]/g)].map((match) => shape(`/api/v1${match[1]}`));
  expect(called.length).toBeGreaterThan(30);
  const isKnown = (path: string) =>
    known.has(path) || ["approve", "cancel"].some((action) => known.has(path.replace(/\{\}$/, action)));
  const unknown = called.filter((path) => path !== "/api/v1/api/v1" && !path.includes("/artifacts/") && !isKnown(path));
  expect(unknown).toEqual([]);
});
