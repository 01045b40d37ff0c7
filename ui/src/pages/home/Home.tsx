import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { driftsQuery, tasksQuery } from "../../api/queries";
import type { Drift, TaskInfo } from "../../api/types";
import { Card, PageHead, Pill, Skeleton } from "../../components/bits";
import { Failure, PageFailure } from "../../components/Failure";
import { Icon } from "../../components/Icon";
import layout from "../../components/layout.module.css";
import { label } from "../../lib/format";
import { pageOf } from "../../lib/links";
import { useTask } from "../../shell/useTask";
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

/** The kinds as pills, the gravest first. */
const KINDS: Record<string, { tone: "bad" | "warn" | "good" | "plain"; word: string }> = {
  "failed-run": { tone: "bad", word: "Failed" },
  drift: { tone: "warn", word: "Drift" },
  "newer-version": { tone: "good", word: "New" },
  "no-version": { tone: "plain", word: "Train" },
  pending: { tone: "plain", word: "Audit" },
  "not-ready": { tone: "plain", word: "Data" },
};
const RANK = Object.keys(KINDS);

/** What needs a person's attention, the most serious first. */
function Attention({ tasks, drifts }: { tasks: TaskInfo[]; drifts: Drift[] }) {
  const rank = (kind: string) => (RANK.includes(kind) ? RANK.indexOf(kind) : RANK.length);
  const all = tasks.flatMap((task) => {
    const drift = drifts.filter((one) => one.task === task.name).flatMap(drifting);
    return [...task.attention, ...drift].map((item) => ({ ...item, task }));
  });
  all.sort((a, b) => rank(a.kind) - rank(b.kind));
  if (all.length === 0) return null;
  return (
    <Card title="Needs attention" flush>
      <ul className={css.attention}>
        {all.map((item) => (
          <li key={item.task.name + item.kind + item.text}>
            <Link {...target(item.link, item.task.name)}>
              <Pill tone={KINDS[item.kind]?.tone}>{KINDS[item.kind]?.word ?? label(item.kind)}</Pill>
              <span>{item.text}</span>
              <small>{item.task.title}</small>
              <Icon name="right" size={14} />
            </Link>
          </li>
        ))}
      </ul>
    </Card>
  );
}

/** The advice for a version that has drifted. */
function drifting({ task, version, overrides, confidence, inputs, served }: Drift): TaskInfo["attention"] {
  const worst = [overrides, confidence, inputs, served].find((signal) => signal.state === "drifting");
  if (!worst || !version) return [];
  const [said] = worst.text.split(/(?<=\.) /);
  const text = `${version} drifts. ${said} Audit messages with low confidence, then train again.`;
  return [{ kind: "drift", text, link: `/tasks/${task}/versions/${version}` }];
}

function target(link: string, task: string) {
  const { to, search } = pageOf(link);
  return { to: to as "/", search: { task, ...search } };
}
