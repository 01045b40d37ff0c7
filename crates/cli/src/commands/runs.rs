use std::{
    collections::BTreeMap,
    io::{self, Write as _},
    sync::Arc,
    time::Duration,
};

use clap::Subcommand;
use graft_core::{EventKind, Timestamp};
use graft_engine::{
    Engine, Error, MlflowRuns, iso8601,
    records::{LogStream, Run, RunFilter, RunKind, RunState},
};
use graft_train::TrainingRun;
use serde_json::json;

use super::train::{self, told_by_service};
use crate::{
    failure::{Failure, Result},
    output::{Reply, Table, facts, seconds},
    progress::interim,
};

#[derive(Debug, Subcommand)]
pub(crate) enum Runs {
    /// List runs, newest first.
    List {
        /// Only this task.
        #[arg(long)]
        task: Option<String>,
        /// Only runs in this state: queued, starting, running, succeeded, failed, cancelled.
        #[arg(long)]
        state: Option<RunState>,
        /// Only runs of this kind: train, evaluate.
        #[arg(long)]
        kind: Option<RunKind>,
        /// Maximum number to list.
        #[arg(long, default_value_t = 50, value_name = "N")]
        limit: u32,
    },
    /// Show one run: state, settings, progress, error.
    Show {
        /// Name of the run.
        id: String,
    },
    /// Print what the trainer wrote.
    Logs {
        /// Name of the run.
        id: String,
        /// Print stderr instead of stdout.
        #[arg(long)]
        stderr: bool,
        /// Keep printing until the run ends.
        #[arg(long, short)]
        follow: bool,
    },
    /// Resume a training that was killed, was stopped or failed, from its last checkpoint, and register the result.
    Resume {
        /// Name of the run.
        id: String,
        /// Name of the version [default: the next number].
        #[arg(long, value_name = "NAME")]
        version: Option<String>,
        /// Don't evaluate the bare base model.
        #[arg(long)]
        skip_base: bool,
    },
    /// Cancel a waiting or running run; its last checkpoint is kept.
    Cancel {
        /// Name of the run.
        id: String,
    },
    /// Queue a failed or cancelled training again, from the start.
    Retry {
        /// Name of the run.
        id: String,
        /// Continue from its last checkpoint.
        #[arg(long)]
        resume: bool,
    },
    /// Delete finished runs and their directories; their versions are kept.
    Delete {
        /// Names of the runs.
        #[arg(required = true)]
        ids: Vec<String>,
    },
    /// Send runs that were not sent yet to the configured trackers: older ones, or those with `--no-track`.
    Track {
        /// Names of the runs.
        #[arg(required = true)]
        ids: Vec<String>,
    },
    /// Read the newest runs of an MLflow experiment, whoever made them, and show params and metrics side by side.
    Mlflow {
        /// Name or id of the experiment; a task's is graft/TASK.
        experiment: String,
        /// Show versions of this task beside them.
        #[arg(long)]
        task: Option<String>,
        /// Only runs for which this holds, in MLflow's language: "metrics.loss < 1 and params.lr = '0.1'".
        #[arg(long, default_value = "", hide_default_value = true, value_name = "EXPRESSION")]
        filter: String,
        /// The metrics to show [default: four that most of them have].
        #[arg(long = "metric", value_name = "NAME")]
        metrics: Vec<String>,
        /// Maximum number of runs.
        #[arg(long, default_value_t = 200, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=5000))]
        limit: u16,
    },
    /// Stop a training after its current step and keep a checkpoint.
    Stop {
        /// Name of the run.
        id: String,
        /// Don't wait until it has stopped.
        #[arg(long)]
        no_wait: bool,
    },
}

