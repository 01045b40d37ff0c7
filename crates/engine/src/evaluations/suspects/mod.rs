//! Suspect labels: approved examples that contradict themselves, each other, or a confident model.
//!
//! Nothing is changed here. Each suspect comes with its fixes, which are decisions as people make them one by one. To
//! approve an approved example again as it is says that it is meant so; it is not suspected again until it changes.

mod labels;
mod models;
mod texts;
mod trail;

use std::collections::{BTreeMap, BTreeSet};

use graft_core::{Example, Side};
use graft_store::{ExampleFilter, Order, ReviewFilter};
use graft_tasks::cards::{Form, Task};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

pub(crate) use models::Judgements;
pub(crate) use trail::Trail;

use super::Evaluations;
use crate::{Result, serving::apart};

/// Examples shown of one suspect.
const SHOWN: usize = 100;
/// Suspects listed.
const LISTED: usize = 500;
/// Different answers of one suspect that can be chosen.
const CHOICES: usize = 9;

/// Why examples are suspect, in the order in which they are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SuspectKind {
    /// A label like `N/A` or `null`.
    EmptyLabel,
    /// Labels that differ by case, spaces or a typo.
    LabelSpelling,
    /// The same text with different answers.
    SameText,
    /// Nearly the same text with different answers.
    NearDuplicate,
    /// A confident model that did not learn from the example answers something else.
    Disagreement,
    /// A held-out answer that was approved unchanged from the parser.
    ParserUnchanged,
}

impl SuspectKind {
    /// In a heading or a sum.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::EmptyLabel => "empty labels",
            Self::LabelSpelling => "labels in two spellings",
            Self::SameText => "same text, different answers",
            Self::NearDuplicate => "nearly the same text, different answers",
            Self::Disagreement => "a confident model disagrees",
            Self::ParserUnchanged => "held out, approved unchanged from the parser",
        }
    }
}

/// The suspects of a task.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Suspects {
    /// The worst first, 500 at most.
    pub suspects: Vec<Suspect>,
    /// How many there are of each kind.
    pub counts: Vec<SuspectCount>,
    /// Approved examples that were looked at.
    pub examples: usize,
}

/// How many suspects there are of a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct SuspectCount {
    /// The kind.
    pub kind: SuspectKind,
    /// For people.
    pub title: &'static str,
    /// How many.
    pub count: usize,
}

impl Suspects {
    /// Suspects that spoil a training: all but those that only flatter the parser. In words, with the counts; `None`
    /// where there are none.
    #[must_use]
    pub fn summary(&self) -> Option<(usize, String)> {
        let spoils = |one: &&SuspectCount| one.kind != SuspectKind::ParserUnchanged;
        let found: Vec<&SuspectCount> = self.counts.iter().filter(spoils).collect();
        let words: Vec<String> = found.iter().map(|one| format!("{} × {}", one.count, one.title)).collect();
        let all = found.iter().map(|one| one.count).sum();
        (all > 0).then(|| (all, words.join("; ")))
    }
}

/// Something to look at before it is learned from.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Suspect {
    /// What kind of fault.
    pub kind: SuspectKind,
    /// One sentence about this one.
    pub reason: String,
    /// The examples, 100 at most.
    pub examples: Vec<SuspectExample>,
    /// How many there are.
    pub count: usize,
    /// What can be done; the first is proposed.
    pub fixes: Vec<Fix>,
}

/// An example that is suspect.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SuspectExample {
    /// As it is.
    #[serde(flatten)]
    pub example: Example,
    /// The `seq` of its newest change: a decision names it as what was seen.
    pub seen: i64,
    /// Whether it is on the held-out side.
    pub held_out: bool,
}

/// What a fix does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FixAction {
    /// They get another answer: a label in its usual spelling, or what a model says.
    Change,
    /// One answer is right; the other examples get it, or are rejected.
    Keep,
    /// All are right as they are.
    KeepAll,
    /// None may be used.
    Reject,
}

/// A way to fix a suspect: one decision an example.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Fix {
    /// What it does.
    pub action: FixAction,
    /// On a button.
    pub title: String,
    /// To be made one by one, each only if the example is as it was seen.
    pub decisions: Vec<FixDecision>,
}

/// One decision of a fix.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct FixDecision {
    /// The example.
    pub id: String,
    /// What to decide.
    pub action: FixVerb,
    /// The right answer, for `edit`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output: Option<Value>,
    /// Why, for `reject`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// The decisions that fixes are made of; the API's routes of an example have these names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum FixVerb {
    /// Its answer is right.
    Approve,
    /// It gets another answer.
    Edit,
    /// It must not be used.
    Reject,
}

impl FixDecision {
    fn approve(example: &Example) -> Self {
        Self { id: example.id.clone(), action: FixVerb::Approve, output: None, reason: None }
    }

    fn edit(example: &Example, output: &Value) -> Self {
        Self { id: example.id.clone(), action: FixVerb::Edit, output: Some(output.clone()), reason: None }
    }

