use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::time::Duration;

use graft_core::{looks_like_address, without_secrets};
use sqlx::any::{Any, AnyConnectOptions, AnyPoolOptions, install_default_drivers};
use sqlx::{AnyConnection, AnyPool, AssertSqlSafe, ConnectOptions, Connection};

use crate::changes::{self, Unnumbered};
use crate::clock::Steadiness;
use crate::faults::Faults;
use crate::scope::Scope;
use crate::watch::Watching;
use crate::{Error, migrate, row};

/// A write transaction. It holds the locks of its scope, and rolls back when dropped.
pub(crate) struct Tx<'c> {
    inner: sqlx::Transaction<'c, Any>,
    pub(crate) dialect: Dialect,
    /// Entries of the audit trail that have no number yet.
    pub(crate) unnumbered: Vec<Unnumbered>,
    faults: Faults,
}

impl Tx<'_> {
    /// Commits: makes the changes durable and visible.
    pub(crate) async fn commit(mut self) -> Result<(), Error> {
        self.faults.fail_if_chosen()?;
        let is_committed = changes::number(&mut self, true).await?;
        let ended = self.inner.commit().await;
        if !is_committed {
            ended?;
        }
        // Fault injection: the commit succeeded, but the caller gets an error.
        self.faults.fail_if_chosen()
    }

    /// Takes the locks of another scope, too, in the order of [`Scope`]'s documentation.
    pub(crate) async fn also(&mut self, scope: Scope<'_>) -> Result<(), Error> {
        if self.dialect == Dialect::Postgres {
            sqlx::raw_sql(AssertSqlSafe(scope.locks())).execute(&mut *self.inner).await?;
        }
        Ok(())
    }
}

impl std::ops::Deref for Tx<'_> {
    type Target = AnyConnection;

    fn deref(&self) -> &AnyConnection {
        &self.inner
    }
}

impl std::ops::DerefMut for Tx<'_> {
    fn deref_mut(&mut self) -> &mut AnyConnection {
        &mut self.inner
    }
}

/// Longest wait for a connection from the pool. The wait for the database's own lock is limited to 5 s.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a write waits on Postgres for its locks, and how long it may pause while it holds them.
const LIMITS: &str = "set local lock_timeout = '5s'; set local idle_in_transaction_session_timeout = '30s'; ";

/// Connections of a process that write on Postgres. SQLite has one: writers of this process queue there instead of at the
/// file's lock.
const WRITERS: u32 = 8;

/// The differences between the two databases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    Sqlite,
    Postgres,
}

impl Dialect {
    /// The statement that opens a write transaction. SQLite must take its write lock at once: a transaction that begins
    /// with a read can't be upgraded if another writer committed meanwhile.
    pub(crate) fn begin(self) -> &'static str {
        match self {
            Self::Sqlite => "begin immediate",
            Self::Postgres => "begin isolation level read committed read write",
        }
    }

    /// `(…, …)`: placeholders for `count` values, numbered after the `bound` ones before them. On SQLite they have no
    /// numbers (then all placeholders of the statement must have none): sqlx looks up the name of each numbered
    /// placeholder, and SQLite searches all names linearly, which took a third of the time of a large import.
    pub(crate) fn places(self, bound: usize, count: usize) -> String {
        let place = |number: usize| match self {
            Self::Sqlite => "?".to_owned(),
            Self::Postgres => format!("${number}"),
        };
        let places: Vec<String> = (bound + 1..=bound + count).map(place).collect();
        format!("({})", places.join(", "))
    }

    /// `(…, …), (…, …)`: the [`places`](Self::places) of `count` rows.
    pub(crate) fn rows(self, count: usize, width: usize) -> String {
        let rows = match self {
            Self::Sqlite => vec![self.places(0, width); count],
            Self::Postgres => (0..count).map(|row| self.places(row * width, width)).collect(),
        };
        rows.join(", ")
    }

    /// Query that counts all tables, and Graft's own.
    pub(crate) fn tables(self) -> &'static str {
        match self {
            Self::Sqlite => {
                "select count(*) as tables, count(case when name = 'graft_schema' then 1 end) as ours
                 from sqlite_master where type = 'table'"
            }
            Self::Postgres => {
                "select count(*) as tables, count(case when table_name = 'graft_schema' then 1 end) as ours
                 from information_schema.tables where table_schema = current_schema()"
            }
        }
    }
}

