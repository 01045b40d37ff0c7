//! Differentiable operations for a frozen base model with few trainable parameters.
//!
//! Every value is a matrix whose rows are the tokens of packed sequences, so there is no padding. A [`Tape`] records one
//! step per operation: a closure that holds only what its backward needs. Gradients flow to trainable parameters only,
//! never to frozen weights. The operations are coarse (a linear layer with its LoRA, an attention layer), so the cost of
//! the tape is negligible.
//!
//! A [`Device`] below the tape computes the operations: [`Cpu`] here, a GPU in another crate. The tape and the models are
//! generic over it and compiled for each device, so the choice costs the CPU nothing.

mod attention;
mod buffer;
mod cpu;
mod device;
mod elementwise;
mod inference;
mod linear;
mod loss;
mod params;
mod rope;
mod tape;
mod weight;

pub use attention::{AttentionLayer, attend};
pub use buffer::{Matrix, memory};
pub use cpu::Cpu;
pub use device::{Device, DeviceError, LayerGradients, Shaped};
pub use elementwise::Activation;
pub use graft_kernels::{AttentionRange, Bf16, Dtype, Heads, Sparse, pool, rows::AdamStep};
pub use inference::{AdaptedWeight, Best, Cache, Inference};
pub use linear::{Dropout, Lora, LoraRows, linear_groups};
pub use loss::{Head, Target};
pub use params::{Adam, Param, ParamSet};
pub use rope::Rope;
pub use tape::{Grads, Tape, Tensor};
pub use weight::{Bytes, Weight};
