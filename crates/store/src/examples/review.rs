//! Reviews: single and in bulk, with conflict detection, and undo.

use graft_core::{Example, Review, Timestamp};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::filter::{matching, suggested};
use super::table;
use super::{ExampleFilter, as_stored, missing};
use crate::changes::Actor;
use crate::database::Tx;
use crate::scope::Scope;
use crate::{Action, Change, Error, Store, row};

/// What the caller knew of an example. A review is refused if it has changed since. Of a caller who knows the revision
/// only, a review is also refused if another person has reviewed the example.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// The revision.
    pub revision: Option<u32>,
    /// The `seq` of the example's newest change, which every review increases.
    pub change: Option<i64>,
}

/// A person's review of an example.
#[derive(Clone, Debug, PartialEq)]
pub enum Decision {
    /// Its output is correct.
    Approve,
    /// This is the correct output.
    Edit(Value),
    /// It must not be used, with the reason.
    Reject(String),
    /// It must be reviewed again.
    Reopen,
}

impl Decision {
    fn action(&self) -> Action {
        match self {
            Self::Approve => Action::Approve,
            Self::Edit(_) => Action::Edit,
            Self::Reject(_) => Action::Reject,
            Self::Reopen => Action::Reopen,
        }
    }

    /// Applies a decision to an example; the only place with these rules.
    pub(super) fn apply(&self, example: &mut Example, actor: Actor<'_>) -> Result<(), Error> {
        let (by, at) = (row::text(actor.by), actor.at);
        example.review = match self {
            Self::Approve if example.output.is_none() => return Err(Error::NoOutput { id: example.id.clone() }),
            Self::Approve => Review::Approved { by, at },
            Self::Edit(output) => {
                let output = as_stored(output);
                if example.output.as_ref() != Some(&output) {
                    example.output = Some(output);
                    example.revision = example.revision.saturating_add(1);
                }
                Review::Approved { by, at }
            }
            Self::Reject(reason) => Review::Rejected { by, at, reason: row::text(reason) },
            Self::Reopen => Review::Pending,
        };
        Ok(())
    }
}

/// Which examples a bulk review applies to.
#[derive(Clone, Debug)]
pub enum Bulk {
    /// The examples with these ids.
    Ids(Vec<String>),
    /// All that match, ignoring the filter's order and limit.
    Matching(ExampleFilter),
}

/// Result of a bulk review.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = BulkResult)]
pub struct BulkReport {
    /// Examples that changed.
    pub changed: u64,
    /// Examples that were not changed.
    pub skipped: Vec<Skipped>,
}

/// An example that a bulk decision did not change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = BulkSkipped)]
pub struct Skipped {
    /// The example.
    pub id: String,
    /// Why.
    pub why: String,
}

impl Store {
    /// Reviews an example if it has not changed since the caller read it.
    ///
    /// # Errors
    /// [`Error::Conflict`] with the current example; [`Error::NoExample`]; [`Error::NoOutput`].
    pub async fn review(
        &self,
        task: &str,
        id: &str,
        seen: Seen,
        decision: &Decision,
        by: &str,
        at: Timestamp,
    ) -> Result<Example, Error> {
        let actor = Actor { by, at };
        let mut tx = self.begin_in(Scope::Example(task, id)).await?;
        let before = unchanged(&mut tx, task, id, seen, by).await?;
        let mut after = before.clone();
        decision.apply(&mut after, actor)?;
        table::update(&mut tx, &before, &after, true, decision.action(), actor).await?;
        tx.commit().await?;
        Ok(after)
    }

    /// Undoes the last review of an example that is not undone yet, restoring output and state.
    ///
    /// # Errors
    /// [`Error::Conflict`]; [`Error::NothingToUndo`].
    pub async fn undo_review(
        &self,
        task: &str,
        id: &str,
        seen: Seen,
        by: &str,
        at: Timestamp,
    ) -> Result<Example, Error> {
        let mut tx = self.begin_in(Scope::Example(task, id)).await?;
        let before = unchanged(&mut tx, task, id, seen, by).await?;
        let mut standing = standing_reviews(table::changes(&mut tx, task, id).await?);
        let undone = standing.pop().ok_or_else(|| Error::NothingToUndo { id: id.to_owned() })?;
        let old = undone.before.unwrap_or_default();
        let mut after = before.clone();
        if let Some(review) = old.get("review") {
            after.review = serde_json::from_value(review.clone()).map_err(|cause| Error::Damaged(Box::new(cause)))?;
        }
        if let Some(output) = old.get("output") {
            after.output = Some(output.clone()).filter(|output| !output.is_null());
            after.revision = before.revision.saturating_add(1);
        }
        let touched = !standing.is_empty();
        table::update(&mut tx, &before, &after, touched, Action::Undo, Actor { by, at }).await?;
        tx.commit().await?;
        Ok(after)
    }

