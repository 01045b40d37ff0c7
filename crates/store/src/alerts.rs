//! Problems that people are told of, and the messages to them.

use graft_core::Timestamp;
use serde::Serialize;
use serde_json::Value;

use crate::database::Tx;
use crate::row::from_row;
use crate::{Error, Store, row, statement};

/// How long messages and problems that are over are stored.
const KEPT: i64 = 30 * 24 * 3_600_000;

names! {
    /// The kind of a problem.
    pub enum AlertKind {
        /// Graft withdrew a version that was being rolled out.
        Withdrawn = "withdrawn",
        /// The active version failed, and the previous one answers again.
        RolledBack = "rolled-back",
        /// The inputs, confidences or overrides of the active version have changed.
        Drift = "drift",
        /// A snapshot of a live adapter was refused.
        Snapshot = "snapshot",
        /// Graft paused a live adapter.
        Paused = "paused",
        /// A run failed and is not retried.
        Run = "run",
        /// A rented machine is not terminated in time.
        Machine = "machine",
        /// A schedule could not submit its run.
        Schedule = "schedule",
    }
}

/// A problem.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Alert {
    /// Its number, from 1.
    pub id: i64,
    /// Its kind.
    pub kind: AlertKind,
    /// Name of the task; empty if it concerns none.
    pub task: String,
    /// What it is about: the name of a run, a machine or a schedule; otherwise empty.
    pub subject: String,
    /// What people were told when it began.
    pub notice: Value,
    /// When.
    pub began_at: Timestamp,
    /// When it was over.
    pub over_at: Option<Timestamp>,
}

/// What becomes of problems.
#[derive(Clone, Debug, PartialEq)]
pub enum AlertChange {
    /// One began. Does nothing if the same one is open already.
    Begin {
        /// Its kind.
        kind: AlertKind,
        /// As in [`Alert`].
        task: String,
        /// As in [`Alert`].
        subject: String,
        /// The message.
        notice: Value,
    },
    /// The open one is over, if there is one.
    End {
        /// Its kind.
        kind: AlertKind,
        /// As in [`Alert`].
        task: String,
        /// As in [`Alert`].
        subject: String,
        /// The message.
        notice: Value,
    },
}

/// A message to people.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredNotice {
    /// Its number, from 1 in the order in which they are sent: a cursor.
    pub id: i64,
    /// What it is about; unique.
    pub topic: String,
    /// Its content.
    pub notice: Value,
}

/// How far something was read, and who reads it.
#[derive(Clone, Debug, PartialEq)]
pub struct Notifier {
    /// Its name.
    pub name: String,
    /// The last entry that was read or sent.
    pub cursor: i64,
    /// The process that does so.
    pub owner: Option<String>,
    /// Until when, unless it renews its claim.
    pub until: Timestamp,
    /// Failures since the last success.
    pub tries: u32,
    /// The last failure, until the next success.
    pub error: Option<String>,
    /// Not tried again before this time.
    pub not_before: Timestamp,
    /// When something was last sent.
    pub sent_at: Option<Timestamp>,
}

macro_rules! select_alerts {
    ($tail:literal) => {
        concat!("select id, kind, task, subject, notice, began_at, over_at from alerts ", $tail)
    };
}

const NOTIFIER: &str =
    "select name, cursor, owner, until, tries, error, not_before, sent_at from notifiers where name = $1";

impl Store {
    /// The problems that are not over, oldest first.
    pub async fn open_alerts(&self) -> Result<Vec<Alert>, Error> {
        statement::all(&self.read, select_alerts!("where over_at is null order by id"), ()).await
    }

    /// The messages after a cursor.
    pub async fn notices_after(&self, cursor: i64, limit: u32) -> Result<Vec<StoredNotice>, Error> {
        statement::all(
            &self.read,
            "select id, topic, notice from notices where id > $1 order by id limit $2",
            (cursor, limit),
        )
        .await
    }

    /// The number of the newest message, 0 before the first.
    pub async fn newest_notice(&self) -> Result<i64, Error> {
        Ok(sqlx::query_scalar("select coalesce(max(id), 0) from notices").fetch_one(&self.read).await?)
    }

    /// How far something was read.
    pub async fn notifier(&self, name: &str) -> Result<Option<Notifier>, Error> {
        statement::optional(&self.read, NOTIFIER, name).await
    }

