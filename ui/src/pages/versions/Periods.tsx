import type { Drift } from "../../api/types";
import { number, percent } from "../../lib/format";
import css from "./drift.module.css";
import { Timeline } from "./Timeline";

/** How far the requests of the last days were from the training examples. */
export function Periods({ task, served }: { task: string; served: Drift["served"] }) {
  const last = served.periods.at(-1);
  if (!last) return <p className={css.none}>No data yet</p>;
  return (
    <Timeline
      task={task}
      label={`Largest difference of shares: ${percent(last.distance.distance)} of the last ${number(last.inputs)} requests`}
      caption="Largest difference of shares from the training examples, 0 to 100 %"
      steps={served.periods.map(({ from, until, distance }) => ({ from, until, value: distance.distance }))}
      high={1}
    />
  );
}

/** The signals of suggestions as small multiples over time, all with the same axis. */
export function OverTime({ drift }: { drift: Drift }) {
  const { task, periods, overrides, confidence, inputs } = drift;
  const last = periods.at(-1);
  if (!last) return null;
  const longest = Math.max(inputs.reference?.mean ?? 0, ...periods.map(({ chars }) => chars));
  const steps = (value: (period: (typeof periods)[number]) => number | null | undefined) =>
    periods.map((period) => ({ from: period.from, until: period.until, value: value(period) }));
  const compared = (reference: unknown, what: string) => (reference == null ? "" : `; dashed: ${what}`);
  const changed = ({ changed, decided }: typeof last) => (decided > 0 ? changed / decided : null);
  return (
    <section className={css.times} aria-label="Over time">
      <h3>Over time, all versions</h3>
      <div className={css.multiples}>
        <Timeline
          task={task}
          label={`Changed by people: ${percent(changed(last))} of the newest suggestions`}
          caption={`Changed by people, 0 to 100 %${compared(overrides.reference, "wrong held-out answers")}`}
          steps={steps(changed)}
          high={1}
          reference={overrides.reference?.share}
        />
        <Timeline
          task={task}
          label={`Confidence: ${percent(last.confidence)} on average for the newest suggestions`}
          caption={`Mean confidence, 0 to 100 %${compared(confidence.reference, "held-out examples")}`}
          steps={steps((period) => period.confidence)}
          high={1}
          reference={confidence.reference?.mean}
        />
        <Timeline
          task={task}
          label={`Answers: largest difference of shares ${percent(last.answers)} for the newest suggestions`}
          caption="Difference from the held-out answers, 0 to 100 %"
          steps={steps((period) => period.answers)}
          high={1}
        />
        <Timeline
          task={task}
          label={`Length of messages: ${number(Math.round(last.chars))} characters on average for the newest suggestions`}
          caption={`Mean length of messages, 0 to ${number(Math.round(longest))} characters${compared(inputs.reference, "training examples")}`}
          steps={steps((period) => period.chars)}
          high={longest}
          reference={inputs.reference?.mean}
        />
      </div>
    </section>
  );
}
