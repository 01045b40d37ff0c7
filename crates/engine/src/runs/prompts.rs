//! Training prompts: texts of examples that people submit for training.

use graft_core::Review;
use graft_store::{NewPrompt, Priority, Prompt};
use graft_tasks::understand::csv;
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::{RunRequest, Runs, recipes::Effort};
use crate::{Budget, Error, Result, now};

/// The names that other systems use for kinds of models, with the tasks that they mean.
pub(super) const MODEL_TYPES: [(&str, &str); 4] = [
    ("text_classification", "text-classification"),
    ("sentiment_analysis", "sentiment"),
    ("instruction_following", "instruction"),
    ("general_chat", "chat"),
];
/// Longest description made of a text, in characters.
const PREVIEW: usize = 100;

/// A text to be trained on, with how.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PromptRequest {
    /// The text: examples in any form that people paste, at least 10 characters.
    #[schema(min_length = 10)]
    pub text: String,
    /// `text_classification`, `sentiment_analysis`, `instruction_following`, `general_chat`, or the name of a task.
    pub model_type: String,
    /// What it is, for people; the beginning of the text otherwise.
    #[serde(default)]
    pub description: Option<String>,
    /// Priority of its run in the queue. Default: `normal`.
    #[serde(default)]
    pub priority: Priority,
    /// Base model of the run; `smollm2-135m` otherwise.
    #[serde(default)]
    pub base: Option<String>,
    /// Number of epochs relative to the recipe. Default: `recommended`.
    #[serde(default)]
    pub effort: Effort,
    /// Make the run's version active, if it is not worse than the active one.
    #[serde(default)]
    pub activate: bool,
    /// Budget of a search for better settings before the run trains, as of `POST /studies`: `20-trials`, `60m`. Default: no
    /// search.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub search: Option<Budget>,
    /// Whether the run is sent to trackers such as MLflow. Default: if any are configured.
    #[serde(default)]
    pub track: Option<bool>,
    /// Import every example as pending; then nothing is trained.
    #[serde(default)]
    pub pending: bool,
}

impl Runs<'_> {
    /// Stores the examples of a text, names them as a dataset, and queues a run that learns from all approved examples of the
    /// task. If no run can be queued, the examples are kept all the same, and the reason is noted.
    ///
    /// # Errors
    /// The task is unknown; the text has no example.
    pub async fn submit_prompt(self, request: &PromptRequest) -> Result<Prompt> {
        let known = MODEL_TYPES.iter().find(|(name, _)| *name == request.model_type).map(|(_, task)| *task);
        let task = known.unwrap_or(&request.model_type);
        let examples = self.engine.examples();
        let mut import = examples.read_pasted(&request.text, "the text", task).await?;
        if request.pending {
            import.examples.iter_mut().for_each(|example| example.review = Review::Pending);
        }
        let pending = import.examples.iter().filter(|example| example.review == Review::Pending).count();
        let table = csv(import.examples.iter().map(|example| (example.input.as_str(), example.output.as_ref())));
        let description = match request.description.as_deref().map(str::trim).filter(|given| !given.is_empty()) {
            Some(given) => given.to_owned(),
            None => request.text.trim().chars().take(PREVIEW).collect(),
        };
        let all = import.examples.len();
        examples.take_in(import, &mut |_| {}).await?;
        let new = NewPrompt {
            task,
            model_type: &request.model_type,
            description: &description,
            text: &request.text,
            csv: &table,
            examples: all as u64,
            pending: pending as u64,
        };
        let store = &self.engine.store;
        let mut prompt = store.add_prompt(new, &self.engine.by, now()).await?;
        match self.learn(request, task, all - pending).await {
            Ok(run) => prompt.run = Some(run),
            Err(note) => prompt.note = Some(note),
        }
        store.prompt_outcome(prompt.id, prompt.run.as_deref(), prompt.note.as_deref()).await?;
        Ok(prompt)
    }

    /// Queues the run of a text; otherwise says why there is none.
    async fn learn(self, request: &PromptRequest, task: &str, approved: usize) -> std::result::Result<String, String> {
        if approved == 0 {
            return Err("No example is approved yet: add answers in Audit, then train.".into());
        }
        let mut run = RunRequest::new(task);
        (run.priority, run.effort, run.activate) = (request.priority, request.effort, request.activate);
        run.track = request.track;
        if let Some(base) = &request.base {
            run.base.clone_from(base);
        }
        let submitted = match request.search {
            Some(budget) => self.engine.studies().begin_before(&run, budget).await,
            None => self.submit(&run, None).await,
        };
        match submitted {
            Ok(run) => Ok(run.id),
            Err(Error::NotReady(preflight)) => {
                let what: Vec<String> = preflight.errors().map(|problem| problem.what.clone()).collect();
                Err(format!("The training could not {}.", what.join("; it could not ")))
            }
            Err(Error::Store(graft_store::Error::RunActive { run, .. })) => {
                Err(format!("{run} is training this task now. Train again when it has ended."))
            }
            Err(error) => Err(format!("Failed to {error}.")),
        }
    }

    /// Submitted texts, newest first.
    ///
    /// # Errors
    /// Store errors.
    pub async fn prompts(self, limit: u32) -> Result<Vec<Prompt>> {
        Ok(self.engine.store.prompts(limit).await?)
    }

    /// The examples of a submitted text as a table, if there is one of this number.
    ///
    /// # Errors
    /// Store errors.
    pub async fn prompt_csv(self, id: u64) -> Result<Option<String>> {
        Ok(self.engine.store.prompt_csv(id).await?)
    }

    /// The caller's draft that is not submitted yet.
    ///
    /// # Errors
    /// Store errors.
    pub async fn prompt_draft(self) -> Result<Option<Value>> {
        Ok(self.engine.store.prompt_draft(&self.engine.by).await?)
    }

    /// Stores the caller's draft.
    ///
    /// # Errors
    /// Store errors.
    pub async fn save_prompt_draft(self, draft: &Value) -> Result<()> {
        Ok(self.engine.store.save_prompt_draft(&self.engine.by, draft, now()).await?)
    }
}
