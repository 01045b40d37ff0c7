import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { address } from "../../api/client";
import { statsQuery } from "../../api/queries";
import type { Schemas, TaskInfo } from "../../api/types";
import { BarList } from "../../components/BarList";
import { Card, Empty, Figure, Figures, PageHead, Pill, Skeleton } from "../../components/bits";
import button from "../../components/button.module.css";
import { PageFailure } from "../../components/Failure";
import { Segmented } from "../../components/form";
import { Icon } from "../../components/Icon";
import layout from "../../components/layout.module.css";
import { buckets } from "../../lib/buckets";
import { label, number } from "../../lib/format";
import { useTask } from "../../shell/useTask";
import css from "./stats.module.css";

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

const MOST = 60;

/** Day by day, or week by week where there are too many days. */
function OverTime({ days, pounds }: { days: Schemas["DayStats"][]; pounds: boolean }) {
  const [of, setOf] = useState<"pounds" | "audited">(pounds ? "pounds" : "audited");
  const { unit, bars } = buckets(days, MOST);
  const most = Math.max(1, ...bars.map((bar) => bar[of]));
  const word = of === "pounds" ? "lb" : "messages";
  return (
    <Card
      title={`Over time, by ${unit}`}
      side={
        pounds && (
          <Segmented
            label="What to show"
            value={of}
            onPick={setOf}
            options={[
              { value: "pounds", label: "Pounds" },
              { value: "audited", label: "Messages" },
            ]}
          />
        )
      }
    >
      <div className={css.time}>
        <ol aria-label={`${word} by ${unit}`}>
          {bars.map((bar) => (
            <li key={bar.day} title={`${bar.day}: ${number(bar[of])} ${word}`}>
              <span style={{ height: `${(bar[of] / most) * 100}%` }} />
              <span className="sr">
                {bar.day}: {number(bar[of])} {word}
              </span>
            </li>
          ))}
        </ol>
        <p className="num">
          <span>{bars[0]?.day}</span>
          <span>
            most: {number(most)} {word}
          </span>
          <span>{bars.at(-1)?.day}</span>
        </p>
      </div>
    </Card>
  );
}

/** Number of examples for each value of each field. */
function FieldCounts({ fields }: { fields: Record<string, Record<string, number>> }) {
  const shown = Object.entries(fields).filter(([, values]) => Object.keys(values).length > 0);
  return (
    <div className={layout.two}>
      {shown.map(([name, values]) => (
        <Card key={name} title={label(name.replace("[].", ": ")) || "Answers"}>
          <BarList label={`Values of ${name}`} values={values} limit={8} />
        </Card>
      ))}
    </div>
  );
}
