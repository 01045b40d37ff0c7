import { useId } from "react";
import { label, percent } from "../../lib/format";
import type { Json } from "../../lib/json";
import type { Field } from "../../lib/schema";
import { UNSURE, type About } from "./about";
import css from "./answer.module.css";
import { ValueInput } from "./ValueInput";

export interface ValueProps {
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
