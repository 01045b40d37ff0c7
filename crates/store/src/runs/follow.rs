//! Stores what a follower read of a run: events, output and the read position, all in one transaction.

use std::collections::HashMap;

use graft_core::{Event, EventKind, Timestamp};
use serde::Serialize;
use serde_json::Value;
use sqlx::AssertSqlSafe;
use sqlx::FromRow;
use sqlx::any::AnyRow;
use utoipa::ToSchema;

use super::{Lease, Run, RunUpdate, change, owned};
use crate::changes::Actor;
use crate::database::Tx;
use crate::row::from_row;
use crate::scope::Scope;
use crate::{Error, Store, row, statement};

names! {
    /// One of the two output streams of a trainer.
    pub enum LogStream {
        /// Standard output.
        Stdout = "stdout",
        /// Standard error.
        Stderr = "stderr",
    }
}

/// How far a run's files were read, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FollowCursor {
    /// Of `events.jsonl`.
    pub events: u64,
    /// Of `stdout.log`.
    pub stdout: u64,
    /// Of `stderr.log`.
    pub stderr: u64,
}

/// What followers stored about a run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Followed {
    /// Where to continue reading.
    pub cursor: FollowCursor,
    /// Where the output of the newest attempt begins.
    pub attempt: FollowCursor,
    /// Its progress.
    pub progress: Option<Value>,
    /// What the training measured, if it succeeded.
    pub result: Option<Value>,
}

/// What a follower read since its cursor.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    /// New events, in order.
    pub events: Vec<Event>,
    /// New standard output, up to the cursor.
    pub stdout: String,
    /// New standard error, up to the cursor.
    pub stderr: String,
    /// The read position after this.
    pub cursor: FollowCursor,
    /// Where the output of a new attempt begins, if there is one.
    pub attempt: Option<FollowCursor>,
    /// The new progress; `None` keeps the old one.
    pub progress: Option<Value>,
    /// The result; `None` keeps the old one.
    pub result: Option<Value>,
}

/// A part of an output log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct LogText {
    /// Whole characters, from the requested offset on.
    pub text: String,
    /// The offset to continue from.
    pub next: u64,
    /// Size of the log in bytes.
    pub size: u64,
}

/// About how many steps of a run are kept (up to twice as many). If there are more, every n-th is kept, and the first,
/// the last and the newest.
const KEPT_STEPS: u64 = 1000;
/// Bytes of a log that are kept: the newest.
const KEPT_LOG: u64 = 16 << 20;
/// Approximate number of log bytes in one row.
const ROW: usize = 64 << 10;
/// Most log bytes returned at once.
const PART: usize = 256 << 10;

/// Position and total of an event that counts steps or examples.
fn counted(kind: &EventKind) -> Option<(u64, u64)> {
    match kind {
        EventKind::Step { step, of, .. } => Some((*step, *of)),
        EventKind::Answered { done, of } => Some((*done as u64, *of as u64)),
        _ => None,
    }
}

/// Whether an event is only kept until the next one of its kind.
fn is_brief(kind: &EventKind) -> bool {
    counted(kind).is_some_and(|(n, of)| n > 1 && n != of && n % of.div_ceil(KEPT_STEPS).max(1) != 0)
}

const SELECT: &str = "select run, events, stdout, stderr, stdout_from, stderr_from, progress, result from run_cursors";

impl Store {
    /// Stores what the follower of a held run read, together with the resulting update of the run, in one transaction.
    /// A state change that is not allowed is left out.
    ///
    /// # Errors
    /// [`Error::LeaseLost`] if another process took the run over.
    pub async fn take_findings(
        &self,
        lease: &Lease,
        findings: &Findings,
        update: &RunUpdate,
        by: &str,
        at: Timestamp,
    ) -> Result<Run, Error> {
        let mut tx = self.begin_in(Scope::Run(&lease.run)).await?;
        let run = owned(&mut tx, lease).await?;
        write(&mut tx, &run.id, findings).await?;
        let state = update.state.filter(|next| run.state.may_become(*next));
        let run = change(&mut tx, run, &RunUpdate { state, ..update.clone() }, Actor { by, at }).await?;
        tx.commit().await?;
        Ok(run)
    }

