//! The decisions about a roll-out, computed from its counts only.

use graft_core::{ConfidenceSequence, Sequential, Timestamp};
use graft_store::{Rollout, RolloutOutcome, RolloutPolicy, RolloutState};
use graft_tasks::score::{Scores, compare};
use serde::Serialize;
use utoipa::ToSchema;

use super::RolloutReport;
use crate::{Error, Result, evaluations::SEED};

const HOUR: i64 = 3_600_000;
const MINUTE: i64 = 60_000;
/// Answers that a version may fail to give before it is taken back.
pub(crate) const FAILURES: u64 = 3;

/// Scores of both versions against people's later decisions.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = RolloutOutcomes)]
pub struct Outcomes {
    /// Inputs that people decided on.
    pub decided: usize,
    /// Mean score of the active version, from 0 to 1.
    pub active: Option<f64>,
    /// Mean score of the version, from 0 to 1.
    pub candidate: Option<f64>,
    /// The mean difference of their scores, if any input is decided: the version's minus the active version's.
    pub difference: Option<Difference>,
    /// Inputs where the version was better.
    pub wins: usize,
    /// Inputs where it was worse.
    pub losses: usize,
    /// Evidence that the version is not worse by more than the margin: an e-value.
    pub not_worse: f64,
    /// Whether the evidence has ever been sufficient.
    pub is_not_worse: bool,
    /// Evidence that the version is worse: an e-value.
    pub worse: f64,
    /// Whether the evidence has ever been sufficient.
    pub is_worse: bool,
    /// What an e-value must reach: 1 divided by the error rate.
    pub needed: f64,
}

/// A mean difference with the newest interval of its confidence sequence, which may be looked at as often as people like.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = RolloutDifference)]
pub struct Difference {
    /// From -1 to 1.
    pub mean: f64,
    /// Lower end of the interval.
    pub low: f64,
    /// Upper end of the interval.
    pub high: f64,
    /// Probability, at least, that no interval ever misses the true difference.
    pub confidence: f64,
}

/// Confidence of the intervals of differences.
const CONFIDENCE: f64 = 0.95;

impl Difference {
    fn of(all: &[RolloutOutcome]) -> Option<Self> {
        let mut sequence = ConfidenceSequence::new(1.0 - CONFIDENCE);
        let differences = all.iter().map(|one| one.candidate - one.active);
        differences.clone().for_each(|difference| sequence.take(difference));
        let (low, high) = sequence.interval();
        Some(Self { mean: mean(differences)?, low, high, confidence: CONFIDENCE })
    }
}

/// Recent errors of both versions, from 0 to 1.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = RolloutErrors)]
pub struct Errors {
    /// Decisions that are looked at.
    pub count: usize,
    /// Whether these are enough.
    pub enough: bool,
    /// The version's 95th percentile.
    pub p95: Option<f64>,
    /// The version's mean.
    pub mean: Option<f64>,
    /// The version's largest.
    pub max: Option<f64>,
    /// Answers of the version that were not all right.
    pub wrong: usize,
    /// The active version's 95th percentile on the same inputs.
    pub active_p95: Option<f64>,
    /// The active version's mean.
    pub active_mean: Option<f64>,
    /// The 95th percentile at which the version is withdrawn.
    pub limit: f64,
}

/// A condition for becoming active.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = RolloutGate)]
pub struct Gate {
    /// What it is.
    pub name: &'static str,
    /// Whether it is met.
    pub passed: bool,
    /// What was found, in a sentence.
    pub found: String,
}

/// Refuses a policy out of its ranges.
pub(super) fn check(policy: &RolloutPolicy) -> Result<()> {
    let within = |field, ok: bool, value: String, hint| match ok {
        true => Ok(()),
        false => Err(Error::Setting(graft_core::Error::OutOfRange { field, value, hint })),
    };
    let p = policy;
    within("share", (0.0..=1.0).contains(&p.share), p.share.to_string(), "from 0 to 1")?;
    let rate = p.error_rate > 0.0 && p.error_rate <= 0.5;
    within("error-rate", rate, p.error_rate.to_string(), "above 0, at most 0.5")?;
    within("margin", (0.0..=0.5).contains(&p.margin), p.margin.to_string(), "from 0 to 0.5")?;
    within("drift-at", p.drift_at > 0.0 && p.drift_at <= 1.0, p.drift_at.to_string(), "above 0, at most 1")?;
    within("drift-samples", p.drift_samples >= 1, p.drift_samples.to_string(), "at least 1")
}

