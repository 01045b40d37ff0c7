//! A worker claims runs from the queue, trains each in a separate process, and stores the results. It may be killed at any
//! moment: its trainers keep running, and the next worker follows them.

mod child;
mod fetch;
mod follow;
mod measure;
mod outcome;
mod supervise;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use graft_core::{Event, ExitCode, Failure, FailureClass, Timestamp, with_causes};
use graft_exec::{Executor, Local, Stop};
use graft_store::{Free, Lease, Run, RunState, RunUpdate, Worker};
use tokio::{runtime::Handle, sync::watch, task::JoinSet};
use tracing::Level;

use super::Runs;
use crate::{
    Engine, Error, Result, alerts::AlertWatch, home, machines::RentalWatch, now, tracking::Sending, upkeep::KEPT_HOURS,
};
use child::Answers;
use supervise::{Spans, Supervisor};

/// How a worker works.
#[derive(Clone, Debug)]
pub struct WorkerOptions {
    /// CPU threads that its runs share; a run that names no number of threads takes them all.
    pub slots: u32,
    /// How long a run stays its own without a sign of life; renewed at a third of it.
    pub lease: Duration,
    /// End when nothing is left to do now.
    pub once: bool,
    /// Priority of trainers, as `nice` counts: 10 leaves the machine to those who serve.
    pub nice: i32,
    /// The `graft` program, which trains and evaluates.
    pub program: PathBuf,
    /// Pause before the first retry after a failure that may pass; the next is four times as long.
    pub backoff: Duration,
    /// Whether it submits what schedules ask for.
    pub schedules: bool,
    /// Whether it answers pending examples while nothing trains.
    pub suggestions: bool,
    /// The only run it works on; it ends with that one.
    pub only: Option<String>,
}

impl WorkerOptions {
    /// The usual ones: all threads but for one that serves, where there are more than two.
    #[must_use]
    pub fn new(program: PathBuf) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from) as u32;
        Self {
            slots: if cores > 2 { cores - 1 } else { cores },
            lease: Duration::from_secs(30),
            once: false,
            nice: 10,
            program,
            backoff: Duration::from_secs(10),
            schedules: true,
            suggestions: true,
            only: None,
        }
    }

    /// Those of a command that works on one run, with all that the machine has.
    #[must_use]
    pub fn only(run: &str, program: PathBuf) -> Self {
        let slots = std::thread::available_parallelism().map_or(1, usize::from) as u32;
        Self { slots, nice: 0, once: true, only: Some(run.to_owned()), ..Self::new(program) }
    }

    fn lease_millis(&self) -> i64 {
        i64::try_from(self.lease.as_millis()).unwrap_or(i64::MAX)
    }
}

/// Hears what a worker does, one line each, and how bad that is.
pub type Say = Arc<dyn Fn(Level, &str) + Send + Sync>;

/// How often the queue is looked at when nothing happens.
const LOOK: Duration = Duration::from_millis(1000);
/// How often the events of a run are shown.
const SHOW: Duration = Duration::from_millis(200);
/// How often the adapters that keep learning are looked after.
const TEND: Duration = Duration::from_secs(1);
/// How often the worker looks for abandoned runs.
const SWEEP: Duration = Duration::from_secs(15 * 60);

/// A worker at work.
struct Shift {
    engine: Engine,
    options: Arc<WorkerOptions>,
    exec: Arc<dyn Executor>,
    stop: watch::Receiver<bool>,
    say: Say,
    /// Runs that are supervised, each ending with what it took.
    running: JoinSet<Taken>,
    used: u32,
    /// GPUs that no run uses; `None` without one.
    gpus: Option<u64>,
    started_at: Timestamp,
    seen: Option<Instant>,
    swept: Option<Instant>,
    /// The newest change when approvals were last counted for schedules.
    seen_by_schedules: i64,
    /// When the live adapters were looked after last, and whether one has something to do soon.
    tended: Option<(Instant, bool)>,
    answering: child::Background,
}

