//! The queue is the table of runs: who holds one says so in it, for a while, and writes only while that is true.

use graft_core::{Dataset, Failure, Timestamp};
use serde::Serialize;
use serde_json::{Value, json};
use sqlx::any::AnyRow;
use utoipa::ToSchema;

use super::{
    Fresh, NewRun, Priority, Run, RunState, RunUpdate, Wish, add, change, find, find_requested, run, select_runs, write,
};
use crate::changes::{Actor, Deed, record};
use crate::clock::{self, Reading};
use crate::database::Tx;
use crate::datasets;
use crate::schedules::{Due, advance};
use crate::versions::{NewVersion, Version, register};
use crate::{Action, Error, Kind, Store, row};

/// What a queued run is beside its spec.
#[derive(Clone, Copy, Debug)]
pub struct Submission<'a> {
    /// Priority in the queue.
    pub priority: Priority,
    /// The run that must succeed first.
    pub after: Option<&'a str>,
    /// Whether its version is to become active, if it is not worse.
    pub activate: bool,
    /// The name its version is to have.
    pub version: Option<&'a str>,
    /// Maximum number of trainers that are started for it.
    pub max_attempts: u32,
    /// What was asked for.
    pub request: &'a Value,
    /// The time of a schedule that this run is for: of all who submit it, one succeeds.
    pub due: Option<Due<'a>>,
    /// Revision of the task it was prepared with.
    pub task_revision: Option<i64>,
    /// Names the request among all: sent again, it stands for the same run.
    pub key: Option<&'a str>,
    /// The machine that it executes on; the worker's own without one.
    pub machine: Option<&'a str>,
}

/// The right to write about a run, until somebody else takes it over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// The run.
    pub run: String,
    /// Who holds it.
    pub owner: String,
    /// The run's fence when it was taken.
    pub fence: i64,
}

/// What a worker has left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Free {
    /// CPU threads that no run of it uses.
    pub threads: u32,
    /// Whether it has no run at all, so that even one that takes every thread fits.
    pub idle: bool,
    /// GPUs that no run of it uses, a bit for each from the lowest up; `None` where the machine has none.
    pub gpus: Option<u64>,
}

impl Free {
    /// Whether a run may start now. Two never share a GPU: neither would find the memory that was predicted.
    fn fits(&self, run: &Run) -> bool {
        if run.machine.is_some() {
            // It takes nothing here; its machine has a slot, or it would not be next.
            return true;
        }
        let threads = self.idle || run.threads.is_some_and(|threads| threads <= self.threads);
        let gpu = self.gpus.zip(run.gpu(self.gpus.is_some()));
        threads && gpu.is_none_or(|(free, gpu)| free.checked_shr(gpu).is_none_or(|bits| bits & 1 == 1))
    }
}

/// A run that a process holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = LeaseView)]
pub struct Held {
    /// The run.
    pub run: String,
    /// Its task.
    pub task: String,
    /// The process.
    pub owner: String,
    /// Milliseconds until others may take it, unless the process renews its right to it.
    pub left_ms: i64,
}

impl Store {
    /// Puts a run into the queue together with its dataset, whose split it fixes for ever: both or neither. A request
    /// with a key that has a run already gets that one.
    ///
    /// # Errors
    /// As [`add_run`](Self::add_run) and [`save_dataset`](Self::save_dataset); [`Error::NoRun`] for the one it is to
    /// follow; [`Error::ScheduleMoved`] when somebody else submitted this time of the schedule.
    pub async fn submit_run(
        &self,
        new: NewRun<'_>,
        order: &Submission<'_>,
        dataset: &Dataset,
        by: &str,
        at: Timestamp,
    ) -> Result<Run, Error> {
        let actor = Actor { by, at };
        let mut tx = self.begin().await?;
        if let Some(made) = find_requested(&mut *tx, order.key).await? {
            return Ok(made);
        }
        if let Some(after) = order.after {
            find(&mut *tx, after).await?.ok_or_else(|| Error::NoRun(after.to_owned()))?;
        }
        let added = add(&mut tx, Fresh::training(new), actor).await?;
        if let Some(due) = order.due {
            advance(&mut tx, due, Some(&added.id), None, at).await?;
        }
        datasets::save(&mut tx, new.task, dataset, actor).await?;
        sqlx::query(
            "update runs set priority = $2, after_run = $3, activate = $4, version = $5, max_attempts = $6,
                    request = $7, train_samples = $8, eval_samples = $9, request_key = $10, machine = $11, task_revision = $12
             where id = $1",
        )
        .bind(&added.id)
        .bind(order.priority as i64)
        .bind(order.after)
        .bind(i64::from(order.activate))
        .bind(order.version)
        .bind(i64::from(order.max_attempts.max(1)))
        .bind(order.request.to_string())
        .bind(row::big(dataset.train.len() as u64))
        .bind(row::big(dataset.eval.len() as u64))
        .bind(order.key)
        .bind(order.machine)
        .bind(order.task_revision)
        .execute(&mut *tx)
        .await?;
        let added = find(&mut *tx, &added.id).await?.ok_or(Error::NoRun(added.id))?;
        tx.commit().await?;
        Ok(added)
    }

