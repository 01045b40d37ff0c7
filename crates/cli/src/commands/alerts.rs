use clap::Subcommand;
use graft_engine::{Engine, iso8601};
use serde_json::json;

use crate::{
    failure::Result,
    output::{Reply, Table, brief},
};

/// What is said where no receiver is configured.
const NOBODY: &str = "No receiver is configured: set GRAFT_ALERT_WEBHOOK, or GRAFT_ALERT_SMTP with GRAFT_ALERT_FROM and \
                      GRAFT_ALERT_TO (docs/alerts.md).\n";

/// Show the problems that people are told of, and try the receivers.
#[derive(Debug, Subcommand)]
pub(crate) enum Alerts {
    /// List the receivers and the problems that are not over.
    List,
    /// Send a test message to every receiver.
    Test,
}

pub(crate) async fn run(engine: &Engine, command: Alerts) -> Result<Reply> {
    match command {
        Alerts::List => list(engine).await,
        Alerts::Test => test(engine).await,
    }
}

async fn list(engine: &Engine) -> Result<Reply> {
    let (receivers, open) = (engine.alerts().receivers().await?, engine.alerts().open().await?);
    let mut text = String::new();
    let mut table = Table::new(["receiver", "address", "last sent", "waiting", "error"]);
    for one in &receivers {
        table.row([
            one.name.to_owned(),
            one.about.clone(),
            one.sent_at.map(iso8601).unwrap_or_default(),
            one.waiting.to_string(),
            one.error.as_ref().map(|error| format!("failed to {error}")).unwrap_or_default(),
        ]);
    }
    text += &table.or(NOBODY);
    let mut table = Table::new(["since", "kind", "problem", "why"]);
    for alert in &open {
        let part = |name: &str| brief(alert.notice[name].as_str().unwrap_or_default(), 100);
        table.row([iso8601(alert.began_at), alert.kind.name().to_owned(), part("title"), part("why")]);
    }
    text += &table.or("No problem is open.\n");
    Ok(Reply::new(json!({"receivers": receivers, "open": open}), text))
}

async fn test(engine: &Engine) -> Result<Reply> {
    let tried = engine.alerts().test().await?;
    let mut text = String::new();
    let mut code = graft_core::ExitCode::Success;
    for (one, sent) in &tried {
        text += &match (&one.error, &one.hint) {
            (None, _) => format!("{}: sent to {}.\n", one.name, one.about),
            (Some(error), hint) => {
                format!(
                    "{}: {error}\n{}",
                    one.name,
                    hint.as_ref().map(|hint| format!("hint: {hint}\n")).unwrap_or_default()
                )
            }
        };
        if let Err(error) = sent {
            code = error.exit_code();
        }
    }
    if tried.is_empty() {
        text = NOBODY.to_owned();
        code = graft_core::ExitCode::Usage;
    }
    let receivers: Vec<_> = tried.iter().map(|(one, _)| one).collect();
    Ok(Reply::new(json!({"receivers": receivers}), text).with_code(code))
}
