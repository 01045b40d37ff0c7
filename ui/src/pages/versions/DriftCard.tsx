import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { driftQuery } from "../../api/queries";
import type { Drift } from "../../api/types";
import { Card, Notice, Pill, Skeleton } from "../../components/bits";
import { Failure } from "../../components/Failure";
import { Interval } from "../../components/Interval";
import { TimeAgo } from "../../components/TimeAgo";
import { number, percent } from "../../lib/format";
import css from "./drift.module.css";
import { Periods } from "./Periods";
import { SharesBelow } from "./SharesBelow";

const STATES: Record<Drift["state"], { tone: "plain" | "good" | "warn"; word: string }> = {
  stable: { tone: "good", word: "Stable" },
  drifting: { tone: "warn", word: "Drifting" },
  unknown: { tone: "plain", word: "Cannot tell yet" },
};

/** Drift: compares people's decisions on a version's suggestions with its evaluation. */
export function DriftCard({ task, version }: { task: string; version: string }) {
  const { data, error, refetch } = useQuery(driftQuery(task, version));
  return (
    <Card
      id="drift"
      title="Drift"
      side={
        data?.measured_at && (
          <span>
            Against the held-out examples, measured <TimeAgo at={data.measured_at} />
          </span>
        )
      }
    >
      {error && !data ? (
        <Failure error={error} retry={() => void refetch()} />
      ) : data ? (
        <Signals drift={data} />
      ) : (
        <Skeleton lines={6} height={260} />
      )}
    </Card>
  );
}

function Signals({ drift }: { drift: Drift }) {
  const { overrides, confidence, inputs, served } = drift;
  const { window, reference, differing } = overrides;
  return (
    <div className={css.drift}>
      {drift.state === "drifting" && <ToDo task={drift.task} version={drift.version ?? ""} />}
      <div className={css.signals}>
        <Signal title="Changed by people" {...overrides}>
          <dl className={css.shares}>
            <dt>Now</dt>
            <dd>
              <Interval metric={window && { value: window.share, low: window.low, high: window.high }} />
            </dd>
            <dt>Held-out examples</dt>
            <dd>
              <Interval
                tone="quiet"
                metric={reference && { value: reference.share, low: reference.low, high: reference.high }}
              />
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
        <Signal title="Length of messages" {...inputs}>
          <SharesBelow shift={inputs} what="Characters" now="now" then="training examples" show={number} />
        </Signal>
        <Signal title="Requests" {...served}>
          <Periods task={drift.task} served={served} />
        </Signal>
      </div>
    </div>
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
