use clap::Args;
use graft_engine::{DriftState, Engine};

use crate::{
    failure::Result,
    output::{Reply, Table, facts},
};

/// Check whether a version still performs as it did when it was evaluated.
///
/// Five checks: do people change its suggestions more often than it was wrong on the held-out examples, did its confidences
/// shift, are its answers distributed like those to the held-out examples, do messages still have the lengths of the training
/// examples, and do requests have their words and lengths?
///
/// Each check is `stable`, `drifting` or `unknown`. The exit code is 0 in all three cases.
#[derive(Debug, Args)]
pub(crate) struct Drift {
    /// Task; needed if several tasks have versions.
    #[arg(long)]
    task: Option<String>,
    /// Version [default: the active one].
    #[arg(long, value_name = "NAME")]
    version: Option<String>,
}

pub(crate) async fn run(engine: &Engine, command: Drift) -> Result<Reply> {
    let task = engine.versions().task_with_versions(command.task.as_deref()).await?;
    let drift = engine.versions().drift(&task, command.version.as_deref()).await?;
    let said = |state: DriftState, text: &str, test: &str| format!("{}. {text}\n{test}", state.name());
    let (overrides, confidence, inputs) = (&drift.overrides, &drift.confidence, &drift.inputs);
    let (answers, served) = (&drift.answers, &drift.served);
    let mut text = facts(&[
        ("version", format!("{} of {task}", drift.version.as_deref().unwrap_or("none"))),
        ("drift", drift.state.name().to_owned()),
        ("overrides", said(overrides.state, &overrides.text, overrides.test)),
        ("confidence", said(confidence.state, &confidence.text, confidence.test)),
        ("answers", said(answers.state, &answers.text, answers.test)),
        ("inputs", said(inputs.state, &inputs.text, inputs.test)),
        ("requests", said(served.state, &served.text, served.test)),
    ]);
    let moved = [("answers with", "held-out", &answers.moved), ("requests with", "training examples", &served.moved)];
    for (title, then, moved) in moved {
        if moved.is_empty() {
            continue;
        }
        let mut table = Table::new([title, "now", then]);
        let percent = |share: f64| format!("{:.0} %", share * 100.0);
        for moved in moved {
            table.row([moved.what.clone(), percent(moved.now), percent(moved.then)]);
        }
        text += &format!("\n{table}");
    }
    if let Some(differing) = &overrides.differing {
        text += &format!(
            "\nOf {} suggestions, {:.0} % of the fields and items differ from the truth on average, {:.0} % at the 95th \
             percentile, {:.0} % at most.\n",
            differing.n,
            differing.mean * 100.0,
            differing.p95 * 100.0,
            differing.max * 100.0
        );
    }
    if drift.state == DriftState::Drifting {
        text += &format!("\nAudit the least confident suggestions, then `graft train {task}`.\n");
    }
    Ok(Reply::new(&drift, text))
}
