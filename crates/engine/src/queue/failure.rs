//! Why a run failed: its class decides whether it is tried again, its report says everything that is known.

use std::{
    fs::File,
    io::{Read as _, Seek as _, SeekFrom},
    path::Path,
};

use graft_core::{Failure, FailureClass};
use graft_store::Run;
use serde::Serialize;
use utoipa::ToSchema;

use crate::Error;

/// A failure in parts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Failure)]
pub struct RunFailure {
    /// What failed.
    pub what: String,
    /// The phase it was in.
    #[serde(rename = "where")]
    pub place: Option<String>,
    /// All that is known: causes, then the ends of its output.
    pub why: String,
    /// What to do.
    pub hint: Option<String>,
    /// Exit code of the trainer.
    pub exit_code: Option<i32>,
    /// The same as `where`.
    pub phase: Option<String>,
}

impl RunFailure {
    /// The failure of a run that has one.
    #[must_use]
    pub fn of(run: &Run) -> Option<Self> {
        let text = run.error.as_deref()?;
        let (head, output) = text.find("\n--- ").map_or((text, ""), |at| text.split_at(at));
        let hint = head.lines().find_map(|line| line.strip_prefix("hint: ")).map(str::to_owned);
        let mut lines = head.lines().filter(|line| !line.starts_with("hint: "));
        let what = lines.next().unwrap_or_default().to_owned();
        let why = lines.collect::<Vec<_>>().join("\n") + output;
        let phase = run.phase.clone();
        Some(Self { what, place: phase.clone(), why, hint, exit_code: run.exit_code, phase })
    }
}

/// The class of an error that ended an attempt.
pub(crate) fn classify(error: &Error) -> FailureClass {
    match error {
        Error::TrainerDied { transient: true, .. } => FailureClass::Lost,
        Error::TrainerFailed { failure, .. } => failure.class,
        Error::Store(
            graft_store::Error::Disk(_) | graft_store::Error::ReadOnly(_) | graft_store::Error::Refused { .. },
        ) => FailureClass::Disk,
        Error::Store(graft_store::Error::Unreachable(_) | graft_store::Error::Locked(_)) => FailureClass::Network,
        other => FailureClass::of(other, other.exit_code()),
    }
}

impl Error {
    /// All of it in parts.
    pub(crate) fn failure(&self) -> Failure {
        match self {
            Self::TrainerFailed { failure, .. } => (**failure).clone(),
            _ => Failure { class: classify(self), ..Failure::of(self, self.hint(), self.exit_code()) },
        }
    }
}

/// Characters kept of the beginning and of the end of each stream.
const KEPT: usize = 2500;

/// The error as it is stored: what and why, the hint, how the process ended, and the ends of what it wrote.
pub(crate) fn report(error: &Error, phase: Option<&str>, dir: &Path, from: (u64, u64)) -> String {
    let mut text = format!("failed to {error}");
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text += &format!("\n{cause}");
        source = cause.source();
    }
    if let Some(hint) = error.hint() {
        text += &format!("\nhint: {hint}");
    }
    text += &format!("\nexit code {}", error.exit_code() as u8);
    if let Some(phase) = phase {
        text += &format!(" in phase {phase}");
    }
    for (name, from) in [("stderr", from.0), ("stdout", from.1)] {
        text += &format!("\n--- {name} ---\n{}", ends(&text_from(&dir.join(format!("{name}.log")), from)));
    }
    text
}

/// The first and last characters of a text, and how many are missing between them.
fn ends(text: &str) -> String {
    let text = text.trim_end();
    let count = text.chars().count();
    if count <= 2 * KEPT {
        return text.to_owned();
    }
    let head: String = text.chars().take(KEPT).collect();
    let tail: String = text.chars().skip(count - KEPT).collect();
    format!("{head}\n… {} characters left out …\n{tail}", count - 2 * KEPT)
}

/// A file from an offset on; at most 4 MiB of its end, which hold more than is kept.
pub(crate) fn text_from(path: &Path, offset: u64) -> String {
    const MOST: u64 = 4 << 20;
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|mut file| {
        let size = file.metadata()?.len();
        let mut start = offset.min(size);
        if size - start > MOST {
            // The beginning and the end, with a gap in between.
            file.seek(SeekFrom::Start(start))?;
            file.by_ref().take(MOST / 2).read_to_end(&mut bytes)?;
            start = size - MOST / 2;
        }
        file.seek(SeekFrom::Start(start))?;
        file.read_to_end(&mut bytes)
    });
    if read.is_err() {
        return String::new();
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ends_of_the_output_are_kept() {
        let dir = tempfile::tempdir().unwrap();
        let long = format!("first ü{}last ü", "x".repeat(20_000));
        std::fs::write(dir.path().join("stderr.log"), format!("old\n{long}")).unwrap();
        std::fs::write(dir.path().join("stdout.log"), "step 1").unwrap();
        let error = Error::TrainerDied { run: "r".into(), how: "signal 9".into(), transient: true };
        let text = report(&error, Some("train"), dir.path(), (4, 0));
        assert!(text.contains("signal 9") && text.contains("exit code 1 in phase train"), "{text}");
        assert!(text.contains("\n--- stderr ---\nfirst ü") && text.contains("last ü\n--- stdout ---\nstep 1"));
        assert!(text.contains("… 15013 characters left out …") && !text.contains("old"), "{text}");
        assert_eq!(classify(&error), FailureClass::Lost);
        assert!(!FailureClass::OutOfMemory.is_transient());
    }
}
