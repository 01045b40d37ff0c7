use std::collections::{BTreeMap, BTreeSet};

use graft_core::{Dataset, Digest, Example, ExampleId, OptimSpec, SplitRule, TaskCard, near_duplicates, split};
use graft_predict::Codec;
use graft_store::{DatasetInfo, ExampleFilter, Order, ReviewFilter};
use graft_tasks::{
    cards::{Form, Task},
    variants::{Shares, Variant, Variants},
};
use graft_train::{Row, RowVariant};
use serde_json::Value;

use super::{
    Examples,
    ground::{bound, ground},
};
use crate::{Error, Result, files::apart, now, tasks::TaskDetail};

/// How examples are split unless people say otherwise.
pub(crate) const USUAL_SPLIT: SplitRule = SplitRule::Newest { eval_share: 0.2 };

/// A task's approved examples, split, with the card that fits them.
#[derive(Clone, Debug)]
pub struct Prepared {
    /// The task as it is now.
    pub task: TaskDetail,
    /// Prompt and answer form.
    pub card: TaskCard,
    /// What is learned from and what is held out.
    pub dataset: Dataset,
    /// Approved examples that are left out because they don't fit the task's form, which was changed.
    pub unfit: usize,
}

impl Examples<'_> {
    /// Splits a task's approved examples (or those of them named in `only`); what was held out once stays held out.
    /// Nothing is stored.
    ///
    /// # Errors
    /// [`Error::NoExamples`]; the task is unknown or has too few labels.
    pub async fn prepare(self, task: &str, rule: SplitRule, only: Option<&BTreeSet<ExampleId>>) -> Result<Prepared> {
        let detail = self.engine.tasks().get(task).await?;
        let filter = ExampleFilter {
            task: Some(task.to_owned()),
            review: Some(ReviewFilter::Approved),
            order: Order::Oldest,
            ..ExampleFilter::default()
        };
        let mut examples = self.engine.store.examples(&filter).await?;
        if let Some(only) = only {
            examples.retain(|example| only.contains(&example.id));
        }
        if examples.is_empty() {
            let counts = self.engine.store.example_counts().await?.remove(task).unwrap_or_default();
            let (pending, rejected) = (counts.pending, counts.rejected);
            return Err(Error::NoExamples { task: task.to_owned(), pending, rejected });
        }
        let unfit = fit(&detail.definition, &mut examples)?;
        let mut card =
            detail.definition.card(&labels_of(examples.iter().filter_map(|example| example.output.as_ref())))?;
        let frozen = self.engine.store.assignment(task).await?;
        let answer = card.answer.clone();
        let dataset = apart("split the examples", move || Ok(split(&examples, &frozen, rule, &answer))).await?;
        ground(&mut card, &dataset.train);
        let approved: Vec<Example> = dataset.train.iter().chain(&dataset.eval).cloned().collect();
        bound(&mut card, &approved);
        Ok(Prepared { task: detail, card, dataset, unfit })
    }

    /// The labels of a task's approved examples; none where answers are no labels.
    pub(crate) async fn labels(self, task: &str) -> Result<Vec<String>> {
        self.labels_of(&self.engine.tasks().definition(task).await?).await
    }

    /// The labels to choose from: those of the approved examples, or else of the definition; none where answers are no labels.
    ///
    /// # Errors
    /// The task is unknown; what the store says.
    pub async fn known_labels(self, task: &str) -> Result<Vec<String>> {
        let task = self.engine.tasks().definition(task).await?;
        let labels = self.labels_of(&task).await?;
        let card = task.card(&labels).ok().map(|card| card.answer);
        Ok(match card {
            Some(graft_core::AnswerForm::Label { labels }) => labels,
            _ => labels,
        })
    }

    /// The same of a task whose definition is known.
    pub(crate) async fn labels_of(self, task: &Task) -> Result<Vec<String>> {
        if task.form != Form::Labels {
            return Ok(Vec::new());
        }
        Ok(labels_of(self.engine.store.approved_outputs(&task.name).await?.iter()))
    }

    /// The approved examples of a task that are near-duplicates of each other, in groups of two or more. They stay on
    /// one side of every split.
    ///
    /// # Errors
    /// The task is unknown; what the store says.
    pub async fn duplicates(self, task: &str) -> Result<Vec<Vec<Example>>> {
        self.engine.tasks().get(task).await?;
        let filter = ExampleFilter {
            task: Some(task.to_owned()),
            review: Some(ReviewFilter::Approved),
            ..ExampleFilter::default()
        };
        let examples = self.engine.store.examples(&filter).await?;
        let group = move || {
            let texts: Vec<&str> = examples.iter().map(|example| example.input.as_str()).collect();
            let clusters = near_duplicates(&texts);
            let mut groups: BTreeMap<usize, Vec<Example>> = BTreeMap::new();
            for (example, cluster) in examples.into_iter().zip(clusters) {
                groups.entry(cluster).or_default().push(example);
            }
            Ok(groups.into_values().filter(|group| group.len() > 1).collect())
        };
        apart("compare the examples", group).await
    }

    /// The datasets of a task or of all, newest first.
    pub async fn datasets(self, task: Option<&str>) -> Result<Vec<DatasetInfo>> {
        Ok(self.engine.store.datasets(task).await?)
    }

    /// A dataset as it was saved.
    ///
    /// # Errors
    /// There is no such dataset.
    pub async fn dataset(self, task: &str, digest: &Digest) -> Result<Dataset> {
        Ok(self.engine.store.dataset(task, digest).await?)
    }

    /// Keeps the dataset, which fixes its split for ever.
    ///
    /// # Errors
    /// Another dataset has fixed other sides in the meantime.
    pub(crate) async fn keep(self, prepared: &Prepared) -> Result<()> {
        self.engine.store.save_dataset(&prepared.card.name, &prepared.dataset, &self.engine.by, now()).await?;
        Ok(())
    }
}

