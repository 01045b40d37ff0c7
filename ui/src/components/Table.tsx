import type { ReactNode, Ref } from "react";
import css from "./table.module.css";

/** A column's title; `hidden` is for those who don't see what the buttons below it look like. */
type Column = string | { title: ReactNode; right?: boolean } | { hidden: string };

function head(column: Column): { title: ReactNode; right?: boolean } {
  if (typeof column === "string") return { title: column };
  return "hidden" in column ? { title: <span className="sr">{column.hidden}</span> } : column;
}

/** A table with its head; `stack` turns rows into cards where it is narrow (cells then need `data-label`). */
export function Table({
  label,
  columns,
  stack,
  tall,
  rows,
  children,
}: {
  label: string;
  columns: Column[];
  stack?: boolean;
  /** It scrolls by itself, in this; for tables of which only a part is in the document. */
  tall?: Ref<HTMLDivElement>;
  /** How many rows there are with the head, where not all are in the document. */
  rows?: number;
  children: ReactNode;
}) {
  return (
    <div ref={tall} className={`${css.wrap} ${tall ? css.tall : ""}`} tabIndex={0} role="region" aria-label={label}>
      <table className={`${css.table} ${stack ? css.stack : ""}`} aria-label={label} aria-rowcount={rows}>
        <thead>
          <tr>
            {columns.map(head).map((column, i) => (
              <th key={i} scope="col" className={column.right ? css.right : undefined}>
                {column.title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </div>
  );
}

/** A cell; its label shows where rows are cards. */
export function Cell(props: {
  label?: string;
  right?: boolean;
  full?: boolean;
  nowrap?: boolean;
  /** Where rows are cards: in the corner above, the second one in that below. */
  corner?: boolean;
  title?: string;
  children: ReactNode;
}) {
  const { right, full, nowrap, corner } = props;
  const classes = [right && css.right, full && css.full, nowrap && css.nowrap, corner && css.corner]
    .filter(Boolean)
    .join(" ");
  return (
    <td data-label={props.label} className={classes || undefined} title={props.title}>
      {props.children}
    </td>
  );
}
