/** All queries of the page, by key; changes invalidate them by the first part of the key. */
import { QueryCache, QueryClient, queryOptions } from "@tanstack/react-query";
import { api, Problem, reply, tagged } from "./client";
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

export const sessionQuery = queryOptions({
  queryKey: ["session"],
  queryFn: () => reply(api.GET("/api/v1/session")),
  staleTime: 60_000,
});
export const tasksQuery = queryOptions({
  queryKey: ["tasks"],
  queryFn: async () => (await reply(api.GET("/api/v1/tasks"))).tasks as TaskInfo[],
  staleTime: 5_000,
});
export const readExample = (task: string, id: string, signal?: AbortSignal) =>
  reply(api.GET("/api/v1/examples/{task}/{id}", { params: { path: { task, id } }, signal }));
export const exampleQuery = (task: string, id: string) =>
  queryOptions({
    queryKey: ["example", task, id],
    queryFn: ({ signal }) => readExample(task, id, signal),
    staleTime: 60_000,
  });
/** Fetched when the page opens, because fetching after each decision would compare all examples again. */
export const suspectsQuery = (task: string) =>
  queryOptions({
    queryKey: ["suspects", task],
    queryFn: () => reply(api.GET("/api/v1/tasks/{task}/suspects", { params: { path: { task } } })),
    staleTime: 300_000,
  });
type RunFilter = NonNullable<paths["/api/v1/runs"]["get"]["parameters"]["query"]>;
export const runsQuery = (query: RunFilter) =>
  queryOptions({
    queryKey: ["runs", query],
    queryFn: () => reply(api.GET("/api/v1/runs", { params: { query } })),
    placeholderData: (old) => old,
  });
export const runQuery = (id: string) =>
  queryOptions({
    queryKey: ["run", id],
    queryFn: () => reply(api.GET("/api/v1/runs/{id}", { params: { path: { id } } })),
  });
export const runEventsQuery = (id: string) =>
  queryOptions({
    queryKey: ["run", id, "events"],
    queryFn: async () => (await reply(api.GET("/api/v1/runs/{id}/events", { params: { path: { id } } }))).events,
  });
export const studiesQuery = (task: string) =>
  queryOptions({
    queryKey: ["studies", "of", task],
    queryFn: async () => (await reply(api.GET("/api/v1/studies", { params: { query: { task } } }))).studies,
  });
/** Files that a version of the task answers; read again while one is answered. */
export const batchesQuery = (task: string) =>
  queryOptions({
    queryKey: ["batches", task],
    queryFn: async () => (await reply(api.GET("/api/v1/batches", { params: { query: { task } } }))).batches,
    refetchInterval: ({ state }) => (state.data?.some((batch) => batch.state === "running") ? 2_000 : false),
  });
/** A study with its trials; read again while it runs. */
export const studyQuery = (id: string) =>
  queryOptions({
    queryKey: ["studies", id],
    queryFn: async () => (await reply(api.GET("/api/v1/studies/{id}", { params: { path: { id } } }))) as StudyView,
    refetchInterval: ({ state }) => (state.data?.study.state === "running" ? 2_000 : false),
  });
export const readLog = (id: string, stream: "stdout" | "stderr", offset: number) =>
  reply(api.GET("/api/v1/runs/{id}/logs", { params: { path: { id }, query: { stream, offset } } }));
export const machinesQuery = queryOptions({
  queryKey: ["machines"],
  queryFn: () => reply(api.GET("/api/v1/machines")),
});
/** The provider is asked, which it allows once in a second. */
export const quotesQuery = (name: string) =>
  queryOptions({
    queryKey: ["machines", name, "quotes"],
    queryFn: () => reply(api.GET("/api/v1/machines/{name}/quotes", { params: { path: { name } } })),
    staleTime: 60_000,
    retry: false,
  });
export const versionsQuery = (task: string) =>
  queryOptions({
    queryKey: ["versions", task],
    queryFn: () => reply(api.GET("/api/v1/versions", { params: { query: { task, limit: 200 } } })),
  });
