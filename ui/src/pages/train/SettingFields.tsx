import { Check, Input } from "../../components/form";
import { Words } from "../../components/Failure";
import { settingsOf, type Method } from "../../lib/train";

interface Props {
  /** As typed; empty means the recipe's. */
  values: Record<string, string>;
  method: Method | "";
  onChange: (values: Record<string, string>) => void;
  wrong?: (field: string) => string | undefined;
}

/** A field for each setting of a training. */
export function SettingFields({ values, method, onChange, wrong }: Props) {
  const set = (name: string, value: string) => onChange({ ...values, [name]: value });
  return settingsOf(method).map((setting) =>
    setting.kind === "switch" ? (
      <Check
        key={setting.name}
        label={<span title={setting.hint}>{setting.label}</span>}
        checked={values[setting.name] === "true"}
        onCheck={(on) => set(setting.name, on ? "true" : "")}
      />
    ) : (
      <Input
        key={setting.name}
        label={setting.label}
        hint={<Words>{setting.hint}</Words>}
        error={wrong?.(setting.name) ?? wrong?.(`settings.${setting.name}`)}
        inputMode={setting.kind === "number" ? "decimal" : undefined}
        placeholder="default"
        value={values[setting.name] ?? ""}
        onText={(to) => set(setting.name, to)}
      />
    ),
  );
}
