//! The device that computes answers.

use std::sync::Arc;

use graft_core::ComputeDevice;
use graft_nn::{Generator, Model, OnHost};

use crate::{Error, Limits, Result};

/// Printed name of the host.
pub(crate) const CPU: &str = "cpu";

/// Opens the device that computes a model's answers; returns it with its printed name. It must be used on the thread
/// that opens it.
///
/// # Errors
/// If the requested device does not exist or has too little memory.
pub(crate) fn open(
    device: ComputeDevice,
    model: &Arc<Model>,
    limits: &mut Limits,
) -> Result<(Box<dyn Generator>, String)> {
    match device {
        ComputeDevice::Cpu => Ok(on_host(model, limits)),
        ComputeDevice::Auto => Ok(gpu::open(0, model, limits).unwrap_or_else(|_| on_host(model, limits))),
        ComputeDevice::Gpu(index) => gpu::open(index, model, limits),
    }
}

fn on_host(model: &Arc<Model>, limits: &Limits) -> (Box<dyn Generator>, String) {
    let rows = (limits.cache_bytes / model.session_row_bytes().max(1)).max(64);
    (Box::new(OnHost::new(Arc::clone(model), rows)), CPU.to_owned())
}

#[cfg(not(feature = "cuda"))]
mod gpu {
    use super::{Arc, Error, Generator, Limits, Model, Result};

    pub(super) fn open(_: usize, _: &Arc<Model>, _: &Limits) -> Result<(Box<dyn Generator>, String)> {
        Err(Error::NoGpuBuild)
    }
}

#[cfg(feature = "cuda")]
mod gpu {
    use graft_gpu::{Cuda, Element, Gpu};
    use graft_nn::OnDevice;

    use super::{Arc, Error, Generator, Limits, Model, Result};
    use crate::batcher::WHOLE_CHUNK;

    /// A GPU is not used if its cache would hold fewer tokens than this.
    const LEAST_ROWS: usize = 2048;
    /// Approximate number of cache rows per slot: the answer with its own part of the prompt.
    const SLOT_ROWS: usize = 1024;
    /// Memory that the driver and cuBLAS use, beside our buffers.
    const LIBRARIES: u64 = 256 << 20;

    /// A GPU with the model's weights and a KV cache. The cache has the size that the slots can use, or less if memory
    /// is short; then fewer answers run at once.
    pub(super) fn open(index: usize, model: &Arc<Model>, limits: &mut Limits) -> Result<(Box<dyn Generator>, String)> {
        let failed = |error: graft_gpu::Error| Error::Model(graft_nn::Error::Device(error.into()));
        let cuda = Cuda::open(index).map_err(failed)?;
        let gpu = Gpu::new(Box::new(cuda), Element::Bf16);
        // The GPU multiplies in bf16. If there is room, weights stored in another type are kept converted.
        gpu.keep_operands(2 * weights(model) + (4 << 30) < gpu.memory().0);
        let there = model.upload(&gpu).map_err(Error::Model)?;
        gpu.trim();
        limits.slots = limits.slots.max(limits.gpu_slots);
        limits.chunk = limits.chunk.max(WHOLE_CHUNK);
        let row = model.session_row_bytes().max(1);
        let least = LEAST_ROWS.min(model.context());
        let room = gpu.memory().0.saturating_sub(activations(model, limits) + LIBRARIES);
        let fits = usize::try_from(room / row as u64).unwrap_or(usize::MAX);
        let wanted = (limits.slots * SLOT_ROWS).max(limits.cache_bytes / row).max(model.context().min(1 << 15));
        let generator = OnDevice::new(there, wanted.min(fits).max(least), least).map_err(Error::Model)?;
        Ok((Box::new(generator), format!("gpu:{index} ({})", gpu.name())))
    }

    /// Approximate number of weights of the model.
    fn weights(model: &Model) -> u64 {
        let linear: usize = model.target_modules().iter().map(|module| module.inputs * module.outputs).sum();
        (linear + 2 * model.vocab() * model.width()) as u64
    }

    /// Upper bound of the memory for one step, beside weights and cache.
    fn activations(model: &Model, limits: &Limits) -> u64 {
        let widest = model.target_modules().iter().map(|module| module.inputs.max(module.outputs)).max().unwrap_or(0);
        let rows = limits.chunk + 24 * limits.slots;
        (rows * (8 * widest + 12 * model.width()) * 4 + 2 * limits.slots * model.vocab() * 4) as u64
    }
}
