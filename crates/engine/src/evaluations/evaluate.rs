//! Scores of a version on held-out examples.

use std::{
    collections::{BTreeMap, HashMap},
    time::Instant,
};

use graft_contestants::{Contestant, Error as ContestantError, Kind, Parser, Patience};
use graft_core::{Dataset, Example, TaskCard, near_duplicates};
use graft_predict::Calibration;
use graft_store::{Lease, Measurement, Version};
use graft_tasks::{
    cards::Scoring,
    score::{self, Scores},
};
use serde_json::Value;

use super::Evaluations;
use crate::{
    Result, Serving,
    examples::USUAL_SPLIT,
    now,
    serving::Answer,
    versions::{ContestantScores, Evaluation, KeptAnswer, Measured, field_of},
};

/// How answers are judged: the form they have, and the rules of comparison.
pub type Judged<'a> = (&'a TaskCard, &'a Scoring);

/// Hears what is being done, how much of it is done, and how much there is.
pub type Tell<'t> = &'t mut dyn FnMut(&str, usize, usize);

/// Seed of the bootstrap: intervals of the same answers are the same everywhere.
pub(crate) const SEED: u64 = 42;

/// Answers kept of those that are not all right.
const WORST: usize = 20;
/// Answers kept of those that are.
const RIGHT: usize = 10;

/// The answers to keep: those with the lowest scores of those that lack something, worst first (of equal ones, those
/// that agree least with the truth), and of those that are all right some at even distances, so that they are as the
/// rest is.
pub(crate) fn kept_answers(
    (card, rules): Judged<'_>,
    examples: &[Example],
    answers: &[Option<Value>],
    scores: &Scores,
) -> (Vec<KeptAnswer>, Vec<KeptAnswer>) {
    let scored = scores.per_example.iter().zip(answers).enumerate();
    let all = scored.map(|(place, (score, answer))| KeptAnswer { place, score: *score, answer: answer.clone() });
    let (right, mut worst): (Vec<_>, Vec<_>) = all.partition(|kept| kept.score >= 1.0);
    let agreement = |kept: &KeptAnswer| {
        let truth = examples.get(kept.place).and_then(|example| example.output.as_ref());
        truth.zip(kept.answer.as_ref()).map_or(0.0, |(truth, answer)| score::diff(card, rules, truth, answer).score)
    };
    worst.sort_by_cached_key(|kept| [kept.score, agreement(kept)].map(|share| (share * 1e9) as u64));
    worst.truncate(WORST);
    let every = right.len().div_ceil(RIGHT).max(1);
    (worst, right.into_iter().step_by(every).collect())
}

impl Evaluations<'_> {
    /// Answers the held-out examples of a version's dataset with the version, the contestants and (if
    /// `with_base`) the bare base model, and keeps the numbers with the version.
    ///
    /// # Errors
    /// The version can't be loaded, or has no dataset.
    pub async fn evaluate(self, version: &Version, with_base: bool, tell: Tell<'_>) -> Result<(Version, Evaluation)> {
        let measured = self.measure(version, with_base, tell).await?;
        Ok((self.keep_evaluation(version, &measured, None).await?, measured.evaluation))
    }

    /// The same without keeping the numbers.
    pub(crate) async fn measure(self, version: &Version, with_base: bool, tell: Tell<'_>) -> Result<Measured> {
        let serving = Serving::once(self.engine.clone(), None);
        self.measure_with(&serving, version, with_base, tell).await
    }

    /// Keeps a version's numbers and answers with it, in the name of a run that is held if a lease is given.
    pub(crate) async fn keep_evaluation(
        self,
        version: &Version,
        Measured { evaluation, answers }: &Measured,
        lease: Option<&Lease>,
    ) -> Result<Version> {
        let (store, by) = (&self.engine.store, &self.engine.by);
        let scores = serde_json::to_value(evaluation).unwrap_or(Value::Null);
        Ok(match answers {
            Some(answers) => {
                let new = Measurement { scores: &scores, at: evaluation.at, answers };
                store.keep_evaluation(version, new, lease, by, now()).await?
            }
            None => store.set_metric(version, ("evaluation", &scores), lease, by, now()).await?,
        })
    }

    /// The dataset that a version is measured on: the one it learned from, or for a version that was made elsewhere
    /// the task's examples of now.
    pub(crate) async fn dataset_of(self, version: &Version) -> Result<Dataset> {
        if let Some(digest) = &version.dataset {
            return Ok(self.engine.store.dataset(&version.task, digest).await?);
        }
        let prepared = self.engine.examples().prepare(&version.task, USUAL_SPLIT, None).await?;
        self.engine.examples().keep(&prepared).await?;
        Ok(prepared.dataset)
    }
}

