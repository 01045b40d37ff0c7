//! Continuous learning: approvals become windows, windows become snapshots, and each snapshot is a run of the queue that
//! starts from the previous one.

mod buffer;

use std::collections::{BTreeMap, BTreeSet};

use graft_core::{ExampleId, Schedule};
use graft_store::{
    ExampleFilter, LiveAdapter, LiveSettings, LiveSnapshot, LiveState, Method, ReviewFilter, RolloutPolicy, RunState,
    SnapshotExamples, SnapshotState, Stage, Version, WindowCounts,
};
use graft_tasks::score::{Verdict, compare};
use serde::Serialize;
use tracing::Level;
use utoipa::ToSchema;

use super::{RunRequest, Say, Settings};
use crate::{Engine, Error, Result, evaluations::SEED, files::read_folder, now, versions::Evaluation};

/// Lines of the audit trail that are taken in at once.
const BATCH: u32 = 1000;
/// Snapshots that are listed.
const LISTED: u32 = 50;
/// Steps of a snapshot, at least: fewer learn nothing.
const LEAST_STEPS: usize = 8;
/// Held-out examples whose loss is measured at the end of a snapshot's training.
const LOSS_EXAMPLES: usize = 16;
/// Share of a snapshot's steps that are spent warming up.
const WARMUP: f64 = 0.2;

/// The live adapters of all tasks.
#[derive(Clone, Copy, Debug)]
pub struct Live<'e> {
    pub(crate) engine: &'e Engine,
}

/// A live adapter with all details.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct LiveStatus {
    /// The adapter; absent where the task has none.
    #[schema(required = true)]
    pub live: Option<LiveAdapter>,
    /// Its windows.
    pub windows: WindowCounts,
    /// Its snapshots, newest first.
    pub snapshots: Vec<LiveSnapshot>,
    /// What happens next, in a sentence.
    pub next: String,
}

