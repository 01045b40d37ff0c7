//! The training service for other programs: tables of a dataset in, a job out. A job is a run.

use graft_core::{Digest, Review, Timestamp};
use graft_store::{Run, RunState};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::{HeldOut, RunRequest, Runs, prompts::MODEL_TYPES};
use crate::{Columns, Error, Evaluation, Result, Source};

/// Phases of every job: prepare and check the data, measure the baseline, train, evaluate and register.
const PHASES: u32 = 4;
/// A dataset to be trained on.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub struct TrainingSubmission {
    /// The sender's own name of the dataset: the same one is trained once, until its content differs.
    pub dataset_id: String,
    /// Its name for people. If it ends with a kind of model (`…_text_classification`, `…_sentiment_analysis`,
    /// `…_instruction_following`, `…_general_chat`) or is the name of a task, that task is trained; `text-classification`
    /// otherwise.
    pub dataset_name: String,
    /// Its tables.
    #[schema(min_items = 1)]
    pub csv_files: Vec<CsvFile>,
    /// How it is trained.
    #[serde(default)]
    pub config: TrainingConfig,
}

/// A table with a column of texts and one of answers.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub struct CsvFile {
    /// Its name, for messages.
    pub filename: String,
    /// All of it.
    pub content: String,
}

/// How a dataset is trained; other fields are refused.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TrainingConfig {
    /// 4, which is what every job has.
    pub phases: Option<u32>,
    /// Passed over: adapters are safetensors in PEFT's layout.
    pub checkpoint_format: Option<String>,
    /// The task, or a kind of model; it wins over the dataset's name.
    pub model_type: Option<String>,
    /// Base model. Default: `smollm2-135m`.
    pub base: Option<String>,
    /// Import the tables even if their labels are all others than those of the task's approved examples.
    pub mix_labels: bool,
}

/// The state of a job.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct TrainingStatus {
    /// `queued`, `running`, `completed`, `failed` or `cancelled`.
    pub status: &'static str,
    /// 0 while it waits, then 1 to 4: prepare and check the data, measure the baseline, train, evaluate and register.
    pub phase: u32,
    /// What its phases left, by phase.
    pub checkpoints: Vec<TrainingCheckpoint>,
    /// The newest of them.
    pub checkpoint: Option<String>,
    /// Its numbers so far.
    #[schema(value_type = Object)]
    pub metrics: Map<String, Value>,
    /// Why it failed, in full.
    pub error: Option<String>,
    /// When it was submitted.
    pub submitted_at: Timestamp,
}

/// What a phase left.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct TrainingCheckpoint {
    /// The phase.
    pub phase: u32,
    /// Where it is.
    pub url: String,
}

impl TrainingSubmission {
    /// Names what is in it.
    fn key(&self) -> String {
        let parts = [self.dataset_id.as_str(), &self.dataset_name].into_iter();
        let files = self.csv_files.iter().flat_map(|file| [file.filename.as_str(), &file.content]);
        format!("dataset {}", Digest::of_parts(parts.chain(files).map(str::as_bytes)))
    }
}

