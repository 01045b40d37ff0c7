import { useMemo, useState } from "react";
import type { TablesReply } from "../../api/types";
import { Card, Notice } from "../../components/bits";
import { Grid } from "../../components/grid/Grid";
import layout from "../../components/layout.module.css";
import { SaveForm } from "../../components/SaveForm";
import { commands } from "../../lib/commands";
import { count, number } from "../../lib/format";
import type { Row } from "../../lib/grid";
import { faults, sheets, tables, type Sheets } from "../../lib/tables";
import css from "./settings.module.css";
import { saveTables, SAVED } from "./saveTables";

const KINDS = [
  { value: "item", label: "Item" },
  { value: "class", label: "Class" },
];

/** The tables as grids: written in place, checked at once, saved together. */
export function TablesGrid({ saved, etag }: { saved: TablesReply; etag: string | null }) {
  const { own, builtin, toml } = saved;
  const before = useMemo(() => sheets(own, builtin), [own, builtin]);
  const [draft, setDraft] = useState(before);
  const wrong = faults(draft, builtin);
  const problems = Object.values(wrong).flatMap((found) => Object.values(found)).length;
  const dirty = JSON.stringify(draft) !== JSON.stringify(before);
  const part = (sheet: keyof Sheets) => ({
    rows: draft[sheet],
    onChange: (rows: Row[]) => setDraft((old) => ({ ...old, [sheet]: rows })),
    problems: wrong[sheet],
  });
  const units = Object.keys(builtin.pounds);
  const classes = Object.keys(builtin.foods);
  const pounds = { title: "Pounds", kind: "number" as const, example: "0" };
  return (
    <SaveForm
      className={`${layout.stack} ${css.tables}`}
      save={() => saveTables({ own: tables(draft) }, etag)}
      said={SAVED}
      dirty={dirty}
      ready={problems === 0}
      onDiscard={() => setDraft(before)}
      list="tables"
      command={commands.putting("/api/v1/tables", { own: tables(draft) })}
    >
      <p className={css.help}>
        Enter and the arrow keys move between rows, Ctrl+Backspace removes a row, and rows from a spreadsheet can be
        pasted into any cell.
      </p>
      <div className={layout.two}>
        <Card title="Pounds per unit" side="Grey: built-in value" flush>
          <Grid
            label="Pounds per unit"
            noun="unit"
            columns={[{ title: "Unit", example: "New unit" }, pounds]}
            fixed={units.map((unit) => [unit, number(builtin.pounds[unit], 2)])}
            {...part("units")}
          />
        </Card>
        <div className={layout.stack}>
          <Card title="Exceptions" side="Order: item, class, unit" flush>
            <Grid
              label="Exceptions"
              noun="exception"
              columns={[
                { title: "For", options: KINDS },
                { title: "Name", example: "milk" },
                { title: "Unit", known: [...units, "lb"], example: "case" },
                pounds,
              ]}
              {...part("exceptions")}
            />
          </Card>
          <Card title="Place aliases" flush>
            <Grid
              label="Place aliases"
              noun="place"
              columns={[
                { title: "Place", example: "Trader Joe's" },
                { title: "Aliases", kind: "names", example: "TJs, Trader Joes" },
              ]}
              {...part("places")}
            />
          </Card>
          <Card title="Food words" side="In addition to the built-in words" flush>
            <Grid
              label="Food words"
              noun="class"
              columns={[
                { title: "Class of food", known: classes, example: "produce" },
                { title: "Words", kind: "names", example: "kohlrabi, romanesco" },
              ]}
              {...part("foods")}
            />
          </Card>
        </div>
      </div>
      {problems > 0 && (
        <Notice tone="warn" title={`${count(problems, "cell")} with an error. Correct them before you save.`} />
      )}
      {dirty && /^\s*#/m.test(toml) && (
        <Notice title="tables.toml has comments.">Saving here removes them. Use “Text” to keep them.</Notice>
      )}
    </SaveForm>
  );
}
