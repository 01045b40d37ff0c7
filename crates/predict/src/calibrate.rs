//! Calibration: maps confidences so that answers with confidence 0.8 are correct four times in five (Guo et al. 2017).

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Confidences are clamped to this distance from 0 and 1.
const EPSILON: f64 = 1e-9;
/// With fewer points than this, the map is shrunk towards the identity.
const FEW: usize = 20;
/// Isotonic regression needs at least this many points, `FEW` right and `FEW` wrong ones among them: it is
/// constant where it has seen no mistake, so without mistakes it would map every answer to certainty.
const MANY: usize = 200;
/// Weight of the prior around the identity, in answers. Held-out answers that are all correct say little about a different
/// input with low confidence: with a weight of 1, a hundred of them mapped 0.6 to 0.9 (`bench/RESULTS.md`).
const PRIOR: f64 = 5.0;
/// Folds of the cross-validation.
const FOLDS: usize = 5;
/// Bins of the reliability table.
const BINS: usize = 10;

/// A map from raw to calibrated confidence, with the reliability it was fitted on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Calibration {
    /// The map.
    pub method: Method,
    /// Reliability of the raw confidences of the held-out answers.
    pub before: Reliability,
    /// The same after calibration, cross-validated: each answer is mapped by a fit on other answers.
    pub after: Reliability,
}

/// The kinds of map; all are monotonic.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "method", rename_all = "lowercase")]
#[schema(as = CalibrationMethod)]
pub enum Method {
    /// No change.
    Identity,
    /// `sigmoid(scale · logit(p) + bias)` (Platt 1999).
    Platt {
        /// At least 0; below 1 for an overconfident model.
        scale: f64,
        /// Above 0 for an underconfident model.
        bias: f64,
    },
    /// Linear between knots of rising raw and calibrated confidence (isotonic regression, Zadrozny and Elkan 2002).
    Isotonic {
        /// Pairs of raw and calibrated confidence.
        #[schema(value_type = Vec<Vec<f64>>)]
        knots: Vec<(f64, f64)>,
    },
}

/// How well confidences agree with correctness.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Reliability {
    /// Number of answers.
    pub count: usize,
    /// Expected calibration error: mean distance of confidence and accuracy over the bins, weighted by size.
    pub ece: f64,
    /// Brier score: mean squared distance of confidence and correctness.
    pub brier: f64,
    /// Up to ten bins of about equal size, in order of confidence; equal confidences share a bin.
    pub bins: Vec<Bin>,
}

/// One row of the reliability table.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = ReliabilityBin)]
pub struct Bin {
    /// Number of answers.
    pub count: usize,
    /// Mean confidence.
    pub confidence: f64,
    /// Fraction of correct answers.
    pub accuracy: f64,
}

/// A confidence and whether the answer was correct.
type Point = (f64, bool);

impl Calibration {
    /// Fits a map to held-out answers: the kind with the smallest cross-validated log loss, or the identity if no other
    /// is better. Points outside 0 to 1 are ignored.
    #[must_use]
    pub fn fit(points: &[(f64, bool)]) -> Self {
        let mut points: Vec<Point> = points.iter().copied().filter(|(p, _)| (0.0..=1.0).contains(p)).collect();
        points.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        let mut fits: Vec<fn(&[Point]) -> Method> = vec![|_| Method::Identity];
        if points.len() >= 2 {
            fits.push(platt);
        }
        let right = points.iter().filter(|(_, ok)| *ok).count();
        if points.len() >= MANY && right.min(points.len() - right) >= FEW {
            fits.push(isotonic);
        }
        let mut best: Option<(f64, Method, Vec<Point>)> = None;
        for fit in fits {
            let (method, held_out) = (fit(&points), cross_validated(&points, fit));
            let fitted: Vec<Point> = points.iter().map(|&(p, ok)| (method.apply(p), ok)).collect();
            // It must be better on held-out answers and not worse on the fitted ones.
            let loss = log_loss(&held_out).max(log_loss(&fitted));
            if best.as_ref().is_none_or(|(least, ..)| loss < *least) {
                best = Some((loss, method, held_out));
            }
        }
        let (_, method, held_out) = best.unwrap_or((0.0, Method::Identity, Vec::new()));
        Self { method, before: Reliability::of(&points), after: Reliability::of(&held_out) }
    }

