//! What the follower of a run takes in: events, output, and how far it has read, all in one transaction.

use std::collections::HashMap;

use graft_core::{Event, EventKind, Timestamp};
use serde::Serialize;
use serde_json::Value;
use sqlx::AssertSqlSafe;
use sqlx::any::AnyRow;
use utoipa::ToSchema;

use super::{Lease, Run, RunUpdate, change, owned};
use crate::changes::Actor;
use crate::database::Tx;
use crate::{Error, Store, row};

names! {
    /// One of the two logs of a trainer.
    pub enum LogStream {
        /// Progress.
        Stdout = "stdout",
        /// Errors.
        Stderr = "stderr",
    }
}

/// How far a run was followed, in bytes of its files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FollowCursor {
    /// Of `events.jsonl`.
    pub events: u64,
    /// Of `stdout.log`.
    pub stdout: u64,
    /// Of `stderr.log`.
    pub stderr: u64,
}

/// What is known of a run that was followed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Followed {
    /// Where to go on.
    pub cursor: FollowCursor,
    /// Where the output of the newest attempt begins.
    pub attempt: FollowCursor,
    /// How far it is.
    pub progress: Option<Value>,
    /// What the training measured, once it has ended well.
    pub result: Option<Value>,
}

/// What a follower found since its cursor.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    /// In their order.
    pub events: Vec<Event>,
    /// New output that ends at the cursor.
    pub stdout: String,
    /// New errors that end at the cursor.
    pub stderr: String,
    /// How far it has read now.
    pub cursor: FollowCursor,
    /// Where a new attempt begins, if one does.
    pub attempt: Option<FollowCursor>,
    /// How far the run is now; stays as it is without.
    pub progress: Option<Value>,
    /// Its result; stays as it is without.
    pub result: Option<Value>,
}

/// A part of a log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct LogText {
    /// Whole characters from the offset on.
    pub text: String,
    /// The offset to go on from.
    pub next: u64,
    /// Bytes the log has now.
    pub size: u64,
}

/// Steps of a run that are kept, at most twice as many: of more, every n-th, the first, the last and the newest.
const KEPT_STEPS: u64 = 1000;
/// Bytes of a log that are kept, its newest.
const KEPT_LOG: u64 = 16 << 20;
/// Bytes of a log in one row, about.
const ROW: usize = 64 << 10;
/// Bytes of a log that are given at once.
const PART: usize = 256 << 10;

/// Which of how many a counting event is.
fn counted(kind: &EventKind) -> Option<(u64, u64)> {
    match kind {
        EventKind::Step { step, of, .. } => Some((*step, *of)),
        EventKind::Answered { done, of } => Some((*done as u64, *of as u64)),
        _ => None,
    }
}

/// Whether an event is kept only until the next of its kind.
fn is_brief(kind: &EventKind) -> bool {
    counted(kind).is_some_and(|(n, of)| n > 1 && n != of && n % of.div_ceil(KEPT_STEPS).max(1) != 0)
}

const SELECT: &str = "select run, events, stdout, stderr, stdout_from, stderr_from, progress, result from run_cursors";

impl Store {
    /// Takes in what the follower of a held run found, and what follows for the run itself: all of it, or nothing. A
    /// state that the run can't go to from where it is stays out.
    ///
    /// # Errors
    /// [`Error::LeaseLost`] when somebody else has it.
    pub async fn take_findings(
        &self,
        lease: &Lease,
        findings: &Findings,
        update: &RunUpdate,
        by: &str,
        at: Timestamp,
    ) -> Result<Run, Error> {
        let mut tx = self.begin().await?;
        let run = owned(&mut tx, lease).await?;
        write(&mut tx, &run.id, findings).await?;
        let state = update.state.filter(|next| run.state.may_become(*next));
        let run = change(&mut tx, run, &RunUpdate { state, ..update.clone() }, Actor { by, at }).await?;
        tx.commit().await?;
        Ok(run)
    }

    /// Takes in a whole run that ended before runs were followed; does nothing to one that was followed.
    ///
    /// # Errors
    /// When the database can't be written.
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

    /// How far a run was followed, if it was.
    ///
    /// # Errors
    /// When the database can't be read.
    pub async fn followed(&self, run: &str) -> Result<Option<Followed>, Error> {
        Ok(self.followed_of(&[run]).await?.remove(run))
    }

    /// How far each of these runs was followed.
    ///
    /// # Errors
    /// When the database can't be read.
    pub async fn followed_of(&self, runs: &[&str]) -> Result<HashMap<String, Followed>, Error> {
        if runs.is_empty() {
            return Ok(HashMap::new());
        }
        let places: Vec<String> = (1..=runs.len()).map(|place| format!("${place}")).collect();
        let sql = format!("{SELECT} where run in ({})", places.join(", "));
        let query = runs.iter().fold(sqlx::query(AssertSqlSafe(sql)), |query, run| query.bind((*run).to_owned()));
        query.fetch_all(&self.read).await?.iter().map(|row| Ok((row::get(row, "run")?, followed(row)?))).collect()
    }

    /// The events of a run after a `seq`, at most so many.
    ///
    /// # Errors
    /// When the database can't be read.
    pub async fn run_events(&self, run: &str, after: u64, most: u32) -> Result<Vec<Event>, Error> {
        let rows = sqlx::query("select event from run_events where run = $1 and seq > $2 order by seq limit $3")
            .bind(run)
            .bind(row::big(after))
            .bind(i64::from(most))
            .fetch_all(&self.read)
            .await?;
        rows.iter().map(|row| row::json(row, "event")).collect()
    }

