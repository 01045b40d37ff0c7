import { useQuery } from "@tanstack/react-query";
import { systemQuery } from "../../api/queries";
import type { System } from "../../api/types";
import { Card, Empty, Facts, Figure, Figures, Notice, TimeAgo } from "../../components/bits";
import layout from "../../components/layout.module.css";
import { RunLink } from "../../components/links";
import { Loaded, Words } from "../../components/Failure";
import listed from "../../components/listed.module.css";
import { DataTable } from "../../components/Table";
import { bytes, clip, count, duration, number } from "../../lib/format";
import { RentCard } from "./RentCard";

/** The machine, its workers, and the loaded versions. */
export function SystemTab() {
  const query = useQuery({ ...systemQuery, refetchInterval: 10_000 });
  return (
    <Loaded query={query} lines={6} height={300}>
      {(system) => <Content system={system} />}
    </Loaded>
  );
}

function Content({ system }: { system: System }) {
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
            <DataTable
              label="Workers"
              stack
              rows={system.workers}
              by={({ id }) => id}
              empty={<Empty title="No worker">Runs wait until `graft serve` or `graft worker` takes them.</Empty>}
              columns={[
                { title: "Worker", head: true, tip: ({ id }) => id, cell: ({ id }) => clip(id, 18) },
                { title: "Host", cell: ({ host }) => host },
                { title: "Threads", cell: ({ slots }) => slots },
                { title: "Last seen", cell: ({ seen_at }) => <TimeAgo at={seen_at} /> },
              ]}
            />
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
      <DataTable
        label="Leases"
        stack
        rows={leases}
        by={({ run }) => run}
        columns={[
          { title: "Run", head: true, cell: ({ run }) => <RunLink id={run} /> },
          { title: "Held by", tip: ({ owner }) => owner, cell: ({ owner }) => host(owner) },
          {
            title: "Expires",
            cell: ({ left_ms: left }) =>
              left > 0 ? `In ${duration(left / 1000)}` : "Expired; another worker will take it",
          },
        ]}
      />
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
function Serving({ serving }: { serving: unknown }) {
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
      <DataTable<Generation>
        label="Loaded versions"
        stack
        rows={generations}
        by={({ digest }) => digest}
        empty={<Empty title="None">A version is loaded with its first request.</Empty>}
        columns={[
          {
            ...{ title: "Version", head: true, tip: ({ digest }) => digest },
            cell: ({ task, version }) => `${task} ${version}`,
          },
          { title: "Base", cell: ({ base }) => base },
          { title: "Memory", right: true, nowrap: true, cell: (one) => bytes(one.bytes) },
          { title: "In progress", right: true, cell: (one) => number(one.in_flight) },
          { title: "Answered", right: true, cell: (one) => number(one.answered) },
          { title: "Failed", right: true, cell: (one) => number(one.failed) },
        ]}
      />
    </Card>
  );
}
