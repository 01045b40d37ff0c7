import { isObject, leaves, same, shown, type Json } from "./json";

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
