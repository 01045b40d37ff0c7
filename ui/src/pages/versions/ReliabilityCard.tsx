import { useState } from "react";
import type { Evaluation } from "../../api/types";
import { Card, Figure, Figures } from "../../components/bits";
import { Pick } from "../../components/form";
import { label, number, percent } from "../../lib/format";
import { atThreshold } from "../../lib/reliability";
import { useUrl } from "../../shell/url";
import { ReliabilityPlot } from "./ReliabilityPlot";
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
            <input
              type="range"
              min={0}
              max={1}
              step={0.01}
              value={threshold}
              onChange={(e) => setUrl({ threshold: e.target.value })}
            />
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
