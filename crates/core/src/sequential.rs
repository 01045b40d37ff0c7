//! A sequential test that is valid at any time: it may be evaluated after every observation and stopped at any point.

/// Largest fraction of the wealth that is bet on one observation.
const BOLDEST: f64 = 0.75;

/// A sequential test of paired differences from -1 to 1 against the hypothesis "their mean is at most `-margin`".
///
/// It bets against the hypothesis, and its wealth is an e-value: under the hypothesis the expected wealth is at most 1
/// at any time, so the probability that it *ever* reaches `1 / alpha` is at most `alpha` (Ville 1939). Evaluating it
/// often therefore does not increase the error rate. The bets are those of Waudby-Smith and Ramdas, "Estimating means
/// of bounded random variables by betting" (2023), approximately optimal growth (aGRAPA); each depends only on earlier
/// observations.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sequential {
    /// The hypothesis's bound, on the scale from 0 to 1.
    bound: f64,
    count: u64,
    sum: f64,
    squares: f64,
    log_wealth: f64,
    log_most: f64,
}

impl Sequential {
    /// A test of the hypothesis "the mean is at most `-margin`".
    #[must_use]
    pub fn above(margin: f64) -> Self {
        let bound = ((1.0 - margin) / 2.0).clamp(0.05, 0.95);
        Self { bound, count: 0, sum: 0.0, squares: 0.0, log_wealth: 0.0, log_most: 0.0 }
    }

    /// Adds the next difference.
    pub fn take(&mut self, difference: f64) {
        let x = if difference.is_finite() { (difference.clamp(-1.0, 1.0) + 1.0) / 2.0 } else { 0.0 };
        let seen = self.count as f64;
        // A pseudo-observation in the middle with the largest variance regularizes the estimates.
        let mean = (0.5 + self.sum) / (seen + 1.0);
        let variance = (0.25 + self.squares) / (seen + 1.0);
        let edge = mean - self.bound;
        let bet = (edge / (variance + edge * edge)).clamp(0.0, BOLDEST / self.bound);
        self.log_wealth += (bet * (x - self.bound)).ln_1p();
        self.log_most = self.log_most.max(self.log_wealth);
        self.count += 1;
        self.sum += x;
        self.squares += (x - (0.5 + self.sum) / (seen + 2.0)).powi(2);
    }

    /// Number of observations.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The current evidence: the wealth relative to the start.
    #[must_use]
    pub fn e_value(&self) -> f64 {
        self.log_wealth.exp()
    }

    /// Whether the hypothesis was ever rejected at the error rate `alpha`.
    #[must_use]
    pub fn rejects(&self, alpha: f64) -> bool {
        self.log_most >= -alpha.ln()
    }
}

#[cfg(test)]
mod tests {
    use rand::{RngExt as _, SeedableRng as _, rngs::ChaCha8Rng};

    use super::*;

    const STREAMS: u64 = 2000;
    const LENGTH: usize = 600;
    const ALPHA: f64 = 0.05;

    /// Streams of differences -1, 0 and 1 with these probabilities of loss and win.
    fn streams(loss: f64, win: f64) -> impl Iterator<Item = Vec<f64>> {
        (0..STREAMS).map(move |seed| {
            let mut random = ChaCha8Rng::seed_from_u64(seed);
            let draw = |p: f64| match p {
                p if p < loss => -1.0,
                p if p < loss + win => 1.0,
                _ => 0.0,
            };
            (0..LENGTH).map(|_| draw(random.random_range(0.0..1.0))).collect()
        })
    }

    /// The fraction of streams in which the test rejects at any point.
    fn rejected(margin: f64, loss: f64, win: f64) -> f64 {
        let ever = |stream: &Vec<f64>| {
            let mut test = Sequential::above(margin);
            stream.iter().any(|d| {
                test.take(*d);
                test.rejects(ALPHA)
            })
        };
        streams(loss, win).filter(ever).count() as f64 / STREAMS as f64
    }

    #[test]
    fn sequential_test_error_rate_holds_under_continuous_evaluation() {
        // At the bound of the hypothesis, where errors are most likely: with much and little disagreement, and with
        // losses only.
        for (margin, loss, win) in
            [(0.0, 0.2, 0.2), (0.0, 0.02, 0.02), (0.02, 0.12, 0.10), (0.02, 0.02, 0.0), (0.1, 0.3, 0.2)]
        {
            let share = rejected(margin, loss, win);
            // Three standard errors for 2,000 streams.
            assert!(share <= ALPHA + 0.015, "{margin} {loss} {win}: {share}");
        }
        // A fixed-sample test evaluated after every observation has a far higher error rate.
        let naive = |stream: &Vec<f64>| {
            let (mut sum, mut squares) = (0.0, 0.0);
            stream.iter().enumerate().any(|(i, d)| {
                sum += d;
                squares += d * d;
                i >= 20 && sum / f64::max(squares, 1.0).sqrt() > 1.645
            })
        };
        let wrong = streams(0.2, 0.2).filter(naive).count() as f64 / STREAMS as f64;
        assert!(wrong > 3.0 * ALPHA, "{wrong}");
    }

    #[test]
    fn sequential_test_detects_real_differences() {
        assert!(rejected(0.02, 0.05, 0.15) > 0.9, "clearly better");
        assert!(rejected(0.02, 0.02, 0.02) > 0.3, "as good");
        let mut same = Sequential::above(0.02);
        (0..400).for_each(|_| same.take(0.0));
        assert!(same.rejects(ALPHA), "always the same answers: {}", same.e_value());
        let mut unknown = Sequential::above(0.0);
        (0..400).for_each(|_| unknown.take(0.0));
        assert!(!unknown.rejects(ALPHA), "without a margin, ties say nothing");
    }
}
