//! What counts as a problem, and when it is over.

use graft_core::{RentalState, Timestamp, with_causes};
use graft_store::{Action, Alert, AlertKind, Change, Kind, RunFilter, RunState, Stage};
use serde_json::Value;

use super::Alerts;
use crate::{Result, serving, versions::Drift};

/// How long after its run, or after its limits, a rented machine may be terminated.
const GRACE: i64 = 10 * 60_000;
/// For so long drift that has gone may come back without another message.
const CALM: i64 = 24 * 3_600_000;
/// Characters of a cause that are quoted.
const QUOTED: usize = 600;

/// Something that people should know.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Problem {
    pub(super) kind: AlertKind,
    /// Empty if it concerns none.
    pub(super) task: String,
    /// Together with kind and task, what makes it the same problem.
    pub(super) subject: String,
    /// The version, run, machine or schedule.
    pub(super) about: String,
    pub(super) title: String,
    pub(super) why: String,
    pub(super) next: String,
    /// A path of the page.
    pub(super) link: String,
}

impl Problem {
    pub(super) fn is(&self, alert: &Alert) -> bool {
        alert.kind == self.kind && alert.task == self.task && alert.subject == self.subject
    }
}

/// The problems that stand at a moment.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Those of schedules and machines.
    pub(super) standing: Vec<Problem>,
    /// Those of active versions, if these were looked at.
    pub(super) drifting: Option<Vec<Problem>>,
}

/// What a change means for the problems.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Step {
    /// A problem began.
    Begin(Problem),
    /// Problems are over: that of the subject, or all of the kind and task.
    End { kind: AlertKind, task: String, subject: Option<String>, why: String },
}

impl Alerts<'_> {
    /// What an entry of the audit trail means.
    pub(super) async fn steps_of(self, change: &Change) -> Result<Vec<Step>> {
        if change.kind != Kind::Run || change.action != Action::State {
            return Ok(of_change(change));
        }
        let state = |state: RunState| change.after.as_ref().is_some_and(|after| after["state"] == state.name());
        if !state(RunState::Failed) && !state(RunState::Succeeded) {
            return Ok(Vec::new());
        }
        let run = match self.engine.store.run(&change.subject).await {
            Err(graft_store::Error::NoRun(_)) => return Ok(Vec::new()),
            run => run?,
        };
        // A study goes on without some of its trials; a live adapter that is paused says which run failed.
        if run.study.is_some() || run.created_by.starts_with("live ") {
            return Ok(Vec::new());
        }
        if state(RunState::Succeeded) {
            return Ok(vec![end(AlertKind::Run, &run.task, format!("Run `{}` has succeeded.", run.id))]);
        }
        let failure = run.failure.as_ref();
        let causes =
            failure.map(|failure| [std::slice::from_ref(&failure.message), &failure.causes].concat().join(": "));
        let hint = failure.and_then(|failure| failure.hint.clone());
        Ok(vec![Step::Begin(Problem {
            kind: AlertKind::Run,
            task: run.task.clone(),
            subject: run.id.clone(),
            about: run.id.clone(),
            title: format!("Run `{}` of task `{}` failed and is not retried.", run.id, run.task),
            why: because(&causes.unwrap_or_else(|| "no cause is known".into())),
            next: hint.map_or_else(|| "Read its log, then resume it.".into(), |hint| sentence(&hint)),
            link: format!("/runs/{}", run.id),
        })])
    }

    /// The problems that schedules and rented machines have at a time.
    pub(super) async fn standing(self, at: Timestamp) -> Result<Vec<Problem>> {
        let store = &self.engine.store;
        let mut found = Vec::new();
        for schedule in store.schedules().await?.into_iter().filter(|schedule| schedule.failed) {
            found.push(Problem {
                kind: AlertKind::Schedule,
                subject: schedule.id.clone(),
                title: format!("Schedule `{}` could not start a run of task `{}`.", schedule.id, schedule.task),
                why: because(&schedule.last_note.unwrap_or_default()),
                next: "Correct the cause; it tries again at its next time.".into(),
                link: "/settings".into(),
                about: schedule.id,
                task: schedule.task,
            });
        }
        for rental in store.rentals().await?.into_iter().filter(|rental| rental.state != RentalState::Ended) {
            let limits = self.engine.machines().rules()?.limits;
            let (since, why) = match store.run(&rental.run).await {
                Err(graft_store::Error::NoRun(_)) => {
                    (Some(rental.intended_at), format!("its run `{}` is gone", rental.run))
                }
                run => (run?.finished_at, format!("its run `{}` has ended", rental.run)),
            };
            let why = match since.filter(|since| at - since >= GRACE) {
                Some(_) => why,
                None if limits.are_reached(&rental, at - GRACE) => {
                    format!(
                        "its limit of {} minutes or {} is reached",
                        limits.minutes,
                        graft_core::dollars(rental.most_cents)
                    )
                }
                None => continue,
            };
            found.push(Problem {
                kind: AlertKind::Machine,
                task: String::new(),
                title: format!("The rented machine `{}` at {} is not terminated.", rental.name, rental.provider),
                why: because(&format!(
                    "{why}, and for more than {} minutes the provider has not confirmed that it is gone; it costs {} an hour",
                    GRACE / 60_000,
                    graft_core::dollars(u64::from(rental.cents_per_hour))
                )),
                next: format!("Look at {}'s own page, and terminate it there. Graft keeps trying.", rental.provider),
                link: format!("/runs/{}", rental.run),
                subject: rental.name.clone(),
                about: rental.name,
            });
        }
        Ok(found)
    }

    /// The active versions that drift.
    pub(super) async fn drifting(self) -> Result<Vec<Problem>> {
        let mut found = Vec::new();
        for version in self.engine.store.versions(None).await?.into_iter().filter(|one| one.stage == Stage::Active) {
            // A version that can't be looked at, because its task can't be read, must not hide the others.
            match self.engine.versions().drift_of(&version).await {
                Ok(drift) => found.extend(of_drift(&drift)),
                Err(error) => tracing::debug!("{}: {}", version.name, with_causes(&error)),
            }
        }
        Ok(found)
    }

    /// The runs of all tasks that failed at or after a time, newest first.
    pub(super) async fn failed_since(self, at: Timestamp) -> Result<Vec<graft_store::Run>> {
        let filter = RunFilter { state: Some(RunState::Failed), limit: Some(200), ..RunFilter::default() };
        let mut runs = self.engine.store.runs(&filter).await?;
        runs.retain(|run| run.study.is_none() && run.finished_at.is_some_and(|end| end >= at));
        Ok(runs)
    }
}

