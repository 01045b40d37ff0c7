use std::collections::BTreeMap;

use graft_store::{Priority, Prompt};
use graft_tasks::{
    tabular::{Columns, PromptRow, read_prompts},
    understand::{Hint, KnownTask, LineProblem},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{PromptRequest, task_of};
use crate::{Error, Result, RunRequest, runs::Runs};

/// Texts that are submitted together.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub struct PromptBatch {
    /// In the table's order.
    pub prompts: Vec<BatchPrompt>,
    /// The rows that are not submitted.
    pub problems: Vec<LineProblem>,
    /// One run for each task and base model.
    pub runs: Vec<BatchRun>,
}

/// A text of a table.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct BatchPrompt {
    /// The line that its row begins in, from 1.
    pub line: usize,
    /// The requested model type.
    pub model_type: String,
    /// The task that it means.
    pub task: String,
    /// Base model of its run.
    pub base: String,
    /// Priority of its run.
    pub priority: Priority,
    /// Number of examples.
    pub examples: u64,
    /// Number of examples that people must review.
    pub pending: u64,
    /// The dataset that it became; absent if nothing was stored.
    pub dataset: Option<String>,
    /// If the table is only checked: suggestions that would improve the text's examples. Lines count within the text.
    pub hints: Vec<Hint>,
}

/// The run of some texts.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct BatchRun {
    /// The task.
    pub task: String,
    /// Base model.
    pub base: String,
    /// Number of texts that it is for.
    pub prompts: usize,
    /// The run that was queued.
    pub run: Option<String>,
    /// Why no run was queued.
    pub note: Option<String>,
}

impl Runs<'_> {
    /// Submits a table of texts, each with its model type: stores each as a dataset of its own, and then queues one run for
    /// each task and base model. With `dry_run` only checks it. A row with a problem does not keep the others from being
    /// submitted. `mix_labels` is that of each text.
    ///
    /// # Errors
    /// It is not such a table; store errors.
    pub async fn submit_prompts(self, table: &str, mix_labels: bool, dry_run: bool) -> Result<PromptBatch> {
        let Some(entries) = read_prompts(table) else {
            let what = "submit texts together: the file has no columns `prompt` and `model_type`";
            return Err(Error::Unsupported(what.into()));
        };
        let mut batch = PromptBatch::default();
        let mut groups: Vec<Vec<Prompt>> = Vec::new();
        let mut known: BTreeMap<String, KnownTask> = BTreeMap::new();
        for (line, row) in entries {
            let (request, read) = match row.and_then(|row| request(row, mix_labels)) {
                Ok(request) => match self.read_prompt(&request).await {
                    Ok(read) => (request, read),
                    Err(
                        error @ (Error::Tasks(_)
                        | Error::Archived { .. }
                        | Error::MixesLabels { .. }
                        | Error::Store(graft_store::Error::NoTask(_))),
                    ) => {
                        batch.problems.push(LineProblem { line, reason: format!("could not {error}") });
                        continue;
                    }
                    Err(error) => return Err(error),
                },
                Err(reason) => {
                    batch.problems.push(LineProblem { line, reason });
                    continue;
                }
            };
            let task = task_of(&request.model_type).to_owned();
            if dry_run && !known.contains_key(&task) {
                known.insert(task.clone(), self.engine.examples().known_task(&task).await?);
            }
            let understood =
                |task: &KnownTask| self.engine.examples().understand(&request.text, &Columns::default(), task);
            let hints = known.get(&task).map(|task| understood(task).hints).unwrap_or_default();
            let mut listed = BatchPrompt {
                line,
                base: request.base.clone().unwrap_or(RunRequest::new(task.as_str()).base),
                task,
                model_type: request.model_type.clone(),
                priority: request.priority,
                examples: read.import.examples.len() as u64,
                pending: read.pending,
                dataset: None,
                hints,
            };
            let is_same = |run: &BatchRun| (&run.task, &run.base) == (&listed.task, &listed.base);
            let at = batch.runs.iter().position(is_same).unwrap_or_else(|| {
                let (task, base) = (listed.task.clone(), listed.base.clone());
                batch.runs.push(BatchRun { task, base, prompts: 0, run: None, note: None });
                groups.push(Vec::new());
                groups.len() - 1
            });
            batch.runs[at].prompts += 1;
            if !dry_run {
                let prompt = self.keep_prompt(&request, read).await?;
                listed.dataset = Some(prompt.dataset.clone());
                groups[at].push(prompt);
            }
            batch.prompts.push(listed);
        }
        for (run, mut prompts) in batch.runs.iter_mut().zip(groups).filter(|(_, prompts)| !prompts.is_empty()) {
            self.train_prompts(&mut prompts).await?;
            let first = prompts.swap_remove(0);
            (run.run, run.note) = (first.run, first.note);
        }
        Ok(batch)
    }
}

/// What a row asks for.
fn request(row: PromptRow, mix_labels: bool) -> std::result::Result<PromptRequest, String> {
    let least = PromptRequest::LEAST_CHARS;
    if row.text.trim().chars().count() < least {
        return Err(format!("the text has fewer than {least} characters"));
    }
    let priority = row.priority.map(|name| {
        let priority = name.to_lowercase().parse::<Priority>();
        priority.map_err(|_| format!("the priority `{name}` is not low, normal or high"))
    });
    Ok(PromptRequest {
        priority: priority.transpose()?.unwrap_or_default(),
        base: row.base,
        description: row.description,
        mix_labels,
        ..PromptRequest::new(row.text, row.model_type)
    })
}
