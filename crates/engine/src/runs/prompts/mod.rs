//! Training prompts: texts of examples that people submit for training.

mod batch;
mod versions;

use graft_core::Review;
use graft_store::{NewPrompt, Priority, Prompt};
use graft_tasks::{Import, understand::csv};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

pub use self::{
    batch::{BatchPrompt, BatchRun, PromptBatch},
    versions::{PromptDiff, PromptReached, PromptVersion, SettingChange},
};
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
/// A stored text without an outcome was left by whoever stored it after so long, in milliseconds.
const LEFT: i64 = 10 * 60 * 1000;

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
    /// Number of the text that this one is a new version of.
    #[serde(default)]
    pub parent: Option<u64>,
    /// Import the examples even if their labels are all others than those of the task's approved examples.
    #[serde(default)]
    pub mix_labels: bool,
}

impl PromptRequest {
    /// Shortest text, in characters.
    pub const LEAST_CHARS: usize = 10;

    /// A text with the usual settings.
    #[must_use]
    pub fn new(text: String, model_type: String) -> Self {
        Self {
            text,
            model_type,
            description: None,
            priority: Priority::default(),
            base: None,
            effort: Effort::default(),
            activate: false,
            search: None,
            track: None,
            pending: false,
            parent: None,
            mix_labels: false,
        }
    }
}

/// A text that was submitted.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SubmittedPrompt {
    /// With its dataset's name, and its run or why there is none.
    pub prompt: Prompt,
    /// What was decided about the text, a sentence each.
    pub notes: Vec<String>,
}

/// The examples of a text.
struct ReadPrompt {
    import: Import,
    /// Number of examples that people must review.
    pending: u64,
}

/// How a text is trained on, as it is stored with the text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct PromptSettings {
    priority: Priority,
    base: String,
    effort: Effort,
    activate: bool,
    search: Option<Budget>,
    track: Option<bool>,
    pending: bool,
}

impl PromptSettings {
    fn of(request: &PromptRequest, task: &str) -> Self {
        Self {
            priority: request.priority,
            base: request.base.clone().unwrap_or(RunRequest::new(task).base),
            effort: request.effort,
            activate: request.activate,
            search: request.search,
            track: request.track,
            pending: request.pending,
        }
    }
}

