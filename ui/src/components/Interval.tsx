import { percent } from "../lib/format";
import type { Metric } from "../api/types";
import css from "./interval.module.css";

/** A share with its 95 % interval, as a number and as a bar from 0 to 1. */
export function Interval({
  metric,
  tone = "main",
}: {
  metric: Pick<Metric, "value" | "low" | "high"> | null | undefined;
  tone?: "main" | "quiet";
}) {
  if (!metric) return <span className="muted">–</span>;
  const { value, low, high } = metric;
  const range = `${percent(low)} to ${percent(high)}`;
  return (
    <span className={css.interval} data-tone={tone} title={`${percent(value, 1)}; 95 % interval ${range}`}>
      <span className={css.number}>{percent(value, 1)}</span>
      <svg viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden>
        <rect x="0" y="4.5" width="100" height="1" className={css.track} />
        <rect x={low * 100} y="3" width={Math.max(0.8, (high - low) * 100)} height="4" rx="1" className={css.range} />
        <rect x={Math.min(99, Math.max(0, value * 100 - 0.5))} y="0" width="1.4" height="10" className={css.point} />
      </svg>
      <span className="sr">, 95 % interval {range}</span>
    </span>
  );
}
