//! Baselines that answer a task without a language model. An adapter must score higher than these contestants;
//! otherwise one of them is served instead.
//!
//! | kind | answers with | for |
//! |---|---|---|
//! | [`Kind::Rules`] | the task's baseline ([`Parser`]): regular expressions, a program or a service | tasks that have one |
//! | [`Kind::NGrams`] | logistic regression over word and character n-grams | labels |
//! | [`Kind::Nearest`] | the answer of the most similar approved example | all tasks |
//! | [`Kind::MostFrequent`] | always the most frequent label | labels |
//!
//! A contestant is fitted in seconds to the adapter's training examples, and scored on the same held-out ones. The same
//! examples give a bit-identical contestant. It is stored as one JSON file with the examples and, for n-grams, one
//! number per example and label: [`Contestant::to_bytes`], [`Contestant::from_bytes`].

mod beside;
mod error;
mod features;
mod file;
mod logistic;
mod nearest;
mod ngrams;
mod outside;
mod parser;
mod similarity;

use std::collections::BTreeMap;

use graft_core::{AnswerForm, Example, TaskCard};
use serde_json::Value;

pub use beside::LabelNGrams;
pub use error::Error;
pub use ngrams::{Likely, Unseen, likely, unseen};
pub use parser::{Parser, Patience};
pub use similarity::Similarity;

use nearest::Nearest;
use ngrams::NGrams;

graft_core::names! {
    /// The kinds of contestants. On equal scores the earlier kind wins.
    #[derive(PartialOrd, Ord, Hash)]
    #[schema(as = ContestantKind)]
    pub enum Kind {
        /// The task's baseline.
        Rules = "rules",
        /// Logistic regression over word and character n-grams.
        NGrams = "n-grams",
        /// The answer of the most similar approved example.
        Nearest = "nearest",
        /// Always the most frequent label.
        MostFrequent = "most-frequent",
    }
}

impl std::str::FromStr for Kind {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        Self::named(name).ok_or_else(|| Error::NoKind(name.to_owned()))
    }
}

/// An answer with its confidence.
#[derive(Clone, Debug, PartialEq)]
pub struct Said {
    /// In the task's form.
    pub answer: Value,
    /// From 0 to 1, not calibrated: the probability for n-grams, the similarity for the nearest example, one half for
    /// rules.
    pub confidence: f64,
}

/// A baseline that answers a task without a language model.
#[derive(Clone, Debug)]
pub struct Contestant(Body);

#[derive(Clone, Debug)]
enum Body {
    Rules(Parser),
    NGrams(NGrams),
    Nearest(Nearest),
    MostFrequent {
        label: String,
        /// Fraction of the examples that have this label.
        share: f64,
    },
}

impl Contestant {
    /// All contestants of a task, fitted to these examples (those without an output are ignored). `rules` is the task's
    /// baseline. Kinds that can't answer the task, or can't be fitted to these examples, are left out.
    #[must_use]
    pub fn all(card: &TaskCard, examples: &[Example], rules: Option<&Parser>) -> Vec<Self> {
        Kind::ALL.iter().copied().filter_map(|kind| Self::fit(kind, card, examples, rules).ok()).collect()
    }

    /// A contestant fitted to these examples.
    ///
    /// # Errors
    /// [`Error::Unfit`] if the kind can't answer the task, or can't be fitted to these examples.
    pub fn fit(kind: Kind, card: &TaskCard, examples: &[Example], rules: Option<&Parser>) -> Result<Self, Error> {
        let known: Vec<(&str, &Value)> =
            examples.iter().filter_map(|example| Some((example.input.as_str(), example.output.as_ref()?))).collect();
        let unfit = |why| Error::Unfit { kind, task: card.name.clone(), why };
        let body = match kind {
            Kind::Rules => Body::Rules(needed(card, rules)?),
            Kind::Nearest if known.is_empty() => return Err(unfit("there are no examples to learn from")),
            Kind::Nearest => {
                let owned = |&(input, output): &(&str, &Value)| (input.to_owned(), output.clone());
                Body::Nearest(Nearest::new(known.iter().map(owned).collect()))
            }
            Kind::NGrams | Kind::MostFrequent if !matches!(card.answer, AnswerForm::Label { .. }) => {
                return Err(unfit("its answers are not labels"));
            }
            Kind::NGrams => {
                let label = |&(input, output): &(&str, &Value)| Some((input.to_owned(), output.as_str()?.to_owned()));
                let labelled = known.iter().filter_map(label).collect();
                Body::NGrams(NGrams::fit(labelled).ok_or_else(|| unfit("the examples have fewer than two labels"))?)
            }
            Kind::MostFrequent => {
                let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
                for label in known.iter().filter_map(|(_, output)| output.as_str()) {
                    *counts.entry(label).or_default() += 1;
                }
                let most = counts.iter().max_by_key(|(_, count)| **count);
                let (label, count) = most.ok_or_else(|| unfit("there are no examples to learn from"))?;
                let share = *count as f64 / counts.values().sum::<usize>() as f64;
                Body::MostFrequent { label: (*label).to_owned(), share }
            }
        };
        Ok(Self(body))
    }

    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match &self.0 {
            Body::Rules(_) => Kind::Rules,
            Body::NGrams(_) => Kind::NGrams,
            Body::Nearest(_) => Kind::Nearest,
            Body::MostFrequent { .. } => Kind::MostFrequent,
        }
    }

    /// Its name for people: `regex` (or `command`, `endpoint`), `n-grams`, `nearest example`, `always <label>`.
    #[must_use]
    pub fn name(&self) -> String {
        match &self.0 {
            Body::Rules(parser) => parser.name().into(),
            Body::NGrams(_) => "n-grams".into(),
            Body::Nearest(_) => "nearest example".into(),
            Body::MostFrequent { label, .. } => format!("always {label}"),
        }
    }

    /// The answer to an input.
    ///
    /// # Errors
    /// As [`Parser::answer`]; the others always answer.
    pub fn answer(&self, input: &str) -> Result<Said, Error> {
        Ok(match &self.0 {
            // The baseline gives no confidence. Calibration later maps one half to the accuracy of its answers.
            Body::Rules(parser) => Said { answer: parser.answer(input)?, confidence: 0.5 },
            Body::NGrams(ngrams) => {
                let (label, probability) = ngrams.answer(input);
                Said { answer: Value::from(label), confidence: probability }
            }
            Body::Nearest(nearest) => {
                let (answer, similarity) = nearest.answer(input);
                Said { answer: answer.clone(), confidence: similarity }
            }
            Body::MostFrequent { label, share } => Said { answer: Value::from(&**label), confidence: *share },
        })
    }
}

fn needed(card: &TaskCard, rules: Option<&Parser>) -> Result<Parser, Error> {
    let why = "the task has no baseline";
    rules.cloned().ok_or_else(|| Error::Unfit { kind: Kind::Rules, task: card.name.clone(), why })
}

#[cfg(test)]
mod tests;
