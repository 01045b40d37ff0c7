import type { Shift, Spread } from "../../api/types";
import css from "./drift.module.css";

const WIDE = 240;
const HIGH = 96;

interface Props {
  shift: Shift;
  /** What is counted. */
  what: string;
  now: string;
  then: string;
  show: (value: number) => string;
}

/** Two samples as the share at or below each value: where the lines part, something has changed. */
export function SharesBelow({ shift, what, now, then, show }: Props) {
  const { window, reference } = shift;
  const all = [window, reference].flatMap((sample) => sample?.deciles ?? []);
  const low = Math.min(...all);
  const high = Math.max(...all);
  if (all.length === 0) return <p className={css.none}>No data yet</p>;
  const line = (sample: Spread) =>
    sample.deciles
      .map((value, i) => `${high > low ? ((value - low) / (high - low)) * WIDE : WIDE / 2},${HIGH - (i / 10) * HIGH}`)
      .join(" ");
  const said = (sample: Spread | null | undefined) => (sample ? `median ${show(sample.deciles[5] ?? 0)}` : "nothing");
  return (
    <figure className={css.plot}>
      <svg
        viewBox={`-2 -2 ${WIDE + 4} ${HIGH + 4}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`${what}: ${now} ${said(window)}, ${then} ${said(reference)}`}
      >
        {[0, 0.5, 1].map((tick) => (
          <line key={tick} x1={0} x2={WIDE} y1={tick * HIGH} y2={tick * HIGH} className={css.grid} />
        ))}
        {reference && <polyline points={line(reference)} className={css.then} />}
        {window && <polyline points={line(window)} className={css.now} />}
      </svg>
      <div className={css.axis} aria-hidden>
        <span>{show(low)}</span>
        <span>{what}</span>
        <span>{show(high)}</span>
      </div>
      <figcaption>
        Share at or below: <span className={css.nowKey}>{now}</span>, <span className={css.thenKey}>{then}</span>
      </figcaption>
    </figure>
  );
}
