//! How far runs were sent to external trackers.

use graft_core::Timestamp;
use serde_json::Value;
use sqlx::any::AnyRow;

use crate::row::from_row;
use crate::runs::find;
use crate::scope::Scope;
use crate::{Error, Run, RunState, Store, row, statement};

/// State of sending one run to one tracker.
#[derive(Clone, Debug, PartialEq)]
pub struct Tracked {
    /// The run.
    pub run: String,
    /// Name of the tracker.
    pub tracker: String,
    /// Where the tracker stored it, once known.
    pub place: Option<Value>,
    /// `seq` of the last event that was sent.
    pub seq: u64,
    /// The last step of each series that was sent, because a resumed run repeats some steps.
    pub steps: Value,
    /// The state of the run that was sent last.
    pub state: Option<RunState>,
    /// Failures since the last success.
    pub tries: u32,
    /// Whether the previous sender ended without recording how far it got.
    pub is_unsure: bool,
    /// The last failure, until the next success.
    pub error: Option<String>,
    /// Not tried again before this time.
    pub not_before: Timestamp,
    /// When something was last sent.
    pub sent_at: Option<Timestamp>,
}

macro_rules! select {
    ($($tail:expr),+) => {
        concat!(
            "select t.run, t.tracker, t.place, t.seq, t.steps, t.state, t.owner, t.tries, t.error, t.not_before, t.sent_at
             from tracked_runs t ",
            $($tail),+
        )
    };
}

/// Whether a row has anything left to send.
macro_rules! is_behind {
    () => {
        "(t.state is null or t.state <> (select r.state from runs r where r.id = t.run)
          or exists (select 1 from run_events e where e.run = t.run and e.seq > t.seq))"
    };
}

impl Store {
    /// Registers a run to be sent to a tracker. Repeating it changes nothing.
    pub async fn track_run(&self, run: &str, tracker: &str) -> Result<(), Error> {
        let mut tx = self.begin_in(Scope::Statement).await?;
        tx.execute(
            "insert into tracked_runs (run, tracker) values ($1, $2) on conflict (run, tracker) do nothing",
            (run, tracker),
        )
        .await?;
        tx.commit().await
    }

    /// The state of sending a run to each of its trackers.
    pub async fn tracked(&self, run: &str) -> Result<Vec<Tracked>, Error> {
        statement::all(&self.read, select!("where t.run = $1 order by t.tracker"), run).await
    }

    /// The number of runs that are not sent completely to a tracker, and the last failure among them.
    pub async fn tracker_backlog(&self, tracker: &str) -> Result<(u64, Option<String>), Error> {
        let row = sqlx::query(concat!(
            "select count(*) as runs, max(t.error) as error from tracked_runs t where t.tracker = $1 and ",
            is_behind!()
        ))
        .bind(tracker)
        .fetch_one(&self.read)
        .await?;
        Ok((row::get(&row, "runs")?, row::get(&row, "error")?))
    }

    /// Claims the right to send a run for `millis`: of the runs that are not sent completely, the one that waits
    /// longest.
    pub async fn claim_tracked(
        &self,
        tracker: &str,
        owner: &str,
        millis: i64,
    ) -> Result<Option<(Tracked, Run)>, Error> {
        let now = self.now().await?;
        let next = || {
            sqlx::query_as(select!(
                "where t.tracker = $1 and (t.not_before <= $2 or t.not_before > $2 + 86400000) and (t.owner is null or t.owner = $3 or t.until <= $2) and ",
                is_behind!(),
                " order by t.not_before, t.sent_at, t.run limit 1"
            ))
            .bind(tracker)
            .bind(now)
            .bind(owner)
        };
        // Usually nothing is left to send; a read avoids the write lock then.
        let waiting: Option<Tracked> = next().fetch_optional(&self.read).await?;
        if waiting.is_none() {
            return Ok(None);
        }
        let mut tx = self.begin().await?;
        let Some(found) = next().fetch_optional(&mut *tx).await? else { return Ok(None) };
        tx.execute(
            "update tracked_runs set owner = $3, until = $4 where run = $1 and tracker = $2",
            (&found.run, tracker, owner, now + millis),
        )
        .await?;
        let run = find(&mut *tx, &found.run).await?.ok_or_else(|| Error::NoRun(found.run.clone()))?;
        tx.commit().await?;
        Ok(Some((found, run)))
    }

    /// Stores how far a run was sent, and extends the claim by `millis`. Returns whether the claim is still the
    /// owner's.
    pub async fn save_tracked(&self, known: &Tracked, owner: &str, millis: i64) -> Result<bool, Error> {
        let now = self.now().await?;
        let mut tx = self.begin_in(Scope::Statement).await?;
        let saved = tx
            .execute(
                "update tracked_runs set place = $4, seq = $5, steps = $6, state = $7, tries = $8, error = $9,
                        not_before = $10, sent_at = $11, until = $12, owner = case when $13 > 0 then owner end
                 where run = $1 and tracker = $2 and owner = $3",
                (
                    &known.run,
                    &known.tracker,
                    owner,
                    known.place.as_ref(),
                    known.seq,
                    known.steps.to_string(),
                    known.state,
                    known.tries,
                    known.error.as_deref().map(row::text),
                    known.not_before,
                    known.sent_at,
                    now + millis,
                    millis,
                ),
            )
            .await?;
        tx.commit().await?;
        Ok(saved == 1)
    }

