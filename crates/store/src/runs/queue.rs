//! The queue: a worker holds a run by a lease in the run's row, and may write about the run only while the lease is its
//! own.

use graft_core::{Dataset, Failure, Timestamp, TrainSpec};
use serde::Serialize;
use serde_json::{Value, json};
use sqlx::any::AnyExecutor;
use utoipa::ToSchema;

use super::{
    Fresh, NewRun, PendingRequest, Priority, Run, RunState, RunUpdate, add, change, find, find_requested, select_runs,
    write,
};
use crate::changes::{Actor, Entry, record};
use crate::clock::{self, Reading};
use crate::database::Tx;
use crate::datasets;
use crate::schedules::{Due, advance};
use crate::scope::Scope;
use crate::versions::{NewVersion, Version, register};
use crate::{Action, Error, Kind, Store, statement};

/// Options of a queued run beside its spec.
#[derive(Clone, Copy, Debug)]
pub struct Submission<'a> {
    /// Priority in the queue.
    pub priority: Priority,
    /// The run that must succeed first.
    pub after: Option<&'a str>,
    /// Whether to activate its version if it is not worse than the active one.
    pub activate: bool,
    /// The name for its version.
    pub version: Option<&'a str>,
    /// Maximum number of trainers that are started for it.
    pub max_attempts: u32,
    /// The request.
    pub request: &'a Value,
    /// The occurrence of a schedule that this run is for. Only one submission per occurrence succeeds.
    pub due: Option<Due<'a>>,
    /// Revision of the task when it was prepared.
    pub task_revision: Option<i64>,
    /// Idempotency key: submitting again with the same key returns the same run.
    pub key: Option<&'a str>,
    /// The machine that executes it; the worker's own if absent.
    pub machine: Option<&'a str>,
}

/// The right to write about a run, until another process takes it over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// The run.
    pub run: String,
    /// The process that holds it.
    pub owner: String,
    /// The run's fence when the lease was taken.
    pub fence: i64,
}

/// Free capacity of a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Free {
    /// CPU threads that none of its runs uses.
    pub threads: u32,
    /// Whether it has no run, so that even a run that uses all threads fits.
    pub idle: bool,
    /// Free GPUs as a bit mask; `None` if the machine has none.
    pub gpus: Option<u64>,
}

impl Free {
    /// Whether a run fits now. Two runs never share a GPU, because their memory predictions assume the whole device.
    fn fits(&self, run: &Run) -> bool {
        if run.machine.is_some() {
            // It uses nothing of this worker. Its machine has a free slot, otherwise the query would not have chosen
            // it.
            return true;
        }
        let threads = self.idle || run.threads.is_some_and(|threads| threads <= self.threads);
        let gpu = self.gpus.zip(run.gpu(self.gpus.is_some()));
        threads && gpu.is_none_or(|(free, gpu)| free.checked_shr(gpu).is_none_or(|bits| bits & 1 == 1))
    }
}

/// A run with the process that holds it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = LeaseView)]
pub struct Held {
    /// The run.
    pub run: String,
    /// Its task.
    pub task: String,
    /// The process.
    pub owner: String,
    /// Milliseconds until its lease ends, unless the process renews it.
    pub left_ms: i64,
}

impl Store {
    /// Queues a run and saves its dataset, whose split becomes permanent, in one transaction. If the key already has a
    /// run, that run is returned.
    ///
    /// # Errors
    /// As [`add_run`](Self::add_run) and [`save_dataset`](Self::save_dataset); [`Error::NoRun`] for an unknown
    /// predecessor; [`Error::ScheduleMoved`] if another process submitted this occurrence of the schedule.
    pub async fn submit_run(
        &self,
        new: NewRun<'_>,
        order: &Submission<'_>,
        dataset: &Dataset,
        by: &str,
        at: Timestamp,
    ) -> Result<Run, Error> {
        let mut tx = self.begin_in(Scope::Queue).await?;
        let added = submit(&mut tx, new, order, dataset, Actor { by, at }).await?;
        tx.commit().await?;
        Ok(added)
    }

    /// The run of the request with this key.
    pub async fn requested_run(&self, key: Option<&str>) -> Result<Option<Run>, Error> {
        find_requested(&self.read, key).await
    }