    fn reject(example: &Example, reason: &str) -> Self {
        Self { id: example.id.clone(), action: FixVerb::Reject, output: None, reason: Some(reason.to_owned()) }
    }
}

/// A suspect before it is shown: places among the approved examples.
struct Draft {
    kind: SuspectKind,
    reason: String,
    places: Vec<usize>,
    fixes: Vec<Fix>,
}

/// What the checks look at.
struct Approved<'e> {
    task: &'e Task,
    examples: &'e [Example],
    trail: &'e Trail,
}

impl Approved<'_> {
    /// The label of an example.
    fn label(&self, place: usize) -> &str {
        self.examples[place].output.as_ref().and_then(Value::as_str).unwrap_or_default().trim()
    }

    /// Whether a person confirmed it by approving it again.
    fn is_confirmed(&self, place: usize) -> bool {
        self.trail.of(&self.examples[place].id).is_confirmed
    }

    fn has_labels(&self) -> bool {
        self.task.form == Form::Labels
    }

    /// Approves all again that were not yet.
    fn keep(&self, title: &str, places: &[usize]) -> Fix {
        let open = places.iter().filter(|place| !self.is_confirmed(**place));
        let decisions = open.map(|place| FixDecision::approve(&self.examples[*place])).collect();
        Fix { action: FixAction::KeepAll, title: title.to_owned(), decisions }
    }

    fn reject(&self, title: &str, reason: &str, places: &[usize]) -> Fix {
        let decisions = places.iter().map(|place| FixDecision::reject(&self.examples[*place], reason)).collect();
        Fix { action: FixAction::Reject, title: title.to_owned(), decisions }
    }
}

/// An answer in few characters.
fn short(answer: &Value) -> String {
    const MOST: usize = 48;
    let text = answer.as_str().map_or_else(|| answer.to_string(), str::to_owned);
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= MOST { line } else { line.chars().take(MOST - 1).chain(['…']).collect() }
}

/// `1 example`, `3 examples`.
fn examples(count: usize) -> String {
    format!("{count} example{}", if count == 1 { "" } else { "s" })
}

impl Evaluations<'_> {
    /// The approved examples of a task that contradict themselves, each other or a confident model. Nothing is changed.
    ///
    /// # Errors
    /// The task is unknown; what the store says.
    pub async fn suspects(self, task: &str) -> Result<Suspects> {
        let task = self.engine.tasks().definition(task).await?;
        let filter = ExampleFilter {
            task: Some(task.name.clone()),
            review: Some(ReviewFilter::Approved),
            order: Order::Oldest,
            ..ExampleFilter::default()
        };
        let mut examples = self.engine.store.examples(&filter).await?;
        examples.retain(|example| example.output.is_some());
        let trail = self.trail(&task.name).await?;
        let judged = self.judgements(&task, &examples).await?;
        let sides = self.engine.store.assignment(&task.name).await?;
        let parser = self.proposing_parser(&task).await?;
        apart(move || {
            let held_out = |example: &Example| sides.get(&example.id) == Some(&Side::Eval);
            let approved = Approved { task: &task, examples: &examples, trail: &trail };
            let mut found = approved.labels_to_merge();
            let spelled = approved.spellings(&found);
            found.extend(approved.contradictions(&spelled));
            // What is suspect already needs no second reason.
            let mut named: BTreeSet<usize> = found.iter().flat_map(|draft| draft.places.iter().copied()).collect();
            let disagreeing = approved.disagreements(&judged, &spelled, &named);
            named.extend(disagreeing.iter().flat_map(|draft| draft.places.iter().copied()));
            found.extend(disagreeing);
            found.extend(approved.unchanged(parser.as_ref(), &held_out, &named));
            found.sort_by_key(|draft| draft.kind);
            let mut counts: BTreeMap<SuspectKind, usize> = BTreeMap::new();
            found.iter().for_each(|draft| *counts.entry(draft.kind).or_default() += 1);
            let counts = counts.into_iter().map(|(kind, count)| SuspectCount { kind, title: kind.title(), count });
            let shown = |draft: Draft| {
                let example = |place: &usize| {
                    let example = examples[*place].clone();
                    SuspectExample { seen: trail.of(&example.id).newest, held_out: held_out(&example), example }
                };
                let shown: Vec<SuspectExample> = draft.places.iter().take(SHOWN).map(example).collect();
                let Draft { kind, reason, places, mut fixes } = draft;
                // Nobody decides on what they don't see: the rest is listed again afterwards.
                let listed: BTreeSet<&str> = shown.iter().map(|one| one.example.id.as_str()).collect();
                fixes.iter_mut().for_each(|fix| fix.decisions.retain(|one| listed.contains(one.id.as_str())));
                Suspect { kind, reason, examples: shown, count: places.len(), fixes }
            };
            let suspects = found.into_iter().take(LISTED).map(shown).collect();
            Ok(Suspects { suspects, counts: counts.collect(), examples: examples.len() })
        })
        .await
    }
}

#[cfg(test)]
mod tests;
