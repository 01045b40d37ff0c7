//! What may be chosen.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A value for each parameter that applies. Of a choice it is the position.
pub type Point = BTreeMap<String, f64>;

/// What one parameter may be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Domain {
    /// A number; sampled and compared by its logarithm where `log` says so.
    Real {
        /// The least.
        low: f64,
        /// The most.
        high: f64,
        /// By orders of magnitude.
        log: bool,
    },
    /// One of some values that have no order.
    Choice {
        /// As they are written.
        of: Vec<String>,
    },
}

/// One parameter of a search.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// What it may be.
    pub domain: Domain,
    /// The value that the search is to beat.
    pub default: f64,
    /// It applies only while another parameter, which comes before it, has this value.
    pub only_if: Option<(String, f64)>,
}

impl Domain {
    /// As a number from 0 to 1; a choice stays its position.
    pub(crate) fn unit(&self, value: f64) -> f64 {
        match *self {
            Self::Real { low, high, log: true } => (value / low).ln() / (high / low).ln(),
            Self::Real { low, high, log: false } => (value - low) / (high - low),
            Self::Choice { .. } => value,
        }
    }

    /// The inverse of [`unit`](Self::unit).
    pub(crate) fn value(&self, unit: f64) -> f64 {
        match *self {
            Self::Real { low, high, log: true } => (low * (unit * (high / low).ln()).exp()).clamp(low, high),
            Self::Real { low, high, log: false } => (low + unit * (high - low)).clamp(low, high),
            Self::Choice { .. } => unit,
        }
    }
}

impl Parameter {
    /// Whether it applies at a point, whose earlier parameters are known.
    pub(crate) fn applies(&self, point: &Point) -> bool {
        self.only_if.as_ref().is_none_or(|(name, value)| point.get(name) == Some(value))
    }
}