/// What a run takes of its worker.
#[derive(Clone, Copy, Default)]
struct Taken {
    threads: u32,
    gpu: Option<u32>,
}

impl Taken {
    /// Of its GPU.
    fn bit(self) -> u64 {
        self.gpu.and_then(|gpu| 1_u64.checked_shl(gpu)).unwrap_or(0)
    }
}

impl Runs<'_> {
    /// Works until `stop` becomes true, or with `once` until nothing is left to do. Stopped, it lets go of its runs at
    /// once; their trainers live on and belong to whichever worker comes next.
    ///
    /// # Errors
    /// The database cannot be read or written permanently.
    pub async fn work(self, options: WorkerOptions, stop: watch::Receiver<bool>, say: Say) -> Result<()> {
        let engine = if options.only.is_some() { self.engine.clone() } else { self.engine.as_user("worker") };
        let mut shift = Shift {
            exec: Arc::new(engine.runs().local(&options.program)),
            engine,
            options: Arc::new(options),
            stop,
            say,
            running: JoinSet::new(),
            used: 0,
            gpus: (graft_train::gpu_count() > 0).then_some(u64::MAX),
            started_at: now(),
            seen: None,
            swept: None,
            seen_by_schedules: -1,
            tended: None,
            answering: child::Background::default(),
        };
        let rented = match &shift.options.only {
            Some(id) => shift.engine.machines().is_for(id).await?,
            None => true,
        };
        let rentals = rented.then(|| RentalWatch::begin(&shift.engine, &shift.say));
        let is_command = shift.options.once || shift.options.only.is_some();
        let sending = Sending::begin(&shift.engine, is_command, &shift.say);
        // A command that works on one run has a person who sees how it ends.
        let alerts = shift.options.only.is_none().then(|| AlertWatch::begin(&shift.engine, is_command, &shift.say));
        let outcome = shift.work().await;
        shift.answering.end();
        while shift.running.join_next().await.is_some() {}
        sending.end().await;
        if let Some(alerts) = alerts {
            alerts.end().await;
        }
        drop(rentals);
        if let Some(id) = shift.options.only.as_ref().filter(|_| rented)
            && !shift.engine.machines().wait_terminated(id).await?
        {
            let text = format!("run {id}: its machine is not terminated yet; `graft machines sweep` checks again");
            (shift.say)(Level::WARN, &text);
        }
        if shift.options.only.is_none() {
            let _ = shift.engine.store.worker_gone(&shift.engine.me, now() - 24 * 3_600_000).await;
        }
        outcome
    }

    /// Works on a run until it has ended, unless another worker does, and tells its events as they come into the
    /// database; `say` hears the rest. Returns the run as it ended.
    ///
    /// # Errors
    /// The database cannot be read or written permanently; there is no such run. A failed run is not an error here.
    pub async fn supervise(
        self,
        id: &str,
        program: PathBuf,
        tell: &mut (dyn FnMut(&Event) + Send),
        say: Say,
    ) -> Result<Run> {
        let (_go_on, stop) = watch::channel(false);
        let mut seq = self.engine.store.last_event(id).await?.map_or(0, |event| event.seq);
        let mut work = std::pin::pin!(self.work(WorkerOptions::only(id, program), stop, say));
        loop {
            let ended = tokio::select! {
                outcome = &mut work => outcome.map(|()| true)?,
                () = tokio::time::sleep(SHOW) => false,
            };
            loop {
                let events = self.engine.store.run_events(id, seq, 500).await?;
                let Some(newest) = events.last().map(|event| event.seq) else { break };
                events.iter().for_each(&mut *tell);
                seq = newest;
            }
            if ended {
                return Ok(self.engine.store.run(id).await?);
            }
        }
    }
}

fn vanished() -> Failure {
    Failure { class: FailureClass::Lost, ..Failure::new("its worker vanished", ExitCode::Internal) }
}