    /// The calibrated confidence.
    #[must_use]
    pub fn apply(&self, confidence: f64) -> f64 {
        self.method.apply(confidence)
    }
}

impl Method {
    /// The calibrated confidence, from 0 to 1.
    #[must_use]
    pub fn apply(&self, confidence: f64) -> f64 {
        if confidence.is_nan() {
            return 0.0;
        }
        let p = confidence.clamp(0.0, 1.0);
        match self {
            Self::Identity => p,
            Self::Platt { scale, bias } => sigmoid(scale * logit(p) + bias),
            Self::Isotonic { knots } => interpolate(knots, p),
        }
    }
}

impl Reliability {
    /// Measures a list of confidences with their correctness.
    #[must_use]
    pub fn of(points: &[(f64, bool)]) -> Self {
        let mut sorted = points.to_vec();
        sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
        let count = sorted.len();
        let bins = bins(&sorted);
        let share = |n: usize| n as f64 / count.max(1) as f64;
        let ece = bins.iter().map(|b| share(b.count) * (b.confidence - b.accuracy).abs()).sum();
        let brier = sorted.iter().map(|&(p, ok)| (p - truth(ok)).powi(2)).sum::<f64>() / count.max(1) as f64;
        Self { count, ece, brier, bins }
    }

    /// The expected calibration error of perfectly calibrated confidences, which is above 0 because the accuracy of a small
    /// bin varies by chance. A measured error near this value is not significant. It shrinks with the root of the count.
    #[must_use]
    pub fn ece_by_chance(&self) -> f64 {
        // The mean distance of a normal variable from its mean is σ·√(2/π); of a bin's right answers σ² = count·p·(1 − p).
        let variance = |bin: &Bin| bin.count as f64 * bin.confidence * (1.0 - bin.confidence);
        let distance = |bin: &Bin| (variance(bin) * std::f64::consts::FRAC_2_PI).sqrt();
        self.bins.iter().map(distance).sum::<f64>() / self.count.max(1) as f64
    }

    /// For a threshold: the fraction of answers at or above it, and the fraction of correct ones among them. Whole bins
    /// count, by mean confidence. `None` if no bin reaches the threshold.
    #[must_use]
    pub fn above(&self, threshold: f64) -> Option<(f64, f64)> {
        let kept = || self.bins.iter().filter(|bin| bin.confidence >= threshold);
        let count: usize = kept().map(|bin| bin.count).sum();
        let right: f64 = kept().map(|bin| bin.count as f64 * bin.accuracy).sum();
        (count > 0).then(|| (count as f64 / self.count as f64, right / count as f64))
    }
}

fn bins(sorted: &[Point]) -> Vec<Bin> {
    let mut bins = Vec::new();
    let mut from = 0;
    for i in 1..=BINS {
        let mut to = (sorted.len() * i / BINS).max(from);
        while to > 0 && to < sorted.len() && sorted[to].0 == sorted[to - 1].0 {
            to += 1;
        }
        let part = &sorted[from..to];
        if !part.is_empty() {
            let mean = |sum: f64| sum / part.len() as f64;
            bins.push(Bin {
                count: part.len(),
                confidence: mean(part.iter().map(|p| p.0).sum()),
                accuracy: mean(part.iter().map(|p| truth(p.1)).sum()),
            });
        }
        from = to;
    }
    bins
}

