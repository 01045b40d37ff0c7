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
  unit: string;
  values: Record<string, number>;
  limit?: number;
}) {
  const sorted = Object.entries(values).sort((a, b) => b[1] - a[1]);
  const shown = sorted.slice(0, limit);
  const rest = sorted.slice(limit).reduce((sum, [, value]) => sum + value, 0);
  const rows = rest > 0 ? [...shown, [`${sorted.length - limit} more`, rest] as [string, number]] : shown;
  const most = Math.max(...rows.map(([, value]) => value), 1);
  return (
    <table className={css.bars} aria-label={label}>
      <tbody>
        {rows.map(([name, value]) => (
          <tr key={name}>
            <th scope="row" title={name}>
              {name}
            </th>
            <td aria-hidden>
              <div style={{ width: `${(value / most) * 100}%` }} />
            </td>
            <td className="num" title={`${number(value, 1)} ${unit}`}>
              {number(value)} <small>{unit}</small>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
