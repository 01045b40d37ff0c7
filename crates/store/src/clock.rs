//! The database's time, and the clock by which leases are measured.

use std::{
    sync::{Mutex, PoisonError},
    time::{Instant, SystemTime, UNIX_EPOCH},
};

use graft_core::Timestamp;
use sqlx::AnyConnection;

use crate::database::Dialect;
use crate::{Error, Store, row};

/// A reading of the lease clock. Readings of different clocks can't be compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reading {
    /// Identifies the clock.
    pub(crate) clock: String,
    /// Milliseconds since the clock started.
    pub(crate) at: i64,
}

/// How far this machine's clock may move against the time since it booted and still count as the same clock, in
/// milliseconds: corrections by a time server are smaller.
const DRIFT: i64 = 3_600_000;

/// How long nothing is deleted by its age after the clock was set, in milliseconds.
const SETTLING: i64 = 24 * 3_600_000;

/// Notices when this machine's clock is set while the process runs. What is deleted by its age must not be deleted
/// because a clock was ahead for a while.
#[derive(Debug)]
pub(crate) struct Steadiness {
    began: Instant,
    /// The clock minus the time since boot when that last changed, and the time since boot then, if it changed.
    seen: Mutex<(i64, Option<i64>)>,
}

impl Steadiness {
    pub(crate) fn new() -> Self {
        let began = Instant::now();
        Self { began, seen: Mutex::new((wall() - running(began), None)) }
    }

    fn is_steady(&self) -> bool {
        let running = running(self.began);
        is_steady(&mut self.seen.lock().unwrap_or_else(PoisonError::into_inner), wall(), running)
    }
}

fn is_steady(seen: &mut (i64, Option<i64>), wall: i64, running: i64) -> bool {
    let offset = wall - running;
    if (offset - seen.0).abs() > DRIFT {
        *seen = (offset, Some(running));
    }
    seen.1.is_none_or(|set| running - set >= SETTLING)
}

/// Milliseconds since 1970 by this machine's clock.
fn wall() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// Milliseconds that nobody can set: since boot, or since `began` where that isn't known.
fn running(began: Instant) -> i64 {
    since_boot().map_or_else(|| i64::try_from(began.elapsed().as_millis()).unwrap_or(i64::MAX), |reading| reading.at)
}

impl Store {
    /// Whether this machine's clock was not set by more than an hour within the last day, as far as this process saw:
    /// only then may anything be deleted because it is old.
    #[must_use]
    pub fn clock_is_steady(&self) -> bool {
        self.steadiness.is_steady()
    }

    /// The database's time: the server's time on Postgres, this machine's time on SQLite.
    ///
    /// # Errors
    /// When the database doesn't answer.
    pub async fn now(&self) -> Result<Timestamp, Error> {
        Ok(sqlx::query_scalar(time(self.dialect)).fetch_one(&self.read).await?)
    }
}

pub(crate) fn time(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Sqlite => "select cast((julianday('now') - 2440587.5) * 86400000 as integer) as at",
        Dialect::Postgres => "select cast(extract(epoch from clock_timestamp()) * 1000 as bigint) as at",
    }
}

/// Reads the lease clock. On Postgres it is the server's clock, which all clients share. A SQLite file is used by one
/// machine only, so its clock is the time since that machine booted, which nobody can set.
pub(crate) async fn read(connection: &mut AnyConnection, dialect: Dialect) -> Result<Reading, Error> {
    if dialect == Dialect::Sqlite
        && let Some(reading) = since_boot()
    {
        return Ok(reading);
    }
    let row = sqlx::query(time(dialect)).fetch_one(connection).await?;
    Ok(Reading { clock: "database".into(), at: row::get(&row, "at")? })
}

#[cfg(target_os = "linux")]
fn since_boot() -> Option<Reading> {
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    Some(Reading { clock: boot.trim().to_owned(), at: time.tv_sec * 1000 + time.tv_nsec / 1_000_000 })
}

#[cfg(not(target_os = "linux"))]
fn since_boot() -> Option<Reading> {
    None
}

#[cfg(test)]
mod tests {
    use super::is_steady;

    const HOUR: i64 = 3_600_000;

    #[test]
    fn clock_that_was_set_is_not_steady_for_a_day() {
        let (wall, mut seen) = (1_000_000 * HOUR, (1_000_000 * HOUR, None));
        assert!(is_steady(&mut seen, wall + 50 * HOUR, 50 * HOUR));
        assert!(is_steady(&mut seen, wall + 50 * HOUR + HOUR / 2, 50 * HOUR), "a time server corrects it");
        // Ten years ahead for a moment.
        assert!(!is_steady(&mut seen, wall + 87_600 * HOUR, 51 * HOUR));
        assert!(!is_steady(&mut seen, wall + 52 * HOUR, 52 * HOUR));
        assert!(!is_steady(&mut seen, wall + 75 * HOUR, 75 * HOUR));
        assert!(is_steady(&mut seen, wall + 76 * HOUR, 76 * HOUR));
    }
}
