import { number } from "../lib/format";
import css from "./barlist.module.css";

/** Names with their amounts, most first; a table that also shows itself. */
export function BarList({
  label,
  unit,
  values,
  limit = 12,
}: {
  label: string;
  /** Absent where values are counted. */
  unit?: string;
  values: Record<string, number>;
  limit?: number;
}) {
  const sorted = Object.entries(values).sort((a, b) => b[1] - a[1]);
  const shown = sorted.slice(0, limit);
  const rest = sorted.slice(limit).reduce((sum, [, value]) => sum + value, 0);
  const most = Math.max(...shown.map(([, value]) => value), 1);
  return (
    <table className={css.bars} aria-label={label}>
      <tbody>
        {shown.map(([name, value]) => (
          <tr key={name}>
            <th scope="row" title={name}>
              {name}
            </th>
            <td aria-hidden>
              <div style={{ width: `${(value / most) * 100}%` }} />
            </td>
            <Amount value={value} unit={unit} />
          </tr>
        ))}
        {rest > 0 && (
          // Without a bar: their sum may exceed the first bar, which is the scale of all others.
          <tr className={css.rest}>
            <th scope="row" colSpan={2}>
              {number(sorted.length - limit)} more
            </th>
            <Amount value={rest} unit={unit} />
          </tr>
        )}
      </tbody>
    </table>
  );
}

function Amount({ value, unit }: { value: number; unit?: string }) {
  return (
    <td className="num" title={`${number(value, 1)} ${unit ?? "times"}`}>
      {number(value)} {unit && <small>{unit}</small>}
    </td>
  );
}
