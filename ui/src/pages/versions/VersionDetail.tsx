import { useQuery } from "@tanstack/react-query";
import { versionQuery } from "../../api/queries";
import type { Scores, TaskInfo, Version } from "../../api/types";
import { Card, Empty, Skeleton } from "../../components/bits";
import { Failure } from "../../components/Failure";
import layout from "../../components/layout.module.css";
import { Table } from "../../components/Table";
import { duration, number } from "../../lib/format";
import { evaluationOf } from "../../lib/scores";
import { Contestants } from "./Contestants";
import { DriftCard } from "./DriftCard";
import { Lineage } from "./Lineage";
import { MetricsTable } from "./MetricsTable";
import { ReliabilityCard } from "./ReliabilityCard";
import { RolloutCard } from "./RolloutCard";
import { RightList, WorstList } from "./ShownAnswers";
import css from "./versions.module.css";

/** One version: scores, calibration, lineage, worst answers. */
export function VersionDetail({ task, version, versions }: { task: TaskInfo; version: Version; versions: Version[] }) {
  const query = useQuery(versionQuery(task.name, version.name));
  if (query.error && !query.data) return <Failure error={query.error} retry={() => void query.refetch()} />;
  const detail = query.data;
  const evaluation = detail?.evaluation ?? evaluationOf(version);
  const scored = evaluation && evaluation.adapter.n > 0 ? evaluation : undefined;
  return (
    <div className={layout.stack}>
      <div className={css.detail}>
        <Card
          title="Metrics on the held-out examples"
          flush
          side={
            scored && (
              <span>
                {number(scored.adapter.n)} held-out examples · {duration(scored.seconds_per_answer)} per answer
              </span>
            )
          }
        >
          {scored ? (
            <MetricsTable evaluation={scored} />
          ) : evaluation ? (
            <Empty title="No scores">No example is held out. Train with a share held out to get scores.</Empty>
          ) : (
            <Empty title="Not evaluated yet">Choose “Evaluate again” in its menu.</Empty>
          )}
        </Card>
        {evaluation && (
          <Contestants
            version={version}
            evaluation={evaluation}
            active={versions.find((one) => one.stage === "active")}
          />
        )}
        <div className={layout.two}>
          {scored && <ReliabilityCard evaluation={scored} />}
          <div className={layout.stack}>
            {scored?.adapter.confusion && <Confusion confusion={scored.adapter.confusion} />}
            <Lineage version={version} versions={versions} />
          </div>
        </div>
      </div>
      <RolloutCard version={version} active={versions.find((one) => one.stage === "active")} />
      {version.stage !== "shadow" && <DriftCard task={task.name} version={version.name} />}
      {detail ? (
        <>
          <WorstList task={task.name} shown={detail.worst} evaluation={evaluation} />
          <RightList task={task.name} shown={detail.right} evaluation={evaluation} />
        </>
      ) : (
        <Skeleton lines={4} height={200} />
      )}
    </div>
  );
}

/** Confusion matrix. */
function Confusion({ confusion }: { confusion: NonNullable<Scores["confusion"]> }) {
  const { labels, counts } = confusion;
  const columns = ["Correct ╲ predicted", ...labels, "No answer"];
  return (
    <Card title="Confusion matrix" flush>
      <Table label="Confusion" columns={columns.map((title, i) => ({ title, right: i > 0 }))}>
        {labels.map((label, i) => {
          const row = counts[i] ?? [];
          const sum = Math.max(
            1,
            row.reduce((a, b) => a + b, 0),
          );
          return (
            <tr key={label}>
              <th scope="row">{label}</th>
              {row.map((value, j) => (
                <td
                  key={j}
                  className="num"
                  style={{
                    textAlign: "right",
                    background: `color-mix(in srgb, var(${i === j ? "--accent" : "--danger"}) ${Math.round((value / sum) * 30)}%, transparent)`,
                  }}
                >
                  {number(value)}
                </td>
              ))}
            </tr>
          );
        })}
      </Table>
    </Card>
  );
}
