//! What a page shows and a person does there: the state of every task, decisions on what was seen, bulk decisions,
//! reports, tables.

mod ask_ai;
mod audit;
mod guidelines;
mod machine;
mod overview;
mod rent;
mod report;
mod spans;
mod tables;
mod versions;

pub use ask_ai::{AskAiSettings, SettingProblem};
pub use audit::{ExampleDetail, Listed, SuggestedAnswer, Suggestion, SuggestionNote};
pub use guidelines::{Guidelines, wrong_guidelines};
pub use overview::{Attention, SourceCount, TaskForm, TaskOverview};
pub use rent::Rent;
pub use report::{DayStats, StatsReport};
pub use spans::Span;
pub use tables::TableText;
pub use versions::{Lineage, ShownAnswer, VersionDetail};
