use std::{error::Error, fmt, io::ErrorKind, iter::successors};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{ExitCode, Phase};

/// The kinds of failures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FailureClass {
    /// The machine, the worker or the trainer vanished.
    Lost,
    /// The network or a remote service failed.
    Network,
    /// A setting is wrong.
    Settings,
    /// The data can't be used.
    BadData,
    /// The base model is missing or damaged.
    Model,
    /// Not enough memory.
    OutOfMemory,
    /// The loss became NaN or exploded.
    Diverged,
    /// The disk is full or refuses writes.
    Disk,
    /// A person cancelled it.
    Cancelled,
    /// Anything else; a retry would fail again.
    Internal,
}

impl FailureClass {
    /// Whether a retry may help.
    #[must_use]
    pub fn is_transient(self) -> bool {
        matches!(self, Self::Lost | Self::Network)
    }

    /// The class of an error: `Disk` if an I/O error among its causes says so, otherwise from its exit code.
    #[must_use]
    pub fn of(error: &(dyn Error + 'static), code: ExitCode) -> Self {
        let refuses = |error: &std::io::Error| {
            use ErrorKind::{FileTooLarge, QuotaExceeded, ReadOnlyFilesystem, StorageFull};
            matches!(error.kind(), StorageFull | QuotaExceeded | FileTooLarge | ReadOnlyFilesystem)
        };
        if chain(error).any(|error| error.downcast_ref().is_some_and(refuses)) { Self::Disk } else { code.into() }
    }
}

impl From<ExitCode> for FailureClass {
    fn from(code: ExitCode) -> Self {
        match code {
            ExitCode::Usage => Self::Settings,
            ExitCode::BadData => Self::BadData,
            ExitCode::ModelMissing => Self::Model,
            ExitCode::OutOfMemory => Self::OutOfMemory,
            ExitCode::Diverged => Self::Diverged,
            ExitCode::Network => Self::Network,
            ExitCode::Stopped => Self::Cancelled,
            ExitCode::Success | ExitCode::Internal | ExitCode::NotBetter => Self::Internal,
        }
    }
}

/// Why a run ended without a result. A trainer writes it as its last event. The follower of the run adds what can only
/// be observed from outside, and stores it with the run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(from = "Written")]
#[schema(as = TrainerFailure)]
pub struct Failure {
    /// The class, which decides whether the run is retried.
    pub class: FailureClass,
    /// The phase it happened in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phase: Option<Phase>,
    /// What failed, as a sentence without the causes.
    pub message: String,
    /// The causes, outermost first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub causes: Vec<String>,
    /// What the user can do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// The public exit code.
    #[schema(value_type = u8)]
    pub code: ExitCode,
    /// Start and end of the process's stderr.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub stderr: String,
    /// Start and end of its stdout.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub stdout: String,
}

/// The serialized form. Events of older versions have only code and message.
#[derive(Deserialize)]
struct Written {
    class: Option<FailureClass>,
    phase: Option<Phase>,
    message: String,
    #[serde(default)]
    causes: Vec<String>,
    hint: Option<String>,
    code: ExitCode,
    #[serde(default)]
    stderr: String,
    #[serde(default)]
    stdout: String,
}

impl From<Written> for Failure {
    fn from(written: Written) -> Self {
        let Written { class, phase, message, causes, hint, code, stderr, stdout } = written;
        let class = class.unwrap_or_else(|| code.into());
        Self { class, phase, message, causes, hint, code, stderr, stdout }
    }
}

impl Failure {
    /// A failure from an error with its causes, without repetition.
    #[must_use]
    pub fn of(error: &(dyn Error + 'static), hint: Option<String>, code: ExitCode) -> Self {
        let mut causes: Vec<String> = Vec::new();
        let message = format!("failed to {error}");
        for cause in chain(error).skip(1).map(ToString::to_string) {
            if !message.contains(&cause) && !causes.iter().any(|said| said.contains(&cause)) {
                causes.push(cause);
            }
        }
        Self { class: FailureClass::of(error, code), message, causes, hint, ..Self::new("", code) }
    }

    /// A failure with only a message and an exit code.
    #[must_use]
    pub fn new(message: impl Into<String>, code: ExitCode) -> Self {
        Self {
            class: code.into(),
            phase: None,
            message: message.into(),
            causes: Vec::new(),
            hint: None,
            code,
            stderr: String::new(),
            stdout: String::new(),
        }
    }

    /// The full text for people, over several lines.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = self.message.clone();
        for cause in &self.causes {
            text += &format!("\n{cause}");
        }
        if let Some(hint) = &self.hint {
            text += &format!("\nhint: {hint}");
        }
        text += &format!("\nexit code {}", u8::from(self.code));
        if let Some(phase) = self.phase {
            text += &format!(" in phase {}", phase.name());
        }
        for (name, output) in [("stderr", &self.stderr), ("stdout", &self.stdout)] {
            if !output.is_empty() {
                text += &format!("\n--- {name} ---\n{output}");
            }
        }
        text
    }
}

/// An error and its causes.
fn chain<'e>(error: &'e (dyn Error + 'static)) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    successors(Some(error), |error| (*error).source())
}

/// The failure with its causes, in one line.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        self.causes.iter().try_for_each(|cause| write!(f, ": {cause}"))
    }
}

impl Error for Failure {}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("write `events.jsonl`")]
    struct Refused(#[source] io::Error);

    #[test]
    fn disk_errors_are_classified_by_io_kind() {
        let full = Refused(ErrorKind::StorageFull.into());
        let failure = Failure::of(&full, None, ExitCode::Internal);
        assert_eq!((failure.class, failure.causes.len()), (FailureClass::Disk, 1));
        let other = Refused(io::Error::other("No space left on device"));
        assert_eq!(Failure::of(&other, None, ExitCode::Internal).class, FailureClass::Internal);
    }

    #[test]
    fn failures_of_older_versions_are_read_completely() {
        let old: Failure = serde_json::from_str(r#"{"code":12,"message":"failed to train: too big"}"#).unwrap();
        assert_eq!((old.class, old.code), (FailureClass::OutOfMemory, ExitCode::OutOfMemory));
        assert_eq!(old.to_string(), "failed to train: too big");
        let whole = Failure { phase: Some(Phase::Train), hint: Some("h".into()), stderr: "e".into(), ..old };
        assert_eq!(serde_json::from_str::<Failure>(&crate::json::line(&whole)).unwrap(), whole);
        assert_eq!(whole.text(), "failed to train: too big\nhint: h\nexit code 12 in phase train\n--- stderr ---\ne");
    }
}