/// Scores answers to examples; a missing one is wrong in every way.
#[must_use]
pub fn score_answers((card, rules): Judged<'_>, examples: &[Example], answers: &[Option<Value>]) -> Scores {
    let pairs: Vec<(Value, Option<Value>)> = examples
        .iter()
        .zip(answers)
        .map(|(example, answer)| (example.output.clone().unwrap_or_default(), answer.clone()))
        .collect();
    score_pairs((card, rules), &pairs)
}

/// Scores pairs of the wanted answer and the answer given.
pub(crate) fn score_pairs((card, rules): Judged<'_>, pairs: &[(Value, Option<Value>)]) -> Scores {
    score::score(card, rules, pairs, SEED)
}

/// With fewer examples in all, contestants are cross-validated on all of them.
const FEW: usize = 50;
/// Parts of a cross-validation.
const FOLDS: usize = 5;

/// The answers of a contestant to examples; those that it doesn't give are missing. Beside them, why a program or a service
/// failed first, if it did.
pub(crate) fn answers_of<'e>(
    mut contestant: impl FnMut(&str) -> std::result::Result<Value, ContestantError>,
    examples: impl Iterator<Item = &'e Example>,
) -> (Vec<Option<Value>>, Option<String>) {
    let (mut patience, mut failure) = (Patience::default(), None);
    let answers = examples.map(|example| {
        if patience.is_over() {
            return None;
        }
        let answer = contestant(&example.input);
        patience.note(answer.as_ref().err());
        if let Err(error @ ContestantError::Outside { .. }) = &answer {
            failure.get_or_insert_with(|| format!("failed to {error}"));
        }
        answer.ok()
    });
    (answers.collect(), failure)
}

/// Fits every contestant of a task to the examples to learn from, and scores it on the held-out ones; where there are few
/// of both, cross-validates it, too. Computes for seconds.
#[must_use]
pub fn contestant_scores(
    judged: Judged<'_>,
    train: &[Example],
    eval: &[Example],
    rules: Option<&Parser>,
) -> Vec<ContestantScores> {
    let all: Vec<Example> = train.iter().chain(eval).cloned().collect();
    let folds = (FOLDS..FEW).contains(&all.len()).then(|| folds(&all));
    let score = |kind| {
        let clock = Instant::now();
        let contestant = Contestant::fit(kind, judged.0, train, rules).ok()?;
        let seconds_to_fit = clock.elapsed().as_secs_f64();
        let clock = Instant::now();
        let answer = |input: &str| contestant.answer(input).map(|said| said.answer);
        let (answers, failure) = answers_of(answer, eval.iter());
        let seconds_per_answer = clock.elapsed().as_secs_f64() / eval.len().max(1) as f64;
        let scores = score_answers(judged, eval, &answers);
        let cross_validated = folds.as_ref().map(|fold_of| cross_validated(kind, judged, &all, fold_of, rules));
        let name = contestant.name();
        Some(ContestantScores { kind, name, scores, cross_validated, seconds_to_fit, seconds_per_answer, failure })
    };
    Kind::ALL.iter().copied().filter_map(score).collect()
}

/// The part of each example: near-duplicates are in one, and every part has its share of each answer.
fn folds(examples: &[Example]) -> Vec<usize> {
    let texts: Vec<&str> = examples.iter().map(|example| example.input.as_str()).collect();
    let cluster = near_duplicates(&texts);
    let mut first: Vec<usize> = (0..examples.len()).filter(|&i| cluster[i] == i).collect();
    first.sort_by_cached_key(|&i| examples[i].output.as_ref().map(ToString::to_string));
    let fold_of: HashMap<usize, usize> = first.into_iter().enumerate().map(|(at, i)| (i, at % FOLDS)).collect();
    cluster.iter().map(|first| fold_of[first]).collect()
}

/// The scores of a contestant on all examples, each answered by one that was fitted to the other parts.
fn cross_validated(
    kind: Kind,
    judged: Judged<'_>,
    examples: &[Example],
    fold_of: &[usize],
    rules: Option<&Parser>,
) -> Scores {
    let mut answers: Vec<Option<Value>> = vec![None; examples.len()];
    for fold in 0..FOLDS {
        let (own, others): (Vec<usize>, Vec<usize>) = (0..examples.len()).partition(|&i| fold_of[i] == fold);
        let others: Vec<Example> = others.into_iter().map(|i| examples[i].clone()).collect();
        // One that can't learn from what is left has no answer, which is wrong.
        let Ok(contestant) = Contestant::fit(kind, judged.0, &others, rules) else { continue };
        let answer = |input: &str| contestant.answer(input).map(|said| said.answer);
        let (found, _) = answers_of(answer, own.iter().map(|&i| &examples[i]));
        own.into_iter().zip(found).for_each(|(i, answer)| answers[i] = answer);
    }
    score_answers(judged, examples, &answers)
}