/// What an entry of the audit trail means, unless it is about a run.
fn of_change(change: &Change) -> Vec<Step> {
    let (task, subject) = (change.task.as_str(), change.subject.as_str());
    let after = change.after.as_ref().unwrap_or(&Value::Null);
    let why = after["why"].as_str().unwrap_or_default();
    let about_version = |kind, title: String, why: String, next: &str| {
        Step::Begin(Problem {
            kind,
            task: task.to_owned(),
            subject: String::new(),
            about: subject.to_owned(),
            title,
            why,
            next: next.to_owned(),
            link: format!("/versions?task={task}"),
        })
    };
    match (change.kind, change.action) {
        (Kind::Run, Action::Delete) => vec![Step::End {
            kind: AlertKind::Run,
            task: task.to_owned(),
            subject: Some(subject.to_owned()),
            why: format!("Run `{subject}` was deleted."),
        }],
        (Kind::Version, Action::Activate) => {
            let why = || format!("Version `{subject}` is active.");
            let kinds = [AlertKind::RolledBack, AlertKind::Withdrawn, AlertKind::Drift];
            kinds.map(|kind| end(kind, task, why())).into()
        }
        (Kind::Version, Action::Rollback) => {
            let drift = end(AlertKind::Drift, task, format!("Version `{subject}` answers again."));
            if !serving::is_own_rollback(&change.by) {
                let why = || format!("{} made version `{subject}` active again.", change.by);
                return vec![drift, end(AlertKind::RolledBack, task, why()), end(AlertKind::Withdrawn, task, why())];
            }
            let failed = change.before.as_ref().and_then(|before| before["active"].as_str()).unwrap_or("the last one");
            let Step::Begin(problem) = about_version(
                AlertKind::RolledBack,
                format!("Version `{failed}` of task `{task}` failed; `{subject}` answers again."),
                because(&serving::own_rollback_reason()),
                "Look for its errors in the server's log, and try it on some inputs before you make it active again.",
            ) else {
                return vec![drift];
            };
            // Another version that fails is another problem.
            vec![drift, Step::Begin(Problem { subject: failed.to_owned(), ..problem })]
        }
        (Kind::Version, Action::Set) => {
            let state = |field: &str| after[field].as_str().unwrap_or_default();
            match (state("rollout"), state("live"), state("state")) {
                ("returned", ..) => vec![about_version(
                    AlertKind::Withdrawn,
                    format!("Version `{subject}` of task `{task}` was withdrawn from its roll-out."),
                    because(why),
                    "Look at its wrong answers, and correct the examples or the training before the next roll-out.",
                )],
                ("shadow", ..) => {
                    vec![end(AlertKind::Withdrawn, task, format!("Version `{subject}` is being rolled out."))]
                }
                (_, "paused", _) if !why.is_empty() => vec![about_version(
                    AlertKind::Paused,
                    format!("The live adapter of task `{task}` is paused."),
                    because(why),
                    "Correct the cause, then resume it. New approvals are kept until then.",
                )],
                (_, "running", _) => vec![end(AlertKind::Paused, task, "The live adapter runs again.".into())],
                (_, _, "refused") if after["snapshot"].is_i64() => vec![about_version(
                    AlertKind::Snapshot,
                    format!("Snapshot {} of the live adapter of task `{task}` was refused.", after["snapshot"]),
                    because(why),
                    "Check the newest approvals: some may be wrong. The next snapshot starts from the one before.",
                )],
                (_, _, "accepted") if after["snapshot"].is_i64() => {
                    vec![end(AlertKind::Snapshot, task, format!("Snapshot {} was accepted.", after["snapshot"]))]
                }
                _ => Vec::new(),
            }
        }
        _ => Vec::new(),
    }
}

