import { useId, useState, type InputHTMLAttributes, type ReactNode, type TextareaHTMLAttributes } from "react";
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
  onPick: (value: V) => void;
}

/** One of a few, all in sight. */
export function Segmented<V extends string>({ label, value, options, onPick }: SegmentedProps<V>) {
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
            onChange={() => onPick(option.value)}
          />
          {option.label}
        </label>
      ))}
    </div>
  );
}

interface CheckProps {
  label: ReactNode;
  checked: boolean;
  disabled?: boolean;
  onCheck: (on: boolean) => void;
}

export function Check({ label, onCheck, ...rest }: CheckProps) {
  return (
    <label className={css.check}>
      <input type="checkbox" {...rest} onChange={(event) => onCheck(event.target.checked)} />
      <span>{label}</span>
    </label>
  );
}

interface SliderProps {
  value: number;
  max?: number;
  step?: number;
  onSlide: (value: number) => void;
}

/** A number from 0 on. */
export function Slider({ max = 1, step = 0.01, onSlide, ...rest }: SliderProps & About) {
  return <input {...rest} type="range" {...{ min: 0, max, step }} onChange={(e) => onSlide(Number(e.target.value))} />;
}

/** A form that doesn't leave the page. */
export function Form({ onSubmit, ...rest }: { className?: string; onSubmit: () => void; children: ReactNode }) {
  return (
    <form
      {...rest}
      onSubmit={(event) => {
        event.preventDefault();
        onSubmit();
      }}
    />
  );
}

/** Chooses a file; the same one can be chosen again. */
export function FileChoice(props: { className?: string; accept: string; onFile: (file: File) => void; label: string }) {
  return (
    <label className={props.className}>
      {props.label}
      <input
        type="file"
        className="sr"
        accept={props.accept}
        onChange={({ target }) => {
          if (target.files?.[0]) props.onFile(target.files[0]);
          target.value = "";
        }}
      />
    </label>
  );
}

/** What is typed into a form: its values, a way to change some of them, and the props of their inputs. */
export function useFields<T extends object>(start: T | (() => T)) {
  const [values, setValues] = useState(start);
  const change = (part: Partial<T>) => setValues((old) => ({ ...old, ...part }));
  const put = (name: keyof T) => (to: T[keyof T]) => change({ [name]: to } as Partial<T>);
  return {
    values,
    change,
    text: <N extends Names<T, string>>(name: N) => ({
      value: values[name] as string,
      onText: put(name) as (to: string) => void,
    }),
    pick: <N extends keyof T>(name: N) => ({ value: values[name], onPick: put(name) as (to: T[N]) => void }),
    check: <N extends Names<T, boolean>>(name: N) => ({
      checked: values[name] as boolean,
      onCheck: put(name) as (to: boolean) => void,
    }),
  };
}

/** The names of values of a type. */
type Names<T, V> = { [N in keyof T]: T[N] extends V ? N : never }[keyof T];
