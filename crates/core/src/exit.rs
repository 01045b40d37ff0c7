/// Exit codes of `graft`: public, and the same for every command and for the trainer in its run directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum ExitCode {
    /// It worked, and the result exists.
    Success = 0,
    /// A bug or an unexpected condition.
    Internal = 1,
    /// The command line or a setting is wrong.
    Usage = 2,
    /// The data can't be used: missing file, no rows, malformed rows, nothing to learn from.
    BadData = 10,
    /// The base model, adapter or version is missing, damaged or doesn't match.
    ModelMissing = 11,
    /// Memory does not suffice.
    OutOfMemory = 12,
    /// The loss became NaN or exploded.
    Diverged = 13,
    /// The network or a remote service failed; trying again may help.
    Network = 14,
    /// The result is worse than what it should replace.
    NotBetter = 15,
    /// Stopped on request; what was done is kept.
    Stopped = 20,
}
