import { address, exchange, part, request, type Query } from "./http";
import type * as T from "./types";
import type { Json } from "../lib/json";

const V1 = "/api/v1";
const get = <R>(path: string, query?: Query, signal?: AbortSignal) => request<R>("GET", V1 + path, { query, signal });
const post = <R>(path: string, body: unknown = {}, headers?: Record<string, string>) =>
  request<R>("POST", V1 + path, { body, headers });
const remove = <R>(path: string, query?: Query) => request<R>("DELETE", V1 + path, { query });

interface ExampleQuery extends Query {
  task: string;
  state?: T.ReviewState;
  source?: string;
  search?: string;
  by?: string;
  field?: string;
  min_confidence?: number;
  max_confidence?: number;
  order?: string;
  limit?: number;
  offset?: number;
}

export const session = {
  read: () => get<T.Session>("/session"),
  open: (credentials: { password?: string; user?: string; token?: string }) => post<T.Session>("/session", credentials),
  close: () => remove<null>("/session"),
};

export const tasks = {
  list: () => get<{ tasks: T.TaskInfo[] }>("/tasks"),
  duplicates: (task: string) => get<T.Duplicates>(`/tasks/${part(task)}/duplicates`),
  rollback: (task: string, expected: string | null) => post<T.Switched>(`/tasks/${part(task)}/rollback`, { expected }),
};

const example = (task: string, id: string) => `/examples/${part(task)}/${part(id)}`;

export const examples = {
  list: (query: ExampleQuery, signal?: AbortSignal) =>
    get<{ examples: T.ListedExample[]; total: number }>("/examples", query, signal),
  read: (task: string, id: string, signal?: AbortSignal) => get<T.ExampleDetail>(example(task, id), undefined, signal),
  decide: (task: string, id: string, action: string, body: object, key: string) =>
    post<{ example: T.Example }>(`${example(task, id)}/${action}`, body, { "Idempotency-Key": key }),
  bulk: (body: object) => post<{ changed: number; skipped: { id: string; why: string }[] }>("/examples/bulk", body),
  mask: (task: string, id: string, base?: string) => get<T.Mask>(`${example(task, id)}/mask`, { base }),
};

export const presence = {
  sit: (page: string, at: { task: string; id: string } | null) =>
    request<T.Seats>("PUT", `${V1}/presence`, { body: { page, at }, keepalive: true }),
};

export const imports = {
  start: (form: FormData) => request<{ import: T.Import }>("POST", `${V1}/imports`, { body: form }),
  read: (id: string) => get<T.Import>(`/imports/${part(id)}`),
};

export const runs = {
  list: (query: { task?: string; state?: string; limit?: number; offset?: number }) =>
    get<{ runs: T.Run[]; total: number }>("/runs", query),
  read: (id: string) => get<T.RunDetail>(`/runs/${part(id)}`),
  start: (spec: T.NewRun) => post<{ run: T.Run }>("/runs", spec),
  preflight: (spec: T.NewRun) => post<T.Preflight>("/runs/preflight", spec),
  act: (id: string, action: "cancel" | "retry" | "resume") => post<{ run: T.Run }>(`/runs/${part(id)}/${action}`),
  actOnMany: (body: T.BulkRuns) => post<T.BulkRunsResult>("/runs/bulk", body),
  remove: (id: string) => remove<null>(`/runs/${part(id)}`),
  clear: (before: number) => remove<{ deleted: number }>("/runs", { finished_before: before }),
  events: (id: string, after = 0) => get<{ events: T.Event[] }>(`/runs/${part(id)}/events`, { after }),
  logs: (id: string, stream: "stdout" | "stderr", offset: number) =>
    get<{ text: string; next: number; size: number }>(`/runs/${part(id)}/logs`, { stream, offset }),
  artifacts: (id: string) => get<{ artifacts: T.Artifact[] }>(`/runs/${part(id)}/artifacts`),
  artifactAddress: (id: string, path: string) =>
    address(`${V1}/runs/${part(id)}/artifacts/${path.split("/").map(part).join("/")}`),
  compare: (ids: string[]) => get<T.RunComparison>("/runs/compare", { ids: ids.join(",") }),
  streamAddress: (id: string) => `${V1}/runs/${part(id)}/stream`,
};

