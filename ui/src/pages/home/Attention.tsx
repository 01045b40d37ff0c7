import { Link } from "@tanstack/react-router";
import type { Drift, TaskInfo } from "../../api/types";
import { Card, Pill } from "../../components/bits";
import { Icon } from "../../components/Icon";
import { label } from "../../lib/format";
import { pageOf } from "../../lib/links";
import css from "./home.module.css";

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
export function Attention({ tasks, drifts }: { tasks: TaskInfo[]; drifts: Drift[] }) {
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
