//! Files of inputs that a version answers in the background, part by part.

use graft_core::Timestamp;
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use crate::changes::{Actor, Entry, record};
use crate::clock;
use crate::database::Tx;
use crate::row::from_row;
use crate::{Action, Error, Kind, Store, row, statement};

names! {
    /// State of a batch.
    pub enum BatchState {
        /// Its parts wait or are being answered.
        Running = "running",
        /// Every input has its answer.
        Done = "done",
        /// A part failed too often.
        Failed = "failed",
        /// A person stopped it.
        Stopped = "stopped",
    }
}

/// A file of inputs that a version answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Batch {
    /// Its name.
    pub id: String,
    /// Name of the task.
    pub task: String,
    /// The version that answers, also if another one becomes active.
    pub version: String,
    /// Name of the file.
    pub source: String,
    /// Its state.
    pub state: BatchState,
    /// Number of inputs.
    pub lines: u64,
    /// Number of parts.
    pub parts: u64,
    /// Maximum tokens of one answer.
    pub max_tokens: Option<u64>,
    /// Inputs answered so far.
    pub answered: u64,
    /// Of these, without a valid answer.
    pub invalid: u64,
    /// Parts that are done.
    pub parts_done: u64,
    /// Parts that are being answered now.
    pub parts_running: u64,
    /// Why it failed.
    pub failure: Option<String>,
    /// Who submitted it.
    pub created_by: String,
    /// When.
    pub created_at: Timestamp,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
}

/// A batch to add.
#[derive(Clone, Copy, Debug)]
pub struct NewBatch<'a> {
    /// Its name.
    pub id: &'a str,
    /// Name of the task.
    pub task: &'a str,
    /// The version that answers.
    pub version: &'a str,
    /// Name of the file.
    pub source: &'a str,
    /// Maximum tokens of one answer.
    pub max_tokens: Option<u64>,
    /// Its parts: the number of inputs and the inputs, one per line.
    pub parts: &'a [(u64, String)],
}

/// The right to answer a part, until another process takes it over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartLease {
    /// The batch.
    pub batch: String,
    /// Number of the part.
    pub number: u64,
    /// The process that holds it.
    pub owner: String,
    /// How often the part was taken; an earlier holder has a smaller number.
    pub attempt: u64,
}

/// A part that was taken, with all that answering it needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// The lease.
    pub lease: PartLease,
    /// Name of the task.
    pub task: String,
    /// The version that answers.
    pub version: String,
    /// Maximum tokens of one answer.
    pub max_tokens: Option<u64>,
    /// The inputs, one per line.
    pub input: String,
}

macro_rules! select_batches {
    ($tail:literal) => {
        concat!(
            "select id, task, version, source, state, lines, parts, max_tokens, failure, created_by, created_at, finished_at,
                    (select cast(coalesce(sum(p.answered), 0) as bigint) from batch_parts p where p.batch = id) as answered,
                    (select cast(coalesce(sum(p.invalid), 0) as bigint) from batch_parts p where p.batch = id) as invalid,
                    (select count(*) from batch_parts p where p.batch = id and p.state = 'done') as parts_done,
                    (select count(*) from batch_parts p where p.batch = id and p.state = 'answering') as parts_running
             from batches ",
            $tail
        )
    };
}