/// Leaves out the examples whose answers don't fit a task's form, and returns how many; those that fit once fields are left
/// out or null are put into that shape. Answers that fit stay as they are to the letter.
fn fit(task: &Task, examples: &mut Vec<Example>) -> Result<usize> {
    let (all, mut first) = (examples.len(), None);
    let fits = |output: &Value| match (task.form, &task.schema) {
        (Form::Fields, Some(schema)) => graft_tasks::schema::check(schema, output).is_ok(),
        (Form::Labels, _) => !task.closed || task.labels.iter().any(|label| output == label.as_str()),
        _ => true,
    };
    examples.retain_mut(|example| {
        let Some(output) = example.output.as_ref().filter(|output| !fits(output)) else { return true };
        match task.accept(output) {
            Ok(shaped) => example.output = Some(shaped),
            Err(reason) => drop(first.get_or_insert(reason)),
        }
        example.output.as_ref().is_some_and(fits)
    });
    match first.filter(|_| examples.is_empty()) {
        Some(reason) => Err(Error::NoneFits { task: task.name.clone(), examples: all, reason }),
        None => Ok(all - examples.len()),
    }
}

/// The distinct texts, sorted.
pub(crate) fn labels_of<'a>(outputs: impl Iterator<Item = &'a Value>) -> Vec<String> {
    let labels: BTreeSet<String> = outputs.filter_map(Value::as_str).map(|label| label.trim().to_owned()).collect();
    labels.into_iter().collect()
}

impl Prepared {
    /// The lines of `data/train.jsonl` and `data/eval.jsonl`.
    ///
    /// # Errors
    /// [`Error::BadExample`] for an output that doesn't follow the task's form; [`Error::NothingToLearn`];
    /// [`Error::AllHeldOut`].
    pub fn rows(&self) -> Result<(Vec<Row>, Vec<Row>)> {
        let codec = Codec::new(&self.card.answer)?;
        let row = |example: &Example| -> Result<Row> {
            let output = example.output.clone().unwrap_or_default();
            let answer = codec.encode(&output);
            let answer = answer.map_err(|source| Error::BadExample { id: example.id.clone(), source })?;
            Ok(Row { id: example.id.clone(), input: example.input.clone(), output, answer, variants: Vec::new() })
        };
        let train = self.dataset.train.iter().map(row).collect::<Result<Vec<_>>>()?;
        let eval = self.dataset.eval.iter().map(row).collect::<Result<Vec<_>>>()?;
        if train.is_empty() {
            return Err(Error::AllHeldOut { task: self.card.name.clone(), examples: eval.len() });
        }
        if train.iter().all(|row| row.answer.trim().is_empty()) {
            return Err(Error::NothingToLearn { task: self.card.name.clone(), examples: train.len() });
        }
        Ok((train, eval))
    }

    /// The same with the variants that a training with these settings learns from; of the examples named in `only`, if
    /// any are.
    ///
    /// # Errors
    /// As [`rows`](Self::rows).
    pub fn rows_to_train(&self, optim: &OptimSpec, only: Option<&BTreeSet<ExampleId>>) -> Result<(Vec<Row>, Vec<Row>)> {
        let (mut train, eval) = self.rows()?;
        let is_learned = |row: &Row| only.is_none_or(|only| only.contains(&row.id));
        let shares = Shares { typos: optim.typos, exchanged: optim.exchanged, reworded: optim.reworded };
        if shares.is_none() {
            train.retain(is_learned);
            return Ok((train, eval));
        }
        let codec = Codec::new(&self.card.answer)?;
        let variants = Variants::new(&self.card, self.task.definition.wordings(), &self.dataset.train, shares);
        let epochs = optim.epochs.ceil() as u64;
        for (index, row) in train.iter_mut().enumerate() {
            let variant = |epoch| {
                let Variant { input, output } = variants.of(index, epoch, optim.seed);
                match codec.encode(&output) {
                    Ok(answer) => RowVariant { input, answer },
                    // An exchanged number may be beyond what the card allows.
                    Err(_) => RowVariant { input: row.input.clone(), answer: row.answer.clone() },
                }
            };
            if is_learned(row) {
                row.variants = (0..epochs).map(variant).collect();
            }
        }
        train.retain(is_learned);
        Ok((train, eval))
    }
}