    /// The run that a request with this key asked for.
    ///
    /// # Errors
    /// When the database can't be read.
    pub async fn requested_run(&self, key: Option<&str>) -> Result<Option<Run>, Error> {
        find_requested(&self.read, key).await
    }

    /// Takes the run whose turn it is: of those that may start, the first by priority, then by age. Nothing while that
    /// one needs more threads than are free, or a GPU that isn't, so that small runs can't starve it. A run on another
    /// machine waits for a slot there only. With `only`, no other run is taken.
    ///
    /// # Errors
    /// When the database can't be written.
    pub async fn claim_run(
        &self,
        owner: &str,
        millis: i64,
        free: Free,
        only: Option<&str>,
        by: &str,
    ) -> Result<Option<(Run, Lease)>, Error> {
        if self.next_of(only).await?.is_none() {
            return Ok(None);
        }
        let mut tx = self.begin().await?;
        let at: Timestamp = row::get(&sqlx::query(clock::time(self.dialect)).fetch_one(&mut *tx).await?, "at")?;
        let mut next = None;
        for place in [HERE, ELSEWHERE] {
            let found = sqlx::query(NEXT).bind(at).bind(only).bind(place).fetch_optional(&mut *tx).await?;
            next = found.as_ref().map(run).transpose()?.filter(|next| free.fits(next));
            if next.is_some() {
                break;
            }
        }
        let Some(next) = next else { return Ok(None) };
        let taken = self.take(&mut tx, next, owner, millis).await?;
        let update = RunUpdate { state: Some(RunState::Starting), attempt: true, ..RunUpdate::default() };
        let taken = change(&mut tx, taken, &update, Actor { by, at }).await?;
        tx.commit().await?;
        Ok(Some(leased(taken, owner)))
    }

    /// The queued run whose turn it is, if any may start.
    ///
    /// # Errors
    /// When the database can't be read.
    pub async fn next_run(&self) -> Result<Option<Run>, Error> {
        self.next_of(None).await
    }

    async fn next_of(&self, only: Option<&str>) -> Result<Option<Run>, Error> {
        let at = self.now().await?;
        let row: Option<AnyRow> =
            sqlx::query(NEXT).bind(at).bind(only).bind(ANYWHERE).fetch_optional(&self.read).await?;
        row.as_ref().map(run).transpose()
    }

    /// Takes over a run whose holder's time is up, or that nobody holds; from then on the former holder can't write.
    ///
    /// # Errors
    /// [`Error::LeaseHeld`] while somebody else holds it; [`Error::LeaseLost`] when it changed hands or ended since
    /// `seen`.
    pub async fn take_over(&self, seen: &Run, owner: &str, millis: i64) -> Result<(Run, Lease), Error> {
        let mut tx = self.begin().await?;
        let now = clock::read(&mut tx, self.dialect).await?;
        let found = find(&mut *tx, &seen.id).await?.ok_or_else(|| Error::NoRun(seen.id.clone()))?;
        if found.fence != seen.fence || !found.state.is_active() {
            return Err(Error::LeaseLost { run: found.id });
        }
        if found.is_held(&now) && found.lease_owner.as_deref() != Some(owner) {
            return Err(Error::LeaseHeld { run: found.id, owner: found.lease_owner.unwrap_or_default() });
        }
        let taken = self.take(&mut tx, found, owner, millis).await?;
        tx.commit().await?;
        Ok(leased(taken, owner))
    }

