//! The search space.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A value for each parameter that applies; for a choice, its index.
pub type Point = BTreeMap<String, f64>;

/// The values that a parameter can have.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Domain {
    /// A number; sampled and compared on a logarithmic scale if `log`.
    Real {
        /// The minimum.
        low: f64,
        /// The maximum.
        high: f64,
        /// Whether the scale is logarithmic.
        log: bool,
    },
    /// One of several values without an order.
    Choice {
        /// The values as text.
        of: Vec<String>,
    },
}

/// One parameter of a search.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// The values that it can have.
    pub domain: Domain,
    /// Its default value.
    pub default: f64,
    /// It applies only if another parameter, which precedes it, has this value.
    pub only_if: Option<(String, f64)>,
}

impl Domain {
    /// Maps a value to a number from 0 to 1; a choice stays an index.
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
    /// Whether it applies at a point, whose earlier parameters are set.
    pub(crate) fn applies(&self, point: &Point) -> bool {
        self.only_if.as_ref().is_none_or(|(name, value)| point.get(name) == Some(value))
    }
}
