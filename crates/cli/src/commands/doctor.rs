use clap::Args;
use graft_core::ExitCode;
use graft_engine::{Check, Engine, Home};
use serde_json::json;

use crate::{
    config::Config,
    failure::Failure,
    output::{Reply, Table},
};

/// Check everything a run needs: data, base model, memory, disk, threads.
#[derive(Debug, Args)]
pub(crate) struct Doctor {
    /// Also check this task's examples.
    task: Option<String>,
    /// Base model to check.
    #[arg(long, default_value = "smollm2-135m")]
    base: String,
}

pub(crate) async fn run(home: &Home, by: &str, command: &Doctor) -> Reply {
    let (config, mut problems) = Config::read(home.path());
    // Files that can't be read may name another database.
    let opened =
        if problems.is_empty() { Some(Engine::open_at(home.clone(), by, &config.places()).await) } else { None };
    // What is wrong with them is among the problems.
    let (trackers, receivers) = (config.trackers().unwrap_or_default(), config.receivers().unwrap_or_default());
    let opened = opened.map(|engine| engine.map(|engine| engine.with_trackers(trackers).with_receivers(receivers)));
    problems.extend(config.check().err());
    // Large tasks take seconds.
    let tell = |what: &str| eprintln!("Looking at: {what}");
    let mut checks: Vec<Check> = problems.iter().map(unread).collect();
    checks.extend(graft_engine::doctor(home, opened.as_ref(), (command.task.as_deref(), &command.base), &tell).await);
    let mut table = Table::new(["", "what", "found"]);
    let mut hints = String::new();
    for check in &checks {
        table.row([if check.ok { "ok" } else { "MISSING" }.into(), check.name.into(), check.found.clone()]);
        if let Some(hint) = &check.hint {
            hints += &format!("{}: {hint}\n", check.name);
        }
    }
    let code = checks.iter().find(|check| !check.ok).map_or(ExitCode::Success, |check| check.code);
    let ready = code == ExitCode::Success;
    let end = if ready { "Ready.\n" } else { "" };
    Reply::new(json!({"ready": ready, "checks": checks}), format!("{table}{hints}{end}")).with_code(code)
}

/// Converts a configuration problem to a listed one.
fn unread(problem: &Failure) -> Check {
    Check {
        name: "configuration",
        ok: false,
        found: format!("failed to {}", problem.chain().join(": ")),
        hint: problem.hint().map(str::to_owned),
        code: problem.code(),
    }
}
