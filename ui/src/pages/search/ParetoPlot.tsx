import { useState } from "react";
import type { StudyView } from "../../api/types";
import { Card } from "../../components/bits";
import { Segmented } from "../../components/form";
import { axisOfNumbers, MEASURES, settingsIn, type Axis, type Measure, loss } from "../../lib/studies";
import { colorOf, inOrder } from "./marks";
import css from "./search.module.css";

const WIDTH = 300;
const HEIGHT = 190;
/** Room between the outermost points and the frame. */
const PAD = 0.06;
const inside = (share: number) => PAD + share * (1 - 2 * PAD);
const MEASURED = (Object.keys(MEASURES) as Measure[]).map((value) => ({ value, label: MEASURES[value].label }));

/** Loss against size or latency; filled points are those that no other trial beats in one without being worse in another. */
export function ParetoPlot({ view, chosen }: { view: StudyView; chosen: number[] }) {
  const [measure, setMeasure] = useState<Measure>("size");
  const { title, of, written } = MEASURES[measure];
  const trials = inOrder(view, chosen, (trial) => trial.state === "complete" && of(trial) != null);
  const [x, y] = [
    axisOfNumbers(title, trials, of, written),
    axisOfNumbers("Loss", trials, (trial) => trial.loss, loss),
  ];
  const front = trials.filter((trial) => view.front.includes(trial.number));
  const numbers = front.map((trial) => trial.number).sort((a, b) => a - b);
  return (
    <Card
      title={`Quality and ${MEASURES[measure].label.toLowerCase()}`}
      side={<Segmented label="Compare loss with" value={measure} options={MEASURED} onPick={setMeasure} />}
    >
      {trials.length === 0 ? (
        <p className="muted">The chart appears after the first finished trial.</p>
      ) : (
        <figure className={css.figure}>
          <svg
            viewBox={`-52 -8 ${WIDTH + 66} ${HEIGHT + 46}`}
            role="img"
            aria-label={`Loss against ${title.toLowerCase()} of ${trials.length} trials; the front: ${numbers.map((n) => `trial ${n}`).join(", ")}`}
          >
            <Frame x={x} y={y} />
            {trials.map((trial) => (
              <g key={trial.number} style={colorOf(view, chosen, trial)}>
                <circle
                  cx={WIDTH * inside(x.at(trial) ?? 0)}
                  cy={HEIGHT * (1 - inside(y.at(trial) ?? 0))}
                  r={5}
                  className={view.front.includes(trial.number) ? css.front : css.behind}
                >
                  <title>{`Trial ${trial.number}, loss ${loss(trial.loss)}, ${written(of(trial))}: ${settingsIn(trial)}`}</title>
                </circle>
              </g>
            ))}
          </svg>
          <figcaption>
            Filled: no trial is better in loss, size or latency without being worse in another ({numbers.join(", ")}).
          </figcaption>
        </figure>
      )}
    </Card>
  );
}

function Frame({ x, y }: { x: Axis; y: Axis }) {
  return (
    <>
      <rect width={WIDTH} height={HEIGHT} className={css.frame} />
      {y.ticks.map(({ at, text }) => (
        <text key={text} x={-6} y={HEIGHT * (1 - inside(at)) + 3} textAnchor="end">
          {text}
        </text>
      ))}
      {x.ticks.map(({ at, text }) => (
        <text key={text} x={WIDTH * inside(at)} y={HEIGHT + 14} textAnchor={at === 0 ? "start" : "end"}>
          {text}
        </text>
      ))}
      <text x={WIDTH / 2} y={HEIGHT + 32} textAnchor="middle">
        {x.title}
      </text>
      <text x={-HEIGHT / 2} y={-40} textAnchor="middle" transform="rotate(-90)">
        {y.title}
      </text>
    </>
  );
}
