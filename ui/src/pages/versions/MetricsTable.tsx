import type { Evaluation, Metric } from "../../api/types";
import { Interval } from "../../components/bits";
import { DataTable } from "../../components/Table";
import { Verdict } from "../../components/pills";
import { BASE, contestantOf, metricOf, titleOf } from "../../lib/scores";

/** Each metric of a version beside the strongest contestant and the bare base, with 95 % intervals. */
export function MetricsTable({ evaluation }: { evaluation: Evaluation }) {
  const { adapter, baseline, base } = evaluation;
  const other = (metric: Metric) => metricOf(baseline?.scores, metric.name);
  return (
    <DataTable
      label="Metrics"
      stack
      rows={adapter.metrics}
      by={({ name }) => name}
      columns={[
        { title: "Metric", head: true, cell: ({ name }) => <Name name={name} decides={name === adapter.headline} /> },
        { title: "This version", cell: (metric) => <Interval metric={metric} /> },
        baseline && {
          title: contestantOf(baseline.name),
          cell: (metric) => <Interval metric={other(metric)} tone="quiet" />,
        },
        base && { title: BASE, cell: (metric) => <Interval metric={metricOf(base, metric.name)} tone="quiet" /> },
        baseline && {
          title: "Comparison",
          cell: (metric) => <Verdict mine={metric} other={other(metric)} n={adapter.n} />,
        },
      ]}
    />
  );
}

function Name({ name, decides }: { name: string; decides: boolean }) {
  return (
    <>
      {titleOf(name)}
      {decides && (
        <span className="muted" title="Metric that decides between versions">
          {" "}
          ★<span className="sr">metric that decides between versions</span>
        </span>
      )}
    </>
  );
}
