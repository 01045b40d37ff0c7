//! The Ask AI database: questions with scored suggestions, read without disturbing the service that writes them.

mod postgres;
mod sqlite;
mod suggestion;

use std::{path::Path, time::Duration};

use futures_util::{Stream, TryStreamExt};
use graft_core::{Example, Review, Source};
use serde::{Deserialize, Serialize};
use sqlx::AssertSqlSafe;

use crate::{Approval, Error, Import};

/// Longest text read of a row, in bytes; a longer one is malformed.
const MAX_TEXT: usize = 1 << 20;

/// Which questions become examples.
#[derive(Clone, Debug)]
pub struct Options {
    /// Name of the task that the examples belong to.
    pub task: String,
    /// At most this many examples, the newest.
    pub max_samples: usize,
    /// How undecided suggestions are imported.
    pub drafts: Drafts,
    /// Who vouches for drafts that are approved; approved suggestions are vouched for by the service.
    pub approval: Approval,
    /// How long to wait for another program's lock.
    pub wait: Duration,
}

/// What becomes of suggestions that are neither approved nor deployed, nor rejected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Drafts {
    /// Whoever imports vouches for them: the Ask AI system trained on them, too.
    #[default]
    Approve,
    /// They become pending examples, which people audit.
    Pending,
    /// They are left out.
    Skip,
}

/// Whether a source is the URL of a Postgres database.
pub(crate) fn is_postgres(source: &str) -> bool {
    ["postgres://", "postgresql://"].iter().any(|scheme| source.starts_with(scheme))
}

/// Reads examples from a `postgres://` URL or the path of an SQLite file.
///
/// # Errors
/// [`Error::Missing`], [`Error::NotADatabase`], [`Error::Locked`], [`Error::Connect`], [`Error::NoTable`],
/// [`Error::NoColumn`], [`Error::EmptyTable`], [`Error::Query`]; [`Error::Nothing`] where every row is skipped.
pub async fn import(source: &str, options: &Options) -> Result<Import, Error> {
    if is_postgres(source) {
        postgres::import(source, options).await
    } else {
        sqlite::import(Path::new(source), options).await
    }
}

/// One row, as text; `None` is NULL.
#[derive(Debug)]
struct Row {
    id: Option<String>,
    question: Option<String>,
    suggestions: Option<Vec<u8>>,
    created_at: Option<String>,
}

/// The columns of this database's `ask_ai_queries`; older and newer services name some of them differently.
#[derive(Debug)]
struct Columns {
    id: &'static str,
    question: &'static str,
    created_at: Option<&'static str>,
}

impl Columns {
    fn find(has: &[String], database: &str) -> Result<Self, Error> {
        let first = |names: &[&'static str]| {
            let found = names.iter().find(|name| has.iter().any(|column| column == *name)).copied();
            found.ok_or_else(|| Error::NoColumn {
                column: names.join("` or `"),
                place: format!("{database}, table ask_ai_queries"),
                has: has.join(", "),
            })
        };
        first(&["suggestions"])?;
        Ok(Self {
            id: first(&["query_id", "id"])?,
            question: first(&["original_query", "user_query"])?,
            created_at: first(&["created_at"]).ok(),
        })
    }

    /// The one statement, newest first. All names come from the lists above, so nothing can be injected.
    fn sql(&self, table: &'static str, blob: &'static str) -> AssertSqlSafe<String> {
        let Self { id, question, created_at } = self;
        let when = created_at.map_or("NULL".into(), |column| format!("CAST({column} AS TEXT)"));
        let order = created_at.unwrap_or(id);
        let suggestions = blob.replace('?', "suggestions");
        AssertSqlSafe(format!(
            "SELECT CAST({id} AS TEXT), substr(CAST({question} AS TEXT), 1, {MAX_TEXT}), {suggestions}, {when} \
             FROM {table} ORDER BY {order} DESC NULLS LAST, {id} DESC"
        ))
    }
}

/// Turns rows into examples until there are enough.
async fn collect(
    rows: impl Stream<Item = Result<Row, Error>>,
    database: &str,
    options: &Options,
) -> Result<Import, Error> {
    let mut import = Import::default();
    let mut rows = std::pin::pin!(rows);
    let mut number = 0;
    while import.examples.len() < options.max_samples {
        let Some(row) = rows.try_next().await? else { break };
        number += 1;
        add(row, number, options, &mut import);
    }
    if number == 0 && options.max_samples > 0 {
        return Err(Error::EmptyTable(database.to_owned()));
    }
    import.or_nothing(database)
}

fn add(row: Row, number: usize, options: &Options, import: &mut Import) {
    let id = row.id.unwrap_or_else(|| format!("row-{number}"));
    let at = || format!("query {}", id.chars().take(80).collect::<String>());
    let best = match suggestion::best(row.suggestions.as_deref(), options.drafts == Drafts::Skip) {
        Ok(best) => best,
        Err(suggestion::Left::Malformed(reason)) => return import.problem("malformed", at(), reason),
        Err(left) => return import.skip(left.kind(), at()),
    };
    let question = row.question.as_deref().map(str::trim).unwrap_or_default();
    if question.is_empty() {
        return import.skip("no question", at());
    }
    let created = row.created_at.as_deref().and_then(crate::time::parse);
    import.examples.push(Example {
        id: format!("ask-ai:{id}"),
        task: options.task.clone(),
        input: question.to_owned(),
        output: Some(best.description.into()),
        review: match (best.approved, options.drafts) {
            (true, _) => Review::Approved { by: "ask-ai".into(), at: created.unwrap_or(options.approval.at) },
            (false, Drafts::Pending) => Review::Pending,
            (false, Drafts::Approve | Drafts::Skip) => options.approval.review(),
        },
        source: Source { kind: "ask-ai".into(), reference: id, at: created },
        revision: 1,
    });
}

#[cfg(test)]
mod tests;
