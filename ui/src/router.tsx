import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  retainSearchParams,
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

const page = <P extends string>(path: P, component: ReturnType<typeof lazyRouteComponent>) =>
  createRoute({ getParentRoute: () => root, path, component });

const routes = root.addChildren([
  page(
    "/",
    lazyRouteComponent(() => import("./pages/home/Home"), "Home"),
  ),
  page(
    "/audit",
    lazyRouteComponent(() => import("./pages/audit/Audit"), "Audit"),
  ),
  page(
    "/train",
    lazyRouteComponent(() => import("./pages/train/Train"), "Train"),
  ),
  page(
    "/runs/compare",
    lazyRouteComponent(() => import("./pages/compare/Compare"), "Compare"),
  ),
  page(
    "/runs/$id",
    lazyRouteComponent(() => import("./pages/run/RunPage"), "RunPage"),
  ),
  page(
    "/versions",
    lazyRouteComponent(() => import("./pages/versions/Versions"), "Versions"),
  ),
  page(
    "/stats",
    lazyRouteComponent(() => import("./pages/stats/StatsPage"), "StatsPage"),
  ),
  page(
    "/settings",
    lazyRouteComponent(() => import("./pages/settings/Settings"), "Settings"),
  ),
  page(
    "/login",
    lazyRouteComponent(() => import("./pages/login/Login"), "Login"),
  ),
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
