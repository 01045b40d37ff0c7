//! Confidence of each field and of the whole answer.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::FieldSpan;

/// A chosen token: its byte range in the wire text, and its probability among the allowed tokens.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TokenScore {
    /// First byte.
    pub start: usize,
    /// End (exclusive). An end token has an empty range.
    pub end: usize,
    /// Natural logarithm of the probability; 0 for forced tokens.
    pub log_prob: f64,
}

/// The model's probabilities for its answer, before calibration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Confidence {
    /// Of the whole answer: the product over all tokens, including the end token.
    pub answer: f64,
    /// Of each field: the product over the tokens of its value and terminator, given everything before.
    pub fields: BTreeMap<String, f64>,
}

impl Confidence {
    /// Combines token probabilities by field.
    ///
    /// A token that spans two fields counts for both. A field with bytes that no token covers, because it was filled
    /// in, gets 0, and so does the answer.
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

    /// Of free text: the geometric mean over its tokens, because a product mostly measures length.
    #[must_use]
    pub fn of_text(scores: &[TokenScore]) -> Self {
        let sum: f64 = scores.iter().map(|s| s.log_prob).sum();
        let answer = if scores.is_empty() { 0.0 } else { (sum / scores.len() as f64).min(0.0).exp() };
        Self { answer, fields: BTreeMap::new() }
    }
}
