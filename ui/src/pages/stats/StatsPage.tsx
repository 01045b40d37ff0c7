import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { address } from "../../api/client";
import { statsQuery } from "../../api/queries";
import type { Schemas, TaskInfo } from "../../api/types";
import { BarList } from "../../components/BarList";
import { Card, Empty, Figure, Figures, PageHead, Pill, Skeleton } from "../../components/bits";
import { PageFailure } from "../../components/Failure";
import { Icon } from "../../components/Icon";
import layout from "../../components/layout.module.css";
import { number } from "../../lib/format";
import { useTask } from "../../shell/useTask";
import button from "../../components/button.module.css";
import { OverTime } from "./OverTime";
import { FieldCounts } from "./FieldCounts";

/** Statistics of the approved examples. */
export function StatsPage() {
  const { task } = useTask();
  const query = useQuery({ ...statsQuery(task?.name ?? ""), enabled: !!task });
  if (query.error && !query.data)
    return <PageFailure title="Stats" error={query.error} retry={() => void query.refetch()} />;
  if (!task || !query.data) return <Skeleton lines={8} height={480} />;
  return (
    <div className={layout.stack}>
      <PageHead title="Stats" about={`${task.title}: totals of the approved messages.`}>
        <a
          className={`${button.button} ${button.plain}`}
          href={`${address("/api/v1/stats.csv")}?${new URLSearchParams({ task: task.name })}`}
          download
        >
          <Icon name="download" /> CSV
        </a>
      </PageHead>
      {query.data.audited === 0 ? (
        <Card>
          <Empty title="Nothing is approved yet" action={<Link to="/audit">Audit messages</Link>}>
            Totals, places and kinds appear with the first approved message.
          </Empty>
        </Card>
      ) : (
        <Content task={task} data={query.data} />
      )}
    </div>
  );
}

function Content({ task, data }: { task: TaskInfo; data: Schemas["StatsReport"] }) {
  const weighs = task.form === "json";
  const missing = Math.max(0, task.needed - data.audited);
  return (
    <>
      <Card
        title="Totals"
        side={data.ready ? <Pill tone="good">✓ Ready to train</Pill> : <Pill>{missing} more to train</Pill>}
      >
        <Figures>
          <Figure label="Audited messages" value={number(data.audited)} />
          {weighs && <Figure label="Items" value={number(data.items)} />}
          {weighs && (
            <Figure
              label="Pounds"
              value={number(data.pounds)}
              title={`${number(data.pounds, 1)} lb, by the weights table`}
              sub={data.unweighed > 0 ? `${number(data.unweighed)} items have no known weight` : undefined}
            />
          )}
        </Figures>
      </Card>
      {(data.over_time?.length ?? 0) > 1 && <OverTime days={data.over_time ?? []} pounds={weighs} />}
      <div className={layout.two}>
        {Object.keys(data.by_location).length > 0 && (
          <Card title="By location">
            <BarList label="Pounds by location" unit="lb" values={data.by_location} />
          </Card>
        )}
        {Object.keys(data.by_subcategory).length > 0 && (
          <Card title="By subcategory">
            <BarList label="Pounds by subcategory" unit="lb" values={data.by_subcategory} />
          </Card>
        )}
      </div>
      {data.per_field && <FieldCounts fields={data.per_field} />}
    </>
  );
}
