import { useQuery } from "@tanstack/react-query";
import { systemQuery } from "../../api/queries";
import { Card, Empty, Figure, Figures, Skeleton } from "../../components/bits";
import { Facts } from "../../components/Facts";
import { Failure } from "../../components/Failure";
import layout from "../../components/layout.module.css";
import { Cell, Table } from "../../components/Table";
import { TimeAgo } from "../../components/TimeAgo";
import { RentCard } from "./RentCard";
import { bytes, clip, number } from "../../lib/format";
import { Serving } from "./Serving";

/** The machine, who trains on it, and what answers. */
export function SystemTab() {
  const query = useQuery({ ...systemQuery, refetchInterval: 10_000 });
  if (query.isPending) return <Skeleton lines={6} height={300} />;
  if (!query.data) return <Failure error={query.error} retry={() => void query.refetch()} />;
  const system = query.data;
  return (
    <div className={layout.stack}>
      <Card
        title={`Graft ${system.version}`}
        side={
          <span>
            Up since <TimeAgo at={system.started_at} />
          </span>
        }
      >
        <Figures>
          <Figure label="Free disk" value={bytes(system.disk_free)} />
          <Figure label="Free memory" value={bytes(system.memory.available)} />
          <Figure label="Server's memory" value={bytes(system.memory.resident)} />
          <Figure
            label="Runs"
            value={number(Object.values(system.queue).reduce((sum, runs) => sum + runs, 0))}
            sub={
              Object.entries(system.queue)
                .filter(([, runs]) => runs > 0)
                .map(([state, runs]) => `${number(runs)} ${state}`)
                .join(" · ") || undefined
            }
          />
        </Figures>
      </Card>
      <div className={layout.two}>
        <div className={layout.stack}>
          <Card title="Where runs execute" flush>
            {system.workers.length === 0 && (
              <Empty title="No worker">Runs wait until `graft serve` or `graft worker` takes them.</Empty>
            )}
            {system.workers.length > 0 && (
              <Table label="Workers" stack columns={["Worker", "Host", "Threads", "Heard of"]}>
                {system.workers.map((worker) => (
                  <tr key={worker.id}>
                    <th scope="row" title={worker.id}>
                      {clip(worker.id, 18)}
                    </th>
                    <Cell label="Host">{worker.host}</Cell>
                    <Cell label="Threads">{worker.slots}</Cell>
                    <Cell label="Heard of">
                      <TimeAgo at={worker.seen_at} />
                    </Cell>
                  </tr>
                ))}
              </Table>
            )}
          </Card>
          <Serving serving={system.serving} />
          <Card title="Places">
            <Facts
              rows={[
                ["Home", <code>{system.home}</code>],
                ["Database", <code>{system.database}</code>],
                ["Base models", system.bases.map((base) => base.name).join(", ") || "None yet"],
              ]}
            />
          </Card>
        </div>
        <RentCard />
      </div>
    </div>
  );
}
