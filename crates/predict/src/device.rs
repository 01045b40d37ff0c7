//! Where answers are computed.

use std::sync::Arc;

use graft_core::ComputeDevice;
use graft_nn::{Generator, Model, OnHost};

use crate::{Error, Limits, Result};

/// What people know the host as.
pub(crate) const CPU: &str = "cpu";

/// What computes a model's answers, and what people know it as. It must be used on the thread that makes it.
///
/// # Errors
/// The device is named, and is not there or has too little memory.
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

    /// Fewer tokens than this in the cache are not worth a GPU.
    const LEAST_ROWS: usize = 2048;
    /// Tokens of an answer with its part of the prompt, about: what each slot should find room for.
    const SLOT_ROWS: usize = 1024;
    /// What the driver and cuBLAS take beside our buffers.
    const LIBRARIES: u64 = 256 << 20;

    /// A GPU with the model's weights and a KV cache. The cache is as large as the slots can use, and smaller where memory
    /// is short: then fewer answers are written at once.
    pub(super) fn open(index: usize, model: &Arc<Model>, limits: &mut Limits) -> Result<(Box<dyn Generator>, String)> {
        let failed = |error: graft_gpu::Error| Error::Model(graft_nn::Error::Device(error.into()));
        let cuda = Cuda::open(index).map_err(failed)?;
        let gpu = Gpu::new(Box::new(cuda), Element::Bf16);
        // Products read bf16: where there is room, weights that are stored otherwise are kept so.
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

    /// Numbers in the model's weights, about.
    fn weights(model: &Model) -> u64 {
        let linear: usize = model.target_modules().iter().map(|module| module.inputs * module.outputs).sum();
        (linear + 2 * model.vocab() * model.width()) as u64
    }

    /// Upper bound of what one step takes beside weights and cache.
    fn activations(model: &Model, limits: &Limits) -> u64 {
        let widest = model.target_modules().iter().map(|module| module.inputs.max(module.outputs)).max().unwrap_or(0);
        let rows = limits.chunk + 24 * limits.slots;
        (rows * (8 * widest + 12 * model.width()) * 4 + 2 * limits.slots * model.vocab() * 4) as u64
    }
}