impl Live<'_> {
    /// Begins to learn from approvals, starting from a version (the active one, where none is named).
    ///
    /// # Errors
    /// There is no such version; it has no adapter, no known dataset, or was not measured on held-out examples; a setting is
    /// out of range.
    pub async fn start(self, task: &str, from: Option<&str>, settings: &LiveSettings) -> Result<LiveAdapter> {
        check(settings)?;
        let version = self.engine.versions().adapter(task, from).await?.version;
        let Some(version) = version else { return Err(Error::NoActive { task: task.to_owned() }) };
        let refused = |what: &str| Error::StartFrom { version: version.name.clone(), what: what.to_owned() };
        if version.method != Method::Adapter {
            return Err(refused("it answers without an adapter"));
        }
        let Some(frozen) = version.dataset.clone() else {
            return Err(refused("its training data is unknown"));
        };
        if Evaluation::of(&version).is_none_or(|measured| measured.adapter.n == 0) {
            return Err(refused("it was not evaluated on held-out examples, which are needed to measure forgetting"));
        }
        let (store, by) = (&self.engine.store, &self.engine.by);
        Ok(store.start_live((task, &version.name), &frozen, settings, by, now()).await?)
    }

    /// Keeps windows from now on, and learns from none.
    ///
    /// # Errors
    /// The task has no live adapter.
    pub async fn pause(self, task: &str) -> Result<LiveAdapter> {
        Ok(self.engine.store.set_live(task, LiveState::Paused, None, &self.engine.by, now()).await?)
    }

    /// Learns again, from the windows that were kept, too.
    ///
    /// # Errors
    /// The task has no live adapter.
    pub async fn resume(self, task: &str) -> Result<LiveAdapter> {
        Ok(self.engine.store.set_live(task, LiveState::Running, None, &self.engine.by, now()).await?)
    }

    /// Goes back to an earlier version, the parent of the newest accepted snapshot where none is named. The windows after it
    /// are used and not learned again.
    ///
    /// # Errors
    /// The task has no live adapter; no snapshot was accepted.
    pub async fn rewind(self, task: &str, to: Option<&str>) -> Result<LiveAdapter> {
        let store = &self.engine.store;
        let to = match to {
            Some(name) => name.to_owned(),
            None => {
                let live = store.live(task).await?.ok_or_else(|| graft_store::Error::NoLive(task.to_owned()))?;
                let all = store.snapshots(task, LISTED).await?;
                let is_head = |one: &&LiveSnapshot| one.version.as_ref() == Some(&live.head);
                let head = all.iter().find(is_head).map(|one| one.parent.clone());
                head.ok_or_else(|| graft_store::Error::NothingBefore { task: task.to_owned() })?
            }
        };
        Ok(store.rewind_live(task, &to, &self.engine.by, now()).await?)
    }

    /// What is known of a task's live adapter.
    ///
    /// # Errors
    /// Store errors.
    pub async fn status(self, task: &str) -> Result<LiveStatus> {
        let store = &self.engine.store;
        let live = store.live(task).await?;
        let windows = store.window_counts(task).await?;
        let snapshots = store.snapshots(task, LISTED).await?;
        let next = next(live.as_ref(), &windows, &snapshots, now());
        Ok(LiveStatus { live, windows, snapshots, next })
    }

    /// Does what there is to do for every live adapter. Safe to call at any time by any number of workers: each step is one
    /// transaction that finds out what was done before.
    ///
    /// Says whether there is something to do soon: windows that are put in order, or a snapshot.
    pub(crate) async fn tend(self, say: &Say) -> Result<bool> {
        let mut busy = false;
        for live in self.engine.store.live_adapters().await? {
            let engine = self.engine.as_user(format!("live {}", live.task));
            let done = Live { engine: &engine }.turn(&live).await;
            match done {
                Ok((said, more)) => {
                    said.iter().for_each(|said| say(Level::INFO, &format!("live {}: {said}", live.task)));
                    busy |= more;
                }
                Err(Error::Store(error)) if error.is_of_the_database() => return Err(error.into()),
                Err(error) if live.state == LiveState::Running => {
                    let why = format!("failed to {}", graft_core::with_causes(&error));
                    say(Level::WARN, &format!("live {}: {why}; it is paused", live.task));
                    engine.store.set_live(&live.task, LiveState::Paused, Some(&why), &engine.by, now()).await?;
                }
                Err(error) => say(Level::WARN, &format!("live {}: failed to {error}", live.task)),
            }
        }
        Ok(busy)
    }

    /// What was done, and whether there is more to do soon.
    async fn turn(self, live: &LiveAdapter) -> Result<(Option<String>, bool)> {
        let said = self.step(live).await?;
        let is_running = live.state == LiveState::Running;
        let training = self.engine.store.snapshots(&live.task, 1).await?.pop();
        let is_training = training.is_some_and(|one| one.state == SnapshotState::Training);
        let counts = self.engine.store.window_counts(&live.task).await?;
        Ok((said, is_running && (is_training || counts.buffered > 0 || is_due(live, &counts, now()))))
    }

    async fn step(self, live: &LiveAdapter) -> Result<Option<String>> {
        let (store, task, at) = (&self.engine.store, live.task.as_str(), now());
        if store.newest_change().await? > live.cursor {
            while store.take_windows(task, BATCH, at).await?.1 {}
        }
        let counts = store.window_counts(task).await?;
        if counts.buffered > 0 {
            let released = buffer::release(&store.buffered_windows(task).await?, counts.newest, at);
            store.release_windows(task, &released).await?;
        }
        let newest = store.snapshots(task, 1).await?.pop();
        if let Some(training) = newest.filter(|one| one.state == SnapshotState::Training) {
            return match &training.run {
                None if live.state == LiveState::Running => self.submit(live, &training).await,
                None => Ok(None),
                Some(run) => self.finish(live, &training, run).await,
            };
        }
        if live.state != LiveState::Running {
            return Ok(None);
        }
        if !is_due(live, &store.window_counts(task).await?, at) {
            return Ok(None);
        }
        let Some(planned) = store.plan_snapshot(task, live.settings.windows, at).await? else { return Ok(None) };
        self.submit(live, &planned).await
    }

    /// Queues the training of a snapshot once: every process uses the same idempotency key.
    async fn submit(self, live: &LiveAdapter, snapshot: &LiveSnapshot) -> Result<Option<String>> {
        let task = live.task.as_str();
        let key = format!("live {task} {} {}", live.created_at, snapshot.seq);
        if self.engine.store.requested_run(Some(&key)).await?.is_none()
            && self.engine.store.active_run(task).await?.is_some()
        {
            // Another training of the task; it is this one's turn later.
            return Ok(None);
        }
        let mut request = RunRequest {
            init_from: Some(snapshot.parent.clone()),
            replay: Some(live.settings.replay),
            eval_share: Some(live.settings.eval_share),
            ..RunRequest::new(task)
        };
        let known = self.known(live, snapshot).await?;
        let learned = self.learned(&request, &known).await?;
        request.settings = settings(live, learned);
        let windows = snapshot.last - snapshot.first + 1;
        let run = self.engine.runs().submit_of(&request, Some(&known), Some(&key)).await?;
        self.engine.store.snapshot_run(snapshot, &run.id, learned).await?;
        Ok(Some(format!("snapshot {} of {windows} windows is trained by run {}", snapshot.seq, run.id)))
    }

    /// The approved examples without those that are windows of later snapshots, so that a snapshot depends on its windows and
    /// not on the moment of its training; and without those of refused and rewound snapshots.
    async fn known(self, live: &LiveAdapter, snapshot: &LiveSnapshot) -> Result<BTreeSet<ExampleId>> {
        let (store, task) = (&self.engine.store, live.task.as_str());
        let filter = ExampleFilter {
            task: Some(task.to_owned()),
            review: Some(ReviewFilter::Approved),
            ..ExampleFilter::default()
        };
        let approved = store.examples(&filter).await?;
        // Read after the examples, so that each of them that has a window is among the windows.
        while store.take_windows(task, BATCH, now()).await?.1 {}
        let withheld = store.withheld_examples(task, snapshot.last).await?;
        Ok(approved.into_iter().map(|example| example.id).filter(|id| !withheld.contains(id)).collect())
    }

    /// How many examples a snapshot learns.
    async fn learned(self, request: &RunRequest, known: &BTreeSet<ExampleId>) -> Result<SnapshotExamples> {
        let prepared = self.engine.examples().prepare(&request.task, request.rule(), Some(known)).await?;
        let start = self.engine.runs().warm_start(request, &prepared.dataset).await?;
        let learned = start.map(|start| start.learned).unwrap_or_default();
        Ok(SnapshotExamples {
            new: learned.new as u64,
            replayed: learned.replayed as u64,
            corrected: learned.corrected as u64,
        })
    }

    /// Looks at the run of a snapshot, and decides about its version.
    async fn finish(self, live: &LiveAdapter, snapshot: &LiveSnapshot, run: &str) -> Result<Option<String>> {
        let store = &self.engine.store;
        let (run, mut ended) = (store.run(run).await, snapshot.clone());
        let run = match run {
            Err(graft_store::Error::NoRun(_)) => None,
            run => Some(run?),
        };
        if run.as_ref().is_some_and(|run| run.state.is_active()) {
            return Ok(None);
        }
        let version = match &run {
            Some(run) if run.state == RunState::Succeeded => self.engine.versions().of_run(run).await?,
            _ => None,
        };
        match version {
            None => {
                ended.state = SnapshotState::Failed;
                ended.why = Some(run.map_or("its run was deleted".into(), |run| {
                    format!("run {} ended as {}", run.id, run.state.name())
                }));
            }
            Some(version) => self.judge(live, &mut ended, &version).await?,
        }
        store.end_snapshot(&ended, &self.engine.by, now()).await?;
        if ended.state == SnapshotState::Failed {
            let why = ended.why.clone().unwrap_or_default();
            store.set_live(&live.task, LiveState::Paused, Some(&why), &self.engine.by, now()).await?;
        }
        if ended.state == SnapshotState::Accepted {
            self.roll_out(live, &ended).await?;
        }
        self.retire(live).await?;
        let why = ended.why.map(|why| format!(": {why}")).unwrap_or_default();
        Ok(Some(format!("snapshot {} is {}{why}", ended.seq, ended.state.name())))
    }

    /// Compares a snapshot with its parent: what it forgot of the frozen examples, and how it does on all that are held out.
    async fn judge(self, live: &LiveAdapter, ended: &mut LiveSnapshot, version: &Version) -> Result<()> {
        ended.version = Some(version.name.clone());
        ended.bytes = read_folder(&self.engine.home.resolve(&version.adapter_dir))
            .ok()
            .map(|files| files.iter().map(|(_, bytes)| bytes.len() as u64).sum());
        let parent = self.engine.store.version(&live.task, &ended.parent).await?;
        ended.before = self.on_frozen(live, &parent).await?;
        ended.after = self.on_frozen(live, version).await?;
        ended.state = SnapshotState::Accepted;
        let (Some(before), Some(after)) = (ended.before, ended.after) else {
            ended.state = SnapshotState::Refused;
            ended.why = Some("it was not evaluated on the frozen examples".into());
            return Ok(());
        };
        if before - after > live.settings.forgetting {
            ended.state = SnapshotState::Refused;
            ended.why = Some(format!(
                "it forgot: {:.1} % of the frozen examples are correct, {:.1} % before",
                100.0 * after,
                100.0 * before
            ));
            return Ok(());
        }
        let both = Evaluation::of(version).zip(Evaluation::of(&parent));
        if let Some((new, old)) = both.filter(|(new, old)| new.adapter.truth == old.adapter.truth) {
            let found = compare(&new.adapter, &old.adapter, SEED)?;
            if found.verdict == Verdict::Worse {
                ended.state = SnapshotState::Refused;
                ended.why = Some(format!("it is worse: {} {:.3} against {:.3}", found.metric, found.new, found.old));
            }
        }
        Ok(())
    }

    /// How right a version is on the examples that were held out when the live adapter began.
    async fn on_frozen(self, live: &LiveAdapter, version: &Version) -> Result<Option<f64>> {
        let Some(evaluation) = Evaluation::of(version) else { return Ok(None) };
        let frozen = self.engine.store.dataset(&live.task, &live.frozen).await?;
        let measured = self.engine.store.dataset(&live.task, &evaluation.dataset).await?;
        let scores = measured.eval.iter().map(|example| example.id.as_str()).zip(&evaluation.adapter.per_example);
        let scores: BTreeMap<&str, f64> = scores.map(|(id, score)| (id, *score)).collect();
        let known: Vec<f64> =
            frozen.eval.iter().filter_map(|example| scores.get(example.id.as_str()).copied()).collect();
        Ok((!known.is_empty()).then(|| known.iter().sum::<f64>() / known.len() as f64))
    }

    /// Begins a roll-out of an accepted snapshot, unless the task has one.
    async fn roll_out(self, live: &LiveAdapter, ended: &LiveSnapshot) -> Result<()> {
        let (task, Some(version)) = (live.task.as_str(), &ended.version) else { return Ok(()) };
        if !live.settings.rollout || self.engine.store.rollout(task).await?.is_some() {
            return Ok(());
        }
        match self.engine.rollouts().start(task, version, &RolloutPolicy::default()).await {
            // No version is active, or another process was first.
            Err(Error::Store(graft_store::Error::RolloutRefused { .. })) => Ok(()),
            started => started.map(drop),
        }
    }

    /// Deletes the versions of snapshots that are older or more than are kept. What is in use stays.
    async fn retire(self, live: &LiveAdapter) -> Result<()> {
        let store = &self.engine.store;
        let Some(live) = store.live(&live.task).await? else { return Ok(()) };
        let rollout = store.rollout(&live.task).await?;
        let all = store.snapshots(&live.task, u32::MAX).await?;
        let versions = store.versions(Some(&live.task)).await?;
        let oldest = now() - i64::try_from(live.settings.keep_days).unwrap_or(i64::MAX / 86_400_000) * 86_400_000;
        let steady = store.clock_is_steady();
        for (place, snapshot) in all.iter().enumerate() {
            let Some(name) = &snapshot.version else { continue };
            let in_use = *name == live.head
                || rollout.as_ref().is_some_and(|one| one.version == *name || one.against == *name)
                || versions.iter().any(|one| one.name == *name && one.stage == Stage::Active);
            let is_old = place as u64 >= live.settings.keep || (steady && snapshot.created_at < oldest);
            if is_old && !in_use && versions.iter().any(|one| one.name == *name) {
                self.engine.versions().delete(&live.task, name, false).await?;
            }
        }
        Ok(())
    }
}

