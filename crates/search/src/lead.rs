//! Whether the best of several trials is better than the first, or only luckier.

use serde::Serialize;
use utoipa::ToSchema;

/// Probability of finding a lead where there is none.
const ERROR: f64 = 0.05;
/// Fewest examples that say how much their losses vary.
const FEWEST: usize = 5;

/// How much lower the loss of one trial is than that of another, on the same examples.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, ToSchema)]
pub struct Lead {
    /// The difference of the losses.
    pub loss: f64,
    /// What the difference is at least, with a probability of 95 %; absent if there are fewer than five examples.
    pub at_least: Option<f64>,
    /// Number of examples.
    pub examples: usize,
}

impl Lead {
    /// The lead of a trial over `other`, if it was chosen because it has the lowest loss of so many trials. Both have for each
    /// example its loss and its weight, such as the number of its tokens; the weights are those of `other`. `None` if the
    /// two don't have the same number of examples.
    ///
    /// The losses are paired, and their mean is a ratio of sums (Cochran 1977, section 6.4). The limit is one-sided, by
    /// Student's t, and corrected for the choice among several trials (Bonferroni).
    #[must_use]
    pub fn of(trial: &[(f64, f64)], other: &[(f64, f64)], among: usize) -> Option<Self> {
        let weight: f64 = other.iter().map(|(_, weight)| weight).sum();
        if trial.len() != other.len() || weight <= 0.0 {
            return None;
        }
        let pairs = || trial.iter().zip(other).map(|(one, other)| (other.0 - one.0, other.1));
        let loss = pairs().map(|(lead, _)| lead).sum::<f64>() / weight;
        let examples = other.len();
        let at_least = (examples >= FEWEST).then(|| {
            let n = examples as f64;
            let squares: f64 = pairs().map(|(lead, weight)| (lead - loss * weight).powi(2)).sum();
            let error = (n / (n - 1.0) * squares).sqrt() / weight;
            loss - quantile(ERROR / among.max(1) as f64, n - 1.0) * error
        });
        Some(Self { loss, at_least, examples })
    }

    /// Whether chance does not explain it.
    #[must_use]
    pub fn is_shown(&self) -> bool {
        self.at_least.is_some_and(|least| least > 0.0)
    }
}

/// What a number of Student's t distribution exceeds with this probability, below a half.
fn quantile(probability: f64, freedom: f64) -> f64 {
    // Of the normal distribution: Abramowitz and Stegun 1964, 26.2.23; of Student's from it: 26.7.5.
    let u = (-2.0 * probability.ln()).sqrt();
    let z =
        u - (2.515_517 + u * (0.802_853 + u * 0.010_328)) / (1.0 + u * (1.432_788 + u * (0.189_269 + u * 0.001_308)));
    let first = (z.powi(3) + z) / 4.0;
    let second = (5.0 * z.powi(5) + 16.0 * z.powi(3) + 3.0 * z) / 96.0;
    let third = (3.0 * z.powi(7) + 19.0 * z.powi(5) + 17.0 * z.powi(3) - 15.0 * z) / 384.0;
    z + first / freedom + second / freedom.powi(2) + third / freedom.powi(3)
}

#[cfg(test)]
mod tests {
    use rand::{RngExt as _, SeedableRng as _, rngs::ChaCha8Rng};

    use super::*;

    #[test]
    fn quantiles_are_those_of_the_tables() {
        for (probability, freedom, expected) in
            [(0.05, 4.0, 2.132), (0.05, 15.0, 1.753), (0.005, 15.0, 2.947), (0.005, 39.0, 2.708), (0.025, 1e9, 1.960)]
        {
            let found = quantile(probability, freedom);
            assert!((found - expected).abs() < 0.02, "{probability} {freedom}: {found}");
        }
    }

    #[test]
    fn lead_is_that_of_the_means() {
        let other = [(3.0, 2.0), (1.0, 1.0), (2.0, 1.0), (4.0, 3.0), (1.5, 1.0)];
        let half: Vec<_> = other.iter().map(|(loss, weight)| (loss / 2.0, *weight)).collect();
        let lead = Lead::of(&half, &other, 3).unwrap();
        assert!((lead.loss - 11.5 / 8.0 / 2.0).abs() < 1e-12 && lead.examples == 5);
        assert!(lead.is_shown(), "half of each loss is no chance: {lead:?}");
        assert!(!Lead::of(&other, &other, 3).unwrap().is_shown());
        assert_eq!(Lead::of(&half[1..], &other[1..], 3).unwrap().at_least, None, "four examples say too little");
        assert_eq!(Lead::of(&half[1..], &other, 3), None);
        assert_eq!(Lead::of(&[], &[], 3), None);
    }

    /// Of 400 studies in which all trials are equally good, and of as many in which one is better.
    #[test]
    fn the_best_of_equal_trials_is_seldom_taken_for_better() {
        const STUDIES: usize = 400;
        let mut random = ChaCha8Rng::seed_from_u64(7);
        let mut shown = |gain: f64| {
            let mut shown = 0;
            for _ in 0..STUDIES {
                // Losses of examples differ far more than those of trials do, and are skewed.
                let hard: Vec<f64> = (0..24).map(|_| -random.random::<f64>().ln()).collect();
                let mut trial = |gain: f64| -> Vec<(f64, f64)> {
                    hard.iter().map(|hard| (hard * (1.0 - gain + 0.4 * (random.random::<f64>() - 0.5)), 1.0)).collect()
                };
                let recipe = trial(0.0);
                let mut others: Vec<_> = (0..10).map(|_| trial(0.0)).collect();
                others.push(trial(gain));
                let total = |trial: &[(f64, f64)]| trial.iter().map(|(loss, _)| loss).sum::<f64>();
                let best = others.iter().min_by(|a, b| total(a).total_cmp(&total(b))).unwrap();
                shown += usize::from(Lead::of(best, &recipe, others.len()).unwrap().is_shown());
            }
            shown as f64 / STUDIES as f64
        };
        let (equal, better) = (shown(0.0), shown(0.25));
        assert!(equal < 0.07 && better > 0.9, "{equal} {better}");
    }
}
