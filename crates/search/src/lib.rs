//! Search for settings: which trial comes next, when a trial stops early, and which parameters mattered. Pure: the same
//! seed and the same results give the same next trial, so a study can continue after any interruption from its stored
//! results.
//!
//! [`Sampler::ask`] is the tree-structured Parzen estimator (Bergstra et al. 2011), with independent parameters;
//! [`keeps_going`] is asynchronous successive halving (Li et al. 2020) in its stopping form; [`can_win`] extrapolates learning
//! curves; [`Lead::of`] says whether the best of several trials is better than chance makes one. No Rust library that we found
//! computes the next trial from a list of results alone, which makes a study reproducible after an interruption.

mod judge;
mod lead;
mod sampler;
mod space;

pub use judge::{can_win, importance, keeps_going, pareto};
pub use lead::Lead;
pub use sampler::{Observation, Sampler, default_point};
pub use space::{Domain, Parameter, Point};
