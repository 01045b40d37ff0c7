//! Chooses the next trial: the tree-structured Parzen estimator.
//!
//! Bergstra, Bardenet, Bengio, Kégl: Algorithms for Hyper-Parameter Optimization (2011). The results are divided into
//! good ones and the rest. Candidates are drawn from the density of the good ones; the one with the highest ratio to
//! the density of the rest is chosen.
//!
//! The first trials, which no results can decide, differ from the default values in some parameters only: defaults that somebody
//! tuned are a better place to start than a point of the whole space (a prior on the optimum, as in Hvarfner et al. 2022).

use rand::{RngExt as _, SeedableRng as _, rngs::ChaCha8Rng};

use crate::{Domain, Parameter, Point};

/// Fraction of the results that count as good.
const GOOD: f64 = 0.2;
/// Number of candidates to choose from.
const CANDIDATES: usize = 24;
/// Weight of the prior, for which every value is possible.
const PRIOR: f64 = 1.0;
/// Probability that a parameter keeps its default in a trial that no results decide.
const KEPT: f64 = 0.75;
/// How often a point is drawn again that was tried before: the same settings would give the same result.
const REDRAWS: usize = 16;

/// A trial with its result.
#[derive(Clone, Debug, PartialEq)]
pub struct Observation {
    /// The values of its parameters.
    pub point: Point,
    /// Its loss, smaller is better; infinite if it failed.
    pub loss: f64,
}

/// Chooses trials.
#[derive(Clone, Debug)]
pub struct Sampler {
    space: Vec<Parameter>,
    seed: u64,
    starts: Vec<Point>,
    random_trials: u64,
    /// As [`KEPT`].
    kept: f64,
}

impl Sampler {
    /// A sampler of a space. The first trials are random points near the defaults: half as many as there are parameters, but at
    /// least 4.
    #[must_use]
    pub fn new(space: Vec<Parameter>, seed: u64) -> Self {
        let random_trials = (space.len() as u64 / 2).max(4);
        Self { space, seed, starts: Vec::new(), random_trials, kept: KEPT }
    }

    /// The same with points that are tried after the first trial, before the random ones.
    #[must_use]
    pub fn starting_with(self, starts: Vec<Point>) -> Self {
        Self { starts, ..self }
    }

    /// A sampler whose trials are all random but the first, from the whole space: what any other must beat.
    #[must_use]
    pub fn random(space: Vec<Parameter>, seed: u64) -> Self {
        Self { space, seed, starts: Vec::new(), random_trials: u64::MAX, kept: 0.0 }
    }

    /// Number of trials after the first one that no results decide: the given points and the random ones.
    #[must_use]
    pub fn undecided_trials(&self) -> u64 {
        self.random_trials.saturating_add(self.starts.len() as u64)
    }

    /// The default values, which the search must improve on.
    #[must_use]
    pub fn default_point(&self) -> Point {
        default_point(&self.space, &Point::new())
    }

    /// The trial with this number (from 0), given these results. The first one has the default values.
    #[must_use]
    pub fn ask(&self, number: u64, seen: &[Observation]) -> Point {
        if number == 0 {
            return self.default_point();
        }
        if let Some(start) = self.starts.get(number as usize - 1) {
            return start.clone();
        }
        // Each trial has its own random stream, so it depends only on number, seed and results.
        let mut random = ChaCha8Rng::seed_from_u64(self.seed.wrapping_add(number.wrapping_mul(0x9E37_79B9_7F4A_7C15)));
        let is_random = number <= self.undecided_trials() || seen.len() < 4;
        let parts = (!is_random).then(|| part(seen));
        let default = self.default_point();
        let is_known = |point: &Point| *point == default || seen.iter().any(|one| one.point == *point);
        let mut point = self.draw(parts.as_ref(), &mut random);
        for _ in 0..REDRAWS {
            if !is_known(&point) {
                break;
            }
            point = self.draw(parts.as_ref(), &mut random);
        }
        point
    }

    /// A point by the good results and the rest, or a random one without them.
    fn draw(&self, parts: Option<&(Vec<&Observation>, Vec<&Observation>)>, random: &mut ChaCha8Rng) -> Point {
        let mut point = Point::new();
        for parameter in &self.space {
            if !parameter.applies(&point) {
                continue;
            }
            let value = match parts {
                Some((good, rest)) => {
                    let of = |some: &[&Observation]| -> Vec<f64> {
                        let known = some.iter().filter_map(|one| one.point.get(&parameter.name));
                        known.map(|value| parameter.domain.unit(*value)).collect()
                    };
                    best(&parameter.domain, &of(good), &of(rest), random)
                }
                None if self.kept > 0.0 && random.random_bool(self.kept) => parameter.default,
                None => uniform(&parameter.domain, random),
            };
            point.insert(parameter.name.clone(), value);
        }
        point
    }
}

/// The default values of a space but for these.
#[must_use]
pub fn default_point(space: &[Parameter], but: &Point) -> Point {
    let mut point = Point::new();
    for parameter in space {
        if parameter.applies(&point) {
            point.insert(parameter.name.clone(), *but.get(&parameter.name).unwrap_or(&parameter.default));
        }
    }
    point
}

