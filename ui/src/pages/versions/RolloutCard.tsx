import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { address, api, reply, where } from "../../api/client";
import { rolloutQuery, sessionQuery } from "../../api/queries";
import type { Rollout, RolloutReport, Version } from "../../api/types";
import { ActButton, AskFirst } from "../../components/Confirm";
import { Card, Figure, Figures, Pill, TimeAgo } from "../../components/bits";
import { Input } from "../../components/form";
import { Loaded } from "../../components/Failure";
import { commands } from "../../lib/commands";
import { count, label, number, percent, sentence } from "../../lib/format";
import css from "./rollout.module.css";

const STAGES = ["shadow", "canary", "active"] as const;
const TONES: Record<Rollout["state"], "plain" | "good" | "bad" | "warn"> = {
  shadow: "plain",
  canary: "warn",
  promoted: "good",
  stopped: "plain",
  returned: "bad",
};

/** What a change of a roll-out or of continuous learning makes old. */
export const oldWith = (task: string) => [["live", task], ["rollout", task], ["versions", task], ["tasks"]];

interface Props {
  version: Version;
  active: Version | undefined;
}

/** The roll-out of a version: its stage and the remaining conditions. */
export function RolloutCard({ version, active }: Props) {
  const query = useQuery(rolloutQuery(version.task));
  const running = query.data?.running;
  const own = running?.rollout.version === version.name ? running : undefined;
  const past = query.data?.ended.filter((one) => one.version === version.name) ?? [];
  if (!active || (version.stage === "active" && past.length === 0)) return null;
  return (
    <Card
      id="rollout"
      title="Roll-out"
      side={
        own && (
          <span>
            Against {own.rollout.against}, {own.rollout.state} since <TimeAgo at={own.rollout.stage_at} />
          </span>
        )
      }
    >
      <Loaded query={query} lines={3} height={120}>
        {() => (
          <div className={css.rollout}>
            {own ? (
              <Running report={own} />
            ) : (
              version.stage !== "active" && (
                <NotRunning version={version} active={active} other={running?.rollout.version} />
              )
            )}
            {past.length > 0 && <Past rollouts={past} />}
          </div>
        )}
      </Loaded>
    </Card>
  );
}

function NotRunning({ version, active, other }: { version: Version; active: Version; other: string | undefined }) {
  const { task, name } = version;
  if (other) return <p>One version of a task is rolled out at a time; now it is {other}.</p>;
  return (
    <div className={css.start}>
      <p>
        It does not answer requests yet. In a roll-out it first answers, unseen, beside {active.name}, and nobody sees
        it, until both can be compared.
      </p>
      <ActButton
        run={() => reply(api.POST("/api/v1/tasks/{task}/rollout", { ...where({ task }), body: { version: name } }))}
        said={`${name} answers beside ${active.name}`}
        old={oldWith(task)}
        busy="Starting …"
      >
        Start roll-out
      </ActButton>
    </div>
  );
}

function Running({ report }: { report: RolloutReport }) {
  const { rollout, counts, outcomes, errors, times, gates } = report;
  const at = STAGES.indexOf(rollout.state === "canary" ? "canary" : "shadow");
  return (
    <>
      <ol className={css.stages} aria-label="Stage">
        {STAGES.map((stage, index) => (
          <li key={stage} data-done={index < at || undefined} aria-current={index === at ? "step" : undefined}>
            <strong>{label(stage)}</strong>
            <small>{about(stage, rollout)}</small>
          </li>
        ))}
      </ol>
      <Figures>
        <Figure
          label="Answered by both"
          value={number(counts.pairs)}
          sub={counts.agreement == null ? "None yet" : `${percent(counts.agreement)} the same`}
        />
        <Figure
          label="Decided by people"
          value={number(outcomes.decided)}
          sub={`${count(outcomes.wins, "win")}, ${number(outcomes.losses)} losses`}
        />
        <Figure label={`Right: ${rollout.version}`} value={percent(outcomes.candidate, 1)} />
        <Figure label={`Right: ${rollout.against}`} value={percent(outcomes.active, 1)} />
        <Figure
          label="Evidence: not worse"
          value={outcomes.not_worse > 9999 ? "> 9,999" : outcomes.not_worse.toFixed(1)}
          sub={`${number(Math.round(outcomes.needed))} needed`}
        />
        {times && (
          <>
            <Figure
              label={`Answer time: ${rollout.version}`}
              value={ms(times.candidate.p50)}
              sub={spread(times.candidate)}
            />
            <Figure label={`Answer time: ${rollout.against}`} value={ms(times.active.p50)} sub={spread(times.active)} />
          </>
        )}
        <Figure
          label="Errors, 95th percentile"
          value={percent(errors.p95)}
          sub={`${percent(errors.mean)} on average of ${number(errors.count)}`}
        />
      </Figures>
      <ul className={css.gates} aria-label="Conditions for becoming active">
        {gates.map((gate) => (
          <li key={gate.name}>
            <Pill tone={gate.passed ? "good" : "plain"}>{gate.passed ? "✓ Holds" : "Open"}</Pill>
            <span>
              <strong>{sentence(gate.name)}</strong>
              <small>{gate.found}</small>
            </span>
          </li>
        ))}
      </ul>
      <p>{report.next}</p>
      {(rollout.failures > 0 || rollout.dropped > 0) && (
        <p className={css.quiet}>
          {count(rollout.failures, "failed answer")}; {count(rollout.dropped, "input")} answered by one version only.
        </p>
      )}
      <Actions report={report} />
    </>
  );
}

