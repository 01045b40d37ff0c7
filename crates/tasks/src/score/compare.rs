use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    Scores,
    bootstrap::{self, Ratio},
};
use crate::Error;

/// What a comparison says of the new version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The whole interval of the difference is above zero.
    Better,
    /// The whole interval of the difference is below zero.
    Worse,
    /// The interval holds zero: more held-out examples would be needed.
    CannotTell,
}

/// Two versions on the same held-out examples.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Comparison {
    /// The metric compared.
    pub metric: String,
    /// The new version's.
    pub new: f64,
    /// The old version's.
    pub old: f64,
    /// `new - old`.
    pub difference: f64,
    /// 2.5th percentile of the difference.
    pub low: f64,
    /// 97.5th percentile of the difference.
    pub high: f64,
    /// What follows.
    pub verdict: Verdict,
}

/// Compares two versions by their headline metric with a paired bootstrap: each resample takes the same examples of
/// both, so what is hard for both doesn't blur the difference. Two made-up examples are drawn with them, one that only
/// the new version gets right and one that only the old one does, so that a few examples are no certainty: it takes at
/// least five that differ, all in one direction.
///
/// # Errors
/// [`Error::Unpaired`] where the scores are of different examples or metrics.
pub fn compare(new: &Scores, old: &Scores, seed: u64) -> Result<Comparison, Error> {
    let paired = new.truth == old.truth
        && new.rules.as_ref().zip(old.rules.as_ref()).is_none_or(|(new, old)| new == old)
        && new.headline == old.headline
        && new.per_example.len() == old.per_example.len();
    let (Some(new_metric), Some(old_metric), true) = (new.headline(), old.headline(), paired) else {
        return Err(Error::Unpaired);
    };
    let both = new.per_example.iter().zip(&old.per_example);
    let seen = both.map(|(new, old)| new - old);
    let made_up = if new.n == 0 { [].as_slice() } else { &[1.0, -1.0] };
    let differences: Vec<Ratio> = seen.chain(made_up.iter().copied()).map(|num| Ratio { num, den: 1.0 }).collect();
    let statistic = |sample: &mut dyn Iterator<Item = usize>| bootstrap::total(&differences, sample);
    let (low, high) = match differences.len() {
        0 => (-1.0, 1.0),
        n => bootstrap::interval(n, seed, &statistic),
    };
    Ok(Comparison {
        metric: new.headline.clone(),
        new: new_metric.value,
        old: old_metric.value,
        difference: new_metric.value - old_metric.value,
        low,
        high,
        verdict: match () {
            () if low > 0.0 => Verdict::Better,
            () if high < 0.0 => Verdict::Worse,
            () => Verdict::CannotTell,
        },
    })
}
