//! The database's time, and the clock that leases are measured by.

use graft_core::Timestamp;
use sqlx::AnyConnection;

use crate::database::Dialect;
use crate::{Error, Store, row};

/// A reading of a clock that leases are measured by. Readings of different clocks can't be compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reading {
    /// Which clock.
    pub(crate) clock: String,
    /// Milliseconds since its start.
    pub(crate) at: i64,
}

impl Store {
    /// The database's time: that of its server, or of this machine for a file.
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

/// Reads the clock of leases: a server's own, which all its clients share; for a file, which only one machine uses,
/// the time since that machine started, which nobody can set.
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
