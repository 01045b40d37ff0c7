//! Roll-outs: a version answers beside the active one, then a share of the requests, then all; it is withdrawn if it is
//! worse.

mod judge;
mod page;
pub(crate) mod times;

use graft_core::Sequential;
use graft_store::{Rollout, RolloutCounts, RolloutPolicy, RolloutState};
use graft_tasks::score;
use serde::Serialize;
use utoipa::ToSchema;

pub use judge::{Difference, Errors, Gate, Outcomes};
use judge::{errors, gates, outcomes};
pub use times::Times;

use crate::{Engine, Result, now, versions::Evaluation};

/// Decisions that are taken in at once.
const BATCH: u32 = 500;
/// Roll-outs that ended which are listed.
const LISTED: u32 = 20;

/// The roll-outs of all tasks.
#[derive(Clone, Copy, Debug)]
pub struct Rollouts<'e> {
    pub(crate) engine: &'e Engine,
}

/// A roll-out with its conditions and counts.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct RolloutReport {
    /// The roll-out.
    pub rollout: Rollout,
    /// What both versions answered.
    pub counts: RolloutCounts,
    /// Scores of both versions on decided inputs.
    pub outcomes: Outcomes,
    /// The newest errors of both.
    pub errors: Errors,
    /// How long each took to answer as a canary and beside it; absent before the canary has answered.
    pub times: Option<BothTimes>,
    /// The conditions for becoming active, in order.
    pub gates: Vec<Gate>,
    /// Whether all conditions are met.
    pub ready: bool,
    /// What to do next, in a sentence.
    pub next: String,
}

/// Answer times of both versions of a roll-out, on requests that its hash distributed. Requests of named clients, of other
/// stages, and answers for comparison, which wait for requests, are left out.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = RolloutBothTimes)]
pub struct BothTimes {
    /// Of the active version.
    pub active: Times,
    /// Of the version that is rolled out.
    pub candidate: Times,
}

/// The roll-out of a task that runs, and those that ended.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TaskRollouts {
    /// The one that runs.
    #[schema(required = true)]
    pub running: Option<RolloutReport>,
    /// Those that ended, newest first.
    pub ended: Vec<Rollout>,
}

