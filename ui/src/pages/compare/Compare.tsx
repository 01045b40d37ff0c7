import { useQueries, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useMemo, useState, type ReactNode } from "react";
import { api, reply } from "../../api/client";
import { runEventsQuery } from "../../api/queries";
import type { RunComparison } from "../../api/types";
import { Card, Empty, PageHead, Skeleton } from "../../components/bits";
import { Chart } from "../../components/Chart";
import { Failure } from "../../components/Failure";
import { Check } from "../../components/form";
import { Interval } from "../../components/Interval";
import layout from "../../components/layout.module.css";
import { RunPill } from "../../components/RunPill";
import { Cell, Table } from "../../components/Table";
import { VerdictPill } from "../../components/VerdictPill";
import { align, smooth } from "../../lib/curve";
import { series } from "../../lib/events";
import { points, significant } from "../../lib/format";
import { shown } from "../../lib/json";
import { titleOf } from "../../lib/scores";
import { useUrl } from "../../shell/url";
import css from "./compare.module.css";
import { PairedCard } from "./PairedCard";

/** Compares runs: curves on one axis, differing settings, metrics. */
export function Compare() {
  const [search] = useUrl();
  const ids = (search.ids ?? "").split(",").filter(Boolean);
  const [log, setLog] = useState(true);
  const query = useQuery({
    queryKey: ["compare", ids],
    queryFn: () => reply(api.GET("/api/v1/runs/compare", { params: { query: { ids: ids.join() } } })),
    enabled: ids.length >= 2,
  });
  const events = useQueries({ queries: ids.map(runEventsQuery) });
  const loaded = events.map((one) => one.data);
  const data = useMemo(() => curves(loaded), [JSON.stringify(loaded.map((one) => one?.length))]);
  if (ids.length < 2)
    return (
      <Empty
        title="Select runs to compare"
        action={
          <Link to="/train" hash="history">
            Open the history
          </Link>
        }
      >
        Select two or more runs in the training history.
      </Empty>
    );
  const lines = ids.map((id, i) => ({ label: id, color: `--series-${(i % SERIES) + 1}` }));
  const names = query.data?.runs ?? [];
  const columns = ids.map((id) => ({
    title: (
      <Link to="/runs/$id" params={{ id }}>
        {id}
      </Link>
    ),
  }));
  return (
    <div className={layout.stack}>
      <PageHead
        title="Compare runs"
        about={
          <span className={layout.row}>
            {names.map((run) => (
              <span key={run.id}>
                {run.id} <RunPill state={run.state} />
              </span>
            ))}
          </span>
        }
      />
      <Card title="Loss" side={<Check label="Log scale" checked={log} onChange={(e) => setLog(e.target.checked)} />}>
        <Chart title="Smoothed loss of each step" data={data} lines={lines} log={log} height={280} />
      </Card>
      {query.isPending && <Skeleton lines={6} height={240} />}
      {query.error && <Failure error={query.error} retry={() => void query.refetch()} />}
      {query.data && (
        <>
          <div className={css.tables}>
            <Numbers comparison={query.data} ids={ids} columns={columns} />
            <Differing comparison={query.data} ids={ids} columns={columns} />
          </div>
          {query.data.paired && <PairedCard paired={query.data.paired} first={ids[0] ?? ""} last={ids.at(-1) ?? ""} />}
        </>
      )}
    </div>
  );
}

interface Part {
  comparison: RunComparison;
  ids: string[];
  columns: { title: ReactNode }[];
}

function Numbers({ comparison: { metrics }, ids, columns }: Part) {
  return (
    <Card title="Metrics on the held-out examples" flush>
      {metrics.length === 0 && <Empty title="None of these runs has been evaluated" />}
      {metrics.length > 0 && (
        <Table label="Metrics" stack columns={["Metric", ...columns, "Last vs. first"]}>
          {metrics.map((metric) => (
            <tr key={metric.name}>
              <th scope="row">{titleOf(metric.name)}</th>
              {metric.values.map((value, i) => (
                <Cell key={ids[i]} label={ids[i]}>
                  {metric.name === "loss" ? significant(value?.value) : <Interval metric={value} />}
                </Cell>
              ))}
              <Cell label="Last vs. first">
                {metric.verdict && <VerdictPill verdict={metric.verdict} />}
                {metric.difference && <Difference {...metric.difference} />}
              </Cell>
            </tr>
          ))}
        </Table>
      )}
    </Card>
  );
}

/** In points of a hundred, with what the same held-out examples allow. */
function Difference({ value, low, high }: { value: number; low: number; high: number }) {
  return (
    <div className={`${css.difference} num`} title="95 % interval of the difference on the same held-out examples">
      {points(value)} points ({points(low)} to {points(high)})
    </div>
  );
}

function Differing({ comparison, ids, columns }: Part) {
  // The path of the same base model is irrelevant.
  const same = !comparison.config.some((row) => row.field === "base.digest");
  const config = comparison.config.filter((row) => !(same && row.field === "base.path"));
  return (
    <Card title="Different settings" flush>
      {config.length === 0 && <Empty title="None">The runs have the same settings.</Empty>}
      {config.length > 0 && (
        <Table label="Settings" stack columns={["Setting", ...columns]}>
          {config.map((row) => (
            <tr key={row.field}>
              <th scope="row">
                <code>{row.field}</code>
              </th>
              {row.values.map((value, i) => (
                <Cell key={ids[i]} label={ids[i]}>
                  <span className={css.value}>{shown(value) || "–"}</span>
                </Cell>
              ))}
            </tr>
          ))}
        </Table>
      )}
    </Card>
  );
}

/** As many as there are colours for. */
const SERIES = 4;

function curves(loaded: (Parameters<typeof series>[0] | undefined)[]): (number | null)[][] {
  const [steps = [], ...columns] = align(loaded.map((events) => series(events ?? []).steps));
  return [steps, ...columns.map((column) => smooth(column, 0.8))];
}
