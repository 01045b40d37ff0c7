import { useQuery } from "@tanstack/react-query";
import { Outlet, useLocation, useNavigate } from "@tanstack/react-router";
import { Suspense, useCallback, useEffect, useState } from "react";
import { sessionQuery, tasksQuery } from "../api/queries";
import { Toasts } from "../components/toasts";
import { outbox } from "../live/decisions";
import { useChanges } from "../live/useChanges";
import { useActions, useKeyboard } from "./actions";
import { CommandMenu, KeysOverlay } from "./CommandMenu";
import { PAGES, Nav } from "./Nav";
import { OutboxBanner } from "./OutboxBanner";
import { PageLoading } from "./PageStates";
import css from "./shell.module.css";
import { TaskPick } from "./TaskPick";
import { ThemeToggle } from "./ThemeToggle";
import { useFocusKept } from "./focus";
import { useUrl } from "./url";
import { useTask } from "./useTask";

/** The frame of every page: menu, keys, connection state, and waiting decisions. */
export function Shell() {
  const { pathname } = useLocation();
  const session = useQuery(sessionQuery);
  const navigate = useNavigate();
  const [{ token }] = useUrl();
  const barred = session.data?.auth_required && !session.data.user && pathname !== "/login";
  useEffect(() => {
    if (barred) void navigate({ to: "/login", search: { next: pathname, token } });
  }, [barred, navigate, pathname, token]);
  // A review link reaches the examples of its task.
  const only = session.data?.task;
  const astray = !!only && pathname !== "/audit" && pathname !== "/login";
  useEffect(() => {
    if (astray) void navigate({ to: "/audit", search: { task: only }, replace: true });
  }, [astray, navigate, only]);
  return pathname === "/login" ? (
    <Suspense fallback={<PageLoading />}>
      <Outlet />
    </Suspense>
  ) : (
    <Frame />
  );
}

function Frame() {
  const [overlay, setOverlay] = useState<"keys" | "commands" | null>(null);
  const navigate = useNavigate();
  const { task, tasks, choose } = useTask();
  useTaskInAddress(task?.name);
  useChanges(useCallback(() => void outbox.flush(), []));
  useKeyboard();
  useFocusKept(useLocation().pathname);
  useTitle();
  const go = (id: string, label: string, run: () => unknown, group = "Go to") => ({ id, label, group, run });
  const commands = { id: "commands", label: "Command menu", group: "Everywhere", key: "mod+k", always: true };
  useActions([
    { ...commands, run: () => setOverlay("commands") },
    { id: "keys", label: "All keys", group: "Everywhere", key: "?", run: () => setOverlay("keys") },
    ...tasks.map(({ name, title }) => go(`task-${name}`, `Task: ${title}`, () => choose(name), "Tasks")),
    ...tasks
      .flatMap((one) => one.run?.id ?? [])
      .map((id) => go(`run-${id}`, `Watch ${id}`, () => navigate({ to: "/runs/$id", params: { id } }))),
    ...PAGES.map(({ to, label }) => go(`go${to}`, `Go to ${label}`, () => navigate({ to }))),
    go("go/tasks/new", "New task", () => navigate({ to: "/tasks/new" }), "Tasks"),
    go("go/training/prompt", "Go to Training prompt", () => navigate({ to: "/training/prompt" })),
  ]);
  return (
    <div className={css.frame}>
      <a href="#main" className={css.skip}>
        Skip to the content
      </a>
      <Nav onCommands={() => setOverlay("commands")} onKeys={() => setOverlay("keys")} />
      <main id="main" className={css.main} tabIndex={-1}>
        <div className={css.narrow}>
          <TaskPick />
          <ThemeToggle />
        </div>
        <OutboxBanner />
        <Suspense fallback={<PageLoading />}>
          <Outlet />
        </Suspense>
      </main>
      <CommandMenu open={overlay === "commands"} close={() => setOverlay(null)} />
      <KeysOverlay open={overlay === "keys"} close={() => setOverlay(null)} />
      <Toasts />
    </div>
  );
}

/** A link to what is seen is a link to this task, for others too. */
function useTaskInAddress(task: string | undefined): void {
  const [search, setUrl] = useUrl();
  useEffect(() => {
    if (task && !search.task) setUrl({ task });
  }, [task, search.task, setUrl]);
}

/** The title of the tab shows the page and a running training. */
function useTitle(): void {
  const { pathname } = useLocation();
  const { data: tasks } = useQuery(tasksQuery);
  const run = tasks?.find((task) => task.run)?.run;
  useEffect(() => {
    const page = PAGES.findLast((page) => pathname === page.to || (page.to !== "/" && pathname.startsWith(page.to)));
    const place = pathname.startsWith("/runs/") ? "Run" : (page?.label ?? "Graft");
    const percent = run?.progress ? `${Math.round(run.progress.percent)} %` : "…";
    document.title = `${run ? `▸ ${percent} · ` : ""}${place} · Graft`;
  }, [pathname, run]);
}
