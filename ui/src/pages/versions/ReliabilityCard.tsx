import { useState } from "react";
import type { Evaluation } from "../../api/types";
import { Card, Figure, Figures } from "../../components/bits";
import { Pick, Slider } from "../../components/form";
import { label, number, percent } from "../../lib/format";
import { atThreshold, type Bin } from "../../lib/reliability";
import { useUrl } from "../../shell/url";
import css from "./versions.module.css";

/** Calibration of a version's confidences, and the effect of a confidence threshold. */
export function ReliabilityCard({ evaluation }: { evaluation: Evaluation }) {
  const [search, setUrl] = useUrl();
  const [field, setField] = useState("");
  const threshold = Math.min(1, Math.max(0, Number(search.threshold ?? 0.7) || 0));
  const calibration = (field && evaluation.fields[field]) || evaluation.calibration;
  const { after, before } = calibration;
  const effect = atThreshold(after.bins, threshold);
  const fields = Object.keys(evaluation.fields);
  const options = [
    { value: "", label: "Whole answers" },
    ...fields.map((name) => ({ value: name, label: label(name.replace("[].", " ")) })),
  ];
  return (
    <Card
      title="Calibration"
      side={<Pick aria-label="Confidence of" options={options} value={field} small onPick={setField} />}
    >
      <div className={css.reliability}>
        <ReliabilityPlot bins={after.bins} before={before.bins} threshold={threshold} />
        <div className={css.threshold}>
          <label>
            <span>
              Threshold <strong className="num">{percent(threshold)}</strong>
            </span>
            <Slider value={threshold} onSlide={(to) => setUrl({ threshold: String(to) })} />
          </label>
          <Figures>
            <Figure
              label="Answered"
              value={percent(effect.coverage)}
              sub={`${number(effect.kept)} of ${number(after.count)}`}
            />
            <Figure
              label="Correct"
              value={percent(effect.accuracy)}
              sub={
                effect.accuracy === null
                  ? "None above the threshold"
                  : `95 % interval ${percent(effect.low)} to ${percent(effect.high)}`
              }
            />
            <Figure label="Not answered" value={number(effect.below)} sub="Below the threshold" />
            <Figure
              label="Calibration error"
              value={percent(after.ece, 1)}
              sub={`${percent(before.ece, 1)} before calibration`}
            />
          </Figures>
        </div>
      </div>
    </Card>
  );
}

const SIZE = 200;
const at = (share: number) => share * SIZE;

/** Accuracy over confidence; on the diagonal a confidence means what it says. Dots grow with their number of answers. */
function ReliabilityPlot({ bins, before, threshold }: { bins: Bin[]; before: Bin[]; threshold: number }) {
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