pub(crate) async fn run(engine: &Engine, command: Runs) -> Result<Reply> {
    engine.runs().reconcile(None).await?;
    match command {
        Runs::List { task, state, kind, limit } => {
            list(engine, RunFilter { task, state, kind, limit: Some(limit), offset: 0, ..RunFilter::default() }).await
        }
        Runs::Show { id } => show(engine, &engine.runs().get(&id).await?).await,
        Runs::Logs { id, stderr, follow } => logs(engine, &id, stderr, follow).await,
        Runs::Resume { id, version, skip_base } => {
            let run = engine.runs().get(&id).await?;
            if run.kind == RunKind::Evaluate {
                let hint = format!("`graft runs retry {id}` queues it for a worker; `graft eval` evaluates it now");
                return Err(Failure::usage(format!("train run `{id}`, which is an evaluation"), hint));
            }
            let run = engine.runs().prepare_again(&run, version.as_deref(), None).await?;
            train::complete(engine, &run).await?.judge(engine, !skip_base, None).await
        }
        Runs::Cancel { id } => {
            let run = engine.runs().cancel(&id).await?;
            let done = if run.state.is_active() { "stops after its step" } else { "is cancelled" };
            Ok(Reply::new(&run, format!("Run {id} {done}.")))
        }
        Runs::Retry { id, resume } => {
            let run = if resume { engine.runs().resume(&id).await? } else { engine.runs().retry(&id).await? };
            Ok(Reply::new(&run, format!("Run {id} is queued again; a worker continues it.")))
        }
        Runs::Delete { ids } => {
            let mut deleted = Vec::new();
            for id in &ids {
                deleted.push(engine.runs().delete(id).await?.id);
            }
            let text = format!("Deleted {} runs.", deleted.len());
            Ok(Reply::new(json!({"deleted": deleted}), text))
        }
        Runs::Track { ids } => {
            let mut tracked = serde_json::Map::new();
            for id in &ids {
                tracked.insert(id.clone(), json!(engine.tracking().add(id).await?));
            }
            engine.tracking().send_now().await;
            let text = format!("{} runs are sent to the trackers, now or by the next worker.", tracked.len());
            Ok(Reply::new(json!({"tracked": tracked}), text))
        }
        Runs::Mlflow { experiment, task, filter, metrics, limit } => {
            let found = engine.tracking().mlflow_runs(&experiment, &filter, limit.into(), task.as_deref()).await?;
            let text = compared(&found, &metrics);
            Ok(Reply::new(&found, text))
        }
        Runs::Stop { id, no_wait } => stop(engine, &id, no_wait).await,
    }
}

/// A run elsewhere, or a version here.
struct Compared<'a> {
    name: String,
    status: &'a str,
    started: Option<Timestamp>,
    params: &'a BTreeMap<String, String>,
    metrics: BTreeMap<&'a str, f64>,
}

/// Versions here and runs elsewhere, with the params in which they differ and some of their metrics.
fn compared(found: &MlflowRuns, metrics: &[String]) -> String {
    let versions = found.versions.iter().map(|version| Compared {
        name: format!("version {}", version.version),
        status: "here",
        started: None,
        params: &version.params,
        metrics: version.metrics.iter().map(|(name, value)| (name.as_str(), *value)).collect(),
    });
    let runs = found.runs.iter().map(|run| Compared {
        name: run.name.clone(),
        status: &run.status,
        started: run.started_at,
        params: &run.params,
        metrics: run.metrics.iter().filter_map(|(name, value)| Some((name.as_str(), (*value)?))).collect(),
    });
    let shown = if metrics.is_empty() { &*found.common_metrics } else { metrics };
    let mut table = Table::new(["run", "status", "started", "metrics", "params that differ"]);
    for Compared { name, status, started, params, metrics } in versions.chain(runs) {
        let number = |name: &String| Some(format!("{name} {:.4}", metrics.get(name.as_str())?));
        let param = |name: &String| Some(format!("{name} {}", params.get(name)?));
        table.row([
            name,
            status.to_owned(),
            started.map_or_else(String::new, iso8601),
            shown.iter().filter_map(number).collect::<Vec<_>>().join(", "),
            found.differing_params.iter().filter_map(param).collect::<Vec<_>>().join(", "),
        ]);
    }
    table.or(&format!("Experiment {} has no such runs.", found.experiment))
}

async fn list(engine: &Engine, filter: RunFilter) -> Result<Reply> {
    let runs = engine.runs().list(&filter).await?;
    let versions = engine.versions().names(filter.task.as_deref()).await?;
    let mut table = Table::new(["run", "kind", "state", "base", "examples", "loss", "started", "version"]);
    for run in &runs {
        let made = versions.iter().find(|version| version.run.as_ref() == Some(&run.id));
        let version = made.map(|version| &version.name).or(run.version.as_ref());
        table.row([
            run.id.clone(),
            run.kind.name().to_owned(),
            run.state.name().to_owned(),
            run.base.clone(),
            run.train_samples.map_or_else(String::new, |n| n.to_string()),
            run.final_loss.map_or_else(String::new, |loss| format!("{loss:.4}")),
            run.started_at.map_or_else(String::new, iso8601),
            version.cloned().unwrap_or_default(),
        ]);
    }
    let text = table.or("No runs yet: `graft train TASK`.");
    Ok(Reply::new(json!({"runs": runs}), text))
}