impl Runs<'_> {
    /// Runs processes on this machine, in this home and in the same name.
    pub(crate) fn local(self, program: &Path) -> Local {
        let env = vec![
            ("GRAFT_HOME".to_owned(), self.engine.home.path().into()),
            ("GRAFT_USER".to_owned(), self.engine.by.clone().into()),
        ];
        Local::new(program.to_owned(), env, self.engine.home.path().join("runs"))
    }

    /// Looks after runs whose follower is gone. If the trainer lives, what it has written is taken in. Otherwise the
    /// run goes back into the queue, or ends, if it may not be tried again or somebody wanted it to end. Returns the
    /// runs whose trainers are gone.
    pub async fn reconcile(self, task: Option<&str>) -> Result<Vec<Run>> {
        self.free_runs_of_the_dead().await?;
        let mut changed = Vec::new();
        for run in self.engine.store.abandoned_runs().await? {
            if task.is_none_or(|task| run.task == task) {
                changed.extend(self.give_back(&run).await?);
            }
        }
        Ok(changed)
    }

    async fn give_back(self, run: &Run) -> Result<Option<Run>> {
        let options = WorkerOptions::only(&run.id, PathBuf::new());
        let (run, lease) = match self.engine.store.take_over(run, &self.engine.me, options.lease_millis()).await {
            Err(graft_store::Error::LeaseHeld { .. } | graft_store::Error::LeaseLost { .. }) => return Ok(None),
            taken => taken?,
        };
        if run.machine.is_some() {
            return self.give_back_elsewhere(&run, &lease).await;
        }
        let is_alive = self.is_alive(&run);
        // What has a result needs no trainer any more: it only waits to be registered.
        let may_go_on = run.attempts < run.max_attempts || self.engine.home.run_dir(&run).result()?.is_some();
        if !is_alive && may_go_on && run.wants.is_none() {
            let at = self.engine.store.now().await?;
            return Ok(Some(self.engine.store.requeue_run(&lease, at, &vanished(), &self.engine.by, now()).await?));
        }
        let supervisor = Supervisor {
            engine: self.engine.clone(),
            exec: Arc::new(self.local(&options.program)),
            options: Arc::new(options),
            stop: watch::channel(false).1,
            say: Arc::new(|_, _| {}),
            lease,
            signals: Arc::default(),
            claimed: false,
            spans: Spans::of(&run),
        };
        if is_alive {
            supervisor.catch_up(&run).await?;
            return Ok(None);
        }
        supervisor.give_up(&run).await?;
        Ok(Some(self.engine.store.run(&run.id).await?))
    }

    /// As [`give_back`](Self::give_back), for a run on another machine. Whether its trainer lives there is for the next
    /// worker to find out: it attaches to one that does.
    async fn give_back_elsewhere(self, run: &Run, lease: &Lease) -> Result<Option<Run>> {
        let at = self.engine.store.now().await?;
        if run.wants.is_none() {
            return Ok(Some(self.engine.store.requeue_run(lease, at, &vanished(), &self.engine.by, now()).await?));
        }
        if let Err(error) = self.stop_process(run, Stop::Now).await {
            tracing::warn!("run {}: its trainer may still be running: failed to {}", run.id, with_causes(&error));
        }
        self.engine.machines().give_back(run).await?;
        let update = RunUpdate {
            state: Some(RunState::Cancelled),
            failure: Some(Failure::new("it was cancelled", ExitCode::Stopped)),
            ..RunUpdate::default()
        };
        Ok(Some(self.engine.store.update_held(lease, &update, &self.engine.by, now()).await?))
    }

    /// Ends the leases of killed processes of this machine, so that no worker waits until they expire.
    async fn free_runs_of_the_dead(self) -> Result<()> {
        for run in self.engine.store.taken_runs().await? {
            let Some(owner) = run.lease_owner.filter(|owner| self.engine.is_gone(owner)) else { continue };
            match self.engine.store.release_lease(&Lease { run: run.id, owner, fence: run.fence }).await {
                Err(graft_store::Error::LeaseLost { .. }) => {}
                released => released?,
            }
        }
        Ok(())
    }
}

