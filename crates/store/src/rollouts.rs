use graft_core::{Digest, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sqlx::any::AnyExecutor;
use utoipa::ToSchema;

use crate::changes::{Actor, Entry, record};
use crate::database::Tx;
use crate::row::from_row;
use crate::scope::Scope;
use crate::versions::{active, get};
use crate::{Action, Error, Kind, Stage, Store, row, statement};

/// Most inputs per roll-out whose answers are stored; later ones are only counted.
const MOST: i64 = 50_000;

names! {
    /// State of a roll-out.
    pub enum RolloutState {
        /// The candidate answers in parallel with the active version; its answers are not served.
        Shadow = "shadow",
        /// The candidate's answers are served for some of the requests.
        Canary = "canary",
        /// The candidate became active; the roll-out has ended.
        Promoted = "promoted",
        /// A person ended it.
        Stopped = "stopped",
        /// Graft ended it: the candidate failed, drifted or scored worse.
        Returned = "returned",
    }
}

impl RolloutState {
    /// Whether the candidate still answers requests.
    #[must_use]
    pub fn is_running(self) -> bool {
        matches!(self, Self::Shadow | Self::Canary)
    }

    /// The stage of the candidate in this state, unless it is the active version.
    fn stage(self) -> Stage {
        match self {
            Self::Shadow | Self::Stopped => Stage::Shadow,
            Self::Canary => Stage::Canary,
            Self::Promoted => Stage::Active,
            Self::Returned => Stage::Archived,
        }
    }
}

/// Rules for the decisions of a roll-out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RolloutPolicy {
    /// Share of requests that the canary answers, chosen by a hash of the subject.
    #[schema(minimum = 0.0, maximum = 1.0)]
    pub share: f64,
    /// Clients whose requests the canary always answers.
    pub clients: Vec<String>,
    /// Hours in shadow before the candidate may become active.
    pub shadow_hours: u64,
    /// Maximum probability of each wrong decision of the test.
    #[schema(exclusive_minimum = 0.0, maximum = 0.5)]
    pub error_rate: f64,
    /// Score difference (0 to 1) that still counts as not worse than the active version.
    #[schema(minimum = 0.0, maximum = 0.5)]
    pub margin: f64,
    /// The 95th percentile of its errors at which the version is withdrawn.
    #[schema(exclusive_minimum = 0.0, maximum = 1.0)]
    pub drift_at: f64,
    /// Minimum number of decisions for it.
    #[schema(minimum = 1)]
    pub drift_samples: usize,
    /// Period in minutes whose decisions are used; longer if they are fewer than needed.
    pub drift_minutes: u64,
}

impl Default for RolloutPolicy {
    fn default() -> Self {
        Self {
            share: 0.1,
            clients: Vec::new(),
            shadow_hours: 336,
            error_rate: 0.05,
            margin: 0.02,
            drift_at: 0.2,
            drift_samples: 1000,
            drift_minutes: 60,
        }
    }
}

/// A roll-out of a version.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Rollout {
    /// Number of the roll-out, from 1.
    pub id: i64,
    /// Name of the task.
    pub task: String,
    /// The candidate.
    pub version: String,
    /// The version that was active at the start; the candidate is compared with it.
    pub against: String,
    /// Its state.
    pub state: RolloutState,
    /// Its rules.
    pub policy: RolloutPolicy,
    /// When it started.
    pub started_at: Timestamp,
    /// When it entered its present state.
    pub stage_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// Why it ended, or why its policy was overridden.
    pub why: Option<String>,
    /// Number of requests that the candidate failed to answer.
    pub failures: u64,
    /// Inputs that only one version answered, because too many were waiting or stored.
    pub dropped: u64,
    /// Who started it.
    pub created_by: String,
}

/// The answers of both versions to one input.
#[derive(Clone, Debug, PartialEq)]
pub struct RolloutPair {
    /// The input.
    pub input: String,
    /// The version whose answer was served; empty if no client asked.
    pub served: String,
    /// The active version's answer; null if it was invalid.
    pub active: Value,
    /// The candidate's.
    pub candidate: Value,
    /// Agreement of the two answers, from 0 to 1.
    pub agreement: f64,
    /// When.
    pub at: Timestamp,
}

