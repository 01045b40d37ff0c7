//! The tables `examples` and `example_revisions`.

use std::collections::HashMap;

use graft_core::{Example, Review, Source, Timestamp};
use serde_json::{Value, json};
use sqlx::any::{AnyExecutor, AnyRow};
use sqlx::{AssertSqlSafe, FromRow};

use super::ReviewState;
use crate::changes::{Actor, Change, Entry, differing, record};
use crate::database::Tx;
use crate::{Action, Error, Kind, row, statement};

/// An example with the columns that are internal to the store.
pub(crate) struct Stored {
    pub(crate) example: Example,
    /// A person has reviewed or edited it.
    pub(super) touched: bool,
}

impl Stored {
    /// The person other than `by` whose review stands; an imported approval is nobody's.
    pub(super) fn reviewer_other_than(&self, by: &str) -> Option<&str> {
        match &self.example.review {
            Review::Approved { by: person, .. } | Review::Rejected { by: person, .. } => {
                Some(person.as_str()).filter(|person| self.touched && *person != by)
            }
            Review::Pending => None,
        }
    }
}

macro_rules! select_examples {
    ($tail:literal) => {
        concat!(
            "select e.task, e.id, e.revision, e.source_kind, e.source_ref, e.source_at, e.review, e.reviewed_by,
                    e.reviewed_at, e.reject_reason, e.touched, r.input, r.output
             from examples e
             join example_revisions r on r.task = e.task and r.id = e.id and r.revision = e.revision ",
            $tail
        )
    };
}

pub(crate) use select_examples;

pub(super) async fn find(on: impl AnyExecutor<'_>, task: &str, id: &str) -> Result<Option<Stored>, Error> {
    let found = sqlx::query_as(select_examples!("where e.task = $1 and e.id = $2")).bind(task).bind(id);
    Ok(found.fetch_optional(on).await?)
}

/// Those of the given examples that are stored, by id.
pub(super) async fn find_all(tx: &mut Tx<'_>, task: &str, ids: &[&str]) -> Result<HashMap<String, Stored>, Error> {
    let (one, many) = (tx.dialect.places(0, 1), tx.dialect.places(1, ids.len()));
    let sql = format!("{} where e.task = {one} and e.id in {many}", select_examples!(""));
    let mut query = sqlx::query_as(AssertSqlSafe(sql)).bind(task);
    for id in ids {
        query = query.bind(*id);
    }
    let found: Vec<Stored> = query.fetch_all(&mut **tx).await?;
    Ok(found.into_iter().map(|stored| (stored.example.id.clone(), stored)).collect())
}

/// The position of a task's last example.
pub(super) async fn last_position(tx: &mut Tx<'_>, task: &str) -> Result<i64, Error> {
    let last = sqlx::query_scalar("select coalesce(max(position), 0) from examples where task = $1").bind(task);
    Ok(last.fetch_one(&mut **tx).await?)
}

/// Adds new examples of one task at their positions with two statements, whatever their number.
pub(super) async fn add_all(
    tx: &mut Tx<'_>,
    task: &str,
    new: &[(i64, Example)],
    actor: Actor<'_>,
) -> Result<(), Error> {
    if new.is_empty() {
        return Ok(());
    }
    let sql = format!(
        "insert into examples (task, id, position, revision, source_kind, source_ref, source_at, review, reviewed_by,
                               reviewed_at, reject_reason, touched, folded)
         values {}",
        tx.dialect.rows(new.len(), 13)
    );
    let mut query = sqlx::query(AssertSqlSafe(sql));
    for (position, new) in new {
        let review = ReviewColumns::of(&new.review);
        query = query
            .bind(&new.task)
            .bind(&new.id)
            .bind(*position)
            .bind(i64::from(new.revision))
            .bind(&new.source.kind)
            .bind(&new.source.reference)
            .bind(new.source.at)
            .bind(review.state)
            .bind(review.by)
            .bind(review.at)
            .bind(review.reason)
            .bind(0_i64)
            .bind(folded(new));
    }
    query.execute(&mut **tx).await?;
    add_revisions(tx, new.iter().map(|(_, new)| new), actor).await?;
    for (_, new) in new {
        let entry = Entry { action: Action::Import, kind: Kind::Example, task, subject: &new.id };
        record(tx, entry, actor, None, Some(&fields(new))).await?;
    }
    Ok(())
}

