use std::sync::{Arc, OnceLock};
use std::time::Duration;

use sqlx::postgres::PgListener;
use tokio::{sync::watch, time};

use crate::database::Dialect;
use crate::{Error, Store, row};

/// How often the audit trail is looked at where nobody tells of changes; each look is one row of an index.
const PAUSE: Duration = Duration::from_millis(150);
/// Postgres tells of changes, but a pooler between may swallow that.
const LONG_PAUSE: Duration = Duration::from_millis(500);
/// The channel on which Postgres tells of changes.
const CHANNEL: &str = "graft_changes";
/// Tells of changes once they are committed.
pub(crate) const NOTIFY: &str = "notify graft_changes";

/// What says that it is time to look.
enum Bell {
    Clock,
    Postgres { url: String, listener: Option<Box<PgListener>> },
}

impl Bell {
    fn of(store: &Store) -> Self {
        match store.dialect {
            Dialect::Sqlite => Self::Clock,
            Dialect::Postgres => {
                Self::Postgres { url: store.read.connect_options().database_url.to_string(), listener: None }
            }
        }
    }

    async fn wait(&mut self) {
        let Self::Postgres { url, listener } = self else { return time::sleep(PAUSE).await };
        if listener.is_none() {
            *listener = listen(url, CHANNEL).await.ok().map(Box::new);
        }
        let heard = match listener {
            Some(listener) => time::timeout(LONG_PAUSE, listener.recv()).await,
            None => return time::sleep(PAUSE).await,
        };
        if matches!(heard, Ok(Err(_))) {
            *listener = None;
            time::sleep(PAUSE).await;
        }
    }
}

pub(crate) async fn listen(url: &str, channel: &str) -> Result<PgListener, sqlx::Error> {
    let mut listener = PgListener::connect(url).await?;
    listener.listen(channel).await?;
    Ok(listener)
}

/// The one task of a store that looks for changes, and those who wait for it.
#[derive(Default)]
pub(crate) struct Watching(OnceLock<watch::Receiver<i64>>);

/// Yields whenever changes were committed, by this process or another.
#[derive(Clone, Debug)]
pub struct Watch(watch::Receiver<i64>);

impl Watch {
    /// Waits for changes after those seen before, and returns the `seq` of the newest: a cursor for
    /// [`Store::changes`]. `None` once the store is closed.
    pub async fn changed(&mut self) -> Option<i64> {
        self.0.changed().await.ok()?;
        Some(*self.0.borrow_and_update())
    }

    /// The `seq` of the newest change known.
    #[must_use]
    pub fn newest(&self) -> i64 {
        *self.0.borrow()
    }
}

impl Store {
    /// Hears of every committed change of the audit trail, whichever process made it, within 200 ms on SQLite and at
    /// once on Postgres, which tells of it; runs, versions, examples and settings all leave their trace there. Cheap:
    /// however many watch, one task asks the database.
    ///
    /// # Errors
    /// When the database can't be read.
    pub async fn watch(&self) -> Result<Watch, Error> {
        let newest = self.newest_change().await?;
        let receiver = self.watching.0.get_or_init(|| {
            let (tell, receiver) = watch::channel(newest);
            let mut store = self.clone();
            store.watching = Arc::default();
            let mut bell = Bell::of(&store);
            tokio::spawn(async move {
                // The store that is watched keeps one receiver; without it nobody can listen any more.
                while !store.read.is_closed() && tell.receiver_count() > 0 {
                    bell.wait().await;
                    // A database that doesn't answer now may do so the next time.
                    if let Ok(seq) = store.newest_change().await {
                        tell.send_if_modified(|known| std::mem::replace(known, seq) != seq);
                    }
                }
            });
            receiver
        });
        let mut receiver = receiver.clone();
        receiver.mark_unchanged();
        Ok(Watch(receiver))
    }

    /// The `seq` of the newest change, 0 before the first.
    ///
    /// # Errors
    /// When the database can't be read.
    pub async fn newest_change(&self) -> Result<i64, Error> {
        let row = sqlx::query("select coalesce(max(seq), 0) as seq from changes").fetch_one(&self.read).await?;
        row::get(&row, "seq")
    }
}
