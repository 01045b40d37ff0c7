import type { Json } from "../lib/json";
import type { Spans } from "../lib/spans";
import type { Bin, Metric } from "../lib/reliability";

/** Milliseconds since the Unix epoch. */
export type Time = number;
export type Role = "viewer" | "auditor" | "trainer" | "admin";
export type ReviewState = "pending" | "approved" | "rejected";

export type Review =
  | { state: "pending" }
  | { state: "approved"; by: string; at: Time }
  | { state: "rejected"; by: string; at: Time; reason: string };

export interface Example {
  id: string;
  task: string;
  input: string;
  output: Json | null;
  source: { kind: string; reference: string; at?: Time | null };
  review: Review;
  revision: number;
}
export interface ListedExample extends Example {
  suggestion?: { confidence: number; disagrees: boolean } | null;
}
export interface Prediction {
  answer: Json;
  confidence: number;
  fields: Record<string, number>;
  raw_confidence: number;
  valid: boolean;
  prompt_tokens: number;
  answer_tokens: number;
}
export interface Change {
  seq: number;
  at: Time;
  by: string;
  action: string;
  kind: string;
  task: string;
  subject: string;
  before?: Json;
  after?: Json;
}
export interface ExampleDetail {
  example: Example;
  baseline: Json | null;
  suggestion: { version: string; prediction: Prediction } | null;
  spans: Spans;
  history: Change[];
}

export type RunState = "queued" | "starting" | "running" | "succeeded" | "failed" | "cancelled";
export interface Progress {
  phase: string | null;
  step: number;
  of: number;
  percent: number;
  loss: number | null;
  eta_s: number | null;
  tokens_per_s: number | null;
}
export interface Run {
  id: string;
  seq: number;
  task: string;
  state: RunState;
  method: string;
  base: string;
  dataset: string;
  spec: Json;
  dir: string;
  pid: number | null;
  train_samples: number | null;
  eval_samples: number | null;
  final_loss: number | null;
  error: string | null;
  exit_code: number | null;
  created_by: string;
  created_at: Time;
  started_at: Time | null;
  finished_at: Time | null;
  version?: string | null;
  progress?: Progress | null;
}
export interface RunFailure {
  what: string;
  where: string;
  why: string;
  hint: string | null;
  exit_code: number | null;
  phase: string | null;
}
export interface RunDetail {
  run: Run;
  version?: string | null;
  progress?: Progress | null;
  result?: Json | null;
  pid_alive: boolean;
  attempts: number;
  failure?: RunFailure | null;
}
export type Event = { seq: number; at: Time } & (
  | { event: "phase"; phase: string }
  | {
      event: "prepared";
      train: number;
      eval: number;
      too_long: number;
      tokens: number;
      supervised: number;
      steps: number;
      memory: number;
    }
  | {
      event: "step";
      step: number;
      of: number;
      loss: number | null;
      lr: number;
      grad_norm: number | null;
      tokens_per_s: number | null;
      eta_s: number | null;
    }
  | { event: "eval"; step: number; loss: number | null; best: boolean }
  | { event: "checkpoint"; step: number }
  | { event: "resumed"; step: number }
  | { event: "note"; text: string }
  | { event: "done"; steps: number; final_loss: number | null }
  | { event: "failed"; code: number; message: string }
);
export interface Artifact {
  path: string;
  size: number;
  digest: string | null;
}

