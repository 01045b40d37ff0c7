//! How long the versions of a roll-out take to answer, as histograms.

use serde::Serialize;
use utoipa::ToSchema;

/// The shortest time that is told apart, in seconds.
const LEAST: f64 = 1e-5;
/// How much longer the times of a place are than those of the one before: percentiles are exact to half of it.
const STEP: f64 = 1.05;
/// Places, up to a day.
const PLACES: usize = 470;
/// Answers that are needed for a percentile.
const ENOUGH: u64 = 20;

/// Times from request to answer, in seconds. Only of requests that the roll-out gave to one of the versions at random while
/// the other one answered such requests, too, so that both can be compared.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = RolloutTimes)]
pub struct Times {
    /// Answers.
    pub answers: u64,
    /// The median, if there are enough answers.
    pub p50: Option<f64>,
    /// The 95th percentile.
    pub p95: Option<f64>,
}

/// The place of a time in a histogram.
pub(crate) fn place(seconds: f64) -> usize {
    // A cast of NaN or of a negative number is 0.
    (((seconds / LEAST).ln() / STEP.ln()) as usize).min(PLACES - 1)
}

impl Times {
    pub(super) fn of(counts: &[u64]) -> Self {
        let answers: u64 = counts.iter().sum();
        let percentile = |percent: u64| {
            let rank = (answers * percent).div_ceil(100);
            let mut below = 0;
            let place = counts.iter().position(|count| {
                below += count;
                below >= rank
            })?;
            // The middle of the place.
            (answers >= ENOUGH).then(|| LEAST * STEP.powf(place as f64 + 0.5))
        };
        Self { answers, p50: percentile(50), p95: percentile(95) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_exact_to_the_width_of_a_place() {
        let mut counts = vec![0; PLACES];
        (1..=1000).for_each(|ms| counts[place(f64::from(ms) / 1000.0)] += 1);
        let times = Times::of(&counts);
        assert_eq!(times.answers, 1000);
        let near = |found: Option<f64>, exact: f64| (found.unwrap() / exact - 1.0).abs() < STEP - 1.0;
        assert!(near(times.p50, 0.5) && near(times.p95, 0.95), "{times:?}");
        let few = Times::of(&[0, 0, 19]);
        assert_eq!((few.answers, few.p50, few.p95), (19, None, None));
        assert_eq!(Times::of(&[]).answers, 0);
        assert_eq!((place(0.0), place(-1.0), place(f64::NAN), place(1e9)), (0, 0, 0, PLACES - 1));
    }
}
