//! From people's messages, databases and tables to examples, and back from answers to numbers.
//!
//! - [`cards`]: tasks as data, and those that Graft comes with.
//! - [`slack`], [`ask_ai`], [`tabular`]: importers; each returns an [`Import`].
//! - [`mod@understand`]: from pasted text to a task: examples, answer form and schema, with evidence.
//! - [`templates`]: ready-made tasks with examples.
//! - [`baseline`]: the regex parser of food rescues, which an adapter has to beat; [`rules`]: the same as data, for any task.
//! - [`pounds`]: tables that turn extracted items into weights.
//! - [`variants`]: approved examples in other words and with other names, for training.
//! - [`score`]: how right answers are, with confidence intervals, and how two versions compare.
//!
//! Nothing here knows where an example goes next; the clock and seeds are arguments.

pub mod ask_ai;
pub mod baseline;
pub mod cards;
mod encoding;
mod error;
mod import;
pub mod pounds;
pub mod rules;
pub mod schema;
pub mod score;
mod sheet;
pub mod slack;
mod sniff;
pub mod tabular;
pub mod templates;
mod time;
pub mod understand;
mod values;
pub mod variants;

pub use encoding::{Text, read as read_text};
pub use error::Error;
pub use import::{Approval, Import, MAX_PROBLEMS, Problem, Skipped};
pub use sniff::{FileForm, Found, SourceKind, find_out};
pub use values::each as each_value;

/// A pattern of this crate's own.
fn pattern(text: &str) -> regex::Regex {
    regex::Regex::new(text).expect("a constant pattern compiles")
}
