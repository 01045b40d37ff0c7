//! The sentence frames with which a task's answers are reworded: see `data/wordings`.

use std::collections::{BTreeMap, BTreeSet};

use rand::{Rng, RngExt as _};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{Draft, Part, pick};
use crate::Error;

/// Ways to tell an answer, and the words for it.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Wordings {
    /// What may stand before everything.
    pub(super) openings: Vec<String>,
    /// What may stand after everything.
    pub(super) closings: Vec<String>,
    /// What may stand right after a name and doesn't belong to it.
    pub(super) tails: Vec<String>,
    pub(super) frames: Vec<Frames>,
    /// By the answer's field that is a list.
    pub(super) lists: BTreeMap<String, ListWords>,
    /// What invented names end with, by field.
    pub(super) names: BTreeMap<String, Vec<String>>,
}

/// Texts with places for an answer's fields.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Frames {
    /// Values that an answer must have.
    pub(super) answer: Map<String, Value>,
    pub(super) texts: Vec<String>,
}

/// How the objects of a list are worded.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct ListWords {
    pub(super) frames: Vec<Frames>,
    /// By field and value: `one/many`, or one spelling for both.
    pub(super) spelled: BTreeMap<String, BTreeMap<String, Vec<String>>>,
    /// Fields that go together: lists of names, and what they imply.
    pub(super) values: Vec<BTreeMap<String, OneOrMany>>,
    /// What may stand before a name of `values`, by field.
    pub(super) before: BTreeMap<String, Vec<String>>,
}

/// A value, or a choice of values.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(untagged)]
pub(super) enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl Wordings {
    /// Wordings that Graft comes with.
    #[must_use]
    pub fn built_in(name: &str) -> Option<Self> {
        let text = match name {
            "food-rescue" => include_str!("../../data/wordings/food-rescue.toml"),
            _ => return None,
        };
        Some(Self::from_toml(text).expect("a tested file"))
    }

    /// Reads a file of wordings.
    ///
    /// # Errors
    /// [`Error::Tables`] where the text has another form.
    pub fn from_toml(text: &str) -> Result<Self, Error> {
        toml::from_str(text).map_err(|e| Error::Tables(Box::new(e)))
    }

    /// Puts an opening before and a closing after a draft, each with this chance, and seldom a second one.
    pub(super) fn frame(&self, draft: &mut Draft, chance: f64, random: &mut impl Rng) {
        for chance in [chance, chance / 5.0] {
            if !self.openings.is_empty() && random.random_bool(chance) {
                draft.parts.insert(0, Part::plain(choose(pick(&self.openings, random), random)));
            }
            if !self.closings.is_empty() && random.random_bool(chance) {
                draft.parts.push(Part::plain(choose(pick(&self.closings, random), random)));
            }
        }
    }
}

impl Frames {
    /// The texts of these frames that fit an object: it has the frames' values, and of the fields that frames speak of
    /// (`told`) exactly those of the text.
    pub(super) fn fitting<'f>(
        all: &'f [Self],
        told: &BTreeSet<String>,
        object: &Map<String, Value>,
    ) -> Vec<Vec<&'f str>> {
        let given = |name: &&String| object.get(*name).is_some_and(|value| !is_nothing(value));
        let given: BTreeSet<&str> = told.iter().filter(given).map(String::as_str).collect();
        let fits = |frames: &&Self| frames.answer.iter().all(|(name, value)| same(object.get(name), value));
        let texts = |frames: &'f Self| -> Vec<&'f str> {
            let has = |text: &&String| {
                let mut has: BTreeSet<&str> = fields(text).collect();
                has.extend(frames.answer.keys().map(String::as_str).filter(|name| told.contains(*name)));
                has == given
            };
            frames.texts.iter().filter(has).map(String::as_str).collect()
        };
        all.iter().filter(fits).map(texts).filter(|texts| !texts.is_empty()).collect()
    }

    /// The fields that any of these frames speaks of.
    pub(super) fn told(all: &[Self]) -> BTreeSet<String> {
        all.iter().flat_map(|frames| &frames.texts).flat_map(|text| fields(text)).map(str::to_owned).collect()
    }
}

/// Whether a field says nothing.
fn is_nothing(value: &Value) -> bool {
    value.is_null() || value.as_array().is_some_and(Vec::is_empty)
}

/// Whether a value is this one; 1 and 1.0 are the same.
fn same(found: Option<&Value>, wanted: &Value) -> bool {
    match (found.and_then(Value::as_f64), wanted.as_f64()) {
        (Some(found), Some(wanted)) => (found - wanted).abs() < 1e-9,
        _ => found == Some(wanted),
    }
}

/// The fields that a text has places for; invented names (`{*field}`) are none.
fn fields(text: &str) -> impl Iterator<Item = &str> {
    text.split('{')
        .skip(1)
        .filter_map(|rest| rest.split_once('}'))
        .map(|(name, _)| name)
        .filter(|n| !n.starts_with('*'))
}

/// Chooses among the alternatives `(a|b)` of a text.
pub(super) fn choose(text: &str, random: &mut impl Rng) -> String {
    let mut text = text.to_owned();
    let mut from = 0;
    while let Some(open) = text[from..].find('(').map(|at| from + at) {
        let Some(close) = text[open..].find(')').map(|at| open + at) else { break };
        let inside = &text[open + 1..close];
        if !inside.contains('|') {
            from = close;
            continue;
        }
        let choices: Vec<String> = inside.split('|').map(str::to_owned).collect();
        let chosen = pick(&choices, random).to_owned();
        text.replace_range(open..=close, &chosen);
        from = open + chosen.len();
    }
    text
}
