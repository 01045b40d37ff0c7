/** Changes to a JSON Schema that is being put together; each returns a new one. */
import { isObject, type Json, type JsonObject } from "./json";

const GROUNDED = "x-graft-grounded";

/** The value at a JSON pointer. */
export function at(schema: Json, pointer: string): JsonObject | null {
  let here: Json | undefined = schema;
  for (const step of steps(pointer)) here = isObject(here) ? here[step] : undefined;
  return isObject(here) ? here : null;
}

function steps(pointer: string): string[] {
  const parts = pointer.split("/").slice(1);
  return parts.map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));
}

function change(schema: JsonObject, pointer: string, to: (old: JsonObject) => JsonObject | null): JsonObject {
  const next = structuredClone(schema);
  const all = steps(pointer);
  const name = all.pop() ?? "";
  const above = all.reduce<Json | undefined>((here, step) => (isObject(here) ? here[step] : undefined), next);
  if (!isObject(above) || !isObject(above[name])) return schema;
  const made = to(above[name]);
  if (made) above[name] = made;
  else delete above[name];
  return next;
}

const typesOf = ({ type }: JsonObject): string[] =>
  Array.isArray(type) ? type.map(String) : type ? [String(type)] : [];

export const isGrounded = (schema: JsonObject | null) => schema?.[GROUNDED] === true;
export const isFixed = (schema: JsonObject | null) => Array.isArray(schema?.enum);
export const isOptional = (schema: JsonObject | null): boolean =>
  schema !== null && (typesOf(schema).includes("null") || (Array.isArray(schema.enum) && schema.enum.includes(null)));

export const ground = (schema: JsonObject, pointer: string, on: boolean) =>
  change(schema, pointer, ({ [GROUNDED]: _, ...rest }) => (on ? { ...rest, [GROUNDED]: true } : rest));

/** Allows these texts only, or any. */
export const fix = (schema: JsonObject, pointer: string, values: string[] | null) =>
  change(schema, pointer, (old): JsonObject => {
    const none = isOptional(old);
    if (values) return { enum: none ? [...values, null] : values };
    return { type: none ? ["string", "null"] : "string" };
  });

/** Types that a single value can have. */
export const TYPES = ["string", "number", "integer", "boolean"] as const;
type SingleType = (typeof TYPES)[number];

/** The type of a single value; `null` of lists, objects and what has several. */
export function typeOf(schema: JsonObject | null): SingleType | null {
  if (schema === null) return null;
  if (isFixed(schema)) return "string";
  const types = typesOf(schema).filter((type) => type !== "null");
  return types.length === 1 ? (TYPES.find((type) => type === types[0]) ?? null) : null;
}

/** Changes the type of a value; keywords of the old type are removed. */
export const retype = (schema: JsonObject, pointer: string, type: SingleType) =>
  change(schema, pointer, (old) => ({ type: isOptional(old) ? [type, "null"] : type }));

export const allowNull = (schema: JsonObject, pointer: string, on: boolean) =>
  change(schema, pointer, (old) => {
    if (Array.isArray(old.enum)) {
      const values = old.enum.filter((value) => value !== null);
      return { ...old, enum: on ? [...values, null] : values };
    }
    const types = typesOf(old).filter((type) => type !== "null");
    const all = on ? [...types, "null"] : types;
    return { ...old, type: all.length === 1 ? (all[0] ?? "string") : all };
  });

/** Leaves a field out; `null` where it is the last one of its object. */
export function leaveOut(schema: JsonObject, pointer: string): JsonObject | null {
  const name = steps(pointer).at(-1) ?? "";
  const owner = pointer.slice(0, pointer.lastIndexOf("/properties/"));
  const next = change(schema, pointer, () => null);
  const object = owner === "" ? next : at(next, owner);
  if (!object || !isObject(object.properties) || Object.keys(object.properties).length === 0) return null;
  if (Array.isArray(object.required)) object.required = object.required.filter((one) => one !== name);
  return next;
}
