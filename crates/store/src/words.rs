//! What the processes on one Postgres database say to each other: heard by those who listen at that moment, kept
//! nowhere.

use std::time::Duration;

use sqlx::postgres::PgListener;
use tokio::time;

use crate::database::Dialect;
use crate::watch::listen;
use crate::{Error, Store};

/// The channel on which they speak.
const CHANNEL: &str = "graft_words";
/// Between attempts to reach a database that went away.
const PAUSE: Duration = Duration::from_secs(1);

/// What others say, and this process itself.
#[derive(Debug)]
pub struct Words {
    url: String,
    listener: Option<PgListener>,
}

impl Words {
    /// The next word; those said while the database can't be reached are lost.
    pub async fn next(&mut self) -> String {
        loop {
            if self.listener.is_none() {
                self.listener = listen(&self.url, CHANNEL).await.ok();
            }
            match &mut self.listener {
                Some(listener) => match listener.recv().await {
                    Ok(said) => return said.payload().to_owned(),
                    Err(_) => self.listener = None,
                },
                None => time::sleep(PAUSE).await,
            }
        }
    }
}

impl Store {
    /// Says something to all processes on this database. On SQLite nobody hears it: a file has one server.
    ///
    /// # Errors
    /// When the database can't be reached, or the word has more than 8,000 bytes.
    pub async fn say(&self, word: &str) -> Result<(), Error> {
        if self.dialect == Dialect::Postgres {
            let said = sqlx::query("select 1 as said from pg_notify($1, $2)").bind(CHANNEL).bind(word);
            said.fetch_one(&self.read).await?;
        }
        Ok(())
    }

    /// Listens to what is said from now on, or once the database can be reached; `None` on SQLite.
    pub async fn words(&self) -> Option<Words> {
        if self.dialect == Dialect::Sqlite {
            return None;
        }
        let url = self.read.connect_options().database_url.to_string();
        let listener = listen(&url, CHANNEL).await.ok();
        Some(Words { url, listener })
    }
}
