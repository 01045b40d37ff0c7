//! The statistics of drift, on plain numbers.

use graft_tasks::score::wilson;
use serde::Serialize;
use utoipa::ToSchema;

/// A share of a count, with its 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, ToSchema)]
pub struct Share {
    /// How many there are.
    pub n: usize,
    /// How many of them count.
    pub count: usize,
    /// `count / n`.
    pub share: f64,
    /// Lower end of the interval.
    pub low: f64,
    /// Upper end of the interval.
    pub high: f64,
}

impl Share {
    /// With the score interval (Wilson 1927), which has a width where all or none count; a bootstrap of such a sample
    /// has none, and would call any two of them different.
    pub(super) fn of(count: usize, n: usize) -> Option<Self> {
        if n == 0 || count > n {
            return None;
        }
        let (low, high) = wilson(count as f64, n);
        Some(Self { n, count, share: count as f64 / n as f64, low, high })
    }
}

/// How a sample of numbers is spread.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Spread {
    /// How many numbers.
    pub n: usize,
    /// Their mean.
    pub mean: f64,
    /// Their 95th percentile.
    pub p95: f64,
    /// The largest.
    pub max: f64,
    /// Eleven of them at even distances, from the smallest to the largest: what a picture needs.
    pub deciles: Vec<f64>,
}

impl Spread {
    pub(super) fn of(values: &[f64]) -> Option<Self> {
        let sorted = sorted(values);
        let at = |share: f64| sorted.get((sorted.len().saturating_sub(1) as f64 * share).round() as usize).copied();
        Some(Self {
            n: sorted.len(),
            mean: sorted.iter().sum::<f64>() / sorted.len() as f64,
            p95: at(0.95)?,
            max: at(1.0)?,
            deciles: (0..=10).filter_map(|i| at(f64::from(i) / 10.0)).collect(),
        })
    }
}

/// How far two samples are apart, and how often two samples of one distribution would be.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, ToSchema)]
pub struct Distance {
    /// The largest difference of two shares, from 0 to 1: of the numbers at or below any value, or of the inputs or answers in
    /// any group.
    pub distance: f64,
    /// Probability of such a distance where nothing has changed, at most.
    pub p: f64,
}

impl Distance {
    /// `p < 0.001` or `p = 0.034`.
    pub(super) fn said(self) -> String {
        if self.p < 0.001 { "p < 0.001".into() } else { format!("p = {:.3}", self.p) }
    }
}

/// The two-sample Kolmogorov–Smirnov test (Smirnov 1939), with the exact two-sided probability. Where values occur more
/// than once it is an upper bound, so that equal values never make a change.
pub(super) fn kolmogorov_smirnov(one: &[f64], other: &[f64]) -> Option<Distance> {
    let (one, other) = (sorted(one), sorted(other));
    if one.is_empty() || other.is_empty() {
        return None;
    }
    let (mut i, mut j, mut widest) = (0, 0, 0_u64);
    let (m, n) = (one.len() as u64, other.len() as u64);
    while i < one.len() && j < other.len() {
        let at = one[i].min(other[j]);
        i += one[i..].iter().take_while(|x| **x == at).count();
        j += other[j..].iter().take_while(|x| **x == at).count();
        widest = widest.max((i as u64 * n).abs_diff(j as u64 * m));
    }
    Some(Distance { distance: widest as f64 / (m * n) as f64, p: 1.0 - below(m, n, widest) })
}

/// Probability that all steps of a random merge of `m` and `n` values stay nearer than `widest / (m * n)` (Hodges 1957,
/// section 3): a walk over the grid of merges, one row at a time, weighted so that nothing overflows.
fn below(m: u64, n: u64, widest: u64) -> f64 {
    let near = |i: u64, j: u64| f64::from(u8::from((i * n).abs_diff(j * m) < widest));
    let mut row: Vec<f64> = Vec::with_capacity(n as usize + 1);
    for j in 0..=n {
        row.push(row.last().copied().unwrap_or(1.0) * near(0, j));
    }
    for i in 1..=m {
        let mut left = 0.0;
        for (j, cell) in (0..=n).zip(&mut row) {
            *cell = near(i, j) * (*cell * (i as f64 / (i + j) as f64) + left * (j as f64 / (i + j) as f64));
            left = *cell;
        }
    }
    row.last().copied().unwrap_or(0.0)
}

