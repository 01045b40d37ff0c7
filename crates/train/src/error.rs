use std::path::PathBuf;

use graft_core::{Digest, ExitCode, Failure};

/// What can go wrong in a training.
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
    /// A file of the run is no valid JSON of its kind.
    #[error("read line {line} of `{}`", path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// From 1.
        line: usize,
        /// What is wrong there.
        #[source]
        source: serde_json::Error,
    },
    /// A setting outside its range.
    #[error("accept the run's settings")]
    Spec(#[source] graft_core::Error),
    /// Results can't be written.
    #[error("write the run's results")]
    Publish(#[source] graft_formats::Error),
    /// The checkpoint belongs to another model or adapter.
    #[error("continue from `{}`: {what}", path.display())]
    Checkpoint {
        /// The checkpoint.
        path: PathBuf,
        /// What doesn't fit.
        what: String,
    },

    // The data
    /// No example is left to learn from.
    #[error("find anything to learn in `{}`: {what}", path.display())]
    NothingToLearn {
        /// The data file.
        path: PathBuf,
        /// Why nothing is left.
        what: String,
    },

    // The model
    /// The base model, adapter or tokenizer.
    #[error("prepare the model")]
    Model(#[source] graft_nn::Error),
    /// This machine doesn't have the base model.
    #[error("find base model `{name}` (digest {}) on this machine", digest.short())]
    NoBase {
        /// Its name.
        name: String,
        /// Its digest.
        digest: Digest,
        /// Why not.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The files are not those the run was made for.
    #[error("use the base model at `{}`: its files are not those the run was made for", path.display())]
    OtherBase {
        /// Where it is.
        path: PathBuf,
    },

    /// The version that the run starts from doesn't fit it.
    #[error("start from version `{version}`: {what}")]
    StartFrom {
        /// Its name.
        version: String,
        /// What doesn't fit.
        what: String,
    },

    // The device
    /// A GPU was asked for, and this build of Graft can't use one.
    #[error("use a GPU: this build of Graft was made without")]
    NoGpuBuild,
    /// bf16 was asked for, and this processor has no products for it.
    #[error("compute in bf16: this processor has neither AMX nor AVX512-BF16")]
    NoBf16,

    // The training
    /// It would not fit in memory.
    #[error("train in {} MiB of memory: it would take about {} MiB", available >> 20, needed >> 20)]
    TooBig {
        /// Predicted peak in bytes.
        needed: u64,
        /// What there is in bytes.
        available: u64,
        /// Settings that would fit.
        hint: String,
    },
    /// The loss is not a number any more, or grew without bound.
    #[error("keep the training stable: the loss is {loss} at step {step}")]
    Diverged {
        /// The step.
        step: u64,
        /// Its loss.
        loss: f64,
    },
    /// Someone asked it to stop.
    #[error("finish: it was stopped after step {step}")]
    Stopped {
        /// The last step taken; its checkpoint is kept.
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
            Self::NoGpuBuild => Some("use the build with GPU support (`--features cuda`), or `--device cpu`".into()),
            Self::NoBf16 => Some("use `--precision auto`, or continue the run on a machine that has it".into()),
            Self::TooBig { hint, .. } => Some(hint.clone()),
            Self::Diverged { .. } => Some("use a smaller `--learning-rate`, or more `--warmup`".into()),
            Self::Stopped { .. } => Some("`graft runs resume` continues it".into()),
        }
    }

    /// All of it in parts.
    #[must_use]
    pub fn failure(&self) -> Failure {
        Failure::of(self, self.hint(), self.exit_code())
    }

    /// Whether a device ran out of memory, and less at once might do.
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
