//! Reads columns of rows. Column names are static, so any test of a query finds a wrong one.

use std::str::FromStr;

use serde::de::DeserializeOwned;
use serde_json::Value;
use sqlx::any::{Any, AnyRow};
use sqlx::{Decode, Row, Type};

use crate::Error;

/// A column as it is stored.
pub(crate) fn get<'r, T>(row: &'r AnyRow, column: &'static str) -> Result<T, Error>
where
    T: Decode<'r, Any> + Type<Any>,
{
    Ok(row.try_get(column)?)
}

/// An integer, converted to the wanted type.
pub(crate) fn int<T: TryFrom<i64>>(row: &AnyRow, column: &'static str) -> Result<T, Error> {
    let value: i64 = get(row, column)?;
    T::try_from(value).map_err(|_| unreadable(column, "the number is out of range"))
}

/// An integer or null.
pub(crate) fn int_opt<T: TryFrom<i64>>(row: &AnyRow, column: &'static str) -> Result<Option<T>, Error> {
    let value: Option<i64> = get(row, column)?;
    value.map(|value| T::try_from(value).map_err(|_| unreadable(column, "the number is out of range"))).transpose()
}

/// A text that is parsed: a digest, or a value of an enum.
pub(crate) fn parsed<T: FromStr>(row: &AnyRow, column: &'static str) -> Result<T, Error>
where
    T::Err: std::error::Error + Send + Sync + 'static,
{
    let text: String = get(row, column)?;
    text.parse().map_err(|cause| Error::Damaged(Box::new(cause)))
}

/// Like [`parsed`], or null.
pub(crate) fn parsed_opt<T: FromStr>(row: &AnyRow, column: &'static str) -> Result<Option<T>, Error>
where
    T::Err: std::error::Error + Send + Sync + 'static,
{
    let text: Option<String> = get(row, column)?;
    text.map(|text| text.parse().map_err(|cause| Error::Damaged(Box::new(cause)))).transpose()
}

/// JSON stored as text.
pub(crate) fn json<T: DeserializeOwned>(row: &AnyRow, column: &'static str) -> Result<T, Error> {
    let text: String = get(row, column)?;
    serde_json::from_str(&text).map_err(|cause| Error::Damaged(Box::new(cause)))
}

/// JSON stored as text, or null.
pub(crate) fn json_opt(row: &AnyRow, column: &'static str) -> Result<Option<Value>, Error> {
    let text: Option<String> = get(row, column)?;
    text.map(|text| serde_json::from_str(&text).map_err(|cause| Error::Damaged(Box::new(cause)))).transpose()
}

fn unreadable(column: &'static str, problem: &str) -> Error {
    Error::Damaged(format!("column `{column}`: {problem}").into())
}

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
