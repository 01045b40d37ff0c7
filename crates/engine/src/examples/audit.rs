use std::collections::BTreeMap;

use graft_contestants::Error as ContestantError;
use graft_core::Example;
use graft_store::{Bulk, BulkReport, Change, Decision, ExampleFilter, Seen};
use graft_tasks::cards::BaselineSpec;
use serde::Serialize;
use serde_json::Value;
use tokio::sync::Semaphore;
use utoipa::ToSchema;

use super::{
    Examples,
    spans::{self, Span},
};
use crate::{Error, Result, files::apart, now};

/// Programs and services that answer at a time for people who look at examples.
static OUTSIDE: Semaphore = Semaphore::const_new(4);

/// One example with all that helps to judge it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ExampleDetail {
    /// The example.
    pub example: Example,
    /// What the task's baseline answers, if Audit proposes it; a program or a service is asked only where there is no output.
    pub baseline: Option<Value>,
    /// Why it does not answer, where a program or a service fails.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub baseline_failure: Option<String>,
    /// What the active version answers.
    pub suggestion: Option<Suggestion>,
    /// Where the output's values stand in the input, by path; UTF-16 offsets.
    pub spans: BTreeMap<String, Vec<Span>>,
    /// All that ever happened to it, oldest first.
    pub history: Vec<Change>,
}

/// An example in a list.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = ListedExample)]
pub struct Listed {
    /// The example.
    #[serde(flatten)]
    pub example: Example,
    /// What the active version says of it, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suggestion: Option<SuggestionNote>,
}

/// How sure the active version is, and whether it agrees.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub struct SuggestionNote {
    /// From 0 to 1.
    pub confidence: f64,
    /// Whether the baseline, or what came with the example, says something else.
    pub disagrees: bool,
}

/// What a version answers to an example that waits for its audit.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Suggestion {
    /// The version's name.
    pub version: String,
    /// Its answer.
    pub prediction: SuggestedAnswer,
}

/// An answer that waits for a person.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SuggestedAnswer {
    /// In the task's form.
    pub answer: Value,
    /// How sure the version is.
    #[serde(flatten)]
    pub note: SuggestionNote,
    /// How sure it is of each field, by path like `items[0].quantity`.
    pub fields: BTreeMap<String, f64>,
}

fn note(made: &graft_store::Suggestion) -> SuggestionNote {
    SuggestionNote { confidence: made.confidence, disagrees: made.disagrees }
}

impl Examples<'_> {
    /// A page of examples, and how many match on all pages.
    pub async fn page(self, filter: &ExampleFilter) -> Result<(Vec<Listed>, u64)> {
        let total = self.engine.store.count_examples(filter).await?;
        let mut listed = Vec::new();
        for example in self.engine.store.examples(filter).await? {
            listed.push(self.listed(example).await?);
        }
        Ok((listed, total))
    }

    /// An example with what the active version says of it.
    pub(crate) async fn listed(self, example: Example) -> Result<Listed> {
        let suggestion = self.engine.store.suggestion(&example.task, &example.id).await?;
        Ok(Listed { example, suggestion: suggestion.as_ref().map(note) })
    }

    /// One example with baseline, places of its values, and history.
    ///
    /// # Errors
    /// There is no such example.
    pub async fn detail(self, task: &str, id: &str) -> Result<ExampleDetail> {
        let example = self.engine.store.example(task, id).await?;
        let definition = self.engine.tasks().definition(&example.task).await?;
        let (mut baseline, mut baseline_failure) = (None, None);
        if let Some(is_outside) = definition.baseline.as_ref().map(BaselineSpec::is_outside)
            && definition.prefill
            && (!is_outside || example.output.is_none())
        {
            let _turn = if is_outside { OUTSIDE.acquire().await.ok() } else { None };
            let (engine, input) = (self.engine.clone(), example.input.clone());
            let ask = move || Ok(engine.tasks().read_baseline(&definition)?.map(|parser| parser.answer(&input)));
            match apart("ask the baseline", ask).await?.transpose() {
                Ok(answer) => baseline = answer,
                Err(error @ ContestantError::Outside { .. }) => baseline_failure = Some(format!("failed to {error}")),
                Err(_) => {}
            }
        }
        let shown = example.output.as_ref().or(baseline.as_ref());
        let spans = shown.map(|answer| spans::find(&example.input, answer)).unwrap_or_default();
        let history = self.engine.store.history(task, id).await?;
        let suggestion = self.engine.store.suggestion(task, id).await?.map(|made| Suggestion {
            prediction: SuggestedAnswer { note: note(&made), answer: made.answer, fields: made.fields },
            version: made.version,
        });
        Ok(ExampleDetail { example, baseline, baseline_failure, suggestion, spans, history })
    }

    /// Applies a person's decision to an example, if it is as they saw it; an edited output must follow the task's
    /// form.
    ///
    /// # Errors
    /// [`Error::BadOutput`]; what the store says of examples that moved on.
    pub async fn decide(self, task: &str, id: &str, seen: Seen, decision: Decision) -> Result<Example> {
        let decision = match decision {
            Decision::Edit(output) => Decision::Edit(self.accepted(task, &output).await?),
            other => other,
        };
        Ok(self.engine.store.review(task, id, seen, &decision, &self.engine.by, now()).await?)
    }

    /// Takes back the last decision on an example, if it is as the person saw it.
    ///
    /// # Errors
    /// Store errors about examples that have changed, or have no decision.
    pub async fn undo(self, task: &str, id: &str, seen: Seen) -> Result<Example> {
        Ok(self.engine.store.undo_review(task, id, seen, &self.engine.by, now()).await?)
    }

    /// The same decision on many examples; those it can't be done to are listed.
    ///
    /// # Errors
    /// The task is unknown; what the store says.
    pub async fn decide_many(self, task: &str, which: &Bulk, decision: &Decision) -> Result<BulkReport> {
        self.engine.tasks().get(task).await?;
        Ok(self.engine.store.review_many(task, which, decision, &self.engine.by, now()).await?)
    }

    /// An output in the form of the task.
    async fn accepted(self, task: &str, output: &Value) -> Result<Value> {
        let bad = |reason| Error::BadOutput { task: task.to_owned(), reason };
        self.engine.tasks().definition(task).await?.accept(output).map_err(bad)
    }
}
