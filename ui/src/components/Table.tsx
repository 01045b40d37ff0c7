import type { ComponentProps, Key, ReactNode, Ref } from "react";
import { Listed } from "./Failure";
import css from "./table.module.css";

/** A column's title; `hidden` is for those who don't see what the buttons below it look like. */
type Title = string | { title: ReactNode; right?: boolean; hidden?: boolean };

interface Frame {
  label: string;
  /** Rows become cards where it is narrow. */
  stack?: boolean;
}

/** A table with its head; in one that stacks, cells need a label. */
export function Table({
  label,
  columns,
  stack,
  tall,
  rows,
  children,
}: Frame & {
  columns: Title[];
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
            {columns
              .map((column) => (typeof column === "string" ? { title: column } : column))
              .map(({ title, right, hidden }, i) => (
                <th key={i} scope="col" className={right && !hidden ? css.right : undefined}>
                  {hidden ? <span className="sr">{title}</span> : title}
                </th>
              ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </div>
  );
}

interface Look {
  right?: boolean;
  full?: boolean;
  nowrap?: boolean;
  /** Where rows are cards: in the corner above, the second one in that below. */
  corner?: boolean;
}

/** A cell; its label shows where rows are cards. */
export function Cell(props: Look & { label?: string; title?: string; children?: ReactNode }) {
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

/** A column of a table of data. */
export interface Column<T> extends Look {
  title: ReactNode;
  /** The title is only for those who don't see what the buttons below it look like. */
  hidden?: boolean;
  /** Where rows are cards: other words than the title, or none. */
  label?: string | null;
  /** The rows that have anything in it; all if absent. */
  only?: (row: T) => boolean;
  /** The label in a row. */
  name?: (row: T) => string | null | undefined;
  /** It names the row. */
  head?: boolean;
  /** More about a cell, on hover. */
  tip?: (row: T) => string | null | undefined;
  cell: (row: T, at: number) => ReactNode;
}

interface DataProps<T> extends Frame {
  columns: (Column<T> | false | null | undefined)[];
  rows: readonly T[];
  /** What tells a row from the others. */
  by: (row: T) => Key;
  /** Attributes of a row. */
  about?: (row: T) => ComponentProps<"tr">;
  /** In place of a table without rows. */
  empty?: ReactNode;
}

/** A row for each of some things, a cell for each column. */
export function DataTable<T>({ columns: all, rows, by, about, empty, ...frame }: DataProps<T>) {
  const columns = all.filter((column) => !!column);
  if (rows.length === 0 && empty) return empty;
  return (
    <Table {...frame} columns={columns}>
      {rows.map((row, at) => (
        <tr key={by(row)} {...about?.(row)}>
          {columns.map(({ title, hidden, label, name, only, head, tip, cell, ...look }, i) => {
            const usual = frame.stack && !hidden && typeof title === "string" ? title : undefined;
            if (only && !only(row)) return <Cell key={i} {...look} />;
            const shared = { title: tip?.(row) ?? undefined, children: cell(row, at) };
            if (head) return <th key={i} scope="row" {...shared} />;
            const said = name?.(row) ?? (label === undefined ? usual : (label ?? undefined));
            return <Cell key={i} label={said} {...look} {...shared} />;
          })}
        </tr>
      ))}
    </Table>
  );
}

interface QueryProps<D, T> extends Omit<DataProps<T>, "rows">, Omit<ComponentProps<typeof Listed<D>>, "children"> {
  rows: (data: D) => readonly T[];
}

/** The same of what a query finds. */
export function QueryTable<D, T>({ query, lines, height, rows, ...table }: QueryProps<D, T>) {
  return <Listed {...{ query, lines, height }}>{(data) => <DataTable {...table} rows={rows(data)} />}</Listed>;
}
