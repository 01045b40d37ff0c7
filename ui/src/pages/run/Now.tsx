import { useEffect, useState } from "react";
import type { Event, RunDetail } from "../../api/types";
import { Card, Figure, Figures, Progress } from "../../components/bits";
import { isActive, secondsOf } from "../../lib/runs";
import { bytes, dollars, duration, label, number, percent as share, significant } from "../../lib/format";
import { lastScores, newest, phases, scoredOf, TRACKERS } from "../../lib/events";
import css from "./run.module.css";

/** The state of a run: phases, progress, and current metrics. */
export function Now({ detail, live }: { detail: RunDetail; live: { events: Event[]; heard: number | null } }) {
  const { run } = detail;
  const active = isActive(run.state);
  const step = newest(live.events, "step");
  const facts = newest(live.events, "prepared");
  const answers = active || run.kind === "evaluate" ? newest(live.events, "answered") : undefined;
  const progress = detail.progress;
  const scores = lastScores(live.events) ?? progress?.held_out?.scores;
  const done = step ? (step.step / Math.max(1, step.of)) * 100 : null;
  const percent = run.state === "succeeded" ? 100 : (progress?.percent ?? done);
  const seconds = secondsOf(run);
  const loss = active ? (step?.loss ?? null) : (run.final_loss ?? step?.loss ?? null);
  return (
    <Card>
      <div className={css.now}>
        <ol className={css.phases} aria-label="Phases">
          {phases(live.events, run).map((phase) => (
            <li key={phase.name} data-state={phase.state} aria-current={phase.state === "now" ? "step" : undefined}>
              <i aria-hidden>
                {phase.state === "done" ? "✓" : phase.state === "failed" ? "✕" : phase.state === "cancelled" ? "■" : ""}
              </i>
              {label(phase.name)}
              {phase.seconds !== undefined && <small className="num">{duration(phase.seconds)}</small>}
            </li>
          ))}
        </ol>
        <div>
          <Progress value={percent} label="Progress of the run" />
          <p className={css.line}>
            <span className="num">
              {answers
                ? `Answer ${number(answers.done)} of ${number(answers.of)}`
                : run.phase === "download" && active && progress
                  ? `Base model: ${bytes(progress.step)} of ${bytes(progress.of)}`
                  : step
                    ? `Step ${number(step.step)} of ${number(step.of)}`
                    : run.state === "queued"
                      ? "Waiting in the queue"
                      : label(run.state)}
              {percent != null && active ? ` · ${Math.round(percent)} %` : ""}
            </span>
            <span className="num">
              {detail.attempts > 1 && `Attempt ${detail.attempts}`}
              {detail.attempts > 1 && active && " · "}
              {active && <Heard at={live.heard} />}
            </span>
          </p>
        </div>
        {detail.waiting && (
          <p role="status" className={css.stale}>
            {detail.waiting.why}
          </p>
        )}
        {detail.tracking.map((tracked) => (
          <Tracked key={tracked.tracker} tracked={tracked} />
        ))}
        <Figures>
          <Figure
            label={active ? "Time left" : "Duration"}
            value={duration(active ? (progress?.eta_s ?? (answers ? null : step?.eta_s)) : seconds)}
            sub={active ? `${duration(seconds)} so far` : undefined}
          />
          {detail.rentals.length > 0 && <Cost rentals={detail.rentals} />}
          {run.kind === "evaluate" ? (
            <Figure label="Held out" value={number(run.eval_samples)} sub="examples" />
          ) : (
            <>
              <Figure label={active ? "Loss" : "Held-out loss"} value={significant(loss)} />
              {scores && (
                <Figure
                  label="Accuracy in training"
                  value={share(scores.accuracy)}
                  sub={`${scores.f1 == null ? "" : `F1 ${share(scores.f1)}, `}${scoredOf(scores, facts?.eval)}`}
                />
              )}
              <Figure label="Learning rate" value={significant(step?.lr)} />
              <Figure label="Tokens per second" value={number(step?.tokens_per_s)} />
              <Figure
                label="Memory"
                value={bytes(step?.memory ?? facts?.memory)}
                sub={step?.memory ? `${bytes(facts?.memory)} predicted peak` : "Predicted peak"}
              />
              <Figure
                label="Samples"
                value={number(run.train_samples ?? facts?.train)}
                sub={`${number(run.eval_samples ?? facts?.eval)} held out`}
              />
            </>
          )}
        </Figures>
      </div>
    </Card>
  );
}

/** The cost of the rented machines so far, or in total. */
function Cost({ rentals }: { rentals: RunDetail["rentals"] }) {
  const cents = rentals.reduce((sum, rental) => sum + rental.cents, 0);
  const open = rentals.some((rental) => rental.state !== "ended");
  const kinds = [...new Set(rentals.map((rental) => `${rental.kind} in ${rental.region}`))].join(", ");
  return <Figure label={open ? "Cost so far" : "Cost"} value={dollars(cents)} sub={kinds} />;
}

/** The age of the newest event; warns if it is old. */
function Heard({ at }: { at: number | null }) {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1_000);
    return () => clearInterval(timer);
  }, []);
  if (at === null) return <>Waiting for events …</>;
  const seconds = Math.max(0, (now - at) / 1000);
  return seconds > 60 ? (
    <strong className={css.stale}>No events for {duration(seconds)}</strong>
  ) : (
    <>Live · {seconds < 1.5 ? "now" : `${seconds.toFixed(0)} s ago`}</>
  );
}

const STATES = { waiting: "is updated soon", following: "follows", failing: "", sent: "is up to date" };

/** The state of a tracker for this run. */
function Tracked({ tracked }: { tracked: RunDetail["tracking"][number] }) {
  const name = TRACKERS[tracked.tracker];
  return (
    <p role={tracked.error ? "status" : undefined} className={tracked.error ? css.stale : css.line}>
      <span>
        {tracked.url ? (
          <a href={tracked.url} target="_blank" rel="noreferrer">
            {name}
          </a>
        ) : (
          name
        )}{" "}
        {tracked.error ? `could not be updated: ${tracked.error}. Graft retries.` : STATES[tracked.state]}
      </span>
    </p>
  );
}
