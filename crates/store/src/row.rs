//! Reads rows. Column names are static, so any test of a query finds a wrong one.

use std::collections::BTreeMap;

use graft_core::{Digest, Event, Failure, Launcher, TaskCard};
use serde_json::Value;
use sqlx::any::AnyRow;
use sqlx::{Row, ValueRef};

use crate::{Error, LiveSettings, RolloutPolicy, SnapshotExamples, Upstream};

/// A type that is read from a column.
pub(crate) trait Column: Sized {
    /// The value of a column.
    fn read(row: &AnyRow, column: &str) -> Result<Self, sqlx::Error>;
}

/// The value of a column.
pub(crate) fn get<T: Column>(row: &AnyRow, column: &str) -> Result<T, sqlx::Error> {
    T::read(row, column)
}

/// Types that are stored as they are.
macro_rules! plain {
    ($($type:ty)*) => {$(
        impl Column for $type {
            fn read(row: &AnyRow, column: &str) -> Result<Self, sqlx::Error> {
                row.try_get(column)
            }
        }
    )*};
}

/// Types that are converted from how they are stored: an integer, a text that is parsed, JSON as text.
macro_rules! converted {
    ($convert:expr, $($type:ty)*) => {$(
        impl $crate::row::Column for $type {
            fn read(row: &sqlx::any::AnyRow, column: &str) -> Result<Self, sqlx::Error> {
                let convert = $convert;
                convert(sqlx::Row::try_get(row, column)?)
                    .map_err(|cause| sqlx::Error::ColumnDecode { index: column.to_owned(), source: Box::new(cause) })
            }
        }
    )*};
}
pub(crate) use converted;

plain!(String i64 f64);
converted!(|stored: i64| Self::try_from(stored), u16 u32 u64 usize i32);
converted!(|stored: String| stored.parse::<Self>(), Digest);
converted!(|stored: String| serde_json::from_str(&stored), Value TaskCard Launcher Failure Event
    Vec<String> Vec<u64> Vec<Option<Value>> BTreeMap<String, f64> LiveSettings RolloutPolicy
    SnapshotExamples Upstream);

impl Column for bool {
    fn read(row: &AnyRow, column: &str) -> Result<Self, sqlx::Error> {
        Ok(i64::read(row, column)? != 0)
    }
}

impl<T: Column> Column for Option<T> {
    fn read(row: &AnyRow, column: &str) -> Result<Self, sqlx::Error> {
        if row.try_get_raw(column)?.is_null() { Ok(None) } else { T::read(row, column).map(Some) }
    }
}

/// Makes a struct readable with `sqlx::query_as`: each field from the column of its name, from the column after `=`, or by
/// the function after `:`.
macro_rules! from_row {
    ($type:ident { $($field:ident $(= $column:literal)? $(: $read:expr)?),* $(,)? }) => {
        impl sqlx::FromRow<'_, sqlx::any::AnyRow> for $type {
            fn from_row(row: &sqlx::any::AnyRow) -> Result<Self, sqlx::Error> {
                Ok(Self { $($field: from_row!(row, $field $(= $column)? $(: $read)?)?),* })
            }
        }
    };
    ($row:ident, $field:ident) => { $crate::row::Column::read($row, stringify!($field)) };
    ($row:ident, $field:ident = $column:literal) => { $crate::row::Column::read($row, $column) };
    ($row:ident, $field:ident: $read:expr) => { $read($row) };
}
pub(crate) use from_row;

/// A count as an SQL integer.
pub(crate) fn big(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// Free text that both databases accept: Postgres refuses NUL characters.
pub(crate) fn text(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

/// Refuses names that are not valid file names or look like a command-line option.
pub(crate) fn check_name(what: &'static str, name: &str) -> Result<(), Error> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    let first = name.chars().next().is_some_and(|c| c.is_ascii_alphanumeric());
    if first && name.len() <= 100 && name.chars().all(plain) {
        Ok(())
    } else {
        Err(Error::BadName { what, name: name.to_owned() })
    }
}
