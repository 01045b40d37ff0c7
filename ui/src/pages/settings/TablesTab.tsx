import { useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { api, ifMatch, tagged } from "../../api/client";
import { read } from "../../api/queries";
import type { Schemas, Tables, TablesReply } from "../../api/types";
import { Card, Facts, Notice } from "../../components/bits";
import { Segmented, TextArea } from "../../components/form";
import { Grid } from "../../components/grid/Grid";
import layout from "../../components/layout.module.css";
import { Loaded } from "../../components/Failure";
import { SaveForm } from "../../components/SaveForm";
import { commands } from "../../lib/commands";
import { count, number } from "../../lib/format";
import type { Row } from "../../lib/grid";
import { faults, sheets, tables, type Sheets } from "../../lib/tables";
import { useUrl } from "../../shell/url";
import css from "./settings.module.css";

/** Pounds of a unit, classes of food, other names of places: as grids, or as the file that holds them. */
export function TablesTab() {
  const [search, setUrl] = useUrl();
  const query = useQuery(read(["tables"], () => tagged(api.GET("/api/v1/tables"))));
  const view = search.view === "text" ? "text" : "grid";
  const Editor = view === "text" ? TablesText : TablesGrid;
  return (
    <Loaded query={query} lines={8} height={400}>
      {({ body, etag }) => (
        <div className={layout.stack}>
          <div>
            <Segmented
              label="Editor"
              value={view}
              options={[
                { value: "grid", label: "Grid" },
                { value: "text", label: "Text" },
              ]}
              onPick={(to) => setUrl({ view: to === "text" ? to : undefined })}
            />
          </div>
          <Editor key={`${view} ${etag}`} saved={body} etag={etag} />
        </div>
      )}
    </Loaded>
  );
}

const KINDS = [
  { value: "item", label: "Item" },
  { value: "class", label: "Class" },
];

/** The tables as grids: written in place, checked at once, saved together. */
function TablesGrid({ saved, etag }: { saved: TablesReply; etag: string | null }) {
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

/** The text of the file, and the effective tables. */
function TablesText({ saved, etag }: { saved: TablesReply; etag: string | null }) {
  const [text, setText] = useState(saved.toml);
  return (
    <div className={layout.two}>
      <Card title="tables.toml" side="Overrides the built-in tables">
        <SaveForm
          className={layout.tight}
          save={() => saveTables({ toml: text }, etag)}
          said={SAVED}
          dirty={text !== saved.toml}
          onDiscard={() => setText(saved.toml)}
          list="tables"
          command={commands.putting("/api/v1/tables", { toml: text })}
        >
          <TextArea
            label="Weights, foods and places"
            hint="[pounds] case = 18 · [items.milk] case = 36 · [locations] “Trader Joe's” = [“TJs”]"

            className={css.toml}
            rows={22}
            spellCheck={false}
            value={text}
            onText={setText}
          />
        </SaveForm>
      </Card>
      <TablesView tables={saved.parsed} />
    </div>
  );
}

/** The effective tables: the built-in ones, overridden by the file. */
function TablesView({ tables }: { tables: Tables }) {
  const places = Object.entries(tables.locations);
  const foods = Object.entries(tables.foods);
  const items = Object.entries(tables.items);
  return (
    <div className={layout.stack}>
      <Card title="Pounds per unit">
        <dl className={css.grid}>
          {Object.entries(tables.pounds).map(([unit, pounds]) => (
            <div key={unit}>
              <dt>{unit}</dt>
              <dd className="num">{number(pounds, 2)}</dd>
            </div>
          ))}
        </dl>
      </Card>
      <Card title="Overrides for items" side={<span className="num">{items.length}</span>}>
        <dl className={css.grid}>
          {items.slice(0, 60).map(([name, units]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd className="num">
                {Object.entries(units)
                  .map(([unit, pounds]) => `${unit} ${number(pounds, 2)}`)
                  .join(", ")}
              </dd>
            </div>
          ))}
        </dl>
      </Card>
      <Card title="Food words" side={<span className="num">{foods.length}</span>}>
        <Facts rows={foods.map(([name, words]) => [name, words.join(", ")])} />
      </Card>
      <Card title="Place aliases" side={<span className="num">{places.length}</span>}>
        <Facts rows={places.slice(0, 80).map(([place, names]) => [place, names.join(", ")])} />
      </Card>
    </div>
  );
}

export const SAVED = "Pounds are now computed with the new tables.";

/** Saves the tables in either form. */
const saveTables = (body: Schemas["NewTables"], etag: string | null) =>
  api.PUT("/api/v1/tables", { body, params: { header: ifMatch(etag) } });
