import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { systemQuery } from "../../api/queries";
import type { System } from "../../api/types";
import { Card, Empty, Figure, Figures, Skeleton } from "../../components/bits";
import { Facts } from "../../components/Facts";
import { Failure } from "../../components/Failure";
import layout from "../../components/layout.module.css";
import { Cell, Table } from "../../components/Table";
import { TimeAgo } from "../../components/TimeAgo";
import { RentCard } from "./RentCard";
import { bytes, clip, count, duration, number } from "../../lib/format";
import { Serving } from "./Serving";

/** The machine, its workers, and the loaded versions. */
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
          <Figure label="Memory of the server" value={bytes(system.memory.resident)} />
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
      <Serving serving={system.serving} />
      <div className={layout.two}>
        <div className={layout.stack}>
          <Card title="Workers" flush>
            {system.workers.length === 0 && (
              <Empty title="No worker">Runs wait until `graft serve` or `graft worker` takes them.</Empty>
            )}
            {system.workers.length > 0 && (
              <Table label="Workers" stack columns={["Worker", "Host", "Threads", "Last seen"]}>
                {system.workers.map((worker) => (
                  <tr key={worker.id}>
                    <th scope="row" title={worker.id}>
                      {clip(worker.id, 18)}
                    </th>
                    <Cell label="Host">{worker.host}</Cell>
                    <Cell label="Threads">{worker.slots}</Cell>
                    <Cell label="Last seen">
                      <TimeAgo at={worker.seen_at} />
                    </Cell>
                  </tr>
                ))}
              </Table>
            )}
          </Card>
          <Leases leases={system.leases} workers={system.workers} />
        </div>
        <RentCard />
      </div>
      <Card title="Paths">
        <Facts
          rows={[
            ["Home", <code>{system.home}</code>],
            ["Database", <code>{system.database}</code>],
            ["Base models", system.bases.map((base) => base.name).join(", ") || "None yet"],
            ["Last sweep", <Swept swept={system.swept} />],
          ]}
        />
      </Card>
    </div>
  );
}

/** The leases of runs; a lease that is not renewed goes to another worker. */
function Leases({ leases, workers }: Pick<System, "leases" | "workers">) {
  if (leases.length === 0) return null;
  const host = (owner: string) => workers.find((worker) => worker.id === owner)?.host ?? clip(owner, 18);
  return (
    <Card title="Leases" flush>
      <Table label="Leases" stack columns={["Run", "Held by", "Expires"]}>
        {leases.map((lease) => (
          <tr key={lease.run}>
            <th scope="row">
              <Link to="/runs/$id" params={{ id: lease.run }}>
                {lease.run}
              </Link>
            </th>
            <Cell label="Held by" title={lease.owner}>
              {host(lease.owner)}
            </Cell>
            <Cell label="Expires">
              {lease.left_ms > 0 ? `In ${duration(lease.left_ms / 1000)}` : "Expired; another worker will take it"}
            </Cell>
          </tr>
        ))}
      </Table>
    </Card>
  );
}

/** The unused files found in the home. */
function Swept({ swept }: Pick<System, "swept">) {
  if (!swept) return "None yet. An idle worker runs a sweep.";
  const { removed, kept, missing } = swept;
  return (
    <>
      <TimeAgo at={swept.at} />: {removed === 0 ? "nothing to remove" : `${count(removed, "leftover")} removed`}
      {kept > 0 && `, ${number(kept)} too young to remove`}
      {missing.length > 0 && (
        <>
          . Files are gone of <code>{missing.slice(0, 5).join(", ")}</code>
          {missing.length > 5 && ` and ${number(missing.length - 5)} more`}
        </>
      )}
    </>
  );
}
