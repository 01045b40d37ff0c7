//! Parses a configuration file. Each invalid line is reported by its number, and the valid rest is used.

use std::{collections::BTreeMap, fs, path::Path};

use graft_core::has_password;
use graft_engine::Error;
use toml::Spanned;

use super::{KEYS, Kept, Origin};
use crate::failure::{Failure, Result};

/// Values by the names of their keys.
type Values = Vec<(&'static str, (String, Origin))>;

/// The values of a file, if it is there, and what is wrong with it.
pub(super) fn read(path: &Path, secrets: bool) -> (Values, Vec<Failure>) {
    let (mut values, mut problems) = (Vec::new(), Vec::new());
    match table(path, secrets) {
        Ok((text, table)) => {
            for (name, value) in table {
                let line = text[..name.span().start].matches('\n').count() + 1;
                match one(name.get_ref(), &value, secrets) {
                    Ok((key, value)) => values.push((key, (value, Origin::File(path.to_owned(), line)))),
                    Err((what, hint)) => problems.push(bad(path, Some(line), &what, hint)),
                }
            }
        }
        Err(problem) => problems.push(problem),
    }
    (values, problems)
}

type Table = BTreeMap<Spanned<String>, toml::Value>;

fn table(path: &Path, secrets: bool) -> Result<(String, Table)> {
    let text = match fs::read_to_string(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Default::default()),
        text => text.map_err(|source| Error::Io { doing: "read", path: path.to_owned(), source })?,
    };
    if secrets {
        check_private(path)?;
    }
    let table = toml::from_str(&text).map_err(|error| {
        let line = error.span().map(|span| text[..span.start.min(text.len())].matches('\n').count() + 1);
        // What the parser says may show what stands there, and secrets must not be shown.
        let said = if secrets { "it is not TOML" } else { error.message() };
        bad(path, line, said, "write `key = value`, and put texts in quotes".to_owned())
    })?;
    Ok((text, table))
}

/// A key of Graft's with its value as text, or what is wrong with it and what to do.
fn one(
    name: &str,
    value: &toml::Value,
    secrets: bool,
) -> std::result::Result<(&'static str, String), (String, String)> {
    let Some(key) = KEYS.iter().find(|key| key.name == name && key.belongs_into(secrets)) else {
        let names = |secrets| {
            let keys = KEYS.iter().filter(|key| key.belongs_into(secrets));
            keys.map(|key| key.name).collect::<Vec<_>>().join(", ")
        };
        let known = format!("config.toml knows: {}; secrets.toml: {}", names(false), names(true));
        return Err((format!("there is no key `{name}` in this file"), known));
    };
    let unfit = || (format!("`{name}` has an invalid value"), format!("it is: {}", key.about));
    let value = plain(value).ok_or_else(unfit)?;
    if key.kept == Kept::Either && !secrets && has_password(&value) {
        let hint = format!("move the line to secrets.toml beside it, or set {}", key.variable);
        return Err((format!("`{name}` contains a password, which belongs in secrets.toml"), hint));
    }
    Ok((key.name, value))
}

fn bad(path: &Path, line: Option<usize>, what: &str, hint: String) -> Failure {
    let line = line.map(|line| format!(":{line}")).unwrap_or_default();
    Failure::usage(format!("read the configuration `{}{line}`: {what}", path.display()), hint)
}

/// A value as text; lists joined by commas.
fn plain(value: &toml::Value) -> Option<String> {
    match value {
        toml::Value::String(text) => Some(text.clone()),
        toml::Value::Integer(number) => Some(number.to_string()),
        toml::Value::Float(number) => Some(number.to_string()),
        toml::Value::Boolean(flag) => Some(flag.to_string()),
        toml::Value::Array(items) => {
            let items: Option<Vec<&str>> = items.iter().map(toml::Value::as_str).collect();
            Some(items?.join(","))
        }
        _ => None,
    }
}

/// Refuses a file of secrets that others may read.
#[cfg(unix)]
fn check_private(path: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let about = fs::metadata(path).map_err(|source| Error::Io { doing: "read", path: path.to_owned(), source })?;
    if about.permissions().mode() & 0o077 == 0 {
        return Ok(());
    }
    Err(Failure::usage(
        format!("trust the secrets in `{}`: others may read the file", path.display()),
        format!("`chmod 600 {}`", path.display()),
    ))
}

#[cfg(not(unix))]
fn check_private(_path: &Path) -> Result<()> {
    Ok(())
}
