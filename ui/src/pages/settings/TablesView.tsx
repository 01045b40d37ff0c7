import { Card } from "../../components/bits";
import { Facts } from "../../components/Facts";
import layout from "../../components/layout.module.css";
import { number } from "../../lib/format";
import type { Tables } from "../../api/types";
import css from "./settings.module.css";

/** The effective tables: the built-in ones, overridden by the file. */
export function TablesView({ tables }: { tables: Tables }) {
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