export const versionQuery = (task: string, name: string) =>
  queryOptions({
    queryKey: ["version", task, name],
    queryFn: () => reply(api.GET("/api/v1/versions/{task}/{name}", { params: { path: { task, name } } })),
  });
const readDrift = (task: string, version: string) =>
  reply(api.GET("/api/v1/tasks/{task}/drift", { params: { path: { task }, query: { version } } }));
export const liveQuery = (task: string) =>
  queryOptions({
    queryKey: ["live", task],
    queryFn: () => reply(api.GET("/api/v1/tasks/{task}/live", { params: { path: { task } } })),
    refetchInterval: 15_000,
  });
export const rolloutQuery = (task: string) =>
  queryOptions({
    queryKey: ["rollout", task],
    queryFn: () => reply(api.GET("/api/v1/tasks/{task}/rollout", { params: { path: { task } } })),
    refetchInterval: 15_000,
  });
export const agentsQuery = (task: string) =>
  queryOptions({
    queryKey: ["agents", task],
    queryFn: () => reply(api.GET("/api/v1/tasks/{task}/agents", { params: { path: { task } } })),
    refetchInterval: 5_000,
  });
export const driftQuery = (task: string, version: string) =>
  queryOptions({ queryKey: ["drift", task, version], queryFn: () => readDrift(task, version), staleTime: 5_000 });
/** Of every active version; read again with the tasks. */
export const driftsQuery = queryOptions({
  queryKey: ["tasks", "drifts"],
  queryFn: async ({ client }) => {
    const tasks = await client.fetchQuery(tasksQuery);
    return Promise.all(tasks.flatMap(({ name, active }) => (active ? [readDrift(name, active.name)] : [])));
  },
  staleTime: 5_000,
});
export const statsQuery = (task: string) =>
  queryOptions({
    queryKey: ["stats", task],
    queryFn: () => reply(api.GET("/api/v1/stats", { params: { query: { task } } })),
  });
/** The messages whose audit would help most, and the labels that need more messages. */
export const helpfulQuery = (task: string) =>
  queryOptions({
    queryKey: ["examples", task, "helpful"],
    queryFn: ({ signal }) => reply(api.GET("/api/v1/tasks/{task}/helpful", { params: { path: { task } }, signal })),
    staleTime: 60_000,
  });
/** The analysis of a typed or dropped text for a task, or for one with these labels that is not stored yet. */
export const understandQuery = (text: string, { task, labels = [] }: { task?: string; labels?: string[] }) =>
  queryOptions({
    queryKey: ["understand", text, task, labels],
    queryFn: ({ signal }) =>
      reply(api.POST("/api/v1/tasks/understand", { body: { text, columns: {}, task, labels }, signal })),
    // A change of task or labels changes only hints.
    placeholderData: (before, query) => (query?.queryKey[1] === text ? before : undefined),
    enabled: text.trim() !== "",
    staleTime: Infinity,
    gcTime: 60_000,
    retry: false,
  });
/** The effect of saving a task with its pasted examples; stores nothing. */
export const trialQuery = (body: Schemas["NewTask"], ready: boolean) =>
  queryOptions({
    queryKey: ["tasks", "trial", body],
    queryFn: ({ signal }) => {
      const params = { query: { dry_run: true } };
      return reply(api.POST("/api/v1/tasks/new", { params, body, signal }));
    },
    enabled: ready,
    gcTime: 60_000,
    retry: false,
  });
/** Every task, the archived ones too. */
export const allTasksQuery = queryOptions({
  queryKey: ["tasks", "all"],
  queryFn: async () => (await reply(api.GET("/api/v1/tasks", { params: { query: { archived: true } } }))).tasks,
});
export const definitionQuery = (task: string) =>
  queryOptions({
    queryKey: ["tasks", "definition", task],
    queryFn: () => tagged(api.GET("/api/v1/tasks/{task}", { params: { path: { task } } })),
  });
export const upstreamQuery = (task: string) =>
  queryOptions({
    queryKey: ["tasks", "upstream", task],
    queryFn: () => reply(api.GET("/api/v1/tasks/{task}/upstream", { params: { path: { task } } })),
  });
