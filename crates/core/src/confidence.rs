//! Intervals that are valid at any time.

/// Largest weight of one observation.
const HEAVIEST: f64 = 0.5;

/// A confidence sequence for the mean of differences from -1 to 1: with a probability of at least `1 - alpha` the mean is in
/// *all* of its intervals, so it may be looked at after every observation.
///
/// It is the predictable plug-in empirical-Bernstein sequence of Waudby-Smith and Ramdas, "Estimating means of bounded random
/// variables by betting" (2023, theorem 2); each weight depends only on earlier observations.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ConfidenceSequence {
    alpha: f64,
    count: u64,
    sum: f64,
    squares: f64,
    /// Sums of the weights, of the weighted observations, and of the weighted squared errors.
    weights: f64,
    weighted: f64,
    spread: f64,
    /// The intersection of all intervals so far, on the scale from 0 to 1.
    low: f64,
    high: f64,
}

impl ConfidenceSequence {
    /// Before the first observation.
    #[must_use]
    pub fn new(alpha: f64) -> Self {
        Self { alpha, count: 0, sum: 0.0, squares: 0.0, weights: 0.0, weighted: 0.0, spread: 0.0, low: 0.0, high: 1.0 }
    }

    /// Adds the next difference.
    pub fn take(&mut self, difference: f64) {
        let x = if difference.is_finite() { (difference.clamp(-1.0, 1.0) + 1.0) / 2.0 } else { 0.0 };
        let (seen, log) = (self.count as f64, (2.0 / self.alpha).ln());
        // Regularized by a pseudo-observation in the middle with the largest variance.
        let mean = (0.5 + self.sum) / (seen + 1.0);
        let variance = (0.25 + self.squares) / (seen + 1.0);
        let next = seen + 1.0;
        let weight = (2.0 * log / (variance * next * (1.0 + next).ln())).sqrt().min(HEAVIEST);
        self.weights += weight;
        self.weighted += weight * x;
        // 4 (x - mean)² ψ(weight), with ψ(w) = (-ln(1 - w) - w) / 4.
        self.spread += (x - mean).powi(2) * (-(-weight).ln_1p() - weight);
        self.count += 1;
        self.sum += x;
        self.squares += (x - (0.5 + self.sum) / (next + 1.0)).powi(2);
        let (center, half) = (self.weighted / self.weights, (log + self.spread) / self.weights);
        (self.low, self.high) = (self.low.max(center - half), self.high.min(center + half));
    }

    /// The interval of the mean difference, from -1 to 1.
    #[must_use]
    pub fn interval(&self) -> (f64, f64) {
        (2.0 * self.low - 1.0, 2.0 * self.high - 1.0)
    }
}

#[cfg(test)]
mod tests {
    use rand::{RngExt as _, SeedableRng as _, rngs::ChaCha8Rng};

    use super::*;

    const ALPHA: f64 = 0.05;

    #[test]
    fn mean_is_rarely_ever_outside_and_the_interval_shrinks() {
        // Losses and wins, with much and little disagreement.
        for (loss, win) in [(0.2, 0.2), (0.3, 0.1), (0.02, 0.05), (0.0, 0.5)] {
            let (mean, mut outside, mut width) = (win - loss, 0, 0.0);
            for seed in 0..1000 {
                let mut random = ChaCha8Rng::seed_from_u64(seed);
                let mut sequence = ConfidenceSequence::new(ALPHA);
                let mut missed = false;
                for _ in 0..500 {
                    let p = random.random_range(0.0..1.0);
                    sequence.take(if p < loss { -1.0 } else { f64::from(u8::from(p < loss + win)) });
                    let (low, high) = sequence.interval();
                    missed |= mean < low || mean > high;
                }
                let (low, high) = sequence.interval();
                outside += i32::from(missed);
                width += (high - low) / 1000.0;
            }
            assert!(outside <= 50, "{outside} of 1000 for {loss} and {win}");
            assert!(width < 0.35, "{width} for {loss} and {win}");
        }
    }
}
