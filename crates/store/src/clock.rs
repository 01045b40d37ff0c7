//! The database's time, and the clock by which leases are measured.

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

impl Store {
    /// The database's time: the server's time on Postgres, this machine's time on SQLite.
    ///
    /// # Errors
    /// When the database doesn't answer.
    pub async fn now(&self) -> Result<Timestamp, Error> {
        row::get(&sqlx::query(time(self.dialect)).fetch_one(&self.read).await?, "at")
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
