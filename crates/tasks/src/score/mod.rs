//! Scores of answers with 95 % intervals (Wilson's for proportions, bootstrap for other numbers), and the comparison of two
//! versions.

mod bootstrap;
mod compare;
mod diff;
mod fields;
mod labels;
mod normal;
mod text;

use graft_core::{AnswerForm, Digest, TaskCard};
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use compare::{Comparison, Verdict, compare};
pub use diff::{Diff, FieldDiff, diff};

pub use bootstrap::wilson;

use bootstrap::Ratio;
use utoipa::ToSchema;

use crate::cards::{Form, Scoring, Task};

/// The numbers of one model on the held-out examples of a task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Scores {
    /// The task's name.
    pub task: String,
    /// Held-out examples.
    pub n: usize,
    /// How many of them got a valid answer; a missing answer is wrong in every way.
    pub answered: usize,
    /// In the order they are shown.
    pub metrics: Vec<Metric>,
    /// Label tasks: each label on its own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<LabelScore>,
    /// Label tasks: which label was taken for which.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confusion: Option<Confusion>,
    /// Name of the metric that decides between versions.
    pub headline: String,
    /// The headline's share of each example, in order; for paired comparison.
    pub per_example: Vec<f64>,
    /// Digest of the truth, so that only scores of the same examples are compared.
    pub truth: Digest,
    /// Digest of the rules of comparison; absent in scores of earlier releases.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rules: Option<Digest>,
}

/// One number, from 0 to 1, with its 95 % interval.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Metric {
    /// Such as `direction`, `item_f1`, `exact`, `accuracy`.
    pub name: String,
    /// On all examples.
    pub value: f64,
    /// Lower end of the interval.
    pub low: f64,
    /// Upper end of the interval.
    pub high: f64,
}

/// One label of a label task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct LabelScore {
    /// The label.
    pub label: String,
    /// Held-out examples that have it.
    pub support: usize,
    /// Right ones among those given.
    pub precision: f64,
    /// Found ones among those there are.
    pub recall: f64,
    /// Harmonic mean of the two.
    pub f1: f64,
}

/// Which label was taken for which.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Confusion {
    /// Names of rows and columns.
    pub labels: Vec<String>,
    /// `counts[true][given]`; each row has one more column, for no valid answer.
    pub counts: Vec<Vec<usize>>,
}

impl Scores {
    /// A metric by its name.
    #[must_use]
    pub fn metric(&self, name: &str) -> Option<&Metric> {
        self.metrics.iter().find(|metric| metric.name == name)
    }

    /// The metric that decides between versions: the task's, or else whole answers right (`exact`), `accuracy` for labels,
    /// `rouge_l` for texts.
    #[must_use]
    pub fn headline(&self) -> Option<&Metric> {
        self.metric(&self.headline)
    }

    /// The share of answers that are all right.
    #[must_use]
    pub fn all_right(&self) -> Option<&Metric> {
        self.metric("accuracy").or_else(|| self.metric("exact"))
    }

    /// The F1 of an answer form: the macro F1 of labels, that of the items of the first list of fields, that of the words
    /// of texts; none for fields without a list.
    #[must_use]
    pub fn f1(&self, card: &TaskCard) -> Option<&Metric> {
        match &card.answer {
            AnswerForm::Json { schema } => self.metric(&fields::first_f1(schema)?),
            AnswerForm::Label { .. } => self.metric("macro_f1"),
            AnswerForm::Text => self.metric("token_f1"),
        }
    }
}

/// Scores pairs of the wanted answer and the answer given (`None` where there was no valid one) by the rules of a task.
///
/// For `slack-rescue` the metrics `direction`, `rescue_location`, `drop_off_location`, `item_f1` and `exact` are the
/// same as those of the data's `score.py`. The same seed gives the same intervals.
#[must_use]
pub fn score(card: &TaskCard, rules: &Scoring, pairs: &[(Value, Option<Value>)], seed: u64) -> Scores {
    let mut board = Board { n: pairs.len(), seed, ratios: Vec::new(), metrics: Vec::new() };
    let mut extra = (Vec::new(), None);
    let usual = match &card.answer {
        AnswerForm::Json { schema } => fields::score(schema, rules, pairs, &mut board),
        AnswerForm::Label { labels } => {
            let (label_scores, confusion) = labels::score(labels, pairs, &mut board);
            extra = (label_scores, Some(confusion));
            "accuracy"
        }
        AnswerForm::Text => text::score(pairs, &mut board),
    };
    let headline = rules.metric.as_deref().filter(|metric| board.has_share(metric)).unwrap_or(usual);
    let truths: Vec<String> = pairs.iter().map(|(want, _)| want.to_string()).collect();
    let per_example = board.ratios.iter().find(|(name, _)| name == headline);
    Scores {
        task: card.name.clone(),
        n: pairs.len(),
        answered: pairs.iter().filter(|(_, got)| got.is_some()).count(),
        per_example: per_example.map(|(_, ratios)| ratios.iter().map(|r| r.num).collect()).unwrap_or_default(),
        headline: headline.to_owned(),
        metrics: board.metrics,
        labels: extra.0,
        confusion: extra.1,
        truth: Digest::of_parts(truths.iter().map(String::as_bytes)),
        rules: Some(Digest::of(graft_core::json::line(rules).as_bytes())),
    }
}

