//! The daily digest: what waits for people, and what happened since the last one.

use std::{collections::BTreeMap, fmt};

use graft_core::Timestamp;
use graft_notify::{Notice, NoticeState};
use jiff::{civil, tz::TimeZone};
use serde::Serialize;
use serde_json::json;

use super::{Alerts, LEASE};
use crate::{DriftState, Result, TaskOverview, clock::local_zone};

/// The reader of days.
const DAYS: &str = "digest";
/// Suspects of more approved examples than this take too long to find.
const MANY: u64 = 5000;

/// When the digest is sent.
#[derive(Clone)]
pub(crate) struct Digest {
    time: civil::Time,
    zone: TimeZone,
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.time, self.zone.iana_name().unwrap_or("?"))
    }
}

/// What a digest says of one task.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct TaskDigest {
    task: String,
    /// Examples that wait to be audited.
    pending: u64,
    /// Examples that were approved or edited since the last digest.
    approved: u64,
    /// Approved examples that contradict each other or a confident model; absent if there are too many to check.
    suspects: Option<usize>,
    /// The active version.
    version: Option<String>,
    /// Its deciding metric on the held-out examples.
    score: Option<(String, f64)>,
    drift: DriftState,
    /// Runs that failed since the last digest.
    failed_runs: Vec<String>,
}

impl Digest {
    pub(super) fn parse(time: &str, zone: Option<String>) -> Result<Self> {
        let refuse = |setting, reason| graft_notify::Error::Setting { setting, reason };
        let time = time.parse().map_err(|_| refuse("GRAFT_DIGEST", format!("`{time}` is not a time such as 08:00")))?;
        let name = zone.unwrap_or_else(local_zone);
        let zone = TimeZone::get(&name);
        let zone = zone.map_err(|_| refuse("GRAFT_DIGEST_ZONE", format!("`{name}` is not a time zone such as UTC")))?;
        Ok(Self { time, zone })
    }

    /// The last day whose digest is due at a time, as a number such as 20260131, and when it was due.
    fn last_due(&self, at: Timestamp) -> Option<(i64, Timestamp)> {
        let now = jiff::Timestamp::from_millisecond(at).ok()?.to_zoned(self.zone.clone());
        let due = |date: civil::Date| Some(date.to_datetime(self.time).to_zoned(self.zone.clone()).ok()?.timestamp());
        let mut date = now.date();
        if due(date)? > now.timestamp() {
            date = date.yesterday().ok()?;
        }
        let day = (i64::from(date.year()) * 100 + i64::from(date.month())) * 100 + i64::from(date.day());
        Some((day, due(date)?.as_millisecond()))
    }

    /// When the digest of a day was due.
    fn due_at(&self, day: i64) -> Option<Timestamp> {
        let part = |number: i64| i8::try_from(number % 100).ok();
        let date = civil::Date::new(i16::try_from(day / 10_000).ok()?, part(day / 100)?, part(day)?).ok()?;
        Some(date.to_datetime(self.time).to_zoned(self.zone.clone()).ok()?.timestamp().as_millisecond())
    }
}

impl Alerts<'_> {
    /// Stores the digest of a day once its time has come, whichever process is first. Days that passed while nobody
    /// looked have one digest together.
    pub(super) async fn tell_digest(self, at: Timestamp) -> Result<()> {
        let Some((digest, (day, due))) = self.engine.receivers.digest.as_ref().and_then(|d| Some((d, d.last_due(at)?)))
        else {
            return Ok(());
        };
        let store = &self.engine.store;
        // The day of a clock that was ahead does not count; that of another time zone or hour does.
        let is_told =
            |cursor: i64| cursor >= day && digest.due_at(cursor).is_none_or(|told| told <= at + 2 * 86_400_000);
        if store.notifier(DAYS).await?.is_some_and(|known| is_told(known.cursor)) {
            return Ok(());
        }
        let is_gone = |owner: &str| self.engine.is_gone(owner);
        // The day on which it is switched on has none.
        let claimed = store.claim_notifier((DAYS, day), &self.engine.me, LEASE, is_gone).await?;
        let Some(mut known) = claimed else { return Ok(()) };
        let mut notices = Vec::new();
        if !is_told(known.cursor) {
            let since = digest.due_at(known.cursor).filter(|since| *since < due).unwrap_or(due - 86_400_000);
            notices.extend(self.digest(day, since, at).await?.map(|notice| (format!("digest-{day}"), json!(notice))));
            known.cursor = day;
        }
        store.save_notifier(&known, &self.engine.me, &[], &notices, at).await?;
        Ok(())
    }

    /// The digest; none if nothing waits and nothing happened.
    async fn digest(self, day: i64, since: Timestamp, at: Timestamp) -> Result<Option<Notice>> {
        let approved: BTreeMap<String, u64> = self.engine.store.approvals_since(since).await?.into_iter().collect();
        let failed = self.failed_since(since).await?;
        let mut tasks = Vec::new();
        for task in self.engine.upkeep().overview(false).await? {
            let runs = failed.iter().filter(|run| run.task == task.name).map(|run| run.id.clone()).collect();
            let one = self.digest_of(&task, approved.get(&task.name).copied().unwrap_or(0), runs).await?;
            tasks.extend(Some(one).filter(TaskDigest::is_worth_reading));
        }
        let alerts = self.engine.store.open_alerts().await?;
        if tasks.is_empty() && alerts.is_empty() {
            return Ok(None);
        }
        let mut lines: Vec<String> = tasks.iter().map(TaskDigest::line).collect();
        lines.extend(
            alerts.iter().filter_map(|alert| Some(format!("- still open: {}", alert.notice["title"].as_str()?))),
        );
        let pending: u64 = tasks.iter().map(|task| task.pending).sum();
        let date = format!("{}-{:02}-{:02}", day / 10_000, day / 100 % 100, day % 100);
        Ok(Some(Notice {
            id: String::new(),
            at,
            state: NoticeState::Digest,
            kind: "digest".into(),
            task: None,
            subject: None,
            title: format!("Graft on {date}: {}.", examples_wait(pending)),
            why: lines.join("\n"),
            next: if pending > 0 { "Audit what waits.".into() } else { String::new() },
            link: self.link(if pending > 0 { "/audit" } else { "/" }),
            details: json!({"date": date, "since": since, "tasks": tasks, "open": alerts}),
        }))
    }

    async fn digest_of(self, task: &TaskOverview, approved: u64, failed_runs: Vec<String>) -> Result<TaskDigest> {
        let suspects = match task.counts.approved {
            0 => Some(0),
            few if few <= MANY => {
                // A parser that does not work must not cost the whole digest.
                let found = self.engine.evaluations().suspects(&task.name).await.ok();
                found.map(|found| found.summary().map_or(0, |(count, _)| count))
            }
            _ => None,
        };
        let scores = task.active.as_ref().and_then(|version| version.scores.as_ref());
        let score = scores.map(|scores| (scores.metric.name.replace('_', " "), scores.metric.value));
        let drift = match &task.active {
            // Nor must a version whose task can't be read.
            Some(version) => {
                let drift = self.engine.versions().drift(&task.name, Some(&version.name)).await;
                drift.map_or(DriftState::Unknown, |drift| drift.state)
            }
            None => DriftState::Unknown,
        };
        Ok(TaskDigest {
            task: task.name.clone(),
            pending: task.counts.pending,
            approved,
            suspects,
            version: task.active.as_ref().map(|version| version.name.clone()),
            score,
            drift,
            failed_runs,
        })
    }
}

