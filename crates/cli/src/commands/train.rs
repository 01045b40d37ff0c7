use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use clap::Args;
use graft_core::OptimSpec;
use graft_engine::{
    Engine, Error, Home, Plan, RunLock,
    recipes::{Family, recipe},
};
use graft_store::{Run, Version};
use graft_train::{Outcome, RunDir, TrainingRun};
use serde_json::json;

use super::settings::{Hyper, MethodName, Split};
use crate::{
    failure::Result,
    output::{Reply, facts, print, seconds},
    progress::Training,
};

/// Train an adapter on a task's approved examples, and register it.
#[derive(Debug, Args)]
pub(crate) struct Train {
    /// slack-rescue, ask-ai, text-classification, sentiment, instruction, chat.
    task: String,
    /// Base model: a name, a Hub id or a path.
    #[arg(long, default_value = "smollm2-135m")]
    base: String,
    /// Kind of adapter.
    #[arg(long, value_enum, default_value = "lora")]
    method: MethodName,
    /// Name of the version; otherwise the next number.
    #[arg(long, value_name = "NAME")]
    version: Option<String>,
    /// Name of the run; otherwise made up from task and time.
    #[arg(long, value_name = "NAME")]
    run_id: Option<String>,
    /// Make the version active if it is not worse than the active one.
    #[arg(long)]
    activate: bool,
    /// With --activate: even if it is worse.
    #[arg(long, requires = "activate")]
    force: bool,
    #[command(flatten)]
    split: Split,
    #[command(flatten)]
    hyper: Hyper,
}

/// Train in a run directory, as `graft train` does in a process of its own.
///
/// Continues from the newest checkpoint. Exits 0 only with a result.
#[derive(Debug, Args)]
pub(crate) struct TrainDir {
    /// Holds spec.json and data/.
    dir: PathBuf,
}

pub(crate) async fn run(engine: &Engine, command: Train) -> Result<Reply> {
    let rule = command.split.rule(command.hyper.seed.unwrap_or(OptimSpec::default().seed))?;
    let prepared = engine.prepare(&command.task, rule, None).await?;
    if let Some(name) = &command.version {
        free(engine, &command.task, name).await?;
    }
    let (base, files) = engine.base(&command.base).await?;
    let mut recipe =
        recipe(&command.task, command.method.into(), Family::of(&files.config), prepared.dataset.train.len());
    drop(files);
    command.hyper.apply(&mut recipe)?;
    let plan = Plan { prepared, base, recipe, run: command.run_id, dir: None };
    let run = engine.make_run(&plan).await?;
    eprintln!("Run {} in {}", run.id, engine.run_dir(&run).path().display());
    let (result, version) = complete(engine, &run, command.version.as_deref()).await?;
    Ok(report(&run, &result, &version))
}

/// Fails early where the version's name is taken.
async fn free(engine: &Engine, task: &str, name: &str) -> Result<()> {
    match engine.store.version(task, name).await {
        Err(graft_store::Error::NoVersion { .. }) => Ok(()),
        Err(error) => Err(error.into()),
        Ok(_) => Err(graft_store::Error::VersionExists { task: task.to_owned(), name: name.to_owned() }.into()),
    }
}

/// Trains a run to its end, wherever it stands, and registers the result.
pub(crate) async fn complete(engine: &Engine, run: &Run, name: Option<&str>) -> Result<(TrainingRun, Version)> {
    let program = std::env::current_exe().map_err(Error::TrainerStart)?;
    let trainer = engine.resume(run, &program).await?;
    let mut progress = Training::new();
    let interrupts = listen();
    let result = engine.follow(run, trainer, &interrupts, &mut |event| progress.event(event)).await?;
    let version = engine.register(run, name).await?;
    Ok((result, version))
}

/// Counts presses of Ctrl-C.
fn listen() -> Arc<AtomicU32> {
    let count = Arc::new(AtomicU32::new(0));
    let counter = Arc::clone(&count);
    tokio::spawn(async move {
        while tokio::signal::ctrl_c().await.is_ok() {
            if counter.fetch_add(1, Ordering::Relaxed) == 0 {
                eprintln!("Stopping after this step; press Ctrl-C again to end it at once.");
            }
        }
    });
    count
}

/// What a training gave.
pub(crate) fn report(run: &Run, result: &TrainingRun, version: &Version) -> Reply {
    let loss = |loss: Option<f64>| loss.map_or_else(|| "none held out".to_owned(), |loss| format!("{loss:.4}"));
    let text = facts(&[
        ("version", format!("{} of {} ({})", version.name, version.task, version.stage.name())),
        ("run", run.id.clone()),
        ("base", result.base_model.clone()),
        ("examples", format!("{} learned from, {} held out", result.samples, result.eval_samples)),
        ("too long", result.too_long.to_string()),
        ("held-out loss", loss(result.eval_loss)),
        ("time", format!("{} ({:.0} tokens/s)", seconds(result.train_seconds), result.tokens_per_second)),
        ("adapter", version.adapter_dir.clone()),
    ]);
    Reply::new(json!({"run": run.id, "result": result, "version": version}), text)
}

/// Trains in this process.
pub(crate) fn train_dir(command: &TrainDir, json: bool) -> Result<Reply> {
    let dir = RunDir::new(&command.dir);
    dir.spec()?;
    let _lock = RunLock::take(dir.path())?;
    let digests = Home::locate().map_or_else(|_| graft_formats::DigestCache::none(), |home| home.digests());
    let mut lines = Training::for_directory();
    let outcome = graft_train::train(&dir, &digests, &mut |event| match json {
        true => print(&serde_json::to_string(event).unwrap_or_default()),
        false => lines.event(event),
    })?;
    let (Outcome::Finished(result) | Outcome::AlreadyDone(result)) = &outcome;
    if json {
        print(&serde_json::to_string(&json!({"event": "result", "result": result})).unwrap_or_default());
        return Ok(Reply::silent());
    }
    Ok(Reply::new(result, format!("adapter {} in {}", result.adapter_hash.short(), dir.adapter().display())))
}
