import { useRef, type ClipboardEvent, type KeyboardEvent } from "react";
import { at, lay, pasted, type Problems, type Row } from "../../lib/grid";
import { Button } from "../Button";
import { GridCell, type Column } from "./GridCell";
import css from "./grid.module.css";

interface Props {
  label: string;
  /** What a row is, for those who hear it: `unit`. */
  noun: string;
  columns: Column[];
  rows: Row[];
  onChange: (rows: Row[]) => void;
  problems: Problems;
  /** The first this many rows stay, and so do their first cells; what stands in each where nothing is written. */
  fixed?: Row[];
}

/** A table whose cells are written in place; a row below the last one takes new entries, and blocks from spreadsheets
 * can be pasted anywhere. */
export function Grid({ label, noun, columns, rows, onChange, problems, fixed = [] }: Props) {
  const body = useRef<HTMLTableSectionElement>(null);
  const empty = columns.map((column) => column.options?.[0]?.value ?? "");
  const focus = (row: number, column: number) =>
    requestAnimationFrame(() => {
      const cells = body.current?.querySelectorAll("tr")[row]?.querySelectorAll<HTMLElement>("[data-cell]");
      const found = [...(cells ?? [])].find((cell) => Number(cell.dataset.cell) >= column);
      found?.focus();
      if (found instanceof HTMLInputElement) found.select();
    });
  const write = (row: number, column: number, block: Row[]) => {
    // Fixed cells are not overwritten.
    const kept = lay(rows, row, column, block, empty).map((cells, i) =>
      fixed[i] ? [fixed[i][0]!, ...cells.slice(1)] : cells,
    );
    onChange(kept);
  };
  const drop = (row: number, column = 0) => {
    if (row >= rows.length) return;
    if (fixed[row]) onChange(rows.map((cells, i) => (i === row ? [cells[0]!, ...empty.slice(1)] : cells)));
    else onChange(rows.toSpliced(row, 1));
    focus(row, column);
  };
  const onKey = (press: KeyboardEvent, row: number, column: number) => {
    const step = steps(press);
    if (step !== 0) focus(Math.max(0, Math.min(rows.length, row + step)), column);
    else if (press.key === "Backspace" && (press.ctrlKey || press.metaKey)) drop(row, column);
    else return;
    press.preventDefault();
    press.stopPropagation();
  };
  const onPaste = (event: ClipboardEvent, row: number, column: number) => {
    const text = event.clipboardData.getData("text/plain");
    if (!/[\t\n]/.test(text.trim())) return;
    event.preventDefault();
    const block = pasted(text);
    write(row, column, block);
    focus(row + block.length - 1, column);
  };
  return (
    <div className={css.wrap}>
      <table className={css.grid} aria-label={label} data-many={columns.length > 3 || undefined}>
        <thead>
          <tr>
            {columns.map((column) => (
              <th key={column.title} scope="col" data-kind={column.kind}>
                {column.title}
              </th>
            ))}
            <th aria-label="Remove" />
          </tr>
        </thead>
        <tbody ref={body}>
          {[...rows, empty].map((cells, row) => (
            <tr key={row} data-new={row === rows.length || undefined}>
              {columns.map((column, i) => (
                <td key={column.title} data-kind={column.kind}>
                  <GridCell
                    column={column}
                    place={i}
                    label={`${column.title}, ${row === rows.length ? `new ${noun}` : fixed[row] ? cells[0] : `${noun} ${row + 1}`}`}
                    value={cells[i] ?? ""}
                    ghost={row === rows.length ? column.example : fixed[row]?.[i]}
                    still={i === 0 && fixed[row] !== undefined}
                    problem={problems[at(row, i)]}
                    onChange={(value) => write(row, i, [[value]])}
                    onKeyDown={(press) => onKey(press, row, i)}
                    onPaste={(event) => onPaste(event, row, i)}
                  />
                </td>
              ))}
              <td className={css.tools}>
                {row < rows.length && (!fixed[row] || cells.slice(1).some((cell) => cell !== "")) && (
                  <Button
                    look="quiet"
                    small
                    icon={fixed[row] ? "undo" : "cross"}
                    aria-label={`${fixed[row] ? "Reset" : "Remove"} ${noun} ${row + 1}${cells[0] ? `: ${cells[0]}` : ""}`}
                    title={fixed[row] ? "Back to the built-in value" : "Remove"}
                    onClick={() => drop(row)}
                  />
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** How many rows a key goes down: Enter and the arrows as in a spreadsheet, except where a list of choices needs them. */
function steps({ key, shiftKey, altKey, ctrlKey, metaKey, target }: KeyboardEvent): number {
  if (altKey || ctrlKey || metaKey) return 0;
  const chooses = target instanceof HTMLSelectElement || (target instanceof HTMLInputElement && !!target.list);
  if (key === "Enter") return shiftKey ? -1 : 1;
  if (chooses) return 0;
  return key === "ArrowDown" ? 1 : key === "ArrowUp" ? -1 : 0;
}