    /// Runs that are queued, starting or running, oldest first.
    ///
    /// # Errors
    /// When the database can't be read.
    pub async fn active_runs(&self) -> Result<Vec<Run>, Error> {
        let rows = sqlx::query(select_runs!("where state in ('queued', 'starting', 'running') order by seq"))
            .fetch_all(&self.read)
            .await?;
        rows.iter().map(run).collect()
    }

    /// Active runs whose holder's time is up, or that are past the queue and nobody holds.
    ///
    /// # Errors
    /// When the database can't be read.
    pub async fn abandoned_runs(&self) -> Result<Vec<Run>, Error> {
        let runs = self.active_runs().await?;
        let now = clock::read(&mut *self.read.acquire().await?, self.dialect).await?;
        let left = |run: &Run| !run.is_held(&now) && (run.state != RunState::Queued || run.lease_owner.is_some());
        Ok(runs.into_iter().filter(left).collect())
    }

    /// Which processes hold which runs, and for how long yet.
    ///
    /// # Errors
    /// When the database can't be read.
    pub async fn held_runs(&self) -> Result<Vec<Held>, Error> {
        let runs = self.active_runs().await?;
        let now = clock::read(&mut *self.read.acquire().await?, self.dialect).await?;
        let held = |run: Run| {
            let left = run
                .lease
                .as_ref()
                .filter(|(clock, _)| *clock == now.clock)
                .map(|(_, until)| until.saturating_sub(now.at));
            Some(Held { owner: run.lease_owner?, run: run.id, task: run.task, left_ms: left.unwrap_or(0).max(0) })
        };
        Ok(runs.into_iter().filter_map(held).collect())
    }

    /// Whether somebody holds the run now.
    ///
    /// # Errors
    /// When the database can't be read.
    pub async fn is_held(&self, run: &Run) -> Result<bool, Error> {
        let now = clock::read(&mut *self.read.acquire().await?, self.dialect).await?;
        Ok(run.is_held(&now))
    }

    /// Holds a run for `millis` more, and returns it as it is now, with what people want of it.
    ///
    /// # Errors
    /// [`Error::LeaseLost`] when somebody else has it.
    pub async fn renew_lease(&self, lease: &Lease, millis: i64) -> Result<Run, Error> {
        let mut tx = self.begin().await?;
        let mut run = owned(&mut tx, lease).await?;
        let now = clock::read(&mut tx, self.dialect).await?;
        run.lease = Some((now.clock, now.at.saturating_add(millis)));
        write(&mut tx, &run).await?;
        tx.commit().await?;
        Ok(run)
    }

    /// Lets go of a run at once, whatever its state, so that the next worker needn't wait for the lease to end.
    ///
    /// # Errors
    /// [`Error::LeaseLost`] when somebody else has it.
    pub async fn release_lease(&self, lease: &Lease) -> Result<(), Error> {
        let mut tx = self.begin().await?;
        let mut run = owned(&mut tx, lease).await?;
        run.lease = run.lease.map(|(clock, _)| (clock, i64::MIN));
        write(&mut tx, &run).await?;
        tx.commit().await
    }

    /// As [`update_run`](Self::update_run), for the one who holds the run.
    ///
    /// # Errors
    /// [`Error::LeaseLost`] when somebody else has it; [`Error::RunState`].
    pub async fn update_held(&self, lease: &Lease, update: &RunUpdate, by: &str, at: Timestamp) -> Result<Run, Error> {
        let mut tx = self.begin().await?;
        let run = owned(&mut tx, lease).await?;
        let run = change(&mut tx, run, update, Actor { by, at }).await?;
        tx.commit().await?;
        Ok(run)
    }

    /// Puts a held run back into the queue, not to start before a time, with the reason as its error.
    ///
    /// # Errors
    /// [`Error::LeaseLost`] when somebody else has it.
    pub async fn requeue_run(
        &self,
        lease: &Lease,
        not_before: Timestamp,
        reason: &Failure,
        by: &str,
        at: Timestamp,
    ) -> Result<Run, Error> {
        let mut tx = self.begin().await?;
        let mut run = owned(&mut tx, lease).await?;
        if run.state != RunState::Queued {
            let update = RunUpdate { state: Some(RunState::Queued), ..RunUpdate::default() };
            run = change(&mut tx, run, &update, Actor { by, at }).await?;
        }
        (run.lease_owner, run.lease, run.phase) = (None, None, None);
        (run.not_before, run.failure) = (Some(not_before), Some(reason.clone()));
        write(&mut tx, &run).await?;
        tx.commit().await?;
        Ok(run)
    }

