use clap::Subcommand;
use graft_engine::{Engine, ScheduleConditions, iso8601};
use serde_json::json;

use super::queue::Submit;
use crate::{
    failure::Result,
    output::{Reply, Table},
};

/// Train at scheduled times.
#[derive(Debug, Subcommand)]
pub(crate) enum Schedules {
    /// Add a schedule: a worker submits a training at the times of a cron pattern, after a number of approvals, or both.
    Add {
        /// Name.
        name: String,
        /// Cron pattern: minute, hour, day of month, month, day of week. `0 3 * * *` is every day at 3:00.
        #[arg(long, default_value = "", hide_default_value = true, required_unless_present = "after_new")]
        cron: String,
        /// Time zone of the pattern, such as Europe/Berlin [default: this machine's].
        #[arg(long)]
        zone: Option<String>,
        /// At these times, submit only if there are at least this many approvals since the task's last run.
        #[arg(long, default_value_t = 0, value_name = "N", requires = "cron")]
        min_new: u64,
        /// Submit as soon as there are this many approvals since the task's last run.
        #[arg(long, default_value_t = 0, hide_default_value = true, value_name = "N")]
        after_new: u64,
        /// At these times, submit although nothing has changed since the task's last run.
        #[arg(long, requires = "cron")]
        even_unchanged: bool,
        #[command(flatten)]
        submit: Box<Submit>,
    },
    /// List schedules with their last and next times.
    List,
    /// Remove a schedule; the runs it submitted are kept.
    Remove {
        /// Name.
        name: String,
    },
}

pub(crate) async fn run(engine: &Engine, command: Schedules) -> Result<Reply> {
    match command {
        Schedules::Add { name, cron, zone, min_new, after_new, even_unchanged, submit } => {
            let request = submit.request();
            let when = ScheduleConditions { cron: &cron, zone: zone.as_deref(), min_new, after_new, even_unchanged };
            let added = engine.runs().add_schedule(&name, when, &request).await?;
            let next = added.next_at.map(|next| format!(" next at {}", iso8601(next)));
            let enough = (after_new > 0).then(|| format!(" after {after_new} new approvals"));
            let times: Vec<String> = next.into_iter().chain(enough).collect();
            let text = format!("Schedule {name} trains {}{}, if a worker runs.", added.task, times.join(" or"));
            Ok(Reply::new(added, text))
        }
        Schedules::List => {
            let schedules = engine.runs().schedules().await?;
            let mut table = Table::new(["name", "task", "cron", "zone", "after", "next", "last run", "last note"]);
            for schedule in &schedules {
                table.row([
                    schedule.id.clone(),
                    schedule.task.clone(),
                    schedule.cron.clone(),
                    schedule.zone.clone(),
                    if schedule.after_new > 0 { format!("{} new", schedule.after_new) } else { String::new() },
                    schedule.next_at.map_or_else(|| "never".to_owned(), iso8601),
                    schedule.last_run.clone().unwrap_or_default(),
                    schedule.last_note.clone().unwrap_or_default(),
                ]);
            }
            let text = table.or("No schedules yet: `graft schedules add NAME TASK --cron '0 3 * * *'`.");
            Ok(Reply::new(json!({"schedules": schedules}), text))
        }
        Schedules::Remove { name } => {
            let gone = engine.runs().remove_schedule(&name).await?;
            Ok(Reply::new(gone, format!("Schedule {name} is gone.")))
        }
    }
}
