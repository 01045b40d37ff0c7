import { Check, Input, Pick } from "../../components/form";
import layout from "../../components/layout.module.css";
import { Words } from "../../components/Words";
import { SETTINGS, START, type Draft } from "../../lib/train";
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
  const shown = SETTINGS.filter((setting) => !setting.method || setting.method === draft.method);
  const set = (name: string, value: string) => change({ settings: { ...draft.settings, [name]: value } });
  const used =
    shown.filter((setting) => draft.settings[setting.name]).length + (draft.priority === START.priority ? 0 : 1);
  return (
    <details className={css.advanced}>
      <summary>Advanced{used > 0 ? ` · ${used} set` : ""}</summary>
      <div className={layout.fields}>
        {shown.map((setting) =>
          setting.kind === "switch" ? (
            <Check
              key={setting.name}
              label={<span title={setting.hint}>{setting.label}</span>}
              checked={draft.settings[setting.name] === "true"}
              onChange={(e) => set(setting.name, e.target.checked ? "true" : "")}
            />
          ) : (
            <Input
              key={setting.name}
              label={setting.label}
              hint={<Words>{setting.hint}</Words>}
              error={wrong(setting.name) ?? wrong(`settings.${setting.name}`)}

              inputMode={setting.kind === "number" ? "decimal" : undefined}
              placeholder="default"
              value={draft.settings[setting.name] ?? ""}
              onText={(to) => set(setting.name, to)}
            />
          ),
        )}
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