impl Runs<'_> {
    /// Stores the examples of a text, names them as a dataset, and queues a run that learns from all approved examples of the
    /// task. If no run can be queued, the examples are kept all the same, and the reason is noted.
    ///
    /// # Errors
    /// The task is unknown; the text has no example; [`Error::MixesLabels`]; there is no such parent.
    pub async fn submit_prompt(self, request: &PromptRequest) -> Result<SubmittedPrompt> {
        if let Some(parent) = request.parent {
            self.prompt(parent).await?;
        }
        let read = self.read_prompt(request).await?;
        let notes = read.import.notes.clone();
        let mut prompts = [self.keep_prompt(request, read).await?];
        self.train_prompts(&mut prompts).await?;
        let [prompt] = prompts;
        Ok(SubmittedPrompt { prompt, notes })
    }

    async fn read_prompt(self, request: &PromptRequest) -> Result<ReadPrompt> {
        let task = task_of(&request.model_type);
        let mut import = self.engine.examples().read_pasted(&request.text, "the text", task).await?;
        if request.pending {
            import.examples.iter_mut().for_each(|example| example.review = Review::Pending);
        }
        self.engine.examples().check_labels(&mut import, request.mix_labels).await?;
        let pending = import.examples.iter().filter(|example| example.review == Review::Pending).count();
        Ok(ReadPrompt { import, pending: pending as u64 })
    }

    /// Stores the examples of a text, and names them as a dataset.
    async fn keep_prompt(self, request: &PromptRequest, read: ReadPrompt) -> Result<Prompt> {
        let ReadPrompt { import, pending } = read;
        let task = task_of(&request.model_type);
        let table = csv(import.examples.iter().map(|example| (example.input.as_str(), example.output.as_ref())));
        let description = match request.description.as_deref().map(str::trim).filter(|given| !given.is_empty()) {
            Some(given) => given.to_owned(),
            None => request.text.trim().chars().take(PREVIEW).collect(),
        };
        let all = import.examples.len();
        self.engine.examples().take_in(import, &mut |_| {}).await?;
        let new = NewPrompt {
            task,
            model_type: &request.model_type,
            description: &description,
            text: &request.text,
            csv: &table,
            examples: all as u64,
            pending,
            parent: request.parent,
            settings: &graft_core::json::value(&PromptSettings::of(request, task)),
        };
        Ok(self.engine.store.add_prompt(new, &self.engine.by, now()).await?)
    }

    /// Queues one run for stored texts of one task and base model, and notes it with each of them, or why there is none.
    async fn train_prompts(self, prompts: &mut [Prompt]) -> Result<()> {
        let (run, note) = match self.learn(prompts).await {
            Ok(run) => (Some(run), None),
            Err(note) => (None, Some(note)),
        };
        let ids: Vec<u64> = prompts.iter().map(|prompt| prompt.id).collect();
        self.engine.store.prompt_outcome(&ids, run.as_deref(), note.as_deref()).await?;
        for prompt in prompts {
            (prompt.run, prompt.note) = (run.clone(), note.clone());
        }
        Ok(())
    }

    /// Queues the run of texts of one task and base model, as the last of them asks; otherwise says why there is none.
    async fn learn(self, prompts: &[Prompt]) -> std::result::Result<String, String> {
        let settings = |prompt: &Prompt| serde_json::from_value(prompt.settings.clone().unwrap_or_default()).ok();
        let all: Vec<PromptSettings> = prompts.iter().filter_map(settings).collect();
        let (Some(last), Some(asked)) = (prompts.last(), all.last()) else {
            return Err("It is not known how to train on it.".into());
        };
        if prompts.iter().all(|prompt| prompt.examples == prompt.pending) {
            return Err("No example is approved yet: add answers in Audit, then train.".into());
        }
        let mut run = RunRequest::new(&last.task);
        run.base.clone_from(&asked.base);
        (run.effort, run.activate, run.track) = (asked.effort, asked.activate, asked.track);
        run.priority = all.iter().map(|asked| asked.priority).max().unwrap_or_default();
        // Before its training a run either searches, or measures what is to beat.
        run.baseline = asked.search.is_none();
        // Whoever finds the texts without an outcome gets the same run.
        let key = format!("prompt {}", last.id);
        let submitted = match asked.search {
            Some(budget) => self.engine.studies().begin_before(&run, budget, Some(&key)).await,
            None => self.submit(&run, Some(&key)).await,
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

    /// Queues the runs of texts whose process was stopped after it had stored them.
    pub(super) async fn train_left_prompts(self) -> Result<()> {
        for prompt in self.engine.store.prompts_left(now() - LEFT).await? {
            let engine = self.engine.as_user(prompt.created_by.clone());
            engine.runs().train_prompts(&mut [prompt]).await?;
        }
        Ok(())
    }

    /// Submitted texts, newest first.
    pub async fn prompts(self, limit: u32, offset: u32) -> Result<Vec<Prompt>> {
        Ok(self.engine.store.prompts(limit, offset).await?)
    }

    /// A submitted text.
    ///
    /// # Errors
    /// There is none of this number.
    pub async fn prompt(self, id: u64) -> Result<Prompt> {
        Ok(self.engine.store.prompt(id).await?)
    }

    /// The whole of a submitted text.
    ///
    /// # Errors
    /// There is none of this number.
    pub async fn prompt_text(self, id: u64) -> Result<String> {
        Ok(self.engine.store.prompt_text(id).await?)
    }

    /// The examples of a submitted text as a table.
    ///
    /// # Errors
    /// There is none of this number.
    pub async fn prompt_csv(self, id: u64) -> Result<String> {
        Ok(self.engine.store.prompt_csv(id).await?)
    }

    /// The caller's draft that is not submitted yet.
    pub async fn prompt_draft(self) -> Result<Option<Value>> {
        Ok(self.engine.store.prompt_draft(&self.engine.by).await?)
    }

    /// Stores the caller's draft.
    pub async fn save_prompt_draft(self, draft: &Value) -> Result<()> {
        Ok(self.engine.store.save_prompt_draft(&self.engine.by, draft, now()).await?)
    }
}

/// The task that a model type means.
fn task_of(model_type: &str) -> &str {
    MODEL_TYPES.iter().find(|(name, _)| *name == model_type).map_or(model_type, |(_, task)| *task)
}
