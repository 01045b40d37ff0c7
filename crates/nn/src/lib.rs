//! Language models that never change, with adapters as arguments: loss for training, generation for use.
//!
//! One file per architecture. Sequences are packed, never padded; a prefix that all sequences of a batch share is
//! computed once.

mod adapter;
mod batch;
mod cache;
mod error;
mod llama;
mod model;
mod peft;
mod prompt;
mod session;
mod t5;

pub use adapter::{Adapter, AdapterKind, Site, matches_target};
pub use batch::{Batch, Pass, Sequence};
pub use cache::Cache;
pub use error::Error;
pub use graft_ops::Matrix;
pub use model::{Context, Model};
pub use prompt::{Prompter, TokenView};
pub use session::{Feed, Session, Source, greedy};