impl Store {
    /// Adds a batch with all its parts in one transaction.
    ///
    /// # Errors
    /// [`Error::BatchExists`]; when the database can't be written.
    pub async fn add_batch(&self, new: NewBatch<'_>, by: &str, at: Timestamp) -> Result<Batch, Error> {
        row::check_name("batch", new.id)?;
        let mut tx = self.begin().await?;
        if find(&mut tx, new.id).await?.is_some() {
            return Err(Error::BatchExists(new.id.to_owned()));
        }
        let lines: u64 = new.parts.iter().map(|(lines, _)| lines).sum();
        tx.execute(
            "insert into batches (id, seq, task, version, source, lines, parts, max_tokens, state,
             created_by, created_at)
             select $1, coalesce(max(seq), 0) + 1, $2, $3, $4, $5, $6, $7, 'running', $8, $9 from batches",
            (
                new.id,
                new.task,
                new.version,
                row::text(new.source),
                lines,
                new.parts.len() as u64,
                new.max_tokens,
                row::text(by),
                at,
            ),
        )
        .await?;
        for (number, (lines, input)) in (1..).zip(new.parts) {
            tx.execute(
                "insert into batch_parts (batch, number, state, lines, input) values ($1, $2, 'waiting', $3, $4)",
                (new.id, number, *lines, input),
            )
            .await?;
        }
        let entry = Entry { action: Action::Add, kind: Kind::Batch, task: new.task, subject: new.id };
        let after = json!({"state": BatchState::Running, "version": new.version, "lines": lines});
        record(&mut tx, entry, Actor { by, at }, None, Some(&after)).await?;
        let added = find(&mut tx, new.id).await?.ok_or_else(|| Error::NoBatch(new.id.to_owned()))?;
        tx.commit().await?;
        Ok(added)
    }

    /// One batch.
    ///
    /// # Errors
    /// [`Error::NoBatch`].
    pub async fn batch(&self, id: &str) -> Result<Batch, Error> {
        let found = statement::optional(&self.read, select_batches!("where id = $1"), id).await?;
        found.ok_or_else(|| Error::NoBatch(id.to_owned()))
    }

    /// The batches of a task or of all, newest first.
    pub async fn batches(&self, task: Option<&str>) -> Result<Vec<Batch>, Error> {
        statement::all(&self.read, select_batches!("where ($1 is null or task = $1) order by seq desc limit 500"), task)
            .await
    }

    /// Whether a part of a running batch waits for somebody to answer it.
    pub async fn has_waiting_part(&self, only: Option<&str>) -> Result<bool, Error> {
        let now = clock::read(&mut *self.read.acquire().await?, self.dialect).await?;
        let found = sqlx::query(NEXT).bind(&now.clock).bind(now.at).bind(only).fetch_optional(&self.read).await?;
        Ok(found.is_some())
    }

    /// Processes that hold parts of running batches.
    pub async fn part_owners(&self) -> Result<Vec<String>, Error> {
        statement::values(&self.read, "select distinct owner from batch_parts where state = 'answering'", ()).await
    }

    /// Ends the leases of a process that is gone.
    pub async fn free_parts(&self, owner: &str) -> Result<(), Error> {
        let mut tx = self.begin().await?;
        tx.execute(
            "update batch_parts set state = 'waiting', owner = null, answered = 0
             where state = 'answering' and owner = $1",
            owner,
        )
        .await?;
        tx.commit().await
    }

    /// Takes the next part that waits or whose holder has shown no sign of life for too long: of the oldest batch, or of
    /// `only` that one. A part that was begun too often makes its batch fail instead.
    pub async fn claim_part(
        &self,
        owner: &str,
        millis: i64,
        only: Option<&str>,
        by: &str,
        at: Timestamp,
    ) -> Result<Option<Part>, Error> {
        if !self.has_waiting_part(only).await? {
            return Ok(None);
        }
        let mut tx = self.begin().await?;
        let now = clock::read(&mut tx, self.dialect).await?;
        let found = sqlx::query(NEXT).bind(&now.clock).bind(now.at).bind(only).fetch_optional(&mut *tx).await?;
        let Some(found) = found else { return Ok(None) };
        let lease = PartLease {
            batch: row::get(&found, "batch")?,
            number: row::get(&found, "number")?,
            owner: owner.to_owned(),
            attempt: row::get::<u64>(&found, "attempts")? + 1,
        };
        if lease.attempt > MOST_ATTEMPTS {
            if let Some(batch) = find(&mut tx, &lease.batch).await? {
                let failure = format!("part {} was begun {MOST_ATTEMPTS} times and never finished", lease.number);
                turn(&mut tx, &batch, BatchState::Failed, Some(&failure), Actor { by, at }).await?;
            }
            tx.execute(
                "update batch_parts set state = 'waiting', owner = null where batch = $1 and number = $2",
                (&lease.batch, lease.number),
            )
            .await?;
            tx.commit().await?;
            return Ok(None);
        }
        tx.execute(
            "update batch_parts set state = 'answering', owner = $3, attempts = $4, lease_clock = $5, lease_until = $6,
                    answered = 0
             where batch = $1 and number = $2",
            (&lease.batch, lease.number, owner, lease.attempt, &now.clock, now.at.saturating_add(millis)),
        )
        .await?;
        let input = sqlx::query("select input from batch_parts where batch = $1 and number = $2")
            .bind(&lease.batch)
            .bind(row::big(lease.number))
            .fetch_one(&mut *tx)
            .await?;
        let part = Part {
            lease,
            task: row::get(&found, "task")?,
            version: row::get(&found, "version")?,
            max_tokens: row::get(&found, "max_tokens")?,
            input: row::get(&input, "input")?,
        };
        tx.commit().await?;
        Ok(Some(part))
    }

    /// Extends a lease by `millis` from now, and keeps how many inputs are answered. Returns whether the batch still runs.
    ///
    /// # Errors
    /// [`Error::PartLost`] if another process took the part over.
    pub async fn renew_part(&self, lease: &PartLease, millis: i64, answered: u64) -> Result<bool, Error> {
        let mut tx = self.begin().await?;
        let now = clock::read(&mut tx, self.dialect).await?;
        let renewed = tx
            .execute(
                "update batch_parts set lease_clock = $5, lease_until = $6, answered = $7
                 where batch = $1 and number = $2 and owner = $3 and attempts = $4 and state = 'answering'",
                (
                    &lease.batch,
                    lease.number,
                    &lease.owner,
                    lease.attempt,
                    &now.clock,
                    now.at.saturating_add(millis),
                    answered,
                ),
            )
            .await?;
        if renewed == 0 {
            return Err(lost(lease));
        }
        let found = find(&mut tx, &lease.batch).await?;
        tx.commit().await?;
        Ok(found.is_some_and(|batch| batch.state == BatchState::Running))
    }

    /// Stores the answers of a part, one line for each input; the last part ends its batch.
    ///
    /// # Errors
    /// [`Error::PartLost`] if another process took the part over.
    pub async fn finish_part(
        &self,
        lease: &PartLease,
        output: &str,
        invalid: u64,
        by: &str,
        at: Timestamp,
    ) -> Result<(), Error> {
        let mut tx = self.begin().await?;
        let kept = tx
            .execute(
                "update batch_parts set state = 'done', answered = lines, invalid = $5, output = $6, owner = null
                 where batch = $1 and number = $2 and owner = $3 and attempts = $4 and state = 'answering'",
                (&lease.batch, lease.number, &lease.owner, lease.attempt, invalid, row::text(output)),
            )
            .await?;
        if kept == 0 {
            return Err(lost(lease));
        }
        if let Some(batch) = find(&mut tx, &lease.batch).await?
            && batch.parts_done == batch.parts
            && batch.state == BatchState::Running
        {
            turn(&mut tx, &batch, BatchState::Done, None, Actor { by, at }).await?;
        }
        tx.commit().await
    }

    /// Gives a part back: to be tried again, or if it was tried `most` times, as the failure of its batch.
    ///
    /// # Errors
    /// [`Error::PartLost`] if another process took the part over.
    pub async fn fail_part(
        &self,
        lease: &PartLease,
        failure: &str,
        most: u64,
        by: &str,
        at: Timestamp,
    ) -> Result<(), Error> {
        let mut tx = self.begin().await?;
        let freed = tx
            .execute(
                "update batch_parts set state = 'waiting', owner = null, answered = 0
                 where batch = $1 and number = $2 and owner = $3 and attempts = $4 and state = 'answering'",
                (&lease.batch, lease.number, &lease.owner, lease.attempt),
            )
            .await?;
        if freed == 0 {
            return Err(lost(lease));
        }
        if lease.attempt >= most
            && let Some(batch) = find(&mut tx, &lease.batch).await?
            && batch.state == BatchState::Running
        {
            turn(&mut tx, &batch, BatchState::Failed, Some(failure), Actor { by, at }).await?;
        }
        tx.commit().await
    }

    /// Stops a running batch, or lets one that was stopped or has failed go on; its answers are kept.
    ///
    /// # Errors
    /// [`Error::NoBatch`]; [`Error::BatchState`] if it is done, or in that state already.
    pub async fn turn_batch(&self, id: &str, to: BatchState, by: &str, at: Timestamp) -> Result<Batch, Error> {
        let mut tx = self.begin().await?;
        let batch = find(&mut tx, id).await?.ok_or_else(|| Error::NoBatch(id.to_owned()))?;
        if batch.state == BatchState::Done || (batch.state == BatchState::Running) == (to == BatchState::Running) {
            return Err(Error::BatchState { batch: batch.id, from: batch.state.name(), to: to.name() });
        }
        if to == BatchState::Running {
            tx.execute("update batch_parts set attempts = 0 where batch = $1 and state = 'waiting'", id).await?;
        }
        turn(&mut tx, &batch, to, None, Actor { by, at }).await?;
        let turned = find(&mut tx, id).await?.ok_or_else(|| Error::NoBatch(id.to_owned()))?;
        tx.commit().await?;
        Ok(turned)
    }

    /// Removes a batch with its inputs and answers.
    ///
    /// # Errors
    /// [`Error::NoBatch`]; [`Error::BatchState`] while it runs.
    pub async fn remove_batch(&self, id: &str, by: &str, at: Timestamp) -> Result<(), Error> {
        let mut tx = self.begin().await?;
        let batch = find(&mut tx, id).await?.ok_or_else(|| Error::NoBatch(id.to_owned()))?;
        if batch.state == BatchState::Running {
            return Err(Error::BatchState { batch: batch.id, from: batch.state.name(), to: "removed" });
        }
        tx.execute("delete from batches where id = $1", id).await?;
        let entry = Entry { action: Action::Delete, kind: Kind::Batch, task: &batch.task, subject: id };
        record(&mut tx, entry, Actor { by, at }, Some(&json!({"state": batch.state})), None).await?;
        tx.commit().await
    }

    /// The answers of a part, one line for each of its inputs; `None` if it has none yet.
    pub async fn part_output(&self, batch: &str, number: u64) -> Result<Option<String>, Error> {
        let found = statement::value(
            &self.read,
            "select output from batch_parts where batch = $1 and number = $2",
            (batch, number),
        )
        .await?;
        Ok(found.flatten())
    }
}

