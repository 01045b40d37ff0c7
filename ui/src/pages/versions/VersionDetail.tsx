import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { versionQuery } from "../../api/queries";
import type { TaskInfo, Version, VersionDetail as Detail } from "../../api/types";
import { Card, Empty, Skeleton } from "../../components/bits";
import { Failure } from "../../components/Failure";
import layout from "../../components/layout.module.css";
import { duration, exact, number } from "../../lib/format";
import { Confusion } from "./Confusion";
import { MetricsTable } from "./MetricsTable";
import { ReliabilityCard } from "./ReliabilityCard";
import { WorstList } from "./WorstList";

/** One version: its numbers, whether its confidences can be trusted, where it comes from, what it gets wrong. */
export function VersionDetail({ task, version }: { task: TaskInfo; version: Version }) {
  const query = useQuery(versionQuery(task.name, version.name));
  if (query.error) return <Failure error={query.error} retry={() => void query.refetch()} />;
  const detail = query.data;
  const evaluation = detail?.evaluation ?? version.metrics.evaluation;
  return (
    <div className={layout.stack}>
      <Card
        title="On the held-out examples"
        flush
        side={
          evaluation && (
            <span>
              {number(evaluation.adapter.n)} examples it never saw · {duration(evaluation.seconds_per_answer)} an answer
            </span>
          )
        }
      >
        {evaluation ? (
          <MetricsTable evaluation={evaluation} />
        ) : (
          <Empty title="Not measured yet">Choose “Measure again” in its menu.</Empty>
        )}
      </Card>
      <div className={layout.two}>
        {evaluation && <ReliabilityCard evaluation={evaluation} />}
        <div className={layout.stack}>
          {evaluation?.adapter.confusion && <Confusion confusion={evaluation.adapter.confusion} />}
          <Lineage version={version} detail={detail} />
        </div>
      </div>
      {detail ? <WorstList task={task.name} worst={detail.worst} /> : <Skeleton lines={4} height={200} />}
    </div>
  );
}

function Lineage({ version, detail }: { version: Version; detail: Detail | undefined }) {
  const lineage = detail?.lineage;
  return (
    <Card title="Where it comes from">
      <dl className={layout.facts}>
        <dt>Base model</dt>
        <dd>
          {version.base} <code title={version.base_digest}>{version.base_digest.slice(0, 12)}</code>
        </dd>
        <dt>Run</dt>
        <dd>
          {lineage?.run ? (
            <Link to="/runs/$id" params={{ id: lineage.run }}>
              {lineage.run}
            </Link>
          ) : (
            "Made elsewhere"
          )}
        </dd>
        <dt>Dataset</dt>
        <dd>{version.dataset ? <code title={version.dataset}>{version.dataset.slice(0, 12)}</code> : "–"}</dd>
        <dt>Parent</dt>
        <dd>
          {version.parent ? (
            <Link to="/versions" search={{ task: version.task, version: version.parent } as never}>
              {version.parent}
            </Link>
          ) : (
            "–"
          )}
        </dd>
        <dt>Prompt and form</dt>
        <dd>
          <code title={version.card_digest}>{version.card_digest.slice(0, 12)}</code>
        </dd>
        <dt>Adapter</dt>
        <dd>
          <code title={version.adapter_digest}>{version.adapter_digest.slice(0, 12)}</code>
        </dd>
        <dt>Made</dt>
        <dd>
          {exact(version.created_at)} by {version.created_by}
        </dd>
      </dl>
    </Card>
  );
}
