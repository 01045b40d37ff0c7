/** All queries of the page, by key; changes invalidate them by the first part of the key. */
import {
  QueryCache,
  QueryClient,
  queryOptions,
  type QueryFunction,
  type QueryKey,
  type UseQueryOptions,
} from "@tanstack/react-query";
import { api, Problem, reply, tagged, where } from "./client";
import { isActive } from "../lib/runs";
import type { paths } from "./schema";
import type { Schemas, StudyView, TaskInfo } from "./types";

/** Reads are retried only if that can help: an unreachable server may come back, a wrong request stays wrong. */
export const queries = new QueryClient({
  queryCache: new QueryCache({
    // The first failing request detects an expired session; the page then shows the login.
    onError: (error, query) => {
      if (error instanceof Problem && error.status === 401 && query.queryKey[0] !== "session")
        void queries.invalidateQueries({ queryKey: ["session"] });
    },
  }),
  defaultOptions: {
    queries: {
      staleTime: 10_000,
      retry: (failures, error) => (error instanceof Problem ? error.status >= 502 && failures < 2 : failures < 1),
      retryDelay: (attempt) => Math.min(500 * 2 ** attempt, 5_000),
      networkMode: "always",
    },
    mutations: { networkMode: "always", retry: false },
  },
});

/** Reads again what a change has made old, by the first parts of the keys; everything if there are none. */
export function reread(...keys: QueryKey[]): void {
  for (const queryKey of keys.length > 0 ? keys : [[]]) void queries.invalidateQueries({ queryKey });
}

type Rules<T> = Pick<
  UseQueryOptions<T>,
  "enabled" | "gcTime" | "placeholderData" | "refetchInterval" | "retry" | "staleTime"
>;

/** A query: its key, how it is read, and when. */
export const read = <T>(queryKey: QueryKey, queryFn: QueryFunction<T>, rules: Rules<T> = {}) =>
  queryOptions({ queryKey, queryFn, ...rules });

export const sessionQuery = read(["session"], () => reply(api.GET("/api/v1/session")), { staleTime: 60_000 });
export const tasksQuery = read(["tasks"], async () => (await reply(api.GET("/api/v1/tasks"))).tasks as TaskInfo[], {
  staleTime: 5_000,
});
export const readExample = (task: string, id: string, signal?: AbortSignal) =>
  reply(api.GET("/api/v1/examples/{task}/{id}", { ...where({ task, id }), signal }));
export const exampleQuery = (task: string, id: string) =>
  read(["example", task, id], ({ signal }) => readExample(task, id, signal), { staleTime: 60_000 });
/** Fetched when the page opens, because fetching after each decision would compare all examples again. */
export const suspectsQuery = (task: string) =>
  read(["suspects", task], () => reply(api.GET("/api/v1/tasks/{task}/suspects", where({ task }))), {
    staleTime: 300_000,
  });
type RunFilter = NonNullable<paths["/api/v1/runs"]["get"]["parameters"]["query"]>;
export const runsQuery = (query: RunFilter) =>
  read(["runs", query], () => reply(api.GET("/api/v1/runs", { params: { query } })), {
    placeholderData: (old) => old,
  });
export const runQuery = (id: string) => read(["run", id], () => reply(api.GET("/api/v1/runs/{id}", where({ id }))));
export const runEventsQuery = (id: string) =>
  read(["run", id, "events"], async () => (await reply(api.GET("/api/v1/runs/{id}/events", where({ id })))).events);
export const studiesQuery = (task: string) =>
  read(
    ["studies", "of", task],
    async () => (await reply(api.GET("/api/v1/studies", { params: { query: { task } } }))).studies,
  );
/** Files that a version of the task answers; read again while one is answered. */
export const batchesQuery = (task: string) =>
  read(
    ["batches", task],
    async () => (await reply(api.GET("/api/v1/batches", { params: { query: { task } } }))).batches,
    { refetchInterval: ({ state }) => (state.data?.some((batch) => batch.state === "running") ? 2_000 : false) },
  );