/// Each point mapped by a fit without it; points with similar confidence go to different folds.
fn cross_validated(points: &[Point], fit: fn(&[Point]) -> Method) -> Vec<Point> {
    let mut mapped = points.to_vec();
    for fold in 0..FOLDS {
        let seen: Vec<Point> = points.iter().enumerate().filter(|(i, _)| i % FOLDS != fold).map(|(_, &p)| p).collect();
        let method = fit(&seen);
        for point in mapped.iter_mut().skip(fold).step_by(FOLDS) {
            point.0 = method.apply(point.0);
        }
    }
    mapped
}

/// Newton's method on the log loss, with a normal prior around the identity that weighs as much as [`PRIOR`] points.
fn platt(points: &[Point]) -> Method {
    let (mut scale, mut bias) = (1.0_f64, 0.0_f64);
    for _ in 0..50 {
        let (mut g0, mut g1) = (PRIOR * (scale - 1.0), PRIOR * bias);
        let (mut h00, mut h01, mut h11) = (PRIOR, 0.0, PRIOR);
        for &(p, ok) in points {
            let x = logit(p);
            let q = sigmoid(scale * x + bias);
            let (error, weight) = (q - truth(ok), q * (1.0 - q));
            g0 += error * x;
            g1 += error;
            h00 += weight * x * x;
            h01 += weight * x;
            h11 += weight;
        }
        let determinant: f64 = h00 * h11 - h01 * h01;
        let steps = ((h11 * g0 - h01 * g1) / determinant, (h00 * g1 - h01 * g0) / determinant);
        // Limit the step: far from the optimum the loss is almost linear, and a full step overshoots.
        scale = (scale - steps.0.clamp(-0.5, 0.5)).max(0.0);
        bias -= steps.1.clamp(-1.0, 1.0);
        if steps.0.abs() + steps.1.abs() < 1e-10 {
            break;
        }
    }
    let trust = (points.len() as f64 / FEW as f64).min(1.0);
    Method::Platt { scale: 1.0 + trust * (scale - 1.0), bias: trust * bias }
}

/// Pool adjacent violators. Each block's rate is shrunk by one pseudo-point of the overall rate, so that none is 0 or
/// 1.
fn isotonic(sorted: &[Point]) -> Method {
    let overall = (sorted.iter().filter(|p| p.1).count() as f64 + 0.5) / (sorted.len() as f64 + 1.0);
    // (sum of raw confidence, correct, count)
    let mut blocks: Vec<(f64, f64, f64)> = Vec::new();
    for &(p, ok) in sorted {
        blocks.push((p, truth(ok), 1.0));
        while let [.., a, b] = blocks[..]
            && a.1 * b.2 >= b.1 * a.2
        {
            blocks.truncate(blocks.len() - 2);
            blocks.push((a.0 + b.0, a.1 + b.1, a.2 + b.2));
        }
    }
    let mut least: f64 = 0.0;
    let mut knots = Vec::with_capacity(blocks.len());
    for (raw, correct, count) in blocks {
        least = least.max((correct + overall) / (count + 1.0));
        knots.push((raw / count, least));
    }
    Method::Isotonic { knots }
}

/// Linear between knots, constant beyond them.
fn interpolate(knots: &[(f64, f64)], x: f64) -> f64 {
    let after = knots.partition_point(|knot| knot.0 < x);
    match (after.checked_sub(1).and_then(|i| knots.get(i)), knots.get(after)) {
        (Some(a), Some(b)) if b.0 > a.0 => a.1 + (b.1 - a.1) * (x - a.0) / (b.0 - a.0),
        (_, Some(knot)) | (Some(knot), None) => knot.1,
        (None, None) => x,
    }
}

fn log_loss(points: &[Point]) -> f64 {
    let loss = |&(p, ok): &Point| -(if ok { p } else { 1.0 - p }).clamp(EPSILON, 1.0).ln();
    points.iter().map(loss).sum::<f64>() / points.len().max(1) as f64
}

fn truth(ok: bool) -> f64 {
    f64::from(u8::from(ok))
}

fn logit(p: f64) -> f64 {
    let p = p.clamp(EPSILON, 1.0 - EPSILON);
    (p / (1.0 - p)).ln()
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}