impl TaskDigest {
    /// Whether something waits, or happened.
    fn is_worth_reading(&self) -> bool {
        self.pending > 0
            || self.approved > 0
            || self.suspects.is_some_and(|count| count > 0)
            || self.drift == DriftState::Drifting
            || !self.failed_runs.is_empty()
    }

    fn line(&self) -> String {
        let mut parts = vec![examples_wait(self.pending), format!("{} approved", self.approved)];
        parts.extend(self.suspects.filter(|count| *count > 0).map(|count| format!("{count} suspect")));
        parts.push(match (&self.version, &self.score) {
            (None, _) => "no active version".into(),
            (Some(version), None) => format!("version {version}"),
            (Some(version), Some((metric, value))) => format!("version {version} ({metric} {:.1} %)", 100.0 * value),
        });
        if self.version.is_some() {
            parts.push(format!("drift: {}", self.drift.name()));
        }
        if !self.failed_runs.is_empty() {
            parts.push(format!("failed runs: {}", self.failed_runs.join(", ")));
        }
        format!("- {}: {}", self.task, parts.join(", "))
    }
}

fn examples_wait(count: u64) -> String {
    match count {
        0 => "no example waits to be audited".into(),
        1 => "1 example waits to be audited".into(),
        _ => format!("{count} examples wait to be audited"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::iso8601;

    #[test]
    fn digest_is_due_once_a_day_at_its_time() {
        let digest = Digest::parse("08:00", Some("Europe/Berlin".into())).unwrap();
        let due = |at: &str| {
            let at: jiff::Timestamp = at.parse().unwrap();
            digest.last_due(at.as_millisecond()).map(|(day, due)| (day, iso8601(due))).unwrap()
        };
        assert_eq!(due("2026-01-02T06:59:59Z"), (20_260_101, "2026-01-01T07:00:00Z".into()));
        assert_eq!(due("2026-01-02T07:00:00Z"), (20_260_102, "2026-01-02T07:00:00Z".into()));
        // In summer an hour earlier.
        assert_eq!(due("2026-07-02T06:00:00Z"), (20_260_702, "2026-07-02T06:00:00Z".into()));
        assert_eq!(digest.due_at(20_260_702).map(iso8601), Some("2026-07-02T06:00:00Z".into()));
        assert!(Digest::parse("8 o'clock", None).is_err() && Digest::parse("08:00", Some("Mars".into())).is_err());
    }

    #[test]
    fn quiet_task_is_left_out() {
        let quiet = TaskDigest {
            task: "mail".into(),
            pending: 0,
            approved: 0,
            suspects: Some(0),
            version: Some("v2".into()),
            score: Some(("exact".into(), 0.915)),
            drift: DriftState::Stable,
            failed_runs: Vec::new(),
        };
        assert!(!quiet.is_worth_reading());
        let busy = TaskDigest { pending: 3, approved: 4, suspects: Some(2), failed_runs: vec!["r1".into()], ..quiet };
        assert!(busy.is_worth_reading());
        assert_eq!(
            busy.line(),
            "- mail: 3 examples wait to be audited, 4 approved, 2 suspect, version v2 (exact 91.5 %), drift: stable, \
             failed runs: r1"
        );
    }
}
