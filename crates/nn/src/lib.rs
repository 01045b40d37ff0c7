//! Frozen language models that take adapters as arguments: loss and gradients for training, cached generation for
//! inference.
//!
//! One file for decoder-only models and one for T5. Sequences are packed without padding, and a prefix that all
//! sequences of a micro-batch share is computed once.

mod adapter;
mod batch;
mod cache;
mod decoder;
mod error;
mod generator;
mod linear;
mod model;
mod peft;
mod prompt;
mod ranks;
mod session;
mod t5;

pub use adapter::{Adapter, AdapterKind, TargetModule, matches_target};
pub use batch::{MicroBatch, PackedRows, Sequence};
pub use error::Error;
pub use generator::{Generator, Next, OnDevice, OnHost};
pub use graft_ops::{Best, Matrix};
pub use model::{Context, Model};
pub use prompt::{Prompter, TokenView};
pub use ranks::{describe_ranks, ranks_by_sensitivity};
pub use session::{Feed, Session, Source, greedy};
