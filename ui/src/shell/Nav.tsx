import { useQuery } from "@tanstack/react-query";
import { Link, useLocation } from "@tanstack/react-router";
import { sessionQuery } from "../api/queries";
import { Button } from "../components/Button";
import { Icon, type IconName } from "../components/Icon";
import { number } from "../lib/format";
import { useStore } from "../lib/store";
import { POLL, link } from "../live/connection";
import css from "./shell.module.css";
import { TaskPick } from "./TaskPick";
import { ThemeToggle } from "./ThemeToggle";
import { useTask } from "./useTask";

export const PAGES: {
  to: "/" | "/tasks" | "/audit" | "/train" | "/search" | "/versions" | "/stats" | "/settings";
  label: string;
  icon: IconName;
}[] = [
  { to: "/", label: "Home", icon: "home" },
  { to: "/tasks", label: "Tasks", icon: "tasks" },
  { to: "/audit", label: "Audit", icon: "audit" },
  { to: "/train", label: "Train", icon: "train" },
  { to: "/search", label: "Search", icon: "trials" },
  { to: "/versions", label: "Versions", icon: "versions" },
  { to: "/stats", label: "Stats", icon: "stats" },
  { to: "/settings", label: "Settings", icon: "settings" },
];

export function Nav({ onCommands, onKeys }: { onCommands: () => void; onKeys: () => void }) {
  const { pathname } = useLocation();
  const { task } = useTask();
  const only = useQuery(sessionQuery).data?.task;
  const isHere = (to: string) =>
    to === "/" ? pathname === "/" : pathname.startsWith(to) || (to === "/train" && pathname.startsWith("/runs"));
  return (
    <nav className={css.nav} aria-label="Pages">
      <Link to="/" className={css.brand}>
        <img src="/icon.svg" alt="" width={24} height={24} /> Graft
      </Link>
      <TaskPick />
      <div className={css.links}>
        {PAGES.filter((page) => !only || page.to === "/audit").map((page) => (
          <Link key={page.to} to={page.to} className={css.link} aria-current={isHere(page.to) ? "page" : undefined}>
            <Icon name={page.icon} size={18} />
            {page.label}
            {page.to === "/audit" && task && task.counts.pending > 0 && (
              <span className={css.badge} title={`${number(task.counts.pending)} unaudited`}>
                {number(task.counts.pending)}
              </span>
            )}
          </Link>
        ))}
      </div>
      <div className={css.foot}>
        {!only && <ConnectionBadge />}
        <div className={css.tools}>
          <Button look="quiet" small onClick={onCommands} icon="search" shortcut="mod+k" title="Command menu">
            Find
          </Button>
          <Button look="quiet" small icon="keyboard" aria-label="All keys" onClick={onKeys} />
          <ThemeToggle listed />
        </div>
      </div>
    </nav>
  );
}

/** Whether changes reach this page; it heals by itself. */
function ConnectionBadge() {
  const state = useStore(link);
  const words = {
    live: "Live",
    connecting: "Connecting …",
    polling: `Updated every ${POLL / 1_000} s`,
    away: "Server not reachable; retrying",
  };
  return (
    <p className={css.linkState} data-link={state} role="status" data-testid="link">
      <i aria-hidden />
      {words[state]}
    </p>
  );
}
