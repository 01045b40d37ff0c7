import { isObject, type Json, type JsonObject } from "./json";

/** The form fields of a task's JSON Schema. */
export type Field =
  | { kind: "text"; name: string; nullable: boolean; long: boolean }
  | { kind: "number"; name: string; nullable: boolean }
  | { kind: "switch"; name: string }
  | { kind: "choice"; name: string; nullable: boolean; options: string[] }
  | { kind: "list"; name: string; fields: Field[] }
  | { kind: "group"; name: string; fields: Field[] }
  | { kind: "json"; name: string };

/** A task as far as forms need it. */
export interface Form {
  form: "json" | "label" | "text";
  schema?: JsonObject | null;
  labels?: string[] | null;
  /** More than there are `labels`, where these are only the first. */
  label_count?: number | null;
}

/** The labels of a task; none where they are not all known here. */
const labelsOf = ({ labels, label_count }: Form): string[] =>
  labels && (label_count ?? 0) <= labels.length ? labels : [];

/** The fields of a task's answer; one unnamed field for labels and texts. */
export function fields(task: Form): Field[] {
  if (task.form === "label") {
    const options = labelsOf(task);
    if (options.length > 0) return [{ kind: "choice", name: "", nullable: false, options }];
    return [{ kind: "text", name: "", nullable: false, long: false }];
  }
  if (task.form === "text") return [{ kind: "text", name: "", nullable: false, long: true }];
  return properties(task.schema);
}

/** The names of all fields, of those in lists too. */
export function fieldNames(task: Form): string[] {
  const names = (inner: Field[]): string[] =>
    inner.flatMap((f) => [f.name, ...(f.kind === "list" || f.kind === "group" ? names(f.fields) : [])]);
  return [...new Set(names(fields(task)))].filter((name) => name !== "");
}

function properties(schema: Json | undefined): Field[] {
  const inner = isObject(schema) ? schema.properties : undefined;
  return isObject(inner) ? Object.entries(inner).map(([name, value]) => field(name, value)) : [];
}

function field(name: string, schema: Json): Field {
  if (!isObject(schema)) return { kind: "json", name };
  const types = Array.isArray(schema.type) ? schema.type : [schema.type];
  const nullable = types.includes("null") || (Array.isArray(schema.enum) && schema.enum.includes(null));
  if (Array.isArray(schema.enum)) {
    const options = schema.enum.filter((value): value is string => typeof value === "string");
    return { kind: "choice", name, nullable, options };
  }
  if (types.includes("array")) return listField(name, schema);
  if (types.includes("object")) return { kind: "group", name, fields: properties(schema) };
  if (types.includes("number") || types.includes("integer")) return { kind: "number", name, nullable };
  if (types.includes("boolean")) return { kind: "switch", name };
  if (types.includes("string")) return { kind: "text", name, nullable, long: false };
  return { kind: "json", name };
}

function listField(name: string, schema: JsonObject): Field {
  const inner = properties(schema.items);
  return inner.length > 0 ? { kind: "list", name, fields: inner } : { kind: "json", name };
}

/** An empty answer. */
export function blank(task: Form): Json {
  return task.form === "json" ? blankObject(fields(task)) : "";
}

/** A new row of a list. */
export function blankObject(inner: Field[]): JsonObject {
  return Object.fromEntries(inner.map((f) => [f.name, blankValue(f)]));
}

function blankValue(f: Field): Json {
  if (f.kind === "list") return [];
  if (f.kind === "group") return blankObject(f.fields);
  if (f.kind === "switch") return false;
  if (f.kind === "choice") return f.nullable ? null : (f.options.at(-1) ?? "");
  return f.kind === "text" && !f.nullable ? "" : null;
}

/** The errors that prevent approving an answer, by path. */
export function problems(task: Form, answer: Json | null | undefined): Record<string, string> {
  const found: Record<string, string> = {};
  if (task.form !== "json") {
    const text = typeof answer === "string" ? answer.trim() : "";
    if (text === "") found[""] = task.form === "label" ? "Choose a label" : "Write the answer";
    else if (task.form === "label" && labelsOf(task).length > 0 && !labelsOf(task).includes(text))
      found[""] = `“${text}” is not one of the labels`;
    return found;
  }
  if (!isObject(answer)) return { "": "Nothing is filled in" };
  const check = (inner: Field[], value: JsonObject, path: string) => {
    for (const f of inner) checkField(f, value[f.name], path === "" ? f.name : `${path}.${f.name}`, found, check);
  };
  check(fields(task), answer, "");
  return found;
}

function checkField(
  f: Field,
  value: Json | undefined,
  path: string,
  found: Record<string, string>,
  check: (inner: Field[], value: JsonObject, path: string) => void,
): void {
  const missing = value === undefined || value === null || value === "";
  if (f.kind === "list") {
    (Array.isArray(value) ? value : []).forEach((row, i) => {
      if (isObject(row)) check(f.fields, row, `${path}[${i}]`);
    });
  } else if (f.kind === "group") check(f.fields, isObject(value) ? value : {}, path);
  else if (f.kind === "choice" && !missing && !f.options.includes(String(value)))
    found[path] = `“${String(value)}” is not a choice`;
  else if ((f.kind === "choice" || f.kind === "text") && missing && !f.nullable) found[path] = "Fill this in";
  else if (f.kind === "number" && !missing && typeof value !== "number") found[path] = "Write a number";
}