/// Fits confidences to what was right: of whole answers, and of each field over all its list positions.
pub(crate) fn calibrate(
    (card, rules): Judged<'_>,
    examples: &[Example],
    answers: &[Option<Answer>],
    scores: &Scores,
) -> (Calibration, BTreeMap<String, Calibration>) {
    let whole: Vec<(f64, bool)> = answers
        .iter()
        .zip(&scores.per_example)
        .filter_map(|(answer, right)| Some((answer.as_ref()?.raw.answer, *right >= 0.5)))
        .collect();
    let mut fields: BTreeMap<String, Vec<(f64, bool)>> = BTreeMap::new();
    for (example, answer) in examples.iter().zip(answers) {
        let Some(answer) = answer else { continue };
        let truth = example.output.clone().unwrap_or_default();
        let difference = score::diff(card, rules, &truth, &answer.written);
        for (path, confidence) in &answer.raw.fields {
            if let Some(right) = is_right(path, &answer.written, &difference) {
                fields.entry(field_of(path)).or_default().push((*confidence, right));
            }
        }
    }
    let fields = fields.into_iter().map(|(field, points)| (field, Calibration::fit(&points))).collect();
    (Calibration::fit(&whole), fields)
}

/// Whether a field's value is right: a single field as the scores say, a list item's with the item.
fn is_right(path: &str, answer: &Value, difference: &score::Diff) -> Option<bool> {
    let Some((list, rest)) = path.split_once('[') else {
        return difference.fields.iter().find(|field| field.field == path).map(|field| field.same);
    };
    let position: usize = rest.split(']').next()?.parse().ok()?;
    let item = answer.get(list)?.get(position)?;
    Some(!difference.only_right.contains(item))
}

#[cfg(test)]
mod tests {
    use graft_core::{Digest, Review, Source};
    use graft_predict::Confidence;
    use serde_json::json;

    use super::*;

