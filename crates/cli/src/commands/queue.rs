use clap::{Args, Subcommand};
use graft_engine::{
    Engine, EvaluationRequest, Preflight, RunRequest, RunView, Settings, iso8601,
    records::{Priority, Run, RunFilter},
};
use serde_json::json;

use super::settings::{Split, What};
use crate::{
    failure::Result,
    output::{Reply, Table, bytes, seconds},
};

/// Queue trainings and evaluations for workers.
#[derive(Debug, Subcommand)]
pub(crate) enum Queue {
    /// Submit a training to the queue.
    Submit(Box<Submit>),
    /// Queue another evaluation of a version on its held-out examples.
    Evaluate(Evaluate),
    /// List waiting and running runs in execution order.
    List,
}

#[derive(Debug, Args)]
pub(crate) struct Evaluate {
    /// Task; needed if several tasks have versions.
    #[arg(long)]
    task: Option<String>,
    /// Version.
    #[arg(long, value_name = "NAME")]
    version: String,
    /// Also evaluate the bare base model (doubles the time).
    #[arg(long)]
    score_base: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Submit {
    #[command(flatten)]
    what: What,
    /// Priority in the queue: low, normal or high.
    #[arg(long, default_value = "normal")]
    priority: Priority,
    /// Name of the version [default: the next number].
    #[arg(long, value_name = "NAME")]
    version: Option<String>,
    /// Make the version active if it is not worse than the active one.
    #[arg(long)]
    activate: bool,
    /// Start only after this run has succeeded.
    #[arg(long, value_name = "RUN")]
    after: Option<String>,
    /// Don't evaluate the version on the held-out examples afterwards.
    #[arg(long, conflicts_with = "activate")]
    no_eval: bool,
    /// Also evaluate the bare base model (doubles the time).
    #[arg(long)]
    score_base: bool,
    /// Only run the checks and estimate time, memory and disk.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    split: Split,
    #[command(flatten)]
    settings: Settings,
}

impl Submit {
    pub(crate) fn request(&self) -> RunRequest {
        RunRequest {
            settings: self.settings.clone(),
            eval_share: Some(self.split.eval_share),
            split: Some(self.split.split),
            priority: self.priority,
            activate: self.activate,
            after: self.after.clone(),
            version: self.version.clone(),
            evaluate: !self.no_eval,
            score_base: self.score_base,
            ..self.what.request()
        }
    }
}

pub(crate) async fn run(engine: &Engine, command: Queue) -> Result<Reply> {
    engine.runs().reconcile(None).await?;
    match command {
        Queue::Submit(command) => submit(engine, &command).await,
        Queue::Evaluate(command) => evaluate(engine, command).await,
        Queue::List => list(engine).await,
    }
}

async fn submit(engine: &Engine, command: &Submit) -> Result<Reply> {
    let request = command.request();
    if command.dry_run {
        let preflight = engine.runs().preflight(&request).await?;
        let text = checked(&preflight);
        if preflight.ok {
            return Ok(Reply::new(&preflight, text));
        }
        let code = graft_engine::Error::NotReady(Box::new(preflight.clone())).exit_code();
        return Ok(Reply::new(&preflight, text).with_code(code));
    }
    let run = engine.runs().submit(&request, None).await?;
    let text = format!("Run {} is queued; `graft runs show {}` shows its progress.", run.id, run.id);
    Ok(Reply::new(json!({"run": run}), text))
}

async fn evaluate(engine: &Engine, command: Evaluate) -> Result<Reply> {
    let task = engine.versions().task_with_versions(command.task.as_deref()).await?;
    let request = EvaluationRequest { task, version: command.version, score_base: command.score_base };
    let (run, begun) = engine.runs().submit_evaluation(&request).await?;
    let is = if begun { "is queued" } else { "measures it already" };
    let text = format!("Run {} {is}; `graft runs show {}` shows its progress.", run.id, run.id);
    Ok(Reply::new(json!({"run": run, "begun": begun}), text))
}

fn checked(preflight: &Preflight) -> String {
    let mut text = String::new();
    for problem in &preflight.problems {
        let level = if problem.level == graft_engine::Level::Error { "error" } else { "warning" };
        text += &format!("{level}: failed to {}\n  hint: {}\n", problem.what, problem.hint);
    }
    if let Some(estimate) = &preflight.estimate {
        text += &format!(
            "{} training examples, {} held out; {} tokens in {} steps; about {} ({}), {} of memory\n",
            estimate.train,
            estimate.eval,
            estimate.tokens,
            estimate.steps,
            seconds(estimate.seconds),
            estimate.seconds_basis,
            bytes(estimate.memory_bytes)
        );
    }
    text + if preflight.ok { "Ready.\n" } else { "" }
}

async fn list(engine: &Engine) -> Result<Reply> {
    let (views, _) = engine.runs().views(&RunFilter::default()).await?;
    let mut views: Vec<RunView> = views.into_iter().filter(|view| view.run.state.is_active()).collect();
    let turn = |run: &Run| (run.lease_owner.is_none(), std::cmp::Reverse(run.priority), run.seq);
    views.sort_by_key(|view| turn(&view.run));
    let mut table = Table::new(["run", "kind", "state", "priority", "progress", "why it waits"]);
    for view in &views {
        let damaged = || view.damage.as_ref().map_or_else(String::new, |_| "can't be read".to_owned());
        let percent = view.progress.as_ref().map_or_else(damaged, |p| format!("{:.0} %", p.percent));
        let waits = view.waiting.as_ref().map_or_else(String::new, |waiting| match waiting.until {
            Some(until) => format!("{}, at {}", waiting.why, iso8601(until)),
            None => waiting.why.clone(),
        });
        let run = &view.run;
        let [kind, state, priority] = [run.kind.name(), run.state.name(), run.priority.name()].map(str::to_owned);
        table.row([run.id.clone(), kind, state, priority, percent, waits]);
    }
    let text = table.or("Nothing is queued: `graft queue submit TASK`.");
    Ok(Reply::new(json!({"runs": views}), text))
}
