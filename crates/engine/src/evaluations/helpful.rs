//! The pending examples that would help most, so that people review these first; and the labels that need more examples.

use std::{
    collections::{BTreeMap, HashMap, hash_map::DefaultHasher},
    hash::{Hash as _, Hasher as _},
};

use graft_contestants::{Likely, Similarity, likely};
use graft_core::Example;
use graft_store::{ExampleFilter, Order, ReviewFilter};
use graft_tasks::cards::Form;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::Evaluations;
use crate::{
    Result,
    examples::{Listed, READY},
    serving::apart,
};

/// Most examples that are chosen: more than one sitting of a person would be chosen before the first is learned.
const MOST: usize = 20;
/// Pending examples that are looked at, the newest.
const PENDING: u32 = 10_000;
/// Of these, the most promising ones, whose texts are compared.
const COMPARED: usize = 2_000;
/// Approved examples that they are compared with, the newest.
const APPROVED: u32 = 5_000;
/// Of these, the newest that n-grams learn from.
const LEARNED: usize = 1_000;
/// Approved examples that each label should have.
const WANTED: usize = READY;
/// The doubt in an answer that a version is sure of: between such answers, only the texts decide.
const LEAST_DOUBT: f64 = 0.05;
/// A text that is so much like another teaches nothing.
const COPY: f64 = 0.98;

/// The pending examples that would help most.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Helpful {
    /// The most helpful first, 20 at most.
    pub examples: Vec<HelpfulExample>,
    /// Pending examples of the task.
    pub pending: u64,
    /// Labels with too few approved examples.
    pub add: Vec<LabelToAdd>,
    /// A sentence about what was found.
    pub text: String,
}

/// An example whose review would help.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct HelpfulExample {
    /// The example, and what the active version says of it.
    #[serde(flatten)]
    pub listed: Listed,
    /// Why it was chosen, in a sentence or two.
    pub why: String,
    /// Confidence of the active version's answer, or else of the n-grams'; absent if there is neither.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confidence: Option<f64>,
    /// How much its text is like the most similar one that is approved or listed before it, from 0 to 1.
    pub similarity: f64,
}

/// A label with too few approved examples.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct LabelToAdd {
    /// The label.
    pub label: String,
    /// Its approved examples.
    pub approved: usize,
    /// How many to add at least.
    pub add: usize,
    /// The same in words.
    pub text: String,
}

/// What is said of a pending example.
#[derive(Clone, Debug)]
struct Said {
    by: String,
    answer: Value,
    confidence: f64,
}

/// What the choice rests on.
struct Choice {
    /// Newest first.
    pending: Vec<Example>,
    /// Newest first.
    approved: Vec<Example>,
    /// The active version's answers, by the example's id.
    said: HashMap<String, Said>,
    is_labels: bool,
}

/// A chosen example.
struct Chosen {
    place: usize,
    why: String,
    confidence: Option<f64>,
    similarity: f64,
}

impl Evaluations<'_> {
    /// The pending examples that would help most, at most `limit` or 20; and the labels that need more examples.
    ///
    /// Chosen one after another is the example with the greatest product of doubt (1 - confidence of the active version,
    /// else of n-grams, else 1), novelty (1 - similarity to the most similar approved or chosen text), and a factor up to 2
    /// if its label has fewer than 10 approved examples. Looks at the 10,000 newest pending examples, compares the texts of
    /// the 2,000 most doubtful ones with each other and with the 5,000 newest approved ones. The same examples and answers
    /// give the same choice.
    ///
    /// # Errors
    /// The task is unknown; store errors.
    pub async fn helpful(self, task: &str, limit: usize) -> Result<Helpful> {
        let definition = self.engine.tasks().definition(task).await?;
        let newest = |review, limit| ExampleFilter {
            task: Some(task.to_owned()),
            review: Some(review),
            order: Order::Newest,
            limit: Some(limit),
            ..ExampleFilter::default()
        };
        let store = &self.engine.store;
        let counts = store.example_counts().await?.remove(task).unwrap_or_default();
        let pending = store.examples(&newest(ReviewFilter::Pending, PENDING)).await?;
        let approved = store.examples(&newest(ReviewFilter::Approved, APPROVED)).await?;
        let mut said = HashMap::new();
        if let Some(version) = store.active_version(task).await? {
            let by = format!("Version `{}`", version.name);
            for (id, (answer, confidence)) in store.answers_to_pending(task, &version.name).await? {
                said.insert(id, Said { by: by.clone(), answer, confidence });
            }
        }
        let is_labels = definition.form == Form::Labels;
        let labels = if is_labels { self.engine.examples().labels(task).await? } else { Vec::new() };
        let choice = Choice { pending, approved, said, is_labels };
        let (choice, chosen) = apart(move || {
            let chosen = choice.chosen(limit.min(MOST));
            Ok((choice, chosen))
        })
        .await?;
        let add = choice.to_add(&labels);
        let mut examples = Vec::with_capacity(chosen.len());
        for Chosen { place, why, confidence, similarity } in chosen {
            let listed = self.engine.examples().listed(choice.pending[place].clone()).await?;
            examples.push(HelpfulExample { listed, why, confidence, similarity });
        }
        let text = match (examples.len(), add.is_empty()) {
            (0, _) if counts.pending > 0 => {
                format!("The {} pending examples are copies of approved ones.", counts.pending)
            }
            (0, false) => "No example is pending. Add examples of the labels that have few.".to_owned(),
            (0, true) if is_labels && !labels.is_empty() => {
                format!("No example is pending, and every label has at least {WANTED} approved ones.")
            }
            (0, true) => {
                format!("No example is pending; {} are approved, and at least {WANTED} are wanted.", counts.approved)
            }
            (chosen, _) => {
                let newest =
                    if counts.pending > u64::from(PENDING) { ", of which the newest were looked at" } else { "" };
                format!("{chosen} of {} pending examples{newest}.", counts.pending)
            }
        };
        Ok(Helpful { examples, pending: counts.pending, add, text })
    }
}

