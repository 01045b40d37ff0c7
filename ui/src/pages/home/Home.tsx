import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { driftsQuery, tasksQuery } from "../../api/queries";
import type { TaskInfo } from "../../api/types";
import { Card, PageHead, Skeleton } from "../../components/bits";
import { Failure, PageFailure } from "../../components/Failure";
import layout from "../../components/layout.module.css";
import { useTask } from "../../shell/useTask";
import { Attention } from "./Attention";
import { Doors, Guide } from "./Guide";
import css from "./home.module.css";
import { TaskCard } from "./TaskCard";

const size = (task: TaskInfo) => task.counts.pending + task.counts.approved + task.counts.rejected;

/** The overview: active versions with their scores, running trainings, and warnings. */
export function Home() {
  const { data, error, isPending, refetch } = useQuery(tasksQuery);
  const { task, choose } = useTask();
  const drifts = useQuery(driftsQuery);
  if (error && !data) return <PageFailure title="Home" error={error} retry={() => void refetch()} />;
  if (isPending || drifts.isPending) return <Skeleton lines={8} height={480} />;
  const used = data.filter((one) => size(one) > 0 || one.active || one.run);
  const unused = data.filter((one) => !used.includes(one));
  return (
    <div className={layout.stack}>
      <PageHead title="Home" about="Train small adapters on approved examples, and serve the best one." />
      {drifts.error && !drifts.data && <Failure error={drifts.error} retry={() => void drifts.refetch()} />}
      <Attention tasks={used} drifts={drifts.data ?? []} />
      {task && used.length === 0 && <Doors task={task} />}
      {task && !task.active && <Guide task={task} />}
      <div className={css.tasks}>
        {used.map((one) => (
          <TaskCard key={one.name} task={one} />
        ))}
        {unused.length > 0 && (
          <Card title={used.length > 0 ? "Other tasks" : "Tasks"} side={<Link to="/tasks/new">New task</Link>} flush>
            <ul className={css.unused}>
              {unused.map((one) => (
                <li key={one.name}>
                  <button type="button" onClick={() => choose(one.name)}>
                    <strong>{one.title}</strong>
                    <span>{one.instruction}</span>
                  </button>
                </li>
              ))}
            </ul>
          </Card>
        )}
      </div>
    </div>
  );
}