async fn show(engine: &Engine, run: &Run) -> Result<Reply> {
    let dir = engine.home.run_dir(run);
    let known = engine.runs().known(&run.id).await?;
    let result: Option<TrainingRun> = known.result.and_then(|result| serde_json::from_value(result).ok());
    let version = engine.versions().of_run(run).await?;
    let last_step = engine.runs().events(&run.id, 0).await?.into_iter().rev().find_map(|event| match event.kind {
        EventKind::Step { step, of, loss, .. } => Some((step, of, loss)),
        _ => None,
    });
    let mut lines = vec![
        ("run", run.id.clone()),
        ("task", run.task.clone()),
        ("kind", run.kind.name().to_owned()),
        ("state", run.state.name().to_owned()),
        ("method", run.method.clone()),
        ("base", run.base.clone()),
        ("dataset", run.dataset.short().to_owned()),
        ("directory", dir.path().display().to_string()),
    ];
    let view = engine.runs().view(&run.id).await?;
    let waiting = view.waiting;
    if !view.rentals.is_empty() {
        let cents: u64 = view.rentals.iter().map(|rental| rental.cents).sum();
        let kinds = view.rentals.iter().map(|rental| rental.rental.kind.as_str()).collect::<Vec<_>>().join(", ");
        lines.push(("cost", format!("{} for {kinds}", graft_core::dollars(cents))));
    }
    if let Some(waiting) = &waiting {
        lines.push(("waits", waiting.why.clone()));
    }
    if let Some((step, of, loss)) = last_step {
        lines.push(("step", format!("{step} of {of}, loss {loss:.4}")));
    }
    let held_out = view.progress.and_then(|progress| progress.held_out);
    if let Some(scores) = held_out.as_ref().and_then(|held_out| held_out.scores.as_ref()) {
        lines.push(("during training", interim(scores)));
    }
    if let Some(result) = &result {
        lines.push(("examples", format!("{} training examples, {} held out", result.samples, result.eval_samples)));
        lines.push(("held-out loss", result.eval_loss.map_or_else(|| "none".to_owned(), |loss| format!("{loss:.4}"))));
        match told_by_service(result) {
            Some(told) => lines.push(("trained by", told)),
            None => lines.push(("time", seconds(result.train_seconds))),
        }
        lines.push(("adapter", result.adapter_hash.to_string()));
    }
    match (&version, &result) {
        (Some(version), _) => lines.push(("version", format!("{} ({})", version.name, version.stage.name()))),
        (None, Some(_)) => lines.push(("version", format!("none yet: `graft runs resume {}` registers it", run.id))),
        (None, None) => {}
    }
    if let Some(failure) = &run.failure {
        lines.push(("error", failure.text()));
    }
    for tracked in &view.tracking {
        let name = tracked.tracker.name();
        let found = match (&tracked.error, &tracked.url) {
            (Some(error), _) => format!("{error}; Graft retries"),
            (None, Some(url)) => url.clone(),
            (None, None) => tracked.state.name().to_owned(),
        };
        lines.push((name, found));
    }
    if matches!(run.state, RunState::Failed | RunState::Cancelled) && run.kind == RunKind::Train {
        lines.push((
            "next",
            match run.started_at {
                Some(_) => format!("`graft runs resume {}` continues from the last checkpoint", run.id),
                None => format!("`graft runs retry {}` queues it again", run.id),
            },
        ));
    }
    let json = json!({"run": run, "result": result, "version": version, "alive": engine.runs().is_alive(run),
        "waiting": waiting, "tracking": view.tracking, "held_out": held_out,
        "last_step": last_step.map(|(step, of, loss)| json!({"step": step, "of": of, "loss": loss}))});
    Ok(Reply::new(json, facts(&lines)))
}

async fn logs(engine: &Engine, id: &str, stderr: bool, follow: bool) -> Result<Reply> {
    let stream = if stderr { LogStream::Stderr } else { LogStream::Stdout };
    let (mut whole, mut offset) = (String::new(), 0);
    loop {
        // The state is read before the log, so that nothing is missed of a run that has just ended.
        let goes_on = follow && engine.runs().get(id).await?.state.is_active();
        loop {
            let part = engine.runs().log(id, stream, offset).await?;
            if part.text.is_empty() {
                break;
            }
            offset = part.next;
            if !follow {
                whole += &part.text;
            } else if io::stdout().write_all(part.text.as_bytes()).and_then(|()| io::stdout().flush()).is_err() {
                return Ok(Reply::silent());
            }
        }
        match (follow, goes_on) {
            (false, _) => return Ok(Reply::new(json!({"run": id, "log": whole}), whole)),
            (true, false) => return Ok(Reply::silent()),
            (true, true) => tokio::time::sleep(Duration::from_millis(300)).await,
        }
    }
}

async fn stop(engine: &Engine, id: &str, no_wait: bool) -> Result<Reply> {
    let run = engine.runs().get(id).await?;
    if !run.state.is_active() {
        let hint = "`graft runs list` shows the runs and their states";
        return Err(Failure::usage(format!("stop run `{id}`, which is {}", run.state.name()), hint));
    }
    let run = engine.runs().cancel(id).await?;
    if no_wait {
        return Ok(Reply::new(&run, format!("Run {id} will stop after its step.")));
    }
    // A run whose follower is gone is followed from here to its end.
    let program = std::env::current_exe().map_err(Error::TrainerStart)?;
    let run = engine.runs().supervise(id, program, &mut |_| {}, Arc::new(|_, _| {})).await?;
    let text = format!("Run {id} is {}; `graft runs resume {id}` continues it.", run.state.name());
    Ok(Reply::new(run, text))
}