const version = (task: string, name: string) => `/versions/${part(task)}/${part(name)}`;

export const versions = {
  list: (task: string) =>
    get<{ versions: T.Version[]; total?: number; before?: string | null }>("/versions", { task, limit: 200 }),
  read: (task: string, name: string) => get<T.VersionDetail>(version(task, name)),
  drift: (task: string, name: string) => get<T.Drift>(`/tasks/${part(task)}/drift`, { version: name }),
  activate: (task: string, name: string, expected: string | null, force = false) =>
    post<T.Switched>(`${version(task, name)}/activate`, { expected, force }),
  stage: (task: string, name: string, stage: string) => post<Json>(`${version(task, name)}/stage`, { stage }),
  evaluate: (task: string, name: string) => post<Json>(`${version(task, name)}/evaluate`),
  remove: (task: string, name: string) => remove<null>(version(task, name)),
  downloadAddress: (task: string, name: string) => `${V1}${version(task, name)}/download`,
};

export const compare = (task: string, input: string, contestants: string[]) =>
  post<{ answers: T.Answer[]; differing: string[] }>("/compare", { task, input, contestants });

export const stats = {
  read: (task: string) => get<T.Stats>("/stats", { task }),
  csvAddress: (task: string) => address(`${V1}/stats.csv`, { task }),
};

const withTag = (etag: string | null) => (etag ? { "If-Match": etag } : undefined);

export const settings = {
  read: () => exchange<T.AskAiSettings>("GET", `${V1}/settings`),
  write: (body: T.AskAiSettings, etag: string | null) =>
    exchange<T.AskAiSettings>("PUT", `${V1}/settings`, { body, headers: withTag(etag) }),
  validate: (body: T.AskAiSettings) => post<T.SettingsCheck>("/settings/validate", body),
  rent: () => exchange<T.Rent>("GET", `${V1}/settings/rent`),
  writeRent: (body: T.Rent, etag: string | null) =>
    exchange<T.Rent>("PUT", `${V1}/settings/rent`, { body, headers: withTag(etag) }),
  guidelines: (task: string) => exchange<T.Guidelines>("GET", `${V1}/tasks/${part(task)}/guidelines`),
  writeGuidelines: (task: string, body: { text: string }, etag: string | null) =>
    exchange<T.Guidelines>("PUT", `${V1}/tasks/${part(task)}/guidelines`, { body, headers: withTag(etag) }),
  tables: () => exchange<T.TablesReply>("GET", `${V1}/tables`),
  writeTables: (body: T.NewTables, etag: string | null) =>
    exchange<T.TablesReply>("PUT", `${V1}/tables`, { body, headers: withTag(etag) }),
};

export const admin = {
  users: () => get<{ users: T.User[] }>("/users"),
  addUser: (body: { name: string; role: T.Role; password: string }) => post<Json>("/users", body),
  removeUser: (name: string) => remove<null>(`/users/${part(name)}`),
  tokens: () => get<{ tokens: T.Token[] }>("/tokens"),
  addToken: (body: { label: string; role: T.Role; days?: number }) => post<T.MadeToken>("/tokens", body),
  removeToken: (id: string) => remove<null>(`/tokens/${part(id)}`),
  schedules: () => get<{ schedules: T.Schedule[] }>("/schedules"),
  addSchedule: (body: { cron: string; zone?: string; request: T.NewRun; min_new?: number }) =>
    post<Json>("/schedules", body),
  removeSchedule: (id: string) => remove<null>(`/schedules/${part(id)}`),
  /** The newest first, before one or from the end. */
  changes: (query: { kind?: string; before?: number; limit?: number }) =>
    get<{ changes: T.Change[]; next: number }>("/changes", { ...query, order: "newest" }),
  system: () => get<T.System>("/system"),
};
