//! Examples: imported, decided on by people, counted, and split into datasets.

mod audit;
mod dataset;
mod ground;
mod guidelines;
mod import;
mod lopsided;
mod report;
mod spans;
mod stats;
mod tables;
mod understand;
mod uploads;

use graft_core::Example;
use graft_nn::TokenView;
use graft_store::{Change, ExampleFilter};
use serde_json::Value;

pub use audit::{ExampleDetail, Listed, SuggestedAnswer, Suggestion, SuggestionNote};
pub use dataset::Prepared;
pub(crate) use dataset::{USUAL_SPLIT, labels_of};
pub use guidelines::{Guidelines, wrong_guidelines};
pub use import::{Imported, Kept, PreviewRow, Source};
pub(crate) use report::cell;
pub use report::{DayStats, StatsReport};
pub use spans::Span;
pub(crate) use stats::READY;
pub use stats::Stats;
pub use tables::TableText;

use crate::{Engine, Error, Result, now};

/// The examples of all tasks.
#[derive(Clone, Copy, Debug)]
pub struct Examples<'e> {
    pub(crate) engine: &'e Engine,
}

impl Examples<'_> {
    /// One example; without a task, the only task that has the id.
    ///
    /// # Errors
    /// [`Error::WhichExample`], or there is none.
    pub async fn get(self, id: &str, task: Option<&str>) -> Result<Example> {
        if let Some(task) = task {
            return Ok(self.engine.store.example(task, id).await?);
        }
        let mut found = Vec::new();
        for task in self.engine.store.example_counts().await?.into_keys() {
            match self.engine.store.example(&task, id).await {
                Ok(example) => found.push(example),
                Err(graft_store::Error::NoExample { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        let count = found.len();
        found.pop().filter(|_| count == 1).ok_or_else(|| Error::WhichExample { id: id.to_owned(), count })
    }

    /// Examples that match, and how many match on all pages.
    pub async fn list(self, filter: &ExampleFilter) -> Result<(Vec<Example>, u64)> {
        let store = &self.engine.store;
        Ok((store.examples(filter).await?, store.count_examples(filter).await?))
    }

    /// All that ever happened to an example, oldest first.
    pub async fn history(self, example: &Example) -> Result<Vec<Change>> {
        Ok(self.engine.store.history(&example.task, &example.id).await?)
    }

    /// Gives an example another output, as text or JSON, and approves it.
    ///
    /// # Errors
    /// [`Error::BadOutput`] for one that doesn't follow the task's form.
    pub async fn edit(self, example: &Example, output: &str) -> Result<Example> {
        let task = self.engine.tasks().definition(&example.task).await?;
        let bad = |reason| Error::BadOutput { task: example.task.clone(), reason };
        let output = task.accept(&Value::from(output.trim())).map_err(bad)?;
        Ok(self.engine.store.edit(&example.task, &example.id, &output, &self.engine.by, now()).await?)
    }

    /// The tokens that an example becomes for a base model, and which of them carry loss.
    ///
    /// # Errors
    /// The example has no output; the base is missing.
    pub async fn mask(self, example: &Example, base: &str) -> Result<Vec<TokenView>> {
        let output = example.output.clone();
        let output = output.ok_or_else(|| graft_store::Error::NoOutput { id: example.id.clone() })?;
        let labels: Vec<String> = self.labels(&example.task).await?;
        let card = self.engine.tasks().definition(&example.task).await?.card(&labels)?;
        self.mask_of(&card, &example.input, &output, base).await.map_err(|error| match error {
            Error::BadExample { source, .. } => Error::BadExample { id: example.id.clone(), source },
            other => other,
        })
    }
}
