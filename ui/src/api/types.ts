import type { Json } from "../lib/json";
import type { components } from "./schema";

/** The server's types by their names here; where its description says only "any JSON", this says which. */
type Schemas = components["schemas"];
type With<T, Narrower> = Omit<T, keyof Narrower> & Narrower;

/** Milliseconds since the Unix epoch. */
export type Time = number;
export type Role = Schemas["Role"];
export type ReviewState = Exclude<Schemas["ReviewFilterName"], "audited">;
export type RunState = Schemas["RunState"];
export type RunKind = Schemas["RunKind"];

export type Review = Schemas["Review"];
export type Example = With<Schemas["Example"], { output?: Json }>;
export type ListedExample = With<Schemas["ListedExample"], { output?: Json }>;
type Prediction = With<Schemas["SuggestedAnswer"], { answer: Json; fields?: Record<string, number> }>;
export type Change = With<Schemas["Change"], { before?: Json; after?: Json }>;
export type ExampleDetail = With<
  Schemas["ExampleDetail"],
  {
    example: Example;
    baseline?: Json;
    suggestion?: { version: string; prediction: Prediction } | null;
    history: Change[];
  }
>;

export type Seats = Schemas["Seats"];
export type Seat = Schemas["Seat"];
export type Mask = Schemas["Mask"];

export type Progress = Schemas["Progress"];
export type Run = With<Schemas["ListedRun"], { spec: Json }>;
export type RunFailure = Schemas["Failure"];
export type RunDetail = With<Schemas["RunDetail"], { run: Run; result?: Json }>;
export type Event = Schemas["Event"];
export type Artifact = Schemas["Artifact"];
export type RunComparison = With<
  Schemas["RunComparison"],
  { runs: Run[]; config: { field: string; values: Json[] }[] }
>;
export type Preflight = Schemas["Preflight"];
export type Quality = Schemas["Quality"];
export type NewRun = With<Schemas["NewRun"], { settings?: Partial<Schemas["RunSettings"]> }>;

export type Scores = Schemas["Scores"];
export type Evaluation = With<Schemas["Evaluation"], { fields: Record<string, Schemas["Calibration"]> }>;
export type Version = With<Schemas["Version"], { metrics: { evaluation?: Evaluation | null } }>;
export type ShownAnswer = With<Schemas["ShownAnswer"], { example: Example; answer?: Json }>;
export type VersionDetail = With<
  Schemas["VersionDetail"],
  { version: Version; evaluation?: Evaluation | null; worst: ShownAnswer[]; right: ShownAnswer[] }
>;

export type Drift = Schemas["Drift"];
export type DriftState = Schemas["DriftState"];
export type Shift = Schemas["Shift"];
export type Spread = Schemas["Spread"];

export type Switched = With<Schemas["Switched"], { version: Version }>;

export type TaskInfo = With<
  Schemas["TaskOverview"],
  { schema?: Json; active?: Version | null; run?: Run | null; labels?: string[] }
>;
export type Duplicates = Schemas["Duplicates"];
export type Stats = Schemas["StatsReport"];
export type Session = Schemas["SessionView"];
export type Import = Schemas["Import"];
export type System = With<Schemas["SystemView"], { serving: Json }>;
export type Schedule = Schemas["ScheduleView"];
export type User = Schemas["UserView"];
export type Token = Schemas["TokenView"];

export type MadeToken = Schemas["MadeToken"];
export type AskAiSettings = Schemas["Settings"];
export type SettingsCheck = Schemas["SettingsCheck"];
export type Rent = Schemas["Rent"];
export type Guidelines = Schemas["Guidelines"];
export type BulkRuns = Omit<Schemas["BulkRuns"], "dry_run"> & { dry_run?: boolean };
export type BulkRunsResult = Schemas["BulkRunsResult"];
export type Tables = Schemas["Tables"];
export type TablesReply = Schemas["TablesReply"];
export type NewTables = Schemas["NewTables"];

/** What one contestant of the playground says. */
export type Answer = With<Schemas["ContestantAnswer"], { answer?: Json }>;
