import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  redirect,
  retainSearchParams,
  type RouteComponent,
  type SearchSchemaInput,
} from "@tanstack/react-router";
import { Shell } from "./shell/Shell";
import { Lost, PageError, PageLoading } from "./shell/PageStates";

type Search = Record<string, string | undefined>;

/** The state of every view is in its address; all of it is text. */
function texts(search: Search & SearchSchemaInput): Search {
  const entries = Object.entries(search).filter(([, value]) => value !== undefined && value !== null && value !== "");
  return Object.fromEntries(entries.map(([key, value]) => [key, String(value)]));
}

const root = createRootRoute({
  component: Shell,
  notFoundComponent: Lost,
  validateSearch: texts,
  search: { middlewares: [retainSearchParams(["task"])] },
});

/** A page that is loaded when it is first opened: the component that its module names so. */
const page = <P extends string, N extends string>(path: P, name: N, load: () => Promise<Record<N, RouteComponent>>) =>
  createRoute({ getParentRoute: () => root, path, component: lazyRouteComponent(load, name) });

const routes = root.addChildren([
  page("/", "Home", () => import("./pages/home/Home")),
  page("/tasks", "Tasks", () => import("./pages/tasks/Tasks")),
  page("/tasks/new", "NewTask", () => import("./pages/tasks/NewTask")),
  page("/tasks/$name", "TaskPage", () => import("./pages/tasks/TaskPage")),
  page("/audit", "Audit", () => import("./pages/audit/Audit")),
  page("/train", "Train", () => import("./pages/train/Train")),
  page("/training/prompt", "TrainingPrompt", () => import("./pages/prompt/TrainingPrompt")),
  page("/search", "Search", () => import("./pages/search/Search")),
  page("/search/$id", "StudyPage", () => import("./pages/search/StudyPage")),
  page("/runs/compare", "Compare", () => import("./pages/compare/Compare")),
  page("/runs/mlflow", "MlflowRuns", () => import("./pages/compare/MlflowRuns")),
  page("/runs/$id", "RunPage", () => import("./pages/run/RunPage")),
  page("/versions", "Versions", () => import("./pages/versions/Versions")),
  page("/stats", "StatsPage", () => import("./pages/stats/StatsPage")),
  page("/settings", "Settings", () => import("./pages/settings/Settings")),
  // The URL at which the Ask AI page showed its trainings.
  createRoute({
    getParentRoute: () => root,
    path: "/admin",
    beforeLoad: () => {
      throw redirect({ to: "/train", search: { task: "ask-ai" }, replace: true });
    },
  }),
  page("/login", "Login", () => import("./pages/login/Login")),
]);

export const router = createRouter({
  routeTree: routes,
  defaultPreload: "intent",
  defaultPendingComponent: PageLoading,
  defaultErrorComponent: PageError,
  scrollRestoration: true,
  // Plain text values, so that addresses can be read and written by hand.
  parseSearch: (text) => Object.fromEntries(new URLSearchParams(text)),
  stringifySearch: (search) => {
    const kept = Object.entries(search).filter(([, value]) => value !== undefined && value !== "");
    const text = new URLSearchParams(kept.map(([key, value]) => [key, String(value)])).toString();
    return text === "" ? "" : `?${text}`;
  },
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
