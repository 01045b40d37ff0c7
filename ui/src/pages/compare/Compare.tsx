import { useQueries, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import { api, reply } from "../../api/client";
import { read, runEventsQuery } from "../../api/queries";
import type { RunComparison } from "../../api/types";
import { Card, Empty, Figure, Figures, Interval, PageHead } from "../../components/bits";
import { Chart } from "../../components/Chart";
import { Loaded } from "../../components/Failure";
import { Check } from "../../components/form";
import layout from "../../components/layout.module.css";
import { RunLink } from "../../components/links";
import { RunPill, VerdictPill } from "../../components/pills";
import { DataTable } from "../../components/Table";
import { align, smooth } from "../../lib/curve";
import { series } from "../../lib/events";
import { clip, number, percent, points, significant } from "../../lib/format";
import { shown } from "../../lib/json";
import { titleOf } from "../../lib/scores";
import { useUrl } from "../../shell/url";
import css from "./compare.module.css";

/** Compares runs: curves on one axis, differing settings, metrics. */
export function Compare() {
  const [search] = useUrl();
  const ids = (search.ids ?? "").split(",").filter(Boolean);
  const [log, setLog] = useState(true);
  const query = useQuery(
    read(["compare", ids], () => reply(api.GET("/api/v1/runs/compare", { params: { query: { ids: ids.join() } } })), {
      enabled: ids.length >= 2,
    }),
  );
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
      <Card title="Loss" side={<Check label="Log scale" checked={log} onCheck={setLog} />}>
        <Chart title="Smoothed loss of each step" data={data} lines={lines} log={log} height={280} />
      </Card>
      <Loaded query={query} lines={6} height={240}>
        {(comparison) => (
          <>
            <div className={css.tables}>
              <Numbers comparison={comparison} ids={ids} />
              <Differing comparison={comparison} ids={ids} />
            </div>
            {comparison.paired && (
              <PairedCard paired={comparison.paired} first={ids[0] ?? ""} last={ids.at(-1) ?? ""} />
            )}
          </>
        )}
      </Loaded>
    </div>
  );
}

interface Part {
  comparison: RunComparison;
  ids: string[];
}

function Numbers({ comparison: { metrics }, ids }: Part) {
  return (
    <Card title="Metrics on the held-out examples" flush>
      <DataTable
        label="Metrics"
        stack
        rows={metrics}
        by={({ name }) => name}
        empty={<Empty title="None of these runs has been evaluated" />}
        columns={[
          { title: "Metric", head: true, cell: ({ name }) => titleOf(name) },
          ...ids.map((id, i) => ({
            title: <RunLink id={id} />,
            label: id,
            cell: ({ name, values }: (typeof metrics)[number]) =>
              name === "loss" ? significant(values[i]?.value) : <Interval metric={values[i]} />,
          })),
          {
            title: "Last vs. first",
            cell: ({ verdict, difference }) => (
              <>
                {verdict && <VerdictPill verdict={verdict} />}
                {difference && <Difference {...difference} />}
              </>
            ),
          },
        ]}
      />
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

function Differing({ comparison, ids }: Part) {
  // The path of the same base model is irrelevant.
  const same = !comparison.config.some((row) => row.field === "base.digest");
  const config = comparison.config.filter((row) => !(same && row.field === "base.path"));
  return (
    <Card title="Different settings" flush>
      <DataTable
        label="Settings"
        stack
        rows={config}
        by={({ field }) => field}
        empty={<Empty title="None">The runs have the same settings.</Empty>}
        columns={[
          { title: "Setting", head: true, cell: ({ field }) => <code>{field}</code> },
          ...ids.map((id, i) => ({
            title: <RunLink id={id} />,
            label: id,
            cell: ({ values }: (typeof config)[number]) => <span className={css.value}>{shown(values[i]) || "–"}</span>,
          })),
        ]}
      />
    </Card>
  );
}

/** As many as there are colours for. */
const SERIES = 4;

function curves(loaded: (Parameters<typeof series>[0] | undefined)[]): (number | null)[][] {
  const [steps = [], ...columns] = align(loaded.map((events) => series(events ?? []).steps));
  return [steps, ...columns.map((column) => smooth(column, 0.8))];
}

type Paired = NonNullable<RunComparison["paired"]>;

/** The last run against the first, example by example: where they differ, and a way to look at each. */
function PairedCard({ paired, first, last }: { paired: Paired; first: string; last: string }) {
  const { wins, losses, ties, differing } = paired;
  return (
    <Card title="Comparison by example" flush>
      <div className={css.paired}>
        <Figures>
          <Figure label="Better" value={number(wins)} sub={`by ${last}`} />
          <Figure label="Worse" value={number(losses)} sub={`by ${last}`} />
          <Figure label="Equal" value={number(ties)} sub="held-out examples" />
        </Figures>
      </div>
      {differing.length > 0 && (
        <DataTable
          label="Different results"
          stack
          rows={differing}
          by={({ id }) => id}
          columns={[
            { title: "Message", head: true, cell: message },
            { title: first, cell: (one) => percent(one.first) },
            { title: last, cell: (one) => percent(one.last) },
            { title: "Difference", nowrap: true, cell: (one) => `${points(one.last - one.first)} points` },
          ]}
        />
      )}
    </Card>
  );
}

const message = ({ id, task, input }: Paired["differing"][number]) => (
  <Link to="/audit" search={{ task, id, state: "all" }}>
    {clip(input.replace(/\s+/g, " "), 110)}
  </Link>
);
