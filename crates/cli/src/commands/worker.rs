use std::{sync::Arc, time::Duration};

use clap::Args;
use graft_engine::{Engine, Error, Say, WorkerOptions};

use crate::{failure::Result, output::Reply};

/// Take runs from the queue and train them, until told to stop.
///
/// Several workers share one database, on one machine or on many. One that is killed loses nothing: its trainers live
/// on, and the next worker goes on with them.
#[derive(Debug, Args)]
pub(crate) struct Worker {
    /// CPU threads that runs share; a run takes them all unless it names a number.
    #[arg(long, value_name = "N")]
    slots: Option<u32>,
    /// End when nothing is left to do now.
    #[arg(long)]
    once: bool,
    /// Priority of trainers as `nice` counts it, from 0 to 19.
    #[arg(long, default_value_t = 10, value_name = "N", value_parser = clap::value_parser!(i32).range(0..=19))]
    nice: i32,
    /// Seconds a run stays this worker's without a sign of life.
    #[arg(long, default_value_t = 30.0, value_name = "SECONDS", value_parser = positive)]
    lease: f64,
    /// Seconds before the first retry after a failure that may pass.
    #[arg(long, default_value_t = 10.0, value_name = "SECONDS", value_parser = positive)]
    backoff: f64,
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

fn positive(text: &str) -> std::result::Result<f64, String> {
    let number = text.parse::<f64>().ok().filter(|n| n.is_finite() && (0.01..=1e6).contains(n));
    number.ok_or_else(|| "write a number of seconds above 0".to_owned())
}

pub(crate) async fn run(engine: &Engine, command: Worker) -> Result<Reply> {
    let program = std::env::current_exe().map_err(Error::TrainerStart)?;
    let mut options = WorkerOptions::new(program);
    options.slots = command.slots.unwrap_or(options.slots).max(1);
    (options.once, options.nice) = (command.once, command.nice);
    options.lease = Duration::from_secs_f64(command.lease);
    options.backoff = Duration::from_secs_f64(command.backoff);
    (options.suggestions, options.schedules) = (!command.no_suggestions, !command.no_schedules);
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
