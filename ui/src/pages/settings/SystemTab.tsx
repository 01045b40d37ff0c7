import { useQuery } from "@tanstack/react-query";
import { api, ifMatch, type Tagged } from "../../api/client";
import { rentQuery, systemQuery } from "../../api/queries";
import type { Schemas, System } from "../../api/types";
import { Card, Empty, Facts, Figure, Figures, Notice, TimeAgo } from "../../components/bits";
import { Listed, Loaded, Words } from "../../components/Failure";
import { Input, useFields } from "../../components/form";
import layout from "../../components/layout.module.css";
import { RunLink } from "../../components/links";
import listed from "../../components/listed.module.css";
import { SaveForm } from "../../components/SaveForm";
import { DataTable } from "../../components/Table";
import { commands } from "../../lib/commands";
import { bytes, clip, count, duration, number } from "../../lib/format";
import css from "./settings.module.css";

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
              empty={
                <Empty title="No worker">
                  Runs wait until <code>graft serve</code> or <code>graft worker</code> takes them.
                </Empty>
              }
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
            title: "Version",
            head: true,
            tip: ({ digest }) => digest,
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

/** The price of the machine per hour, for the cost estimate before a training. */
function RentCard() {
  const query = useQuery(rentQuery);
  return (
    <Card title="Machine cost" flush>
      <Listed query={query}>{(data) => <Form key={data.etag} {...data} />}</Listed>
    </Card>
  );
}

function Form({ body: saved, etag }: Tagged<Schemas["Rent"]>) {
  const before = { price: String(saved.price_per_hour), currency: saved.currency };
  const { values, change, text } = useFields(before);
  const { price, currency } = values;
  const amount = Number(price.trim().replace(",", "."));
  const wrong = price.trim() === "" || !Number.isFinite(amount) || amount < 0;
  const rent = { price_per_hour: amount, currency: currency.trim() };
  return (
    <SaveForm
      className={css.rent}
      save={() => api.PUT("/api/v1/settings/rent", { body: rent, params: { header: ifMatch(etag) } })}
      said="The check before each training shows its estimated cost."
      dirty={amount !== saved.price_per_hour || currency.trim() !== saved.currency}
      ready={!wrong && currency.trim() !== ""}
      onDiscard={() => change(before)}
      list="rent"
      command={commands.putting("/api/v1/settings/rent", rent)}
    >
      <div className={layout.fields}>
        <Input
          label="Price per hour"
          hint="Of the rented machine. Enter 0 for your own machine."
          error={wrong ? "Enter a number, 0 or more" : undefined}
          inputMode="decimal"
          {...text("price")}
        />
        <Input label="Currency" hint="For example USD or €" maxLength={8} {...text("currency")} />
      </div>
    </SaveForm>
  );
}