/// Fisher's exact test of two shares, `a` of `n` and `b` of `m`: twice the probability of a difference in this direction that
/// is at least as large, where both samples are of one distribution.
pub(super) fn fisher((a, n): (u64, u64), (b, m): (u64, u64)) -> f64 {
    let count = a + b;
    let ln_choose = |of: u64, some: u64| ln_factorial(of) - ln_factorial(some) - ln_factorial(of - some);
    let mut term = (ln_choose(n, a) + ln_choose(m, b) - ln_choose(n + m, count)).exp();
    let mut tail = 0.0;
    let is_less = u128::from(a) * u128::from(m) < u128::from(b) * u128::from(n);
    // `x` of the `count` are in the first sample; the hypergeometric distribution, from `a` away from its mean.
    let (mut x, last) = (a, if is_less { count.saturating_sub(m) } else { count.min(n) });
    loop {
        tail += term;
        if x == last || term < tail * f64::EPSILON {
            return (2.0 * tail).min(1.0);
        }
        let ratio =
            |up: u64, over: u64, down: u64, under: u64| (up as f64 / over as f64) * (down as f64 / under as f64);
        if is_less {
            term *= ratio(x, count - x + 1, m + x - count, n - x + 1);
            x -= 1;
        } else {
            term *= ratio(count - x, x + 1, n - x, m + x + 1 - count);
            x += 1;
        }
    }
}

/// Significance level of one look at the shares of groups.
const P: f64 = 0.01;
/// A difference of shares that matters: with many things counted, any difference is significant.
const FAR: f64 = 0.1;

/// Which of several groups have shares that differ, furthest first, and how far the furthest are apart. For each group, how
/// many of `n` and of `m` belong to it.
///
/// Of many groups one differs sooner by chance: the probabilities are multiplied by their number (Bonferroni), which holds
/// however the groups depend on each other.
pub(super) fn apart(groups: &[(u64, u64)], n: u64, m: u64) -> (Vec<usize>, Distance) {
    let by = |group: &usize| (groups[*group].0 as f64 / n as f64 - groups[*group].1 as f64 / m as f64).abs();
    let mut order: Vec<usize> = (0..groups.len()).collect();
    order.sort_by(|a, b| by(b).total_cmp(&by(a)));
    let distance = order.first().map_or(0.0, by);
    let mut least: f64 = 1.0;
    order.retain(|group| {
        let (a, b) = groups[*group];
        let p = if by(group) >= FAR { fisher((a, n), (b, m)) * groups.len() as f64 } else { 1.0 };
        least = least.min(p);
        p < P
    });
    (order, Distance { distance, p: least })
}

/// Stirling's series, whose error is below the rounding from 16 on.
fn ln_factorial(n: u64) -> f64 {
    if n < 16 {
        return (2..=n).map(|i| i as f64).product::<f64>().ln();
    }
    let n = n as f64;
    let series = 1.0 / (12.0 * n) - 1.0 / (360.0 * n.powi(3)) + 1.0 / (1260.0 * n.powi(5));
    n * n.ln() - n + 0.5 * (std::f64::consts::TAU * n).ln() + series
}