    fn rules() -> &'static Scoring {
        &graft_tasks::cards::task("slack-rescue").unwrap().scoring
    }

    fn example(input: &str, output: Value) -> Example {
        Example {
            id: input.into(),
            task: "t".into(),
            input: input.into(),
            output: Some(output),
            source: Source { kind: "csv".into(), reference: String::new(), at: None },
            review: Review::Approved { by: "me".into(), at: 0 },
            revision: 1,
        }
    }

    #[test]
    fn contestants_train_on_one_side_and_are_scored_on_the_other() {
        let card = graft_tasks::cards::card("text-classification", &["ham".into(), "spam".into()]).unwrap();
        let spam = |i: usize| i.is_multiple_of(3);
        let text = |i: usize| format!("{} {i}", if spam(i) { "win a prize" } else { "see you at home" });
        let one = |i: usize| example(&text(i), json!(if spam(i) { "spam" } else { "ham" }));
        let (train, eval): (Vec<_>, Vec<_>) = ((0..30).map(one).collect(), (30..36).map(one).collect());
        let found = contestant_scores((&card, &Scoring::default()), &train, &eval, None);
        let values: Vec<_> =
            found.iter().map(|one| (one.name.as_str(), one.scores.headline().unwrap().value)).collect();
        assert_eq!(values, [("n-grams", 1.0), ("nearest example", 1.0), ("always ham", 4.0 / 6.0)]);
        // Of equal ones the simpler.
        assert_eq!(crate::versions::strongest(&found).unwrap().kind, Kind::NGrams);
        assert_eq!(contestant_scores((&card, &Scoring::default()), &[], &eval, None), []);
        // Of 36 examples the 6 held-out ones say little: all are answered, by contestants that didn't see them.
        let all = found[0].cross_validated.as_ref().unwrap();
        assert_eq!((all.n, all.headline().unwrap().value), (36, 1.0));
        assert!(all.headline().unwrap().low > found[0].scores.headline().unwrap().low + 0.2);
        let always = found[2].cross_validated.as_ref().unwrap();
        assert_eq!(always.headline().unwrap().value, 24.0 / 36.0);
        let more: Vec<Example> = (36..60).map(one).collect();
        let many = contestant_scores((&card, &Scoring::default()), &[train, more].concat(), &eval, None);
        assert!(many.iter().all(|one| one.cross_validated.is_none()), "54 and 6 are enough");
    }

    #[test]
    fn cross_validation_never_trains_on_near_duplicates() {
        // Each text is there twice.
        let text =
            |i: usize| format!("{} only in this one text {}", ["x", "y", "z", "v", "w", "u"][i / 2], ["", "!"][i % 2]);
        let examples: Vec<Example> = (0..12).map(|i| example(&text(i), json!(["a", "b"][i / 2 % 2]))).collect();
        let fold_of = folds(&examples);
        assert!((0..12).all(|i| fold_of[i] == fold_of[i - i % 2]), "{fold_of:?}");
        assert_eq!(fold_of.iter().collect::<std::collections::BTreeSet<_>>().len(), FOLDS);
    }

    #[test]
    fn report_keeps_worst_and_some_correct_answers() {
        let card = graft_tasks::cards::card("text-classification", &["ham".into(), "spam".into()]).unwrap();
        let examples: Vec<Example> = (0..40).map(|i| example(&i.to_string(), json!("ham"))).collect();
        let answers: Vec<Option<Value>> =
            (0..40).map(|i| Some(json!(if i % 4 == 3 { "spam" } else { "ham" }))).collect();
        let scores = score_answers((&card, rules()), &examples, &answers);
        let (worst, right) = kept_answers((&card, rules()), &examples, &answers, &scores);
        assert!(worst.len() == 10 && worst.iter().all(|kept| kept.place % 4 == 3 && kept.score == 0.0));
        assert_eq!(right.iter().map(|kept| kept.place).collect::<Vec<_>>(), [0, 4, 8, 12, 16, 20, 24, 28, 32, 36]);
        let none = kept_answers((&card, rules()), &[], &[], &score_answers((&card, rules()), &[], &[]));
        assert_eq!(none, (Vec::new(), Vec::new()));
    }

    #[test]
    fn ties_in_score_are_ordered_by_agreement() {
        let card = graft_tasks::cards::card("slack-rescue", &[]).unwrap();
        let answer = |place: &str, drop: Option<&str>| json!({"direction": "inbound", "rescue_location": place, "drop_off_location": drop, "items": []});
        let examples = ["a", "b", "c"].map(|id| example(id, answer("Aldi", None)));
        let answers = [Some(answer("Lidl", None)), None, Some(answer("Lidl", Some("fridge")))];
        let scores = Scores { per_example: vec![0.0; 3], ..score_answers((&card, rules()), &examples, &answers) };
        let (worst, _) = kept_answers((&card, rules()), &examples, &answers, &scores);
        assert_eq!(worst.iter().map(|kept| kept.place).collect::<Vec<_>>(), [1, 2, 0]);
    }

    #[test]
    fn fields_are_scored_separately() {
        let card = graft_tasks::cards::card("slack-rescue", &[]).unwrap();
        let item = |name: &str| json!({"name": name, "quantity": 1, "unit": null, "subcategory": "produce"});
        let answer = |place: &str, second: &str| {
            json!({"direction": "inbound", "rescue_location": place, "drop_off_location": null,
                   "items": [item("kale"), item(second)]})
        };
        let examples = [example("m", answer("Aldi", "figs"))];
        let confidences = [("rescue_location", 0.9), ("items[0].name", 0.8), ("items[1].name", 0.3)];
        let fields = confidences.map(|(path, p)| (path.to_owned(), p)).into();
        let raw = Confidence { answer: 0.5, fields };
        let answers = [Some(Answer {
            task: card.name.clone(),
            version: None,
            deployment: Digest::of(b""),
            answer: answer("Lidl", "dates"),
            confidence: raw.answer,
            fields: raw.fields.clone(),
            spans: BTreeMap::new(),
            valid: true,
            seconds: 0.0,
            prompt_tokens: 1,
            answer_tokens: 1,
            log_prob: 0.0,
            written: answer("Lidl", "dates"),
            raw,
        })];
        let scores = score_answers((&card, rules()), &examples, &[Some(answer("Lidl", "dates"))]);
        let (whole, fields) = calibrate((&card, rules()), &examples, &answers, &scores);
        assert_eq!((whole.before.count, whole.before.bins[0].accuracy), (1, 0.0));
        assert_eq!(fields["rescue_location"].before.bins[0].accuracy, 0.0);
        assert_eq!(fields["items[].name"].before.count, 2);
        let right: f64 = fields["items[].name"].before.bins.iter().map(|b| b.accuracy * b.count as f64).sum();
        assert_eq!(right, 1.0);
    }
}