/** A study with its trials; read again while it runs. */
export const studyQuery = (id: string) =>
  read(["studies", id], async () => (await reply(api.GET("/api/v1/studies/{id}", where({ id })))) as StudyView, {
    refetchInterval: ({ state }) => (state.data?.study.state === "running" ? 2_000 : false),
  });
export const readLog = (id: string, stream: "stdout" | "stderr", offset: number) =>
  reply(api.GET("/api/v1/runs/{id}/logs", { params: { path: { id }, query: { stream, offset } } }));
export const machinesQuery = read(["machines"], () => reply(api.GET("/api/v1/machines")));
/** The provider is asked, which it allows once in a second. */
export const quotesQuery = (name: string) =>
  read(["machines", name, "quotes"], () => reply(api.GET("/api/v1/machines/{name}/quotes", where({ name }))), {
    staleTime: 60_000,
    retry: false,
  });
export const versionsQuery = (task: string) =>
  read(["versions", task], () => reply(api.GET("/api/v1/versions", { params: { query: { task, limit: 200 } } })));
export const versionQuery = (task: string, name: string) =>
  read(["version", task, name], () => reply(api.GET("/api/v1/versions/{task}/{name}", where({ task, name }))));
const readDrift = (task: string, version: string) =>
  reply(api.GET("/api/v1/tasks/{task}/drift", { params: { path: { task }, query: { version } } }));
export const liveQuery = (task: string) =>
  read(["live", task], () => reply(api.GET("/api/v1/tasks/{task}/live", where({ task }))), {
    refetchInterval: 15_000,
  });
export const rolloutQuery = (task: string) =>
  read(["rollout", task], () => reply(api.GET("/api/v1/tasks/{task}/rollout", where({ task }))), {
    refetchInterval: 15_000,
  });
export const agentsQuery = (task: string) =>
  read(["agents", task], () => reply(api.GET("/api/v1/tasks/{task}/agents", where({ task }))), {
    refetchInterval: 5_000,
  });
export const driftQuery = (task: string, version: string) =>
  read(["drift", task, version], () => readDrift(task, version), { staleTime: 5_000 });
/** Of every active version; read again with the tasks. */
export const driftsQuery = read(
  ["tasks", "drifts"],
  async ({ client }) => {
    const tasks = await client.fetchQuery(tasksQuery);
    return Promise.all(tasks.flatMap(({ name, active }) => (active ? [readDrift(name, active.name)] : [])));
  },
  { staleTime: 5_000 },
);
export const statsQuery = (task: string) =>
  read(["stats", task], () => reply(api.GET("/api/v1/stats", { params: { query: { task } } })));
/** The messages whose audit would help most, and the labels that need more messages. */
export const helpfulQuery = (task: string) =>
  read(
    ["examples", task, "helpful"],
    ({ signal }) => reply(api.GET("/api/v1/tasks/{task}/helpful", { ...where({ task }), signal })),
    { staleTime: 60_000 },
  );
/** The analysis of a typed or dropped text for a task, or for one with these labels that is not stored yet. */
export const understandQuery = (text: string, { task, labels = [] }: { task?: string; labels?: string[] }) =>
  read(
    ["understand", text, task, labels],
    ({ signal }) => reply(api.POST("/api/v1/tasks/understand", { body: { text, columns: {}, task, labels }, signal })),
    {
      // A change of task or labels changes only hints.
      placeholderData: (before, query) => (query?.queryKey[1] === text ? before : undefined),
      enabled: text.trim() !== "",
      staleTime: Infinity,
      gcTime: 60_000,
      retry: false,
    },
  );
/** Asks what a request would do. */
const DRY = { params: { query: { dry_run: true } } };
/** The effect of saving a task with its pasted examples; stores nothing. */
export const trialQuery = (body: Schemas["NewTask"], enabled: boolean) =>
  read(["tasks", "trial", body], ({ signal }) => reply(api.POST("/api/v1/tasks/new", { ...DRY, body, signal })), {
    enabled,
    gcTime: 60_000,
    retry: false,
  });
