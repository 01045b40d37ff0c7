import { Pick } from "../../components/form";
import layout from "../../components/layout.module.css";
import { settingsOf, START, type Draft } from "../../lib/train";
import { SettingFields } from "./SettingFields";
import css from "./train.module.css";

interface Props {
  draft: Draft;
  change: (part: Partial<Draft>) => void;
  wrong: (field: string) => string | undefined;
}

const PRIORITIES = [
  { value: "low", label: "Low: after all others" },
  { value: "normal", label: "Normal" },
  { value: "high", label: "High: before all others" },
];

/** Settings that the recipe knows better than most people; empty means the recipe's. */
export function Advanced({ draft, change, wrong }: Props) {
  const used =
    settingsOf(draft.method).filter((setting) => draft.settings[setting.name]).length +
    (draft.priority === START.priority ? 0 : 1);
  return (
    <details className={css.advanced}>
      <summary>Advanced{used > 0 ? ` · ${used} set` : ""}</summary>
      <div className={layout.fields}>
        <SettingFields
          values={draft.settings}
          method={draft.method}
          onChange={(settings) => change({ settings })}
          wrong={wrong}
        />
        <Pick
          label="Priority"
          hint="Position in the queue"
          options={PRIORITIES}
          value={draft.priority}
          onPick={(to) => change({ priority: to as Draft["priority"] })}
        />
      </div>
    </details>
  );
}
