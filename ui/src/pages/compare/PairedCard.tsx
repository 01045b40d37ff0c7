import { Link } from "@tanstack/react-router";
import type { RunComparison } from "../../api/types";
import { Card, Figure, Figures } from "../../components/bits";
import { DataTable } from "../../components/Table";
import { clip, number, percent, points } from "../../lib/format";
import css from "./compare.module.css";

type Paired = NonNullable<RunComparison["paired"]>;

/** The last run against the first, example by example: where they differ, and a way to look at each. */
export function PairedCard({ paired, first, last }: { paired: Paired; first: string; last: string }) {
  const { wins, losses, ties, differing } = paired;
  return (
    <Card title="Comparison by example" flush>
      <div className={css.paired}>
        <Figures>
          <Figure label="Better" value={number(wins)} sub={`by ${last}`} />
          <Figure label="Worse" value={number(losses)} sub={`by ${last}`} />
          <Figure label="Equal" value={number(ties)} sub="held-out examples" />
        </Figures>
      </div>
      {differing.length > 0 && (
        <DataTable
          label="Different results"
          stack
          rows={differing}
          by={({ id }) => id}
          columns={[
            { title: "Message", head: true, cell: message },
            { title: first, cell: (one) => percent(one.first) },
            { title: last, cell: (one) => percent(one.last) },
            { title: "Difference", nowrap: true, cell: (one) => `${points(one.last - one.first)} points` },
          ]}
        />
      )}
    </Card>
  );
}

const message = ({ id, task, input }: Paired["differing"][number]) => (
  <Link to="/audit" search={{ task, id, state: "all" }}>
    {clip(input.replace(/\s+/g, " "), 110)}
  </Link>
);
