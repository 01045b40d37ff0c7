use std::sync::{Arc, OnceLock};
use std::time::Duration;

use sqlx::postgres::PgListener;
use tokio::{sync::watch, time};

use crate::database::Dialect;
use crate::{Error, Store};

/// How often the audit trail is polled if the database sends no notifications. A poll reads one row of an index.
const PAUSE: Duration = Duration::from_millis(150);
/// How often it is polled on Postgres, which sends notifications: a connection pooler may drop them.
const LONG_PAUSE: Duration = Duration::from_millis(500);
/// The Postgres channel for notifications of changes.
const CHANNEL: &str = "graft_changes";
/// Statement that sends a notification when the transaction commits.
pub(crate) const NOTIFY: &str = "notify graft_changes";

/// What triggers the next poll.
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

/// The single task of a store that watches for changes; all watchers share it.
#[derive(Default)]
pub(crate) struct Watching(OnceLock<watch::Receiver<i64>>);

/// Notifies of committed changes, by this process or another.
#[derive(Clone, Debug)]
pub struct Watch(watch::Receiver<i64>);

impl Watch {
    /// Waits until there are changes that this watcher has not seen, and returns the `seq` of the newest: a cursor for
    /// [`Store::changes`]. Returns `None` once the store is closed.
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
    /// Watches the audit trail for committed changes of any process: within 200 ms on SQLite, at once on Postgres. All
    /// changes of runs, versions, examples and settings appear there. Cheap: all watchers share one task that queries
    /// the database.
    pub async fn watch(&self) -> Result<Watch, Error> {
        let newest = self.newest_change().await?;
        let receiver = self.watching.0.get_or_init(|| {
            let (tell, receiver) = watch::channel(newest);
            let mut store = self.clone();
            store.watching = Arc::default();
            let mut bell = Bell::of(&store);
            tokio::spawn(async move {
                // The store itself keeps one receiver; without any, nobody can subscribe again.
                while !store.read.is_closed() && tell.receiver_count() > 0 {
                    bell.wait().await;
                    // An error is ignored: the next poll may succeed.
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
    pub async fn newest_change(&self) -> Result<i64, Error> {
        Ok(sqlx::query_scalar("select coalesce(max(seq), 0) from changes").fetch_one(&self.read).await?)
    }
}
