import type { Evaluation } from "../../api/types";
import { Interval } from "../../components/Interval";
import { Cell, Table } from "../../components/Table";
import { Verdict } from "../../components/VerdictPill";
import { label } from "../../lib/format";
import { metricOf, titleOf } from "../../lib/scores";

/** Each metric of the adapter beside the baseline and the bare base, with 95 % intervals. */
export function MetricsTable({ evaluation }: { evaluation: Evaluation }) {
  const { adapter, baseline, base } = evaluation;
  const columns = [
    "Metric",
    "Adapter",
    label(baseline?.name ?? ""),
    base ? "Base model alone" : "",
    baseline ? "Comparison" : "",
  ].filter(Boolean);
  return (
    <Table label="Metrics" columns={columns} stack>
      {adapter.metrics.map((metric) => {
        const rival = metricOf(baseline?.scores, metric.name);
        return (
          <tr key={metric.name}>
            <th scope="row">
              {titleOf(metric.name)}
              {metric.name === adapter.headline && (
                <span className="muted" title="Metric that decides between versions">
                  {" "}
                  ★<span className="sr">metric that decides between versions</span>
                </span>
              )}
            </th>
            <Cell label="Adapter">
              <Interval metric={metric} />
            </Cell>
            {baseline && (
              <Cell label={label(baseline.name)}>
                <Interval metric={rival} tone="quiet" />
              </Cell>
            )}
            {base && (
              <Cell label="Base model alone">
                <Interval metric={metricOf(base, metric.name)} tone="quiet" />
              </Cell>
            )}
            {baseline && (
              <Cell label="Comparison">
                <Verdict mine={metric} other={rival} n={adapter.n} />
              </Cell>
            )}
          </tr>
        );
      })}
    </Table>
  );
}