    /// Applies one decision to many examples of a task. Examples that it can't be applied to are skipped and listed, and
    /// those that others reviewed unless the caller asked for them: by id, by state, or by the person.
    pub async fn review_many(
        &self,
        task: &str,
        which: &Bulk,
        decision: &Decision,
        by: &str,
        at: Timestamp,
    ) -> Result<BulkReport, Error> {
        let actor = Actor { by, at };
        let mut tx = self.begin_in(Scope::Examples(task)).await?;
        let ids = match which {
            Bulk::Ids(ids) => ids.clone(),
            Bulk::Matching(filter) => {
                let filter = ExampleFilter { task: Some(task.to_owned()), ..filter.clone() };
                let sql = suggested!(self.dialect, "select e.id from examples e ", { "order by e.position" });
                let rows = matching(sql, &filter).fetch_all(&mut *tx).await?;
                rows.iter().map(|row| row::get(row, "id")).collect::<Result<_, _>>()?
            }
        };
        let keeps_others = matches!(which, Bulk::Matching(ExampleFilter { review: None, by: None, .. }));
        let mut report = BulkReport::default();
        for id in ids {
            match review_one(&mut tx, task, &id, decision, keeps_others, actor).await {
                Ok(None) => report.changed += 1,
                Ok(Some(other)) => report.skipped.push(Skipped { id, why: format!("{other} has decided on it") }),
                Err(error @ (Error::NoExample { .. } | Error::NoOutput { .. })) => {
                    report.skipped.push(Skipped { id, why: format!("failed to {error}") });
                }
                Err(error) => return Err(error),
            }
        }
        tx.commit().await?;
        Ok(report)
    }

    /// An example with the `seq` of its newest change.
    ///
    /// # Errors
    /// [`Error::NoExample`].
    pub async fn example_seen(&self, task: &str, id: &str) -> Result<(Example, i64), Error> {
        let example = self.example(task, id).await?;
        let newest = self.history(task, id).await?.last().map_or(0, |change| change.seq);
        Ok((example, newest))
    }
}

/// Reviews one of many; returns the other person whose review is kept instead.
async fn review_one(
    tx: &mut Tx<'_>,
    task: &str,
    id: &str,
    decision: &Decision,
    keeps_others: bool,
    actor: Actor<'_>,
) -> Result<Option<String>, Error> {
    let stored = table::find(&mut **tx, task, id).await?.ok_or_else(|| missing(task, id))?;
    if let Some(other) = stored.reviewer_other_than(actor.by).filter(|_| keeps_others) {
        return Ok(Some(other.to_owned()));
    }
    let before = stored.example;
    let mut after = before.clone();
    decision.apply(&mut after, actor)?;
    table::update(tx, &before, &after, true, decision.action(), actor).await?;
    Ok(None)
}

/// The example, if it has not changed since the caller read it.
async fn unchanged(tx: &mut Tx<'_>, task: &str, id: &str, seen: Seen, by: &str) -> Result<Example, Error> {
    let stored = table::find(&mut **tx, task, id).await?.ok_or_else(|| missing(task, id))?;
    let newest = table::newest_change(tx, task, id).await?;
    let same = match seen {
        Seen { revision: None, change: None } => true,
        Seen { revision, change: None } => {
            revision == Some(stored.example.revision) && stored.reviewer_other_than(by).is_none()
        }
        Seen { revision, change } => {
            revision.is_none_or(|revision| revision == stored.example.revision) && change == Some(newest)
        }
    };
    let example = stored.example;
    if same { Ok(example) } else { Err(Error::Conflict { current: Box::new(example) }) }
}

/// Reviews that were not undone, oldest first.
fn standing_reviews(changes: Vec<Change>) -> Vec<Change> {
    let mut standing = Vec::new();
    for change in changes {
        match change.action {
            Action::Approve | Action::Reject | Action::Edit | Action::Reopen => standing.push(change),
            Action::Undo => drop(standing.pop()),
            _ => {}
        }
    }
    standing
}
