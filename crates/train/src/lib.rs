//! Trains an adapter in a run directory.
//!
//! The directory is the whole interface: `spec.json` and `data/` are the input; `events.jsonl`, `checkpoints/`,
//! `adapter/` and `training_run.json` are the output. [`train`] may be killed at any time and called again: it
//! continues from the newest undamaged checkpoint to a bit-identical result.

mod adapter_files;
mod checkpoint;
mod data;
mod device;
mod error;
mod learner;
mod memory;
mod pace;
mod run_dir;
mod scorer;
mod trainer;

pub use adapter_files::{AdapterCard, NGramsCard, label_bias, load_adapter, weights_digest};
pub use data::{Row, RowVariant, fits};
pub use device::{bf16_of, gpu_count, gpus};
pub use error::Error;
pub use learner::{Learner, StepPlan};
pub use memory::{Estimate, available_memory, estimate, peak_rss};
pub use pace::pace;
pub use run_dir::{EventLog, RunDir, TrainingRun};
pub use scorer::{MakeScorer, Score, Scorer, ScorerOrder, ScoringError};
pub use trainer::{Machine, Outcome, train};
