//! The acknowledged writes.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Mutex,
};

use serde_json::Value;

/// Every write that got a 2xx, as it must be found afterwards.
#[derive(Default)]
pub(crate) struct Ledger {
    /// Uploads that were accepted.
    pub(crate) imports: Mutex<BTreeSet<String>>,
    /// Inputs of imports that were done.
    pub(crate) inputs: Mutex<BTreeSet<String>>,
    /// Decisions by example.
    pub(crate) decisions: Mutex<BTreeMap<String, Decision>>,
    /// Runs that were accepted.
    pub(crate) runs: Mutex<BTreeSet<String>>,
    /// Runs whose end was asked for.
    pub(crate) cancelled: Mutex<BTreeSet<String>>,
    /// The active version of each task.
    pub(crate) active: Mutex<BTreeMap<&'static str, String>>,
}

/// A decision about an example.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Decision {
    /// `approved` or `rejected`.
    pub(crate) state: &'static str,
    /// The output that was given with it.
    pub(crate) output: Option<&'static str>,
}

impl Decision {
    /// Whether an example, as JSON, is as it was decided.
    pub(crate) fn holds(&self, example: &Value) -> bool {
        example["review"]["state"] == self.state && self.output.is_none_or(|output| example["output"] == output)
    }
}
