//! The outcome of an attempt, from its process and its events.

use graft_core::{Event, EventKind, Failure};
use graft_exec::Exit;

use crate::{Error, runs::process::exit_code};

/// How an attempt ended.
#[derive(Debug, Default)]
pub(super) struct End {
    /// As the executor saw it; absent if it did not.
    pub(super) exit: Option<Exit>,
    /// The failure that its events end with.
    pub(super) failed: Option<Failure>,
    /// What it wrote on stderr.
    pub(super) stderr: String,
}

impl End {
    /// Takes in one event: whatever comes after a failure is of a later attempt.
    pub(super) fn take(&mut self, event: &Event) {
        self.failed = match &event.kind {
            EventKind::Failed(failure) => Some(failure.clone()),
            _ => None,
        };
    }

    /// Why the attempt has no result.
    pub(super) fn error(self, run: &str) -> Error {
        let run = run.to_owned();
        // A trainer whose job's time is over says that it was stopped.
        if let Some(how) = self.exit.as_ref().and_then(|exit| exit.ending) {
            return Error::JobEnded { run, how };
        }
        if let Some(failure) = self.failed {
            return Error::TrainerFailed { run, failure: Box::new(failure) };
        }
        let said = self.stderr.trim();
        // What Rust's allocator says before it gives up.
        let refused = said.lines().rev().find(|line| line.starts_with("memory allocation of ")).map(str::to_owned);
        let exit = self.exit;
        if let Some(why) = exit.as_ref().and_then(|exit| exit.memory.clone()).or(refused) {
            return Error::TrainerOutOfMemory { run, why };
        }
        match exit.as_ref().and_then(|exit| exit.code) {
            Some(code) if !said.is_empty() && exit_code(code) as i32 == code => {
                Error::TrainerFailed { run, failure: Box::new(Failure::new(said, exit_code(code))) }
            }
            _ => {
                let how = exit.as_ref().map_or_else(|| "nobody saw how".to_owned(), Exit::to_string);
                let how = if said.is_empty() { how } else { format!("{how}; it said: {said}") };
                Error::TrainerDied { run, how, transient: was_ended(exit.as_ref()) }
            }
        }
    }
}

/// Whether somebody or something outside ended the process, as far as can be told: nothing of its own doing.
fn was_ended(exit: Option<&Exit>) -> bool {
    // Hangup, interrupt, kill, terminate.
    exit.is_none_or(|exit| matches!(exit.signal, Some(1 | 2 | 9 | 15)))
}