    /// Imports a run that ended under a version of Graft without followers. Does nothing if the run was followed.
    pub async fn import_findings(&self, run: &Run, findings: &Findings) -> Result<(), Error> {
        let mut tx = self.begin().await?;
        let now = super::find(&mut *tx, &run.id).await?;
        let known = sqlx::query("select 1 as one from run_cursors where run = $1").bind(&run.id);
        let is_known = known.fetch_optional(&mut *tx).await?.is_some();
        if is_known || now.is_none_or(|now| now.state.is_active()) {
            return Ok(());
        }
        write(&mut tx, &run.id, findings).await?;
        tx.commit().await
    }

    /// What followers stored about a run, if anything.
    pub async fn followed(&self, run: &str) -> Result<Option<Followed>, Error> {
        Ok(self.followed_of(&[run]).await?.remove(run))
    }

    /// What followers stored about each of these runs.
    pub async fn followed_of(&self, runs: &[&str]) -> Result<HashMap<String, Followed>, Error> {
        if runs.is_empty() {
            return Ok(HashMap::new());
        }
        let places: Vec<String> = (1..=runs.len()).map(|place| format!("${place}")).collect();
        let sql = format!("{SELECT} where run in ({})", places.join(", "));
        let query = runs.iter().fold(sqlx::query(AssertSqlSafe(sql)), |query, run| query.bind((*run).to_owned()));
        query
            .fetch_all(&self.read)
            .await?
            .iter()
            .map(|row| Ok((row::get(row, "run")?, Followed::from_row(row)?)))
            .collect()
    }

    /// Up to `most` events of a run after a `seq`.
    pub async fn run_events(&self, run: &str, after: u64, most: u32) -> Result<Vec<Event>, Error> {
        statement::values(
            &self.read,
            "select event from run_events where run = $1 and seq > $2 order by seq limit $3",
            (run, after, most),
        )
        .await
    }

    /// The newest event of a run.
    pub async fn last_event(&self, run: &str) -> Result<Option<Event>, Error> {
        statement::value(&self.read, "select event from run_events where run = $1 order by seq desc limit 1", run).await
    }

    /// A part of a run's log from a byte offset. If the beginning of the log was dropped, the missing bytes are
    /// skipped.
    pub async fn run_log(&self, run: &str, stream: LogStream, offset: u64) -> Result<LogText, Error> {
        let cursor = self.followed(run).await?.unwrap_or_default().cursor;
        let size = match stream {
            LogStream::Stdout => cursor.stdout,
            LogStream::Stderr => cursor.stderr,
        };
        let mut next = offset.min(size);
        let mut text = String::new();
        let rows = sqlx::query(
            "select begins, ends, text from run_logs where run = $1 and stream = $2 and ends > $3
             order by begins limit 5",
        )
        .bind(run)
        .bind(stream.name())
        .bind(row::big(offset))
        .fetch_all(&self.read)
        .await?;
        for row in &rows {
            let (begins, piece): (u64, String) = (row::get(row, "begins")?, row::get(row, "text")?);
            let from = piece.ceil_char_boundary(usize::try_from(next.saturating_sub(begins)).unwrap_or(usize::MAX));
            let until = piece.floor_char_boundary(from.saturating_add(PART - text.len()));
            text += &piece[from..until];
            next = begins + until as u64;
            if until < piece.len() {
                break;
            }
        }
        Ok(LogText { text, next, size })
    }
}

from_row!(FollowCursor { events, stdout, stderr });
from_row!(Followed { cursor: FollowCursor::from_row, attempt: attempt, progress, result });

/// Where the output of the newest attempt begins.
fn attempt(row: &AnyRow) -> Result<FollowCursor, sqlx::Error> {
    Ok(FollowCursor { events: 0, stdout: row::get(row, "stdout_from")?, stderr: row::get(row, "stderr_from")? })
}

