import { describe, expect, test } from "vitest";
import type { Tables } from "../api/types";
import { joined, lay, pasted, split } from "./grid";
import { faults, sheets, tables } from "./tables";

const none: Tables = { pounds: {}, classes: {}, items: {}, foods: {}, locations: {} };
const builtin: Tables = { ...none, pounds: { box: 15, case: 18 }, foods: { produce: ["kale"] } };
const own: Tables = {
  pounds: { box: 20, sack: 50 },
  classes: { bakery: { crate: 15 } },
  items: { milk: { case: 36, gallon: 8.6 } },
  foods: { produce: ["kohlrabi"] },
  locations: { "Trader Joe's": ["TJs", 'the "big", new one'], Aldi: ["Aldis"] },
};

describe("blocks from spreadsheets", () => {
  test("are cells between tabs, quoted ones whole", () => {
    expect(pasted("milk\tcase\t36\r\neggs\tcase\t40\r\n")).toEqual([
      ["milk", "case", "36"],
      ["eggs", "case", "40"],
    ]);
    expect(pasted('"two\nlines"\t"say ""hi"""\t5" pipe\n\n')).toEqual([["two lines", 'say "hi"', '5" pipe']]);
    expect(pasted("a\t\tb\t")).toEqual([["a", "", "b", ""]]);
    expect(pasted("")).toEqual([]);
  });
  test("are pasted over existing rows and continue below", () => {
    const rows = [
      ["a", "1"],
      ["b", "2"],
    ];
    expect(lay(rows, 1, 1, [["3"], ["4", "left out"]], ["", ""])).toEqual([
      ["a", "1"],
      ["b", "3"],
      ["", "4"],
    ]);
    expect(rows[1]).toEqual(["b", "2"]);
  });
});

test("names in one cell survive a round trip", () => {
  const names = ["TJs", 'the "big", new one', "Aldi"];
  expect(split(joined(names))).toEqual(names);
  expect(split(" a ,, b,")).toEqual(["a", "b"]);
});

describe("the tables as grids", () => {
  test("survive a round trip", () => {
    expect(tables(sheets(own, builtin))).toEqual(own);
    expect(tables(sheets(none, builtin))).toEqual(none);
  });
  test("show every built-in unit first, with pounds only if the file sets them", () => {
    expect(sheets(own, builtin).units).toEqual([
      ["box", "20"],
      ["case", ""],
      ["sack", "50"],
    ]);
  });
  test("accept a decimal comma, and store items in lower case", () => {
    const draft = { ...sheets(none, builtin), exceptions: [["item", "Milk ", "case", "7,5"]] };
    expect(tables(draft).items).toEqual({ milk: { case: 7.5 } });
  });
});

test("errors are shown at their cell", () => {
  expect(faults(sheets(own, builtin), builtin)).toEqual({ units: {}, exceptions: {}, places: {}, foods: {} });
  const wrong = faults(
    {
      units: [
        ["box", "much"],
        ["case", ""],
        ["tub", ""],
        ["Box", "3"],
      ],
      exceptions: [
        ["item", "", "case", "1"],
        ["item", "eggs", "case", "-1"],
        ["item", "Eggs", "case", "2"],
        ["class", "", " ", ""],
      ],
      places: [
        ["Aldi", "A"],
        ["Lidl", "L, a"],
      ],
      foods: [["produce", ""]],
    },
    builtin,
  );
  expect(wrong.units).toEqual({
    "0.1": "A number from 0 to 10,000",
    "2.1": "How many pounds?",
    "3.0": "Twice in this table",
  });
  expect(wrong.exceptions).toEqual({
    "0.1": "Missing",
    "1.3": "A number from 0 to 10,000",
    "2.2": "Twice in this table",
  });
  expect(wrong.places).toEqual({ "1.1": "“a” already belongs to Aldi" });
  expect(wrong.foods).toEqual({ "0.1": "Missing" });
});