    /// The newest event of a run.
    ///
    /// # Errors
    /// When the database can't be read.
    pub async fn last_event(&self, run: &str) -> Result<Option<Event>, Error> {
        let row = sqlx::query("select event from run_events where run = $1 order by seq desc limit 1")
            .bind(run)
            .fetch_optional(&self.read)
            .await?;
        row.map(|row| row::json(&row, "event")).transpose()
    }

    /// A part of a run's log, from a byte offset on. Of a log that was cut, what is missing is passed over.
    ///
    /// # Errors
    /// When the database can't be read.
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
            let (begins, piece): (u64, String) = (row::int(row, "begins")?, row::get(row, "text")?);
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

fn followed(row: &AnyRow) -> Result<Followed, Error> {
    Ok(Followed {
        cursor: FollowCursor {
            events: row::int(row, "events")?,
            stdout: row::int(row, "stdout")?,
            stderr: row::int(row, "stderr")?,
        },
        attempt: FollowCursor {
            events: 0,
            stdout: row::int(row, "stdout_from")?,
            stderr: row::int(row, "stderr_from")?,
        },
        progress: row::json_opt(row, "progress")?,
        result: row::json_opt(row, "result")?,
    })
}

async fn write(tx: &mut Tx<'_>, run: &str, findings: &Findings) -> Result<(), Error> {
    let newest = findings.events.iter().rfind(|event| counted(&event.kind).is_some()).map(|event| event.seq);
    if let Some(newest) = newest {
        sqlx::query("delete from run_events where run = $1 and brief = 1 and seq < $2")
            .bind(run)
            .bind(row::big(newest))
            .execute(&mut **tx)
            .await?;
    }
    for event in &findings.events {
        let brief = is_brief(&event.kind);
        if brief && newest != Some(event.seq) {
            continue;
        }
        let json = serde_json::to_string(event).map_err(|cause| Error::Damaged(cause.into()))?;
        // Read again after a power cut took the end of the file: what was known first stays.
        sqlx::query(
            "insert into run_events (run, seq, brief, event) values ($1, $2, $3, $4)
             on conflict (run, seq) do nothing",
        )
        .bind(run)
        .bind(row::big(event.seq))
        .bind(i64::from(brief))
        .bind(row::text(&json))
        .execute(&mut **tx)
        .await?;
    }
    // What was taken in before is passed over: the cursor never goes back, so that rows of a log never overlap.
    let known = sqlx::query(AssertSqlSafe(format!("{SELECT} where run = $1")));
    let known = known.bind(run).fetch_optional(&mut **tx).await?;
    let known = known.as_ref().map(followed).transpose()?.unwrap_or_default().cursor;
    let events = findings.cursor.events.max(known.events);
    let stdout = write_log(tx, run, LogStream::Stdout, &findings.stdout, findings.cursor.stdout, known.stdout).await?;
    let stderr = write_log(tx, run, LogStream::Stderr, &findings.stderr, findings.cursor.stderr, known.stderr).await?;
    let attempt = findings.attempt.map(|from| (row::big(from.stdout), row::big(from.stderr)));
    sqlx::query(
        "insert into run_cursors (run, events, stdout, stderr, stdout_from, stderr_from, progress, result)
         values ($1, $2, $3, $4, coalesce($5, 0), coalesce($6, 0), $7, $8)
         on conflict (run) do update set events = excluded.events, stdout = excluded.stdout, stderr = excluded.stderr,
             stdout_from = coalesce($5, run_cursors.stdout_from), stderr_from = coalesce($6, run_cursors.stderr_from),
             progress = coalesce(excluded.progress, run_cursors.progress),
             result = coalesce(excluded.result, run_cursors.result)",
    )
    .bind(run)
    .bind(row::big(events))
    .bind(row::big(stdout))
    .bind(row::big(stderr))
    .bind(attempt.map(|from| from.0))
    .bind(attempt.map(|from| from.1))
    .bind(findings.progress.as_ref().map(Value::to_string))
    .bind(findings.result.as_ref().map(Value::to_string))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Adds to a log, whose bytes are those of the file, one for one; returns where it ends now.
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
        let added = sqlx::query(
            "update run_logs set text = text || $5, ends = $4
             where run = $1 and stream = $2 and ends = $3 and ends - begins < $6",
        )
        .bind(run)
        .bind(stream.name())
        .bind(begins)
        .bind(until)
        .bind(piece)
        .bind(ROW as i64)
        .execute(&mut **tx)
        .await?;
        if added.rows_affected() == 0 {
            sqlx::query(
                "insert into run_logs (run, stream, begins, ends, text) values ($1, $2, $3, $4, $5)
                 on conflict (run, stream, begins) do nothing",
            )
            .bind(run)
            .bind(stream.name())
            .bind(begins)
            .bind(until)
            .bind(piece)
            .execute(&mut **tx)
            .await?;
        }
        rest = later;
    }
    let ends = ends.max(known);
    if !text.is_empty() && ends > KEPT_LOG {
        sqlx::query("delete from run_logs where run = $1 and stream = $2 and ends < $3")
            .bind(run)
            .bind(stream.name())
            .bind(row::big(ends - KEPT_LOG))
            .execute(&mut **tx)
            .await?;
    }
    Ok(ends)
}
