//! Fault injection: tests can make each write fail in turn.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::{Error, Store};

/// Counts the fault points that were passed. From the chosen point on, each of them fails.
#[derive(Clone, Default)]
pub(crate) struct Faults(Option<Arc<(u64, AtomicU64)>>);

impl Faults {
    /// Fails at the chosen fault point and at every later one.
    pub(crate) fn fail_if_chosen(&self) -> Result<(), Error> {
        let Some(plan) = &self.0 else { return Ok(()) };
        let (at, passed) = (plan.0, plan.1.fetch_add(1, Ordering::Relaxed) + 1);
        if passed < at { Ok(()) } else { Err(Error::Disk("a failure that a test asked for".into())) }
    }
}

impl Store {
    /// For tests: the same database with writes that fail from the `k`-th fault point (from 1) on. A write has three
    /// fault points: before it begins, before it commits, and after the commit, when only the answer is lost.
    #[doc(hidden)]
    #[must_use]
    pub fn failing_at(&self, k: u64) -> Self {
        let mut failing = self.clone();
        failing.faults = Faults(Some(Arc::new((k, AtomicU64::new(0)))));
        failing
    }

    /// For tests: the number of fault points passed.
    #[doc(hidden)]
    #[must_use]
    pub fn fault_points(&self) -> u64 {
        self.faults.0.as_ref().map_or(0, |plan| plan.1.load(Ordering::Relaxed))
    }
}
