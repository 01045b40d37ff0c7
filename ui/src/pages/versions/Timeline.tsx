import { useQuery } from "@tanstack/react-query";
import { liveQuery } from "../../api/queries";
import { TimeAgo } from "../../components/bits";
import css from "./drift.module.css";
import { HIGH, Plot, WIDE } from "./Plot";

interface Step {
  from: number;
  until: number;
  /** Absent where nothing is known of this time. */
  value: number | null | undefined;
}

interface Props {
  task: string;
  label: string;
  caption: string;
  steps: Step[];
  /** The value at the upper end. */
  high: number;
  /** What the values are compared with. */
  reference?: number | undefined;
}

/** A value over time, with the snapshots of continuous learning as ticks. */
export function Timeline({ task, label, caption, steps, high, reference }: Props) {
  const snapshots = useQuery(liveQuery(task)).data?.snapshots ?? [];
  const from = steps[0]?.from ?? 0;
  const until = steps.at(-1)?.until ?? 0;
  const x = (at: number) => ((at - from) / Math.max(until - from, 1)) * WIDE;
  const y = (value: number) => HIGH * (1 - value / (high || 1));
  const ticks = snapshots.filter((one) => one.created_at >= from && one.created_at <= until);
  // A step for each period, as each is one comparison; a gap where nothing is known.
  const line = steps
    .map(({ from, until, value }, i) => {
      if (value == null) return "";
      const joined = i > 0 && steps[i - 1]?.value != null;
      return `${joined ? "L" : "M"}${x(from)} ${y(value)}L${x(until)} ${y(value)}`;
    })
    .join("");
  return (
    <Plot
      label={label}
      axis={[<TimeAgo key="from" at={from} />, <TimeAgo key="until" at={until} />]}
      caption={`${caption}${ticks.length > 0 ? "; ticks: snapshots" : ""}`}
    >
      {ticks.map((one) => (
        <line key={one.seq} x1={x(one.created_at)} x2={x(one.created_at)} y1={HIGH - 10} y2={HIGH} className={css.tick}>
          <title>{one.version ?? `Snapshot ${one.seq}`}</title>
        </line>
      ))}
      {reference != null && <line x1={0} x2={WIDE} y1={y(reference)} y2={y(reference)} className={css.then} />}
      <path d={line} className={css.now} />
    </Plot>
  );
}
