//! Serving of roll-outs: which requests a canary answers, and the answers of the other version for comparison.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use graft_core::Digest;
use graft_predict::Error as Unanswered;
use graft_store::{Rollout, RolloutPair, RolloutState};
use graft_tasks::score;
use serde_json::Value;
use tokio::sync::mpsc;

use super::{Answer, AnswerOptions, Asker, Format, Inner, Prompt, Serving, deployment::Deployment};
use crate::{Error, Result, now};

/// Answers that wait for the other version's; more at once are only counted.
const WAITING: usize = 256;
/// How often roll-outs are judged.
const LOOK: Duration = Duration::from_secs(5);

/// An answer that was given while a version was being rolled out.
pub(super) struct Given {
    rollout: Arc<Rollout>,
    input: String,
    by: Arc<Deployment>,
    answer: Value,
}

/// What happened since the last time it was kept.
#[derive(Default)]
pub(super) struct Seen {
    pairs: Vec<RolloutPair>,
    failures: u64,
    dropped: u64,
}

impl Serving {
    /// What answers a request for a task: the active version, or the canary for its share of the subjects. Also the roll-out,
    /// if its hash alone decided.
    pub(super) async fn choose(
        &self,
        task: &str,
        prompt: &Prompt,
        options: &AnswerOptions,
    ) -> Result<(Arc<Deployment>, Option<i64>)> {
        let (Some(rollout), Prompt::Input(input)) = (self.rollout(task), prompt) else {
            return Ok((self.active(task).await?, None));
        };
        if rollout.state != RolloutState::Canary {
            return Ok((self.active(task).await?, None));
        }
        let drawn = (!is_named(&rollout, options)).then_some(rollout.id);
        if drawn.is_some() && !is_in_share(&rollout, options, input) {
            return Ok((self.active(task).await?, drawn));
        }
        match self.version(task, &rollout.version).await {
            Ok(canary) => Ok((canary, drawn)),
            Err(error) => {
                tracing::warn!(task, "canary `{}`: failed to {}", rollout.version, graft_core::with_causes(&error));
                self.count(&rollout, |seen| seen.failures += 1);
                Ok((self.active(task).await?, None))
            }
        }
    }

    fn rollout(&self, task: &str) -> Option<Arc<Rollout>> {
        self.state().rollouts.get(task).map(Arc::clone)
    }

    /// Lets the other version answer the same later, if a version of the task is being rolled out.
    pub(super) fn compare_later(&self, by: &Arc<Deployment>, input: &str, answer: &Answer) {
        let Some(rollout) = self.rollout(&by.task) else { return };
        let name = by.version.as_deref();
        if name != Some(rollout.version.as_str()) && name != Some(rollout.against.as_str()) {
            return;
        }
        let answer = if answer.valid { answer.written.clone() } else { Value::Null };
        let given = Given { rollout: Arc::clone(&rollout), input: input.to_owned(), by: Arc::clone(by), answer };
        let Some(queue) = self.0.given.get() else { return };
        if queue.try_send(given).is_err() {
            self.count(&rollout, |seen| seen.dropped += 1);
        }
    }

    /// Counts against a canary that it failed to answer; whether it is one.
    pub(super) fn note_canary(&self, deployment: &Deployment, failed: bool) -> bool {
        let Some(rollout) = self.rollout(&deployment.task) else { return false };
        let is_canary = deployment.version.as_deref() == Some(rollout.version.as_str());
        if is_canary && failed {
            self.count(&rollout, |seen| seen.failures += 1);
        }
        is_canary
    }

    fn count(&self, rollout: &Rollout, change: impl FnOnce(&mut Seen)) {
        change(self.state().seen.entry(rollout.id).or_default());
    }

    /// Reads which roll-outs run.
    pub(super) async fn follow_rollouts(&self) -> Result<()> {
        let running = self.engine().store.running_rollouts().await?;
        self.state().rollouts = running.into_iter().map(|one| (one.task.clone(), Arc::new(one))).collect();
        Ok(())
    }

    /// The answer of the version that did not answer.
    async fn other(&self, given: &Given) -> Result<Answer> {
        let Rollout { task, version, against, .. } = &*given.rollout;
        let other = if given.by.version.as_ref() == Some(version) { against } else { version };
        let deployment = self.version(task, other).await?;
        let prompt = Prompt::Input(given.input.clone());
        self.ask(&deployment, Asker::ForShadow, &prompt, &Format::Own, &AnswerOptions::default()).await?.whole().await
    }

    /// Completes one pair.
    async fn complete(&self, given: Given) {
        let by_candidate = given.by.version.as_deref() == Some(given.rollout.version.as_str());
        let other = match self.other(&given).await {
            Ok(other) => {
                if other.valid {
                    other.written
                } else {
                    Value::Null
                }
            }
            Err(error) => {
                let failed = is_failure(&error) && !by_candidate;
                self.count(&given.rollout, |seen| if failed { seen.failures += 1 } else { seen.dropped += 1 });
                return;
            }
        };
        let (active, candidate) = if by_candidate { (other, given.answer) } else { (given.answer, other) };
        let agreement = agreement(&given.by, &active, &candidate);
        let served = given.by.version.clone().unwrap_or_default();
        let pair = RolloutPair { input: given.input, served, active, candidate, agreement, at: now() };
        self.count(&given.rollout, |seen| seen.pairs.push(pair));
    }

