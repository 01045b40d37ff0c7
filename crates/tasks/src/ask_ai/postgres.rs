use std::time::Duration;

use futures_util::TryStreamExt;
use sqlx::{
    PgConnection, Row as _,
    postgres::{PgPoolOptions, PgRow},
};

use super::{Columns, Options, Row, collect};
use crate::{Error, Import};

/// How long a server may take to let us in.
const CONNECT: Duration = Duration::from_secs(15);

/// The places a service keeps its table, in the order they are tried. The second is found by the search path.
const TABLES: [&str; 2] = ["automation.ask_ai_queries", "ask_ai_queries"];

const COLUMNS: &str = "SELECT attname::text FROM pg_attribute \
                       WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped ORDER BY attnum";

/// Reads a server's table in a read-only transaction.
pub(super) async fn import(url: &str, options: &Options) -> Result<Import, Error> {
    // A pool of one, for it alone gives up on a server that doesn't answer.
    let pool = PgPoolOptions::new().max_connections(1).acquire_timeout(CONNECT);
    let pool = pool.connect(url).await.map_err(Error::Connect)?;
    let mut connection = pool.acquire().await.map_err(Error::Connect)?;
    let import = read_all(&mut connection, options).await;
    drop(connection);
    pool.close().await;
    import
}

async fn read_all(connection: &mut PgConnection, options: &Options) -> Result<Import, Error> {
    let failed = |source| Error::Query { database: "the Postgres database".into(), source };
    sqlx::query("SET default_transaction_read_only = on").execute(&mut *connection).await.map_err(failed)?;
    for table in TABLES {
        let columns: Vec<String> =
            sqlx::query_scalar(COLUMNS).bind(table).fetch_all(&mut *connection).await.map_err(failed)?;
        if columns.is_empty() {
            continue;
        }
        let columns = Columns::find(&columns, "the Postgres database")?;
        let sql = columns.sql(table, "substr(CAST(? AS TEXT), 1, 1048576)");
        let rows = sqlx::query(sql).fetch(&mut *connection).map_err(failed);
        return collect(rows.and_then(async |row| Ok(read(&row))), "the Postgres database", options).await;
    }
    Err(Error::NoTable("the Postgres database".into()))
}

fn read(row: &PgRow) -> Row {
    let text = |i: usize| row.try_get::<Option<String>, _>(i).ok().flatten();
    Row { id: text(0), question: text(1), suggestions: text(2).map(String::into_bytes), created_at: text(3) }
}
