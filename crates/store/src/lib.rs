//! All SQL of Graft: examples with their reviews, datasets, runs, versions, settings, base models, and the audit trail.
//!
//! One [`Store`] is a SQLite file or a Postgres database; the statements are the same. Every write is one transaction
//! under the database's single write lock, so what it reads can't change before it commits. Times and people's names
//! are arguments.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let home = tempfile::tempdir()?;
//! # let path = home.path().join("graft.db");
//! use graft_core::{Example, Review, Source};
//! use graft_store::{ExampleFilter, Store};
//!
//! let store = Store::open(path.to_str().ok_or("not UTF-8")?).await?;
//! let source = Source { kind: "csv".into(), reference: "1".into(), at: None };
//! let spam = Example {
//!     id: "csv:1".into(), task: "spam".into(), input: "WIN a phone!".into(), output: Some("ham".into()),
//!     source, review: Review::Pending, revision: 1,
//! };
//! let now = 1_795_253_400_000;
//! assert_eq!(store.import(&[spam], "import csv", now).await?.added, 1);
//! store.edit("spam", "csv:1", &"spam".into(), "ada", now).await?;
//! let examples = store.examples(&ExampleFilter { task: Some("spam".into()), ..Default::default() }).await?;
//! assert_eq!((examples[0].revision, examples[0].review.name()), (2, "approved"));
//! assert_eq!(store.history("spam", "csv:1").await?.len(), 2);
//! # Ok(()) }
//! ```

#[macro_use]
mod names;
mod activations;
mod agents;
mod alerts;
mod bases;
mod batches;
mod changes;
mod clock;
mod database;
mod datasets;
mod dump;
mod error;
mod examples;
mod faults;
mod idempotency;
mod imports;
mod live;
mod machines;
mod merge;
mod messages;
mod migrate;
mod people;
mod prompts;
mod registry;
mod rentals;
mod rollouts;
mod row;
mod runs;
mod schedules;
mod scope;
mod served;
mod settings;
mod statement;
mod studies;
mod suggestions;
mod tasks;
mod templates;
mod trackers;
mod upstreams;
mod versions;
mod watch;
mod workers;

pub use activations::Activation;
pub use agents::{Agent, AgentState};
pub use alerts::{Alert, AlertChange, AlertKind, Notifier, StoredNotice};
pub use bases::Base;
pub use batches::{Batch, BatchState, NewBatch, Part, PartLease};
pub use changes::{Action, Change, ChangeFilter, Kind};
pub use database::Store;
pub use datasets::DatasetInfo;
pub use dump::Table;
pub use error::Error;
pub use examples::{
    Bulk, BulkReport, Counts, Decision, ExampleFilter, ImportReport, Order, ReviewFilter, ReviewState, Seen, Skipped,
};
pub use idempotency::{KeyedRequest, KeyedState};
pub use imports::{Import, ImportState};
pub use live::{
    LiveAdapter, LiveSettings, LiveSnapshot, LiveState, LiveWindow, Released, SnapshotExamples, SnapshotState,
    WindowCounts,
};
pub use machines::{Machine, NewMachine};
pub use messages::Messages;
pub use people::{Admins, Role, Session, Token, User};
pub use prompts::{NewPrompt, Prompt};
pub use registry::model_registry;
pub use rollouts::{Rollout, RolloutCounts, RolloutDecision, RolloutOutcome, RolloutPair, RolloutPolicy, RolloutState};
pub use runs::{
    Again, Findings, FollowCursor, Followed, Free, Held, LONGEST_WAIT, Lease, LogStream, LogText, NewEvaluation,
    NewRun, PendingRequest, Priority, Run, RunFilter, RunKind, RunState, RunUpdate, Submission, TrainingRun,
};
pub use schedules::{Due, NewSchedule, Schedule};
pub use served::ServedInputs;
pub use settings::Setting;
pub use studies::{NewStudy, NewTrial, Study, StudyState, Trial, TrialState};
pub use suggestions::{Suggested, Suggestion};
pub use tasks::{NewTaskRevision, TaskRevision};
pub use templates::StoredTemplate;
pub use trackers::Tracked;
pub use upstreams::{Recording, Upstream, UpstreamCounts, UpstreamDay};
pub use versions::{Measurement, Method, NewVersion, Stage, Version, VersionHead, VersionName};
pub use watch::Watch;
pub use workers::Worker;
