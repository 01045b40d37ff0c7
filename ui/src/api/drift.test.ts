import { readFileSync } from "node:fs";
import openapiTS, { astToString } from "openapi-typescript";
import { expect, test } from "vitest";

const read = (path: string) => readFileSync(new URL(path, import.meta.url), "utf8");
const description = read("../../../crates/server/openapi.json");

test(
  "the types are those of the server's description; `npm run types` writes them anew",
  { timeout: 60_000 },
  async () => {
    const made = astToString(await openapiTS(description, { silent: true }));
    const written = read("schema.d.ts");
    expect(written.slice(written.indexOf("export interface paths"))).toBe(
      made.slice(made.indexOf("export interface paths")),
    );
  },
);

test("every route that the page calls is described", () => {
  const shape = (path: string) => path.replace(/\$\{[^}]*\}|\{[^}]*\}/g, "{}");
  const known = new Set(Object.keys((JSON.parse(description) as { paths: object }).paths).map(shape));
  const calls = read("calls.ts")
    .replaceAll("${V1}", "")
    .replaceAll(/\$\{(?:version|example)\(task, (?:name|id)\)\}/g, (call) =>
      call.includes("version") ? "/versions/${task}/${name}" : "/examples/${task}/${id}",
    );
  const called = [...calls.matchAll(/["`](\/[a-z][^"`]*)["`]/g)].map((match) => shape(`/api/v1${match[1]}`));
  expect(called.length).toBeGreaterThan(30);
  const isKnown = (path: string) =>
    known.has(path) || ["approve", "cancel"].some((action) => known.has(path.replace(/\{\}$/, action)));
  expect(called.filter((path) => path !== "/api/v1/api/v1" && !path.includes("/artifacts/") && !isKnown(path))).toEqual(
    [],
  );
});
