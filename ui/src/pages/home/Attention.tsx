import { Link } from "@tanstack/react-router";
import type { TaskInfo } from "../../api/types";
import { Card, Pill } from "../../components/bits";
import { Icon } from "../../components/Icon";
import { label } from "../../lib/format";
import { pageOf } from "../../lib/links";
import css from "./home.module.css";

/** The kinds as pills, the gravest first. */
const KINDS: Record<string, { tone: "bad" | "good" | "plain"; word: string }> = {
  "failed-run": { tone: "bad", word: "Failed" },
  "newer-version": { tone: "good", word: "New" },
  "no-version": { tone: "plain", word: "Train" },
  pending: { tone: "plain", word: "Audit" },
  "not-ready": { tone: "plain", word: "Data" },
};
const RANK = Object.keys(KINDS);

/** What waits for a person, the gravest first. */
export function Attention({ tasks }: { tasks: TaskInfo[] }) {
  const rank = (kind: string) => (RANK.includes(kind) ? RANK.indexOf(kind) : RANK.length);
  const all = tasks.flatMap((task) => task.attention.map((item) => ({ ...item, task })));
  all.sort((a, b) => rank(a.kind) - rank(b.kind));
  if (all.length === 0) return null;
  return (
    <Card title="Needs a person" flush>
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

function target(link: string, task: string): { to: "/"; search: never } {
  const { to, search } = pageOf(link);
  return { to: to as "/", search: { task, ...search } as never };
}