pub(super) fn outcomes(all: &[RolloutOutcome], not_worse: &Sequential, worse: &Sequential, rate: f64) -> Outcomes {
    let mean = |of: fn(&RolloutOutcome) -> f64| mean(all.iter().map(of));
    Outcomes {
        decided: all.len(),
        active: mean(|one| one.active),
        candidate: mean(|one| one.candidate),
        difference: Difference::of(all),
        wins: all.iter().filter(|one| one.candidate > one.active).count(),
        losses: all.iter().filter(|one| one.candidate < one.active).count(),
        not_worse: not_worse.e_value(),
        is_not_worse: not_worse.rejects(rate),
        worse: worse.e_value(),
        is_worse: worse.rejects(rate),
        needed: 1.0 / rate,
    }
}

fn mean(values: impl ExactSizeIterator<Item = f64>) -> Option<f64> {
    let count = values.len();
    (count > 0).then(|| values.sum::<f64>() / count as f64)
}

/// The value that 95 of 100 don't exceed (nearest rank).
fn p95(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get((sorted.len() * 95).div_ceil(100).saturating_sub(1)).copied()
}

/// The errors of the policy's window, which is longer where it holds too few decisions.
pub(super) fn errors(all: &[RolloutOutcome], policy: &RolloutPolicy, now: Timestamp) -> Errors {
    let since =
        now.saturating_sub(i64::try_from(policy.drift_minutes).unwrap_or(i64::MAX / MINUTE).saturating_mul(MINUTE));
    let recent = all.iter().rev().take_while(|one| one.at >= since).count();
    let window = &all[all.len() - recent.max(policy.drift_samples).min(all.len())..];
    let errors = |of: fn(&RolloutOutcome) -> f64| window.iter().map(|one| 1.0 - of(one)).collect::<Vec<_>>();
    let (candidate, active) = (errors(|one| one.candidate), errors(|one| one.active));
    Errors {
        count: window.len(),
        enough: window.len() >= policy.drift_samples,
        p95: p95(&candidate),
        mean: mean(candidate.iter().copied()),
        max: candidate.iter().copied().max_by(f64::total_cmp),
        wrong: candidate.iter().filter(|error| **error > 0.0).count(),
        active_p95: p95(&active),
        active_mean: mean(active.iter().copied()),
        limit: policy.drift_at,
    }
}

/// What must hold before the version may become active.
pub(super) fn gates(
    rollout: &Rollout,
    outcomes: &Outcomes,
    errors: &Errors,
    held_out: &[Option<Scores>],
    now: Timestamp,
) -> Result<Vec<Gate>> {
    let hours = (now - rollout.started_at) / HOUR;
    let needed = rollout.policy.shadow_hours;
    let age = Gate {
        name: "time as shadow or canary",
        passed: u64::try_from(hours).is_ok_and(|hours| hours >= needed),
        found: format!("{hours} of {needed} hours"),
    };
    let points = rollout.policy.margin * 100.0;
    let live = Gate {
        name: "live outcomes",
        passed: outcomes.is_not_worse && !outcomes.is_worse,
        found: match (outcomes.decided, outcomes.active, outcomes.candidate) {
            (0, ..) => "no decision yet on an input that both answered".into(),
            (decided, Some(active), Some(candidate)) => format!(
                "{decided} decisions: {:.1} % correct against {:.1} %; evidence (e-value) that \
                 it is not worse by more than {points:.0} points: {:.1} of {:.0}",
                100.0 * candidate,
                100.0 * active,
                outcomes.not_worse,
                outcomes.needed
            ),
            (decided, ..) => format!("{decided} decided"),
        },
    };
    let measured = match held_out {
        [Some(new), Some(old)] if new.truth == old.truth => Some(compare(new, old, SEED)?),
        _ => None,
    };
    let held_out = Gate {
        name: "held-out examples",
        passed: measured.as_ref().is_none_or(|found| found.difference >= 0.0),
        found: match measured {
            Some(found) => format!("{} {:.3} against {:.3}", found.metric, found.new, found.old),
            None => "checked when it is made active".into(),
        },
    };
    let drift = Gate {
        name: "errors",
        passed: !(errors.enough && errors.p95.is_some_and(|p95| p95 >= errors.limit)),
        found: match (errors.p95, errors.mean) {
            (Some(p95), Some(mean)) => format!(
                "95th percentile {p95:.2} (limit {:.2}), mean {mean:.2}, {} of {} not fully correct{}",
                errors.limit,
                errors.wrong,
                errors.count,
                if errors.enough { "" } else { "; too few to decide" }
            ),
            _ => "none known".into(),
        },
    };
    Ok(vec![age, live, held_out, drift])
}

