import type { Tables } from "../api/types";
import { at, joined, split, type Problems, type Row } from "./grid";

/** The tables as grids: `units` are unit and pounds; `exceptions` kind, name, unit, pounds; the others name and words. */
export interface Sheets {
  units: Row[];
  exceptions: Row[];
  places: Row[];
  foods: Row[];
}

/** The heaviest that the server takes. */
const MOST = 10_000;

/** Every unit there is; without pounds of its own a built-in one weighs what it weighs. */
export function sheets(own: Tables, builtin: Tables): Sheets {
  const units = [...new Set([...Object.keys(builtin.pounds), ...Object.keys(own.pounds)])];
  const weights = (kind: string, all: Record<string, Record<string, number>>) =>
    Object.entries(all).flatMap(([name, units]) =>
      Object.entries(units).map(([unit, pounds]) => [kind, name, unit, String(pounds)]),
    );
  const words = (all: Record<string, string[]>) => Object.entries(all).map(([name, list]) => [name, joined(list)]);
  return {
    units: units.map((unit) => [unit, String(own.pounds[unit] ?? "")]),
    exceptions: [...weights("item", own.items), ...weights("class", own.classes)],
    places: words(own.locations),
    foods: words(own.foods),
  };
}

/** The file's entries that the grids stand for. */
export function tables({ units, exceptions, places, foods }: Sheets): Tables {
  const own: Tables = { pounds: {}, classes: {}, items: {}, foods: {}, locations: {} };
  for (const [unit = "", pounds = ""] of units) if (unit && pounds.trim()) own.pounds[unit.trim()] = pound(pounds);
  for (const [kind, name = "", unit = "", pounds = ""] of exceptions) {
    if (!name.trim()) continue;
    // Items are looked up in lower case.
    if (kind === "class") (own.classes[name.trim()] ??= {})[unit.trim()] = pound(pounds);
    else (own.items[name.trim().toLowerCase()] ??= {})[unit.trim()] = pound(pounds);
  }
  const words = (rows: Row[]) =>
    Object.fromEntries(rows.flatMap(([name = "", list = ""]) => (name.trim() ? [[name.trim(), split(list)]] : [])));
  return { ...own, foods: words(foods), locations: words(places) };
}

/** The errors that prevent saving each grid. */
export function faults(all: Sheets, builtin: Tables): Record<keyof Sheets, Problems> {
  return {
    units: {
      ...twice(all.units, [0]),
      ...missing(all.units, [0]),
      ...numbers(all.units, 1, (row) => row[0]! in builtin.pounds),
    },
    exceptions: {
      ...twice(all.exceptions, [0, 1, 2]),
      ...missing(all.exceptions, [1, 2]),
      ...numbers(all.exceptions, 3, () => false),
    },
    places: { ...twice(all.places, [0]), ...missing(all.places, [0, 1]), ...shared(all.places) },
    foods: { ...twice(all.foods, [0]), ...missing(all.foods, [0, 1]), ...shared(all.foods) },
  };
}

/** People write both `7.5` and `7,5`. */
const pound = (text: string): number => Number(text.trim().replace(",", "."));
const key = (text: string | undefined) => (text ?? "").trim().toLowerCase();

function numbers(rows: Row[], column: number, optional: (row: Row) => boolean): Problems {
  return each(rows, (row) => {
    const text = row[column] ?? "";
    if (text.trim() === "") return optional(row) ? [] : [[column, "How many pounds?"]];
    const value = pound(text);
    return value >= 0 && value <= MOST ? [] : [[column, "A number from 0 to 10,000"]];
  });
}

function missing(rows: Row[], columns: number[]): Problems {
  return each(rows, (row) =>
    columns.filter((column) => key(row[column]) === "").map((column) => [column, "Missing"] as [number, string]),
  );
}

/** A row that says again what an earlier one says. */
function twice(rows: Row[], columns: number[]): Problems {
  const seen = new Set<string>();
  return each(rows, (row) => {
    const name = JSON.stringify(columns.map((column) => key(row[column])));
    if (!columns.every((column) => key(row[column]))) return [];
    if (seen.has(name)) return [[columns.at(-1)!, "Twice in this table"]];
    seen.add(name);
    return [];
  });
}

/** A word that already belongs to an earlier row. */
function shared(rows: Row[]): Problems {
  const owners = new Map<string, string>();
  return each(rows, ([name = "", list = ""]) => {
    const taken = split(list).find((word) => (owners.get(key(word)) ?? name) !== name);
    split(list).forEach((word) => owners.has(key(word)) || owners.set(key(word), name));
    return taken === undefined ? [] : [[1, `“${taken}” already belongs to ${owners.get(key(taken))}`]];
  });
}

function each(rows: Row[], wrong: (row: Row) => [number, string][]): Problems {
  return Object.fromEntries(
    rows.flatMap((row, i) => (isBlank(row) ? [] : wrong(row).map(([column, said]) => [at(i, column), said] as const))),
  );
}

/** Nothing is written in it; whether it is for an item or a class is always there. */
const isBlank = (row: Row) => (row.length === 4 ? row.slice(1) : row).every((cell) => cell.trim() === "");
