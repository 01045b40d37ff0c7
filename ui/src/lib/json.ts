/** Answers are JSON; these read and change them by path (`items[2].quantity`). */

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type JsonObject = { [key: string]: Json };

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Equal in value; the order of keys doesn't matter. */
export function same(a: Json | undefined, b: Json | undefined): boolean {
  if (a === b) return true;
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((value, i) => same(value, b[i]));
  if (!isObject(a) || !isObject(b)) return false;
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => key in b && same(a[key], b[key]));
}

type Step = string | number;

export function steps(path: string): Step[] {
  const found = path.match(/[^.[\]]+|\[\d+\]/g) ?? [];
  return found.map((part) => (part.startsWith("[") ? Number(part.slice(1, -1)) : part));
}

export function get(value: Json | undefined, path: string): Json | undefined {
  let here: Json | undefined = value;
  for (const step of steps(path)) {
    if (typeof step === "number") here = Array.isArray(here) ? here[step] : undefined;
    else here = isObject(here) ? here[step] : undefined;
  }
  return here;
}

/** A copy with one value replaced; all that isn't on the path is shared. */
export function set(value: Json, path: string, to: Json): Json {
  const walk = (here: Json | undefined, rest: Step[]): Json => {
    const [step, ...more] = rest;
    if (step === undefined) return to;
    if (typeof step === "number") {
      const list = Array.isArray(here) ? [...here] : [];
      list[step] = walk(list[step], more);
      return list;
    }
    const object = isObject(here) ? here : {};
    return { ...object, [step]: walk(object[step], more) };
  };
  return walk(value, steps(path));
}

/** Every single value with its path, in order. */
export function leaves(value: Json | undefined, path = ""): [string, Json][] {
  if (value === undefined) return [];
  if (Array.isArray(value)) return value.flatMap((inner, i) => leaves(inner, `${path}[${i}]`));
  if (isObject(value))
    return Object.entries(value).flatMap(([key, inner]) => leaves(inner, path === "" ? key : `${path}.${key}`));
  return [[path, value]];
}

/** As `shown`, and of a thing with names only its values: `kale, 2, case`. */
export function brief(value: Json | undefined): string {
  if (!isObject(value)) return shown(value);
  return Object.values(value).map(shown).filter(Boolean).join(", ");
}

/** A value as a person writes it: nothing for null. */
export function shown(value: unknown): string {
  if (value === null || value === undefined) return "";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

/** One value that two answers don't agree on. */
export interface Difference {
  path: string;
  left: Json | undefined;
  right: Json | undefined;
}

/** Every value that differs, by path; a list's extra places count as a whole. */
export function differences(left: Json | undefined, right: Json | undefined, path = ""): Difference[] {
  if (same(left, right)) return [];
  if (Array.isArray(left) && Array.isArray(right)) {
    const length = Math.max(left.length, right.length);
    return Array.from({ length }, (_, i) => differences(left[i], right[i], `${path}[${i}]`)).flat();
  }
  if (isObject(left) && isObject(right)) {
    const keys = [...new Set([...Object.keys(left), ...Object.keys(right)])];
    return keys.flatMap((key) => differences(left[key], right[key], path === "" ? key : `${path}.${key}`));
  }
  return [{ path, left, right }];
}

/** The paths on which two answers differ, as a set that fields can ask; texts compare without case and outer space. */
export function differing(left: Json | undefined, right: Json | undefined): Set<string> {
  const loose = (value: Json | undefined) => shown(value).trim().toLowerCase();
  const found = differences(left, right).filter((d) => loose(d.left) !== loose(d.right));
  return new Set(
    found.flatMap((d) => {
      const inner = [...leaves(d.left, d.path), ...leaves(d.right, d.path)].map(([path]) => path);
      return [d.path, ...inner];
    }),
  );
}
