import { Fragment, useEffect, useState, type ReactNode } from "react";
import type { Metric } from "../api/types";
import { ago, exact, percent } from "../lib/format";
import css from "./bits.module.css";
import { Icon } from "./Icon";
import layout from "./layout.module.css";

type Tone = "plain" | "good" | "bad" | "warn";

/** A state as a label, with a mark for people who cannot see its colour. */
export function Pill({ tone = "plain", dot, children }: { tone?: Tone; dot?: "live" | "still"; children: ReactNode }) {
  return (
    <span className={`${css.pill} ${css[tone]}`}>
      {dot && <span className={dot === "live" ? css.live : css.dot} aria-hidden />}
      {children}
    </span>
  );
}

/** A titled part of a page. */
export function Card(props: {
  title?: ReactNode;
  side?: ReactNode;
  flush?: boolean;
  children: ReactNode;
  id?: string;
}) {
  return (
    <section className={css.card} id={props.id}>
      {(props.title || props.side) && (
        <header className={css.cardHead}>
          {props.title && <h2>{props.title}</h2>}
          {props.side && <div className={css.side}>{props.side}</div>}
        </header>
      )}
      <div className={props.flush ? undefined : css.cardBody}>{props.children}</div>
    </section>
  );
}

/** The head of a page: title, one line of description, actions. */
export function PageHead({ title, about, children }: { title: string; about?: ReactNode; children?: ReactNode }) {
  return (
    <header className={css.pageHead}>
      <div>
        <h1>{title}</h1>
        {about && <p className={css.about}>{about}</p>}
      </div>
      {children && <div className={css.actions}>{children}</div>}
    </header>
  );
}

/** An empty state with the next action. */
export function Empty({ title, children, action }: { title: string; children?: ReactNode; action?: ReactNode }) {
  return (
    <div className={css.empty}>
      <h3>{title}</h3>
      {children && <p>{children}</p>}
      {action}
    </div>
  );
}

/** A notice. */
export function Notice({ tone = "plain", title, children }: { tone?: Tone; title?: ReactNode; children?: ReactNode }) {
  return (
    <div className={`${css.notice} ${css[tone]}`} role={tone === "bad" ? "alert" : undefined}>
      {tone !== "plain" && <Icon name={tone === "good" ? "check" : "warn"} />}
      <div>
        {title && <strong>{title}</strong>}
        {children && <div>{children}</div>}
      </div>
    </div>
  );
}

/** A placeholder during loading, so that the layout does not jump. */
export function Skeleton({ lines = 3, height }: { lines?: number; height?: number }) {
  return (
    <div className={css.skeleton} role="status" style={{ minHeight: height }}>
      <span className="sr">Loading</span>
      {Array.from({ length: lines }, (_, i) => (
        <div key={i} style={{ width: `${92 - ((i * 23) % 47)}%` }} aria-hidden />
      ))}
    </div>
  );
}

/** A progress bar; the text beside it names the operation. */
export function Progress({ value, label }: { value: number | null | undefined; label: string }) {
  const known = value != null && Number.isFinite(value);
  return (
    <div
      className={css.progress}
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={known ? Math.round(value) : undefined}
    >
      <div style={{ transform: `scaleX(${known ? Math.min(1, value / 100) : 0})` }} />
    </div>
  );
}

/** One number with its name. */
export function Figure({
  label,
  value,
  title,
  sub,
}: {
  label: string;
  value: ReactNode;
  title?: string;
  sub?: ReactNode;
}) {
  return (
    <div className={css.figure} title={title}>
      <dt>{label}</dt>
      <dd className="num">{value}</dd>
      {sub && <dd className={css.sub}>{sub}</dd>}
    </div>
  );
}

export function Figures({ children }: { children: ReactNode }) {
  return <dl className={css.figures}>{children}</dl>;
}

/** A time as people say it; the exact one on hover. */
export function TimeAgo({ at }: { at: number | null | undefined }) {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 30_000);
    return () => clearInterval(timer);
  }, []);
  if (at == null) return <>–</>;
  return (
    <time dateTime={new Date(at).toISOString()} title={exact(at)} className="num">
      {ago(at, now)}
    </time>
  );
}

/** Names and values in two columns. */
export function Facts({ rows, mono }: { rows: [name: string, value: ReactNode][]; mono?: boolean }) {
  return (
    <dl className={layout.facts}>
      {rows.map(([name, value]) => (
        <Fragment key={name}>
          <dt className={mono ? "mono" : undefined}>{name}</dt>
          <dd className={mono ? "mono" : "num"}>{value}</dd>
        </Fragment>
      ))}
    </dl>
  );
}

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