/// A pair of answers whose input a person has reviewed since.
#[derive(Clone, Debug, PartialEq)]
pub struct RolloutDecision {
    /// Digest of the input.
    pub digest: Digest,
    /// The answer that the person confirmed.
    pub truth: Value,
    /// The active version's answer.
    pub active: Value,
    /// The candidate's.
    pub candidate: Value,
}

/// Scores of both versions on one reviewed input, from 0 to 1, in review order.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RolloutOutcome {
    /// The active version.
    pub active: f64,
    /// The candidate.
    pub candidate: f64,
    /// When the input was scored.
    pub at: Timestamp,
}

/// Numbers of a roll-out's answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, ToSchema)]
pub struct RolloutCounts {
    /// Inputs that both versions answered.
    pub pairs: u64,
    /// Number of these for which the candidate's answer was served.
    pub canary: u64,
    /// Mean agreement of the answers, from 0 to 1.
    pub agreement: Option<f64>,
}

macro_rules! select_rollouts {
    ($tail:literal) => {
        concat!(
            "select id, task, version, against, state, policy, started_at, stage_at, ended_at, why, failures, dropped,
                    created_by
             from rollouts ",
            $tail
        )
    };
}

impl Store {
    /// Starts a roll-out of a version against the active one. A task has at most one running roll-out.
    ///
    /// # Errors
    /// [`Error::NoVersion`]; [`Error::RolloutRefused`] if the version is active, no version is, or another roll-out is
    /// running.
    pub async fn start_rollout(
        &self,
        (task, version): (&str, &str),
        policy: &RolloutPolicy,
        by: &str,
        at: Timestamp,
    ) -> Result<Rollout, Error> {
        let mut tx = self.begin().await?;
        let refused = |what: String| Err(Error::RolloutRefused { task: task.to_owned(), what });
        let candidate = get(&mut *tx, task, version).await?;
        let Some(active) = active(&mut *tx, task).await? else {
            return refused("no version is active to compare it with".into());
        };
        if candidate.stage == Stage::Active {
            return refused(format!("version `{version}` is active already"));
        }
        if let Some(running) = running(&mut *tx, task).await? {
            return refused(format!("version `{}` is being rolled out", running.version));
        }
        let last: i64 = sqlx::query_scalar("select coalesce(max(id), 0) from rollouts").fetch_one(&mut *tx).await?;
        let id = last + 1;
        tx.execute(
            "insert into rollouts (id, task, version, against, state, policy, started_at, stage_at, failures, dropped,
                                   created_by)
             values ($1, $2, $3, $4, 'shadow', $5, $6, $6, 0, 0, $7)",
            (id, task, version, &active.name, json!(policy).to_string(), at, row::text(by)),
        )
        .await?;
        set_stage(&mut tx, task, version, RolloutState::Shadow).await?;
        let after = json!({"rollout": RolloutState::Shadow, "against": active.name, "policy": policy});
        let entry = Entry { action: Action::Set, kind: Kind::Version, task, subject: version };
        record(&mut tx, entry, Actor { by, at }, Some(&json!({"stage": candidate.stage})), Some(&after)).await?;
        let begun = one(&mut *tx, id).await?;
        tx.commit().await?;
        Ok(begun)
    }

    /// The running roll-out of a task, if any.
    pub async fn rollout(&self, task: &str) -> Result<Option<Rollout>, Error> {
        running(&self.read, task).await
    }

    /// The running roll-outs of all tasks.
    pub async fn running_rollouts(&self) -> Result<Vec<Rollout>, Error> {
        statement::all(&self.read, select_rollouts!("where ended_at is null order by id"), ()).await
    }

    /// The newest roll-outs of a task.
    pub async fn rollouts(&self, task: &str, limit: u32) -> Result<Vec<Rollout>, Error> {
        statement::all(&self.read, select_rollouts!("where task = $1 order by id desc limit $2"), (task, limit)).await
    }

    /// A roll-out of a task by its number; the newest if none is named.
    ///
    /// # Errors
    /// [`Error::NoRollout`].
    pub async fn rollout_numbered(&self, task: &str, number: Option<i64>) -> Result<Rollout, Error> {
        let found = statement::optional(
            &self.read,
            select_rollouts!("where task = $1 and id = coalesce($2, (select max(id) from rollouts where task = $1))"),
            (task, number),
        )
        .await?;
        found.ok_or_else(|| Error::NoRollout { task: task.to_owned(), number })
    }

    /// Changes the state of a roll-out, and the stage of its version, if it is still in the state that the caller read.
    /// When a roll-out ends, its unreviewed answers are deleted.
    ///
    /// # Errors
    /// [`Error::RolloutRefused`] if its state has changed.
    pub async fn move_rollout(
        &self,
        seen: &Rollout,
        to: RolloutState,
        why: Option<&str>,
        by: &str,
        at: Timestamp,
    ) -> Result<Rollout, Error> {
        let mut tx = self.begin().await?;
        let (task, version) = (seen.task.as_str(), seen.version.as_str());
        let now = one(&mut *tx, seen.id).await?;
        if now.state != seen.state {
            let what = format!("version `{version}` is {} by now", now.state.name());
            return Err(Error::RolloutRefused { task: task.to_owned(), what });
        }
        let ended = (!to.is_running()).then_some(at);
        tx.execute(
            "update rollouts set state = $2, stage_at = $3, ended_at = $4, why = $5 where id = $1",
            (seen.id, to, at, ended, why.map(row::text)),
        )
        .await?;
        set_stage(&mut tx, task, version, to).await?;
        if ended.is_some() {
            tx.execute("delete from rollout_answers where rollout = $1 and decision is null", seen.id).await?;
        }
        let (old, new) = (json!({"rollout": now.state}), json!({"rollout": to, "why": why}));
        let entry = Entry { action: Action::Set, kind: Kind::Version, task, subject: version };
        record(&mut tx, entry, Actor { by, at }, Some(&old), Some(&new)).await?;
        let moved = one(&mut *tx, seen.id).await?;
        tx.commit().await?;
        Ok(moved)
    }

    /// Stores pairs of answers, one per input, and adds to the counters. Does nothing if the roll-out has ended.
    pub async fn add_rollout_answers(
        &self,
        id: i64,
        pairs: &[RolloutPair],
        failures: u64,
        dropped: u64,
    ) -> Result<(), Error> {
        let mut tx = self.begin_in(Scope::Rollout(id)).await?;
        let (mut kept, mut over) = (0, 0);
        if !one(&mut *tx, id).await?.state.is_running() {
            return Ok(());
        }
        let count = sqlx::query("select count(*) as n from rollout_answers where rollout = $1").bind(id);
        let before = row::get::<i64>(&count.fetch_one(&mut *tx).await?, "n")?;
        for pair in pairs {
            if before + kept >= MOST {
                over += 1;
                continue;
            }
            let added = tx
                .execute(
                    "insert into rollout_answers (rollout, digest, input, served, active_answer,
                     candidate_answer, agreement,
                                                  answered_at)
                     values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict do nothing",
                    (
                        id,
                        Digest::of(pair.input.as_bytes()).as_str(),
                        row::text(&pair.input),
                        &pair.served,
                        pair.active.to_string(),
                        pair.candidate.to_string(),
                        if pair.agreement.is_finite() { pair.agreement } else { 0.0 },
                        pair.at,
                    ),
                )
                .await?;
            kept += i64::try_from(added).unwrap_or(1);
        }
        tx.execute(
            "update rollouts set failures = failures + $2, dropped = dropped + $3 where id = $1",
            (id, failures, row::big(dropped) + over),
        )
        .await?;
        tx.commit().await
    }

    /// Inputs of pending examples without answers in this roll-out, newest first, with the active version's suggestion.
    pub async fn rollout_pending(&self, rollout: &Rollout, limit: u32) -> Result<Vec<(String, Value)>, Error> {
        let rows = sqlx::query(
            "select c.input, s.answer from examples e
             join suggestions s on s.task = e.task and s.example = e.id and s.revision = e.revision and s.version = $2
             join example_revisions c on c.task = e.task and c.id = e.id and c.revision = e.revision
             left join rollout_answers a on a.rollout = $3 and a.input = c.input
             where e.task = $1 and e.review = 'pending' and a.digest is null
             order by e.position desc limit $4",
        )
        .bind(&rollout.task)
        .bind(&rollout.against)
        .bind(rollout.id)
        .bind(i64::from(limit))
        .fetch_all(&self.read)
        .await?;
        rows.iter().map(|row| Ok((row::get(row, "input")?, row::get(row, "answer")?))).collect()
    }

    /// Pairs without scores whose inputs a person has reviewed since, in review order. Inputs from the candidate's
    /// training data are left out.
    pub async fn rollout_decisions(&self, rollout: &Rollout, limit: u32) -> Result<Vec<RolloutDecision>, Error> {
        statement::all(
            &self.read,
            "select a.digest, a.active_answer, a.candidate_answer, min(c.output) as truth, min(e.reviewed_at) as moment
             from rollout_answers a
             join example_revisions c on c.task = $2 and c.input = a.input
             join examples e on e.task = c.task and e.id = c.id and e.revision = c.revision
             where a.rollout = $1 and a.decision is null and e.review = 'approved' and e.touched = 1
               and e.reviewed_at >= a.answered_at and c.output is not null
               and not exists (
                   select 1 from versions v join dataset_members m on m.task = v.task and m.digest = v.dataset
                   where v.task = $2 and v.name = $3 and m.example = e.id)
             group by a.digest, a.active_answer, a.candidate_answer order by moment, a.digest limit $4",
            (rollout.id, &rollout.task, &rollout.version, limit),
        )
        .await
    }

    /// Stores scores of both versions. Stored scores and their order never change, because the sequential test is only
    /// valid on a fixed history.
    pub async fn decide_rollout(&self, id: i64, scores: &[(Digest, f64, f64)], at: Timestamp) -> Result<(), Error> {
        let mut tx = self.begin().await?;
        let last =
            sqlx::query("select coalesce(max(decision), 0) as n from rollout_answers where rollout = $1").bind(id);
        let mut next = row::get::<i64>(&last.fetch_one(&mut *tx).await?, "n")? + 1;
        for (digest, active, candidate) in scores {
            let done = tx
                .execute(
                    "update rollout_answers
                     set decision = $3, decided_at = $4, active_score = $5, candidate_score = $6
                     where rollout = $1 and digest = $2 and decision is null",
                    (id, digest.as_str(), next, at, *active, *candidate),
                )
                .await?;
            next += i64::try_from(done).unwrap_or(1);
        }
        tx.commit().await
    }

    /// The scores of both versions so far, in the order in which they were stored.
    pub async fn rollout_outcomes(&self, id: i64) -> Result<Vec<RolloutOutcome>, Error> {
        statement::all(
            &self.read,
            "select active_score, candidate_score, decided_at from rollout_answers
             where rollout = $1 and decision is not null order by decision",
            id,
        )
        .await
    }

    /// Numbers of answers of a roll-out.
    pub async fn rollout_counts(&self, rollout: &Rollout) -> Result<RolloutCounts, Error> {
        statement::one(
            &self.read,
            "select count(*) as pairs, coalesce(sum(case when served = $2 then 1 else 0 end), 0) as canary,
                    avg(agreement) as agreement
             from rollout_answers where rollout = $1",
            (rollout.id, &rollout.version),
        )
        .await
    }
}

