import { useState, type CSSProperties } from "react";
import type { StudyView, Trial } from "../../api/types";
import { Card } from "../../components/bits";
import { Segmented } from "../../components/form";
import { clip } from "../../lib/format";
import { axisOf, axisOfNumbers, loss, MEASURES, settingsIn, type Axis, type Measure } from "../../lib/studies";
import css from "./search.module.css";

const GAP = 100;
const HEIGHT = 190;
const LONGEST = 15;
const up = (share: number) => HEIGHT * (1 - share);

/** Parallel coordinates: an axis for each setting and one for the loss, a line for each trial. */
export function ParallelPlot({ view, chosen }: { view: StudyView; chosen: number[] }) {
  const trials = inOrder(view, chosen, (trial) => trial.loss != null);
  if (trials.length === 0) return <p className="muted">The chart appears after the first result.</p>;
  const axes = [...view.space.map(axisOf), axisOfNumbers("Loss", trials, (trial) => trial.loss, loss)];
  const width = (axes.length - 1) * GAP;
  const best = trials.find((trial) => trial.number === view.best);
  const about = best ? `; the best is trial ${best.number}: ${settingsIn(best)}` : "";
  return (
    <figure className={css.figure}>
      <div tabIndex={0} role="region" aria-label="Parallel coordinates" className={css.scroll}>
        <svg
          viewBox={`-60 -34 ${width + 130} ${HEIGHT + 48}`}
          style={{ minWidth: width + 130 }}
          role="img"
          aria-label={`Settings and loss of ${trials.length} trials${about}`}
        >
          {trials.map((trial) => (
            <path
              key={trial.number}
              d={pathOf(axes, trial)}
              className={css.line}
              data-state={trial.state}
              style={colorOf(view, chosen, trial)}
            >
              <title>{`Trial ${trial.number}, loss ${loss(trial.loss)}: ${settingsIn(trial)}`}</title>
            </path>
          ))}
          {axes.map((axis, i) => (
            <AxisMarks key={axis.title} axis={axis} x={i * GAP} />
          ))}
        </svg>
      </div>
      <figcaption>
        The best is green, chosen trials have their own colours, dashed lines were stopped early. A line skips settings
        that do not apply.
      </figcaption>
    </figure>
  );
}

function AxisMarks({ axis, x }: { axis: Axis; x: number }) {
  const [name, unit] = axis.title.split(" (");
  return (
    <g transform={`translate(${x} 0)`}>
      <line y1={0} y2={HEIGHT} className={css.grid} />
      <text y={-20} textAnchor="middle" className={css.title}>
        {name}
      </text>
      {unit && (
        <text y={-9} textAnchor="middle">
          {unit.replace(")", "")}
        </text>
      )}
      {axis.ticks.map(({ at, text }) => (
        <text key={text} x={5} y={up(at) + 3}>
          {clip(text, LONGEST)}
          <title>{text}</title>
        </text>
      ))}
    </g>
  );
}

/** Straight from axis to axis; where a setting doesn't apply, past it. */
function pathOf(axes: Axis[], trial: Trial): string {
  const points = axes.flatMap((axis, i) => {
    const at = axis.at(trial);
    return at === null ? [] : [`${i * GAP} ${up(at).toFixed(1)}`];
  });
  return `M ${points.join(" L ")}`;
}

const WIDTH = 300;
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

const rank = (view: StudyView, chosen: number[], { number }: Trial) =>
  chosen.includes(number) ? 2 : number === view.best ? 1 : 0;

/** The trials that can be drawn, those that are marked last, so that they lie above the others. */
export function inOrder(view: StudyView, chosen: number[], drawn: (trial: Trial) => boolean): Trial[] {
  return view.trials.filter(drawn).sort((a, b) => rank(view, chosen, a) - rank(view, chosen, b));
}

/** The colour of a trial in every plot: its own where it is chosen, green for the best, grey otherwise. */
function colorOf(view: StudyView, chosen: number[], trial: Trial): CSSProperties {
  const place = chosen.indexOf(trial.number);
  if (place >= 0) return { color: `var(--series-${place + 2})`, opacity: 1 };
  return trial.number === view.best ? { color: "var(--series-1)", opacity: 1 } : { color: "var(--ink-3)" };
}
