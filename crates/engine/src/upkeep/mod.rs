//! The home as a whole: overview, cost, backups, and unused files.

mod backup;
mod machine;
mod overview;
mod rent;
mod sweep;
mod trail;

pub use backup::{Backup, Restored};
pub(crate) use machine::SEEN_WITHIN;
pub use machine::System;
pub use overview::{Attention, SourceCount, TaskForm, TaskOverview};
pub use rent::Rent;
pub(crate) use sweep::KEPT_HOURS;
pub use sweep::{LastSweep, Swept};

use crate::Engine;

/// The home as a whole.
#[derive(Clone, Copy, Debug)]
pub struct Upkeep<'e> {
    pub(crate) engine: &'e Engine,
}
