use std::path::PathBuf;

use clap::Args;
use graft_core::{ComputeDevice, Event, EventKind, json};
use graft_engine::{Engine, Evaluation, RunLock, records::Version};
use graft_train::RunDir;

use super::models::scores_table;
use crate::{
    failure::Result,
    output::{Reply, print},
    progress::Counter,
};

/// Evaluate a version, the bare base model and the contestants on the same held-out examples.
///
/// Contestants answer without a language model: rules, n-grams, the nearest example, the most frequent label.
#[derive(Debug, Args)]
pub(crate) struct Eval {
    /// Task; needed if several tasks have versions.
    #[arg(long)]
    task: Option<String>,
    /// Version [default: the newest].
    #[arg(long, value_name = "NAME")]
    version: Option<String>,
    /// Don't evaluate the bare base model (saves half of the time).
    #[arg(long)]
    skip_base: bool,
    /// Where answers are computed: auto (the first GPU that works, otherwise the CPU), cpu, gpu or gpu:N [default: the
    /// setting `device`].
    #[arg(long, value_name = "DEVICE")]
    device: Option<ComputeDevice>,
}

/// Evaluate a version for a run; workers start this as a separate process.
///
/// Exits with 0 only if it wrote `evaluation.json` to the directory. It does not change the version.
#[derive(Debug, Args)]
pub(crate) struct EvalDir {
    /// The run directory.
    dir: PathBuf,
    /// Task.
    #[arg(long)]
    task: String,
    /// Version.
    #[arg(long, value_name = "NAME")]
    version: String,
    /// Don't evaluate the bare base model.
    #[arg(long)]
    skip_base: bool,
    /// Where answers are computed.
    #[arg(long, value_name = "DEVICE", default_value_t)]
    device: ComputeDevice,
}

/// Evaluates in this process.
pub(crate) async fn in_dir(engine: &Engine, command: &EvalDir, json: bool) -> Result<Reply> {
    let dir = RunDir::new(&command.dir);
    RunLock::take(dir.path()).map_err(graft_engine::Error::from)?.keep_until_exit();
    let version = engine.versions().get(&command.task, &command.version).await?;
    let mut tell = |event: &Event| match (&event.kind, json) {
        (_, true) => print(&json::line(event)),
        (EventKind::Answered { done, of }, false) => print(&format!("{done} of {of} examples answered")),
        _ => {}
    };
    let measured =
        engine.on_device(command.device).runs().evaluate_in(&dir, &version, !command.skip_base, &mut tell).await?;
    Ok(Reply::new(&measured, scores_table(&measured.evaluation)))
}

pub(crate) async fn run(engine: &Engine, command: Eval) -> Result<Reply> {
    let task = engine.versions().task_with_versions(command.task.as_deref()).await?;
    let version = engine.versions().named_or_newest(&task, command.version.as_deref()).await?;
    let there = command.device.map_or_else(|| engine.clone(), |device| engine.on_device(device));
    let (version, text) = evaluate(&there, &version, !command.skip_base).await?;
    let evaluation = &version.metrics["evaluation"];
    let json = serde_json::json!({"task": version.task, "version": version.name, "evaluation": evaluation});
    Ok(Reply::new(json, text))
}

/// Evaluates a version with a progress bar, and returns the numbers as text.
pub(crate) async fn evaluate(engine: &Engine, version: &Version, with_base: bool) -> Result<(Version, String)> {
    let mut shown = Steps::default();
    let (version, evaluation) =
        engine.evaluations().evaluate(version, with_base, &mut |what, done, of| shown.show(what, done, of)).await?;
    drop(shown);
    let text = scores(&version, &evaluation);
    Ok((version, text))
}

/// The scores of a version as text.
pub(crate) fn scores(version: &Version, evaluation: &Evaluation) -> String {
    format!("{} of {}\n\n{}", version.name, version.task, scores_table(evaluation))
}

/// Shows one progress bar after the other.
#[derive(Default)]
pub(crate) struct Steps(Option<(String, Counter)>);

impl Steps {
    pub(crate) fn show(&mut self, what: &str, done: usize, of: usize) {
        if self.0.as_ref().is_none_or(|(shown, _)| shown != what) {
            self.0 = Some((what.to_owned(), Counter::new(what, of)));
        }
        if let Some((_, counter)) = &mut self.0 {
            counter.set(done, of);
        }
    }
}
