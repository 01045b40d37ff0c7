//! Slackdump's database (<https://github.com/rusq/slackdump>): messages, channels and users as Slack's API gave them.

use std::path::Path;

use serde_json::Value;
use sqlx::{ConnectOptions as _, Connection as _, Row as _, SqliteConnection, sqlite::SqliteConnectOptions};

use super::text::Names;
use crate::Error;

/// What a database holds.
pub(super) struct Dump {
    pub(super) names: Names,
    pub(super) channels: Vec<Channel>,
}

/// A conversation.
pub(super) struct Channel {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) direct: bool,
    /// In the order they were loaded, so that a later state of a message comes later.
    pub(super) messages: Vec<Value>,
}

/// Reads the database read-only.
pub(super) async fn read(path: &Path) -> Result<Dump, Error> {
    let open = SqliteConnectOptions::new().filename(path).read_only(true).disable_statement_logging();
    let failed = |source: sqlx::Error| Error::NotADatabase { path: path.into(), source };
    let mut connection = SqliteConnection::connect_with(&open).await.map_err(failed)?;
    let found = load(&mut connection).await;
    connection.close().await.map_err(failed)?;
    match found {
        Err(sqlx::Error::Database(error)) if error.message().contains("no such") => {
            Err(Error::NotAnExport(path.into()))
        }
        found => found.map_err(|source| Error::Query { database: path.display().to_string(), source }),
    }
}

async fn load(connection: &mut SqliteConnection) -> Result<Dump, sqlx::Error> {
    let users = sqlx::query("select id, username from s_user order by chunk_id").fetch_all(&mut *connection).await?;
    let mut names = Names::new();
    for user in &users {
        names.insert(user.try_get(0)?, user.try_get(1)?);
    }
    let rows = sqlx::query("select id, coalesce(name, ''), cast(data as blob) from channel order by chunk_id");
    let mut channels: Vec<Channel> = Vec::new();
    for row in &rows.fetch_all(&mut *connection).await? {
        let (id, name): (String, String) = (row.try_get(0)?, row.try_get(1)?);
        let about: Value = serde_json::from_slice(row.try_get(2)?).unwrap_or_default();
        let direct = ["is_im", "is_mpim"].iter().any(|is| about.get(*is) == Some(&Value::Bool(true)));
        let name = if name.is_empty() { id.clone() } else { name };
        names.insert(id.clone(), name.clone());
        channels.retain(|channel| channel.id != id);
        channels.push(Channel { id, name, direct, messages: Vec::new() });
    }
    let rows = sqlx::query("select channel_id, cast(data as blob) from message order by chunk_id, idx");
    for row in &rows.fetch_all(&mut *connection).await? {
        let id: String = row.try_get(0)?;
        let at = channels.iter().position(|channel| channel.id == id).unwrap_or_else(|| {
            let direct = id.starts_with('D');
            channels.push(Channel { name: id.clone(), direct, messages: Vec::new(), id: id.clone() });
            channels.len() - 1
        });
        channels[at].messages.push(serde_json::from_slice(row.try_get(1)?).unwrap_or_default());
    }
    Ok(Dump { names, channels })
}