fn sorted(values: &[f64]) -> Vec<f64> {
    let mut sorted: Vec<f64> = values.iter().copied().filter(|value| value.is_finite()).collect();
    sorted.sort_by(f64::total_cmp);
    sorted
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(count: u32, start: f64, step: f64) -> Vec<f64> {
        (0..count).map(|i| start + step * f64::from(i)).collect()
    }

    /// Numbers of `scipy.stats.ks_2samp(…, method="exact")` of SciPy 1.17.
    #[test]
    fn kolmogorov_smirnov_matches_scipy() {
        let cases = [
            (steps(4, 1.0, 1.0), vec![3.5, 5.0, 6.0, 7.0, 8.0], 0.8, 0.079_365_079_365),
            (steps(10, 0.1, 0.1), steps(15, 0.65, 0.1), 0.733_333_333_333, 0.001_467_223_044_824),
            (steps(40, 0.0, 1.0), steps(60, 0.5, 1.0), 0.35, 0.004_429_969_516_129),
            (steps(200, 0.0, 1.0), steps(200, 30.5, 1.0), 0.155, 0.016_258_459_276_760),
            (
                vec![1.0, 1.0, 1.0, 2.0, 2.0, 3.0],
                vec![1.0, 2.0, 2.0, 2.0, 3.0, 3.0, 3.0, 3.0],
                0.375,
                0.637_362_637_363,
            ),
        ];
        for (one, other, distance, p) in cases {
            for found in [kolmogorov_smirnov(&one, &other), kolmogorov_smirnov(&other, &one)] {
                let found = found.unwrap();
                assert!((found.distance - distance).abs() < 1e-9 && (found.p - p).abs() < 1e-9, "{found:?} {p}");
            }
        }
        assert_eq!(kolmogorov_smirnov(&[0.5; 200], &[0.5; 30]).unwrap(), Distance { distance: 0.0, p: 1.0 });
        assert_eq!(kolmogorov_smirnov(&[1.0], &[f64::NAN]), None);
    }

    /// Sums of exact fractions.
    #[test]
    fn fisher_matches_exact_sums() {
        let cases = [
            ((3, 10), (1, 12), 0.451_127_819_548_871_66),
            ((0, 50), (40, 80), 4.030_466_203_849_794e-11),
            ((100, 500), (900, 2000), 6.396_309_112_862_903e-26),
            ((240, 500), (600, 2000), 1.087_677_460_412_310_7e-13),
            ((5000, 20_000), (400, 2000), 5.045_048_199_734_323e-7),
        ];
        for (one, other, p) in cases {
            for found in [fisher(one, other), fisher(other, one)] {
                assert!((found / p - 1.0).abs() < 1e-8, "{one:?} {other:?}: {found} {p}");
            }
        }
        for (one, other) in [((0, 20), (0, 30)), ((20, 20), (30, 30)), ((5, 10), (50, 100)), ((0, 0), (3, 9))] {
            assert_eq!(fisher(one, other), 1.0, "{one:?} {other:?}");
        }
        assert!(fisher((0, 100_000), (100_000, 100_000)) < 1e-300);
    }

    /// Numbers of `scipy.stats.binomtest(k, n).proportion_ci(method="wilson")`.
    #[test]
    fn wilson_interval_matches_scipy() {
        let cases =
            [(0, 10, 0.0, 0.277_532_800), (10, 10, 0.722_467_200, 1.0), (80, 100, 0.711_170_834, 0.866_633_067)];
        for (count, n, low, high) in cases {
            let found = Share::of(count, n).unwrap();
            assert!((found.low - low).abs() < 1e-6 && (found.high - high).abs() < 1e-6, "{found:?}");
        }
        assert_eq!((Share::of(0, 0), Share::of(2, 1)), (None, None));
    }

    #[test]
    fn spread_has_mean_percentiles_and_maximum() {
        let spread = Spread::of(&steps(21, 20.0, -1.0)).unwrap();
        assert_eq!((spread.n, spread.mean, spread.p95, spread.max), (21, 10.0, 19.0, 20.0));
        assert_eq!(spread.deciles, steps(11, 0.0, 2.0));
        assert_eq!(Spread::of(&[]), None);
    }
}
