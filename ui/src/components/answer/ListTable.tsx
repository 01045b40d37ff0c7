import { useRef, type KeyboardEvent } from "react";
import { label } from "../../lib/format";
import { isObject, type Json } from "../../lib/json";
import { moved } from "../../lib/list";
import { blankObject, type Field } from "../../lib/schema";
import { Button } from "../Button";
import type { IconName } from "../Icon";
import { ValueField, type About } from "./ValueField";
import css from "./answer.module.css";

interface Props {
  field: Field & { kind: "list" };
  path: string;
  value: Json[];
  onChange?: (value: Json[]) => void;
  about: About;
}

/** A list of things as a small table: change, add, remove, reorder. Enter adds a row below, Alt with arrows moves it. */
export function ListTable({ field, path, value, onChange, about }: Props) {
  const body = useRef<HTMLTableSectionElement>(null);
  const singular = field.name.replace(/s$/, "");
  const rowOf = (row: number) => body.current?.querySelectorAll("tr")[row];
  const focus = (row: number, column = 0) =>
    requestAnimationFrame(() => {
      const inputs = rowOf(row)?.querySelectorAll<HTMLElement>("input, select, textarea");
      inputs?.[column]?.focus();
    });
  const add = (at: number) => {
    onChange?.(value.toSpliced(at, 0, blankObject(field.fields)));
    focus(at);
  };
  const move = (row: number, by: number, column = 0) => {
    onChange?.(moved(value, row, by));
    focus(Math.max(0, Math.min(value.length - 1, row + by)), column);
  };
  const onKey = (press: KeyboardEvent, row: number) => {
    const inputs = [...(rowOf(row)?.querySelectorAll("input, select, textarea") ?? [])];
    const column = Math.max(0, inputs.indexOf(press.target as Element));
    const inField = press.target instanceof HTMLInputElement;
    if (press.altKey && press.key === "ArrowUp") move(row, -1, column);
    else if (press.altKey && press.key === "ArrowDown") move(row, 1, column);
    else if (press.key === "Enter" && inField && !press.ctrlKey && !press.metaKey) add(row + 1);
    else return;
    press.preventDefault();
    press.stopPropagation();
  };
  const tool = (icon: IconName, label: string, disabled: boolean, run: () => void) => (
    <Button look="quiet" small icon={icon} aria-label={label} disabled={disabled} onClick={run} />
  );
  return (
    <div className={css.list}>
      <table aria-label={label(field.name)}>
        <thead>
          <tr>
            {field.fields.map((inner) => (
              <th key={inner.name} scope="col">
                {label(inner.name)}
              </th>
            ))}
            {onChange && <th aria-label="Change the list" />}
          </tr>
        </thead>
        <tbody ref={body}>
          {value.map((row, i) => (
            <tr
              key={i}
              onKeyDown={(press) => onChange && onKey(press, i)}
              data-differs={about.differing?.has(`${path}[${i}]`) || undefined}
            >
              {field.fields.map((inner) => (
                <td key={inner.name} data-kind={inner.kind} data-label={label(inner.name)}>
                  <ValueField
                    field={inner}
                    path={`${path}[${i}].${inner.name}`}
                    say={`${label(singular)} ${i + 1}, ${label(inner.name).toLowerCase()}`}
                    value={isObject(row) ? (row[inner.name] ?? null) : null}
                    onChange={
                      onChange &&
                      ((to) =>
                        onChange(
                          value.map((old, j) => (j === i ? { ...(isObject(old) ? old : {}), [inner.name]: to } : old)),
                        ))
                    }
                    about={about}
                  />
                </td>
              ))}
              {onChange && (
                <td className={css.tools}>
                  {tool("up", `Move ${singular} ${i + 1} up`, i === 0, () => move(i, -1))}
                  {tool("down", `Move ${singular} ${i + 1} down`, i === value.length - 1, () => move(i, 1))}
                  {tool("cross", `Remove ${singular} ${i + 1}`, false, () => onChange(value.toSpliced(i, 1)))}
                </td>
              )}
            </tr>
          ))}
        </tbody>
      </table>
      {value.length === 0 && <p className={css.none}>No {field.name}.</p>}
      {onChange && (
        <Button look="quiet" small icon="plus" onClick={() => add(value.length)}>
          Add {singular}
        </Button>
      )}
    </div>
  );
}
