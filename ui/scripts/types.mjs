// Writes what the page takes from the server's description of its API: src/api/schema.d.ts, the types, and
// src/api/settings.json, the settings of a training.
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import openapiTS, { astToString } from "openapi-typescript";
import ts from "typescript";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const DESCRIPTION = here("../../crates/server/openapi.json");
export const FILES = { types: here("../src/api/schema.d.ts"), settings: here("../src/api/settings.json") };

export const description = () => JSON.parse(readFileSync(DESCRIPTION, "utf8"));

const named = (name) => ts.factory.createTypeReferenceNode(name);
/** Keywords that say nothing about what a value is. */
const PLAIN = ["description", "default", "example", "required"];

/** A schema that permits any JSON is `Json`, one that permits any object `JsonObject`, a file `Blob`. */
function transform(schema) {
  if (schema.format === "binary") return named("Blob");
  const said = Object.keys(schema).filter((key) => !PLAIN.includes(key));
  if (said.length === 0) return named("Json");
  if (said.join() !== "type") return undefined;
  if (schema.type === "object") return named("JsonObject");
  const nullable = Array.isArray(schema.type) && schema.type.join() === "object,null";
  return nullable ? ts.factory.createUnionTypeNode([named("JsonObject"), named("null")]) : undefined;
}

/** The types of a description. Names that only a query parameter uses may be missing from it: they stand for texts. */
export async function types(api) {
  const schemas = api.components.schemas;
  const used = JSON.stringify(api).matchAll(/#\/components\/schemas\/([\w.-]+)/g);
  for (const [, name] of used) schemas[name] ??= { type: "string" };
  const head = "// Made by `npm run types` from crates/server/openapi.json; not to be changed by hand.\n\n";
  const inject = 'import type { Json, JsonObject } from "../lib/json";';
  return head + astToString(await openapiTS(api, { silent: true, transform, inject, defaultNonNullable: false }));
}

/** The settings of a training: name, type and description of each. */
export function settings(api) {
  const { schemas } = api.components;
  const [, name] = JSON.stringify(schemas.NewRun.properties.settings).match(/#\/components\/schemas\/([\w.-]+)/);
  const all = Object.entries(schemas[name].properties).map(([name, property]) => {
    // A setting with a type of its own is one of that or null.
    const given = property.oneOf?.find((one) => one.type !== "null") ?? property;
    const { type } = given.$ref ? schemas[given.$ref.split("/").pop()] : given;
    return { name, type: [type].flat().find((one) => one !== "null"), about: given.description };
  });
  return `${JSON.stringify(all, null, 2)}\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(FILES.types, await types(description()));
  writeFileSync(FILES.settings, settings(description()));
  console.log("src/api/schema.d.ts and src/api/settings.json are written");
}
