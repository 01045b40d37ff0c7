//! A task's baseline, tried on approved examples while people write it.

use std::time::Instant;

use graft_contestants::{Error as ContestantError, Parser};
use graft_core::Example;
use graft_store::{ExampleFilter, Order, ReviewFilter};
use graft_tasks::{
    cards::{BaselineSpec, Task},
    score::{self, Metric},
};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::{
    Evaluations,
    evaluate::{answers_of, score_answers},
};
use crate::{Error, Result, examples::labels_of, serving::apart};

/// Examples that a baseline is tried on unless it is said; a program or a service takes longer.
const USUAL: u32 = 1000;
const USUAL_OUTSIDE: u32 = 50;
/// Most examples that it can be tried on.
const MOST: u32 = 5000;
/// Wrong answers that are listed.
const LISTED: usize = 30;

/// How a baseline did on approved examples.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct BaselineTrial {
    /// Approved examples that it was asked, the newest ones.
    pub examples: usize,
    /// How many it answered in the task's form.
    pub answered: usize,
    /// How many it answered right in all.
    pub right: usize,
    /// Name of the metric that decides between versions.
    pub headline: String,
    /// The numbers, as those of versions.
    pub metrics: Vec<Metric>,
    /// For a list of rules, what became of each.
    pub rules: Vec<RuleUse>,
    /// The first examples that it does not answer right.
    pub wrong: Vec<WrongAnswer>,
    /// Why a program or a service failed, if it did; after three failures in a row it is asked nothing more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
    /// Seconds that one answer took.
    pub seconds_per_answer: f64,
}

/// How often a rule gave something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct RuleUse {
    /// Examples to whose answers it gave something.
    pub used: usize,
    /// Those of them whose answers are right.
    pub right: usize,
}

/// An example that a baseline does not answer right.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct WrongAnswer {
    /// Its id.
    pub id: String,
    /// Its text.
    pub input: String,
    /// The approved answer.
    pub wanted: Value,
    /// What the baseline answers; absent where it gives no answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer: Option<Value>,
    /// Why there is no answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The rules that gave something, by their places from 0.
    pub rules: Vec<usize>,
}

impl Evaluations<'_> {
    /// Tries a baseline on the newest approved examples of a task, or the one that the task has; nothing is stored.
    ///
    /// # Errors
    /// [`graft_tasks::Error::BadTask`] where the baseline can't work; the task has none; it has no approved examples.
    pub async fn try_baseline(
        self,
        task: &str,
        baseline: Option<BaselineSpec>,
        limit: Option<u32>,
    ) -> Result<BaselineTrial> {
        let mut definition = self.engine.tasks().definition(task).await?;
        if let Some(baseline) = baseline {
            definition = Task { baseline: Some(baseline), ..definition }.checked()?;
        }
        let Some(parser) = self.engine.tasks().baseline(&definition).await? else {
            return Err(Error::Unsupported(format!("try the baseline of task `{task}`: it has none")));
        };
        let usual = if parser.is_outside() { USUAL_OUTSIDE } else { USUAL };
        let filter = ExampleFilter {
            task: Some(task.to_owned()),
            review: Some(ReviewFilter::Approved),
            order: Order::Newest,
            limit: Some(limit.unwrap_or(usual).clamp(1, MOST)),
            ..ExampleFilter::default()
        };
        let mut examples = self.engine.store.examples(&filter).await?;
        examples.retain_mut(|example| {
            example.output = example.output.take().and_then(|output| definition.accept(&output).ok());
            example.output.is_some()
        });
        if examples.is_empty() {
            let counts = self.engine.store.example_counts().await?.remove(task).unwrap_or_default();
            let (pending, rejected) = (counts.pending, counts.rejected);
            return Err(Error::NoExamples { task: task.to_owned(), pending, rejected });
        }
        apart(move || tried(&definition, &parser, &examples)).await
    }
}

fn tried(task: &Task, parser: &Parser, examples: &[Example]) -> Result<BaselineTrial> {
    let card = task.card(&labels_of(examples.iter().filter_map(|example| example.output.as_ref())))?;
    let judged = (&card, &task.scoring);
    let mut told: Vec<(Vec<usize>, Option<String>)> = Vec::with_capacity(examples.len());
    let clock = Instant::now();
    let ask = |input: &str| {
        let (answer, rules) = parser.explain(input);
        told.push((rules, answer.as_ref().err().map(ContestantError::to_string)));
        answer
    };
    let (answers, failure) = answers_of(ask, examples.iter());
    let seconds_per_answer = clock.elapsed().as_secs_f64() / told.len().max(1) as f64;
    told.resize(examples.len(), (Vec::new(), Some(ContestantError::NotAsked.to_string())));
    let scores = score_answers(judged, examples, &answers);
    let count = match &task.baseline {
        Some(BaselineSpec::Rules(rules)) => rules.rules.len(),
        _ => 0,
    };
    let mut trial = BaselineTrial {
        examples: examples.len(),
        answered: scores.answered,
        right: 0,
        headline: scores.headline.clone(),
        metrics: scores.metrics,
        rules: vec![RuleUse::default(); count],
        wrong: Vec::new(),
        failure,
        seconds_per_answer,
    };
    for ((example, answer), (rules, reason)) in examples.iter().zip(answers).zip(told) {
        let wanted = example.output.clone().unwrap_or_default();
        let is_right = answer.as_ref().is_some_and(|answer| score::all_right(&card, &task.scoring, &wanted, answer));
        for &rule in &rules {
            trial.rules[rule].used += 1;
            trial.rules[rule].right += usize::from(is_right);
        }
        trial.right += usize::from(is_right);
        if !is_right && trial.wrong.len() < LISTED {
            let (id, input) = (example.id.clone(), example.input.clone());
            trial.wrong.push(WrongAnswer { id, input, wanted, answer, reason, rules });
        }
    }
    Ok(trial)
}
