import { queryOptions } from "@tanstack/react-query";
import * as api from "./calls";

/** What the page reads, by key; whatever changes something invalidates by the first part. */
export const sessionQuery = queryOptions({ queryKey: ["session"], queryFn: api.session.read, staleTime: 60_000 });
export const tasksQuery = queryOptions({
  queryKey: ["tasks"],
  queryFn: async () => (await api.tasks.list()).tasks,
  staleTime: 5_000,
});
export const exampleQuery = (task: string, id: string) =>
  queryOptions({
    queryKey: ["example", task, id],
    queryFn: ({ signal }) => api.examples.read(task, id, signal),
    staleTime: 60_000,
  });
export const runsQuery = (query: { task?: string; state?: string; limit: number; offset: number }) =>
  queryOptions({ queryKey: ["runs", query], queryFn: () => api.runs.list(query), placeholderData: (old) => old });
export const runQuery = (id: string) => queryOptions({ queryKey: ["run", id], queryFn: () => api.runs.read(id) });
export const artifactsQuery = (id: string) =>
  queryOptions({ queryKey: ["run", id, "artifacts"], queryFn: async () => (await api.runs.artifacts(id)).artifacts });
export const versionsQuery = (task: string) =>
  queryOptions({ queryKey: ["versions", task], queryFn: async () => (await api.versions.list(task)).versions });
/** The version that a rollback would make active. */
export const rollbackQuery = (task: string) =>
  queryOptions({
    queryKey: ["versions", task, "before"],
    queryFn: async () => (await api.versions.list(task)).before ?? null,
  });
export const versionQuery = (task: string, name: string) =>
  queryOptions({ queryKey: ["version", task, name], queryFn: () => api.versions.read(task, name) });
export const driftQuery = (task: string, version: string) =>
  queryOptions({
    queryKey: ["drift", task, version],
    queryFn: () => api.versions.drift(task, version),
    staleTime: 5_000,
  });
/** Of every active version; read again with the tasks. */
export const driftsQuery = queryOptions({
  queryKey: ["tasks", "drifts"],
  queryFn: async ({ client }) => {
    const tasks = await client.fetchQuery(tasksQuery);
    return Promise.all(tasks.flatMap(({ name, active }) => (active ? [api.versions.drift(name, active.name)] : [])));
  },
  staleTime: 5_000,
});
export const statsQuery = (task: string) =>
  queryOptions({ queryKey: ["stats", task], queryFn: () => api.stats.read(task) });
export const systemQuery = queryOptions({ queryKey: ["system"], queryFn: api.admin.system, staleTime: 30_000 });
export const rentQuery = queryOptions({ queryKey: ["rent"], queryFn: api.settings.rent, staleTime: 30_000 });
export const guidelinesQuery = (task: string) =>
  queryOptions({ queryKey: ["guidelines", task], queryFn: () => api.settings.guidelines(task), staleTime: 30_000 });
/** Among what is learned; told when a page opens, for each decision would compare everything anew. */
export const duplicatesQuery = (task: string) =>
  queryOptions({ queryKey: ["duplicates", task], queryFn: () => api.tasks.duplicates(task), staleTime: 300_000 });
