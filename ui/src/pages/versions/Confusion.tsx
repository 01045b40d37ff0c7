import type { Scores } from "../../api/types";
import { Card } from "../../components/bits";
import { Table } from "../../components/Table";
import { number } from "../../lib/format";

/** Confusion matrix. */
export function Confusion({ confusion }: { confusion: NonNullable<Scores["confusion"]> }) {
  const { labels, counts } = confusion;
  const columns = ["Correct ╲ predicted", ...labels, "No answer"];
  return (
    <Card title="Confusion matrix" flush>
      <Table label="Confusion" columns={columns.map((title, i) => ({ title, right: i > 0 }))}>
        {labels.map((label, i) => {
          const row = counts[i] ?? [];
          const sum = Math.max(
            1,
            row.reduce((a, b) => a + b, 0),
          );
          return (
            <tr key={label}>
              <th scope="row">{label}</th>
              {row.map((value, j) => (
                <td
                  key={j}
                  className="num"
                  style={{
                    textAlign: "right",
                    background: `color-mix(in srgb, var(${i === j ? "--accent" : "--danger"}) ${Math.round((value / sum) * 30)}%, transparent)`,
                  }}
                >
                  {number(value)}
                </td>
              ))}
            </tr>
          );
        })}
      </Table>
    </Card>
  );
}
