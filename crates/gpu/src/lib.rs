//! An NVIDIA GPU as a device below the tape: [`Gpu`] computes what `graft_ops::Device` asks for.
//!
//! Activations are f32; products read bf16 (or f32, where exactness is asked for) and sum in f32. Frozen weights stay as
//! their file stores them and are dequantized while they are used. Kernels are CUDA C (`src/kernels`), compiled
//! beforehand, so only NVIDIA's driver is needed; cuBLAS computes the products where it is installed.
//!
//! Nothing here adds with atomics and all work is done in the order it is asked for, so the same training on the same GPU
//! with the same libraries gives the same result to the bit.
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

/// What products read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Element {
    /// The upper half of an f32, as tensor cores multiply it.
    Bf16,
    /// All of it: slower, and as exact as the CPU.
    F32,
}

impl Element {
    pub(crate) fn bytes(self) -> usize {
        match self {
            Self::Bf16 => 2,
            Self::F32 => 4,
        }
    }

    /// The variant of a kernel.
    pub(crate) fn kernel(self, bf16: &'static str, f32: &'static str) -> &'static str {
        match self {
            Self::Bf16 => bf16,
            Self::F32 => f32,
        }
    }
}

/// A GPU that computes; clones are the same GPU.
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

    /// Bytes that are free now and all there are.
    #[must_use]
    pub fn memory(&self) -> (u64, u64) {
        self.machine.runtime().memory()
    }

    /// Most bytes taken at once since the last reset, and bytes taken now.
    #[must_use]
    pub fn used(&self) -> (u64, u64) {
        self.machine.used()
    }

    /// Starts a new measurement of the peak.
    pub fn reset_peak(&self) {
        self.machine.reset_peak();
    }

    /// Keeps the weights that are sent from now on as products read them, instead of as their file stores them: more
    /// memory, and nothing to dequantize at each use.
    pub fn keep_operands(&self, keep: bool) {
        self.machine.keep_operands.set(keep);
    }

    /// Gives memory that lies ready to be used again back to the device.
    pub fn trim(&self) {
        self.machine.trim();
    }

    /// Takes at most this many bytes from now on.
    pub fn set_limit(&self, bytes: u64) {
        self.machine.set_limit(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_compiled_kernels_are_those_of_the_sources() {
        let fnv = |digest: u64, byte: u8| (digest ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        let digest = SOURCES.join("\n").bytes().fold(0xcbf2_9ce4_8422_2325, fnv);
        let named = include_str!("kernels.ptx").lines().next().unwrap_or_default();
        assert_eq!(named, format!("// sources {digest:016x}"), "run `cargo xtask gpu`");
    }
}
