use std::collections::BTreeMap;

use graft_store::{ExampleFilter, ReviewFilter};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::Examples;
use crate::Result;

/// Audited examples that a training needs for its numbers to mean something.
pub(crate) const READY: usize = 10;

/// What people's approved messages add up to.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
pub struct Stats {
    /// The task.
    pub task: String,
    /// Approved examples.
    pub audited: usize,
    /// Items in them.
    pub items: usize,
    /// Pounds of them all.
    pub pounds: f64,
    /// Items without a known weight.
    pub unweighed: usize,
    /// Pounds by place of rescue.
    pub by_location: BTreeMap<String, f64>,
    /// Pounds by kind of food.
    pub by_subcategory: BTreeMap<String, f64>,
    /// Whether there are enough to train.
    pub ready: bool,
}

impl Examples<'_> {
    /// Adds up a task's approved examples.
    ///
    /// # Errors
    /// The task is unknown; what the store says.
    pub async fn stats(self, task: &str) -> Result<Stats> {
        let definition = self.engine.tasks().definition(task).await?;
        let review = Some(ReviewFilter::Approved);
        let filter = ExampleFilter { task: Some(task.to_owned()), review, ..ExampleFilter::default() };
        let (examples, tables) = (self.engine.store.examples(&filter).await?, self.engine.home.tables()?);
        let mut stats = Stats { task: task.to_owned(), audited: examples.len(), ..Stats::default() };
        stats.ready = stats.audited >= READY;
        for output in examples.into_iter().filter_map(|example| example.output) {
            stats.add(&definition.finish(output, &tables));
        }
        Ok(stats)
    }
}

impl Stats {
    fn add(&mut self, answer: &Value) {
        let text =
            |value: &Value, field: &str| value.get(field).and_then(Value::as_str).unwrap_or("unknown").to_owned();
        for item in answer.get("items").and_then(Value::as_array).into_iter().flatten() {
            self.items += 1;
            let Some(pounds) = item.get("estimated_lbs").and_then(Value::as_f64) else {
                self.unweighed += 1;
                continue;
            };
            self.pounds += pounds;
            *self.by_location.entry(text(answer, "rescue_location")).or_default() += pounds;
            *self.by_subcategory.entry(text(item, "subcategory")).or_default() += pounds;
        }
    }
}
