//! Why a run failed: its class decides whether it is retried, its report contains all details.

use std::{
    fs::File,
    io::{Read as _, Seek as _, SeekFrom},
    path::Path,
};

use graft_core::{ExitCode, Failure, FailureClass, Phase};
use graft_exec::Ending;
use graft_formats::faults::{self, Op};
use graft_store::Run;
use serde::Serialize;
use utoipa::ToSchema;

use crate::Error;

/// A failure in parts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Failure)]
pub struct RunFailure {
    /// What kind it is.
    pub class: FailureClass,
    /// What failed.
    pub what: String,
    /// The phase it was in.
    #[serde(rename = "where")]
    pub place: Option<Phase>,
    /// All that is known: causes, then the ends of its output.
    pub why: String,
    /// The causes alone, from the nearest to the deepest.
    pub causes: Vec<String>,
    /// What to do.
    pub hint: Option<String>,
    /// Exit code of the trainer.
    pub exit_code: Option<i32>,
    /// The same as `where`.
    pub phase: Option<Phase>,
    /// Beginning and end of what it wrote to stderr.
    pub stderr: String,
    /// Beginning and end of what it wrote to stdout.
    pub stdout: String,
}

impl RunFailure {
    /// The failure of a run that has one.
    #[must_use]
    pub fn of(run: &Run) -> Option<Self> {
        let Failure { class, phase, message: what, causes, hint, code: _, stderr, stdout } = run.failure.clone()?;
        let outputs = [("stderr", &stderr), ("stdout", &stdout)].into_iter().filter(|(_, output)| !output.is_empty());
        let outputs = outputs.map(|(name, output)| format!("--- {name} ---\n{output}"));
        let why = causes.iter().cloned().chain(outputs).collect::<Vec<_>>().join("\n");
        Some(Self { class, what, place: phase, why, causes, hint, exit_code: run.exit_code, phase, stderr, stdout })
    }
}

/// The class of an error that ended an attempt.
pub(crate) fn classify(error: &Error) -> FailureClass {
    match error {
        Error::TrainerDied { transient: true, .. } => FailureClass::Lost,
        Error::JobEnded {
            how: Ending::TimeLimit | Ending::Preempted | Ending::NodeFailed | Ending::Unplaced, ..
        } => FailureClass::Lost,
        Error::TrainerFailed { failure, .. } => failure.class,
        Error::Executor(graft_exec::Error::RemoteDisk { .. }) => FailureClass::Disk,
        Error::Store(
            graft_store::Error::Disk(_) | graft_store::Error::ReadOnly(_) | graft_store::Error::Refused { .. },
        ) => FailureClass::Disk,
        Error::Store(
            graft_store::Error::Unreachable(_) | graft_store::Error::NoConnection(_) | graft_store::Error::Locked(_),
        ) => FailureClass::Network,
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

/// What is stored of an error that ended an attempt: with the phase it was in, and what its processes wrote from these
/// offsets on.
pub(crate) fn report(error: &Error, phase: Option<&str>, dir: &Path, from: (u64, u64)) -> Failure {
    let mut failure = error.failure();
    failure.phase = failure.phase.or_else(|| Phase::named(phase?));
    failure.stderr = ends(&text_from(&dir.join("stderr.log"), from.0));
    failure.stdout = ends(&text_from(&dir.join("stdout.log"), from.1));
    // Where the disk was full, there was no room for the event or the log that would have said so.
    if failure.class == FailureClass::Internal
        && let Err(refused) = probe(dir)
        && FailureClass::of(&refused, ExitCode::Internal) == FailureClass::Disk
    {
        failure.class = FailureClass::Disk;
        failure.causes.push(format!("`{}` can't be written: {refused}", dir.display()));
        failure.hint = Some(graft_formats::disk_hint(&refused).to_owned());
    }
    failure
}

/// Whether a folder still takes what a trainer writes in a moment.
fn probe(dir: &Path) -> std::io::Result<()> {
    let path = dir.join(".probe");
    faults::pass(Op::Write, &path)?;
    let written = File::create(&path).and_then(|mut file| {
        std::io::Write::write_all(&mut file, &[0; 1 << 16])?;
        file.sync_all()
    });
    // What can't be removed is removed with the directory.
    let _ = std::fs::remove_file(&path);
    written
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
    fn start_and_end_of_output_are_kept() {
        let dir = tempfile::tempdir().unwrap();
        let long = format!("first ü{}last ü", "x".repeat(20_000));
        std::fs::write(dir.path().join("stderr.log"), format!("old\n{long}")).unwrap();
        std::fs::write(dir.path().join("stdout.log"), "step 1").unwrap();
        let error = Error::TrainerDied { run: "r".into(), how: "signal 9".into(), transient: true };
        let failure = report(&error, Some("train"), dir.path(), (4, 0));
        assert!(failure.message.contains("signal 9") && failure.phase == Some(Phase::Train), "{failure:?}");
        assert!(failure.stderr.starts_with("first ü") && failure.stderr.ends_with("last ü"));
        assert!(failure.stderr.contains("… 15013 characters left out …") && !failure.stderr.contains("old"));
        assert_eq!((failure.stdout.as_str(), failure.class), ("step 1", FailureClass::Lost));
        assert!(!FailureClass::OutOfMemory.is_transient());
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn full_disk_is_detected_without_an_error_message() {
        let dir = tempfile::tempdir().unwrap();
        let died = || Error::TrainerDied { run: "r".into(), how: "exit status: 101".into(), transient: false };
        assert_eq!(report(&died(), None, dir.path(), (0, 0)).class, FailureClass::Internal);
        std::os::unix::fs::symlink("/dev/full", dir.path().join(".probe")).unwrap();
        let failure = report(&died(), None, dir.path(), (0, 0));
        assert_eq!(failure.class, FailureClass::Disk);
        let hint = failure.hint.unwrap();
        assert!(hint.contains("disk is full") && !hint.contains("memory"), "{hint}");
    }
}
