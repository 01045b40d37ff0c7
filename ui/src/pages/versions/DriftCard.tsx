import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { driftQuery } from "../../api/queries";
import type { Drift, Shift, Spread } from "../../api/types";
import { Card, Interval, Notice, Pill, TimeAgo } from "../../components/bits";
import { Loaded } from "../../components/Failure";
import { DataTable } from "../../components/Table";
import { number, percent } from "../../lib/format";
import css from "./drift.module.css";
import { HIGH, Plot, WIDE } from "./Plot";
import { OverTime, Periods } from "./Periods";

const STATES: Record<Drift["state"], { tone: "plain" | "good" | "warn"; word: string }> = {
  stable: { tone: "good", word: "Stable" },
  drifting: { tone: "warn", word: "Drifting" },
  unknown: { tone: "plain", word: "Cannot tell yet" },
};

/** Drift: compares people's decisions on a version's suggestions with its evaluation. */
export function DriftCard({ task, version }: { task: string; version: string }) {
  const query = useQuery(driftQuery(task, version));
  const measured = query.data?.measured_at;
  return (
    <Card
      id="drift"
      title="Drift"
      side={
        measured && (
          <span>
            Against the held-out examples, measured <TimeAgo at={measured} />
          </span>
        )
      }
    >
      <Loaded query={query} lines={6} height={260}>
        {(drift) => <Signals drift={drift} />}
      </Loaded>
    </Card>
  );
}

function Signals({ drift }: { drift: Drift }) {
  const { overrides, confidence, answers, inputs, served } = drift;
  const { window, reference, differing } = overrides;
  return (
    <div className={css.drift}>
      {drift.state === "drifting" && <ToDo task={drift.task} version={drift.version ?? ""} />}
      <div className={css.signals}>
        <Signal title="Changed by people" {...overrides}>
          <dl className={css.shares}>
            <dt>Now</dt>
            <dd>
              <Interval metric={window && { ...window, value: window.share }} />
            </dd>
            <dt>Held-out examples</dt>
            <dd>
              <Interval tone="quiet" metric={reference && { ...reference, value: reference.share }} />
            </dd>
            <dt>Expected</dt>
            <dd className="num">{percent(overrides.promised, 1)}</dd>
            <dt>Fields changed</dt>
            <dd className="num">
              {differing
                ? `${percent(differing.mean)} on average, ${percent(differing.p95)} at the 95th percentile`
                : "–"}
            </dd>
          </dl>
        </Signal>
        <Signal title="Confidence" {...confidence}>
          <SharesBelow shift={confidence} what="Confidence" now="now" then="held-out examples" show={percent} />
        </Signal>
        <Signal title="Answers" {...answers}>
          <Moved moved={answers.moved} window={answers.window} />
        </Signal>
        <Signal title="Length of messages" {...inputs}>
          <SharesBelow shift={inputs} what="Characters" now="now" then="training examples" show={number} />
        </Signal>
        <Signal title="Requests" {...served}>
          <Periods task={drift.task} served={served} />
        </Signal>
      </div>
      <OverTime drift={drift} />
    </div>
  );
}

/** What became more or less frequent. */
function Moved({ moved, window }: { moved: Drift["answers"]["moved"]; window: number }) {
  if (moved.length === 0) {
    return <p className={css.none}>{window > 0 ? "Nothing has changed" : "No data yet"}</p>;
  }
  return (
    <DataTable
      label="What changed"
      rows={moved}
      by={({ what }) => what}
      columns={[
        { title: "Answers with", cell: ({ what }) => what },
        { title: "Now", cell: ({ now }) => percent(now), right: true },
        { title: "Held-out examples", cell: ({ then }) => percent(then), right: true },
      ]}
    />
  );
}

function ToDo({ task, version }: { task: string; version: string }) {
  return (
    <Notice tone="warn" title={`${version} has drifted.`}>
      <Link to="/audit" search={{ task, state: "pending", order: "uncertain" }}>
        Audit messages with low confidence
      </Link>
      , then{" "}
      <Link to="/train" search={{ task }}>
        train again
      </Link>{" "}
      with the new answers.
    </Notice>
  );
}

function Signal(props: { title: string; state: Drift["state"]; text: string; test: string; children: ReactNode }) {
  const { tone, word } = STATES[props.state];
  return (
    <section className={css.signal} aria-label={props.title}>
      <header>
        <h3>{props.title}</h3>
        <Pill tone={tone}>{word}</Pill>
      </header>
      {props.children}
      <p>{props.text}</p>
      <p className={css.test}>{props.test}</p>
    </section>
  );
}

interface Props {
  shift: Shift;
  /** What is counted. */
  what: string;
  now: string;
  then: string;
  show: (value: number) => string;
}

/** Two samples as the share at or below each value: where the lines part, something has changed. */
function SharesBelow({ shift, what, now, then, show }: Props) {
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
    <Plot
      label={`${what}: ${now} ${said(window)}, ${then} ${said(reference)}`}
      axis={[show(low), what, show(high)]}
      caption={
        <>
          Share at or below: <span className={css.nowKey}>{now}</span>, <span className={css.thenKey}>{then}</span>
        </>
      }
    >
      {reference && <polyline points={line(reference)} className={css.then} />}
      {window && <polyline points={line(window)} className={css.now} />}
    </Plot>
  );
}