impl Rollouts<'_> {
    /// Begins a roll-out of a version against the active one, in shadow.
    ///
    /// # Errors
    /// The policy is out of range; the version is active, none is, or another roll-out of the task runs.
    pub async fn start(self, task: &str, version: &str, policy: &RolloutPolicy) -> Result<Rollout> {
        judge::check(policy)?;
        // What can't be loaded is refused now, and not by each request.
        self.engine.versions().adapter(task, Some(version)).await?;
        Ok(self.engine.store.start_rollout((task, version), policy, &self.engine.by, now()).await?)
    }

    /// The roll-outs of a task.
    ///
    /// # Errors
    /// Store errors.
    pub async fn of_task(self, task: &str) -> Result<TaskRollouts> {
        let running = match self.look(task).await? {
            Some(report) if report.rollout.state.is_running() => Some(report),
            _ => None,
        };
        let mut ended = self.engine.store.rollouts(task, LISTED).await?;
        ended.retain(|rollout| !rollout.state.is_running());
        Ok(TaskRollouts { running, ended })
    }

    /// The comparison of both versions in a roll-out, of this number or the newest one, while it runs or after its end.
    ///
    /// # Errors
    /// There is none.
    pub async fn numbered(self, task: &str, number: Option<i64>) -> Result<RolloutReport> {
        let rollout = self.engine.store.rollout_numbered(task, number).await?;
        // One that runs is judged first.
        if rollout.state.is_running()
            && let Some(report) = self.look(task).await?
            && report.rollout.id == rollout.id
        {
            return Ok(report);
        }
        self.report(rollout).await
    }

    /// The same as one HTML file, to read, print and send.
    ///
    /// # Errors
    /// As [`numbered`](Self::numbered).
    pub async fn page(self, task: &str, number: Option<i64>) -> Result<String> {
        let report = self.numbered(task, number).await?;
        let title = self.engine.tasks().definition(task).await?.title;
        Ok(page::of(&report, &title, now()))
    }

    /// The roll-out of a task that runs.
    ///
    /// # Errors
    /// None does.
    pub async fn running(self, task: &str) -> Result<Rollout> {
        let none =
            || graft_store::Error::RolloutRefused { task: task.to_owned(), what: "none is being rolled out".into() };
        Ok(self.engine.store.rollout(task).await?.ok_or_else(none)?)
    }

    /// Makes the version a canary: it answers its share of the requests.
    ///
    /// # Errors
    /// None is in shadow; neither a share nor clients are named.
    pub async fn to_canary(self, task: &str) -> Result<Rollout> {
        let rollout = self.running(task).await?;
        let refused = |what: &str| graft_store::Error::RolloutRefused { task: task.to_owned(), what: what.to_owned() };
        if rollout.state != RolloutState::Shadow {
            return Err(refused("its version is a canary already").into());
        }
        if rollout.policy.share <= 0.0 && rollout.policy.clients.is_empty() {
            return Err(refused("its policy names neither a share of the requests nor clients").into());
        }
        Ok(self.engine.store.move_rollout(&rollout, RolloutState::Canary, None, &self.engine.by, now()).await?)
    }

    /// Ends the roll-out; the version is a shadow, and answers nothing.
    ///
    /// # Errors
    /// None runs.
    pub async fn stop(self, task: &str, why: Option<&str>) -> Result<Rollout> {
        let rollout = self.running(task).await?;
        Ok(self.engine.store.move_rollout(&rollout, RolloutState::Stopped, why, &self.engine.by, now()).await?)
    }

    /// Takes in what people have decided since, and judges: a version that failed, drifted or did worse is taken back. Safe to
    /// call at any time, by anybody.
    ///
    /// # Errors
    /// Store errors.
    pub async fn look(self, task: &str) -> Result<Option<RolloutReport>> {
        let Some(rollout) = self.engine.store.rollout(task).await? else { return Ok(None) };
        let active = self.engine.store.active_version(task).await?.map(|version| version.name);
        if active.as_deref() == Some(rollout.version.as_str()) {
            let why = rollout.why.clone().unwrap_or_else(|| "it was made active".to_owned());
            return self.end(rollout, RolloutState::Promoted, &why).await.map(Some);
        }
        if active.as_deref() != Some(rollout.against.as_str()) {
            let now = active.as_deref().unwrap_or("none");
            let why = format!("the active version changed from {} to {now}", rollout.against);
            return self.end(rollout, RolloutState::Stopped, &why).await.map(Some);
        }
        match self.engine.store.version(task, &rollout.version).await {
            Err(graft_store::Error::NoVersion { .. }) => {
                return self.end(rollout, RolloutState::Stopped, "its version was deleted").await.map(Some);
            }
            found => drop(found?),
        }
        self.take_decisions(&rollout).await?;
        let report = self.report(rollout).await?;
        match judge::reason_to_return(&report) {
            Some(why) => self.give_back(report.rollout, &why).await.map(Some),
            None => Ok(Some(report)),
        }
    }

    /// Takes a version back that its roll-out has shown to be worse.
    pub(crate) async fn give_back(self, rollout: Rollout, why: &str) -> Result<RolloutReport> {
        tracing::warn!(task = rollout.task, "version `{}` is withdrawn: {why}", rollout.version);
        self.end(rollout, RolloutState::Returned, why).await
    }

    async fn end(self, rollout: Rollout, to: RolloutState, why: &str) -> Result<RolloutReport> {
        let by = match to {
            RolloutState::Returned => format!("{} (rollout)", self.engine.by),
            _ => self.engine.by.clone(),
        };
        let moved = self.engine.store.move_rollout(&rollout, to, Some(why), &by, now()).await;
        let moved = match moved {
            // Another server ended it in the same moment.
            Err(graft_store::Error::RolloutRefused { .. }) => {
                let all = self.engine.store.rollouts(&rollout.task, LISTED).await?;
                all.into_iter().find(|one| one.id == rollout.id).unwrap_or(rollout)
            }
            moved => moved?,
        };
        self.report(moved).await
    }

    /// Scores what people have decided on since the last time.
    async fn take_decisions(self, rollout: &Rollout) -> Result<()> {
        let version = self.engine.store.version(&rollout.task, &rollout.version).await?;
        let (rules, card) = (self.engine.tasks().of(&version).await?.scoring, version.card);
        loop {
            let decided = self.engine.store.rollout_decisions(rollout, BATCH).await?;
            let right = |truth, answer: &serde_json::Value| match answer.is_null() {
                true => 0.0,
                false => score::diff(&card, &rules, truth, answer).score,
            };
            let scores: Vec<_> = decided
                .iter()
                .map(|one| (one.digest.clone(), right(&one.truth, &one.active), right(&one.truth, &one.candidate)))
                .collect();
            self.engine.store.decide_rollout(rollout.id, &scores, now()).await?;
            if decided.len() < BATCH as usize {
                return Ok(());
            }
        }
    }

    async fn report(self, rollout: Rollout) -> Result<RolloutReport> {
        let store = &self.engine.store;
        let counts = store.rollout_counts(&rollout).await?;
        let all = store.rollout_outcomes(rollout.id).await?;
        let mut held_out = Vec::new();
        for name in [&rollout.version, &rollout.against] {
            let version = store.version(&rollout.task, name).await;
            held_out.push(version.ok().as_ref().and_then(Evaluation::of).map(|evaluation| evaluation.adapter));
        }
        let active = Times::of(&store.rollout_times(rollout.id, &rollout.against).await?);
        let candidate = Times::of(&store.rollout_times(rollout.id, &rollout.version).await?);
        let times = (candidate.answers > 0).then_some(BothTimes { active, candidate });
        let policy = &rollout.policy;
        let (mut not_worse, mut worse) = (Sequential::above(policy.margin), Sequential::above(0.0));
        for one in &all {
            not_worse.take(one.candidate - one.active);
            worse.take(one.active - one.candidate);
        }
        let outcomes = outcomes(&all, &not_worse, &worse, policy.error_rate);
        let errors = errors(&all, policy, now());
        let gates = gates(&rollout, &outcomes, &errors, &held_out, now())?;
        let ready = gates.iter().all(|gate| gate.passed);
        let next = judge::next(&rollout, &gates);
        Ok(RolloutReport { rollout, counts, outcomes, errors, times, gates, ready, next })
    }
}
