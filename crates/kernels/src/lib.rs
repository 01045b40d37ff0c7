//! Kernels on slices of f32 and on quantized weights, independent of tensors and models.
//!
//! This crate contains the `unsafe` code. Each kernel is written once in plain Rust and compiled twice, as portable code
//! and for AVX2 (`simd`). One thread pool (`pool`) executes them.
#![expect(
    unsafe_code,
    reason = "threads that share outputs, run-time CPU dispatch and file maps; each use says why it is sound"
)]

mod attention;
mod attention_bf16;
mod attention_few;
mod bf16;
mod dequant;
#[cfg(target_arch = "x86_64")]
mod dot_avx2;
mod dtype;
mod frozen;
mod map;
mod matmul;
pub mod pool;
mod quantize;
mod quantized;
pub mod rows;
mod simd;
mod tile;

pub use attention::{AttentionRange, Bias, Gradients, Heads, Inputs, attention, attention_backward};
pub use bf16::{Bf16, Packed};
pub use dtype::Dtype;
pub use frozen::{Frozen, Input, LowRank, Product, forward_all};
pub use map::{Map, Sparse, floats, map_file};
pub use matmul::{View, ViewMut, matmul};
pub use quantize::quantize;
pub use quantized::dequantize;
