//! Exports every row of every table as text, and restores it into either kind of database.

use serde_json::{Map, Value};
use sqlx::any::{AnyRow, AnyTypeInfoKind};
use sqlx::{AssertSqlSafe, Column as _, Row as _, ValueRef as _};

use crate::database::{Dialect, Tx};
use crate::{Error, Store, statement};

/// Tables, ordered so that references exist before rows that use them. Sessions, idempotency keys and workers are left
/// out: they are meaningless in another database.
const TABLES: &[(&str, &str)] = &[
    ("tasks", "seq"),
    ("task_revisions", "task, revision"),
    ("examples", "task, position"),
    ("example_revisions", "task, id, revision"),
    ("assignments", "task, example"),
    ("datasets", "task, digest"),
    ("dataset_members", "task, digest, side, position"),
    ("studies", "seq"),
    ("trials", "study, number"),
    ("runs", "seq"),
    ("run_events", "run, seq"),
    ("run_logs", "run, stream, begins"),
    ("run_cursors", "run"),
    ("tracked_runs", "run, tracker"),
    ("tracked_models", "task, tracker"),
    ("tracked_studies", "study, tracker"),
    ("versions", "seq"),
    ("version_answers", "task, version"),
    ("activations", "seq"),
    ("settings", "name"),
    ("bases", "name"),
    ("schedules", "id"),
    ("machines", "name"),
    ("rentals", "intended_at, name"),
    ("suggestions", "task, example"),
    ("rollouts", "id"),
    ("rollout_answers", "rollout, digest"),
    ("rollout_times", "rollout, version, process"),
    ("served_inputs", "task, hour, process"),
    ("live_adapters", "task"),
    ("live_windows", "task, example, revision"),
    ("live_snapshots", "task, seq"),
    ("agents", "task, name"),
    ("upstreams", "task"),
    ("upstream_days", "task, day"),
    ("imports", "id"),
    ("batches", "seq"),
    ("batch_parts", "batch, number"),
    ("prompts", "id"),
    ("prompt_drafts", "owner"),
    ("templates", "name"),
    ("users", "name"),
    ("tokens", "id"),
    ("changes", "seq"),
];

/// Rows per insert statement.
const BATCH: usize = 500;

/// A table's rows as JSON objects, without null columns.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// Its name.
    pub name: String,
    /// Its rows.
    pub rows: Vec<Map<String, Value>>,
}

impl Store {
    /// Reads a consistent snapshot of all tables without blocking writers, and passes each table to `take`.
    ///
    /// # Errors
    /// When the database can't be read; any error of `take`.
    pub async fn dump<E: From<Error>>(&self, take: &mut dyn FnMut(Table) -> Result<(), E>) -> Result<(), E> {
        let begin = match self.dialect {
            Dialect::Sqlite => "begin",
            Dialect::Postgres => "begin isolation level repeatable read read only",
        };
        let mut snapshot = self.read.begin_with(begin).await.map_err(Error::from)?;
        for (name, order) in TABLES {
            let sql = format!("select * from {name} order by {order}");
            let rows = sqlx::query(AssertSqlSafe(sql)).fetch_all(&mut *snapshot).await.map_err(Error::from)?;
            let rows = rows.iter().map(object).collect::<Result<Vec<_>, Error>>()?;
            take(Table { name: (*name).to_owned(), rows })?;
        }
        Ok(())
    }

    /// Whether all tables are empty.
    pub async fn is_empty(&self) -> Result<bool, Error> {
        for (name, _) in TABLES {
            let sql = format!("select 1 as one from {name} limit 1");
            if sqlx::query(AssertSqlSafe(sql)).fetch_optional(&self.read).await?.is_some() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Restores what [`dump`](Self::dump) read, in the same order, into an empty database: all of it or nothing.
    ///
    /// # Errors
    /// [`Error::NotEmpty`]; [`Error::BadDump`].
    pub async fn restore(&self, tables: &[Table]) -> Result<(), Error> {
        let mut tx = self.begin().await?;
        for (name, _) in TABLES {
            let sql = format!("select 1 as one from {name} limit 1");
            if sqlx::query(AssertSqlSafe(sql)).fetch_optional(&mut *tx).await?.is_some() {
                return Err(Error::NotEmpty);
            }
        }
        for table in tables {
            if !TABLES.iter().any(|(name, _)| *name == table.name) {
                return Err(bad(&table.name, "this version of Graft has no such table"));
            }
            let known = columns(&mut tx, self.dialect, &table.name).await?;
            for rows in table.rows.chunks(BATCH) {
                for row in rows {
                    insert(&mut tx, &table.name, &known, row).await?;
                }
            }
        }
        tx.commit().await
    }
}

fn object(row: &AnyRow) -> Result<Map<String, Value>, Error> {
    let mut object = Map::new();
    for column in row.columns() {
        let (index, name) = (column.ordinal(), column.name());
        let raw = row.try_get_raw(index)?;
        if raw.is_null() {
            continue;
        }
        let value = match raw.type_info().kind() {
            AnyTypeInfoKind::Text => Value::from(row.try_get::<String, _>(index)?),
            AnyTypeInfoKind::BigInt | AnyTypeInfoKind::Integer | AnyTypeInfoKind::SmallInt => {
                Value::from(row.try_get::<i64, _>(index)?)
            }
            AnyTypeInfoKind::Double | AnyTypeInfoKind::Real => Value::from(row.try_get::<f64, _>(index)?),
            other => return Err(bad(name, &format!("its type {other:?} is not one that Graft uses"))),
        };
        object.insert(name.to_owned(), value);
    }
    Ok(object)
}

/// The columns that a table has in this database.
pub(crate) async fn columns(tx: &mut Tx<'_>, dialect: Dialect, table: &str) -> Result<Vec<String>, Error> {
    let sql = match dialect {
        Dialect::Sqlite => "select name from pragma_table_info($1)",
        Dialect::Postgres => {
            "select cast(column_name as text) as name from information_schema.columns
             where table_schema = current_schema() and table_name = $1"
        }
    };
    statement::values(&mut **tx, sql, table).await
}

async fn insert(tx: &mut Tx<'_>, table: &str, known: &[String], row: &Map<String, Value>) -> Result<(), Error> {
    if let Some(unknown) = row.keys().find(|name| !known.contains(name)) {
        return Err(bad(table, &format!("this version of Graft has no column `{}`", unknown.escape_default())));
    }
    let names: Vec<&str> = row.keys().map(String::as_str).collect();
    let places: Vec<String> = (1..=names.len()).map(|place| format!("${place}")).collect();
    let sql = format!("insert into {table} ({}) values ({})", names.join(", "), places.join(", "));
    let mut query = sqlx::query(AssertSqlSafe(sql));
    for (name, value) in row {
        query = match value {
            Value::String(text) => query.bind(text.clone()),
            Value::Number(number) if number.is_f64() => query.bind(number.as_f64()),
            Value::Number(number) => query.bind(number.as_i64()),
            _ => return Err(bad(table, &format!("column `{name}` holds neither a text nor a number"))),
        };
    }
    query.execute(&mut **tx).await?;
    Ok(())
}

fn bad(table: &str, problem: &str) -> Error {
    Error::BadDump { table: table.to_owned(), problem: problem.to_owned() }
}