/// Graft's database: a SQLite file or a Postgres database. Clones are cheap and share the connections.
///
/// Every method fails if the database can't be read or written ([`Error::is_of_the_database`]); the `# Errors` of a
/// method name what else it refuses.
#[derive(Clone)]
pub struct Store {
    pub(crate) write: AnyPool,
    pub(crate) read: AnyPool,
    pub(crate) dialect: Dialect,
    name: Arc<str>,
    pub(crate) watching: Arc<Watching>,
    pub(crate) faults: Faults,
    pub(crate) steadiness: Arc<Steadiness>,
    /// When this process last deleted expired requests.
    pub(crate) swept: Arc<AtomicI64>,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Store").field(&self.name).finish()
    }
}

impl Store {
    /// Opens the database and migrates its schema. A SQLite file and its folder are created if they do not exist.
    ///
    /// `location` is a file path, or a URL that begins with `postgres://` or `postgresql://`.
    ///
    /// # Errors
    /// [`Error::Open`], whose source says whether the database is locked, read-only, damaged, in use by another
    /// program, newer than this program, or unreachable.
    pub async fn open(location: &str) -> Result<Self, Error> {
        let name = without_secrets(location);
        Self::open_named(location, &name)
            .await
            .map_err(|source| Error::Open { database: name, source: Box::new(source) })
    }

    async fn open_named(location: &str, name: &str) -> Result<Self, Error> {
        install_default_drivers();
        let (dialect, url) = address(location)?;
        let options: AnyConnectOptions = url.parse()?;
        let options = options.disable_statement_logging();
        // Connect without the pool first: a pool hides why a connection fails, and retries until its timeout.
        let mut first = AnyConnection::connect_with(&options).await?;
        if dialect == Dialect::Sqlite {
            write_ahead(&mut first).await?;
        }
        migrate::migrate(&mut first, dialect).await?;
        first.close().await?;
        let pool = || AnyPoolOptions::new().acquire_timeout(ACQUIRE_TIMEOUT);
        let writers = if dialect == Dialect::Postgres { WRITERS } else { 1 };
        let read = match dialect {
            Dialect::Sqlite => pool().max_connections(4).after_connect(|connection, _| {
                Box::pin(async move { sqlx::raw_sql("pragma query_only = on").execute(connection).await.map(drop) })
            }),
            Dialect::Postgres => pool().max_connections(8),
        };
        Ok(Self {
            write: pool().max_connections(writers).connect_lazy_with(options.clone()),
            read: read.connect_lazy_with(options),
            dialect,
            name: name.into(),
            watching: Arc::default(),
            faults: Faults::default(),
            steadiness: Arc::new(Steadiness::new()),
            swept: Arc::default(),
        })
    }

