import { useEffect, useState, type InputHTMLAttributes } from "react";
import { shown, type Json } from "../../lib/json";

interface Props extends Omit<InputHTMLAttributes<HTMLInputElement>, "value" | "onChange"> {
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

export function NumberInput({ value, onChange, ...rest }: Props) {
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