    /// Claims the next run: of those that may start, the first by priority, then by age. If that run needs more threads
    /// or another GPU than are free, nothing is claimed, so that small runs can't starve it. A run for another machine
    /// only needs a slot there. With `only`, no other run is claimed.
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
        let mut tx = self.begin_in(Scope::Claims).await?;
        let at: Timestamp = sqlx::query_scalar(clock::time(self.dialect)).fetch_one(&mut *tx).await?;
        let mut next = loop {
            let mut next = None;
            for place in [HERE, ELSEWHERE] {
                next = choose(&mut *tx, at, only, place).await?.filter(|next| free.fits(next));
                if next.is_some() {
                    break;
                }
            }
            let Some(next) = next else { return Ok(None) };
            // Whoever is writing about it comes first; somebody may be cancelling it.
            tx.also(Scope::Run(&next.id)).await?;
            if let Some(next) = choose(&mut *tx, at, Some(&next.id), ANYWHERE).await? {
                break next;
            }
        };
        self.hold(&mut tx, &mut next, owner, millis).await?;
        let update = RunUpdate { state: Some(RunState::Starting), attempt: true, ..RunUpdate::default() };
        let taken = change(&mut tx, next, &update, Actor { by, at }).await?;
        tx.commit().await?;
        Ok(Some(leased(taken, owner)))
    }

    /// The next run of the queue, if any may start.
    pub async fn next_run(&self) -> Result<Option<Run>, Error> {
        self.next_of(None).await
    }

    async fn next_of(&self, only: Option<&str>) -> Result<Option<Run>, Error> {
        let at = self.now().await?;
        choose(&self.read, at, only, ANYWHERE).await
    }

    /// Takes over a run whose lease has expired or that has no holder. From then on the former holder can't write.
    ///
    /// # Errors
    /// [`Error::LeaseHeld`] while another process holds it; [`Error::LeaseLost`] if it got another holder or ended
    /// since `seen`.
    pub async fn take_over(&self, seen: &Run, owner: &str, millis: i64) -> Result<(Run, Lease), Error> {
        let mut tx = self.begin_in(Scope::Run(&seen.id)).await?;
        let now = clock::read(&mut tx, self.dialect).await?;
        let found = find(&mut *tx, &seen.id).await?.ok_or_else(|| Error::NoRun(seen.id.clone()))?;
        if found.fence != seen.fence || !found.state.is_active() {
            return Err(Error::LeaseLost { run: found.id });
        }
        if found.is_held(&now) && found.lease_owner.as_deref() != Some(owner) {
            return Err(Error::LeaseHeld { run: found.id, owner: found.lease_owner.unwrap_or_default() });
        }
        let mut taken = found;
        self.hold(&mut tx, &mut taken, owner, millis).await?;
        write(&mut tx, &taken).await?;
        tx.commit().await?;
        Ok(leased(taken, owner))
    }

    /// Runs that are queued, starting or running, oldest first.
    pub async fn active_runs(&self) -> Result<Vec<Run>, Error> {
        statement::all(&self.read, select_runs!("where state in ('queued', 'starting', 'running') order by seq"), ())
            .await
    }

    /// Active runs that have left the queue or have a holder, oldest first: all but those that wait.
    pub async fn taken_runs(&self) -> Result<Vec<Run>, Error> {
        statement::all(
            &self.read,
            select_runs!(
                "where state in ('starting', 'running') or (state = 'queued' and lease_owner is not null) order by seq"
            ),
            (),
        )
        .await
    }

    /// Queued runs that wait for the study that chooses their settings.
    pub async fn searched_runs(&self) -> Result<Vec<Run>, Error> {
        statement::all(&self.read, select_runs!("where state = 'queued' and phase = 'search' order by seq"), ()).await
    }

    /// Active runs whose lease has expired, or that have left the queue and have no holder.
    pub async fn abandoned_runs(&self) -> Result<Vec<Run>, Error> {
        let runs = self.taken_runs().await?;
        let now = clock::read(&mut *self.read.acquire().await?, self.dialect).await?;
        Ok(runs.into_iter().filter(|run| !run.is_held(&now)).collect())
    }

    /// All held runs, with their holder and the remaining time of the lease.
    pub async fn held_runs(&self) -> Result<Vec<Held>, Error> {
        let runs = self.taken_runs().await?;
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

    /// Whether a process holds the run now.
    pub async fn is_held(&self, run: &Run) -> Result<bool, Error> {
        let now = clock::read(&mut *self.read.acquire().await?, self.dialect).await?;
        Ok(run.is_held(&now))
    }

    /// Extends a lease by `millis` from now and returns the current run, including pending requests of people.
    ///
    /// # Errors
    /// [`Error::LeaseLost`] if another process took the run over.
    pub async fn renew_lease(&self, lease: &Lease, millis: i64) -> Result<Run, Error> {
        let mut tx = self.begin_in(Scope::Run(&lease.run)).await?;
        let mut run = owned(&mut tx, lease).await?;
        let now = clock::read(&mut tx, self.dialect).await?;
        run.lease = Some((now.clock, now.at.saturating_add(millis)));
        write(&mut tx, &run).await?;
        tx.commit().await?;
        Ok(run)
    }

    /// Releases a run at once, whatever its state, so that the next worker need not wait until the lease expires.
    ///
    /// # Errors
    /// [`Error::LeaseLost`] if another process took the run over.
    pub async fn release_lease(&self, lease: &Lease) -> Result<(), Error> {
        let mut tx = self.begin_in(Scope::Run(&lease.run)).await?;
        let mut run = owned(&mut tx, lease).await?;
        run.lease = run.lease.map(|(clock, _)| (clock, i64::MIN));
        write(&mut tx, &run).await?;
        tx.commit().await
    }

    /// Like [`update_run`](Self::update_run), for the holder of the run.
    ///
    /// # Errors
    /// [`Error::LeaseLost`] if another process took the run over; [`Error::RunState`].
    pub async fn update_held(&self, lease: &Lease, update: &RunUpdate, by: &str, at: Timestamp) -> Result<Run, Error> {
        let mut tx = self.begin_in(Scope::Run(&lease.run)).await?;
        let run = owned(&mut tx, lease).await?;
        let run = change(&mut tx, run, update, Actor { by, at }).await?;
        tx.commit().await?;
        Ok(run)
    }

    /// Replaces the spec of a held run, whose base model's digest is known now.
    ///
    /// # Errors
    /// [`Error::LeaseLost`] if another process took the run over.
    pub async fn settle_base(&self, lease: &Lease, spec: &TrainSpec, by: &str, at: Timestamp) -> Result<Run, Error> {
        let mut tx = self.begin_in(Scope::Run(&lease.run)).await?;
        let run = owned(&mut tx, lease).await?;
        tx.execute("update runs set spec = $2 where id = $1", (&run.id, json!(spec).to_string())).await?;
        let entry = Entry { action: Action::Set, kind: Kind::Run, task: &run.task, subject: &run.id };
        let (before, after) = (json!({"base": run.spec["base"]}), json!({"base": spec.base}));
        record(&mut tx, entry, Actor { by, at }, Some(&before), Some(&after)).await?;
        let run = find(&mut *tx, &run.id).await?.ok_or(Error::NoRun(run.id))?;
        tx.commit().await?;
        Ok(run)
    }

    /// Puts a held run back into the queue, with an earliest start time and the failure as the reason.
    ///
    /// # Errors
    /// [`Error::LeaseLost`] if another process took the run over.
    pub async fn requeue_run(
        &self,
        lease: &Lease,
        not_before: Timestamp,
        reason: &Failure,
        by: &str,
        at: Timestamp,
    ) -> Result<Run, Error> {
        let mut tx = self.begin_in(Scope::Run(&lease.run)).await?;
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

    /// Registers a version of a held run. A worker that lost the run can't register one.
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

    /// Cancels a run. A queued run ends at once; for a held one, the holder is asked to stop it.
    ///
    /// # Errors
    /// [`Error::NoRun`]; [`Error::RunState`] if it has ended.
    pub async fn cancel_run(&self, id: &str, by: &str, at: Timestamp) -> Result<Run, Error> {
        let actor = Actor { by, at };
        let mut tx = self.begin_in(Scope::Run(id)).await?;
        let now = clock::read(&mut tx, self.dialect).await?;
        let mut run = find(&mut *tx, id).await?.ok_or_else(|| Error::NoRun(id.to_owned()))?;
        if !run.state.is_active() {
            let to = RunState::Cancelled.name();
            return Err(Error::RunState { run: run.id, from: run.state.name(), to });
        }
        if run.state == RunState::Queued && !run.is_held(&now) {
            let update = RunUpdate { state: Some(RunState::Cancelled), ..RunUpdate::default() };
            run = change(&mut tx, run, &update, actor).await?;
        } else if run.wants != Some(PendingRequest::Cancel) {
            run.wants = Some(PendingRequest::Cancel);
            write(&mut tx, &run).await?;
            let entry = Entry { action: Action::Set, kind: Kind::Run, task: &run.task, subject: id };
            record(&mut tx, entry, actor, Some(&json!({"wants": null})), Some(&json!({"wants": "cancel"}))).await?;
        }
        tx.commit().await?;
        Ok(run)
    }

    /// Makes a process the holder of a run that is not written yet.
    async fn hold(&self, tx: &mut Tx<'_>, run: &mut Run, owner: &str, millis: i64) -> Result<(), Error> {
        let now = clock::read(tx, self.dialect).await?;
        run.fence += 1;
        run.lease_owner = Some(owner.to_owned());
        run.lease = Some((now.clock, now.at.saturating_add(millis)));
        Ok(())
    }
}

/// Adds a run to the queue in the transaction of its caller.
pub(crate) async fn submit(
    tx: &mut Tx<'_>,
    new: NewRun<'_>,
    order: &Submission<'_>,
    dataset: &Dataset,
    actor: Actor<'_>,
) -> Result<Run, Error> {
    if let Some(made) = find_requested(&mut **tx, order.key).await? {
        return Ok(made);
    }
    if let Some(after) = order.after {
        find(&mut **tx, after).await?.ok_or_else(|| Error::NoRun(after.to_owned()))?;
    }
    let added = add(tx, Fresh::training(new), actor).await?;
    if let Some(due) = order.due {
        advance(tx, due, Some(&added.id), None, actor.at).await?;
    }
    datasets::save(tx, new.task, dataset, actor).await?;
    tx.execute(
        "update runs set priority = $2, after_run = $3, activate = $4, version = $5, max_attempts = $6,
                request = $7, train_samples = $8, eval_samples = $9, request_key = $10, machine = $11,
                task_revision = $12
         where id = $1",
        (
            &added.id,
            order.priority as i64,
            order.after,
            order.activate,
            order.version,
            order.max_attempts.max(1),
            order.request.to_string(),
            dataset.train.len() as u64,
            dataset.eval.len() as u64,
            order.key,
            order.machine,
            order.task_revision,
        ),
    )
    .await?;
    find(&mut **tx, &added.id).await?.ok_or(Error::NoRun(added.id))
}

/// Values of `$2`: runs on the worker's own machine, on others, or both.
const HERE: i64 = 0;
const ELSEWHERE: i64 = 1;
const ANYWHERE: i64 = 2;

/// Longest that a run waits before it is tried again. A time that is further ahead is of a clock that was ahead.
pub const LONGEST_WAIT: Timestamp = 24 * 3_600_000;

/// The condition under which a queued run `q` may start: `$1` is the database's time, `$2` where it executes. A machine that
/// was removed counts as having one slot, so that its runs are claimed and fail with a clear error.
macro_rules! may_start {
    () => {
        "q.state = 'queued' and q.lease_owner is null
         and (q.phase is null or q.phase <> 'search')
         and (q.not_before is null or q.not_before <= $1 or q.not_before > $1 + 86400000)
         and (q.after_run is null or exists
              (select 1 from runs a where a.id = q.after_run and a.state = 'succeeded'))
         and ($2 = 2 or ($2 = 0 and q.machine is null) or ($2 = 1 and q.machine is not null))
         and (q.machine is null
              or (select count(*) from runs b where b.machine = q.machine and b.state in ('starting', 'running'))
                 < coalesce((select slots from machines m where m.name = q.machine), 1))"
    };
}

/// The oldest run of a priority that may start. The index `runs_waiting` has them in this order, so that a long queue takes
/// no longer.
macro_rules! oldest {
    ($priority:literal) => {
        concat!(
            "(select q.seq from runs q where q.priority = ",
            $priority,
            " and ",
            may_start!(),
            " order by q.seq limit 1)"
        )
    };
}

/// The run to claim, of all or of one.
async fn choose(on: impl AnyExecutor<'_>, at: Timestamp, only: Option<&str>, place: i64) -> Result<Option<Run>, Error> {
    const NEXT: &str =
        concat!(select_runs!("where seq = coalesce("), oldest!("2"), ", ", oldest!("1"), ", ", oldest!("0"), ")");
    const ONLY: &str =
        concat!(select_runs!("where seq = "), "(select q.seq from runs q where q.id = $3 and ", may_start!(), ")");
    let query = match only {
        None => sqlx::query_as(NEXT).bind(at).bind(place),
        Some(only) => sqlx::query_as(ONLY).bind(at).bind(place).bind(only.to_owned()),
    };
    Ok(query.fetch_optional(on).await?)
}

impl Run {
    /// Whether the lease is valid at this reading. Leases measured by a clock that no longer exists have expired.
    pub(super) fn is_held(&self, now: &Reading) -> bool {
        self.lease.as_ref().is_some_and(|(clock, until)| *clock == now.clock && *until > now.at)
    }
}

fn leased(run: Run, owner: &str) -> (Run, Lease) {
    let lease = Lease { run: run.id.clone(), owner: owner.to_owned(), fence: run.fence };
    (run, lease)
}

/// The run of a lease, if the lease is still the newest one.
pub(crate) async fn owned(tx: &mut Tx<'_>, lease: &Lease) -> Result<Run, Error> {
    let run = find(&mut **tx, &lease.run).await?.ok_or_else(|| Error::NoRun(lease.run.clone()))?;
    let mine = run.fence == lease.fence && run.lease_owner.as_deref() == Some(lease.owner.as_str());
    if mine { Ok(run) } else { Err(Error::LeaseLost { run: run.id }) }
}