    /// Path or URL of the database, without its password.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether processes on other machines may use it, too.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        self.dialect == Dialect::Postgres
    }

    /// Checks the integrity of a SQLite file, or runs a query on Postgres. This takes seconds on large files.
    ///
    /// # Errors
    /// [`Error::Damaged`] with the first problem found.
    pub async fn check(&self) -> Result<(), Error> {
        if self.dialect == Dialect::Postgres {
            sqlx::query("select version from graft_schema").fetch_all(&self.read).await?;
            return Ok(());
        }
        let found = sqlx::query("pragma quick_check(1)").fetch_one(&self.read).await?;
        let verdict: String = row::get(&found, "quick_check")?;
        if verdict == "ok" { Ok(()) } else { Err(Error::Damaged(verdict.into())) }
    }

    /// Closes all connections, including those of clones, after waiting for those in use.
    pub async fn close(&self) {
        self.write.close().await;
        self.read.close().await;
    }

    /// Begins a write transaction beside which no other write goes on.
    pub(crate) async fn begin(&self) -> Result<Tx<'static>, Error> {
        self.begin_in(Scope::All).await
    }

    /// Begins a write transaction that reads for its decisions, and changes, nothing outside a scope.
    pub(crate) async fn begin_in(&self, scope: Scope<'_>) -> Result<Tx<'static>, Error> {
        self.begun(scope).await.map_err(|error| match error {
            Error::ReadOnly(_) => Error::Refused { database: self.name.to_string(), source: Box::new(error) },
            other => other,
        })
    }

    async fn begun(&self, scope: Scope<'_>) -> Result<Tx<'static>, Error> {
        self.faults.fail_if_chosen()?;
        let mut inner = match self.write.begin_with(self.dialect.begin()).await {
            // If the disk refuses a commit, SQLite ends the transaction itself, but sqlx still counts it as open.
            Err(sqlx::Error::InvalidSavePointStatement) => {
                // An error on closing needs no handling: the connection is discarded.
                let _ = self.write.acquire().await?.close().await;
                self.write.begin_with(self.dialect.begin()).await?
            }
            begun => begun?,
        };
        lock(&mut inner, self.dialect, scope).await?;
        Ok(Tx { inner, dialect: self.dialect, unnumbered: Vec::new(), faults: self.faults.clone() })
    }
}

/// Takes the locks of a scope on Postgres; SQLite's `begin immediate` has locked all.
pub(crate) async fn lock(tx: &mut AnyConnection, dialect: Dialect, scope: Scope<'_>) -> Result<(), Error> {
    if dialect == Dialect::Postgres {
        sqlx::raw_sql(AssertSqlSafe(LIMITS.to_owned() + &scope.locks())).execute(tx).await?;
    }
    Ok(())
}

/// Switches the file to write-ahead logging permanently, so that readers never wait for the writer. Commits are synced
/// (`synchronous` stays FULL): an acknowledged review survives a power cut.
async fn write_ahead(connection: &mut AnyConnection) -> Result<(), Error> {
    // The switch needs exclusive access and fails at once without it, whatever the busy timeout is.
    for attempt in 1.. {
        let mode = sqlx::query("pragma journal_mode").fetch_one(&mut *connection).await?;
        if row::get::<String>(&mode, "journal_mode")? == "wal" {
            break;
        }
        match sqlx::raw_sql("pragma journal_mode = wal").execute(&mut *connection).await.map_err(Error::from) {
            Err(Error::Locked(_)) if attempt < 50 => {
                // An empty write transaction waits for the lock, unlike the switch itself.
                sqlx::raw_sql("begin immediate; rollback").execute(&mut *connection).await?;
            }
            Err(error) => return Err(error),
            Ok(_) => {}
        }
    }
    Ok(())
}

/// The dialect and sqlx's URL for a location. Creates the folder of a file.
fn address(location: &str) -> Result<(Dialect, String), Error> {
    if ["postgres://", "postgresql://"].iter().any(|scheme| location.starts_with(scheme)) {
        return Ok((Dialect::Postgres, location.to_owned()));
    }
    if location.is_empty() || location.contains("://") {
        return Err(Error::Address(format!("`{}` is neither", without_secrets(location)).into()));
    }
    if looks_like_address(location) {
        // It may contain a password, so the message does not show it.
        return Err(Error::Address("it looks like a URL or a connection string, but is incomplete".into()));
    }
    let file = |cause: std::io::Error| Error::File(cause.into());
    let path = std::path::absolute(Path::new(location)).map_err(file)?;
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(file)?;
    }
    let path = path.to_str().ok_or_else(|| Error::Address("the path is not UTF-8".into()))?;
    Ok((Dialect::Sqlite, format!("sqlite://{}?mode=rwc", percent_encoded(path))))
}

fn percent_encoded(path: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'.' | b'-' | b'_');
    path.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn malformed_database_url_is_not_taken_for_a_path() {
        let wrong = [
            "postgres//u:secret@db/x",
            "postgres:/u:secret@db/x",
            "postgresql:u:secret@db/x",
            "u:secret@db.local/x",
            "u@db.local:5432/x",
            "db.local:5432/x",
            "//u:secret@db/x",
            "host=db.local password=secret dbname=x",
            "PASSWORD = secret host = db",
            "sqlite:graft.db",
            "mysql://u:secret@db/x",
        ];
        for text in wrong {
            let error = address(text).unwrap_err();
            assert!(!format!("{error:?}").contains("secret"), "{error:?}");
        }
        let dir = tempfile::tempdir().unwrap();
        for path in ["a@b.db", "host=1.db", "x=y/graft.db"] {
            assert!(address(dir.path().join(path).to_str().unwrap()).is_ok(), "{path}");
        }
    }
}