export const revisionsQuery = (task: string) =>
  queryOptions({
    queryKey: ["tasks", "revisions", task],
    queryFn: async () =>
      (await reply(api.GET("/api/v1/tasks/{task}/revisions", { params: { path: { task } } }))).revisions,
  });
/** Submitted texts with their runs; read again with the runs. */
export const promptsQuery = queryOptions({
  queryKey: ["runs", "prompts"],
  queryFn: async () => (await reply(api.GET("/api/v1/prompts", { params: { query: { limit: 20 } } }))).prompts,
  refetchInterval: ({ state }) =>
    state.data?.some(({ job }) => job && ["queued", "starting", "running"].includes(job.state)) ? 2_000 : false,
});
/** A submitted text with its versions; read again with the runs. */
export const promptQuery = (id: number) =>
  queryOptions({
    queryKey: ["runs", "prompts", id],
    queryFn: () => reply(api.GET("/api/v1/prompts/{id}", { params: { path: { id } } })),
  });
/** What submitting a table of texts would do; stores nothing. */
export const batchQuery = (text: string, ready: boolean) =>
  queryOptions({
    queryKey: ["tasks", "batch", text],
    queryFn: ({ signal }) => {
      const params = { query: { dry_run: true } };
      return reply(api.POST("/api/v1/prompts/batch", { params, body: { text }, signal }));
    },
    enabled: ready,
    gcTime: 60_000,
    retry: false,
  });
/** What differs between two submitted texts. */
export const promptDiffQuery = (id: number, before: number) =>
  queryOptions({
    queryKey: ["runs", "prompts", id, before],
    queryFn: () => reply(api.GET("/api/v1/prompts/{id}/diff", { params: { path: { id }, query: { with: before } } })),
  });
/** Base models; asked again while one is being downloaded. */
export const basesQuery = queryOptions({
  queryKey: ["bases"],
  queryFn: async () => (await reply(api.GET("/api/v1/bases"))).bases,
  // A run, also one of another worker, begins a download without a message.
  refetchInterval: ({ state }) => (state.data?.some((base) => base.pull?.state === "running") ? 500 : 5000),
});
/** Whether a base model is here; asked again while it is being downloaded. */
export const baseQuery = (name: string) =>
  queryOptions({
    queryKey: ["bases", name],
    queryFn: () => reply(api.GET("/api/v1/bases/state", { params: { query: { name } } })),
    refetchInterval: ({ state }) => (state.data?.pull?.state === "running" ? 500 : false),
    retry: false,
  });
/** A text of a task to try: one that waits for an answer, if there is one, since no version has learned it. */
export const sampleQuery = (task: string) =>
  queryOptions({
    queryKey: ["examples", task, "sample"],
    queryFn: async () => {
      const first = async (state?: "pending") => {
        const params = { query: { task, state, limit: 1 } };
        return (await reply(api.GET("/api/v1/examples", { params }))).examples[0]?.input;
      };
      return (await first("pending")) ?? (await first()) ?? "";
    },
    staleTime: Infinity,
  });
export const templatesQuery = queryOptions({
  queryKey: ["templates"],
  queryFn: async () => (await reply(api.GET("/api/v1/templates"))).templates,
  staleTime: Infinity,
});
/** A template with its variables filled in; those that aren't given have their own value. */
export const filledQuery = (name: string, values: Record<string, string>, ready: boolean) =>
  queryOptions({
    queryKey: ["templates", name, values],
    queryFn: () => reply(api.POST("/api/v1/templates/{name}/fill", { params: { path: { name } }, body: { values } })),
    enabled: ready,
    staleTime: Infinity,
    retry: false,
  });
export const systemQuery = queryOptions({
  queryKey: ["system"],
  queryFn: () => reply(api.GET("/api/v1/system")),
  staleTime: 30_000,
});
export const rentQuery = queryOptions({
  queryKey: ["rent"],
  queryFn: () => tagged(api.GET("/api/v1/settings/rent")),
  staleTime: 30_000,
});
export const guidelinesQuery = (task: string) =>
  queryOptions({
    queryKey: ["guidelines", task],
    queryFn: () => tagged(api.GET("/api/v1/tasks/{task}/guidelines", { params: { path: { task } } })),
    staleTime: 30_000,
  });