    /// Keeps what happened, then judges the roll-outs that run.
    async fn keep_and_judge(&self) -> Result<()> {
        let seen = std::mem::take(&mut self.state().seen);
        let mut failed = None;
        for (id, seen) in seen {
            let kept = self.engine().store.add_rollout_answers(id, &seen.pairs, seen.failures, seen.dropped).await;
            if let Err(error) = kept {
                // A database that is away now is there the next time; what the version failed counts in any case.
                let mut state = self.state();
                let later = state.seen.entry(id).or_default();
                later.failures += seen.failures;
                later.dropped += seen.dropped + seen.pairs.len() as u64;
                failed = Some(error);
            }
        }
        if let Some(error) = failed {
            return Err(error.into());
        }
        let tasks: Vec<String> = self.state().rollouts.keys().cloned().collect();
        for task in tasks {
            self.engine().rollouts().look(&task).await?;
        }
        self.follow_rollouts().await
    }
}

/// How much of two answers is the same; nothing where only one is valid.
pub(crate) fn agreement(of: &Deployment, one: &Value, other: &Value) -> f64 {
    match (one.is_null(), other.is_null()) {
        (true, true) => 1.0,
        (false, false) => score::diff(&of.card, &of.definition.scoring, one, other).score,
        _ => 0.0,
    }
}

/// Whether the version is to blame; others are the request's own fault, or time's.
pub(super) fn is_failure(error: &Error) -> bool {
    use Unanswered as U;
    matches!(error, Error::Predict(U::NotFinite | U::Grammar(_) | U::Wire { .. } | U::Token(_) | U::Interrupted))
}

/// Whether the canary answers a client in any case.
fn is_named(rollout: &Rollout, options: &AnswerOptions) -> bool {
    rollout.policy.clients.iter().any(|client| *client == *options.client)
}

/// Whether the canary answers for a subject (for an input, where no subject is told). Its share of them stays the same as
/// long as the roll-out does.
fn is_in_share(rollout: &Rollout, options: &AnswerOptions, input: &str) -> bool {
    let subject = options.subject.as_deref().unwrap_or(input);
    let digest = Digest::of_parts([rollout.id.to_string().as_bytes(), subject.as_bytes()]);
    let place = u32::from_str_radix(digest.as_str().get(..8).unwrap_or("0"), 16).unwrap_or(0);
    f64::from(place) < rollout.policy.share * (f64::from(u32::MAX) + 1.0)
}

/// The queue of answers that are compared later.
pub(super) fn queue() -> (mpsc::Sender<Given>, mpsc::Receiver<Given>) {
    mpsc::channel(WAITING)
}

/// Completes pairs one after the other and evaluates the test from time to time, until the last `Serving` is dropped.
pub(super) async fn tend(inner: Weak<Inner>, mut queue: mpsc::Receiver<Given>) {
    let mut clock = tokio::time::interval(LOOK);
    clock.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut looked = 0;
    loop {
        let given = tokio::select! {
            biased;
            _ = clock.tick() => None,
            given = queue.recv() => match given {
                None => return,
                given => given,
            },
        };
        let Some(serving) = inner.upgrade().map(Serving) else { return };
        if let Some(given) = given {
            serving.complete(given).await;
            continue;
        }
        if let Err(error) = serving.store_tallies().await {
            tracing::warn!("counts of requests: failed to {}; Graft retries", graft_core::with_causes(&error));
        }
        // Without a new row or answer nothing can have changed; time alone ends no roll-out.
        let newest = serving.engine().store.newest_change().await.unwrap_or(looked + 1);
        if newest == looked && serving.state().seen.is_empty() {
            continue;
        }
        match serving.keep_and_judge().await {
            Ok(()) => looked = newest,
            Err(error) => tracing::warn!("roll-outs: failed to {}", graft_core::with_causes(&error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use graft_store::RolloutPolicy;

    use super::*;

    fn rollout(id: i64, share: f64) -> Rollout {
        Rollout {
            id,
            task: "sentiment".into(),
            version: "v2".into(),
            against: "v1".into(),
            state: RolloutState::Canary,
            policy: RolloutPolicy { share, clients: vec!["ada".into()], ..RolloutPolicy::default() },
            started_at: 0,
            stage_at: 0,
            ended_at: None,
            why: None,
            failures: 0,
            dropped: 0,
            created_by: "me".into(),
        }
    }

    #[test]
    fn canary_answers_a_fixed_share_of_subjects() {
        let asked = |client: &str, subject: Option<String>| AnswerOptions {
            client: client.into(),
            subject,
            ..AnswerOptions::default()
        };
        let chosen = |id, share| -> Vec<bool> {
            let of = rollout(id, share);
            (0..4000).map(|i| is_in_share(&of, &asked("bob", Some(format!("customer {i}"))), "any text")).collect()
        };
        let some = chosen(1, 0.1);
        let share = some.iter().filter(|is| **is).count();
        // Four standard deviations of 4,000 draws.
        assert!((324..=476).contains(&share), "{share}");
        assert_eq!(some, chosen(1, 0.1));
        assert_ne!(some, chosen(2, 0.1), "the next roll-out has other subjects");
        assert!(
            some.iter().zip(chosen(1, 0.3)).all(|(small, large)| !small || large),
            "a larger share keeps the smaller"
        );
        assert!(!chosen(1, 0.0).contains(&true) && !chosen(1, 1.0).contains(&false));
        assert!(is_named(&rollout(1, 0.0), &asked("ada", None)) && !is_named(&rollout(1, 0.0), &asked("bob", None)));
        let by_input: Vec<bool> =
            (0..4000).map(|i| is_in_share(&rollout(1, 0.1), &asked("bob", None), &format!("text {i}"))).collect();
        assert!(by_input.contains(&true) && by_input.contains(&false), "a client without subjects is shared out, too");
    }
}
