use std::path::PathBuf;

use clap::{Args, Subcommand};
use graft_engine::{
    BothTimes, Engine, RolloutReport, Times, iso8601,
    records::{Rollout as Record, RolloutPolicy, RolloutState},
};
use serde_json::json;

use super::models::activated;
use crate::{
    failure::Result,
    output::{Reply, Table, facts},
};

#[derive(Debug, Subcommand)]
pub(crate) enum Rollout {
    /// Start a roll-out: the version answers beside the active one, and its answers are only recorded.
    Start(Box<Start>),
    /// Show the stage of a task's roll-out and its remaining conditions.
    Status {
        /// Task; needed if several tasks have versions.
        task: Option<String>,
    },
    /// Compare both versions in a roll-out that runs or has ended: answers, agreement, people's decisions, evidence.
    Report {
        /// Task; needed if several tasks have versions.
        task: Option<String>,
        /// Number of the roll-out [default: the newest].
        #[arg(long, value_name = "N")]
        number: Option<i64>,
        /// HTML file to write.
        #[arg(long, short, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Promote to the next stage: from shadow to canary, from canary to active.
    ///
    /// A version becomes active if it was beside the active one long enough, is not worse by what people decided on the same
    /// inputs, and is not worse on the held-out examples.
    Promote {
        /// Task; needed if several tasks have versions.
        task: Option<String>,
        /// Make it active now even if conditions are not met; the reason is stored in the audit trail.
        #[arg(long, value_name = "REASON")]
        r#override: Option<String>,
        /// From shadow, skip the canary.
        #[arg(long)]
        skip_canary: bool,
    },
    /// Stop a task's roll-out; the version no longer answers requests.
    Stop {
        /// Task; needed if several tasks have versions.
        task: Option<String>,
        /// Why, for the audit trail.
        #[arg(long, value_name = "REASON")]
        because: Option<String>,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Start {
    /// Version to roll out.
    version: String,
    /// Task; needed if several tasks have versions.
    #[arg(long)]
    task: Option<String>,
    /// Share of the requests that the canary answers, chosen by a hash of the subject.
    #[arg(long, value_name = "SHARE", default_value_t = RolloutPolicy::default().share)]
    share: f64,
    /// Clients (users or tokens) whose requests the canary answers in any case.
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    clients: Vec<String>,
    /// Hours as shadow or canary before it may become active.
    #[arg(long, value_name = "N", default_value_t = RolloutPolicy::default().shadow_hours)]
    shadow_hours: u64,
    /// Maximum probability of each wrong decision of the test.
    #[arg(long, value_name = "SHARE", default_value_t = RolloutPolicy::default().error_rate)]
    error_rate: f64,
    /// Score difference (0 to 1) that still counts as not worse.
    #[arg(long, value_name = "SHARE", default_value_t = RolloutPolicy::default().margin)]
    margin: f64,
    /// 95th percentile of the errors at which the version is withdrawn.
    #[arg(long, value_name = "SHARE", default_value_t = RolloutPolicy::default().drift_at)]
    drift_at: f64,
    /// Minimum number of decisions for it.
    #[arg(long, value_name = "N", default_value_t = RolloutPolicy::default().drift_samples)]
    drift_samples: usize,
    /// Period in minutes whose decisions are used; longer if they are fewer than needed.
    #[arg(long, value_name = "N", default_value_t = RolloutPolicy::default().drift_minutes)]
    drift_minutes: u64,
}

pub(crate) async fn run(engine: &Engine, command: Rollout) -> Result<Reply> {
    let named = match &command {
        Rollout::Start(start) => &start.task,
        Rollout::Status { task }
        | Rollout::Report { task, .. }
        | Rollout::Promote { task, .. }
        | Rollout::Stop { task, .. } => task,
    };
    let task = &engine.versions().task_with_versions(named.as_deref()).await?;
    match command {
        Rollout::Start(start) => {
            let rollout = engine.rollouts().start(task, &start.version, &start.policy()).await?;
            let text = format!(
                "Version {} of {task} answers beside {}; its answers are only recorded. `graft rollout status {task}` \
                 shows the comparison.",
                rollout.version, rollout.against
            );
            Ok(Reply::new(json!({"rollout": rollout}), text))
        }
        Rollout::Status { .. } => status(engine, task).await,
        Rollout::Report { number, output: None, .. } => {
            let report = engine.rollouts().numbered(task, number).await?;
            Ok(Reply::new(&report, compared(&report)))
        }
        Rollout::Report { number, output: Some(path), .. } => {
            let page = engine.rollouts().page(task, number).await?;
            graft_formats::atomic::bytes(&path, page.as_bytes())?;
            Ok(Reply::new(json!({"written": path}), format!("Written to {}.", path.display())))
        }
        Rollout::Promote { r#override: because, skip_canary, .. } => {
            let running = engine.rollouts().running(task).await?;
            if running.state == RolloutState::Shadow && because.is_none() && !skip_canary {
                let rollout = engine.rollouts().to_canary(task).await?;
                let text = format!("Version {} of {task} is a canary: {}.", rollout.version, share(&rollout));
                return Ok(Reply::new(json!({"rollout": rollout}), text));
            }
            let done = engine.evaluations().promote(None, task, because.as_deref()).await?;
            Ok(Reply::new(&done, activated(&done)))
        }
        Rollout::Stop { because, .. } => {
            let rollout = engine.rollouts().stop(task, because.as_deref()).await?;
            let text =
                format!("Version {} of {task} is no longer rolled out; {} answers.", rollout.version, rollout.against);
            Ok(Reply::new(json!({"rollout": rollout}), text))
        }
    }
}

impl Start {
    fn policy(&self) -> RolloutPolicy {
        RolloutPolicy {
            share: self.share,
            clients: self.clients.clone(),
            shadow_hours: self.shadow_hours,
            error_rate: self.error_rate,
            margin: self.margin,
            drift_at: self.drift_at,
            drift_samples: self.drift_samples,
            drift_minutes: self.drift_minutes,
        }
    }
}

async fn status(engine: &Engine, task: &str) -> Result<Reply> {
    let all = engine.rollouts().of_task(task).await?;
    let mut text = match &all.running {
        Some(report) => shown(report),
        None => format!("No version of {task} is being rolled out: `graft rollout start VERSION --task {task}`.\n"),
    };
    if !all.ended.is_empty() {
        let mut table = Table::new(["version", "ended as", "when", "why"]);
        for one in &all.ended {
            let when = one.ended_at.map(iso8601).unwrap_or_default();
            table.row([one.version.clone(), one.state.name().to_owned(), when, one.why.clone().unwrap_or_default()]);
        }
        text += &format!("\n{table}");
    }
    Ok(Reply::new(&all, text))
}

fn share(rollout: &Record) -> String {
    let share = format!("it answers {:.0} % of the requests", 100.0 * rollout.policy.share);
    match rollout.policy.clients.as_slice() {
        [] => share,
        clients => format!("{share}, and those of {}", clients.join(", ")),
    }
}

/// Both versions side by side.
fn compared(report: &RolloutReport) -> String {
    let RolloutReport { rollout, counts, outcomes, errors, times, next, .. } = report;
    let percent = |share: Option<f64>| share.map_or_else(|| "–".to_owned(), |share| format!("{:.1} %", 100.0 * share));
    let mut table = Table::new(["", rollout.version.as_str(), rollout.against.as_str()]);
    let mut row = |name: &str, one: String, other: String| table.row([name.to_owned(), one, other]);
    row("answers given", counts.canary.to_string(), (counts.pairs - counts.canary).to_string());
    row("right by people's decisions", percent(outcomes.candidate), percent(outcomes.active));
    row("better on", outcomes.wins.to_string(), outcomes.losses.to_string());
    row("mean error, newest decisions", percent(errors.mean), percent(errors.active_mean));
    if let Some(BothTimes { active, candidate }) = times {
        row("answers with compared times", candidate.answers.to_string(), active.answers.to_string());
        row("answer time, median", seconds(candidate.p50), seconds(active.p50));
        row("answer time, 95th percentile", seconds(candidate.p95), seconds(active.p95));
    }
    let difference = outcomes.difference.map_or_else(String::new, |found| {
        format!(
            "Difference: {:+.1} points ({:+.1} to {:+.1}; {:.0} % confidence sequence, valid at any time).\n",
            100.0 * found.mean,
            100.0 * found.low,
            100.0 * found.high,
            100.0 * found.confidence
        )
    });
    format!(
        "Roll-out {} of {}: {} since {}\n{} inputs answered by both, {} the same; {} decided by people\n\n{table}\n{difference}\
         Evidence (e-value, {:.0} needed): {:.1} that it is not worse, {:.1} that it is worse.\n{next}\n",
        rollout.id,
        rollout.task,
        rollout.state.name(),
        iso8601(rollout.stage_at),
        counts.pairs,
        percent(counts.agreement),
        outcomes.decided,
        outcomes.needed,
        outcomes.not_worse,
        outcomes.worse
    )
}

fn seconds(time: Option<f64>) -> String {
    time.map_or_else(|| "–".to_owned(), |seconds| format!("{:.1} ms", 1000.0 * seconds))
}

/// The answer times of both versions, or why they are not compared.
fn speeds(rollout: &Record, times: Option<BothTimes>) -> String {
    let Some(BothTimes { active, candidate }) = times else {
        return "not compared before the canary answers requests".into();
    };
    let one = |name: &str, of: Times| {
        format!("{name} {} (95th percentile {}; {} answers)", seconds(of.p50), seconds(of.p95), of.answers)
    };
    format!("median of {}, of {}", one(&rollout.version, candidate), one(&rollout.against, active))
}

fn shown(report: &RolloutReport) -> String {
    let RolloutReport { rollout, counts, times, gates, next, .. } = report;
    let agreement = counts.agreement.map(|share| format!(", {:.0} % the same", 100.0 * share)).unwrap_or_default();
    let mut text = facts(&[
        ("version", format!("{} of {}, against {}", rollout.version, rollout.task, rollout.against)),
        ("stage", rollout.state.name().to_owned()),
        ("since", iso8601(rollout.stage_at)),
        ("both answered", format!("{} inputs{agreement}; {} were given by the canary", counts.pairs, counts.canary)),
        ("answer time", speeds(rollout, *times)),
        ("failed, left out", format!("{}, {}", rollout.failures, rollout.dropped)),
    ]);
    let mut table = Table::new(["before it may become active", "", "found"]);
    for gate in gates {
        table.row([gate.name.to_owned(), if gate.passed { "yes" } else { "open" }.to_owned(), gate.found.clone()]);
    }
    text += &format!("\n{table}\n{next}\n");
    text
}