/// Attempts of a part, most of them ended by somebody who killed the process, after which its batch fails: answering it
/// may be what kills them.
const MOST_ATTEMPTS: u64 = 25;

/// The next part to take. `$1` and `$2` are the lease clock, `$3` the only batch allowed.
const NEXT: &str = "select p.batch, p.number, p.attempts, b.task, b.version, b.max_tokens
     from batches b join batch_parts p on p.batch = b.id
     where b.state = 'running' and ($3 is null or b.id = $3)
       and (p.state = 'waiting' or (p.state = 'answering' and (p.lease_clock <> $1 or p.lease_until <= $2)))
     order by b.seq, p.number limit 1";

async fn find(tx: &mut Tx<'_>, id: &str) -> Result<Option<Batch>, Error> {
    statement::optional(&mut **tx, select_batches!("where id = $1"), id).await
}

async fn turn(
    tx: &mut Tx<'_>,
    batch: &Batch,
    to: BatchState,
    failure: Option<&str>,
    actor: Actor<'_>,
) -> Result<(), Error> {
    tx.execute(
        "update batches set state = $2, failure = $3, finished_at = $4 where id = $1",
        (&batch.id, to, failure.map(row::text), (to != BatchState::Running).then_some(actor.at)),
    )
    .await?;
    let entry = Entry { action: Action::State, kind: Kind::Batch, task: &batch.task, subject: &batch.id };
    let (before, after) = (json!({"state": batch.state}), json!({"state": to}));
    record(tx, entry, actor, Some(&before), Some(&after)).await
}

fn lost(lease: &PartLease) -> Error {
    Error::PartLost { batch: lease.batch.clone(), number: lease.number }
}

from_row!(Batch {
    id,
    task,
    version,
    source,
    state,
    lines,
    parts,
    max_tokens,
    answered,
    invalid,
    parts_done,
    parts_running,
    failure,
    created_by,
    created_at,
    finished_at,
});
