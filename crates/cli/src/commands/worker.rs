use std::sync::Arc;

use clap::Args;
use graft_engine::{Engine, Error, Say, WorkerOptions};

use crate::{config::Config, failure::Result, output::Reply, traces};

/// Run queued trainings and evaluations until stopped.
///
/// Several workers can share one database, on one machine or several. Killing a worker loses nothing: its trainer
/// process continues, and the next worker follows it.
#[derive(Debug, Args)]
pub(crate) struct Worker {
    /// CPU threads for all runs together; a run uses all of them unless it sets --threads.
    #[arg(long, value_name = "N")]
    slots: Option<String>,
    /// Exit when the queue is empty.
    #[arg(long)]
    once: bool,
    /// `nice` value of trainer processes, 0 to 19 [default: 10].
    #[arg(long, value_name = "N")]
    nice: Option<String>,
    /// Lease in seconds: another worker may take over a run after this long without a renewal [default: 30].
    #[arg(long, value_name = "SECONDS")]
    lease: Option<String>,
    /// Seconds before the first retry after a transient failure [default: 10].
    #[arg(long, value_name = "SECONDS")]
    backoff: Option<String>,
    /// Don't suggest answers for pending examples while idle.
    #[arg(long)]
    no_suggestions: bool,
    /// Don't handle schedules.
    #[arg(long)]
    no_schedules: bool,
}

/// Suggest answers for pending examples with the active version, so that the least confident can be audited first.
#[derive(Debug, Args)]
pub(crate) struct Suggest {
    /// Task.
    task: String,
    /// Maximum number of examples, newest first.
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
        eprintln!("Stopping; trainers keep running, and the next worker follows them.");
        let _ = stop.send(true);
        stop.closed().await;
    });
    let say: Say = Arc::new(|_, line| eprintln!("{line}"));
    eprintln!("Working with {} threads on {}", options.slots, engine.database());
    engine.runs().work(options, stopped, say).await?;
    Ok(Reply::silent())
}

pub(crate) async fn suggest(engine: &Engine, command: Suggest) -> Result<Reply> {
    let task = engine.versions().task_with_versions(Some(&command.task)).await?;
    let made = engine.evaluations().suggest(&task, command.limit).await?;
    let left = command.limit.saturating_sub(u32::try_from(made).unwrap_or(u32::MAX));
    let beside = engine.evaluations().suggest_beside(&task, left).await?;
    let text = format!("Suggested answers for {made} pending examples of {task}.");
    Ok(Reply::new(serde_json::json!({"task": task, "answered": made, "answered_beside": beside}), text))
}

/// Waits for Ctrl-C or SIGTERM.
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
