use graft_core::ComputeDevice;

use crate::Error;

/// What a training computes on.
pub(crate) enum Compute {
    /// The CPU.
    Cpu,
    /// A GPU that was started.
    #[cfg(feature = "cuda")]
    Gpu(graft_gpu::Gpu),
}

/// Opens the device that a spec names.
#[cfg(feature = "cuda")]
pub(crate) fn open(device: ComputeDevice) -> Result<Compute, Error> {
    use graft_gpu::{Cuda, Element, Gpu};
    let start = |index| Cuda::open(index).map(|cuda| Compute::Gpu(Gpu::new(Box::new(cuda), Element::Bf16)));
    match device {
        ComputeDevice::Cpu => Ok(Compute::Cpu),
        ComputeDevice::Auto => Ok(start(0).unwrap_or(Compute::Cpu)),
        ComputeDevice::Gpu(index) => start(index).map_err(|e| Error::Model(graft_nn::Error::Device(e.into()))),
    }
}

/// Opens the device that a spec names; this build has only the CPU.
#[cfg(not(feature = "cuda"))]
pub(crate) fn open(device: ComputeDevice) -> Result<Compute, Error> {
    match device {
        ComputeDevice::Auto | ComputeDevice::Cpu => Ok(Compute::Cpu),
        ComputeDevice::Gpu(_) => Err(Error::NoGpuBuild),
    }
}

/// What there is to compute on beside the CPU, and what would help where something is missing.
#[cfg(feature = "cuda")]
#[must_use]
pub fn gpus() -> (String, Option<String>) {
    use graft_gpu::{Cuda, find};
    let started = find().and_then(|all| Ok((all, Cuda::open(0)?)));
    match started {
        Err(error) => (format!("none: failed to {error}"), Some(error.hint().into())),
        Ok((all, cuda)) => {
            let one = |found: &graft_gpu::Found| format!("{} ({} GiB)", found.name, found.memory >> 30);
            let found = all.iter().map(one).collect::<Vec<_>>().join(", ");
            match cuda.without_blas() {
                None => (format!("{found}, with cuBLAS"), None),
                Some(error) => {
                    (format!("{found}, without cuBLAS"), Some(format!("products are slow: failed to {error}")))
                }
            }
        }
    }
}

/// What there is to compute on beside the CPU: this build uses nothing else.
#[cfg(not(feature = "cuda"))]
#[must_use]
pub fn gpus() -> (String, Option<String>) {
    ("not used: this build of Graft was made without `--features cuda`".into(), None)
}

/// How many GPUs this build can use on this machine.
#[must_use]
pub fn gpu_count() -> usize {
    #[cfg(feature = "cuda")]
    return graft_gpu::find().map_or(0, |all| all.len());
    #[cfg(not(feature = "cuda"))]
    0
}