/// The metrics that may decide between versions of a task: those that every example has a share of. The first is usual.
pub(crate) fn deciding(task: &Task) -> Vec<String> {
    match task.form {
        Form::Labels => vec!["accuracy".to_owned()],
        Form::Text | Form::Dialogue => ["rouge_l", "token_f1", "exact"].map(str::to_owned).to_vec(),
        Form::Fields => {
            let schema = task.schema.as_ref().unwrap_or(&Value::Null);
            let single = fields::properties(schema).filter(|(_, inner)| inner.get("items").is_none());
            std::iter::once("exact".to_owned()).chain(single.map(|(name, _)| name.to_owned())).collect()
        }
    }
}

/// Whether an answer is right in all of it: what the metrics `exact` and `accuracy` count.
#[must_use]
pub fn all_right(card: &TaskCard, rules: &Scoring, want: &Value, got: &Value) -> bool {
    match &card.answer {
        AnswerForm::Text => text::same(want, got),
        AnswerForm::Json { .. } | AnswerForm::Label { .. } => diff(card, rules, want, got).score >= 1.0,
    }
}

/// Collects metrics and gives each its interval.
struct Board {
    n: usize,
    seed: u64,
    ratios: Vec<(String, Vec<Ratio>)>,
    metrics: Vec<Metric>,
}

impl Board {
    /// Whether a metric is a mean over examples.
    fn has_share(&self, name: &str) -> bool {
        self.ratios.iter().any(|(of, ratios)| of == name && ratios.iter().all(|ratio| ratio.den == 1.0))
    }

    /// A metric that is a sum over examples divided by another.
    fn ratio(&mut self, name: impl Into<String>, ratios: Vec<Ratio>) {
        let name = name.into();
        let statistic = |sample: &mut dyn Iterator<Item = usize>| bootstrap::total(&ratios, sample);
        self.push(&name, &statistic);
        self.ratios.push((name, ratios));
    }

    /// The share of examples that are right, with Wilson's interval.
    fn share(&mut self, name: impl Into<String>, right: impl IntoIterator<Item = bool>) {
        let name = name.into();
        let ratios: Vec<Ratio> =
            right.into_iter().map(|right| Ratio { num: f64::from(u8::from(right)), den: 1.0 }).collect();
        let (low, high) = bootstrap::wilson(ratios.iter().map(|ratio| ratio.num).sum(), self.n);
        let value = bootstrap::total(&ratios, &mut (0..self.n));
        self.metrics.push(Metric { name: name.clone(), value, low, high });
        self.ratios.push((name, ratios));
    }

    /// The mean of a number from 0 to 1 over the examples.
    fn mean(&mut self, name: impl Into<String>, values: impl IntoIterator<Item = f64>) {
        self.ratio(name, values.into_iter().map(|num| Ratio { num, den: 1.0 }).collect());
    }

    /// Any statistic of a sample of example indices.
    fn push(&mut self, name: &str, statistic: &dyn Fn(&mut dyn Iterator<Item = usize>) -> f64) {
        let value = statistic(&mut (0..self.n));
        let (mut low, mut high) = bootstrap::interval(self.n, self.seed, statistic);
        // Where all examples are right, or none is, drawing them again says nothing.
        if value >= 1.0 {
            low = low.min(bootstrap::wilson(self.n as f64, self.n).0);
        } else if value <= 0.0 {
            high = high.max(bootstrap::wilson(0.0, self.n).1);
        }
        self.metrics.push(Metric { name: name.to_owned(), value, low, high });
    }
}

#[cfg(test)]
mod tests;
