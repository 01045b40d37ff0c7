/** Lists that are changed by making new ones. */

export function insert<T>(list: T[], at: number, value: T): T[] {
  return [...list.slice(0, at), value, ...list.slice(at)];
}

export function without<T>(list: T[], at: number): T[] {
  return list.filter((_, i) => i !== at);
}

/** One place up or down; at the ends it stays. */
export function moved<T>(list: T[], at: number, by: number): T[] {
  const to = Math.max(0, Math.min(list.length - 1, at + by));
  const value = list[at];
  return value === undefined ? list : insert(without(list, at), to, value);
}
