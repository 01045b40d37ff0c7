//! Differentiable operations for a frozen base with small trainable parameters.
//!
//! Everything is a matrix whose rows are tokens of packed sequences, so nothing is ever padded. A [`Tape`] records
//! one step per operation, each a closure that holds only what its backward needs; gradients flow only towards
//! trainable parameters, and never into frozen weights. The operations are coarse (a whole linear layer with its
//! LoRA, a whole attention), so the tape itself costs nothing.

mod attention;
mod buffer;
mod elementwise;
mod linear;
mod loss;
mod params;
mod rope;
mod tape;
mod weight;

pub use attention::{AttentionLayer, attend};
pub use buffer::{Matrix, memory};
pub use elementwise::Activation;
pub use graft_kernels::{Dtype, Heads, Span, Sparse, pool};
pub use linear::{Dropout, Lora, LoraRows, linear_groups};
pub use loss::{Target, cross_entropy};
pub use params::{Adam, Param, ParamSet};
pub use rope::Rope;
pub use tape::{Grads, Tape, Tensor};
pub use weight::{Bytes, Weight};
