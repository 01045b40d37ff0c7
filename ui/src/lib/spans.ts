import type { Schemas } from "../api/types";
import { leaves, type Json } from "./json";

/** The position of a value in a text, in UTF-16 units. */
type Span = Schemas["Span"];
export type Spans = Record<string, Span[]>;

/** A stretch of text with the fields that point at it; none for plain text. */
interface Stretch {
  text: string;
  paths: string[];
}

/** Looks for every value of an answer in the text: as written, not inside a word, each place given to one value. */
export function find(text: string, answer: Json | undefined): Spans {
  const found: Spans = {};
  const taken: Span[] = [];
  const values = leaves(answer).filter(([, value]) => typeof value === "string" || typeof value === "number");
  // Longer values first, so that "milk" doesn't take a part of "almond milk".
  values.sort((a, b) => String(b[1]).length - String(a[1]).length);
  for (const [path, value] of values) {
    const span = first(text, String(value), taken);
    if (!span) continue;
    taken.push(span);
    found[path] = [span];
  }
  return found;
}

function first(text: string, value: string, taken: Span[]): Span | undefined {
  const needle = value.trim().toLowerCase();
  if (needle === "") return undefined;
  const hay = text.toLowerCase();
  const inWord = (at: number) => /[\p{L}\p{N}]/u.test(hay.charAt(at));
  for (let start = hay.indexOf(needle); start >= 0; start = hay.indexOf(needle, start + 1)) {
    const end = start + needle.length;
    const free = taken.every((span) => end <= span.start || start >= span.end);
    if (free && !(start > 0 && inWord(start - 1)) && !inWord(end)) return { start, end };
  }
  return undefined;
}

/** The spans the server found for the values that are still as it saw them; values that a person changed are looked up here. */
export function current(text: string, answer: Json, known: Spans, of: Json | undefined): Spans {
  const before = new Map(leaves(of).map(([path, value]) => [path, value]));
  const own = find(text, answer);
  const kept: Spans = {};
  for (const [path, value] of leaves(answer)) {
    const spans = known[path] && before.get(path) === value ? known[path] : own[path];
    if (spans) kept[path] = spans;
  }
  return kept;
}

/** Cuts a text at the borders of all spans. */
export function stretches(text: string, spans: Spans): Stretch[] {
  const borders = new Set([0, text.length]);
  const flat = Object.entries(spans).flatMap(([path, list]) => list.map((span) => ({ path, ...span })));
  const inside = flat.filter((span) => span.start >= 0 && span.end <= text.length && span.start < span.end);
  inside.forEach((span) => borders.add(span.start).add(span.end));
  const cuts = [...borders].sort((a, b) => a - b);
  return cuts.slice(0, -1).map((start, i) => ({
    text: text.slice(start, cuts[i + 1]),
    paths: inside.filter((span) => span.start <= start && span.end >= (cuts[i + 1] ?? 0)).map((span) => span.path),
  }));
}
