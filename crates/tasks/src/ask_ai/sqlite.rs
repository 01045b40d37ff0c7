use std::{fs, path::Path};

use futures_util::TryStreamExt;
use sqlx::{
    Connection, Row as _, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteRow},
};

use super::{Columns, Options, Row, collect};
use crate::{Error, Import, import::cannot_read};

/// Primary result codes (<https://sqlite.org/rescode.html>).
const BUSY: i32 = 5;
const LOCKED: i32 = 6;
const CORRUPT: i32 = 11;
const CANTOPEN: i32 = 14;
const NOTADB: i32 = 26;

/// Reads the file read-only, with the service's own locks respected.
pub(super) async fn import(path: &Path, options: &Options) -> Result<Import, Error> {
    let meta = fs::metadata(path).map_err(|source| cannot_read(path, source))?;
    if !meta.is_file() {
        let source = std::io::Error::new(std::io::ErrorKind::IsADirectory, "it is not a file");
        return Err(Error::Read { path: path.into(), source });
    }
    let database = path.display().to_string();
    let (mut connection, columns) = connect(path, options).await?;
    let columns = Columns::find(&columns, &database)?;
    // As bytes, for a damaged text is no reason to fail.
    let sql = columns.sql("ask_ai_queries", "substr(CAST(? AS BLOB), 1, 1048576)");
    let rows = sqlx::query(sql).fetch(&mut connection).map_err(|source| failed(path, source));
    let import = collect(rows.and_then(async |row| Ok(read(&row))), &database, options).await;
    connection.close().await.map_err(|source| failed(path, source))?;
    import
}

/// Opens the database and lists the table's columns, which is the first time that the file is read.
async fn connect(path: &Path, options: &Options) -> Result<(SqliteConnection, Vec<String>), Error> {
    let open = SqliteConnectOptions::new().filename(path).read_only(true).busy_timeout(options.wait);
    let first = listed(&open).await;
    let result = match first {
        // A database in WAL mode on a read-only disk can't be opened with locks. Without a log there is no writer either.
        Err(error) if code(&error) == Some(CANTOPEN) && !has_log(path) => listed(&open.immutable(true)).await,
        other => other,
    };
    let (connection, columns) = result.map_err(|source| failed(path, source))?;
    if columns.is_empty() {
        return Err(Error::NoTable(path.display().to_string()));
    }
    Ok((connection, columns))
}

async fn listed(open: &SqliteConnectOptions) -> Result<(SqliteConnection, Vec<String>), sqlx::Error> {
    let mut connection = SqliteConnection::connect_with(open).await?;
    let columns = sqlx::query_scalar("SELECT name FROM pragma_table_info('ask_ai_queries')");
    let columns = columns.fetch_all(&mut connection).await?;
    Ok((connection, columns))
}

fn has_log(path: &Path) -> bool {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    fs::metadata(log).is_ok_and(|meta| meta.len() > 0)
}

fn read(row: &SqliteRow) -> Row {
    let text = |i: usize| row.try_get_unchecked::<Option<Vec<u8>>, _>(i).ok().flatten();
    let lossy = |i: usize| text(i).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    Row { id: lossy(0), question: lossy(1), suggestions: text(2), created_at: lossy(3) }
}

/// The primary result code of an SQLite error.
fn code(error: &sqlx::Error) -> Option<i32> {
    Some(error.as_database_error()?.code()?.parse::<i32>().ok()? & 0xff)
}

fn failed(path: &Path, source: sqlx::Error) -> Error {
    let path_buf = path.to_path_buf();
    match code(&source) {
        Some(BUSY | LOCKED) => Error::Locked { path: path_buf, source },
        Some(NOTADB | CORRUPT) => Error::NotADatabase { path: path_buf, source },
        Some(CANTOPEN) => Error::Read { path: path_buf, source: std::io::Error::other(source) },
        _ => Error::Query { database: path.display().to_string(), source },
    }
}
