//! Evaluation of results: early stopping, Pareto front, importance of parameters.

use rand::{RngExt as _, SeedableRng as _, rngs::ChaCha8Rng};

use crate::{Domain, Observation, Parameter};

/// Inverse fraction of the trials that continue at each rung.
const REDUCTION: usize = 2;
/// Number of nearest neighbours that predict a trial's loss.
const NEIGHBOURS: usize = 3;
/// Number of permutations per parameter.
const EXCHANGES: u64 = 20;
/// Least number of trials for an estimate of importance.
const FEWEST: usize = 6;

/// Whether a trial continues beyond a rung at which earlier trials had these losses: asynchronous successive halving
/// (Li et al. 2020), where trials outside the better half stop. All continue until there are enough trials.
#[must_use]
pub fn keeps_going(loss: f64, earlier: &[f64]) -> bool {
    let better = earlier.iter().filter(|other| **other < loss).count();
    let stay = (earlier.len() + 1).div_ceil(REDUCTION);
    loss.is_finite() && (earlier.len() < REDUCTION || better < stay)
}

/// Whether a trial whose loss at a rung is `now` can still end below `best`, with a probability of 5 % or more. `earlier` has
/// for each trial that was trained to its end its loss at this rung and at the end. The logarithm of their ratio is taken
/// for normal, so that of one more trial follows Student's t. A trial that can't win stops, as in Domhan et al. 2015, who
/// extrapolate the one curve; here the curves of its own study do. All can, until four trials were trained to their end.
#[must_use]
pub fn can_win(now: f64, best: f64, earlier: &[(f64, f64)]) -> bool {
    /// Of the standard normal distribution.
    const QUANTILE: f64 = 1.645;
    let steps: Vec<f64> = earlier.iter().map(|(rung, end)| (end / rung).ln()).filter(|step| step.is_finite()).collect();
    if steps.len() < 4 || !(now > 0.0 && best > 0.0) {
        return true;
    }
    let count = steps.len() as f64;
    let mean = steps.iter().sum::<f64>() / count;
    let variance = steps.iter().map(|step| (step - mean).powi(2)).sum::<f64>() / (count - 1.0);
    // The quantile of Student's t (Peiser 1943).
    let t = QUANTILE + (QUANTILE.powi(3) + QUANTILE) / (4.0 * (count - 1.0));
    let lowest = mean - t * (variance * (1.0 + 1.0 / count)).sqrt();
    now.ln() + lowest < best.ln()
}

/// The indexes of the Pareto-optimal points: no other point is better in one number and not worse in any. Smaller is
/// better. A point whose first number is not finite is never among them.
#[must_use]
pub fn pareto<const N: usize>(points: &[[f64; N]]) -> Vec<usize> {
    let beats = |a: &[f64; N], b: &[f64; N]| a.iter().zip(b).all(|(a, b)| a <= b) && a != b;
    (0..points.len())
        .filter(|&at| points[at][0].is_finite() && !points.iter().any(|other| beats(other, &points[at])))
        .collect()
}

/// The importance of each parameter, with a sum of 1: how much the prediction of losses from similar trials worsens
/// when the parameter's values are permuted among the trials (permutation importance, Breiman 2001). Empty for too few
/// trials.
#[must_use]
pub fn importance(space: &[Parameter], seen: &[Observation]) -> Vec<(String, f64)> {
    let seen: Vec<&Observation> = seen.iter().filter(|one| one.loss.is_finite()).collect();
    if seen.len() < FEWEST {
        return Vec::new();
    }
    let row = |one: &&Observation| -> Vec<Option<f64>> {
        space.iter().map(|p| one.point.get(&p.name).map(|value| p.domain.unit(*value))).collect()
    };
    let rows: Vec<Vec<Option<f64>>> = seen.iter().map(row).collect();
    let losses: Vec<f64> = seen.iter().map(|one| one.loss).collect();
    let plain = error(space, &rows, &rows, &losses);
    let mut found: Vec<(String, f64)> = Vec::new();
    for (column, parameter) in space.iter().enumerate() {
        let worse = (0..EXCHANGES).map(|round| {
            let mut random = ChaCha8Rng::seed_from_u64(round);
            let mut asked = rows.clone();
            for at in (1..asked.len()).rev() {
                let other = ((random.random::<f64>() * (at + 1) as f64) as usize).min(at);
                let value = asked[at][column];
                asked[at][column] = asked[other][column];
                asked[other][column] = value;
            }
            error(space, &rows, &asked, &losses) - plain
        });
        found.push((parameter.name.clone(), (worse.sum::<f64>() / EXCHANGES as f64).max(0.0)));
    }
    let all: f64 = found.iter().map(|(_, worse)| worse).sum();
    found.iter_mut().for_each(|(_, worse)| *worse = if all > 0.0 { *worse / all } else { 0.0 });
    found.sort_by(|a, b| b.1.total_cmp(&a.1));
    found
}

/// The mean squared error of predicting losses from the nearest other trials.
fn error(space: &[Parameter], rows: &[Vec<Option<f64>>], asked: &[Vec<Option<f64>>], losses: &[f64]) -> f64 {
    let foretold = |at: usize| {
        let mut others: Vec<(f64, f64)> = (0..rows.len())
            .filter(|other| *other != at)
            .map(|other| (distance(space, &asked[at], &rows[other]), losses[other]))
            .collect();
        others.sort_by(|a, b| a.0.total_cmp(&b.0));
        let near = &others[..NEIGHBOURS.min(others.len())];
        near.iter().map(|(_, loss)| loss).sum::<f64>() / near.len() as f64
    };
    (0..rows.len()).map(|at| (foretold(at) - losses[at]).powi(2)).sum::<f64>() / rows.len() as f64
}

fn distance(space: &[Parameter], a: &[Option<f64>], b: &[Option<f64>]) -> f64 {
    let one = |((parameter, a), b): ((&Parameter, &Option<f64>), &Option<f64>)| match (a, b, &parameter.domain) {
        (Some(a), Some(b), Domain::Real { .. }) => (a - b).powi(2),
        (Some(a), Some(b), Domain::Choice { .. }) => f64::from(a != b),
        (None, None, _) => 0.0,
        _ => 1.0,
    };
    space.iter().zip(a).zip(b).map(one).sum()
}