impl Shift {
    async fn work(&mut self) -> Result<()> {
        self.engine.runs().free_runs_of_the_dead().await?;
        let mut changes = self.engine.store.watch().await?;
        let mut troubles = 0_u32;
        while !*self.stop.borrow() {
            match self.turn().await {
                Ok(done) if done && self.options.once => return Ok(()),
                Ok(_) => troubles = 0,
                // An unreachable or full database may recover while runs wait; any other error is permanent.
                Err(error) => {
                    troubles += 1;
                    if troubles.is_power_of_two() {
                        (self.say)(Level::ERROR, &format!("failed to {}", with_causes(&error)));
                    }
                    let waits = matches!(&error, Error::Store(trouble) if trouble.is_of_the_database());
                    if (troubles >= 30 && !waits) || (self.options.once && troubles >= 3) {
                        return Err(error);
                    }
                }
            }
            tokio::select! {
                _ = changes.changed() => {}
                _ = self.stop.changed() => {}
                Some(ended) = self.running.join_next() => self.give_back(ended.unwrap_or_default()),
                () = tokio::time::sleep(LOOK) => {}
            }
        }
        Ok(())
    }

    /// Does all there is to do now; says whether nothing was.
    async fn turn(&mut self) -> Result<bool> {
        while let Some(ended) = self.running.try_join_next() {
            self.give_back(ended.unwrap_or_default());
        }
        if let Some(only) = self.options.only.clone() {
            return self.turn_on(&only).await;
        }
        self.show_up().await?;
        if self.options.schedules {
            self.engine.runs().fire_schedules(&mut self.seen_by_schedules, &self.say).await?;
        }
        self.engine.runs().train_left_prompts().await?;
        let learning = self.tend_live().await?;
        self.engine.studies().advance_all(&self.say).await?;
        self.engine.store.cancel_orphans(&self.engine.by, now()).await?;
        for run in self.engine.store.abandoned_runs().await? {
            self.take_over(&run).await?;
        }
        while let Some((run, lease)) = self.claim().await? {
            (self.say)(Level::INFO, &format!("run {} of {}: attempt {}", run.id, run.task, run.attempts));
            self.start_supervisor(run, lease, true);
        }
        if !self.running.is_empty() {
            self.answering.end();
            return Ok(false);
        }
        if self.swept.is_none_or(|at| at.elapsed() >= SWEEP) {
            self.swept = Some(Instant::now());
            let swept = self.engine.upkeep().sweep(KEPT_HOURS).await?;
            swept
                .removed
                .iter()
                .for_each(|path| (self.say)(Level::INFO, &format!("removed {path}, which nothing uses")));
        }
        Ok(!self.answering.is_running() && !self.answer().await? && !learning)
    }

    /// Looks after the adapters that keep learning, from time to time; says whether one has something to do soon.
    async fn tend_live(&mut self) -> Result<bool> {
        match self.tended {
            Some((at, learning)) if at.elapsed() < TEND => Ok(learning),
            _ => {
                let learning = self.engine.live().tend(&self.say).await?;
                self.tended = Some((Instant::now(), learning));
                Ok(learning)
            }
        }
    }

    /// Sees to the only run that is meant; says whether it has ended.
    async fn turn_on(&mut self, id: &str) -> Result<bool> {
        let run = self.engine.store.run(id).await?;
        if !self.running.is_empty() {
            return Ok(false);
        }
        if let Some((run, lease)) = self.claim().await? {
            self.start_supervisor(run, lease, true);
        } else if run.state.is_active() && (run.state != RunState::Queued || run.lease_owner.is_some()) {
            self.take_over(&run).await?;
        }
        Ok(!run.state.is_active())
    }

