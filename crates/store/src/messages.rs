//! Messages between processes on one Postgres database. Only processes that listen at that moment get them; they are
//! not stored.

use std::time::Duration;

use sqlx::postgres::PgListener;
use tokio::time;

use crate::database::Dialect;
use crate::watch::listen;
use crate::{Error, Store};

/// The Postgres channel for messages.
const CHANNEL: &str = "graft_words";
/// Pause between attempts to reconnect to the database.
const PAUSE: Duration = Duration::from_secs(1);

/// A subscription to the messages of all processes, including this one.
#[derive(Debug)]
pub struct Messages {
    url: String,
    listener: Option<PgListener>,
}

impl Messages {
    /// The next message. Messages sent while the database is unreachable are lost.
    pub async fn next(&mut self) -> String {
        loop {
            if self.listener.is_none() {
                self.listener = listen(&self.url, CHANNEL).await.ok();
            }
            match &mut self.listener {
                Some(listener) => match listener.recv().await {
                    Ok(message) => return message.payload().to_owned(),
                    Err(_) => self.listener = None,
                },
                None => time::sleep(PAUSE).await,
            }
        }
    }
}

impl Store {
    /// Sends a message to all processes on this database. Does nothing on SQLite, which has one server process.
    ///
    /// # Errors
    /// When the database can't be reached, or the message has more than 8,000 bytes.
    pub async fn send_message(&self, message: &str) -> Result<(), Error> {
        if self.dialect == Dialect::Postgres {
            let sent = sqlx::query("select 1 as said from pg_notify($1, $2)").bind(CHANNEL).bind(message);
            sent.fetch_one(&self.read).await?;
        }
        Ok(())
    }

    /// Subscribes to messages from now on, or from when the database can be reached; `None` on SQLite.
    pub async fn messages(&self) -> Option<Messages> {
        if self.dialect == Dialect::Sqlite {
            return None;
        }
        let url = self.read.connect_options().database_url.to_string();
        let listener = listen(&url, CHANNEL).await.ok();
        Some(Messages { url, listener })
    }
}
