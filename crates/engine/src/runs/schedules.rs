//! Schedules: runs that are submitted at given times.

use croner::Cron;
use graft_core::Timestamp;
use graft_store::{Due, NewSchedule, RunFilter, RunKind, RunState, Schedule};
use jiff::{Zoned, tz::TimeZone};
use tracing::Level;

use super::{Preflight, RunRequest, Runs, Say};
use crate::{Engine, Error, Result, clock::local_zone, error::Said, now};

/// When a schedule submits its run: at times, after so many approvals, or whichever comes first.
#[derive(Clone, Copy, Debug, Default)]
pub struct ScheduleConditions<'a> {
    /// A pattern of five fields (or six with seconds first); empty: at no times.
    pub cron: &'a str,
    /// Its time zone, such as `Europe/Berlin`; that of this machine without one.
    pub zone: Option<&'a str>,
    /// Least number of approvals since the task's last run, at these times.
    pub min_new: u64,
    /// Number of approvals since the task's last run that submits a run at any time; 0: none does.
    pub after_new: u64,
    /// Submit at these times although nothing has changed since the task's last run.
    pub even_unchanged: bool,
}

impl Runs<'_> {
    /// Adds a schedule.
    ///
    /// # Errors
    /// [`Error::BadSchedule`]; the name is taken; the task is unknown.
    pub async fn add_schedule(self, id: &str, when: ScheduleConditions<'_>, request: &RunRequest) -> Result<Schedule> {
        let ScheduleConditions { cron, zone, min_new, after_new, even_unchanged } = when;
        if cron.is_empty() && after_new == 0 {
            let why = "it has neither times nor a number of approvals".to_owned();
            return Err(Error::BadSchedule(id.to_owned(), Said(why)));
        }
        let task = self.engine.tasks().open(&request.task).await?.definition.name;
        if let Some(version) = &request.version {
            self.engine.store.check_new_version(&task, version).await?;
        }
        let zone = zone.map_or_else(local_zone, str::to_owned);
        let next_at = next_time(cron, &zone, self.engine.store.now().await?)?;
        let request = graft_core::json::value(request);
        let zone = zone.as_str();
        let new =
            NewSchedule { id, task: &task, cron, zone, request: &request, min_new, after_new, even_unchanged, next_at };
        Ok(self.engine.store.add_schedule(new, &self.engine.by, now()).await?)
    }

    /// Every schedule, by id.
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

    /// Submits the runs of schedules whose time has come, or for which enough is approved; times that passed while nobody
    /// looked count once. Whoever else does the same at this moment, one run is submitted. A schedule that waits for longer
    /// than its pattern says was moved on by a clock that was ahead, and its time is computed again.
    ///
    /// `seen` is the newest change of the last call: without another one, no approvals are counted.
    pub(crate) async fn fire_schedules(self, seen: &mut i64, say: &Say) -> Result<()> {
        let schedules = self.engine.store.schedules().await?;
        let newest = match schedules.iter().any(|schedule| schedule.after_new > 0) {
            true => self.engine.store.newest_change().await?,
            false => *seen,
        };
        // Read after them, so that it isn't before a time at which another worker moved one on.
        let at = self.engine.store.now().await?;
        for schedule in schedules {
            // A pattern that no longer can be read would otherwise be due for ever.
            let next_at = next_time(&schedule.cron, &schedule.zone, at).unwrap_or(None);
            let due = Due { schedule: &schedule.id, at: schedule.next_at, next_at };
            let outcome = match schedule.next_at {
                Some(due_at) if due_at <= at => self.fire(&schedule, due).await.map(Some),
                Some(due_at) if next_at.is_some_and(|next| next < due_at) => {
                    self.put_off(due, "the clock was set back; the next time was recomputed", false, say).await?;
                    continue;
                }
                _ if newest != *seen => self.fire_early(&schedule).await,
                _ => continue,
            };
            match outcome {
                Ok(Some(said)) => say(Level::INFO, &format!("schedule {}: {said}", schedule.id)),
                Ok(None) | Err(Error::Store(graft_store::Error::ScheduleMoved(_))) => {}
                Err(error) => {
                    // A task that is trained just now needs nobody's help.
                    let failed = !matches!(error, Error::Store(graft_store::Error::RunActive { .. }));
                    let is_time = schedule.next_at.is_some_and(|due_at| due_at <= at);
                    let due = if is_time { due } else { Due { next_at: due.at, ..due } };
                    self.put_off(due, &format!("failed to {error}"), failed, say).await?;
                }
            }
        }
        *seen = newest;
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

    /// Submits the run of a time that has come; says what became of it.
    async fn fire(self, schedule: &Schedule, due: Due<'_>) -> Result<String> {
        let request = request_of(schedule)?;
        let skip = async |note: String| {
            self.engine.store.skip_schedule(due, &note, false, now()).await?;
            Ok(note)
        };
        if let Some(note) = self.too_few(&request.task, schedule.min_new).await? {
            return skip(note).await;
        }
        let (engine, preflight) = self.check(schedule, &request).await?;
        if !schedule.even_unchanged
            && let Some(plan) = &preflight.plan
            && let Some(last) = self.same(plan).await?
        {
            return skip(format!("nothing has changed since run {}", last.id)).await;
        }
        let run = engine.runs().submit_checked(&request, preflight, Some(due), None).await?;
        Ok(format!("run {} was submitted", run.id))
    }

    /// Submits the run of a schedule for which enough is approved, whatever the time.
    async fn fire_early(self, schedule: &Schedule) -> Result<Option<String>> {
        let store = &self.engine.store;
        if schedule.after_new == 0
            || store.active_run(&schedule.task).await?.is_some()
            || self.too_few(&schedule.task, schedule.after_new).await?.is_some()
        {
            return Ok(None);
        }
        let request = request_of(schedule)?;
        let (engine, preflight) = self.check(schedule, &request).await?;
        // The same approvals submit one run, whoever sees them, and however it ends.
        let key =
            preflight.plan.as_ref().map(|plan| format!("schedule {} {}", schedule.id, plan.prepared.dataset.digest));
        if store.requested_run(key.as_deref()).await?.is_some() {
            return Ok(None);
        }
        let due = Due { schedule: &schedule.id, at: schedule.next_at, next_at: schedule.next_at };
        let run = engine.runs().submit_checked(&request, preflight, Some(due), key.as_deref()).await?;
        Ok(Some(format!("run {} was submitted", run.id)))
    }

    /// Checks the request of a schedule, in its name.
    async fn check(self, schedule: &Schedule, request: &RunRequest) -> Result<(Engine, Preflight)> {
        if let Some(run) = self.engine.store.active_run(&request.task).await? {
            return Err(graft_store::Error::RunActive { task: run.task, run: run.id }.into());
        }
        let engine = self.engine.as_user(format!("schedule {}", schedule.id));
        let preflight = engine.runs().preflight(request).await?;
        Ok((engine, preflight))
    }

    /// Why there is too little new for a run, if there is.
    async fn too_few(self, task: &str, wanted: u64) -> Result<Option<String>> {
        if wanted == 0 {
            return Ok(None);
        }
        let filter = RunFilter {
            task: Some(task.to_owned()),
            kind: Some(RunKind::Train),
            // What failed has not learned them.
            state: Some(RunState::Succeeded),
            limit: Some(1),
            ..RunFilter::default()
        };
        let Some(last) = self.engine.store.runs(&filter).await?.pop() else {
            let counts = self.engine.store.example_counts().await?;
            let new = counts.get(task).map_or(0, |counts| counts.approved);
            return Ok((new < wanted).then(|| format!("{new} approvals, {wanted} are required")));
        };
        let new = self.engine.store.approved_beyond(task, &last.dataset).await?;
        Ok((new < wanted).then(|| format!("{new} new approvals since run {}, {wanted} are required", last.id)))
    }
}

fn request_of(schedule: &Schedule) -> Result<RunRequest> {
    serde_json::from_value(schedule.request.clone())
        .map_err(|source| Error::BadSpec { run: schedule.id.clone(), source })
}

/// The first time after `after`, if there is one in the next centuries.
fn next_time(cron: &str, zone: &str, after: Timestamp) -> Result<Option<Timestamp>> {
    if cron.is_empty() {
        return Ok(None);
    }
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
