// Writes src/api/schema.d.ts from the server's description of its API.
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import openapiTS, { astToString } from "openapi-typescript";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const DESCRIPTION = here("../../crates/server/openapi.json");
const TYPES = here("../src/api/schema.d.ts");

export const description = () => JSON.parse(readFileSync(DESCRIPTION, "utf8"));
export const written = () => readFileSync(TYPES, "utf8");

/** The types of a description. Names that only a query parameter uses may be missing from it: they stand for texts. */
export async function types(api) {
  const schemas = api.components.schemas;
  const named = JSON.stringify(api).matchAll(/#\/components\/schemas\/([\w.-]+)/g);
  for (const [, name] of named) schemas[name] ??= { type: "string" };
  const head = "// Made by `npm run types` from crates/server/openapi.json; not to be changed by hand.\n\n";
  return head + astToString(await openapiTS(api, { silent: true }));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(TYPES, await types(description()));
  console.log("src/api/schema.d.ts is written");
}
