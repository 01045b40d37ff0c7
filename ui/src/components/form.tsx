import { useId, type InputHTMLAttributes, type ReactNode, type TextareaHTMLAttributes } from "react";
import css from "./form.module.css";

interface Labelled {
  /** Absent if `aria-label` names it. */
  label?: string;
  hint?: ReactNode;
  error?: string;
}
interface About {
  id?: string;
  "aria-describedby"?: string;
  "aria-invalid"?: boolean;
}

/** A label above an input, with a hint or an error below. */
export function Field({ label, hint, error, children }: Labelled & { children: (about: About) => ReactNode }) {
  const id = useId();
  if (label === undefined) return children({});
  const about = error || hint ? `${id}-about` : undefined;
  return (
    <div className={css.field}>
      <label htmlFor={id}>{label}</label>
      {children({ id, "aria-describedby": about, "aria-invalid": error ? true : undefined })}
      {about && (
        <p id={about} className={error ? css.error : css.hint}>
          {error ?? hint}
        </p>
      )}
    </div>
  );
}

/** `small` fits the head of a card. */
type Control<P> = P & Labelled & { small?: boolean; onText?: (text: string) => void };

export function Input(props: Control<InputHTMLAttributes<HTMLInputElement>>) {
  const { label, hint, error, small, className, onText, ...rest } = props;
  return (
    <Field {...{ label, hint, error }}>
      {(about) => (
        <input
          autoComplete="off"
          onChange={onText && ((event) => onText(event.target.value))}
          {...rest}
          {...about}
          className={classes(small, className)}
        />
      )}
    </Field>
  );
}

export function TextArea(props: Control<TextareaHTMLAttributes<HTMLTextAreaElement>>) {
  const { label, hint, error, small, className, onText, ...rest } = props;
  return (
    <Field {...{ label, hint, error }}>
      {(about) => (
        <textarea
          onChange={onText && ((event) => onText(event.target.value))}
          {...rest}
          {...about}
          className={classes(small, className)}
        />
      )}
    </Field>
  );
}

function classes(small: boolean | undefined, ...others: (string | undefined)[]): string {
  return [css.input, small && css.small, ...others].filter(Boolean).join(" ");
}

export interface Option<V extends string = string> {
  value: V;
  label: string;
}

interface PickProps<V extends string> extends Labelled {
  value: V;
  options: readonly Option<V>[];
  onPick: (value: V) => void;
  small?: boolean;
  disabled?: boolean;
  "aria-label"?: string;
}

/** The browser's own picker: works with keys, screen readers and phones as people expect. */
export function Pick<V extends string>({ label, hint, error, options, small, onPick, ...rest }: PickProps<V>) {
  const pick = (value: string) => options.filter((one) => one.value === value).forEach((one) => onPick(one.value));
  return (
    <Field {...{ label, hint, error }}>
      {(about) => (
        <select
          {...rest}
          {...about}
          className={classes(small, css.pick)}
          onChange={(event) => pick(event.target.value)}
        >
          {options.map((option) => (
            <option key={option.value} value={option.value}>
              {option.label}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}

interface SegmentedProps<V extends string> {
  label: string;
  value: V;
  options: { value: V; label: ReactNode; disabled?: boolean }[];
  onChange: (value: V) => void;
}

/** One of a few, all in sight. */
export function Segmented<V extends string>({ label, value, options, onChange }: SegmentedProps<V>) {
  const name = useId();
  return (
    <div role="radiogroup" aria-label={label} className={css.segmented}>
      {options.map((option) => (
        <label key={option.value} data-on={option.value === value || undefined} data-off={option.disabled || undefined}>
          <input
            type="radio"
            name={name}
            checked={option.value === value}
            disabled={option.disabled}
            onChange={() => onChange(option.value)}
          />
          {option.label}
        </label>
      ))}
    </div>
  );
}

export function Check({ label, ...rest }: InputHTMLAttributes<HTMLInputElement> & { label: ReactNode }) {
  return (
    <label className={css.check}>
      <input type="checkbox" {...rest} />
      <span>{label}</span>
    </label>
  );
}