fn of_drift(drift: &Drift) -> Option<Problem> {
    use crate::versions::DriftState::Drifting;
    let signals = [
        (drift.overrides.state, &drift.overrides.text, drift.overrides.test),
        (drift.confidence.state, &drift.confidence.text, drift.confidence.test),
        (drift.inputs.state, &drift.inputs.text, drift.inputs.test),
        (drift.served.state, &drift.served.text, drift.served.test),
    ];
    let why: Vec<String> =
        signals.iter().filter(|one| one.0 == Drifting).map(|(_, text, test)| format!("{text} {test}")).collect();
    let version = drift.version.clone().filter(|_| !why.is_empty())?;
    Some(Problem {
        kind: AlertKind::Drift,
        task: drift.task.clone(),
        subject: version.clone(),
        title: format!("The active version `{version}` of task `{}` drifts.", drift.task),
        why: why.join("\n"),
        next: "Audit its least confident suggestions, then train on what you approved.".into(),
        link: format!("/audit?task={}", drift.task),
        about: version,
    })
}

/// Compares the problems of schedules, machines and versions that are open with those that stand now.
pub(super) fn compare(open: &[Alert], found: &Found, at: Timestamp) -> Vec<Step> {
    let standing = || found.standing.iter().chain(found.drifting.iter().flatten());
    let ended = open.iter().filter(|alert| {
        let was_looked_at = match alert.kind {
            AlertKind::Schedule | AlertKind::Machine => true,
            // Drift near its limit comes and goes.
            AlertKind::Drift => found.drifting.is_some() && at - alert.began_at >= CALM,
            _ => false,
        };
        was_looked_at && !standing().any(|problem| problem.is(alert))
    });
    let ended = ended.map(|alert| Step::End {
        kind: alert.kind,
        task: alert.task.clone(),
        subject: Some(alert.subject.clone()),
        why: match alert.kind {
            AlertKind::Schedule => "It works again, or was removed.",
            AlertKind::Machine => "The machine is gone.",
            _ => "It is within its limits again.",
        }
        .to_owned(),
    });
    ended.collect::<Vec<_>>().into_iter().chain(standing().cloned().map(Step::Begin)).collect()
}

fn end(kind: AlertKind, task: &str, why: String) -> Step {
    Step::End { kind, task: task.to_owned(), subject: None, why }
}

/// A cause as a sentence, cut to a length that fits a message.
fn because(why: &str) -> String {
    let mut short: String = why.chars().take(QUOTED).collect();
    if short.len() < why.len() {
        short.push('…');
    }
    format!("Why: {}", sentence(&short))
}

