//! Answers that contradict models which were not trained on them, and answers accepted unchanged from the parser.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
};

use graft_contestants::{Parser, Unseen, unseen};
use graft_core::{Digest, Example, near_duplicates};
use graft_store::{Stage, Version};
use graft_tasks::cards::{Form, Task};
use serde_json::Value;

use super::{
    Approved, Draft, Evaluations, Fix, FixAction, FixDecision, SuspectKind,
    labels::{Spellings, is_empty},
    short,
};
use crate::{Evaluation, Result, serving::apart};

/// A version that is at least this sure of a wrong answer is suspicious of the truth.
const SURE: f64 = 0.8;
/// Fewer labelled examples say nothing about each other.
const ENOUGH: usize = 20;

/// What n-grams say, by the example's id.
type Said = BTreeMap<String, Unseen>;

/// What models say of examples that they did not learn from.
#[derive(Debug, Default)]
pub(super) struct Judged {
    /// N-grams, of each labelled example.
    unseen: Arc<Said>,
    /// The version's confident wrong answers, by the example's id.
    version: BTreeMap<String, Wrong>,
}

/// An answer that a version is sure of, and that is not the truth.
#[derive(Debug)]
struct Wrong {
    version: String,
    confidence: f64,
    /// The truth that it was compared with.
    truth: Option<Value>,
    /// Absent where it was not kept.
    answer: Option<Value>,
}

/// What n-grams said of each task's examples when they were asked last: asking takes seconds.
#[derive(Debug, Default)]
pub(crate) struct Judgements(Mutex<BTreeMap<String, (Digest, Arc<Said>)>>);

impl Judgements {
    fn known(&self, task: &str, of: &Digest) -> Option<Arc<Said>> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.get(task).filter(|(digest, _)| digest == of).map(|(_, said)| said.clone())
    }

    fn keep(&self, task: &str, of: Digest, said: Arc<Said>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(task.to_owned(), (of, said));
    }
}

impl Evaluations<'_> {
    /// What models say of examples that they did not learn from: n-grams of the other folds where answers are labels, and
    /// the version that was measured last, the active one first.
    pub(super) async fn judgements(self, task: &Task, examples: &[Example]) -> Result<Judged> {
        if task.form.is_text() {
            return Ok(Judged::default());
        }
        let version = self.confident_mistakes(&task.name).await?;
        if task.form != Form::Labels || examples.len() < ENOUGH {
            return Ok(Judged { version, ..Judged::default() });
        }
        let mut labelled: Vec<(String, String, String)> = examples.iter().filter_map(labelled).collect();
        let parts: Vec<&[u8]> = labelled
            .iter()
            .flat_map(|(id, input, label)| [id.as_bytes(), input.as_bytes(), label.as_bytes()])
            .collect();
        let digest = Digest::of_parts(parts);
        if let Some(unseen) = self.engine.judgements.known(&task.name, &digest) {
            return Ok(Judged { unseen, version });
        }
        let said = apart(move || {
            // Near-duplicates stand side by side, so that they are in one fold.
            let texts: Vec<&str> = labelled.iter().map(|(_, input, _)| input.as_str()).collect();
            let mut clusters = near_duplicates(&texts).into_iter();
            labelled.sort_by_cached_key(|_| clusters.next());
            let pairs: Vec<(&str, &str)> =
                labelled.iter().map(|(_, input, label)| (input.as_str(), label.as_str())).collect();
            let said = unseen(&pairs);
            Ok(labelled.into_iter().map(|(id, ..)| id).zip(said).collect())
        });
        let said: Arc<Said> = Arc::new(said.await?);
        self.engine.judgements.keep(&task.name, digest, said.clone());
        Ok(Judged { unseen: said, version })
    }

    /// The held-out answers that a version is sure of and that are wrong: of the active version, or else of the newest
    /// one that was measured.
    async fn confident_mistakes(self, task: &str) -> Result<BTreeMap<String, Wrong>> {
        let versions = self.engine.store.versions(Some(task)).await?;
        let measured = |version: &Version| Some((version.clone(), Evaluation::of(version)?));
        let active = versions.iter().find(|version| version.stage == Stage::Active).and_then(measured);
        let Some((version, evaluation)) = active.or_else(|| versions.iter().rev().find_map(measured)) else {
            return Ok(BTreeMap::new());
        };
        let Some(confidences) = &evaluation.confidences else { return Ok(BTreeMap::new()) };
        let held_out = self.engine.versions().held_out(&version, &evaluation).await?;
        let said: BTreeMap<usize, &Value> =
            evaluation.worst.iter().filter_map(|kept| Some((kept.place, kept.answer.as_ref()?))).collect();
        let scored = held_out.into_iter().zip(&evaluation.adapter.per_example).zip(confidences).enumerate();
        let wrong = scored.filter_map(|(place, ((example, score), confidence))| {
            (*score < 1.0 && *confidence >= SURE).then(|| {
                let answer = said.get(&place).map(|answer| (*answer).clone());
                let Example { id, output: truth, .. } = example;
                (id, Wrong { version: version.name.clone(), confidence: *confidence, truth, answer })
            })
        });
        Ok(wrong.collect())
    }
}

