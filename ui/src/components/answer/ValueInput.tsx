import { shown, type Json } from "../../lib/json";
import css from "./answer.module.css";
import { NumberInput } from "./NumberInput";
import type { ValueProps } from "./ValueField";

interface Props extends ValueProps {
  id: string;
  invalid: boolean;
  describedBy?: string;
}

/** The input that fits a field. */
export function ValueInput({ field, path, value, onChange, id, say, invalid, describedBy }: Props) {
  const shared = {
    id,
    "data-path": path,
    "aria-label": say,
    "aria-invalid": invalid || undefined,
    "aria-describedby": describedBy,
    className: css.input,
  };
  const text = shown(value);
  const change = (to: string) => onChange?.(to === "" && "nullable" in field && field.nullable ? null : to);
  if (field.kind === "choice")
    return (
      <select
        {...shared}
        className={`${css.input} ${css.pick}`}
        value={text}
        disabled={!onChange}
        onChange={(e) => change(e.target.value)}
      >
        {(field.nullable || text === "") && <option value="">{field.nullable ? "–" : "Choose …"}</option>}
        {text !== "" && !field.options.includes(text) && <option value={text}>{text} (not a choice)</option>}
        {field.options.map((option) => (
          <option key={option}>{option}</option>
        ))}
      </select>
    );
  if (field.kind === "switch")
    return (
      <input
        {...shared}
        className={css.box}
        type="checkbox"
        checked={value === true}
        disabled={!onChange}
        onChange={(e) => onChange?.(e.target.checked)}
      />
    );
  if (field.kind === "number") return <NumberInput {...shared} value={value} onChange={onChange} />;
  if (field.kind === "json" || (field.kind === "text" && field.long)) {
    const parse = (to: string) => (field.kind === "json" ? parsed(to) : to);
    return (
      <textarea
        {...shared}
        rows={4}
        value={text}
        readOnly={!onChange}
        spellCheck
        onChange={(e) => onChange?.(parse(e.target.value))}
      />
    );
  }
  return (
    <input
      {...shared}
      type="text"
      autoComplete="off"
      placeholder="–"
      value={text}
      readOnly={!onChange}
      onChange={(e) => change(e.target.value)}
    />
  );
}

function parsed(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return text;
  }
}