    /// Answers parts of batches or, if none waits, a few pending examples of one task; says whether there were any.
    async fn answer(&mut self) -> Result<bool> {
        let suggestions = |task: &str| Answers::Suggestions(task.to_owned());
        let answers = if !self.answering.is_paused(&Answers::Batches) && self.engine.batches().is_waiting().await? {
            Answers::Batches
        } else if self.options.suggestions {
            let is_paused = |task: &str| self.answering.is_paused(&suggestions(task));
            let task = self.engine.evaluations().task_to_suggest(is_paused).await?;
            let Some(task) = task else { return Ok(false) };
            suggestions(&task)
        } else {
            return Ok(false);
        };
        self.answering.begin(&self.engine, &self.options, answers)?;
        Ok(true)
    }

    /// Records that this worker is running.
    async fn show_up(&mut self) -> Result<()> {
        if self.seen.is_some_and(|at| at.elapsed() < self.options.lease / 3) {
            return Ok(());
        }
        let worker = Worker {
            id: self.engine.me.to_string(),
            host: home::host(),
            pid: std::process::id(),
            slots: self.options.slots,
            graft: env!("CARGO_PKG_VERSION").to_owned(),
            started_at: self.started_at,
            seen_at: self.engine.store.now().await?,
        };
        self.engine.store.worker_seen(&worker).await?;
        self.seen = Some(Instant::now());
        Ok(())
    }

    fn give_back(&mut self, taken: Taken) {
        self.used -= taken.threads.min(self.used);
        self.gpus = self.gpus.map(|free| free | taken.bit());
    }

    async fn claim(&self) -> Result<Option<(Run, Lease)>> {
        let threads = self.options.slots.saturating_sub(self.used);
        let free = Free { threads, idle: self.running.is_empty(), gpus: self.gpus };
        let store = &self.engine.store;
        let only = self.options.only.as_deref();
        Ok(store.claim_run(&self.engine.me, self.options.lease_millis(), free, only, &self.engine.by).await?)
    }

    /// Goes on with a run whose worker is gone.
    async fn take_over(&mut self, run: &Run) -> Result<()> {
        let idle = self.running.is_empty();
        let fits = idle
            || run.machine.is_some()
            || run.threads.is_some_and(|threads| threads + self.used <= self.options.slots);
        // A running trainer already uses its threads.
        if !fits && !self.engine.runs().is_alive(run) {
            return Ok(());
        }
        match self.engine.store.take_over(run, &self.engine.me, self.options.lease_millis()).await {
            Err(graft_store::Error::LeaseHeld { .. } | graft_store::Error::LeaseLost { .. }) => Ok(()),
            Err(error) => Err(error.into()),
            Ok((run, lease)) => {
                (self.say)(Level::WARN, &format!("run {} of {}: taken over", run.id, run.task));
                self.start_supervisor(run, lease, false);
                Ok(())
            }
        }
    }

    fn start_supervisor(&mut self, run: Run, lease: Lease, claimed: bool) {
        let threads = run.threads.unwrap_or(self.options.slots).min(self.options.slots);
        let taken = match &run.machine {
            None => Taken { threads, gpu: run.gpu(self.gpus.is_some()) },
            // It takes nothing here but, at the end, what measuring its version takes.
            Some(_) => Taken::default(),
        };
        let threads = taken.threads;
        self.used += threads;
        self.gpus = self.gpus.map(|free| free & !taken.bit());
        let supervisor = Supervisor {
            engine: self.engine.clone(),
            options: Arc::clone(&self.options),
            exec: Arc::clone(&self.exec),
            stop: self.stop.clone(),
            say: Arc::clone(&self.say),
            lease,
            signals: Arc::default(),
            claimed,
            spans: Spans::of(&run),
        };
        // It reads and writes the run's directory, whose disk may hang: nothing else of this process waits for that.
        let handle = Handle::current();
        self.running.spawn_blocking(move || {
            handle.block_on(supervisor.supervise(run));
            taken
        });
    }
}
