import type { components } from "./schema";

/** The server's types, by their names in its description; and the ones that pages name often. */
export type Schemas = components["schemas"];

export type Role = Schemas["Role"];
export type ReviewState = Schemas["Review"]["state"];
export type RunState = Schemas["RunState"];

export type Example = Schemas["Example"];
export type ListedExample = Schemas["ListedExample"];
export type ExampleDetail = Schemas["ExampleDetail"];
export type Change = Schemas["Change"];
export type Seat = Schemas["Seat"];

export type Run = Schemas["ListedRun"];
export type RunDetail = Schemas["RunDetail"];
export type RunFailure = Schemas["Failure"];
export type RunComparison = Schemas["RunComparison"];
export type Event = Schemas["Event"];
export type InterimScores = Schemas["InterimScores"];
export type NewRun = Schemas["NewRun"];
export type Preflight = Schemas["Preflight"];

export type Metric = Schemas["Metric"];
export type Scores = Schemas["Scores"];
export type Evaluation = Schemas["Evaluation"];
export type Version = Schemas["Version"];
export type LiveStatus = Schemas["LiveStatus"];
export type LiveSnapshot = Schemas["LiveSnapshot"];
export type Rollout = Schemas["Rollout"];
export type RolloutReport = Schemas["RolloutReport"];
export type AgentsReport = Schemas["AgentsReport"];
export type AgentView = Schemas["AgentView"];
export type ShownAnswer = Schemas["ShownAnswer"];
export type Drift = Schemas["Drift"];
export type Shift = Drift["confidence"];
export type Spread = NonNullable<Shift["window"]>;

/** Its run also says how far it is. */
export type TaskInfo = Schemas["TaskOverview"] & { run?: Run | null };
export type System = Schemas["SystemView"];
export type Tables = Schemas["Tables"];
export type TablesReply = Schemas["TablesReply"];

export type Study = Schemas["Study"];
export type StudyView = Schemas["StudyView"];
export type Trial = Schemas["Trial"];
export type Parameter = Schemas["Parameter"];

export type Understanding = Schemas["Understanding"];
export type FieldGuess = Schemas["FieldGuess"];
export type ListedPrompt = Schemas["ListedPrompt"];
