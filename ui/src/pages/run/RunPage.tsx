import { useQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { runQuery } from "../../api/queries";
import { Notice, PageHead, Skeleton } from "../../components/bits";
import { PageFailure } from "../../components/Failure";
import layout from "../../components/layout.module.css";
import { RunPill } from "../../components/RunPill";
import { isActive } from "../../lib/runs";
import { Tabs } from "../../components/Tabs";
import { TimeAgo } from "../../components/TimeAgo";
import { useUrl } from "../../shell/url";
import { useRunStream } from "../../live/useRunStream";
import { ConfigTab } from "./ConfigTab";
import { Curves } from "./Curves";
import { EvaluationTab } from "./EvaluationTab";
import { FailureCard } from "./FailureCard";
import { Logs } from "./Logs";
import { Now } from "./Now";
import { RunActions } from "./RunActions";

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
                <Link to="/versions" search={{ task: run.task, version }}>
                  {trains ? "made" : "measures"} {version}
                </Link>
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
