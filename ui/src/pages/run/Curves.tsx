import { useMemo, useState } from "react";
import type { Event } from "../../api/types";
import { Card, Empty } from "../../components/bits";
import { Chart, type Line } from "../../components/Chart";
import { Check, Slider } from "../../components/form";
import layout from "../../components/layout.module.css";
import { align, smooth } from "../../lib/curve";
import { lastScores, newest, scoredOf, series } from "../../lib/events";
import { bytes, percent } from "../../lib/format";
import css from "./run.module.css";

const LOSS: Line[] = [
  { label: "Each step", color: "--series-1", faint: true },
  { label: "Smoothed", color: "--series-1" },
  { label: "Held out", color: "--series-2", points: true },
];
const SCORES: Line[] = [
  { label: "Accuracy", color: "--series-2", points: true },
  { label: "F1", color: "--series-4", points: true },
];
const MEMORY: Line[] = [
  { label: "In use", color: "--series-1" },
  { label: "Predicted peak", color: "--series-3", faint: true },
];
const one = (label: string, color: string): Line[] => [{ label, color }];

/** Loss, learning rate, gradient norm, speed and memory over the steps. */
export function Curves({ events }: { events: Event[] }) {
  const [weight, setWeight] = useState(0.8);
  const [log, setLog] = useState(false);
  const found = useMemo(() => series(events), [events]);
  const loss = useMemo(() => {
    const [steps = [], raw = [], held = []] = align([found.steps, found.held]);
    return [steps, raw, smooth(raw, weight), held];
  }, [found, weight]);
  const scores = useMemo(() => {
    // On the axis of the loss, which begins with the first step.
    const [steps = [], , accuracy = [], f1 = []] = align([found.steps, found.accuracy, found.f1]);
    return [steps, accuracy, f1];
  }, [found]);
  const scored = lastScores(events);
  const others = useMemo(
    () =>
      [
        ["Learning rate", align([found.lr]), one("Learning rate", "--series-3")],
        ["Gradient norm before clipping", align([found.norm]), one("Norm", "--series-4")],
        ["Tokens per second", align([found.speed]), one("Tokens/s", "--series-2")],
      ] as const,
    [found],
  );
  const facts = newest(events, "prepared");
  const predicted = facts?.memory;
  const memory = useMemo(() => {
    const [steps = [], used = []] = align([found.memory]);
    return [steps, used, steps.map(() => predicted ?? null)];
  }, [found, predicted]);
  if (found.steps.length === 0)
    return <Empty title="No steps yet">Curves appear with the first step of training.</Empty>;
  return (
    <div className={layout.stack}>
      <Card
        title={scored ? "Loss, accuracy and F1" : "Loss"}
        side={
          <>
            <label className={css.slider}>
              Smoothing <Slider max={0.98} step={0.02} value={weight} onSlide={setWeight} />
            </label>
            <Check label="Log scale" checked={log} onCheck={setLog} />
          </>
        }
      >
        <div className={scored && layout.two}>
          <Chart title="Mean loss per supervised token" data={loss} lines={LOSS} log={log} height={280} sync="run" />
          {scored && (
            <Chart
              title={`Answers ${scoredOf(scored, facts?.eval)}`}
              data={scored.f1 == null ? scores.slice(0, 2) : scores}
              lines={scored.f1 == null ? SCORES.slice(0, 1) : SCORES}
              format={percent}
              range={[0, 1]}
              height={280}
              sync="run"
            />
          )}
        </div>
      </Card>
      <div className={css.charts}>
        {others.map(([title, data, lines]) => (
          <Card key={title}>
            <Chart title={title} data={data} lines={lines} height={150} sync="run" />
          </Card>
        ))}
        {found.memory.length > 0 && (
          <Card>
            <Chart title="Memory of the trainer" data={memory} lines={MEMORY} format={bytes} height={150} sync="run" />
          </Card>
        )}
      </div>
    </div>
  );
}
