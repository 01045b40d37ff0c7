import { useId } from "react";
import type { Preflight } from "../../api/types";
import { count, roughly, sentence } from "../../lib/format";
import type { Draft, Effort } from "../../lib/train";
import { useCost } from "./useCost";
import css from "./train.module.css";

const EFFORTS: { value: Effort; label: string }[] = [
  { value: "quick", label: "Quick" },
  { value: "recommended", label: "Recommended" },
  { value: "thorough", label: "Thorough" },
];

interface Props {
  draft: Draft;
  preflight: Preflight | undefined;
  onChange: (effort: Effort) => void;
}

/** The three presets with their estimated time and cost, and the basis of the estimate. */
export function Presets({ draft, preflight, onChange }: Props) {
  const name = useId();
  const { efforts, estimate } = preflight ?? {};
  const cost = useCost();
  // A number of epochs given by the user applies to all three presets.
  const own = (draft.settings.epochs ?? "") !== "";
  const seconds = (effort: Effort) =>
    estimate?.seconds == null || !efforts || own
      ? null
      : (estimate.seconds * efforts[effort]) / Math.max(1e-9, efforts[draft.effort]);
  return (
    <div role="radiogroup" aria-label="Effort" className={css.presets}>
      {EFFORTS.map(({ value, label }) => {
        const time = seconds(value);
        return (
          <label
            key={value}
            data-on={value === draft.effort || undefined}
            title={estimate?.seconds_basis ? sentence(estimate.seconds_basis) : undefined}
          >
            <input type="radio" name={name} checked={value === draft.effort} onChange={() => onChange(value)} />
            <strong>{label}</strong>
            <small className="num">
              {efforts && !own && count(efforts[value], "epoch")}
              <br />
              {time !== null && [`≈ ${roughly(time)}`, cost(time)].filter(Boolean).join(" · ")}
            </small>
          </label>
        );
      })}
    </div>
  );
}
