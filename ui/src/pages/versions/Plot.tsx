import type { ReactNode } from "react";
import css from "./drift.module.css";

export const WIDE = 240;
export const HIGH = 96;

interface Props {
  label: string;
  /** Below the axis: its ends, and what it counts between them. */
  axis: ReactNode[];
  caption: ReactNode;
  children: ReactNode;
}

/** A small plot of WIDE by HIGH units with three lines of a grid. */
export function Plot({ label, axis, caption, children }: Props) {
  return (
    <figure className={css.plot}>
      <svg viewBox={`-2 -2 ${WIDE + 4} ${HIGH + 4}`} preserveAspectRatio="none" role="img" aria-label={label}>
        {[0, 0.5, 1].map((tick) => (
          <line key={tick} x1={0} x2={WIDE} y1={tick * HIGH} y2={tick * HIGH} className={css.grid} />
        ))}
        {children}
      </svg>
      <div className={css.axis} aria-hidden>
        {axis.map((text, i) => (
          <span key={i}>{text}</span>
        ))}
      </div>
      <figcaption>{caption}</figcaption>
    </figure>
  );
}
