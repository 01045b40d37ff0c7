use graft_core::{Purpose, random};
use rand::RngExt as _;

/// How often the examples are drawn again.
const RESAMPLES: usize = 1000;

/// One example's share of a metric of the form Σ num / Σ den.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Ratio {
    pub(super) num: f64,
    pub(super) den: f64,
}

/// Σ num / Σ den over a sample; 0 where nothing is counted.
pub(super) fn total(ratios: &[Ratio], sample: &mut dyn Iterator<Item = usize>) -> f64 {
    let (num, den) = sample.fold((0.0, 0.0), |(num, den), i| (num + ratios[i].num, den + ratios[i].den));
    if den > 0.0 { num / den } else { 0.0 }
}

/// The 95 % percentile interval of a statistic (Efron and Tibshirani 1993, chapter 13); the whole range without examples.
pub(super) fn interval(n: usize, seed: u64, statistic: &dyn Fn(&mut dyn Iterator<Item = usize>) -> f64) -> (f64, f64) {
    if n == 0 {
        return (0.0, 1.0);
    }
    let mut random = random(seed, Purpose::Bootstrap, [0, 0]);
    let mut values: Vec<f64> =
        (0..RESAMPLES).map(|_| statistic(&mut (0..n).map(|_| random.random_range(0..n)))).collect();
    values.sort_by(f64::total_cmp);
    (percentile(&values, 0.025), percentile(&values, 0.975))
}

/// The 95 % interval of a share of which so many of `n` were seen (Wilson 1927). Unlike the bootstrap's it has a width
/// where all are right or none is: 3 of 3 are 0.44 to 1.
#[must_use]
pub fn wilson(right: f64, n: usize) -> (f64, f64) {
    /// Of the normal distribution, 97.5 % lie below.
    const Z: f64 = 1.959_964;
    if n == 0 {
        return (0.0, 1.0);
    }
    let n = n as f64;
    let share = right / n;
    let middle = share + Z * Z / (2.0 * n);
    let reach = Z * (share * (1.0 - share) / n + Z * Z / (4.0 * n * n)).sqrt();
    let scale = 1.0 + Z * Z / n;
    (((middle - reach) / scale).clamp(0.0, share), ((middle + reach) / scale).clamp(share, 1.0))
}

fn percentile(sorted: &[f64], share: f64) -> f64 {
    let at = ((sorted.len() - 1) as f64 * share).round() as usize;
    sorted[at]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_examples_give_wide_intervals() {
        // R's prop.test(correct = FALSE) and binom::binom.wilson give the same.
        for (right, n, low, high) in
            [(3.0, 3, 0.438_5, 1.0), (0.0, 3, 0.0, 0.561_5), (80.0, 100, 0.711_1, 0.866_6), (0.0, 0, 0.0, 1.0)]
        {
            let found = wilson(right, n);
            assert!((found.0 - low).abs() < 1e-4 && (found.1 - high).abs() < 1e-4, "{right} of {n}: {found:?}");
        }
    }

    #[test]
    fn wilson_interval_has_known_width() {
        // 80 of 100: the normal approximation gives 0.8 ± 0.078.
        let ratios: Vec<Ratio> = (0..100).map(|i| Ratio { num: f64::from(u8::from(i < 80)), den: 1.0 }).collect();
        let statistic = |sample: &mut dyn Iterator<Item = usize>| total(&ratios, sample);
        let (low, high) = interval(100, 7, &statistic);
        assert!((low - 0.722).abs() < 0.025 && (high - 0.878).abs() < 0.025, "{low} {high}");
        assert_eq!(interval(100, 7, &statistic), (low, high));
        assert_eq!(interval(0, 7, &statistic), (0.0, 1.0));
    }
}
