use clap::{Args, Subcommand};
use graft_engine::{
    Engine, LiveStatus, iso8601,
    records::{LiveAdapter, LiveSettings},
};
use serde_json::json;

use crate::{
    failure::Result,
    output::{Reply, Table, facts},
};

#[derive(Debug, Subcommand)]
pub(crate) enum Live {
    /// Start to learn continuously from new approvals and edits; workers train the snapshots.
    Start(Box<Start>),
    /// Show windows, snapshots and their forgetting.
    Status {
        /// Task; needed if several tasks have versions.
        task: Option<String>,
    },
    /// Pause: collect approvals without training.
    Pause {
        /// Task; needed if several tasks have versions.
        task: Option<String>,
    },
    /// Resume, also with the approvals that were collected meanwhile.
    Resume {
        /// Task; needed if several tasks have versions.
        task: Option<String>,
    },
    /// Start the next snapshot from an earlier version; later snapshots are archived.
    Rewind {
        /// Task; needed if several tasks have versions.
        task: Option<String>,
        /// Version [default: the parent of the newest accepted snapshot].
        #[arg(long, value_name = "VERSION")]
        to: Option<String>,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Start {
    /// Task; needed if several tasks have versions.
    task: Option<String>,
    /// Version to start from [default: the active one].
    #[arg(long, value_name = "VERSION")]
    from: Option<String>,
    /// Number of approvals and edits per snapshot.
    #[arg(long, value_name = "N", default_value_t = LiveSettings::default().windows)]
    windows: u64,
    /// Minutes after which a snapshot is trained with fewer.
    #[arg(long, value_name = "N", default_value_t = LiveSettings::default().minutes)]
    minutes: u64,
    /// Learning rate.
    #[arg(long, visible_alias = "lr", value_name = "RATE", default_value_t = LiveSettings::default().learning_rate)]
    learning_rate: f64,
    /// Older examples to train on again for each approval or edit.
    #[arg(long, value_name = "N", default_value_t = LiveSettings::default().replay)]
    replay: usize,
    /// Examples per step, including older ones.
    #[arg(long, value_name = "N", default_value_t = LiveSettings::default().batch)]
    batch: usize,
    /// Share of the examples to hold out.
    #[arg(long, value_name = "SHARE", default_value_t = LiveSettings::default().eval_share)]
    eval_share: f64,
    /// Accepted loss of accuracy (0 to 1) on the frozen examples.
    #[arg(long, value_name = "SHARE", default_value_t = LiveSettings::default().forgetting)]
    forgetting: f64,
    /// Don't start roll-outs of snapshots.
    #[arg(long)]
    no_rollout: bool,
    /// Number of snapshots to keep besides those in use.
    #[arg(long, value_name = "N", default_value_t = LiveSettings::default().keep)]
    keep: u64,
    /// Days to keep snapshots.
    #[arg(long, value_name = "N", default_value_t = LiveSettings::default().keep_days)]
    keep_days: u64,
}

pub(crate) async fn run(engine: &Engine, command: Live) -> Result<Reply> {
    let named = match &command {
        Live::Start(start) => &start.task,
        Live::Status { task } | Live::Pause { task } | Live::Resume { task } | Live::Rewind { task, .. } => task,
    };
    let task = &engine.versions().task_with_versions(named.as_deref()).await?;
    let live = match command {
        Live::Start(start) => engine.live().start(task, start.from.as_deref(), &start.settings()).await?,
        Live::Pause { .. } => engine.live().pause(task).await?,
        Live::Resume { .. } => engine.live().resume(task).await?,
        Live::Rewind { to, .. } => engine.live().rewind(task, to.as_deref()).await?,
        Live::Status { .. } => {
            let status = engine.live().status(task).await?;
            let text = shown(task, &status);
            return Ok(Reply::new(&status, text));
        }
    };
    let LiveAdapter { state, head, .. } = &live;
    let text = format!("The live adapter of {task} is {}; the next snapshot starts from {head}.", state.name());
    Ok(Reply::new(json!({"live": live}), text))
}

impl Start {
    fn settings(&self) -> LiveSettings {
        LiveSettings {
            windows: self.windows,
            minutes: self.minutes,
            learning_rate: self.learning_rate,
            replay: self.replay,
            batch: self.batch,
            eval_share: self.eval_share,
            forgetting: self.forgetting,
            rollout: !self.no_rollout,
            keep: self.keep,
            keep_days: self.keep_days,
        }
    }
}

fn shown(task: &str, status: &LiveStatus) -> String {
    let LiveStatus { live, windows, snapshots, next } = status;
    let Some(live) = live else { return format!("{next}\nStart it with `graft live start {task}`.\n") };
    let mut text = facts(&[
        ("task", task.to_owned()),
        ("state", live.state.name().to_owned()),
        ("head", live.head.clone()),
        (
            "windows",
            format!(
                "{} in total, {} wait for the next snapshot, {} are being ordered, {} arrived late",
                windows.all, windows.waiting, windows.buffered, windows.late
            ),
        ),
    ]);
    let share = |share: Option<f64>| share.map_or_else(String::new, |share| format!("{:.1} %", 100.0 * share));
    let mut table =
        Table::new(["snapshot", "version", "from", "windows", "frozen before", "after", "state", "when", "why"]);
    for one in snapshots {
        table.row([
            one.seq.to_string(),
            one.version.clone().unwrap_or_default(),
            one.parent.clone(),
            format!("{}–{}", one.first, one.last),
            share(one.before),
            share(one.after),
            one.state.name().to_owned(),
            iso8601(one.created_at),
            one.why.clone().unwrap_or_default(),
        ]);
    }
    if !snapshots.is_empty() {
        text += &format!("\n{table}");
    }
    text + &format!("\n{next}\n")
}
