//! Answers of versions to examples: evaluated, compared before a version is activated, suggested to people; and suspect
//! labels.

mod activate;
mod baseline;
mod contestant;
mod evaluate;
mod helpful;
mod measure;
mod promote;
mod suggest;
mod suspects;

pub use activate::{Activated, Opponent};
pub use baseline::{BaselineTrial, RuleUse, WrongAnswer};
pub(crate) use contestant::Ground;
pub use evaluate::{Judged, Tell, contestant_scores, score_answers};
pub(crate) use evaluate::{SEED, score_pairs};
pub use helpful::{Helpful, HelpfulExample, LabelToAdd};
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
