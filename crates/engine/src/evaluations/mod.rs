//! What versions answer to examples: measured, compared before one becomes active, suggested to people.

mod activate;
mod contestant;
mod evaluate;
mod measure;
mod suggest;

pub use activate::{Activated, Opponent};
pub(crate) use evaluate::SEED;
pub use evaluate::{Tell, contestant_scores, score_answers};

use crate::Engine;

/// Versions put to the test; [`Serving`](crate::Serving) answers.
#[derive(Clone, Copy, Debug)]
pub struct Evaluations<'e> {
    pub(crate) engine: &'e Engine,
}