async fn write(tx: &mut Tx<'_>, run: &str, findings: &Findings) -> Result<(), Error> {
    let newest = findings.events.iter().rfind(|event| counted(&event.kind).is_some()).map(|event| event.seq);
    if let Some(newest) = newest {
        tx.execute("delete from run_events where run = $1 and brief = 1 and seq < $2", (run, newest)).await?;
    }
    for event in &findings.events {
        let brief = is_brief(&event.kind);
        if brief && newest != Some(event.seq) {
            continue;
        }
        let json = serde_json::to_string(event).map_err(|cause| Error::Damaged(cause.into()))?;
        // After a power cut the end of the file may be missing and be written again: the first stored version stays.
        tx.execute(
            "insert into run_events (run, seq, brief, event) values ($1, $2, $3, $4)
             on conflict (run, seq) do nothing",
            (run, event.seq, brief, row::text(&json)),
        )
        .await?;
    }
    // Skip what was stored before. The cursor never goes back, so rows of a log never overlap.
    let known = sqlx::query_as(AssertSqlSafe(format!("{SELECT} where run = $1")));
    let known: Option<Followed> = known.bind(run).fetch_optional(&mut **tx).await?;
    let known = known.unwrap_or_default().cursor;
    let events = findings.cursor.events.max(known.events);
    let stdout = write_log(tx, run, LogStream::Stdout, &findings.stdout, findings.cursor.stdout, known.stdout).await?;
    let stderr = write_log(tx, run, LogStream::Stderr, &findings.stderr, findings.cursor.stderr, known.stderr).await?;
    let attempt = findings.attempt.map(|from| (row::big(from.stdout), row::big(from.stderr)));
    tx.execute(
        "insert into run_cursors (run, events, stdout, stderr, stdout_from, stderr_from, progress, result)
         values ($1, $2, $3, $4, coalesce($5, 0), coalesce($6, 0), $7, $8)
         on conflict (run) do update set events = excluded.events, stdout = excluded.stdout, stderr = excluded.stderr,
             stdout_from = coalesce($5, run_cursors.stdout_from), stderr_from = coalesce($6, run_cursors.stderr_from),
             progress = coalesce(excluded.progress, run_cursors.progress),
             result = coalesce(excluded.result, run_cursors.result)",
        (
            run,
            events,
            stdout,
            stderr,
            attempt.map(|from| from.0),
            attempt.map(|from| from.1),
            findings.progress.as_ref(),
            findings.result.as_ref(),
        ),
    )
    .await?;
    Ok(())
}

/// Appends to a log at the same byte offsets as in the file; returns its new end.
async fn write_log(
    tx: &mut Tx<'_>,
    run: &str,
    stream: LogStream,
    text: &str,
    ends: u64,
    known: u64,
) -> Result<u64, Error> {
    let begins = ends.saturating_sub(text.len() as u64);
    let text = text.get(usize::try_from(known.saturating_sub(begins)).unwrap_or(usize::MAX)..).unwrap_or_default();
    let mut rest = text;
    while !rest.is_empty() {
        let (piece, later) = rest.split_at(rest.floor_char_boundary(ROW));
        let begins = row::big(ends.saturating_sub(rest.len() as u64));
        let until = row::big(ends.saturating_sub(later.len() as u64));
        let added = tx
            .execute(
                "update run_logs set text = text || $5, ends = $4
                 where run = $1 and stream = $2 and ends = $3 and ends - begins < $6",
                (run, stream, begins, until, piece, ROW as i64),
            )
            .await?;
        if added == 0 {
            tx.execute(
                "insert into run_logs (run, stream, begins, ends, text) values ($1, $2, $3, $4, $5)
                 on conflict (run, stream, begins) do nothing",
                (run, stream, begins, until, piece),
            )
            .await?;
        }
        rest = later;
    }
    let ends = ends.max(known);
    if !text.is_empty() && ends > KEPT_LOG {
        tx.execute("delete from run_logs where run = $1 and stream = $2 and ends < $3", (run, stream, ends - KEPT_LOG))
            .await?;
    }
    Ok(ends)
}