/** Every task, the archived ones too. */
export const allTasksQuery = read(
  ["tasks", "all"],
  async () => (await reply(api.GET("/api/v1/tasks", { params: { query: { archived: true } } }))).tasks,
);
export const definitionQuery = (task: string) =>
  read(["tasks", "definition", task], () => tagged(api.GET("/api/v1/tasks/{task}", where({ task }))));
export const upstreamQuery = (task: string) =>
  read(["tasks", "upstream", task], () => reply(api.GET("/api/v1/tasks/{task}/upstream", where({ task }))));
export const revisionsQuery = (task: string) =>
  read(
    ["tasks", "revisions", task],
    async () => (await reply(api.GET("/api/v1/tasks/{task}/revisions", where({ task })))).revisions,
  );
/** Submitted texts with their runs; read again with the runs. */
export const promptsQuery = read(
  ["runs", "prompts"],
  async () => (await reply(api.GET("/api/v1/prompts", { params: { query: { limit: 20 } } }))).prompts,
  { refetchInterval: ({ state }) => (state.data?.some(({ job }) => job && isActive(job.state)) ? 2_000 : false) },
);
/** A submitted text with its versions; read again with the runs. */
export const promptQuery = (id: number) =>
  read(["runs", "prompts", id], () => reply(api.GET("/api/v1/prompts/{id}", where({ id }))));
/** What submitting a table of texts would do; stores nothing. */
export const batchQuery = (text: string, enabled: boolean) =>
  read(
    ["tasks", "batch", text],
    ({ signal }) => reply(api.POST("/api/v1/prompts/batch", { ...DRY, body: { text }, signal })),
    { enabled, gcTime: 60_000, retry: false },
  );
/** What differs between two submitted texts. */
export const promptDiffQuery = (id: number, before: number) =>
  read(["runs", "prompts", id, before], () =>
    reply(api.GET("/api/v1/prompts/{id}/diff", { params: { path: { id }, query: { with: before } } })),
  );
/** Base models; asked again while one is being downloaded. */
export const basesQuery = read(
  ["bases"],
  async () => (await reply(api.GET("/api/v1/bases"))).bases,
  // A run, also one of another worker, begins a download without a message.
  { refetchInterval: ({ state }) => (state.data?.some((base) => base.pull?.state === "running") ? 500 : 5000) },
);
/** Whether a base model is here; asked again while it is being downloaded. */
export const baseQuery = (name: string) =>
  read(["bases", name], () => reply(api.GET("/api/v1/bases/state", { params: { query: { name } } })), {
    refetchInterval: ({ state }) => (state.data?.pull?.state === "running" ? 500 : false),
    retry: false,
  });
/** A text of a task to try: one that waits for an answer, if there is one, since no version has learned it. */
export const sampleQuery = (task: string) => {
  const first = async (state?: "pending") => {
    const params = { query: { task, state, limit: 1 } };
    return (await reply(api.GET("/api/v1/examples", { params }))).examples[0]?.input;
  };
  const sample = async () => (await first("pending")) ?? (await first()) ?? "";
  return read(["examples", task, "sample"], sample, { staleTime: Infinity });
};
export const templatesQuery = read(["templates"], async () => (await reply(api.GET("/api/v1/templates"))).templates, {
  staleTime: Infinity,
});
/** A template with its variables filled in; those that aren't given have their own value. */
export const filledQuery = (name: string, values: Record<string, string>, enabled: boolean) =>
  read(
    ["filled", name, values],
    () => reply(api.POST("/api/v1/templates/{name}/fill", { ...where({ name }), body: { values } })),
    { enabled, staleTime: Infinity, retry: false },
  );
export const systemQuery = read(["system"], () => reply(api.GET("/api/v1/system")), { staleTime: 30_000 });
export const rentQuery = read(["rent"], () => tagged(api.GET("/api/v1/settings/rent")), { staleTime: 30_000 });
export const guidelinesQuery = (task: string) =>
  read(["guidelines", task], () => tagged(api.GET("/api/v1/tasks/{task}/guidelines", where({ task }))), {
    staleTime: 30_000,
  });
