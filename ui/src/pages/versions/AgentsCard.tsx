import { useQuery } from "@tanstack/react-query";
import { api, where } from "../../api/client";
import { agentsQuery } from "../../api/queries";
import type { AgentView, AgentsReport } from "../../api/types";
import { Card, Empty, Figure, Figures, Pill, TimeAgo } from "../../components/bits";
import { Loaded } from "../../components/Failure";
import { Remove } from "../../components/Confirm";
import { ShowCommand } from "../../components/ShowCommand";
import { DataTable } from "../../components/Table";
import { commands } from "../../lib/commands";
import { label, number } from "../../lib/format";
import css from "./rollout.module.css";

const TONES: Record<AgentView["state"], "plain" | "good" | "bad" | "warn"> = {
  pending: "plain",
  syncing: "warn",
  synced: "good",
  failed: "bad",
};

/** Processes elsewhere that hold the active version: how far each is with it. */
export function AgentsCard({ task }: { task: string }) {
  const query = useQuery(agentsQuery(task));
  return (
    <Card id="agents" title="Agents">
      <Loaded query={query} lines={0}>
        {(report) => (
          <div className={css.rollout}>
            {report.agents.length === 0 ? (
              <Empty title="No agents">
                An agent holds the active version on another machine and answers there, also while this server can't be
                reached.
              </Empty>
            ) : (
              <Known task={task} report={report} />
            )}
            <ShowCommand command={commands.holding(task, location.origin)} />
          </div>
        )}
      </Loaded>
    </Card>
  );
}

function Known({ task, report: { agents, waves, wanted, next } }: { task: string; report: AgentsReport }) {
  const sum = (of: "present" | "away" | "synced" | "failed") => waves.reduce((all, wave) => all + wave[of], 0);
  const hold = `Hold ${wanted?.version ?? "a version"}`;
  return (
    <>
      <Figures>
        <Figure label={hold} value={`${number(sum("synced"))} of ${number(sum("present"))}`} />
        <Figure label="Failed" value={number(sum("failed"))} />
        <Figure label="Away" value={number(sum("away"))} sub="Silent for two minutes" />
      </Figures>
      <p>{next}</p>
      <DataTable
        label="Agents"
        stack
        rows={agents}
        by={({ name }) => name}
        columns={[
          { title: "Agent", cell: nameOf },
          { title: "Wave", cell: ({ wave }) => wave },
          { title: "State", cell: stateOf },
          { title: "Holds", cell: ({ held_version }) => held_version ?? "–" },
          { title: "Digest", cell: ({ held }) => (held ? <code>{held.slice(0, 12)}</code> : "–") },
          { title: "Last seen", cell: ({ seen_at }) => <TimeAgo at={seen_at} /> },
          { title: "Forget", hidden: true, right: true, cell: ({ name }) => <Forget task={task} name={name} /> },
        ]}
      />
    </>
  );
}

const nameOf = ({ name, other_graft, graft }: AgentView) => (
  <>
    {name}
    {other_graft && <small className={css.quiet}> Graft {graft}</small>}
  </>
);

const stateOf = ({ state, away, problem }: AgentView) => (
  <>
    <Pill tone={TONES[state]}>{label(state)}</Pill> {away && <Pill tone="warn">Away</Pill>}
    {problem && <small className={css.quiet}> {problem}</small>}
  </>
);

function Forget({ task, name }: { task: string; name: string }) {
  return (
    <Remove
      label={`Forget the agent ${name}`}
      run={() => api.DELETE("/api/v1/tasks/{task}/agents/{name}", where({ task, name }))}
      list="agents"
      said={`${name} is forgotten`}
    >
      One that still runs comes back by itself. Another token may use the name from now on.
    </Remove>
  );
}