impl Choice {
    /// Approved examples of each label.
    fn counts(&self) -> BTreeMap<&str, usize> {
        let mut counts = BTreeMap::new();
        for label in self.approved.iter().filter_map(|example| example.output.as_ref()?.as_str()) {
            *counts.entry(label).or_default() += 1;
        }
        counts
    }

    /// The labels with too few approved examples, those with the fewest first.
    fn to_add(&self, labels: &[String]) -> Vec<LabelToAdd> {
        let counts = self.counts();
        let few = labels.iter().filter_map(|label| {
            let approved = counts.get(label.as_str()).copied().unwrap_or_default();
            let text = format!("{approved} of `{label}`; at least {WANTED} are wanted");
            (approved < WANTED).then(|| LabelToAdd { label: label.clone(), approved, add: WANTED - approved, text })
        });
        let mut few: Vec<LabelToAdd> = few.collect();
        few.sort_by_key(|label| label.approved);
        few
    }

    /// The label that is said, with its approved examples, if these are too few.
    fn scarcity<'s>(&self, counts: &BTreeMap<&str, usize>, said: &'s Said) -> Option<(&'s str, usize)> {
        let label = said.answer.as_str().filter(|_| self.is_labels)?;
        let approved = counts.get(label).copied().unwrap_or_default();
        (approved < WANTED).then_some((label, approved))
    }

    fn chosen(&self, limit: usize) -> Vec<Chosen> {
        let counts = self.counts();
        let said = self.all_said();
        let promise = |said: &Option<Said>| {
            let Some(said) = said else { return 1.0 };
            let few = self.scarcity(&counts, said).map_or(0, |(_, approved)| WANTED - approved);
            (1.0 - said.confidence).max(LEAST_DOUBT) * (1.0 + few as f64 / WANTED as f64)
        };
        let mut candidates: Vec<(usize, f64)> = said.iter().map(promise).enumerate().collect();
        candidates.retain(|(place, _)| !self.pending[*place].input.trim().is_empty());
        // Among equals, neither the newest nor those of one source come first.
        candidates.sort_by_cached_key(|(place, _)| scattered(&self.pending[*place].id));
        candidates.sort_by(|a, b| b.1.total_cmp(&a.1));
        candidates.truncate(COMPARED);
        let texts: Vec<&str> = candidates.iter().map(|(place, _)| &*self.pending[*place].input).collect();
        let known: Vec<&str> = self.approved.iter().map(|example| &*example.input).collect();
        let mut similarity = Similarity::new(&texts, &known);
        let mut chosen = Vec::new();
        while chosen.len() < limit {
            let mut best: Option<(usize, f64)> = None;
            for (i, (_, promise)) in candidates.iter().enumerate() {
                let alike = similarity.greatest(i);
                let score = promise * (1.0 - alike);
                if alike < COPY && best.is_none_or(|(_, greatest)| score > greatest) {
                    best = Some((i, score));
                }
            }
            let Some((i, _)) = best else { break };
            let (place, alike) = (candidates[i].0, similarity.greatest(i));
            let said = said[place].as_ref();
            let why = why(said, alike, said.and_then(|said| self.scarcity(&counts, said)));
            chosen.push(Chosen { place, why, confidence: said.map(|said| said.confidence), similarity: alike });
            similarity.choose(i);
        }
        chosen
    }

    /// What the active version says of each pending example; or else n-grams, if the answers are labels.
    fn all_said(&self) -> Vec<Option<Said>> {
        let mut said: Vec<Option<Said>> =
            self.pending.iter().map(|example| self.said.get(&example.id).cloned()).collect();
        let open: Vec<usize> = (0..said.len()).filter(|place| said[*place].is_none()).collect();
        if open.is_empty() || !self.is_labels {
            return said;
        }
        let labelled = |example: &Example| Some((example.input.clone(), example.output.as_ref()?.as_str()?.to_owned()));
        let learned = self.approved.iter().take(LEARNED).filter_map(labelled).collect();
        let texts: Vec<&str> = open.iter().map(|place| &*self.pending[*place].input).collect();
        for (place, Likely { label, probability }) in open.into_iter().zip(likely(learned, &texts)) {
            let by = "N-grams of the approved examples".to_owned();
            said[place] = Some(Said { by, answer: Value::from(label), confidence: probability });
        }
        said
    }
}