const ms = (time: number | null | undefined) =>
  time == null ? "–" : `${(time * 1000).toFixed(time < 0.01 ? 1 : 0)} ms`;

/** Of requests that were distributed at random, so the times of both versions can be compared. */
const spread = ({ p95, answers }: NonNullable<RolloutReport["times"]>["active"]) =>
  `${ms(p95)} at the 95th percentile, ${count(answers, "answer")}`;

function about(stage: (typeof STAGES)[number], { policy }: Rollout) {
  if (stage === "shadow")
    return `Nobody sees it. ${number(policy.shadow_hours ?? 0)} hours before it may become active`;
  if (stage === "active") return "It answers all requests";
  const named = policy.clients ?? [];
  const clients = named.length > 0 ? `, and those of ${named.join(", ")}` : "";
  return `It answers ${percent(policy.share)} of the requests${clients}`;
}

function Actions({ report: { rollout, ready } }: { report: RolloutReport }) {
  const [why, setWhy] = useState("");
  const admin = useQuery(sessionQuery).data?.role === "admin";
  const { task, version, against, state } = rollout;
  const { params } = where({ task });
  const old = oldWith(task);
  return (
    <div className={css.actions}>
      <ActButton
        look="main"
        disabled={!ready}
        busy="Working …"
        run={() => reply(api.POST("/api/v1/tasks/{task}/rollout/promote", { params }))}
        said={`${version} is active now`}
        old={old}
      >
        Make active
      </ActButton>
      {state === "shadow" && (
        <ActButton
          run={() => reply(api.POST("/api/v1/tasks/{task}/rollout/canary", { params }))}
          said={`${version} is a canary`}
          old={old}
        >
          Make canary
        </ActButton>
      )}
      <AskFirst
        button={{ children: "Stop" }}
        title={`Stop the roll-out of ${version}?`}
        yes="Stop it"
        busy="Working …"
        run={() => reply(api.POST("/api/v1/tasks/{task}/rollout/stop", { params, body: {} }))}
        said={`${version} no longer answers requests`}
        old={old}
        command={commands.stoppingRollout(task)}
      >
        <p>{against} goes on answering all requests. What people decided is kept.</p>
      </AskFirst>
      <Report rollout={rollout} />
      {admin && !ready && (
        <AskFirst
          button={{ children: "Override …" }}
          title={`Make ${version} active despite its policy?`}
          yes="Make it active"
          danger
          busy="Working …"
          needs={why.trim() !== ""}
          run={() => reply(api.POST("/api/v1/tasks/{task}/rollout/override", { params, body: { why } }))}
          said={`${version} is active now`}
          old={old}
          command={commands.overridingRollout(task, why)}
        >
          <p>Some conditions of the policy are not met. The reason is stored in the audit trail.</p>
          <Input label="Reason" value={why} onText={setWhy} />
        </AskFirst>
      )}
    </div>
  );
}

/** The comparison of both versions as a file. */
function Report({ rollout: { task, id } }: { rollout: Rollout }) {
  return (
    <a href={`${address("/api/v1/tasks/{task}/rollout/report.html", { task })}?number=${id}`} download>
      Report
    </a>
  );
}

function Past({ rollouts }: { rollouts: Rollout[] }) {
  return (
    <ul className={css.past} aria-label="Earlier roll-outs">
      {rollouts.map((one) => (
        <li key={one.id}>
          <Pill tone={TONES[one.state]}>{label(one.state)}</Pill> {one.ended_at && <TimeAgo at={one.ended_at} />}
          {one.why && <small>{one.why}</small>} <Report rollout={one} />
        </li>
      ))}
    </ul>
  );
}
