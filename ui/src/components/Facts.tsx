import { Fragment, type ReactNode } from "react";
import layout from "./layout.module.css";

/** Names and values in two columns. */
export function Facts({ rows, mono }: { rows: [name: string, value: ReactNode][]; mono?: boolean }) {
  return (
    <dl className={layout.facts}>
      {rows.map(([name, value]) => (
        <Fragment key={name}>
          <dt className={mono ? "mono" : undefined}>{name}</dt>
          <dd className={mono ? "mono" : "num"}>{value}</dd>
        </Fragment>
      ))}
    </dl>
  );
}