/// A number that follows from an id alone.
fn scattered(id: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    id.hash(&mut hasher);
    hasher.finish()
}

/// Why an example was chosen.
fn why(said: Option<&Said>, similarity: f64, few: Option<(&str, usize)>) -> String {
    let percent = |share: f64| format!("{:.0} %", share * 100.0);
    let mut why = Vec::new();
    if let Some(Said { by, answer, confidence }) = said {
        let of = answer
            .as_str()
            .filter(|label| label.len() <= 60)
            .map_or("its answer".to_owned(), |label| format!("`{label}`"));
        let verb = if by.starts_with("Version") { "is" } else { "are" };
        why.push(format!("{by} {verb} {} confident of {of}.", percent(*confidence)));
    }
    why.push(match similarity {
        near_nothing if near_nothing < 0.1 => "Nothing approved or listed before is like it.".to_owned(),
        alike => format!("It is {} like the most similar text approved or listed before.", percent(alike)),
    });
    match few {
        Some((label, 0)) => why.push(format!("`{label}` has no approved example.")),
        Some((label, count)) => why
            .push(format!("`{label}` has only {count} approved {}.", if count == 1 { "example" } else { "examples" })),
        None => {}
    }
    why.join(" ")
}

#[cfg(test)]
mod tests {
    use graft_core::{Review, Source};
    use proptest::prelude::*;

    use super::*;
    use crate::{Engine, Home};

    const TASK: &str = "text-classification";

    fn example(id: String, input: String, label: Option<&str>) -> Example {
        let review = if label.is_some() { Review::Approved { by: "ada".into(), at: 0 } } else { Review::Pending };
        let source = Source { kind: "csv".into(), reference: id.clone(), at: Some(0) };
        Example { id, task: TASK.into(), input, output: label.map(Value::from), source, review, revision: 1 }
    }

    /// Approved examples of two labels, none like another, with 40 pending copies that have a word more, and 20 pending
    /// texts that are new.
    fn copies_and_new() -> Vec<Example> {
        let word = |n: usize| -> String {
            let letter = |k: u32| char::from(b'a' + (n.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> (8 * k + 3)) as u8 % 26);
            (0..6).map(letter).collect()
        };
        let text = |i: usize| (0..9).map(|k| word(9 * i + k)).collect::<Vec<_>>().join(" ");
        let approved = (0..40).map(|i| example(format!("a{i}"), text(i), Some(["in", "out"][i % 2])));
        let copies = (0..40).map(|i| example(format!("b{i}"), format!("{} again", text(i)), None));
        let new = (40..60).map(|i| example(format!("c{i}"), text(i), None));
        approved.chain(copies).chain(new).collect()
    }

    async fn engine(dir: &tempfile::TempDir, examples: &[Example]) -> Engine {
        let engine = Engine::open(Home::at(dir.path()).unwrap(), "ada").await.unwrap();
        engine.store.import(examples, "ada", 0).await.unwrap();
        engine
    }

