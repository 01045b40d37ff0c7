use graft_ops::DeviceError;

/// Errors of a GPU.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// NVIDIA's driver is not installed.
    #[error("find NVIDIA's driver: there is no `{library}`")]
    NoDriver {
        /// The library that was looked for.
        library: &'static str,
    },
    /// The driver has fewer GPUs.
    #[error("find GPU {index}: the driver sees {count}")]
    NoSuchGpu {
        /// The requested GPU.
        index: usize,
        /// Number of GPUs.
        count: usize,
    },
    /// The GPU does not support our kernels.
    #[error("use {name}: its compute capability is {major}.{minor}, and 8.0 is needed")]
    TooOld {
        /// The GPU.
        name: String,
        /// Major compute capability.
        major: i32,
        /// Minor compute capability.
        minor: i32,
    },
    /// Not enough memory.
    #[error("take {} MiB of GPU memory: {} MiB are free", bytes.div_ceil(1 << 20), free >> 20)]
    OutOfMemory {
        /// Requested bytes.
        bytes: u64,
        /// Free bytes.
        free: u64,
    },
    /// A call of the driver failed.
    #[error("{what} on the GPU: {why}")]
    Driver {
        /// The operation.
        what: String,
        /// The driver's message.
        why: String,
    },
}

impl Error {
    /// What the user can do.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::NoDriver { .. } => "install NVIDIA's driver, or use `--device cpu`",
            Self::NoSuchGpu { .. } => "`nvidia-smi` lists the GPUs; `--device gpu:0` is the first",
            Self::TooOld { .. } => "Ampere (2020) or newer is needed; use `--device cpu`",
            Self::OutOfMemory { .. } => {
                "stop other programs that use the GPU; train with a smaller `--pass-tokens` or `--recompute`, answer with `--device cpu`"
            }
            Self::Driver { .. } => "`nvidia-smi` says whether the GPU works; `--device cpu` works without it",
        }
    }
}

impl From<Error> for DeviceError {
    fn from(error: Error) -> Self {
        let out_of_memory = matches!(error, Error::OutOfMemory { .. });
        Self { out_of_memory, hint: error.hint(), source: Box::new(error) }
    }
}
