import type { StudyView, Trial } from "../../api/types";
import { clip } from "../../lib/format";
import { axisOf, axisOfNumbers, settingsIn, type Axis, loss } from "../../lib/studies";
import { colorOf, inOrder } from "./marks";
import css from "./search.module.css";

const GAP = 100;
const HEIGHT = 190;
const LONGEST = 15;
const y = (share: number) => HEIGHT * (1 - share);

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
              d={path(axes, trial)}
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
        <text key={text} x={5} y={y(at) + 3}>
          {clip(text, LONGEST)}
          <title>{text}</title>
        </text>
      ))}
    </g>
  );
}

/** Straight from axis to axis; where a setting doesn't apply, past it. */
function path(axes: Axis[], trial: Trial): string {
  const points = axes.flatMap((axis, i) => {
    const at = axis.at(trial);
    return at === null ? [] : [`${i * GAP} ${y(at).toFixed(1)}`];
  });
  return `M ${points.join(" L ")}`;
}