/// Sets the stage of the candidate to that of the roll-out's state; an active version stays active.
async fn set_stage(tx: &mut Tx<'_>, task: &str, version: &str, state: RolloutState) -> Result<(), Error> {
    if state != RolloutState::Promoted {
        tx.execute(
            "update versions set stage = $3 where task = $1 and name = $2 and stage <> 'active'",
            (task, version, state.stage()),
        )
        .await?;
    }
    Ok(())
}

async fn one(on: impl AnyExecutor<'_>, id: i64) -> Result<Rollout, Error> {
    statement::one(on, select_rollouts!("where id = $1"), id).await
}

async fn running(on: impl AnyExecutor<'_>, task: &str) -> Result<Option<Rollout>, Error> {
    statement::optional(on, select_rollouts!("where task = $1 and ended_at is null"), task).await
}

from_row!(RolloutDecision { digest, truth, active = "active_answer", candidate = "candidate_answer" });
from_row!(RolloutOutcome { active = "active_score", candidate = "candidate_score", at = "decided_at" });
from_row!(RolloutCounts { pairs, canary, agreement });

from_row!(Rollout {
    id,
    task,
    version,
    against,
    state,
    policy,
    started_at,
    stage_at,
    ended_at,
    why,
    failures,
    dropped,
    created_by,
});
