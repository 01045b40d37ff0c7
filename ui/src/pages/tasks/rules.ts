import { isObject, type Json, type JsonObject } from "../../lib/json";

/** A rule as it is edited. */
export interface RuleDraft {
  pattern: string;
  /** The label, or the list that it adds to; empty: single fields. */
  to: string;
  /** `field = value`, one per line. */
  set: string;
}

/** A list of rules as it is edited. */
export interface RulesDraft {
  rules: RuleDraft[];
  /** The label, or `field = value` lines, where no rule matches. */
  otherwise: string;
  /** `field: written = value`, one per line. */
  aliases: string;
  /** `field: unit = factor`, one per line. */
  units: string;
}

const value = (text: string): Json => {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return text;
  }
};
const told = (of: Json): string => (typeof of === "string" && typeof value(of) === "string" ? of : JSON.stringify(of));

/** `a = 1` by line: later lines of a name win. */
function pairs(text: string): [string, Json][] {
  return text.split("\n").flatMap((line): [string, Json][] => {
    const at = line.indexOf("=");
    return at < 0 ? [] : [[line.slice(0, at).trim(), value(line.slice(at + 1).trim())]];
  });
}

/** `field: a = 1` by line. */
function tables(text: string): Record<string, JsonObject> {
  const all: Record<string, JsonObject> = {};
  for (const line of text.split("\n")) {
    const at = line.indexOf(":");
    if (at >= 0) Object.assign((all[line.slice(0, at).trim()] ??= {}), Object.fromEntries(pairs(line.slice(at + 1))));
  }
  return all;
}

const lines = (object: unknown): string =>
  isObject(object)
    ? Object.entries(object)
        .map(([name, of]) => `${name} = ${told(of)}`)
        .join("\n")
    : "";
const tableLines = (all: unknown): string =>
  isObject(all)
    ? Object.entries(all)
        .flatMap(([field, table]) =>
          Object.entries(isObject(table) ? table : {}).map(([a, b]) => `${field}: ${a} = ${told(b)}`),
        )
        .join("\n")
    : "";

/** Stored rules as they are edited. */
export function drafted(of: JsonObject): RulesDraft {
  const rules = Array.isArray(of.rules) ? of.rules.filter(isObject) : [];
  return {
    rules: rules.map((rule) => ({
      pattern: String(rule.pattern ?? ""),
      to: String(rule.label ?? rule.list ?? ""),
      set: lines(rule.set),
    })),
    otherwise: typeof of.otherwise === "string" ? of.otherwise : lines(of.otherwise),
    aliases: tableLines(of.aliases),
    units: tableLines(of.units),
  };
}

/** Edited rules as they are stored. */
export function stored(draft: RulesDraft, form: "labels" | "fields"): JsonObject {
  const rules = draft.rules
    .filter((rule) => rule.pattern !== "")
    .map((rule): JsonObject => {
      if (form === "labels") return { pattern: rule.pattern, label: rule.to };
      const set = Object.fromEntries(pairs(rule.set));
      return {
        pattern: rule.pattern,
        ...(rule.to ? { list: rule.to } : {}),
        ...(Object.keys(set).length > 0 ? { set } : {}),
      };
    });
  const otherwise: Json = form === "labels" ? draft.otherwise : Object.fromEntries(pairs(draft.otherwise));
  const [aliases, units] = form === "fields" ? [tables(draft.aliases), tables(draft.units)] : [{}, {}];
  const some = (of: Json) => (typeof of === "string" ? of !== "" : Object.keys(of as JsonObject).length > 0);
  return {
    kind: "rules",
    rules,
    ...(some(otherwise) ? { otherwise } : {}),
    ...(some(aliases) ? { aliases } : {}),
    ...(some(units) ? { units } : {}),
  };
}
