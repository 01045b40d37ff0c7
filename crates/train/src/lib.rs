//! Trains an adapter in a run directory.
//!
//! The directory is the whole contract: `spec.json` and `data/` come in, `events.jsonl`, `checkpoints/`, `adapter/` and
//! `training_run.json` go out. [`train`] may be killed at any moment and called again: it continues from the newest
//! whole checkpoint to the same result, bit for bit.

mod adapter_files;
mod checkpoint;
mod data;
mod device;
mod error;
mod learner;
mod memory;
mod pace;
mod run_dir;
mod trainer;

pub use adapter_files::{AdapterCard, load_adapter, weights_digest};
pub use data::{Row, RowVariant, fits};
pub use device::{bf16_of, gpu_count, gpus};
pub use error::Error;
pub use learner::{Learner, StepPlan};
pub use memory::{Estimate, available_memory, estimate, peak_rss};
pub use pace::pace;
pub use run_dir::{EventLog, RunDir, TrainingRun};
pub use trainer::{Machine, Outcome, train};
