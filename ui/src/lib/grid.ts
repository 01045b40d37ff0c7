/** Rows of text cells, as a grid edits them and spreadsheets copy them. */

export type Row = string[];

/** What a spreadsheet put on the clipboard: tabs between cells, quotes around those that hold tabs or lines. */
export function pasted(text: string): Row[] {
  const rows: Row[] = [[]];
  const cell = /(?:"((?:[^"]|"")*)"(?=[\t\r\n]|$)|([^\t\r\n]*))(\t|\r\n?|\n|$)/gy;
  for (let at = 0; at < text.length; at = cell.lastIndex) {
    cell.lastIndex = at;
    const [, quoted, plain = "", end] = cell.exec(text) ?? [];
    const value = quoted?.replaceAll('""', '"').replace(/\s+/g, " ") ?? plain;
    rows.at(-1)?.push(value.trim());
    if (end === "" || end === undefined) break;
    if (end !== "\t") rows.push([]);
    else if (cell.lastIndex === text.length) rows.at(-1)?.push("");
  }
  return rows.filter((row) => row.some((value) => value !== ""));
}

/** Lays a block over the rows from one cell on; rows that are missing are added, what is too wide is left out. */
export function lay(rows: Row[], row: number, column: number, block: Row[], empty: Row): Row[] {
  const next = rows.map((old) => [...old]);
  block.forEach((cells, i) => {
    const into = (next[row + i] ??= [...empty]);
    cells.forEach((value, j) => {
      if (column + j < empty.length) into[column + j] = value;
    });
  });
  return next;
}

/** Errors of cells, by `row.column`. */
export type Problems = Record<string, string>;

export const at = (row: number, column: number): string => `${row}.${column}`;

/** Names in one cell, between commas; those that hold a comma or a quote stand in quotes. */
export function joined(names: string[]): string {
  return names.map((name) => (/[",]/.test(name) ? `"${name.replaceAll('"', '""')}"` : name)).join(", ");
}

export function split(cell: string): string[] {
  const names = cell.matchAll(/\s*(?:"((?:[^"]|"")*)"|([^,]*))(?:,|$)/g);
  return [...names].map(([, quoted, plain = ""]) => (quoted?.replaceAll('""', '"') ?? plain).trim()).filter(Boolean);
}
