//! The results of a version's evaluation as a file: a table, JSON lines, or a report to read, print and send.

pub(crate) mod html;
mod table;

use std::path::Path;

use graft_core::{Event, Example};
use graft_store::{Run, Version};
use graft_tasks::{
    cards::Task,
    score::{self, Diff},
};
use serde::Serialize;
use serde_json::Value;

use super::{Evaluation, KeptAnswer, Versions};
use crate::{
    Error, Result,
    runs::{EvaluationRequest, command_of},
    serving::apart,
};

graft_core::names! {
    /// The form of exported results.
    #[cfg_attr(feature = "clap", derive(clap::ValueEnum))]
    pub enum ResultFormat {
        /// A table with a row for each held-out example.
        Csv = "csv",
        /// The same as one JSON object a line; answers keep their form.
        Jsonl = "jsonl",
        /// A report as one file without scripts and links: scores, settings, curves and answers.
        Html = "html",
    }
}

impl ResultFormat {
    /// The form that the extension of a file names.
    #[must_use]
    pub fn of(path: &Path) -> Option<Self> {
        let extension = path.extension()?.to_str()?;
        Self::ALL.iter().copied().find(|form| extension.eq_ignore_ascii_case(form.name()))
    }
}

/// A held-out example and what the version answered.
#[derive(Clone, Debug, Serialize)]
struct Row {
    id: String,
    input: String,
    expected: Option<Value>,
    /// Absent where the answer was not valid.
    answer: Option<Value>,
    /// Whether all of it is right.
    correct: bool,
    /// The headline metric's share of it.
    score: f64,
    confidence: Option<f64>,
    /// Where the answer differs from the expected one.
    #[serde(skip)]
    diff: Option<Diff>,
}

/// What is exported of a version.
#[derive(Clone, Debug)]
struct Results {
    version: Version,
    task: Task,
    evaluation: Evaluation,
    /// The run that made it, if it is still there.
    run: Option<Run>,
    /// What happened in it.
    events: Vec<Event>,
    /// In the order of the held-out examples.
    rows: Vec<Row>,
    /// Commands that do the same again.
    commands: Vec<String>,
}

impl Versions<'_> {
    /// The results of a version's last evaluation. Evaluations of earlier releases kept only some answers.
    ///
    /// # Errors
    /// [`Error::NotEvaluated`]; there is no such version.
    pub async fn results(self, task: &str, name: &str, format: ResultFormat) -> Result<String> {
        let version = self.engine.store.version(task, name).await?;
        let evaluation = Evaluation::of(&version)
            .ok_or_else(|| Error::NotEvaluated { task: task.to_owned(), version: name.to_owned() })?;
        let held_out = self.held_out(&version, &evaluation).await?;
        let kept = match self.engine.store.version_answers(&version, evaluation.at).await? {
            Some(answers) => {
                let scored = evaluation.adapter.per_example.iter().zip(answers).enumerate();
                scored.map(|(place, (score, answer))| KeptAnswer { place, score: *score, answer }).collect()
            }
            None => {
                let mut some = [evaluation.worst.clone(), evaluation.right.clone()].concat();
                some.sort_by_key(|kept| kept.place);
                some
            }
        };
        let (run, events) = match (&version.run, format) {
            (Some(run), ResultFormat::Html) => self.training(run).await?,
            _ => (None, Vec::new()),
        };
        let measure = EvaluationRequest {
            task: task.to_owned(),
            version: name.to_owned(),
            score_base: evaluation.base.is_some(),
        };
        let commands = run.as_ref().and_then(command_of).into_iter().chain([measure.command()]).collect();
        let task = self.engine.tasks().of(&version).await?;
        apart(move || {
            let rows = rows(&version, &task, &evaluation, held_out, kept);
            let results = Results { version, task, evaluation, run, events, rows, commands };
            Ok(match format {
                ResultFormat::Csv => table::csv(&results),
                ResultFormat::Jsonl => table::jsonl(&results),
                ResultFormat::Html => html::report(&results),
            })
        })
        .await
    }

    /// A run and its events; nothing where it was deleted.
    async fn training(self, id: &str) -> Result<(Option<Run>, Vec<Event>)> {
        match self.engine.store.run(id).await {
            Err(graft_store::Error::NoRun(_)) => Ok((None, Vec::new())),
            run => Ok((Some(run?), self.engine.runs().events(id, 0).await?)),
        }
    }
}

fn rows(
    version: &Version,
    task: &Task,
    evaluation: &Evaluation,
    held_out: Vec<Example>,
    kept: Vec<KeptAnswer>,
) -> Vec<Row> {
    let (card, rules) = (&version.card, &task.scoring);
    let row = |KeptAnswer { place, score, answer }: KeptAnswer| {
        let Example { id, input, output: expected, .. } = held_out.get(place)?.clone();
        let both = expected.as_ref().zip(answer.as_ref());
        let diff = both.map(|(truth, answer)| score::diff(card, rules, truth, answer));
        let correct = both.is_some_and(|(truth, answer)| score::all_right(card, rules, truth, answer));
        let confidence = evaluation.confidences.as_ref().and_then(|all| all.get(place).copied());
        Some(Row { id, input, expected, answer, correct, score, confidence, diff })
    };
    kept.into_iter().filter_map(row).collect()
}

#[cfg(test)]
mod tests;