pub(super) async fn update(
    tx: &mut Tx<'_>,
    before: &Example,
    after: &Example,
    touched: bool,
    action: Action,
    actor: Actor<'_>,
) -> Result<(), Error> {
    if after.revision != before.revision {
        add_revisions(tx, std::iter::once(after), actor).await?;
    }
    let review = ReviewColumns::of(&after.review);
    tx.execute(
        "update examples set revision = $3, source_kind = $4, source_ref = $5, source_at = $6, review = $7,
                reviewed_by = $8, reviewed_at = $9, reject_reason = $10, touched = $11, folded = $12
         where task = $1 and id = $2",
        (
            &after.task,
            &after.id,
            after.revision,
            &after.source.kind,
            &after.source.reference,
            after.source.at,
            review.state,
            review.by,
            review.at,
            review.reason,
            touched,
            folded(after),
        ),
    )
    .await?;
    let (old, new) = differing(&fields(before), &fields(after));
    let entry = Entry { action, kind: Kind::Example, task: &after.task, subject: &after.id };
    record(tx, entry, actor, Some(&old), Some(&new)).await
}

/// Stores the content of revisions permanently, because datasets refer to it.
async fn add_revisions(
    tx: &mut Tx<'_>,
    examples: impl ExactSizeIterator<Item = &Example>,
    actor: Actor<'_>,
) -> Result<(), Error> {
    let sql = format!(
        "insert into example_revisions (task, id, revision, input, output, created_by, created_at) values {}",
        tx.dialect.rows(examples.len(), 7)
    );
    let mut query = sqlx::query(AssertSqlSafe(sql));
    for example in examples {
        query = query
            .bind(&example.task)
            .bind(&example.id)
            .bind(i64::from(example.revision))
            .bind(&example.input)
            .bind(example.output.as_ref().map(Value::to_string))
            .bind(row::text(actor.by))
            .bind(actor.at);
    }
    query.execute(&mut **tx).await?;
    Ok(())
}

/// All changes of an example, oldest first.
pub(super) async fn changes(tx: &mut Tx<'_>, task: &str, id: &str) -> Result<Vec<Change>, Error> {
    statement::all(
        &mut **tx,
        "select seq, made_at, made_by, action, kind, task, subject, old, new from changes
         where kind = 'example' and task = $1 and subject = $2 order by seq",
        (task, id),
    )
    .await
}

/// The `seq` of an example's newest change.
pub(super) async fn newest_change(tx: &mut Tx<'_>, task: &str, id: &str) -> Result<i64, Error> {
    Ok(sqlx::query_scalar(
        "select coalesce(max(seq), 0) from changes where kind = 'example' and task = $1 and subject = $2",
    )
    .bind(task)
    .bind(id)
    .fetch_one(&mut **tx)
    .await?)
}

impl FromRow<'_, AnyRow> for Stored {
    fn from_row(row: &AnyRow) -> Result<Self, sqlx::Error> {
        let text = |column| Ok::<_, sqlx::Error>(row::get::<Option<String>>(row, column)?.unwrap_or_default());
        let by = || text("reviewed_by");
        let at = || Ok::<_, sqlx::Error>(row::get::<Option<i64>>(row, "reviewed_at")?.unwrap_or_default());
        let review = match row::get(row, "review")? {
            ReviewState::Pending => Review::Pending,
            ReviewState::Approved => Review::Approved { by: by()?, at: at()? },
            ReviewState::Rejected => Review::Rejected { by: by()?, at: at()?, reason: text("reject_reason")? },
        };
        let example = Example {
            id: row::get(row, "id")?,
            task: row::get(row, "task")?,
            input: row::get(row, "input")?,
            output: row::get(row, "output")?,
            source: source(row)?,
            review,
            revision: row::get(row, "revision")?,
        };
        Ok(Self { example, touched: row::get(row, "touched")? })
    }
}

pub(crate) fn source(row: &AnyRow) -> Result<Source, sqlx::Error> {
    Ok(Source {
        kind: row::get(row, "source_kind")?,
        reference: row::get(row, "source_ref")?,
        at: row::get(row, "source_at")?,
    })
}

/// A review as four columns.
struct ReviewColumns<'a> {
    state: &'static str,
    by: Option<&'a str>,
    at: Option<Timestamp>,
    reason: Option<&'a str>,
}

impl<'a> ReviewColumns<'a> {
    fn of(review: &'a Review) -> Self {
        let (by, at, reason) = match review {
            Review::Pending => (None, None, None),
            Review::Approved { by, at } => (Some(by.as_str()), Some(*at), None),
            Review::Rejected { by, at, reason } => (Some(by.as_str()), Some(*at), Some(reason.as_str())),
        };
        Self { state: review.name(), by, at, reason }
    }
}

/// The fields of an example that the audit trail records.
fn fields(example: &Example) -> Value {
    json!({
        "input": example.input,
        "output": example.output,
        "source": example.source,
        "review": example.review,
        "revision": example.revision,
    })
}

/// The text that a search looks through, in lower case: the databases differ in lower-casing non-ASCII letters.
fn folded(example: &Example) -> String {
    let output = example.output.as_ref().map(|output| match output {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    });
    row::text(&format!("{}\n{}\n{}", example.id, example.input, output.unwrap_or_default()).to_lowercase())
}
