//! What becomes of a version whose first requests fail.

use std::sync::{Arc, atomic::Ordering};

use graft_predict::Outcome;

use super::{Serving, generation::Generation};
use crate::{Error, Result};

/// Watches the first requests of a version that just became active.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Probation {
    /// Requests still watched.
    left: u32,
    failures: u32,
}

impl Probation {
    /// So many requests are watched.
    const REQUESTS: u32 = 10;
    /// So many of them may fail before the version before returns.
    const FAILURES: u32 = 3;

    pub(super) fn begin() -> Self {
        Self { left: Self::REQUESTS, failures: 0 }
    }

    /// Takes note of a request that ended; whether the version before must return.
    fn note(&mut self, failed: bool) -> bool {
        if self.left == 0 {
            return false;
        }
        self.left -= 1;
        self.failures += u32::from(failed);
        self.failures >= Self::FAILURES
    }
}

impl Serving {
    /// Counts how a request ended; a version that only fails gives way to the one before it.
    pub(super) fn judge(&self, generation: &Arc<Generation>, by_alias: bool, result: &Result<Box<Outcome>>) {
        use graft_predict::Error as P;
        let failed = match result {
            Ok(_) => {
                generation.answered.fetch_add(1, Ordering::Relaxed);
                false
            }
            Err(error) => {
                generation.failed.fetch_add(1, Ordering::Relaxed);
                // Others are the request's own fault, or time's.
                matches!(
                    error,
                    Error::Predict(P::NotFinite | P::Grammar(_) | P::Wire { .. } | P::Token(_) | P::Interrupted)
                )
            }
        };
        if by_alias {
            self.watch_over(generation, failed);
        }
    }

    fn watch_over(&self, generation: &Arc<Generation>, failed: bool) {
        let mut state = self.state();
        let Some(alias) = state.aliases.get_mut(&generation.task) else { return };
        if alias.generation.digest != generation.digest || !alias.probation.note(failed) {
            return;
        }
        let Some(previous) = alias.previous.take() else { return };
        alias.problem = Some(format!("version {} failed", generation.version.as_deref().unwrap_or("(unnamed)")));
        alias.generation = previous;
        alias.probation = Probation::default();
        drop(state);
        let (store, by) = (self.engine().store.clone(), format!("{} (serving)", self.engine().by));
        let (task, version) = (generation.task.clone(), generation.version.clone());
        // The store must say the same. Where somebody has moved on already, it says better.
        tokio::spawn(async move { drop(store.rollback(&task, version.as_deref(), &by, crate::now()).await) });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_version_that_fails_early_gives_way() {
        let mut fresh = Probation::begin();
        assert!(!fresh.note(true) && !fresh.note(false) && !fresh.note(true));
        assert!(fresh.note(true));
        let mut proven = Probation::begin();
        assert!((0..Probation::REQUESTS).all(|_| !proven.note(false)));
        assert!((0..50).all(|_| !proven.note(true)), "later failures are for people to judge");
    }
}