    /// Claims the right to read or send for `millis`, unless another process has it that may be alive. What is new
    /// begins at `start`.
    pub async fn claim_notifier(
        &self,
        (name, start): (&str, i64),
        owner: &str,
        millis: i64,
        is_gone: impl Fn(&str) -> bool + Send,
    ) -> Result<Option<Notifier>, Error> {
        let now = self.now().await?;
        let is_free = |found: &Notifier| match found.owner.as_deref() {
            Some(other) if other != owner => found.until <= now || is_gone(other),
            _ => true,
        };
        if self.notifier(name).await?.is_some_and(|found| !is_free(&found)) {
            return Ok(None);
        }
        let mut tx = self.begin().await?;
        tx.execute("insert into notifiers (name, cursor) values ($1, $2) on conflict (name) do nothing", (name, start))
            .await?;
        let found: Notifier = statement::one(&mut *tx, NOTIFIER, name).await?;
        if !is_free(&found) {
            return Ok(None);
        }
        tx.execute("update notifiers set owner = $2, until = $3 where name = $1", (name, owner, now + millis)).await?;
        tx.commit().await?;
        Ok(Some(found))
    }

    /// Stores how far something was read together with what follows from it, and gives the right back. Returns whether
    /// the right was still the owner's; otherwise nothing is stored.
    pub async fn save_notifier(
        &self,
        known: &Notifier,
        owner: &str,
        changes: &[AlertChange],
        more: &[(String, Value)],
        at: Timestamp,
    ) -> Result<bool, Error> {
        let mut tx = self.begin().await?;
        let saved = tx
            .execute(
                "update notifiers set cursor = $3, tries = $4, error = $5, not_before = $6, sent_at = $7, owner
                 = null, until = 0
                 where name = $1 and owner = $2",
                (
                    &known.name,
                    owner,
                    known.cursor,
                    known.tries,
                    known.error.as_deref().map(row::text),
                    known.not_before,
                    known.sent_at,
                ),
            )
            .await?;
        if saved != 1 {
            return Ok(false);
        }
        for change in changes {
            apply(&mut tx, change, at).await?;
        }
        for (topic, notice) in more {
            add(&mut tx, topic, notice, at).await?;
        }
        if (!changes.is_empty() || !more.is_empty()) && self.clock_is_steady() {
            // The newest stay, so that no number is used twice.
            for old in [
                "delete from notices where made_at < $1 and id < (select max(id) from notices)",
                "delete from alerts where over_at < $1 and id < (select max(id) from alerts)",
            ] {
                tx.execute(old, at - KEPT).await?;
            }
        }
        tx.commit().await?;
        Ok(true)
    }

    /// The number of examples that people approved or edited at or after a time, by task.
    pub async fn approvals_since(&self, at: Timestamp) -> Result<Vec<(String, u64)>, Error> {
        let rows = sqlx::query(
            "select task, count(distinct subject) as n from changes
             where kind = 'example' and action in ('approve', 'edit') and made_at >= $1 group by task order by task",
        )
        .bind(at)
        .fetch_all(&self.read)
        .await?;
        rows.iter().map(|row| Ok((row::get(row, "task")?, row::get(row, "n")?))).collect()
    }
}

async fn apply(tx: &mut Tx<'_>, change: &AlertChange, at: Timestamp) -> Result<(), Error> {
    let (AlertChange::Begin { kind, task, subject, notice } | AlertChange::End { kind, task, subject, notice }) =
        change;
    let open: Option<i64> = statement::value(
        &mut **tx,
        "select id from alerts where over_at is null and kind = $1 and task = $2 and subject = $3",
        (*kind, task, subject),
    )
    .await?;
    match (change, open) {
        (AlertChange::Begin { .. }, None) => {
            let last: i64 = sqlx::query_scalar("select coalesce(max(id), 0) from alerts").fetch_one(&mut **tx).await?;
            let id = last + 1;
            tx.execute(
                "insert into alerts (id, kind, task, subject, notice, began_at) values ($1, $2, $3, $4, $5, $6)",
                (id, *kind, task, row::text(subject), notice, at),
            )
            .await?;
            add(tx, &format!("alert-{id}"), notice, at).await
        }
        (AlertChange::End { .. }, Some(id)) => {
            tx.execute("update alerts set over_at = $2 where id = $1", (id, at)).await?;
            add(tx, &format!("alert-{id}-over"), notice, at).await
        }
        _ => Ok(()),
    }
}

async fn add(tx: &mut Tx<'_>, topic: &str, notice: &Value, at: Timestamp) -> Result<(), Error> {
    tx.execute(
        "insert into notices (id, topic, notice, made_at)
         select coalesce(max(id), 0) + 1, $1, $2, $3 from notices where true on conflict (topic) do nothing",
        (topic, notice.to_string(), at),
    )
    .await?;
    Ok(())
}

from_row!(Alert { id, kind, task, subject, notice, began_at, over_at });

from_row!(StoredNotice { id, topic, notice });

from_row!(Notifier { name, cursor, owner, until, tries, error, not_before, sent_at });