impl Runs<'_> {
    /// Takes in the tables of a dataset as approved examples, the doubtful ones as pending, and queues a run that learns
    /// from all approved examples of the task. The same `key` stands for the same job; without one the dataset with its content does,
    /// unless its job failed.
    ///
    /// # Errors
    /// No table has an example; [`Error::MixesLabels`]; [`Error::NotReady`]; [`graft_store::Error::RunActive`] while the task has a run.
    pub async fn submit_dataset(self, submission: &TrainingSubmission, key: Option<String>) -> Result<Run> {
        let TrainingSubmission { dataset_name, csv_files, config, .. } = submission;
        let is_own = key.is_none();
        let mut key = key.unwrap_or_else(|| submission.key());
        while let Some(made) = self.engine.store.requested_run(Some(&key)).await? {
            if !is_own || !matches!(made.state, RunState::Failed | RunState::Cancelled) {
                return Ok(made);
            }
            key = format!("{key} {}", made.seq);
        }
        if config.phases.is_some_and(|phases| phases != PHASES) {
            return Err(Error::Unsupported(format!("train in other than {PHASES} phases")));
        }
        let tasks = self.engine.tasks().list(false).await?.into_iter().map(|task| task.definition.name);
        let task = task_of(dataset_name, config.model_type.as_deref(), &tasks.collect::<Vec<_>>());
        if let Some(run) = self.engine.store.active_run(&task).await? {
            return Err(graft_store::Error::RunActive { task: run.task, run: run.id }.into());
        }
        let failed = |source| Error::Io { doing: "write", path: std::env::temp_dir(), source };
        let folder = tempfile::tempdir().map_err(failed)?;
        let mut imports = Vec::new();
        for (number, file) in csv_files.iter().enumerate() {
            let path = folder.path().join(format!("{number}.csv"));
            std::fs::write(&path, &file.content).map_err(failed)?;
            let import = self.engine.examples().read(&path, &Source::Csv(Columns::default()), &task, false).await;
            let bad = |source| Error::BadTable { name: file.filename.clone(), source: Box::new(source) };
            let mut import = import.map_err(bad)?;
            if !import.examples.iter().any(|example| matches!(example.review, Review::Approved { .. })) {
                let (source_name, skipped) = (file.filename.clone(), import.skipped_line());
                return Err(bad(graft_tasks::Error::Nothing { source_name, skipped, reasons: import.notes }.into()));
            }
            self.engine.examples().check_labels(&mut import, config.mix_labels).await?;
            imports.push(import);
        }
        for import in imports {
            self.engine.examples().take_in(import, &mut |_| {}).await?;
        }
        let mut request = RunRequest { baseline: true, ..RunRequest::new(task) };
        config.base.iter().for_each(|base| request.base.clone_from(base));
        self.submit(&request, Some(&key)).await
    }

    /// How far a job is; `origin` begins the addresses of what it left.
    ///
    /// # Errors
    /// There is no such run.
    pub async fn job_status(self, id: &str, origin: &str) -> Result<TrainingStatus> {
        let view = self.view(id).await?;
        let run = &view.run;
        let status = match run.state {
            RunState::Queued => "queued",
            RunState::Starting | RunState::Running => "running",
            RunState::Succeeded => "completed",
            RunState::Failed => "failed",
            RunState::Cancelled => "cancelled",
        };
        let progress = view.progress.unwrap_or_default();
        let phase = match (run.state, run.phase.as_deref()) {
            (RunState::Succeeded, _) | (_, Some("evaluate")) => 4,
            (_, Some("train")) => 3,
            (_, Some("search")) => 2,
            // The data were prepared before the search.
            (RunState::Queued, None) if run.search.is_some() => 2,
            (_, Some("prepare")) if run.search.is_some() => 3,
            (_, Some("prepare")) if progress.baseline.is_some() => 2,
            (RunState::Queued, None) => 0,
            _ => 1,
        };
        let mut metrics = Map::new();
        let mut number = |name: &str, value: Option<f64>| {
            value.into_iter().for_each(|value| drop(metrics.insert(name.to_owned(), json!(value))));
        };
        number("loss", run.final_loss.or(progress.loss));
        if let Some(baseline) = &progress.baseline {
            number("baseline", Some(baseline.value));
        }
        if let Some(HeldOut { loss, scores, .. }) = &progress.held_out {
            number("eval_loss", *loss);
            number("accuracy", scores.as_ref().map(|scores| scores.accuracy));
            number("f1", scores.as_ref().and_then(|scores| scores.f1));
        }
        let version = self.version_of(view.version.as_ref()).await?;
        if let Some((version, evaluation)) = version.as_ref().and_then(|v| Some((v, Evaluation::of(v)?))) {
            number("accuracy", evaluation.adapter.all_right().map(|metric| metric.value));
            number("f1", evaluation.adapter.f1(&version.card).map(|metric| metric.value));
            evaluation.adapter.metrics.iter().for_each(|metric| number(&metric.name, Some(metric.value)));
        }
        number("progress", Some(progress.percent));
        let left = |phase, path: &str| TrainingCheckpoint {
            phase,
            url: format!("{origin}/api/v1/runs/{}/artifacts/{path}", run.id),
        };
        let mut checkpoints = Vec::new();
        if view.result.is_some() {
            checkpoints.push(left(3, "adapter/adapter_model.safetensors"));
        }
        if run.state == RunState::Succeeded && run.eval_samples != Some(0) {
            checkpoints.push(left(4, "evaluation.json"));
        }
        Ok(TrainingStatus {
            status,
            phase,
            checkpoint: checkpoints.last().map(|newest| newest.url.clone()),
            checkpoints,
            metrics,
            error: run.failure.as_ref().map(graft_core::Failure::text),
            submitted_at: run.created_at,
        })
    }
}

/// The task that a dataset is for, of those there are.
fn task_of(name: &str, model_type: Option<&str>, tasks: &[String]) -> String {
    let named =
        |text: &str| MODEL_TYPES.iter().find(|(kind, _)| text.ends_with(kind)).map(|(_, task)| (*task).to_owned());
    let known = |text: &str| tasks.iter().find(|task| *task == text).cloned();
    let given = model_type.map(|given| named(given).or_else(|| known(given)).unwrap_or_else(|| given.to_owned()));
    given.or_else(|| named(name)).or_else(|| known(name)).unwrap_or_else(|| "text-classification".to_owned())
}