/// One epoch of small steps, at a constant rate: every window is trained on once, together with the older examples. The
/// optimiser begins anew with each snapshot, so the first steps are smaller. Little is measured during the training, as its
/// version answers all held-out examples right afterwards.
fn settings(live: &LiveAdapter, learned: SnapshotExamples) -> Settings {
    let examples = usize::try_from(learned.new + learned.replayed).unwrap_or(usize::MAX).max(1);
    let batch = live.settings.batch.min(examples);
    let epochs = (LEAST_STEPS as f64 / examples.div_ceil(batch) as f64).max(1.0);
    Settings {
        epochs: Some(epochs),
        learning_rate: Some(live.settings.learning_rate),
        schedule: Some(Schedule::Constant),
        warmup: Some(WARMUP),
        batch_size: Some(batch),
        eval_examples: Some(LOSS_EXAMPLES),
        score_examples: Some(0),
        ..Settings::default()
    }
}

/// Whether the windows that wait make a snapshot.
fn is_due(live: &LiveAdapter, counts: &WindowCounts, at: i64) -> bool {
    let minutes = counts.oldest.map_or(0, |oldest| (at - oldest) / 60_000);
    counts.waiting >= live.settings.windows
        || (counts.waiting > 0 && u64::try_from(minutes).is_ok_and(|minutes| minutes >= live.settings.minutes))
}

