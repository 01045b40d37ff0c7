import { useId, type ClipboardEventHandler, type KeyboardEventHandler } from "react";
import css from "./grid.module.css";

export interface Column {
  title: string;
  kind?: "number" | "names";
  /** A closed set: the cell is one of these. */
  options?: { value: string; label: string }[];
  /** Proposals; anything else can be written. */
  known?: string[];
  /** Shown in the row that takes new entries. */
  example?: string;
}

interface Props {
  column: Column;
  place: number;
  label: string;
  value: string;
  ghost?: string;
  still: boolean;
  problem?: string;
  onChange: (value: string) => void;
  onKeyDown: KeyboardEventHandler;
  onPaste: ClipboardEventHandler;
}

/** One cell: edited in place, with its error below. */
export function GridCell({ column, place, label, value, ghost, still, problem, onChange, ...keys }: Props) {
  const id = useId();
  if (still) return <span className={css.still}>{value}</span>;
  const shared = {
    ...keys,
    className: css.cell,
    "data-cell": place,
    "aria-label": label,
    "aria-invalid": problem ? true : undefined,
    "aria-describedby": problem ? `${id}-wrong` : undefined,
    value,
  };
  return (
    <>
      {column.options ? (
        <select {...shared} onChange={(event) => onChange(event.target.value)}>
          {column.options.map((option) => (
            <option key={option.value} value={option.value}>
              {option.label}
            </option>
          ))}
        </select>
      ) : (
        <input
          {...shared}
          autoComplete="off"
          spellCheck={false}
          inputMode={column.kind === "number" ? "decimal" : undefined}
          placeholder={ghost}
          list={column.known && `${id}-known`}
          onChange={(event) => onChange(event.target.value)}
        />
      )}
      {column.known && (
        <datalist id={`${id}-known`}>
          {column.known.map((name) => (
            <option key={name} value={name} />
          ))}
        </datalist>
      )}
      {problem && (
        <p id={`${id}-wrong`} className={css.wrong}>
          {problem}
        </p>
      )}
    </>
  );
}
