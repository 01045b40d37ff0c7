//! How sure the model was of each field and of the whole answer.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::FieldSpan;

/// A chosen token: where it stands in the wire text, and its probability among the tokens allowed there.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TokenScore {
    /// First byte.
    pub start: usize,
    /// One past the last byte; end tokens have none.
    pub end: usize,
    /// Natural logarithm of the probability; 0 for forced tokens.
    pub log_prob: f64,
}

/// Probabilities, before calibration, that the model gives to what it wrote.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Confidence {
    /// Of the whole answer: the product over all tokens, the end token too.
    pub answer: f64,
    /// Of each field: the product over the tokens that say its value and end it, given what came before.
    pub fields: BTreeMap<String, f64>,
}

impl Confidence {
    /// Collects token probabilities by field.
    ///
    /// A token that reaches into two fields counts for both. A field that has bytes without tokens, because it was
    /// filled in, gets 0, and so does the answer.
    #[must_use]
    pub fn new(fields: &[FieldSpan], scores: &[TokenScore]) -> Self {
        let written = scores.iter().map(|s| s.end).max().unwrap_or(0);
        let mut sums: BTreeMap<String, f64> = BTreeMap::new();
        for field in fields {
            let overlaps = |s: &&TokenScore| s.start < field.end && s.end > field.start;
            let sum = if field.end > written {
                f64::NEG_INFINITY
            } else {
                scores.iter().filter(overlaps).map(|s| s.log_prob).sum()
            };
            *sums.entry(field.path.clone()).or_default() += sum;
        }
        let whole = fields.iter().all(|field| field.end <= written);
        let all: f64 = if whole { scores.iter().map(|s| s.log_prob).sum() } else { f64::NEG_INFINITY };
        let probability = |sum: f64| sum.min(0.0).exp();
        let fields = sums.into_iter().map(|(path, sum)| (path, probability(sum))).collect();
        Self { answer: probability(all), fields }
    }

    /// Of free text: the geometric mean over its tokens, since a product only says how long the text is.
    #[must_use]
    pub fn of_text(scores: &[TokenScore]) -> Self {
        let sum: f64 = scores.iter().map(|s| s.log_prob).sum();
        let answer = if scores.is_empty() { 0.0 } else { (sum / scores.len() as f64).min(0.0).exp() };
        Self { answer, fields: BTreeMap::new() }
    }
}
