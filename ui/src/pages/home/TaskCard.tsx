import { Link } from "@tanstack/react-router";
import { Fragment } from "react";
import type { TaskInfo } from "../../api/types";
import { Card, Interval, Progress, TimeAgo } from "../../components/bits";
import { RunLink, VersionLink } from "../../components/links";
import { RunPill, VerdictPill } from "../../components/pills";
import { duration, label, number } from "../../lib/format";
import { verdict } from "../../lib/reliability";
import { BASE, rankedBrief, titleOf } from "../../lib/scores";
import css from "./home.module.css";

/** One task: its active version with its score, running trainings, and the progress of the audit. */
export function TaskCard({ task }: { task: TaskInfo }) {
  const { active, run, counts } = task;
  const search = { task: task.name };
  return (
    <Card title={task.title} side={<code>{task.name}</code>}>
      <div className={css.task}>
        {active ? (
          <Active task={task} />
        ) : (
          <p className="muted">No version is active yet{task.has_baseline ? "; the baseline answers." : "."}</p>
        )}
        {run && (
          <RunLink id={run.id} {...search} className={css.run}>
            <RunPill state={run.state} />
            <span className="num">
              {run.progress
                ? `${label(run.progress.phase ?? "")} · ${Math.round(run.progress.percent)} % · ${duration(run.progress.eta_s)} left`
                : run.id}
            </span>
            <Progress value={run.progress?.percent ?? null} label={`Run ${run.id}`} />
          </RunLink>
        )}
        <div>
          <AuditBar counts={counts} />
          <p className={css.counts}>
            <span className="num">
              {number(counts.approved)} approved · {number(counts.rejected)} rejected · {number(counts.pending)}{" "}
              unaudited
            </span>
            <Link to="/audit" search={search}>
              {counts.pending > 0 ? "Audit" : "Browse"}
            </Link>
          </p>
        </div>
      </div>
    </Card>
  );
}

function Active({ task }: { task: TaskInfo }) {
  const active = task.active;
  if (!active) return null;
  const mine = active.scores?.metric;
  const all = active.scores?.examples ? rankedBrief(active) : [];
  const others = all.filter((one) => !one.mine && one.who !== BASE);
  const [rival] = others;
  const best = all.find((one) => one.mine)?.best;
  return (
    <div className={css.active}>
      <p>
        <VersionLink task={task.name} version={active.name}>
          <strong>{active.name}</strong>
        </VersionLink>{" "}
        is active · <TimeAgo at={active.created_at} />
      </p>
      {mine && (
        <dl>
          <dt>
            {titleOf(mine.name)}
            {best && " (best)"}
          </dt>
          <dd>
            <Interval metric={mine} />
          </dd>
          {others.map((one) => (
            <Fragment key={one.who}>
              <dt>
                {one.who}
                {one.best && " (best)"}
              </dt>
              <dd>
                <Interval metric={one.metric} tone="quiet" />
              </dd>
            </Fragment>
          ))}
        </dl>
      )}
      {mine && rival?.metric && <VerdictPill verdict={verdict(mine, rival.metric)} than={`“${rival.who}”`} />}
    </div>
  );
}

function AuditBar({ counts }: { counts: TaskInfo["counts"] }) {
  const all = Math.max(1, counts.pending + counts.approved + counts.rejected);
  return (
    <div className={css.audited} aria-hidden>
      <i style={{ width: `${(counts.approved / all) * 100}%` }} />
      <i style={{ width: `${(counts.rejected / all) * 100}%` }} />
    </div>
  );
}