/// The good results, at least one, and the rest.
fn part(seen: &[Observation]) -> (Vec<&Observation>, Vec<&Observation>) {
    let mut sorted: Vec<&Observation> = seen.iter().collect();
    sorted.sort_by(|a, b| a.loss.total_cmp(&b.loss));
    let good = ((GOOD * sorted.len() as f64).ceil() as usize).clamp(1, 25).min(sorted.len());
    let rest = sorted.split_off(good);
    (sorted, rest)
}

fn uniform(domain: &Domain, random: &mut ChaCha8Rng) -> f64 {
    match domain {
        Domain::Real { .. } => domain.value(random.random::<f64>()),
        Domain::Choice { of } => ((random.random::<f64>() * of.len() as f64) as usize).min(of.len() - 1) as f64,
    }
}

/// The candidate with the highest ratio of the two densities.
fn best(domain: &Domain, good: &[f64], rest: &[f64], random: &mut ChaCha8Rng) -> f64 {
    match domain {
        Domain::Choice { of } => {
            let (likely, other) = (shares(of.len(), good), shares(of.len(), rest));
            let candidates = (0..CANDIDATES).map(|_| pick(&likely, random));
            let ratio = |at: usize| likely[at] / other[at];
            candidates.max_by(|a, b| ratio(*a).total_cmp(&ratio(*b))).unwrap_or(0) as f64
        }
        Domain::Real { .. } => {
            let (likely, other) = (Mixture::of(good), Mixture::of(rest));
            let mut best = (f64::NEG_INFINITY, 0.5);
            for _ in 0..CANDIDATES {
                let at = likely.sample(random);
                let ratio = likely.density(at).ln() - other.density(at).ln();
                if ratio > best.0 {
                    best = (ratio, at);
                }
            }
            domain.value(best.1)
        }
    }
}

/// The probability of each choice.
fn shares(choices: usize, seen: &[f64]) -> Vec<f64> {
    let all = seen.len() as f64 + PRIOR;
    let count = |at: usize| seen.iter().filter(|value| **value as usize == at).count() as f64;
    (0..choices).map(|at| (count(at) + PRIOR / choices as f64) / all).collect()
}

fn pick(shares: &[f64], random: &mut ChaCha8Rng) -> usize {
    let mut left = random.random::<f64>();
    for (at, share) in shares.iter().enumerate() {
        left -= share;
        if left < 0.0 {
            return at;
        }
    }
    shares.len() - 1
}

/// A mixture of truncated normal distributions on [0, 1]: one around each observation, and a wide one in the middle.
struct Mixture {
    /// Mean and standard deviation of each component.
    parts: Vec<(f64, f64)>,
}

impl Mixture {
    fn of(seen: &[f64]) -> Self {
        let mut centres: Vec<f64> = seen.to_vec();
        centres.sort_by(f64::total_cmp);
        // As wide as the distance to the farther neighbour, within bounds.
        let least = 1.0 / (1.0 + seen.len() as f64).min(100.0);
        let width = |at: usize| {
            let before = if at == 0 { 0.0 } else { centres[at - 1] };
            let after = centres.get(at + 1).copied().unwrap_or(1.0);
            (centres[at] - before).max(after - centres[at]).clamp(least, 1.0)
        };
        let mut parts: Vec<(f64, f64)> = (0..centres.len()).map(|at| (centres[at], width(at))).collect();
        parts.push((0.5, 1.0));
        Self { parts }
    }

    fn sample(&self, random: &mut ChaCha8Rng) -> f64 {
        let at = ((random.random::<f64>() * self.parts.len() as f64) as usize).min(self.parts.len() - 1);
        let (centre, width) = self.parts[at];
        // Rejection sampling; a component has at least a third of its mass inside.
        for _ in 0..64 {
            let drawn = centre + width * normal(random);
            if (0.0..=1.0).contains(&drawn) {
                return drawn;
            }
        }
        centre
    }

    fn density(&self, at: f64) -> f64 {
        let one = |(centre, width): &(f64, f64)| {
            let z = (at - centre) / width;
            let inside = cumulative((1.0 - centre) / width) - cumulative(-centre / width);
            (-0.5 * z * z).exp() / (width * inside.max(1e-12))
        };
        (self.parts.iter().map(one).sum::<f64>() / self.parts.len() as f64).max(1e-300)
    }
}

/// A standard normal random number (Box and Muller 1958).
fn normal(random: &mut ChaCha8Rng) -> f64 {
    let (a, b) = (1.0 - random.random::<f64>(), random.random::<f64>());
    (-2.0 * a.ln()).sqrt() * (std::f64::consts::TAU * b).cos()
}

/// The standard normal distribution function (Abramowitz and Stegun 7.1.26).
fn cumulative(x: f64) -> f64 {
    let z = x.abs() / std::f64::consts::SQRT_2;
    let t = 1.0 / (1.0 + 0.327_591_1 * z);
    let poly =
        t * (0.254_829_592 + t * (-0.284_496_736 + t * (1.421_413_741 + t * (-1.453_152_027 + t * 1.061_405_429))));
    let upper = 0.5 * poly * (-z * z).exp();
    if x < 0.0 { upper } else { 1.0 - upper }
}
