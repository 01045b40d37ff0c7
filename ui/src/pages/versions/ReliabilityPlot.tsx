import { number, percent } from "../../lib/format";
import type { Bin } from "../../lib/reliability";
import css from "./versions.module.css";

const SIZE = 200;
const at = (share: number) => share * SIZE;

/** Accuracy over confidence; on the diagonal a confidence means what it says. Dots grow with their number of answers. */
export function ReliabilityPlot({ bins, before, threshold }: { bins: Bin[]; before: Bin[]; threshold: number }) {
  const most = Math.max(1, ...bins.map((bin) => bin.count));
  const about = bins.map((bin) => `${percent(bin.confidence)} confidence, ${percent(bin.accuracy)} correct`).join("; ");
  return (
    <figure className={css.plot}>
      <svg viewBox={`-34 -8 ${SIZE + 48} ${SIZE + 44}`} role="img" aria-label={`Reliability: ${about}`}>
        <rect x={at(threshold)} y={0} width={at(1 - threshold)} height={SIZE} className={css.kept} />
        {[0, 0.25, 0.5, 0.75, 1].map((tick) => (
          <g key={tick}>
            <line x1={0} x2={SIZE} y1={at(1 - tick)} y2={at(1 - tick)} className={css.grid} />
            <text x={-8} y={at(1 - tick) + 3} textAnchor="end">
              {tick * 100}
            </text>
            <text x={at(tick)} y={SIZE + 14} textAnchor="middle">
              {tick * 100}
            </text>
          </g>
        ))}
        <line x1={0} y1={SIZE} x2={SIZE} y2={0} className={css.ideal} />
        <line x1={at(threshold)} x2={at(threshold)} y1={0} y2={SIZE} className={css.cut} />
        {before.map((bin, i) => (
          <circle key={`b${i}`} cx={at(bin.confidence)} cy={at(1 - bin.accuracy)} r={3} className={css.before} />
        ))}
        {bins.map((bin, i) => (
          <circle
            key={i}
            cx={at(bin.confidence)}
            cy={at(1 - bin.accuracy)}
            r={3 + 5 * Math.sqrt(bin.count / most)}
            className={css.after}
          >
            <title>{`${number(bin.count)} answers: ${percent(bin.confidence, 1)} confidence, ${percent(bin.accuracy, 1)} correct`}</title>
          </circle>
        ))}
        <text x={SIZE / 2} y={SIZE + 31} textAnchor="middle">
          Confidence, %
        </text>
        <text x={-SIZE / 2} y={-25} textAnchor="middle" transform="rotate(-90)">
          Correct, %
        </text>
      </svg>
      <figcaption>Filled: calibrated. Hollow: before calibration.</figcaption>
    </figure>
  );
}
