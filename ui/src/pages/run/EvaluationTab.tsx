import { useQuery } from "@tanstack/react-query";
import { versionQuery } from "../../api/queries";
import type { Run } from "../../api/types";
import { Card, Empty, Skeleton } from "../../components/bits";
import { Failure } from "../../components/Failure";
import layout from "../../components/layout.module.css";
import { MetricsTable } from "../versions/MetricsTable";
import { RightList } from "../versions/RightList";
import { WorstList } from "../versions/WorstList";

/** How good the result is, field by field, with answers it got wrong and answers it got right. */
export function EvaluationTab({ run, version }: { run: Run; version: string | null }) {
  const query = useQuery({ ...versionQuery(run.task, version ?? ""), enabled: version !== null });
  if (version === null)
    return (
      <Empty title="Nothing to evaluate yet">
        A successful run becomes a version, which is evaluated on the held-out examples.
      </Empty>
    );
  if (query.isPending) return <Skeleton lines={6} height={300} />;
  if (!query.data) return <Failure error={query.error} retry={() => void query.refetch()} />;
  const { evaluation, worst, right } = query.data;
  return (
    <div className={layout.stack}>
      <Card title={`${version} on the held-out examples`} flush>
        {evaluation ? (
          <MetricsTable evaluation={evaluation} />
        ) : (
          <Empty title="Not evaluated yet">The evaluation starts after the training and takes a few minutes.</Empty>
        )}
      </Card>
      <WorstList task={run.task} worst={worst} evaluation={evaluation} />
      <RightList task={run.task} right={right} evaluation={evaluation} />
    </div>
  );
}