    /// Registers a version in the name of a run that is held: an attempt that lost its run can't publish.
    ///
    /// # Errors
    /// [`Error::LeaseLost`]; as [`add_version`](Self::add_version).
    pub async fn add_version_held(
        &self,
        lease: &Lease,
        new: &NewVersion,
        by: &str,
        at: Timestamp,
    ) -> Result<Version, Error> {
        let mut tx = self.begin().await?;
        owned(&mut tx, lease).await?;
        let version = register(&mut tx, new, Actor { by, at }).await?;
        tx.commit().await?;
        Ok(version)
    }

    /// Asks for a run to end: one that waits is cancelled at once, one that is held is told to stop.
    ///
    /// # Errors
    /// [`Error::NoRun`]; [`Error::RunState`] when it has ended.
    pub async fn cancel_run(&self, id: &str, by: &str, at: Timestamp) -> Result<Run, Error> {
        let actor = Actor { by, at };
        let mut tx = self.begin().await?;
        let now = clock::read(&mut tx, self.dialect).await?;
        let mut run = find(&mut *tx, id).await?.ok_or_else(|| Error::NoRun(id.to_owned()))?;
        if !run.state.is_active() {
            let to = RunState::Cancelled.name();
            return Err(Error::RunState { run: run.id, from: run.state.name(), to });
        }
        if run.state == RunState::Queued && !run.is_held(&now) {
            let update = RunUpdate { state: Some(RunState::Cancelled), ..RunUpdate::default() };
            run = change(&mut tx, run, &update, actor).await?;
        } else if run.wants != Some(Wish::Cancel) {
            run.wants = Some(Wish::Cancel);
            write(&mut tx, &run).await?;
            let deed = Deed { action: Action::Set, kind: Kind::Run, task: &run.task, subject: id };
            record(&mut tx, deed, actor, Some(&json!({"wants": null})), Some(&json!({"wants": "cancel"}))).await?;
        }
        tx.commit().await?;
        Ok(run)
    }

    async fn take(&self, tx: &mut Tx<'_>, mut run: Run, owner: &str, millis: i64) -> Result<Run, Error> {
        let now = clock::read(tx, self.dialect).await?;
        run.fence += 1;
        run.lease_owner = Some(owner.to_owned());
        run.lease = Some((now.clock, now.at.saturating_add(millis)));
        write(tx, &run).await?;
        Ok(run)
    }
}

/// Runs on the worker's own machine, on others, or both.
const HERE: i64 = 0;
const ELSEWHERE: i64 = 1;
const ANYWHERE: i64 = 2;

/// `$1` is the database's time, `$2` the only run that is meant, `$3` where it executes. A machine that was removed has
/// one slot: its run says what is missing.
const NEXT: &str = select_runs!(
    "where state = 'queued' and lease_owner is null and ($2 is null or id = $2)
       and (not_before is null or not_before <= $1)
       and (after_run is null or exists
            (select 1 from runs a where a.id = runs.after_run and a.state = 'succeeded'))
       and ($3 = 2 or ($3 = 0 and machine is null) or ($3 = 1 and machine is not null))
       and (machine is null
            or (select count(*) from runs b where b.machine = runs.machine and b.state in ('starting', 'running'))
               < coalesce((select slots from machines m where m.name = runs.machine), 1))
     order by priority desc, seq limit 1"
);

impl Run {
    /// Whether somebody holds it at this time of their clock; a clock that is gone ended every lease it measured.
    pub(super) fn is_held(&self, now: &Reading) -> bool {
        self.lease.as_ref().is_some_and(|(clock, until)| *clock == now.clock && *until > now.at)
    }
}

fn leased(run: Run, owner: &str) -> (Run, Lease) {
    let lease = Lease { run: run.id.clone(), owner: owner.to_owned(), fence: run.fence };
    (run, lease)
}

/// The run of a lease, if it is still the newest one.
pub(crate) async fn owned(tx: &mut Tx<'_>, lease: &Lease) -> Result<Run, Error> {
    let run = find(&mut **tx, &lease.run).await?.ok_or_else(|| Error::NoRun(lease.run.clone()))?;
    let mine = run.fence == lease.fence && run.lease_owner.as_deref() == Some(lease.owner.as_str());
    if mine { Ok(run) } else { Err(Error::LeaseLost { run: run.id }) }
}
