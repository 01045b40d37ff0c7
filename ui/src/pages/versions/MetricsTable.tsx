import type { Evaluation } from "../../api/types";
import { Interval } from "../../components/Interval";
import { Cell, Table } from "../../components/Table";
import { Verdict } from "../../components/VerdictPill";
import { contestantOf, metricOf, titleOf } from "../../lib/scores";

/** Each metric of a version beside the strongest contestant and the bare base, with 95 % intervals. */
export function MetricsTable({ evaluation }: { evaluation: Evaluation }) {
  const { adapter, baseline, base } = evaluation;
  const columns = [
    "Metric",
    "This version",
    contestantOf(baseline?.name ?? ""),
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
            <Cell label="This version">
              <Interval metric={metric} />
            </Cell>
            {baseline && (
              <Cell label={contestantOf(baseline.name)}>
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
