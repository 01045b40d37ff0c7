/** A version as far as its ancestry goes. */
export interface Born {
  name: string;
  parent?: string | null;
  run?: string | null;
  dataset?: string | null;
  base: string;
}

/** A version and those it comes from, newest first; `most` of them at most, and a circle ends it. */
export function ancestors<V extends Born>(versions: V[], from: V, most: number): V[] {
  const line = [from];
  while (line.length < most) {
    const parent = versions.find((one) => one.name === line.at(-1)?.parent);
    if (!parent || line.includes(parent)) break;
    line.push(parent);
  }
  return line;
}
