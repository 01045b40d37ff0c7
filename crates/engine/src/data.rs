use std::collections::BTreeSet;

use graft_core::{Dataset, Example, ExampleId, SplitRule, TaskCard, split};
use graft_predict::Codec;
use graft_store::{ExampleFilter, Order, ReviewFilter};
use graft_tasks::cards;
use graft_train::Row;

use crate::{Engine, Error, Result, now};

/// A task's approved examples, split, with the card that fits them.
#[derive(Clone, Debug)]
pub struct Prepared {
    /// Prompt and answer form.
    pub card: TaskCard,
    /// What is learned from and what is held out.
    pub dataset: Dataset,
}

impl Engine {
    /// Splits a task's approved examples (or those of them named in `only`); what was held out once stays held out.
    /// Nothing is stored.
    ///
    /// # Errors
    /// [`Error::NoExamples`]; the task is unknown or has too few labels.
    pub async fn prepare(&self, task: &str, rule: SplitRule, only: Option<&BTreeSet<ExampleId>>) -> Result<Prepared> {
        cards::task(task)?;
        let filter = ExampleFilter {
            task: Some(task.to_owned()),
            review: Some(ReviewFilter::Approved),
            order: Order::Oldest,
            ..ExampleFilter::default()
        };
        let mut examples = self.store.examples(&filter).await?;
        if let Some(only) = only {
            examples.retain(|example| only.contains(&example.id));
        }
        if examples.is_empty() {
            let counts = self.store.example_counts().await?.remove(task).unwrap_or_default();
            let (pending, rejected) = (counts.pending, counts.rejected);
            return Err(Error::NoExamples { task: task.to_owned(), pending, rejected });
        }
        let card = cards::card(task, &labels_of(&examples))?;
        let frozen = self.store.assignment(task).await?;
        Ok(Prepared { card, dataset: split(&examples, &frozen, rule) })
    }

    /// The labels of a task's approved examples.
    pub(crate) async fn labels(&self, task: &str) -> Result<Vec<String>> {
        let review = Some(ReviewFilter::Approved);
        let filter = ExampleFilter { task: Some(task.to_owned()), review, ..ExampleFilter::default() };
        Ok(labels_of(&self.store.examples(&filter).await?))
    }

    /// Keeps the dataset, which fixes its split for ever.
    ///
    /// # Errors
    /// Another dataset has fixed other sides in the meantime.
    pub(crate) async fn keep(&self, prepared: &Prepared) -> Result<()> {
        self.store.save_dataset(&prepared.card.name, &prepared.dataset, &self.by, now()).await?;
        Ok(())
    }
}

/// The distinct text outputs, sorted.
fn labels_of(examples: &[Example]) -> Vec<String> {
    let outputs = examples.iter().filter_map(|example| example.output.as_ref()?.as_str());
    let labels: BTreeSet<String> = outputs.map(|label| label.trim().to_owned()).collect();
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
            Ok(Row { id: example.id.clone(), input: example.input.clone(), output, answer })
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
}
