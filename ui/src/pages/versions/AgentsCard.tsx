import { useQuery } from "@tanstack/react-query";
import { api, reply } from "../../api/client";
import { agentsQuery } from "../../api/queries";
import type { AgentView, AgentsReport } from "../../api/types";
import { Card, Empty, Figure, Figures, Pill } from "../../components/bits";
import { Failure } from "../../components/Failure";
import { Remove } from "../../components/Remove";
import { ShowCommand } from "../../components/ShowCommand";
import { Cell, Table } from "../../components/Table";
import { TimeAgo } from "../../components/TimeAgo";
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
  const { data, error, refetch } = useQuery(agentsQuery(task));
  return (
    <Card id="agents" title="Agents">
      {error && !data ? (
        <Failure error={error} retry={() => void refetch()} />
      ) : (
        data && (
          <div className={css.rollout}>
            {data.agents.length === 0 ? (
              <Empty title="No agents">
                An agent holds the active version on another machine and answers there, also while this server can't be
                reached.
              </Empty>
            ) : (
              <Known task={task} report={data} />
            )}
            <ShowCommand command={commands.holding(task, location.origin)} />
          </div>
        )
      )}
    </Card>
  );
}

function Known({ task, report: { agents, waves, wanted, next } }: { task: string; report: AgentsReport }) {
  const sum = (of: "present" | "away" | "synced" | "failed") => waves.reduce((all, wave) => all + wave[of], 0);
  return (
    <>
      <Figures>
        <Figure
          label={`Hold ${wanted?.version ?? "a version"}`}
          value={`${number(sum("synced"))} of ${number(sum("present"))}`}
        />
        <Figure label="Failed" value={number(sum("failed"))} />
        <Figure label="Away" value={number(sum("away"))} sub="Silent for two minutes" />
      </Figures>
      <p>{next}</p>
      <Table
        label="Agents"
        stack
        columns={["Agent", "Wave", "State", "Holds", "Digest", "Last seen", { hidden: "Forget" }]}
      >
        {agents.map((agent) => (
          <tr key={agent.name}>
            <Cell label="Agent">
              {agent.name}
              {agent.other_graft && <small className={css.quiet}> Graft {agent.graft}</small>}
            </Cell>
            <Cell label="Wave">{agent.wave}</Cell>
            <Cell label="State">
              <Pill tone={TONES[agent.state]}>{label(agent.state)}</Pill> {agent.away && <Pill tone="warn">Away</Pill>}
              {agent.problem && <small className={css.quiet}> {agent.problem}</small>}
            </Cell>
            <Cell label="Holds">{agent.held_version ?? "–"}</Cell>
            <Cell label="Digest">{agent.held ? <code>{agent.held.slice(0, 12)}</code> : "–"}</Cell>
            <Cell label="Last seen">
              <TimeAgo at={agent.seen_at} />
            </Cell>
            <Cell right>
              <Remove
                label={`Forget the agent ${agent.name}`}
                run={() =>
                  reply(
                    api.DELETE("/api/v1/tasks/{task}/agents/{name}", { params: { path: { task, name: agent.name } } }),
                  )
                }
                list="agents"
                said={`${agent.name} is forgotten`}
              >
                One that still runs comes back by itself. Another token may use the name from now on.
              </Remove>
            </Cell>
          </tr>
        ))}
      </Table>
    </>
  );
}
