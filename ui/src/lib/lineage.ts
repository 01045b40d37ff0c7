import type { Version } from "../api/types";

/** A version and those it comes from, newest first; `most` of them at most, and a circle ends it. */
export function ancestors<V extends Pick<Version, "name" | "parent">>(versions: V[], from: V, most: number): V[] {
  const line = [from];
  while (line.length < most) {
    const parent = versions.find((one) => one.name === line.at(-1)?.parent);
    if (!parent || line.includes(parent)) break;
    line.push(parent);
  }
  return line;
}
