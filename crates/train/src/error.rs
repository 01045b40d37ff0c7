use std::path::PathBuf;

use graft_core::{Digest, ExitCode, Failure};

/// Errors of training.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    // The run directory
    /// A file of the run can't be read.
    #[error("read `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A file of the run can't be written.
    #[error("write `{}`", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A file of the run is not valid JSON of its kind.
    #[error("read line {line} of `{}`", path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// Line number, from 1.
        line: usize,
        /// What is wrong there.
        #[source]
        source: serde_json::Error,
    },
    /// A setting outside its range.
    #[error("accept the run's settings")]
    Spec(#[source] graft_core::Error),
    /// The results can't be written.
    #[error("write the run's results")]
    Publish(#[source] graft_formats::Error),
    /// The checkpoint belongs to another model or adapter.
    #[error("continue from `{}`: {what}", path.display())]
    Checkpoint {
        /// The checkpoint.
        path: PathBuf,
        /// What does not match.
        what: String,
    },

    // The data
    /// No training example is left.
    #[error("find training examples in `{}`: {what}", path.display())]
    NothingToLearn {
        /// The data file.
        path: PathBuf,
        /// Why nothing is left.
        what: String,
    },

    // The model
    /// The base model, adapter or tokenizer failed.
    #[error("prepare the model")]
    Model(#[source] graft_nn::Error),
    /// The base model is not on this machine.
    #[error("find base model `{name}` (digest {}) on this machine", digest.short())]
    NoBase {
        /// Its name.
        name: String,
        /// Its digest.
        digest: Digest,
        /// The cause.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The base model's files are not those that the run was made for.
    #[error("use the base model at `{}`: its files are not those the run was made for", path.display())]
    OtherBase {
        /// Path of the files.
        path: PathBuf,
    },

    /// The version that the run starts from does not match the run.
    #[error("start from version `{version}`: {what}")]
    StartFrom {
        /// Its name.
        version: String,
        /// What does not match.
        what: String,
    },

    // The device
    /// A GPU was requested, but this build of Graft has no GPU support.
    #[error("use a GPU: this build of Graft has no GPU support")]
    NoGpuBuild,
    /// bf16 was requested, but this processor does not support it.
    #[error("compute in bf16: this processor has neither AMX nor AVX512-BF16")]
    NoBf16,

    // The training
    /// The training would not fit into memory.
    #[error("train in {} MiB of memory: it would take about {} MiB", available >> 20, needed >> 20)]
    TooBig {
        /// Predicted peak in bytes.
        needed: u64,
        /// Available memory in bytes.
        available: u64,
        /// Settings that would fit.
        hint: String,
    },
    /// The loss became NaN or exploded.
    #[error("keep the training stable: the loss is {loss} at step {step}")]
    Diverged {
        /// The step.
        step: u64,
        /// Its loss.
        loss: f64,
    },
    /// A person stopped it.
    #[error("finish: it was stopped after step {step}")]
    Stopped {
        /// The last step; its checkpoint is kept.
        step: u64,
    },
}

impl Error {
    /// What the user can do.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Read { .. } | Self::Json { .. } => Some("make the run again with `graft train`".into()),
            Self::Write { source, .. } => Some(graft_formats::disk_hint(source).into()),
            Self::Spec(graft_core::Error::OutOfRange { hint, .. }) => Some((*hint).into()),
            Self::Spec(_) => None,
            Self::Publish(source) => source.hint(),
            Self::Checkpoint { .. } => Some("remove the run's `checkpoints` folder to start over".into()),
            Self::NothingToLearn { .. } => Some("approve more examples, or raise `--max-tokens`".into()),
            Self::Model(source) => source.hint(),
            Self::NoBase { name, .. } => Some(format!(
                "say where its files are with `graft train-dir DIR --base PATH`, or fetch it with `graft base pull {name}`"
            )),
            Self::OtherBase { .. } => Some("start a new run with `graft train`, or bring the old files back".into()),
            Self::StartFrom { .. } => Some("make the run again with `graft train TASK --from VERSION`".into()),
            Self::NoGpuBuild => Some("use the build with GPU support, or `--device cpu`".into()),
            Self::NoBf16 => Some("use `--precision auto`, or continue the run on a machine that has it".into()),
            Self::TooBig { hint, .. } => Some(hint.clone()),
            Self::Diverged { .. } => Some("use a smaller `--learning-rate`, or more `--warmup`".into()),
            Self::Stopped { .. } => Some("`graft runs resume` continues it".into()),
        }
    }

    /// The error as a failure for the event log.
    #[must_use]
    pub fn failure(&self) -> Failure {
        Failure::of(self, self.hint(), self.exit_code())
    }

    /// Whether a device ran out of memory, so that a smaller micro-batch may work.
    pub(crate) fn is_device_out_of_memory(&self) -> bool {
        matches!(self, Self::Model(graft_nn::Error::Device(error)) if error.out_of_memory)
    }

    /// The public exit code.
    #[must_use]
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::Read { .. } | Self::Json { .. } | Self::NothingToLearn { .. } | Self::Checkpoint { .. } => {
                ExitCode::BadData
            }
            Self::Spec(_) | Self::NoGpuBuild | Self::NoBf16 => ExitCode::Usage,
            Self::Write { .. } => ExitCode::Internal,
            Self::Publish(source) => source.exit_code(),
            Self::Model(source) => source.exit_code(),
            Self::NoBase { .. } | Self::OtherBase { .. } | Self::StartFrom { .. } => ExitCode::ModelMissing,
            Self::TooBig { .. } => ExitCode::OutOfMemory,
            Self::Diverged { .. } => ExitCode::Diverged,
            Self::Stopped { .. } => ExitCode::Stopped,
        }
    }
}