export interface Scores {
  task: string;
  n: number;
  answered: number;
  metrics: Metric[];
  labels?: { label: string; support: number; precision: number; recall: number; f1: number }[];
  confusion?: { labels: string[]; counts: number[][] } | null;
  headline: string;
}
export interface Reliability {
  count: number;
  ece: number;
  brier: number;
  bins: Bin[];
}
export interface Calibration {
  method: Json;
  before: Reliability;
  after: Reliability;
}
export interface Evaluation {
  dataset: string;
  at: Time;
  adapter: Scores;
  base?: Scores | null;
  baseline?: { name: string; scores: Scores } | null;
  calibration: Calibration;
  fields: Record<string, Calibration>;
  seconds_per_answer: number;
}
export interface Version {
  task: string;
  name: string;
  stage: "shadow" | "canary" | "active" | "archived";
  run: string | null;
  adapter_dir: string;
  adapter_digest: string;
  base: string;
  base_digest: string;
  dataset: string | null;
  card_digest: string;
  metrics: { evaluation?: Evaluation | null; training?: Record<string, number> | null };
  parent: string | null;
  created_by: string;
  created_at: Time;
}
export interface Worst {
  example: Example;
  /** The headline metric's share of it. */
  score: number;
  answer: Json | null;
  diff: Json | null;
}
export interface VersionDetail {
  version: Version;
  evaluation?: Evaluation | null;
  lineage: { run?: string | null; dataset?: string | null; parent?: string | null; base: string };
  worst: Worst[];
}

export interface TaskInfo {
  name: string;
  title: string;
  form: "json" | "label" | "text";
  instruction: string;
  schema?: Json;
  labels?: string[];
  has_baseline: boolean;
  counts: { pending: number; approved: number; rejected: number };
  sources: { kind: string; count: number }[];
  active: Version | null;
  run: Run | null;
  ready: boolean;
  needed: number;
  attention: { kind: string; text: string; link: string }[];
}

export interface PreflightProblem {
  level: "error" | "warning";
  what: string;
  hint: string | null;
  field?: string | null;
}
export interface Preflight {
  ok: boolean;
  problems: PreflightProblem[];
  estimate: {
    train: number;
    eval: number;
    tokens: number;
    steps: number;
    seconds: number | null;
    seconds_basis: string | null;
    memory_bytes: number | null;
  } | null;
  command: string;
  spec: Json | null;
}
export interface NewRun {
  task: string;
  base?: string;
  method?: "lora" | "soft-prompt";
  settings?: Record<string, number | string | boolean>;
  eval_share?: number;
  priority?: "low" | "normal" | "high";
  activate?: boolean;
}
export interface RunComparison {
  runs: Run[];
  config: { field: string; values: Json[] }[];
  metrics: { name: string; values: ({ value: number; low: number; high: number } | null)[]; verdict: string | null }[];
}
export interface Answer {
  name: string;
  answer: Json | null;
  confidence?: number | null;
  fields?: Record<string, number> | null;
  seconds: number;
  problem?: string | null;
}
export interface Stats {
  task: string;
  audited: number;
  items: number;
  pounds: number;
  unweighed: number;
  by_location: Record<string, number>;
  by_subcategory: Record<string, number>;
  ready: boolean;
  over_time?: { day: string; audited: number; pounds: number }[];
  per_field?: Record<string, Record<string, number>>;
}
export interface Session {
  user: string | null;
  role: Role | null;
  auth_required: boolean;
  roles: Role[];
}
export interface Import {
  id: string;
  state: "running" | "done" | "failed";
  phase: string;
  done: number;
  of: number;
  report: {
    task: string;
    examples: number;
    labelled: number;
    added: number;
    updated: number;
    unchanged: number;
    kept: number;
  } | null;
  skipped: { kind: string; count: number; first_where: string }[];
  problems: { at: string; reason: string }[];
  problem: { title: string; detail: string; hint?: string | null } | null;
}
export interface System {
  version: string;
  home: string;
  disk_free: number | null;
  memory: { available: number | null; resident: number | null };
  database: string;
  queue: Record<string, number>;
  serving: Json;
  workers: { id: string; host: string; pid: number; slots: number; seen_at: Time }[];
  bases: { name: string }[];
  started_at: Time;
}
export interface Schedule {
  id: string;
  task: string;
  cron: string;
  zone: string;
  min_new: number;
  next_at: Time | null;
  last_at: Time | null;
  last_run: string | null;
  last_note: string | null;
  created_by: string;
}