fn sentence(text: &str) -> String {
    let text = text.trim_end();
    if text.ends_with(['.', '…']) { text.to_owned() } else { format!("{text}.") }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn change(action: Action, by: &str, before: Value, after: Value) -> Change {
        Change {
            seq: 1,
            at: 5,
            by: by.into(),
            action,
            kind: Kind::Version,
            task: "mail".into(),
            subject: "v2".into(),
            before: Some(before),
            after: Some(after),
        }
    }

    /// Kinds of what begins (`+`) and ends (`-`).
    fn steps(action: Action, by: &str, after: Value) -> Vec<String> {
        let steps = of_change(&change(action, by, json!({"active": "v3"}), after));
        let named = |step: &Step| match step {
            Step::Begin(problem) => format!("+{}", problem.kind.name()),
            Step::End { kind, .. } => format!("-{}", kind.name()),
        };
        steps.iter().map(named).collect()
    }

    #[test]
    fn own_decisions_are_problems_and_those_of_people_are_not() {
        let set = |after| steps(Action::Set, "ada", after);
        assert_eq!(set(json!({"rollout": "returned", "why": "its errors drifted"})), ["+withdrawn"]);
        assert_eq!(set(json!({"rollout": "stopped", "why": "enough"})), [""; 0]);
        assert_eq!(set(json!({"rollout": "shadow", "against": "v1"})), ["-withdrawn"]);
        assert_eq!(set(json!({"live": "paused", "why": "run r1 ended as failed"})), ["+paused"]);
        assert_eq!(set(json!({"live": "paused", "why": null})), [""; 0]);
        assert_eq!(set(json!({"live": "running", "why": null})), ["-paused"]);
        assert_eq!(set(json!({"snapshot": 4, "state": "refused", "why": "it forgot"})), ["+snapshot"]);
        assert_eq!(set(json!({"snapshot": 5, "state": "accepted", "why": null})), ["-snapshot"]);
        assert_eq!(steps(Action::Rollback, "ada", json!({"active": "v2"})), ["-drift", "-rolled-back", "-withdrawn"]);
        assert_eq!(steps(Action::Rollback, "ada (serving)", json!({"active": "v2"})), ["-drift", "+rolled-back"]);
        assert_eq!(steps(Action::Activate, "ada", json!({"active": "v2"})), ["-rolled-back", "-withdrawn", "-drift"]);
    }

    #[test]
    fn rollback_names_both_versions_and_the_limit() {
        let steps =
            of_change(&change(Action::Rollback, "x (serving)", json!({"active": "v3"}), json!({"active": "v2"})));
        let [_, Step::Begin(problem)] = steps.as_slice() else { panic!("{steps:?}") };
        // `v2` may fail next, which is not the same.
        assert_eq!(problem.subject, "v3");
        assert_eq!(problem.title, "Version `v3` of task `mail` failed; `v2` answers again.");
        assert_eq!(problem.why, "Why: 3 of its first 10 requests failed, which is the limit.");
    }

    #[test]
    fn drift_that_comes_and_goes_is_told_once_a_day() {
        let problem = Problem {
            kind: AlertKind::Drift,
            task: "mail".into(),
            subject: "v1".into(),
            about: "v1".into(),
            title: String::new(),
            why: String::new(),
            next: String::new(),
            link: String::new(),
        };
        let open = Alert {
            id: 1,
            kind: AlertKind::Drift,
            task: "mail".into(),
            subject: "v1".into(),
            notice: Value::Null,
            began_at: 100,
            over_at: None,
        };
        let found = |drifting| Found { standing: Vec::new(), drifting };
        assert_eq!(compare(&[], &found(Some(vec![problem.clone()])), 100), [Step::Begin(problem)]);
        let none = found(Some(Vec::new()));
        assert!(compare(std::slice::from_ref(&open), &none, 100 + CALM - 1).is_empty());
        let unknown = compare(std::slice::from_ref(&open), &found(None), 100 + CALM);
        assert!(unknown.is_empty(), "drift was not looked at");
        let ended = compare(std::slice::from_ref(&open), &none, 100 + CALM);
        assert!(matches!(&ended[..], [Step::End { subject: Some(version), .. }] if version == "v1"), "{ended:?}");
        // Those of the trail end by the trail alone.
        let withdrawn = Alert { kind: AlertKind::Withdrawn, ..open };
        assert!(compare(&[withdrawn], &none, 100 + 2 * CALM).is_empty());
    }

    #[test]
    fn long_causes_are_cut() {
        let cut = because(&"ü".repeat(2 * QUOTED));
        assert!(cut.ends_with("ü…") && cut.chars().count() == "Why: ".len() + QUOTED + 1);
        assert_eq!(because("it failed. "), "Why: it failed.");
    }
}