/// Id, text and label of an example that has one.
fn labelled(example: &Example) -> Option<(String, String, String)> {
    let label = example.output.as_ref()?.as_str()?.trim();
    (!is_empty(label)).then(|| (example.id.clone(), example.input.clone(), label.to_owned()))
}

impl Approved<'_> {
    /// Examples of which a model says something else and is sure, but for those that are suspect already.
    pub(super) fn disagreements(&self, judged: &Judged, spelled: &Spellings, named: &BTreeSet<usize>) -> Vec<Draft> {
        let mut found: Vec<(f64, Draft)> = Vec::new();
        for (place, example) in self.examples.iter().enumerate() {
            if named.contains(&place) || self.is_confirmed(place) {
                continue;
            }
            let mut reasons = Vec::new();
            let (mut other, mut sure) = (None, 0.0_f64);
            // As sure as of the examples that do have the label (confident learning, Northcutt et al. 2021).
            let unseen = judged.unseen.get(&example.id).filter(|said| {
                let label = spelled.get(&said.label).unwrap_or(&said.label);
                label != self.merged(place, spelled) && said.probability >= said.usual.max(0.5)
            });
            if let Some(said) = unseen {
                let percent = said.probability * 100.0;
                reasons.push(format!("n-grams of the other examples say `{}` ({percent:.0} %)", said.label));
                (other, sure) = (Some(Value::from(said.label.as_str())), said.probability);
            }
            if let Some(wrong) = judged.version.get(&example.id).filter(|wrong| wrong.truth == example.output) {
                let percent = wrong.confidence * 100.0;
                let said = wrong.answer.as_ref().map(|answer| format!(": `{}`", short(answer))).unwrap_or_default();
                reasons
                    .push(format!("version `{}` is {percent:.0} % confident of another answer{said}", wrong.version));
                other = wrong.answer.clone().or(other);
                sure = sure.max(wrong.confidence);
            }
            if reasons.is_empty() {
                continue;
            }
            let mut fixes = Vec::new();
            if let Some(answer) = &other {
                let decisions = vec![FixDecision::edit(example, answer)];
                fixes.push(Fix {
                    action: FixAction::Change,
                    title: format!("Change to `{}`", short(answer)),
                    decisions,
                });
            }
            let own = example.output.as_ref().map(short).unwrap_or_default();
            fixes.push(self.keep(&format!("Keep `{own}`"), &[place]));
            fixes.push(self.reject("Reject", "wrong or unclear", &[place]));
            let reason = reasons.join("; ");
            found.push((sure, Draft { kind: SuspectKind::Disagreement, reason, places: vec![place], fixes }));
        }
        found.sort_by(|a, b| b.0.total_cmp(&a.0));
        found.into_iter().map(|(_, draft)| draft).collect()
    }

    /// Held-out answers that were approved unchanged from the parser: its score counts them as right, whatever they are.
    pub(super) fn unchanged(
        &self,
        parser: Option<&Parser>,
        held_out: &impl Fn(&Example) -> bool,
        named: &BTreeSet<usize>,
    ) -> Vec<Draft> {
        let Some((parser, card)) = parser.zip(self.task.card(&[]).ok()) else { return Vec::new() };
        let is_open = |(place, example): &(usize, &Example)| {
            !named.contains(place)
                && held_out(example)
                && self.trail.is_unchanged(example, (&card, &self.task.scoring), parser)
        };
        let draft = |(place, _)| {
            let reason = "held out, and the parser's answer was approved unchanged: this raises the parser's score";
            let fixes = vec![self.keep("It is right", &[place]), self.reject("Reject", "wrong or unclear", &[place])];
            let kind = SuspectKind::ParserUnchanged;
            Draft { kind, reason: reason.to_owned(), places: vec![place], fixes }
        };
        self.examples.iter().enumerate().filter(is_open).map(draft).collect()
    }
}
