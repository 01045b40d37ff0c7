import { useQuery } from "@tanstack/react-query";
import { liveQuery } from "../../api/queries";
import type { Drift } from "../../api/types";
import { exact, number, percent } from "../../lib/format";
import css from "./drift.module.css";
import { HIGH, Plot, WIDE } from "./Plot";

interface Props {
  task: string;
  served: Drift["served"];
}

/** How far the requests of the last days were from the training examples, with the snapshots of continuous learning as ticks. */
export function Periods({ task, served }: Props) {
  const { periods } = served;
  const snapshots = useQuery(liveQuery(task)).data?.snapshots ?? [];
  const first = periods[0];
  const last = periods.at(-1);
  if (!first || !last) return <p className={css.none}>No data yet</p>;
  const long = last.until - first.from;
  const x = (at: number) => ((at - first.from) / long) * WIDE;
  const y = (distance: number) => HIGH - distance * HIGH;
  // A step a period, as each is one comparison.
  const line = periods
    .map(({ from, until, distance }) => `${x(from)},${y(distance.distance)} ${x(until)},${y(distance.distance)}`)
    .join(" ");
  const ticks = snapshots.filter((one) => one.created_at >= first.from && one.created_at <= last.until);
  return (
    <Plot
      label={`Largest difference of shares: ${percent(last.distance.distance)} of the last ${number(last.inputs)} requests`}
      axis={[exact(first.from), exact(last.until)]}
      caption={`Largest difference of shares from the training examples, 0 to 100 %${ticks.length > 0 ? "; ticks: snapshots" : ""}`}
    >
      {ticks.map((one) => (
        <line key={one.seq} x1={x(one.created_at)} x2={x(one.created_at)} y1={HIGH - 10} y2={HIGH} className={css.tick}>
          <title>{one.version ?? `Snapshot ${one.seq}`}</title>
        </line>
      ))}
      <polyline points={line} className={css.now} />
    </Plot>
  );
}
