//! A search for settings: what to try next, when to stop a trial early, and what mattered. Pure: the same seed and the same
//! results lead to the same next trial, so whoever keeps the results can go on after any interruption.
//!
//! [`Sampler::ask`] is the tree-structured Parzen estimator (Bergstra et al. 2011), each parameter on its own;
//! [`keeps_going`] is asynchronous successive halving (Li et al. 2020) in its stopping form. Of the libraries for Rust, none
//! answers from a list of results alone, which is what makes a study repeatable after an interruption.

mod judge;
mod sampler;
mod space;

pub use judge::{importance, keeps_going, pareto};
pub use sampler::{Observation, Sampler};
pub use space::{Domain, Parameter, Point};
