/** One place up or down; at the ends it stays. */
export function moved<T>(list: T[], at: number, by: number): T[] {
  const to = Math.max(0, Math.min(list.length - 1, at + by));
  const value = list[at];
  return value === undefined ? list : list.toSpliced(at, 1).toSpliced(to, 0, value);
}
