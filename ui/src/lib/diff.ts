import { isObject, leaves, same, shown, type Json } from "./json";

/** A run of words that both texts have, or only one. */
export interface Piece {
  kind: "both" | "left" | "right";
  text: string;
}

/** Word by word: the longest common subsequence of words, spaces kept with the word before them. */
export function words(left: string, right: string): Piece[] {
  const a = left.match(/\S+\s*/g) ?? [];
  const b = right.match(/\S+\s*/g) ?? [];
  const longest = table(a, b);
  const pieces: Piece[] = [];
  const add = (kind: Piece["kind"], text: string) => {
    const last = pieces.at(-1);
    if (last?.kind === kind) last.text += text;
    else pieces.push({ kind, text });
  };
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i]?.trim() === b[j]?.trim()) {
      add("both", a[i] ?? "");
      [i, j] = [i + 1, j + 1];
    } else if (j >= b.length || (i < a.length && (longest[i + 1]?.[j] ?? 0) >= (longest[i]?.[j + 1] ?? 0))) {
      add("left", a[i] ?? "");
      i += 1;
    } else {
      add("right", b[j] ?? "");
      j += 1;
    }
  }
  return pieces;
}

function table(a: string[], b: string[]): number[][] {
  const rows = Array.from({ length: a.length + 1 }, () => new Array<number>(b.length + 1).fill(0));
  for (let i = a.length - 1; i >= 0; i -= 1)
    for (let j = b.length - 1; j >= 0; j -= 1) {
      const equal = a[i]?.trim() === b[j]?.trim();
      rows[i]![j] = equal ? rows[i + 1]![j + 1]! + 1 : Math.max(rows[i + 1]![j]!, rows[i]![j + 1]!);
    }
  return rows;
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
