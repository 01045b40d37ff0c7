import { Card, Empty, Notice } from "../../components/bits";
import listed from "../../components/listed.module.css";
import { Cell, Table } from "../../components/Table";
import { bytes, duration, number } from "../../lib/format";
import { Words } from "../../components/Words";

/** One version in memory, as the server tells it. */
interface Generation {
  digest: string;
  task: string;
  version: string;
  base: string;
  bytes: number;
  in_flight: number;
  answered: number;
  failed: number;
}
interface Told {
  bases?: { name: string; waiting: number; wait_s: number }[];
  generations?: Generation[];
  tasks?: { task: string; problem: string | null }[];
}

/** Which versions answer from this process's memory, and how they fare. */
export function Serving({ serving }: { serving: unknown }) {
  const { bases = [], generations = [], tasks = [] } = serving as Told;
  const problems = tasks.filter((task) => task.problem);
  return (
    <Card title="Loaded versions" flush>
      {problems.length > 0 && (
        <div className={listed.pad}>
          {problems.map(({ task, problem }) => (
            <Notice key={task} tone="warn" title={`${task} has no loaded version.`}>
              <Words>{problem ?? ""}</Words>
            </Notice>
          ))}
        </div>
      )}
      {bases
        .filter((base) => base.waiting > 0)
        .map((base) => (
          <p key={base.name} className={listed.pad}>
            {number(base.waiting)} requests wait for {base.name}; a new one begins in about {duration(base.wait_s)}.
          </p>
        ))}
      {generations.length === 0 && <Empty title="None">A version is loaded with its first request.</Empty>}
      {generations.length > 0 && (
        <Table
          label="Loaded versions"
          stack
          columns={[
            "Version",
            "Base",
            ...["Memory", "In progress", "Answered", "Failed"].map((title) => ({ title, right: true })),
          ]}
        >
          {generations.map((one) => (
            <tr key={one.digest}>
              <th scope="row" title={one.digest}>
                {one.task} {one.version}
              </th>
              <Cell label="Base">{one.base}</Cell>
              <Cell label="Memory" right nowrap>
                {bytes(one.bytes)}
              </Cell>
              <Cell label="In progress" right>
                {number(one.in_flight)}
              </Cell>
              <Cell label="Answered" right>
                {number(one.answered)}
              </Cell>
              <Cell label="Failed" right>
                {number(one.failed)}
              </Cell>
            </tr>
          ))}
        </Table>
      )}
    </Card>
  );
}
