//! Failures on demand, so that tests can strike at each write in turn.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::{Error, Store};

/// Counts the points at which a write could fail; fails at one of them, and from then on.
#[derive(Clone, Default)]
pub(crate) struct Faults(Option<Arc<(u64, AtomicU64)>>);

impl Faults {
    /// Fails if this is the point chosen, or a later one.
    pub(crate) fn strike(&self) -> Result<(), Error> {
        let Some(plan) = &self.0 else { return Ok(()) };
        let (at, passed) = (plan.0, plan.1.fetch_add(1, Ordering::Relaxed) + 1);
        if passed < at { Ok(()) } else { Err(Error::Disk("a failure that a test asked for".into())) }
    }
}

impl Store {
    /// For tests: the same database, whose writes fail at the `k`-th point (from 1) and ever after. A write has three
    /// points: before it begins, before it commits, and after it committed, where only the answer is lost.
    #[doc(hidden)]
    #[must_use]
    pub fn failing_at(&self, k: u64) -> Self {
        let mut failing = self.clone();
        failing.faults = Faults(Some(Arc::new((k, AtomicU64::new(0)))));
        failing
    }

    /// For tests: how many points were passed.
    #[doc(hidden)]
    #[must_use]
    pub fn fault_points(&self) -> u64 {
        self.faults.0.as_ref().map_or(0, |plan| plan.1.load(Ordering::Relaxed))
    }
}