    /// Records a failure of a tracker for all runs that are not sent completely, and retries none of them before a
    /// time.
    pub async fn tracker_failed(&self, tracker: &str, error: &str, not_before: Timestamp) -> Result<(), Error> {
        let mut tx = self.begin().await?;
        tx.execute(
            concat!(
                "update tracked_runs as t set error = $2, not_before = $3
                 where t.tracker = $1 and t.owner is null and ",
                is_behind!()
            ),
            (tracker, row::text(error), not_before),
        )
        .await?;
        tx.commit().await
    }

    /// The processes that hold claims.
    pub async fn tracking_owners(&self) -> Result<Vec<String>, Error> {
        let owners = sqlx::query_scalar("select distinct owner from tracked_runs where owner is not null");
        Ok(owners.fetch_all(&self.read).await?)
    }

    /// Releases the claims of a process that is gone.
    pub async fn free_tracked(&self, owner: &str) -> Result<(), Error> {
        let mut tx = self.begin().await?;
        tx.execute("update tracked_runs set until = 0 where owner = $1", owner).await?;
        tx.commit().await
    }

    /// Retries everything for a tracker at once, because its address or password may have changed.
    pub async fn hurry_tracked(&self, tracker: &str) -> Result<(), Error> {
        let mut tx = self.begin().await?;
        tx.execute("update tracked_runs set not_before = 0 where tracker = $1 and not_before > 0", tracker).await?;
        tx.commit().await
    }

    /// The stages of each task's versions as last sent to a tracker.
    pub async fn tracked_models(&self, tracker: &str) -> Result<Vec<(String, Value)>, Error> {
        let rows = sqlx::query("select task, stages from tracked_models where tracker = $1")
            .bind(tracker)
            .fetch_all(&self.read)
            .await?;
        rows.iter().map(|row| Ok((row::get(row, "task")?, row::get(row, "stages")?))).collect()
    }

    /// Stores the stages that were sent to a tracker.
    pub async fn save_tracked_model(&self, task: &str, tracker: &str, stages: &Value) -> Result<(), Error> {
        let mut tx = self.begin().await?;
        tx.execute(
            "insert into tracked_models (task, tracker, stages) values ($1, $2, $3)
             on conflict (task, tracker) do update set stages = excluded.stages",
            (task, tracker, stages.to_string()),
        )
        .await?;
        tx.commit().await
    }

    /// The place of a study at a tracker, or who is about to create it.
    pub async fn tracked_study(&self, study: &str, tracker: &str) -> Result<Option<Value>, Error> {
        let select = "select place from tracked_studies where study = $1 and tracker = $2";
        statement::value(&self.read, select, (study, tracker)).await
    }

    /// Replaces the place of a study, if it still is what it was; says whether it did.
    pub async fn swap_tracked_study(
        &self,
        study: &str,
        tracker: &str,
        before: Option<&Value>,
        after: &Value,
    ) -> Result<bool, Error> {
        let mut tx = self.begin().await?;
        let swapped = match before {
            None => {
                tx.execute(
                    "insert into tracked_studies (study, tracker, place) values ($1, $2, $3)
                     on conflict (study, tracker) do nothing",
                    (study, tracker, after.to_string()),
                )
                .await?
            }
            Some(before) => {
                tx.execute(
                    "update tracked_studies set place = $3 where study = $1 and tracker = $2 and place = $4",
                    (study, tracker, after.to_string(), before.to_string()),
                )
                .await?
            }
        };
        tx.commit().await?;
        Ok(swapped == 1)
    }

    /// The studies that have ended, that a tracker has trials of, and whose end it was not told.
    pub async fn untold_studies(&self, tracker: &str) -> Result<Vec<String>, Error> {
        let untold = sqlx::query_scalar(
            "select s.id from studies s where s.state <> 'running'
             and exists (select 1 from runs r join tracked_runs t on t.run = r.id where r.study = s.id and t.tracker = $1)
             and not exists (select 1 from tracked_studies k where k.study = s.id and k.tracker = $1 and k.ended = 1)
             order by s.seq",
        );
        Ok(untold.bind(tracker).fetch_all(&self.read).await?)
    }

    /// Notes that a tracker was told the end of a study, which it has a place for.
    pub async fn study_told(&self, study: &str, tracker: &str) -> Result<(), Error> {
        let mut tx = self.begin().await?;
        tx.execute("update tracked_studies set ended = 1 where study = $1 and tracker = $2", (study, tracker)).await?;
        tx.commit().await
    }

    /// The versions whose runs were sent completely to a tracker.
    pub async fn tracked_versions(&self, tracker: &str) -> Result<Vec<(String, String, String)>, Error> {
        statement::all(
            &self.read,
            "select v.task, v.name, v.stage from versions v join tracked_runs t on t.run = v.run
             where t.tracker = $1 and t.state = 'succeeded' order by v.task, v.created_at, v.name",
            tracker,
        )
        .await
    }
}

from_row!(Tracked { run, tracker, place, seq, steps, state, tries, is_unsure: is_owned, error, not_before, sent_at });

fn is_owned(row: &AnyRow) -> Result<bool, sqlx::Error> {
    Ok(row::get::<Option<String>>(row, "owner")?.is_some())
}
