import { Link } from "@tanstack/react-router";
import type { TaskInfo } from "../../api/types";
import { Card, Pill } from "../../components/bits";
import { Icon } from "../../components/Icon";
import { pageOf } from "../../lib/links";
import css from "./home.module.css";

const TONE: Record<string, "bad" | "warn" | "good" | "plain"> = {
  "failed-run": "bad",
  drift: "bad",
  "better-version": "good",
  "not-ready": "plain",
  pending: "plain",
  "no-version": "plain",
};
const WORD: Record<string, string> = {
  "failed-run": "Failed",
  drift: "Drift",
  "better-version": "Better",
  "not-ready": "Data",
  pending: "Audit",
  "no-version": "Train",
};
const RANK = ["failed-run", "drift", "better-version"];

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
              <Pill tone={TONE[item.kind] ?? "plain"}>{WORD[item.kind] ?? item.kind}</Pill>
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
