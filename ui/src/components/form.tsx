import {
  useId,
  type InputHTMLAttributes,
  type ReactNode,
  type SelectHTMLAttributes,
  type TextareaHTMLAttributes,
} from "react";
import css from "./form.module.css";

interface FieldProps {
  label: string;
  hint?: ReactNode;
  error?: string;
  children: (props: { id: string; "aria-describedby"?: string; "aria-invalid"?: boolean }) => ReactNode;
}

/** A label above what it names, a hint or what is wrong below. */
export function Field({ label, hint, error, children }: FieldProps) {
  const id = useId();
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
export function Input({ className, small, ...rest }: InputHTMLAttributes<HTMLInputElement> & { small?: boolean }) {
  return <input autoComplete="off" {...rest} className={classes(small, className)} />;
}

export function TextArea({ className, ...rest }: TextareaHTMLAttributes<HTMLTextAreaElement>) {
  return <textarea {...rest} className={classes(false, className)} />;
}

function classes(small: boolean | undefined, ...others: (string | undefined)[]): string {
  return [css.input, small && css.small, ...others].filter(Boolean).join(" ");
}

export interface Option {
  value: string;
  label: string;
}

/** The browser's own picker: works with keys, screen readers and phones as people expect. */
export function Pick({
  options,
  small,
  className,
  ...rest
}: SelectHTMLAttributes<HTMLSelectElement> & { options: Option[]; small?: boolean }) {
  return (
    <select {...rest} className={classes(small, css.pick, className)}>
      {options.map((option) => (
        <option key={option.value} value={option.value}>
          {option.label}
        </option>
      ))}
    </select>
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
