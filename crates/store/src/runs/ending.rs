//! What can happen to an ended run, and to runs that wait for it.

use graft_core::{ExitCode, Failure, Phase, Timestamp};
use serde_json::{Value, json};

use super::{Run, RunKind, RunState, RunUpdate, change, find, select_runs};
use crate::changes::{Actor, Entry, record};
use crate::{Action, Error, Kind, Store, statement};

/// Options for resuming a run; an absent field keeps its value.
#[derive(Clone, Copy, Debug, Default)]
pub struct Again<'a> {
    /// Most processes to start from now on; after that it fails.
    pub max_attempts: u32,
    /// The new request.
    pub request: Option<&'a Value>,
    /// The name of its version.
    pub version: Option<&'a str>,
}

impl Store {
    /// Puts a failed or cancelled run back into the queue with a full number of attempts. `ready` prepares its
    /// directory: it is called after all checks, and before a worker can claim the run.
    ///
    /// # Errors
    /// [`Error::NoRun`]; [`Error::RunState`] if it did not fail and was not cancelled; [`Error::RunActive`]; any error
    /// of `ready`.
    pub async fn queue_again<E: From<Error>>(
        &self,
        id: &str,
        how: Again<'_>,
        by: &str,
        at: Timestamp,
        ready: impl FnOnce(&Run) -> Result<(), E> + Send,
    ) -> Result<Run, E> {
        let mut tx = self.begin().await?;
        let mut again = find(&mut *tx, id).await?.ok_or_else(|| Error::NoRun(id.to_owned()))?;
        if again.state.is_active() {
            let to = RunState::Queued.name();
            return Err(Error::RunState { run: again.id, from: again.state.name(), to }.into());
        }
        // One that was cancelled before its settings were chosen begins with those it has.
        again.search = again.search.filter(|_| again.phase.as_deref() != Some(Phase::Search.name()));
        (again.attempts, again.phase) = (0, None);
        let update = RunUpdate { state: Some(RunState::Queued), ..RunUpdate::default() };
        let again = change(&mut tx, again, &update, Actor { by, at }).await?;
        tx.execute(
            "update runs set max_attempts = $2, request = coalesce($3, request), version = coalesce($4, version),
                 search = $5
             where id = $1",
            (id, how.max_attempts.max(1), how.request, how.version, again.search.as_deref()),
        )
        .await?;
        let again = find(&mut *tx, id).await?.ok_or(Error::NoRun(again.id))?;
        ready(&again)?;
        tx.commit().await?;
        Ok(again)
    }

    /// Cancels queued runs whose predecessor did not succeed, and returns them.
    pub async fn cancel_orphans(&self, by: &str, at: Timestamp) -> Result<Vec<Run>, Error> {
        const HOPELESS: &str = select_runs!(
            "where state = 'queued' and lease_owner is null and after_run is not null and not exists
                   (select 1 from runs a where a.id = runs.after_run and a.state not in ('failed', 'cancelled'))
             order by seq"
        );
        if sqlx::query(HOPELESS).fetch_optional(&self.read).await?.is_none() {
            return Ok(Vec::new());
        }
        let mut tx = self.begin().await?;
        let mut cancelled = Vec::new();
        let all: Vec<Run> = statement::all(&mut *tx, HOPELESS, ()).await?;
        for hopeless in all {
            let error =
                format!("run `{}`, which it waited for, did not succeed", hopeless.after_run.as_deref().unwrap_or(""));
            let failure = Some(Failure::new(error, ExitCode::Stopped));
            let update = RunUpdate { state: Some(RunState::Cancelled), failure, ..RunUpdate::default() };
            cancelled.push(change(&mut tx, hopeless, &update, Actor { by, at }).await?);
        }
        tx.commit().await?;
        Ok(cancelled)
    }

    /// Deletes an ended run and returns it. Versions made by it stay, without the reference to it.
    ///
    /// # Errors
    /// [`Error::NoRun`]; [`Error::RunState`] while it is active.
    pub async fn delete_run(&self, id: &str, by: &str, at: Timestamp) -> Result<Run, Error> {
        let mut tx = self.begin().await?;
        let gone = find(&mut *tx, id).await?.ok_or_else(|| Error::NoRun(id.to_owned()))?;
        if gone.state.is_active() {
            return Err(Error::RunState { run: gone.id, from: gone.state.name(), to: "deleted" });
        }
        if gone.state == RunState::Succeeded {
            // It succeeded, so the runs that wait for it may start.
            tx.execute("update runs set after_run = null where after_run = $1", id).await?;
        }
        for statement in ["update versions set run = null where run = $1", "delete from runs where id = $1"] {
            tx.execute(statement, id).await?;
        }
        let entry = Entry { action: Action::Delete, kind: Kind::Run, task: &gone.task, subject: id };
        record(&mut tx, entry, Actor { by, at }, Some(&json!(gone)), None).await?;
        tx.commit().await?;
        Ok(gone)
    }

    /// Ended runs that finished before a time, oldest first.
    pub async fn runs_finished_before(&self, at: Timestamp) -> Result<Vec<Run>, Error> {
        statement::all(
            &self.read,
            select_runs!("where state in ('succeeded', 'failed', 'cancelled') and finished_at < $1 order by seq"),
            at,
        )
        .await
    }

    /// How many runs match a filter, ignoring its limit and offset.
    pub async fn count_runs(&self, filter: &super::RunFilter) -> Result<u64, Error> {
        let count: i64 = sqlx::query_scalar(
            "select count(*) as n from runs
             where ($1 is null or task = $1) and ($2 is null or state = $2) and ($3 is null or kind = $3)
               and ($3 is null or study is null) and ($4 is null or study = $4)",
        )
        .bind(filter.task.as_deref())
        .bind(filter.state.map(RunState::name))
        .bind(filter.kind.map(RunKind::name))
        .bind(filter.study.as_deref())
        .fetch_one(&self.read)
        .await?;
        Ok(count.unsigned_abs())
    }
}
