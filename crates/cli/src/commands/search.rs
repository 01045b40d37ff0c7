use std::{collections::BTreeSet, sync::Arc, time::Duration};

use clap::{Args, Subcommand};
use graft_engine::{
    Budget, Engine, Error, SamplerName, Settings, StudyRequest, StudyView,
    recipes::Method,
    records::{StudyState, Trial, TrialState},
};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::{
    failure::Result,
    output::{Reply, Table},
};

/// How often it is looked whether a trial is to be stopped early.
const LOOK: Duration = Duration::from_millis(500);

#[derive(Debug, Args)]
pub(crate) struct Search {
    /// Task; `graft tasks list` shows them.
    task: String,
    /// Base model: a name, a Hub id or a path. Given several times, each trial uses one of them; losses are then per example.
    #[arg(long, default_value = "smollm2-135m")]
    base: Vec<String>,
    /// Kind of adapter [default: searched for].
    #[arg(long, value_enum)]
    method: Option<Method>,
    /// When the search ends: `20-trials`, `60m` or `2h`. A running trial is finished.
    #[arg(long, default_value = "20-trials")]
    budget: Budget,
    /// Trials at a time: on another machine, or if workers run beside this command. With more, each is chosen from fewer
    /// results.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=16))]
    parallel: u64,
    /// Train on another machine; `graft machines list` shows them. Its slots limit the trials at a time.
    #[arg(long, value_name = "MACHINE")]
    on: Option<String>,
    /// How trials are chosen: `random` shows what `tpe` brings.
    #[arg(long, value_enum, default_value = "tpe")]
    sampler: SamplerName,
    /// Settings of all trials, which are not searched for; `--seed` is the search's, too.
    #[command(flatten)]
    settings: Settings,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Studies {
    /// List studies, newest first.
    List {
        /// Only of this task.
        #[arg(long)]
        task: Option<String>,
    },
    /// Show a study: its trials, the best one, and the importance of each setting.
    Show {
        /// Name of the study.
        id: String,
    },
    /// End a study; its trials so far are kept.
    Stop {
        /// Name of the study.
        id: String,
    },
    /// Queue a training with the best settings of a study.
    Train {
        /// Name of the study.
        id: String,
    },
}

/// Carries a study to its end: a new one, or the one of the task that was interrupted.
pub(crate) async fn run(engine: &Engine, command: Search) -> Result<Reply> {
    let study = match engine.studies().active(&command.task).await? {
        Some(study) => {
            eprintln!("Continuing study {} with its original settings; `graft studies stop {0}` ends it.", study.id);
            study
        }
        None => {
            let mut bases = command.base.into_iter();
            let request = StudyRequest {
                task: command.task,
                base: bases.next(),
                more_bases: bases.collect(),
                method: command.method,
                budget: command.budget,
                parallel: Some(command.parallel),
                on: command.on,
                sampler: command.sampler,
                settings: command.settings,
            };
            let study = engine.studies().begin(&request).await?;
            eprintln!("Study {}: after an interruption, run the same command to continue.", study.id);
            study
        }
    };
    let program = std::env::current_exe().map_err(Error::TrainerStart)?;
    let looking = tokio::spawn(look(engine.clone(), study.id.clone()));
    let (mut told, mut followed, mut at_work) = (BTreeSet::new(), BTreeSet::new(), JoinSet::new());
    let ended = loop {
        let now = match engine.studies().advance(&study.id).await {
            Ok(now) => now,
            Err(error) => break Err(error),
        };
        let view = match engine.studies().view(&study.id).await {
            Ok(view) => view,
            Err(error) => break Err(error),
        };
        for trial in view.trials.iter().filter(|trial| trial.state != TrialState::Running) {
            if told.insert(trial.number) {
                eprintln!("Trial {}: {}, loss {}: {}", trial.number, trial.state.name(), loss(trial), settings(trial));
            }
        }
        if now.state != StudyState::Running {
            break Ok(view);
        }
        // A trial takes all of this machine; on another one there is room for several.
        let most = if view.study.plan["on"].is_string() { view.trials.len() } else { 1 };
        for trial in view.trials.iter().filter(|trial| trial.state == TrialState::Running) {
            if at_work.len() < most && followed.insert(trial.run.clone()) {
                let (engine, program, run) = (engine.clone(), program.clone(), trial.run.clone());
                at_work.spawn(async move {
                    engine.runs().supervise(&run, program, &mut |_| {}, Arc::new(|_, _| {})).await.map(|_| run)
                });
            }
        }
        match at_work.join_next().await {
            Some(Ok(Ok(run))) => {
                followed.remove(&run);
            }
            Some(Ok(Err(error))) => break Err(error),
            // It was not cancelled: it panicked.
            Some(Err(error)) => std::panic::resume_unwind(error.into_panic()),
            None => tokio::time::sleep(LOOK).await,
        }
    };
    looking.abort();
    Ok(shown(ended?))
}

/// Stops trials early while one is trained.
async fn look(engine: Engine, study: String) {
    loop {
        tokio::time::sleep(LOOK).await;
        // The command itself meets the same error.
        let _ = engine.studies().advance(&study).await;
    }
}

pub(crate) async fn studies(engine: &Engine, command: Studies) -> Result<Reply> {
    match command {
        Studies::List { task } => {
            let studies = engine.studies().list(task.as_deref()).await?;
            let mut table = Table::new(["study", "task", "state", "budget", "note"]);
            for study in &studies {
                let budget = study.plan["budget"].as_str().unwrap_or_default().to_owned();
                let note = study.note.clone().unwrap_or_default();
                table.row([study.id.clone(), study.task.clone(), study.state.name().to_owned(), budget, note]);
            }
            let text = table.or("No studies yet: `graft search TASK`.");
            Ok(Reply::new(json!({"studies": studies}), text))
        }
        Studies::Show { id } => Ok(shown(engine.studies().view(&id).await?)),
        Studies::Stop { id } => {
            let study = engine.studies().stop(&id).await?;
            let text = format!("Study {} is {}.", study.id, study.state.name());
            Ok(Reply::new(json!({"study": study}), text))
        }
        Studies::Train { id } => {
            let run = engine.studies().train_best(&id, None).await?;
            let text = format!("Run {} is queued; `graft worker` or `graft serve` executes it.", run.id);
            Ok(Reply::new(json!({"run": run}), text))
        }
    }
}

fn shown(view: StudyView) -> Reply {
    let mut table = Table::new(["trial", "state", "loss", "seconds", "settings"]);
    for trial in &view.trials {
        let seconds = format!("{:.0}", trial.millis as f64 / 1000.0);
        table.row([trial.number.to_string(), trial.state.name().to_owned(), loss(trial), seconds, settings(trial)]);
    }
    let mut text =
        format!("Study {}: {}, {} trials\n{table}", view.study.id, view.study.state.name(), view.trials.len());
    if !view.importance.is_empty() {
        let parts = view.importance.iter().filter(|one| one.share >= 0.01);
        let parts: Vec<String> = parts.map(|one| format!("{} {:.0} %", one.name, one.share * 100.0)).collect();
        text += &format!("\nWhat matters: {}", parts.join(", "));
    }
    if view.ended_early {
        text += "\nIt ended before its budget was used up: none of its trials was shown to be better than the recipe.";
    }
    text += &match (view.best, view.defaults_are_best, &view.command) {
        (_, Some(true), _) => format!("\nThe defaults are best here: {}.", unproven(&view)),
        (Some(best), None, Some(command)) => format!(
            "\nTrial {best} has the lowest loss. Trial 0, the recipe, has not finished its training, so the two can't be \
             compared. Train with the settings of trial {best}: `{command}`"
        ),
        (Some(best), _, Some(command)) => {
            let least = view.lead.filter(|lead| lead.is_shown()).and_then(|lead| lead.at_least);
            let lead = least.map_or_else(String::new, |least| {
                format!(" Its loss is at least {least:.4} lower than the recipe's, with a probability of 95 %.")
            });
            format!("\nBest is trial {best}.{lead} Train with its settings: `{command}`")
        }
        _ => "\nNo trial has finished its training yet.".to_owned(),
    };
    Reply::new(view, text)
}

/// Why no trial counts as better than the recipe.
fn unproven(view: &StudyView) -> String {
    let lead = match (view.best, view.lead) {
        (Some(best), Some(lead)) => format!(
            ". The loss of trial {best} is {:.4} lower; with {} examples to compare {} trials, this may be chance",
            lead.loss,
            lead.examples,
            view.trials.len()
        ),
        _ => String::new(),
    };
    format!("no trial was shown to be better than trial 0, the recipe{lead}")
}

fn loss(trial: &Trial) -> String {
    trial.loss.map_or_else(|| "-".to_owned(), |loss| format!("{loss:.4}"))
}

fn settings(trial: &Trial) -> String {
    let texts = ["base", "method"].iter().filter_map(|name| trial.settings[name].as_str());
    let mut parts: Vec<String> = texts.map(str::to_owned).collect();
    for (name, value) in trial.settings["settings"].as_object().into_iter().flatten() {
        let value = match value {
            Value::String(text) => text.clone(),
            Value::Array(names) => names.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(","),
            other => other.to_string(),
        };
        parts.push(format!("{} {value}", name.replace('_', "-")));
    }
    parts.join(" · ")
}