    #[tokio::test]
    async fn new_texts_are_more_helpful_than_copies_of_approved_ones() {
        let dir = tempfile::tempdir().unwrap();
        let engine = engine(&dir, &copies_and_new()).await;
        let found = engine.evaluations().helpful(TASK, 99).await.unwrap();
        let ids = |found: &Helpful| found.examples.iter().map(|one| one.listed.example.id.clone()).collect::<Vec<_>>();
        let new = ids(&found).iter().filter(|id| id.starts_with('c')).count();
        assert!(found.examples.len() == 20 && new >= 18, "{new} of {}", found.examples.len());
        assert_eq!(found.text, "20 of 60 pending examples.");
        let why = &found.examples[0].why;
        assert!(why.starts_with("N-grams of the approved examples are ") && why.contains("Nothing approved"), "{why}");
        assert_eq!(ids(&engine.evaluations().helpful(TASK, 20).await.unwrap()), ids(&found), "the same choice");
    }

    #[tokio::test]
    async fn doubt_and_few_examples_of_a_label_count() {
        let text = |word: &str, i: usize| format!("{word} number {i} with some other words");
        let approved = (0..20).map(|i| example(format!("a{i}"), text("plain", i), Some("in")));
        let rare = (0..2).map(|i| example(format!("r{i}"), text("odd", i), Some("out")));
        let pending =
            ["sure", "unsure", "scarce"].map(|id| example(id.into(), format!("the {id} one says what it says"), None));
        let dir = tempfile::tempdir().unwrap();
        let engine = engine(&dir, &approved.chain(rare).chain(pending).collect::<Vec<_>>()).await;
        let kind = graft_contestants::Kind::NGrams;
        let version = engine.evaluations().add_contestant(TASK, kind, None, None, &mut |_, _, _| {}).await.unwrap();
        engine.evaluations().activate(TASK, &version.name, crate::Seen::Any, true, &mut |_, _, _| {}).await.unwrap();
        let said = [("sure", "in", 0.99), ("unsure", "in", 0.6), ("scarce", "out", 0.6)];
        let suggestions = said.map(|(id, label, confidence)| graft_store::Suggestion {
            task: TASK.into(),
            example: id.into(),
            revision: 1,
            version: version.name.clone(),
            answer: Value::from(label),
            confidence,
            fields: BTreeMap::new(),
            disagrees: false,
            made_at: 0,
        });
        engine.store.put_suggestions(&suggestions).await.unwrap();
        let found = engine.evaluations().helpful(TASK, 20).await.unwrap();
        let order: Vec<&str> = found.examples.iter().map(|one| one.listed.example.id.as_str()).collect();
        assert_eq!(order, ["scarce", "unsure", "sure"]);
        let why = &found.examples[0].why;
        let version = format!("Version `{}` is 60 % confident of `out`.", version.name);
        assert!(why.starts_with(&version) && why.ends_with("`out` has only 2 approved examples."), "{why}");
        let add =
            LabelToAdd { label: "out".into(), approved: 2, add: 8, text: "2 of `out`; at least 10 are wanted".into() };
        assert_eq!(found.add, [add]);
    }

    #[tokio::test]
    async fn without_pending_examples_labels_to_add_are_named() {
        let dir = tempfile::tempdir().unwrap();
        let approved: Vec<Example> = (0..13)
            .map(|i| example(format!("a{i}"), format!("text {i}"), Some(if i < 10 { "in" } else { "out" })))
            .collect();
        let engine = engine(&dir, &approved).await;
        let found = engine.evaluations().helpful(TASK, 20).await.unwrap();
        assert_eq!((found.examples.len(), found.add[0].text.as_str()), (0, "3 of `out`; at least 10 are wanted"));
        assert_eq!(found.text, "No example is pending. Add examples of the labels that have few.");
        assert!(engine.evaluations().helpful("no-task", 20).await.is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_examples_are_chosen_from(
            pending in prop::collection::vec(("\\PC{0,9}", prop::option::of((any::<f64>(), "[ab]?"))), 0..9),
            approved in prop::collection::vec(("\\PC{0,9}", "[ab]?"), 0..9),
        ) {
            let said = pending.iter().enumerate().filter_map(|(i, (_, said))| {
                let (confidence, label) = said.clone()?;
                Some((i.to_string(), Said { by: "Version `v1`".into(), answer: Value::from(label), confidence }))
            });
            let choice = Choice {
                said: said.collect(),
                pending: pending.iter().enumerate().map(|(i, (text, _))| example(i.to_string(), text.clone(), None)).collect(),
                approved: approved.iter().map(|(text, label)| example(text.clone(), text.clone(), Some(label))).collect(),
                is_labels: true,
            };
            let chosen = choice.chosen(5);
            let mut places: Vec<usize> = chosen.iter().map(|one| one.place).collect();
            places.sort_unstable();
            places.dedup();
            prop_assert!(places.len() == chosen.len() && chosen.len() <= 5);
        }
    }
}
