//! What versions answer to examples: measured, compared before one becomes active, suggested to people; and examples
//! that contradict each other or a model.

mod activate;
mod contestant;
mod evaluate;
mod measure;
mod promote;
mod suggest;
mod suspects;

pub use activate::{Activated, Opponent};
pub(crate) use contestant::Ground;
pub(crate) use evaluate::SEED;
pub use evaluate::{Judged, Tell, contestant_scores, score_answers};
pub(crate) use suspects::Judgements;
pub use suspects::{
    Fix, FixAction, FixDecision, FixVerb, Suspect, SuspectCount, SuspectExample, SuspectKind, Suspects,
};

use crate::Engine;

/// Versions put to the test; [`Serving`](crate::Serving) answers.
#[derive(Clone, Copy, Debug)]
pub struct Evaluations<'e> {
    pub(crate) engine: &'e Engine,
}
