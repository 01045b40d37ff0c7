/** Runs that are read at once. */
export const PAGE = 50;

/** The pages after the first that rows lie on. */
export function pagesOf(rows: number[]): number[] {
  return [...new Set(rows.map((row) => Math.floor(row / PAGE)))].filter((page) => page > 0);
}
