use std::sync::Arc;

use clap::Args;
use graft_engine::{Engine, Error, Say, WorkerOptions};

use crate::{config::Config, failure::Result, output::Reply, traces};

/// Take runs from the queue and train them, until told to stop.
///
/// Several workers share one database, on one machine or on many. One that is killed loses nothing: its trainers live
/// on, and the next worker goes on with them.
#[derive(Debug, Args)]
pub(crate) struct Worker {
    /// CPU threads that runs share; a run takes them all unless it names a number.
    #[arg(long, value_name = "N")]
    slots: Option<String>,
    /// End when nothing is left to do now.
    #[arg(long)]
    once: bool,
    /// Priority of trainers as `nice` counts it, from 0 to 19 [default: 10].
    #[arg(long, value_name = "N")]
    nice: Option<String>,
    /// Seconds a run stays this worker's without a sign of life [default: 30].
    #[arg(long, value_name = "SECONDS")]
    lease: Option<String>,
    /// Seconds before the first retry after a failure that may pass [default: 10].
    #[arg(long, value_name = "SECONDS")]
    backoff: Option<String>,
    /// Don't answer pending examples while nothing trains.
    #[arg(long)]
    no_suggestions: bool,
    /// Leave schedules to other workers.
    #[arg(long)]
    no_schedules: bool,
}

/// Answer pending examples with the active version, so that the least sure of them can be looked at first.
#[derive(Debug, Args)]
pub(crate) struct Suggest {
    /// The task.
    task: String,
    /// At most this many examples, the newest first.
    #[arg(long, default_value_t = 100, value_name = "N")]
    limit: u32,
}

impl Worker {
    fn flags(&self) -> [(&'static str, &'static str, Option<String>); 6] {
        let off = |flag: bool| flag.then(|| "false".to_owned());
        [
            ("worker_slots", "--slots", self.slots.clone()),
            ("worker_nice", "--nice", self.nice.clone()),
            ("worker_lease", "--lease", self.lease.clone()),
            ("worker_backoff", "--backoff", self.backoff.clone()),
            ("worker_suggestions", "--no-suggestions", off(self.no_suggestions)),
            ("worker_schedules", "--no-schedules", off(self.no_schedules)),
        ]
    }
}

pub(crate) async fn run(engine: &Engine, command: Worker) -> Result<Reply> {
    let program = std::env::current_exe().map_err(Error::TrainerStart)?;
    let config = Config::load(engine.home.path(), &command.flags())?;
    let _traces = traces::begin(&config, None)?;
    let options = WorkerOptions { once: command.once, ..config.worker_options(program)? };
    let (stop, stopped) = tokio::sync::watch::channel(false);
    tokio::spawn(async move {
        asked_to_end().await;
        eprintln!("Stopping; trainers live on, and the next worker goes on with them.");
        let _ = stop.send(true);
        stop.closed().await;
    });
    let say: Say = Arc::new(|line| eprintln!("{line}"));
    eprintln!("Working with {} threads on {}", options.slots, engine.store.name());
    engine.work(options, stopped, say).await?;
    Ok(Reply::silent())
}

pub(crate) async fn suggest(engine: &Engine, command: Suggest) -> Result<Reply> {
    let task = engine.task_with_versions(Some(&command.task)).await?;
    let made = engine.suggest(&task, command.limit).await?;
    let text = format!("{made} pending examples of {task} have an answer now.");
    Ok(Reply::new(serde_json::json!({"task": task, "answered": made}), text))
}

/// Ctrl-C, or what a service manager sends.
async fn asked_to_end() {
    #[cfg(unix)]
    if let Ok(mut terminate) = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminate.recv() => {}
        }
        return;
    }
    let _ = tokio::signal::ctrl_c().await;
}