/// Why a version must be taken back, if it must.
pub(super) fn reason_to_return(report: &RolloutReport) -> Option<String> {
    let (RolloutReport { outcomes, errors, rollout, .. }, failures) = (report, report.rollout.failures);
    if failures >= FAILURES && rollout.state.is_running() {
        return Some(format!("it failed to answer {failures} times"));
    }
    if outcomes.is_worse {
        return Some(format!(
            "it performs worse than {}: {} wins and {} losses on {} inputs with a decision (e-value {:.1}, needed {:.0})",
            rollout.against, outcomes.wins, outcomes.losses, outcomes.decided, outcomes.worse, outcomes.needed
        ));
    }
    match (errors.enough, errors.p95) {
        (true, Some(p95)) if p95 >= errors.limit => Some(format!(
            "its errors drifted: 95th percentile {p95:.2} (limit {:.2}) of {} decisions, {} not fully correct",
            errors.limit, errors.count, errors.wrong
        )),
        _ => None,
    }
}

/// What to do next.
pub(super) fn next(rollout: &Rollout, gates: &[Gate]) -> String {
    let open: Vec<&str> = gates.iter().filter(|gate| !gate.passed).map(|gate| gate.name).collect();
    match (rollout.state, open.is_empty()) {
        (RolloutState::Shadow | RolloutState::Canary, true) => "Make it active.".into(),
        (RolloutState::Shadow, false) => format!(
            "Not met yet: {}. Make it a canary for some requests, or wait and decide on more inputs.",
            open.join(", ")
        ),
        (RolloutState::Canary, false) => format!("Not met yet: {}. Wait and decide on more inputs.", open.join(", ")),
        (RolloutState::Promoted, _) => "It is active.".into(),
        (RolloutState::Stopped, _) => "It was stopped.".into(),
        (RolloutState::Returned, _) => "It was withdrawn. Check its errors before the next roll-out.".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(active: f64, candidate: f64, at: Timestamp) -> RolloutOutcome {
        RolloutOutcome { active, candidate, at }
    }

    #[test]
    fn window_is_one_hour_or_the_minimum_number_of_decisions() {
        let policy = RolloutPolicy { drift_samples: 10, ..RolloutPolicy::default() };
        let minutes = |count: i64| (0..count).map(|i| outcome(1.0, 0.5, i * MINUTE)).collect::<Vec<_>>();
        let now = 200 * MINUTE;
        assert_eq!(errors(&minutes(200), &policy, now).count, 60);
        let few = errors(&minutes(100), &policy, now);
        assert_eq!((few.count, few.enough), (10, true));
        let fewer = errors(&minutes(7), &policy, now);
        assert_eq!((fewer.count, fewer.enough, fewer.p95), (7, false, Some(0.5)));
        assert_eq!(errors(&[], &policy, now).p95, None);
    }

    #[test]
    fn percentile_uses_nearest_rank() {
        let values: Vec<f64> = (1..=100).map(f64::from).collect();
        assert_eq!(p95(&values), Some(95.0));
        assert_eq!((p95(&[0.3]), p95(&[0.0; 20])), (Some(0.3), Some(0.0)));
        // One wrong answer of twenty is within it, two are not.
        assert_eq!(p95(&[[0.0; 19].as_slice(), &[1.0]].concat()), Some(0.0));
        assert_eq!(p95(&[[0.0; 18].as_slice(), &[1.0; 2]].concat()), Some(1.0));
    }

    #[test]
    fn policies_out_of_range_are_refused() {
        let with = |change: fn(&mut RolloutPolicy)| {
            let mut policy = RolloutPolicy::default();
            change(&mut policy);
            check(&policy).is_ok()
        };
        assert!(with(|_| {}) && with(|p| p.share = 1.0));
        assert!(!with(|p| p.share = 1.1) && !with(|p| p.error_rate = 0.0) && !with(|p| p.margin = -0.1));
        assert!(!with(|p| p.drift_at = 0.0) && !with(|p| p.drift_samples = 0) && !with(|p| p.share = f64::NAN));
    }
}
