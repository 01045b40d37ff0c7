import { useQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { useState } from "react";
import { runQuery, versionQuery } from "../../api/queries";
import type { Run } from "../../api/types";
import { Card, Empty, Notice, PageHead, Skeleton, TimeAgo } from "../../components/bits";
import { Button } from "../../components/Button";
import { Confirm } from "../../components/Confirm";
import { Loaded, PageFailure } from "../../components/Failure";
import layout from "../../components/layout.module.css";
import { VersionLink } from "../../components/links";
import { offered, useRunAction } from "../../components/runActions";
import { RunPill } from "../../components/pills";
import { Tabs } from "../../components/Tabs";
import { commands } from "../../lib/commands";
import { isActive } from "../../lib/runs";
import { useRunStream } from "../../live/useRunStream";
import { useUrl } from "../../shell/url";
import { MetricsTable } from "../versions/MetricsTable";
import { RightList, WorstList } from "../versions/ShownAnswers";
import { ConfigTab } from "./ConfigTab";
import { Curves } from "./Curves";
import { FailureCard } from "./FailureCard";
import { Logs } from "./Logs";
import { Now } from "./Now";

/** One training or measurement: live while it runs, whole when it is over. */
export function RunPage() {
  const { id } = useParams({ strict: false }) as { id: string };
  const query = useQuery({
    ...runQuery(id),
    refetchInterval: (q) => (q.state.data && isActive(q.state.data.run.state) ? 5_000 : false),
  });
  const active = query.data ? isActive(query.data.run.state) : false;
  const live = useRunStream(id, active);
  const [search, setUrl] = useUrl();
  if (query.isPending) return <Skeleton lines={8} height={480} />;
  if (!query.data) return <PageFailure title={id} error={query.error} retry={() => void query.refetch()} />;
  const { run, failure, version, damage } = query.data;
  const trains = run.kind === "train";
  const tabs = [
    ...(trains ? [{ value: "curves", label: "Curves", content: <Curves events={live.events} /> }] : []),
    { value: "logs", label: "Logs", content: <Logs run={run} active={active} /> },
    { value: "evaluation", label: "Evaluation", content: <EvaluationTab run={run} version={version ?? null} /> },
    { value: "config", label: "Config & files", content: <ConfigTab detail={query.data} events={live.events} /> },
  ];
  return (
    <div className={layout.stack}>
      <div>
        <PageHead
          title={run.id}
          about={
            <span className={layout.row}>
              <RunPill state={run.state} /> {run.task} · {run.method} on {run.base} · <TimeAgo at={run.created_at} /> by{" "}
              {run.created_by}
              {version && (
                <VersionLink task={run.task} version={version}>
                  {trains ? "made" : "measures"} {version}
                </VersionLink>
              )}
            </span>
          }
        >
          <RunActions run={run} />
        </PageHead>
      </div>
      {damage && (
        <Notice tone="bad" title="A part of this run cannot be read">
          {damage}
        </Notice>
      )}
      {run.state === "failed" && <FailureCard run={run} failure={failure ?? null} />}
      <Now detail={query.data} live={live} />
      <Tabs
        label="Parts of the run"
        value={search.tab ?? (trains ? "curves" : "evaluation")}
        onChange={(tab) => setUrl({ tab })}
        tabs={tabs}
      />
    </div>
  );
}

const LOOKS = { cancel: "danger", resume: "main", retry: "plain" } as const;

/** The actions of a run. */
function RunActions({ run }: { run: Run }) {
  const [asking, setAsking] = useState(false);
  const trains = run.kind === "train";
  const act = useRunAction(run);
  const busy = act.isPending && "Working …";
  return (
    <>
      {offered(run).map(({ action, label }) => (
        <Button
          key={action}
          look={LOOKS[action]}
          busy={busy}
          onClick={() => (action === "cancel" ? setAsking(true) : act.mutate(action))}
        >
          {label}
        </Button>
      ))}
      <Link to="/train" hash="history">
        All runs
      </Link>
      <Confirm
        open={asking}
        title={trains ? "Stop this training?" : "Stop this evaluation?"}
        yes="Stop it"
        danger
        busy={busy}
        command={commands.cancellingRun(run.id)}
        onYes={() => act.mutate("cancel", { onSuccess: () => setAsking(false) })}
        onNo={() => setAsking(false)}
      >
        <p>
          {trains
            ? "Its last checkpoint is kept, and it can be resumed from there."
            : "The version keeps its current metrics."}
        </p>
      </Confirm>
    </>
  );
}

/** How good the result is, field by field, with answers it got wrong and answers it got right. */
function EvaluationTab({ run, version }: { run: Run; version: string | null }) {
  const query = useQuery({ ...versionQuery(run.task, version ?? ""), enabled: version !== null });
  if (version === null)
    return (
      <Empty title="Nothing to evaluate yet">
        A successful run becomes a version, which is evaluated on the held-out examples.
      </Empty>
    );
  return (
    <Loaded query={query} lines={6} height={300}>
      {({ evaluation, worst, right }) => (
        <div className={layout.stack}>
          <Card title={`${version} on the held-out examples`} flush>
            {evaluation ? (
              <MetricsTable evaluation={evaluation} />
            ) : (
              <Empty title="Not evaluated yet">The evaluation starts after the training and takes a few minutes.</Empty>
            )}
          </Card>
          <WorstList task={run.task} shown={worst} evaluation={evaluation} />
          <RightList task={run.task} shown={right} evaluation={evaluation} />
        </div>
      )}
    </Loaded>
  );
}
