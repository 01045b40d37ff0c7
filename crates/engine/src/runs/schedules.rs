//! Schedules: runs that are submitted at given times.

use croner::Cron;
use graft_core::Timestamp;
use graft_store::{Due, NewSchedule, RunFilter, RunKind, Schedule};
use jiff::{Zoned, tz::TimeZone};
use tracing::Level;

use super::{RunRequest, Runs, Say};
use crate::{Error, Result, clock::local_zone, error::Said, now};

impl Runs<'_> {
    /// Adds a schedule. `cron` has five fields (or six with seconds first); `zone` is a name such as `Europe/Berlin`,
    /// that of this machine without one.
    ///
    /// # Errors
    /// [`Error::BadSchedule`]; the name is taken; the task is unknown.
    pub async fn add_schedule(
        self,
        id: &str,
        cron: &str,
        zone: Option<&str>,
        request: &RunRequest,
        min_new: u64,
    ) -> Result<Schedule> {
        let task = self.engine.tasks().open(&request.task).await?.definition.name;
        let zone = zone.map_or_else(local_zone, str::to_owned);
        let next_at = next_time(cron, &zone, self.engine.store.now().await?)?;
        let request = graft_core::json::value(request);
        let new = NewSchedule { id, task: &task, cron, zone: &zone, request: &request, min_new, next_at };
        Ok(self.engine.store.add_schedule(new, &self.engine.by, now()).await?)
    }

    /// Every schedule, by id.
    ///
    /// # Errors
    /// Store errors.
    pub async fn schedules(self) -> Result<Vec<Schedule>> {
        Ok(self.engine.store.schedules().await?)
    }

    /// Removes a schedule; its runs stay.
    ///
    /// # Errors
    /// There is none of the id.
    pub async fn remove_schedule(self, id: &str) -> Result<Schedule> {
        Ok(self.engine.store.remove_schedule(id, &self.engine.by, now()).await?)
    }

    /// Submits the runs of schedules whose time has come; times that passed while nobody looked count once. Whoever
    /// else does the same at this moment, one run is submitted. A schedule that waits for longer than its pattern says
    /// was moved on by a clock that was ahead, and is reckoned again.
    pub(crate) async fn fire_schedules(self, say: &Say) -> Result<()> {
        let schedules = self.engine.store.schedules().await?;
        // Read after them, so that it isn't before a time at which another worker moved one on.
        let at = self.engine.store.now().await?;
        for schedule in schedules {
            let Some(due_at) = schedule.next_at else { continue };
            // A pattern that no longer can be read would otherwise be due for ever.
            let next_at = next_time(&schedule.cron, &schedule.zone, at).unwrap_or(None);
            let due = Due { schedule: &schedule.id, at: due_at, next_at };
            if due_at > at {
                if next_at.is_some_and(|next| next < due_at) {
                    self.put_off(due, "the clock was set back; the next time was recomputed", false, say).await?;
                }
                continue;
            }
            let outcome = match self.fire(&schedule, due).await {
                Ok(said) => Ok(said),
                Err(Error::Store(graft_store::Error::ScheduleMoved(_))) => continue,
                Err(error) => Err(error),
            };
            match outcome {
                Ok(said) => say(Level::INFO, &format!("schedule {}: {said}", schedule.id)),
                Err(error) => {
                    // A task that is trained just now needs nobody's help.
                    let failed = !matches!(error, Error::Store(graft_store::Error::RunActive { .. }));
                    self.put_off(due, &format!("failed to {error}"), failed, say).await?;
                }
            }
        }
        Ok(())
    }

    /// Advances a schedule without a run, unless another process did so, and stores the reason, and whether it failed.
    async fn put_off(self, due: Due<'_>, note: &str, failed: bool, say: &Say) -> Result<()> {
        say(Level::WARN, &format!("schedule {}: {note}", due.schedule));
        match self.engine.store.skip_schedule(due, note, failed, now()).await {
            Ok(()) | Err(graft_store::Error::ScheduleMoved(_)) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    async fn fire(self, schedule: &Schedule, due: Due<'_>) -> Result<String> {
        let request: RunRequest = serde_json::from_value(schedule.request.clone())
            .map_err(|source| Error::BadSpec { run: schedule.id.clone(), source })?;
        if let Some(note) = self.too_few(&request.task, schedule.min_new).await? {
            self.engine.store.skip_schedule(due, &note, false, now()).await?;
            return Ok(note);
        }
        if let Some(run) = self.engine.store.active_run(&request.task).await? {
            return Err(graft_store::Error::RunActive { task: run.task, run: run.id }.into());
        }
        let engine = self.engine.as_user(format!("schedule {}", schedule.id));
        let preflight = engine.runs().preflight(&request).await?;
        let run = engine.runs().submit_checked(&request, preflight, Some(due), None).await?;
        Ok(format!("run {} was submitted", run.id))
    }

    /// Why there is too little new for a run, if there is.
    async fn too_few(self, task: &str, wanted: u64) -> Result<Option<String>> {
        let filter = RunFilter {
            task: Some(task.to_owned()),
            kind: Some(RunKind::Train),
            limit: Some(1),
            ..RunFilter::default()
        };
        let Some(last) = self.engine.store.runs(&filter).await?.pop().filter(|_| wanted > 0) else { return Ok(None) };
        let new = self.engine.store.approved_beyond(task, &last.dataset).await?;
        Ok((new < wanted).then(|| format!("{new} new approvals since run {}, {wanted} are required", last.id)))
    }
}

/// The first time after `after`, if there is one in the next centuries.
fn next_time(cron: &str, zone: &str, after: Timestamp) -> Result<Option<Timestamp>> {
    let bad = |cause: String| Error::BadSchedule(format!("{cron} ({zone})"), Said(cause));
    let pattern: Cron = cron.parse().map_err(|error: croner::errors::CronError| bad(error.to_string()))?;
    let zone = TimeZone::get(zone).map_err(|error| bad(error.to_string()))?;
    let from = jiff::Timestamp::from_millisecond(after).map_err(|error| bad(error.to_string()))?;
    let next: Option<Zoned> = pattern.find_next_occurrence(&from.to_zoned(zone), false).ok();
    Ok(next.map(|next| next.timestamp().as_millisecond()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::iso8601;

    #[test]
    fn schedule_follows_time_zone_and_daylight_saving() {
        let next = |cron, zone, after| next_time(cron, zone, after).unwrap().map(iso8601).unwrap_or_default();
        let winter = 1_767_225_600_000; // 2026-01-01T00:00:00Z
        assert_eq!(next("0 3 * * *", "UTC", winter), "2026-01-01T03:00:00Z");
        assert_eq!(next("0 3 * * *", "Europe/Berlin", winter), "2026-01-01T02:00:00Z");
        assert_eq!(next("0 3 * * *", "Europe/Berlin", 1_782_864_000_000), "2026-07-01T01:00:00Z");
        assert_eq!(next("0 3 30 2 *", "UTC", winter), "");
        assert!(matches!(next_time("every day", "UTC", winter), Err(Error::BadSchedule(..))));
        assert!(matches!(next_time("0 3 * * *", "Mars/Olympus", winter), Err(Error::BadSchedule(..))));
    }
}
