//! The rules of Graft, without argument parsing or printing: what is imported, split, trained, registered and made
//! active, and when not.
//!
//! [`Engine`] is one `GRAFT_HOME`: its database, its base models, its run directories. Training happens in a process of
//! its own, in a run directory; the engine makes the directory, starts the process, follows its events, and takes in
//! the result. Killed at any moment, it finds out what happened the next time it looks.

mod agents;
mod alerts;
mod bases;
mod batches;
mod clock;
mod engine;
mod error;
mod evaluations;
mod examples;
mod files;
mod home;
mod instance;
mod machines;
mod people;
mod rollouts;
mod runs;
pub mod serving;
mod studies;
mod tasks;
mod tracking;
mod upkeep;
mod upstreams;
mod versions;

pub use agents::{AgentView, Agents, AgentsReport, Wanted as WantedVersion, Wave};
pub use alerts::{AlertOptions, Alerts, ReceiverView, Receivers, Tried};
pub use bases::{BaseInfo, Bases};
pub use batches::{BatchRequest, Batches};
pub use clock::now;
pub use engine::Engine;
pub use error::{Error, SettingProblem};
pub use evaluations::{
    Activated, BaselineTrial, Evaluations, Fix, FixAction, FixDecision, FixVerb, Helpful, HelpfulExample, Judged,
    LabelToAdd, Opponent, RuleUse, Suspect, SuspectCount, SuspectExample, SuspectKind, Suspects, Tell, WrongAnswer,
    contestant_scores, score_answers,
};
pub use examples::{
    DayStats, ExampleDetail, Examples, Guidelines, Imported, Kept, Listed, Prepared, PreviewRow, Source, Span, Stats,
    StatsReport, SuggestedAnswer, Suggestion, SuggestionNote, TableText, wrong_guidelines,
};
pub use graft_contestants::Kind as ContestantKind;
pub use graft_core::{compact, iso8601};
pub use graft_exec::{Facts, RunLock};
pub use graft_hub::{
    Error as HubError, Installed as InstalledBase, Progress as Download, Removed as RemovedBase, Stop as StopDownload,
};
pub use graft_nn::TokenView;
pub use graft_notify::EmailOptions;
pub use graft_predict::{Reliability, leave_devices};
pub use graft_tasks::{
    Error as TaskError, Found, Import as ReadImport, Problem as BadRow, Skipped as SkippedRows, SourceKind,
    ask_ai::Drafts,
    cards::{BaselineSpec, Computed, Form, Integration, Scoring, Synonym, Task, Training},
    find_out,
    pounds::Tables,
    score::{Comparison, Diff, Verdict},
    slack::Choice,
    tabular::{Columns, Layout},
    templates::{Template, TemplateFile, Variable as TemplateVariable},
    understand::{AnswerChange, Hint, KnownTask, TextDiff, Understanding, Understood},
};
pub use graft_track::{Access as TrackerAccess, FoundRun as MlflowRun, SinkKind as TrackerKind};
pub use graft_train::TrainingRun;
pub use graft_upstream::Error as UpstreamError;
pub use home::{Home, Places, host};
pub use machines::{
    Machines, ProviderView, Quote, RENTAL_SETTINGS, RENTAL_TYPES, RentalSweep, RentalView, check_rental_settings,
};
pub use people::People;
pub use rollouts::{
    BothTimes, Difference, Errors as RolloutErrors, Gate, Outcomes, RolloutReport, Rollouts, TaskRollouts, Times,
};
pub use runs::{
    AskAiTraining, Baseline, BatchPrompt, BatchRun, Check, ComparedField, ComparedMetric, CsvFile, EvaluationRequest,
    HeldOut, Interval, Learned, Level, Live, LiveStatus, News, Paired, PairedExample, Plan, Preflight, Problem,
    Progress, PromptBatch, PromptDiff, PromptReached, PromptRequest, PromptVersion, Pulse, Quality, RunAction,
    RunComparison, RunDownload, RunEstimate, RunFailure, RunRequest, RunView, Runs, RunsReport, Say,
    ScheduleConditions, SettingChange, Settings, SkippedRun, SplitName, Submitted, SubmittedPrompt, TrainedRow,
    TrainingCheckpoint, TrainingConfig, TrainingStatus, TrainingSubmission, Waiting, WarmStart, WorkerOptions, doctor,
    interim_scorer, outcome_of, recipes,
};
pub use serving::{Input, Serving, read_inputs};
pub use studies::{Budget, Importance, SamplerName, Studies, StudyRequest, StudyView};
pub use tasks::{MadeTask, NewTask, TaskChange, TaskDetail, TaskImpact, TaskOrigin, Tasks, UnfitExample};
pub use tracking::{ComparedVersion, MlflowRuns, TrackedRun, TrackedState, Trackers, Tracking, TrackingOptions};
pub use upkeep::{
    Attention, Backup, LastSweep, Rent, Restored, SourceCount, Swept, System, TaskForm, TaskOverview, Upkeep,
};
pub use upstreams::{ChatRequest, Passed, PassedBody, PlainRequest, Proxied, Proxy, UpstreamReport, Upstreams};
pub use versions::{
    AnswerDrift, AskAiChange, AskAiSettings, BaselineScores, Bundle, Checked, Chosen, ContestantBrief,
    ContestantScores, DatasetForm, Distance, Drift, DriftPeriod, DriftState, Evaluation, ExportedDataset, KeptAnswer,
    Lineage, Measured, Merged, MovedShare, OutType, Overrides, ResultFormat, ScoresBrief, Seen, ServedDrift,
    ServedPeriod, Share, Shift, ShownAnswer, Spread, Told, VersionBrief, VersionDetail, Versions, field_of,
    point_latest,
};

/// A result of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// Rows of the database as the parts take and return them, and why it refuses.
pub mod records {
    pub use graft_store::{
        Admins, Agent, AgentState, Alert, AlertKind, Base, Batch, BatchState, Bulk, BulkReport, Change, ChangeFilter,
        DatasetInfo, Decision, Error, ExampleFilter, FollowCursor, Held, Import, ImportReport, ImportState,
        KeyedRequest, KeyedState, Kind, LiveAdapter, LiveSettings, LiveSnapshot, LogStream, LogText, Machine, Messages,
        Method, Order, Priority, Prompt, Recording, ReviewFilter, Role, Rollout, RolloutCounts, RolloutPolicy,
        RolloutState, Run, RunFilter, RunKind, RunState, Schedule, Seen, Session, Stage, Study, StudyState, Token,
        TrainingRun, Trial, TrialState, Upstream, UpstreamCounts, User, Version, VersionName, Watch, model_registry,
    };
}
