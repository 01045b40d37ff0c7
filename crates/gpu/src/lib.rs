//! An NVIDIA GPU as a device below the tape: [`Gpu`] implements `graft_ops::Device`.
//!
//! Activations are f32. Products round their operands to bf16 (or use f32, if exactness is requested) and sum in f32.
//! Frozen weights keep their file's storage type and are dequantized for each use. Kernels are CUDA C (`src/kernels`),
//! compiled in advance, so only NVIDIA's driver is needed; cuBLAS computes the products if it is installed.
//!
//! No kernel adds with atomics, and all work is executed in order, so the same training on the same GPU with the same
//! libraries gives bit-identical results.
#![expect(unsafe_code, reason = "the driver's and cuBLAS's functions; each use says why it is sound")]

mod blas;
mod cuda;
mod device;
mod error;
mod generation;
mod matrix;
mod memory;
mod ranges;
mod runtime;
mod weight;

use std::rc::Rc;

pub use blas::BlasError;
pub use cuda::{Cuda, Found, find};
pub use device::{Angles, Indices, Kept, Numbers, Param, Params};
pub use error::Error;
pub use generation::Cache;
pub use matrix::Matrix;
pub use ranges::Ranges;
pub use runtime::{Address, Factor, Launch, Product, Runtime};
pub use weight::Weight;

use memory::Machine;

/// Sources of the kernels, in the order they are compiled.
pub const SOURCES: [&str; 6] = [
    include_str!("kernels/common.cuh"),
    include_str!("kernels/rows.cu"),
    include_str!("kernels/operands.cu"),
    include_str!("kernels/training.cu"),
    include_str!("kernels/attention.cu"),
    include_str!("kernels/generation.cu"),
];

/// Names of the kernels.
pub const KERNELS: [&str; 43] = [
    "add_to",
    "scale",
    "soft_cap",
    "rms_norm",
    "rms_norm_backward",
    "gated",
    "gated_backward",
    "relu",
    "relu_backward",
    "rope",
    "select_rows",
    "select_rows_backward",
    "place_rows",
    "place_rows_backward",
    "cast_bf16",
    "cast_f32",
    "cast_dropped_bf16",
    "cast_dropped_f32",
    "add_dropped",
    "dequantize_bf16",
    "dequantize_f32",
    "product_bf16",
    "product_f32",
    "cross_entropy_bf16",
    "cross_entropy_f32",
    "sum_squares",
    "gradient_norm",
    "adamw",
    "attend",
    "attend_delta",
    "attend_dq",
    "attend_dkv",
    "attend_fold",
    "attend_tile_64",
    "attend_dq_tile_64",
    "attend_dkv_tile_64",
    "attend_tile_128",
    "attend_dq_tile_128",
    "attend_dkv_tile_128",
    "store_rows",
    "attend_step_64",
    "attend_step_128",
    "best_tokens",
];

/// Element type of products' operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Element {
    /// The upper half of an f32, as used by tensor cores.
    Bf16,
    /// Full precision: slower, and as exact as the CPU.
    F32,
}

impl Element {
    pub(crate) fn bytes(self) -> usize {
        match self {
            Self::Bf16 => 2,
            Self::F32 => 4,
        }
    }

    /// The variant of a kernel for this element type.
    pub(crate) fn kernel(self, bf16: &'static str, f32: &'static str) -> &'static str {
        match self {
            Self::Bf16 => bf16,
            Self::F32 => f32,
        }
    }
}

/// A GPU. Clones refer to the same GPU.
#[derive(Clone, Debug)]
pub struct Gpu {
    machine: Rc<Machine>,
}

impl Gpu {
    /// A GPU driven by `runtime`.
    #[must_use]
    pub fn new(runtime: Box<dyn Runtime>, element: Element) -> Self {
        Self { machine: Rc::new(Machine::new(runtime, element)) }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> String {
        self.machine.runtime().name()
    }

    /// Free and total memory in bytes.
    #[must_use]
    pub fn memory(&self) -> (u64, u64) {
        self.machine.runtime().memory()
    }

    /// Peak since the last reset and current use of memory, in bytes.
    #[must_use]
    pub fn used(&self) -> (u64, u64) {
        self.machine.used()
    }

    /// Starts a new measurement of the peak.
    pub fn reset_peak(&self) {
        self.machine.reset_peak();
    }

    /// Sets whether weights that are copied from now on are kept as operands of products instead of in their file's
    /// storage type. This takes more memory, but saves dequantizing them at each use.
    pub fn keep_operands(&self, keep: bool) {
        self.machine.keep_operands.set(keep);
    }

    /// Frees recycled memory.
    pub fn trim(&self) {
        self.machine.trim();
    }

    /// Limits the memory to this many bytes.
    pub fn set_limit(&self, bytes: u64) {
        self.machine.set_limit(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compiled_kernels_match_their_sources() {
        let fnv = |digest: u64, byte: u8| (digest ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        let digest = SOURCES.join("\n").bytes().fold(0xcbf2_9ce4_8422_2325, fnv);
        let named = include_str!("kernels.ptx").lines().next().unwrap_or_default();
        assert_eq!(named, format!("// sources {digest:016x}"), "run `cargo xtask gpu`");
    }
}
