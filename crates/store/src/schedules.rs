use graft_core::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};
use sqlx::any::AnyExecutor;
use utoipa::ToSchema;

use crate::changes::{Actor, Entry, record};
use crate::database::Tx;
use crate::row::from_row;
use crate::{Action, Error, Kind, Store, row, statement};

/// A schedule to add.
#[derive(Clone, Copy, Debug)]
pub struct NewSchedule<'a> {
    /// Its name.
    pub id: &'a str,
    /// Name of the task.
    pub task: &'a str,
    /// Its cron pattern; empty: it has no times.
    pub cron: &'a str,
    /// Time zone of the pattern.
    pub zone: &'a str,
    /// The request to submit.
    pub request: &'a Value,
    /// Least number of approvals since the task's last run; 0 submits always.
    pub min_new: u64,
    /// Number of approvals since the task's last run that submits a run at any time; 0: none does.
    pub after_new: u64,
    /// Whether it submits a run although nothing has changed since the task's last one.
    pub even_unchanged: bool,
    /// The first time to submit.
    pub next_at: Option<Timestamp>,
}

/// A schedule: submits a run at given times.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = ScheduleView)]
pub struct Schedule {
    /// Its name.
    pub id: String,
    /// Name of the task.
    pub task: String,
    /// Its cron pattern; empty: it has no times.
    pub cron: String,
    /// Time zone of the pattern.
    pub zone: String,
    /// The request to submit.
    #[schema(value_type = Object)]
    pub request: Value,
    /// Least number of new approvals at its times.
    pub min_new: u64,
    /// Number of new approvals that submits a run at any time; 0: none does.
    pub after_new: u64,
    /// Whether it submits a run although nothing has changed since the task's last one.
    pub even_unchanged: bool,
    /// When it is due next; absent: never.
    pub next_at: Option<Timestamp>,
    /// When it was last handled.
    pub last_at: Option<Timestamp>,
    /// The last run it submitted.
    pub last_run: Option<String>,
    /// Why it submitted none the last time.
    pub last_note: Option<String>,
    /// Whether that was a failure.
    #[serde(skip)]
    pub failed: bool,
    /// Who added it.
    pub created_by: String,
    /// When.
    pub created_at: Timestamp,
}

/// One occurrence of a schedule. Exactly one process handles it.
#[derive(Clone, Copy, Debug)]
pub struct Due<'a> {
    /// The schedule.
    pub schedule: &'a str,
    /// The time read from the schedule.
    pub at: Option<Timestamp>,
    /// The time after it.
    pub next_at: Option<Timestamp>,
}

macro_rules! select_schedules {
    ($tail:literal) => {
        concat!(
            "select id, task, cron, zone, request, min_new, after_new, even_unchanged, next_at, last_at, last_run, last_note, failed,
                    created_by, created_at
             from schedules ",
            $tail
        )
    };
}

impl Store {
    /// Adds a schedule.
    ///
    /// # Errors
    /// [`Error::ScheduleExists`]; [`Error::BadName`].
    pub async fn add_schedule(&self, new: NewSchedule<'_>, by: &str, at: Timestamp) -> Result<Schedule, Error> {
        row::check_name("schedule", new.id)?;
        let mut tx = self.begin().await?;
        let added = tx
            .execute(
                "insert into schedules (id, task, cron, zone, request, min_new, next_at, created_by, created_at,
                 after_new,
                        even_unchanged)
                 values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) on conflict do nothing",
                (
                    new.id,
                    new.task,
                    row::text(new.cron),
                    row::text(new.zone),
                    new.request.to_string(),
                    new.min_new,
                    new.next_at,
                    row::text(by),
                    at,
                    new.after_new,
                    new.even_unchanged,
                ),
            )
            .await?;
        if added == 0 {
            return Err(Error::ScheduleExists(new.id.to_owned()));
        }
        let schedule = find(&mut *tx, new.id).await?.ok_or_else(|| Error::NoSchedule(new.id.to_owned()))?;
        let entry = Entry { action: Action::Add, kind: Kind::Schedule, task: new.task, subject: new.id };
        record(&mut tx, entry, Actor { by, at }, None, Some(&json!(schedule))).await?;
        tx.commit().await?;
        Ok(schedule)
    }

    /// Every schedule, by name.
    pub async fn schedules(&self) -> Result<Vec<Schedule>, Error> {
        let mut schedules: Vec<Schedule> = statement::all(&self.read, select_schedules!(""), ()).await?;
        schedules.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(schedules)
    }

    /// Removes a schedule and returns it.
    ///
    /// # Errors
    /// [`Error::NoSchedule`].
    pub async fn remove_schedule(&self, id: &str, by: &str, at: Timestamp) -> Result<Schedule, Error> {
        let mut tx = self.begin().await?;
        let gone = find(&mut *tx, id).await?.ok_or_else(|| Error::NoSchedule(id.to_owned()))?;
        tx.execute("delete from schedules where id = $1", id).await?;
        let entry = Entry { action: Action::Delete, kind: Kind::Schedule, task: &gone.task, subject: id };
        record(&mut tx, entry, Actor { by, at }, Some(&json!(gone)), None).await?;
        tx.commit().await?;
        Ok(gone)
    }

    /// Records that an occurrence of a schedule passed without a run, why, and whether that is a failure.
    ///
    /// # Errors
    /// [`Error::ScheduleMoved`] if another process handled it.
    pub async fn skip_schedule(&self, due: Due<'_>, note: &str, failed: bool, at: Timestamp) -> Result<(), Error> {
        let mut tx = self.begin().await?;
        advance(&mut tx, due, None, Some((note, failed)), at).await?;
        tx.commit().await
    }
}

/// Moves a schedule to its next occurrence.
pub(crate) async fn advance(
    tx: &mut Tx<'_>,
    due: Due<'_>,
    run: Option<&str>,
    note: Option<(&str, bool)>,
    at: Timestamp,
) -> Result<(), Error> {
    let moved = tx
        .execute(
            "update schedules set next_at = $3, last_at = $4, last_run = coalesce($5, last_run), last_note = $6,
             failed = $7
             where id = $1 and next_at is not distinct from $2",
            (
                due.schedule,
                due.at,
                due.next_at,
                at,
                run,
                note.map(|(note, _)| row::text(note)),
                note.is_some_and(|(_, failed)| failed),
            ),
        )
        .await?;
    if moved == 1 { Ok(()) } else { Err(Error::ScheduleMoved(due.schedule.to_owned())) }
}

async fn find(on: impl AnyExecutor<'_>, id: &str) -> Result<Option<Schedule>, Error> {
    statement::optional(on, select_schedules!("where id = $1"), id).await
}

from_row!(Schedule {
    id,
    task,
    cron,
    zone,
    request,
    min_new,
    after_new,
    even_unchanged,
    next_at,
    last_at,
    last_run,
    last_note,
    failed,
    created_by,
    created_at,
});
