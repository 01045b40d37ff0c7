import { Link } from "@tanstack/react-router";
import type { RunComparison } from "../../api/types";
import { Card, Figure, Figures } from "../../components/bits";
import { Cell, Table } from "../../components/Table";
import { clip, number, percent, points } from "../../lib/format";
import css from "./compare.module.css";

/** The last run against the first, example by example: where they differ, and a way to look at each. */
export function PairedCard({
  paired,
  first,
  last,
}: {
  paired: NonNullable<RunComparison["paired"]>;
  first: string;
  last: string;
}) {
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
        <Table label="Different results" stack columns={["Message", first, last, "Difference"]}>
          {differing.map((one) => (
            <tr key={one.id}>
              <th scope="row">
                <Link to="/audit" search={{ task: one.task, id: one.id, state: "all" }}>
                  {clip(one.input.replace(/\s+/g, " "), 110)}
                </Link>
              </th>
              <Cell label={first}>{percent(one.first)}</Cell>
              <Cell label={last}>{percent(one.last)}</Cell>
              <Cell label="Difference" nowrap>
                {points(one.last - one.first)} points
              </Cell>
            </tr>
          ))}
        </Table>
      )}
    </Card>
  );
}
