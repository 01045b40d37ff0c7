import { useEffect, useId, useState, type InputHTMLAttributes } from "react";
import { label, percent } from "../../lib/format";
import { shown, type Json } from "../../lib/json";
import type { Field } from "../../lib/schema";
import css from "./answer.module.css";

/** Errors, differences and confidences of an answer's fields, by path. */
export interface About {
  /** From 0 to 1. */
  confidence?: Record<string, number>;
  /** Paths at which the other answer differs. */
  differing?: Set<string>;
  errors?: Record<string, string>;
  /** The focused field, to highlight its value in the text. */
  onFocus?: (path: string | null) => void;
}

/** Below this a person should look twice. */
const UNSURE = 0.7;

interface ValueProps {
  field: Field;
  path: string;
  value: Json;
  onChange?: (value: Json) => void;
  about: About;
  /** Whether the label is shown; in a table the column names it. */
  labelled?: boolean;
  /** Accessible name outside the table's context. */
  say?: string;
}

/** One value with its name, how sure the model is of it, and whether the other answer differs. */
export function ValueField(props: ValueProps) {
  const { field, path, about, labelled, say } = props;
  const id = useId();
  const confidence = about.confidence?.[path];
  // In a table, only uncertain values are marked; marking all would be noise.
  const told = confidence !== undefined && (labelled || confidence < UNSURE);
  const differs = about.differing?.has(path);
  const error = about.errors?.[path];
  const title = label(field.name) || "Answer";
  return (
    <div
      className={css.value}
      data-differs={differs || undefined}
      onFocus={() => about.onFocus?.(path)}
      onBlur={() => about.onFocus?.(null)}
      onMouseEnter={() => about.onFocus?.(path)}
      onMouseLeave={() => about.onFocus?.(null)}
    >
      {labelled && <label htmlFor={id}>{title}</label>}
      <ValueInput
        {...props}
        id={id}
        say={labelled ? undefined : (say ?? title)}
        invalid={!!error}
        describedBy={error ? `${id}-e` : undefined}
      />
      {(differs || told) && (
        <span className={css.marks}>
          {differs && (
            <span className={css.differs} title="The other answer says something else">
              ≠<span className="sr"> differs</span>
            </span>
          )}
          {told && (
            <span
              className={css.sure}
              data-unsure={confidence < UNSURE || undefined}
              title={`Confidence ${percent(confidence, 1)}`}
            >
              {percent(confidence)}
            </span>
          )}
        </span>
      )}
      {error && (
        <p id={`${id}-e`} className={css.error}>
          {error}
        </p>
      )}
    </div>
  );
}

interface Props extends ValueProps {
  id: string;
  invalid: boolean;
  describedBy?: string;
}

/** The input that fits a field. */
function ValueInput({ field, path, value, onChange, id, say, invalid, describedBy }: Props) {
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

interface NumberProps extends Omit<InputHTMLAttributes<HTMLInputElement>, "value" | "onChange"> {
  value: Json;
  onChange?: (value: Json) => void;
}

/** The typed number, or null if empty; text that is not a number is kept and reported as invalid. */
export function numberOf(text: string): Json {
  const trimmed = text.trim().replace(",", ".");
  if (trimmed === "") return null;
  const value = Number(trimmed);
  return Number.isFinite(value) ? value : text;
}

function NumberInput({ value, onChange, ...rest }: NumberProps) {
  // The typed text is kept while it means the same number: "1." must not become "1".
  const [text, setText] = useState(shown(value));
  useEffect(() => {
    setText((old) => (numberOf(old) === value ? old : shown(value)));
  }, [value]);
  return (
    <input
      {...rest}
      type="text"
      inputMode="decimal"
      autoComplete="off"
      placeholder="–"
      value={text}
      readOnly={!onChange}
      onChange={(event) => {
        setText(event.target.value);
        onChange?.(numberOf(event.target.value));
      }}
    />
  );
}
