use serde::{Deserialize, Serialize};

/// Exit codes of `graft`. They are public, and the same for all commands and for the trainer process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "u8", from = "u8")]
#[repr(u8)]
pub enum ExitCode {
    /// It succeeded, and the result exists.
    Success = 0,
    /// A bug or an unexpected condition.
    Internal = 1,
    /// The command line or a setting is wrong.
    Usage = 2,
    /// The data can't be used: missing file, no rows, malformed rows, nothing to learn from.
    BadData = 10,
    /// The base model, adapter or version is missing, damaged or doesn't match.
    ModelMissing = 11,
    /// Not enough memory.
    OutOfMemory = 12,
    /// The loss became NaN or exploded.
    Diverged = 13,
    /// The network or a remote service failed; a retry may help.
    Network = 14,
    /// The result is worse than the version it should replace.
    NotBetter = 15,
    /// Stopped on request; completed work is kept.
    Stopped = 20,
}

impl From<ExitCode> for u8 {
    fn from(code: ExitCode) -> Self {
        code as Self
    }
}

/// A process may end with any code. Unknown codes become `Internal`.
impl From<u8> for ExitCode {
    fn from(number: u8) -> Self {
        use ExitCode as E;
        let all = [
            E::Success,
            E::Usage,
            E::BadData,
            E::ModelMissing,
            E::OutOfMemory,
            E::Diverged,
            E::Network,
            E::NotBetter,
            E::Stopped,
        ];
        all.into_iter().find(|code| *code as u8 == number).unwrap_or(E::Internal)
    }
}