/// Refuses settings out of their ranges.
fn check(s: &LiveSettings) -> Result<()> {
    let within = |field, ok: bool, value: String, hint| match ok {
        true => Ok(()),
        false => Err(Error::Setting(graft_core::Error::OutOfRange { field, value, hint })),
    };
    within("windows", s.windows >= 1, s.windows.to_string(), "at least 1")?;
    within("minutes", s.minutes >= 1, s.minutes.to_string(), "at least 1")?;
    let rate = s.learning_rate > 0.0 && s.learning_rate <= 100.0;
    within("learning-rate", rate, s.learning_rate.to_string(), "above 0, at most 100")?;
    within("batch", s.batch >= 1, s.batch.to_string(), "at least 1")?;
    within("eval-share", (0.0..1.0).contains(&s.eval_share), s.eval_share.to_string(), "from 0 to below 1")?;
    within("forgetting", (0.0..=1.0).contains(&s.forgetting), s.forgetting.to_string(), "from 0 to 1")?;
    within("keep", s.keep >= 1, s.keep.to_string(), "at least 1")?;
    within("keep-days", s.keep_days >= 1, s.keep_days.to_string(), "at least 1")
}

/// What happens next.
fn next(live: Option<&LiveAdapter>, windows: &WindowCounts, snapshots: &[LiveSnapshot], now: i64) -> String {
    let Some(live) = live else { return "Off: new approvals are used in the next training.".into() };
    if let (LiveState::Paused, why) = (live.state, live.note.as_deref()) {
        let why = why.map(|why| format!(" ({why})")).unwrap_or_default();
        return format!("Paused{why}; {} windows wait.", windows.waiting + windows.buffered);
    }
    if let Some(training) = snapshots.first().filter(|one| one.state == SnapshotState::Training) {
        return match &training.run {
            Some(run) => format!("Run {run} trains snapshot {}.", training.seq),
            None => format!("Snapshot {} waits for a worker, or for another training of the task.", training.seq),
        };
    }
    match windows.oldest {
        None => "Waiting for approvals.".into(),
        Some(oldest) => {
            let minutes = i64::try_from(live.settings.minutes).unwrap_or(i64::MAX) - (now - oldest) / 60_000;
            format!(
                "{} of {} windows wait; the next snapshot is made in at most {} minutes.",
                windows.waiting,
                live.settings.windows,
                minutes.max(0)
            )
        }
    }
}
