//! The shapes of what other crates serialise, for OpenAPI: those crates know nothing of it.
//!
//! A test reads real values of theirs into these, so a field that is missing here or there fails it.

mod drift;
mod engine;
mod nouns;
mod store;

pub use drift::*;
pub use engine::*;
pub use nouns::*;
pub use store::*;
