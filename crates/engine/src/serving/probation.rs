//! Reverts a version whose first requests fail.

use std::sync::{Arc, atomic::Ordering};

use graft_predict::Completion;

use super::{Alias, Fault, Serving, deployment::Deployment, rollout::is_failure};
use crate::{Result, versions::Seen};

/// What the author of such a rollback ends with.
const AUTHOR: &str = "(serving)";

/// Whether a rollback by this author was Graft's own.
pub(crate) fn is_own_rollback(by: &str) -> bool {
    by.ends_with(AUTHOR)
}

/// Why Graft rolls a version back.
pub(crate) fn own_rollback_reason() -> String {
    format!("{} of its first {} requests failed, which is the limit", Probation::FAILURES, Probation::REQUESTS)
}

/// Watches the first requests of a version that became active.
#[derive(Clone, Debug)]
pub(super) struct Probation {
    version: String,
    /// Requests still watched.
    left: u32,
    failures: u32,
}

impl Probation {
    /// So many requests are watched.
    const REQUESTS: u32 = 10;
    /// So many of them may fail before the version before returns.
    const FAILURES: u32 = 3;

    fn begin(version: &str) -> Self {
        Self { version: version.to_owned(), left: Self::REQUESTS, failures: 0 }
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
    pub(super) fn judge(&self, deployment: &Arc<Deployment>, by_alias: bool, result: &Result<Box<Completion>>) {
        let failed = match result {
            Ok(_) => {
                deployment.answered.fetch_add(1, Ordering::Relaxed);
                false
            }
            Err(error) => {
                deployment.failed.fetch_add(1, Ordering::Relaxed);
                is_failure(error)
            }
        };
        let Some(version) = deployment.version.as_deref().filter(|_| by_alias) else { return };
        if self.note_canary(deployment, failed) {
            return;
        }
        let answers = |alias: &Alias| alias.deployment.digest == deployment.digest;
        if self.state().aliases.get(&deployment.task).is_some_and(answers) {
            self.note(&deployment.task, version, failed);
        }
    }

    /// Takes note of how a request of a task's active version ended.
    pub(super) fn note(&self, task: &str, version: &str, failed: bool) {
        let mut state = self.state();
        let probation = state.probations.entry(task.to_owned()).or_insert_with(|| Probation::begin(version));
        if probation.version != version {
            *probation = Probation::begin(version);
        }
        if !probation.note(failed) {
            return;
        }
        state.probations.remove(task);
        // If it is in memory, the version before answers from now on.
        if let Some(alias) = state.aliases.get_mut(task)
            && let Some(previous) = alias.previous.take()
        {
            alias.deployment = previous;
        }
        drop(state);
        tokio::spawn(self.clone().give_way(task.to_owned(), version.to_owned()));
    }

    /// The store must name the version that answers. If another version was activated meanwhile, that one counts.
    async fn give_way(self, task: String, version: String) {
        let engine = self.engine().as_user(format!("{} {AUTHOR}", self.engine().by));
        match self.roll_back(&engine, &task, Seen::Active(Some(&version))).await {
            Ok((before, _)) => {
                let text = format!("version `{version}` failed; `{}` answers again", before.name);
                tracing::warn!(task, "{text}");
                self.state().faults.insert(task, Fault { text, behind: false });
            }
            Err(error) => self.note_fault(&task, &error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_early_failures_revert_a_version() {
        let mut fresh = Probation::begin("v1");
        assert!(!fresh.note(true) && !fresh.note(false) && !fresh.note(true));
        assert!(fresh.note(true));
        let mut proven = Probation::begin("v1");
        assert!((0..Probation::REQUESTS).all(|_| !proven.note(false)));
        assert!((0..50).all(|_| !proven.note(true)), "later failures are for people to judge");
    }
}
