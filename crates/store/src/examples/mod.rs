mod filter;
mod review;
mod sources;
mod table;

use std::collections::{BTreeMap, HashSet};
use std::time::{Duration, Instant};

use graft_core::{Example, Review, Timestamp};
use serde::Serialize;
use serde_json::Value;

use filter::{matching, suggested};
pub use review::{Bulk, BulkReport, Decision, Seen, Skipped};
use sqlx::FromRow as _;
use table::select_examples;
pub(crate) use table::{Stored, select_examples as examples_of, source};
use utoipa::ToSchema;

use crate::changes::Actor;
use crate::database::{Dialect, Tx};
use crate::merge::{Merge, merge};
use crate::scope::Scope;
use crate::{Action, Change, ChangeFilter, Error, Kind, Store, row, statement};

names! {
    /// Review state of an example.
    pub enum ReviewState {
        /// Not reviewed yet.
        Pending = "pending",
        /// Its output is correct.
        Approved = "approved",
        /// It is excluded from training.
        Rejected = "rejected",
    }
}

names! {
    /// Which review states to list.
    #[schema(as = ReviewFilterName)]
    pub enum ReviewFilter {
        /// Not reviewed yet.
        Pending = "pending",
        /// Its output is correct.
        Approved = "approved",
        /// Excluded from training.
        Rejected = "rejected",
        /// Reviewed: approved or rejected.
        Audited = "audited",
    }
}

names! {
    /// The order of a list of examples.
    #[schema(as = OrderName)]
    pub enum Order {
        /// In import order.
        Imported = "imported",
        /// By the source's time, latest first.
        Newest = "newest",
        /// By the source's time, earliest first.
        Oldest = "oldest",
        /// Lowest confidence of the suggestion first; examples without a suggestion last.
        Uncertain = "uncertain",
        /// First those whose suggestion contradicts the baseline, by rising confidence; then the others, likewise.
        Disagreeing = "disagreeing",
    }
}

/// Which examples to list; an absent field matches all.
#[derive(Clone, Debug)]
pub struct ExampleFilter {
    /// Only of this task.
    pub task: Option<String>,
    /// Only in these states.
    pub review: Option<ReviewFilter>,
    /// Only from this kind of source.
    pub source: Option<String>,
    /// Only with this text in the input, output or id; case is ignored.
    pub search: Option<String>,
    /// Only reviewed by this person.
    pub by: Option<String>,
    /// Only with a suggestion for this field, at any depth. The two confidence limits then apply to this field.
    pub field: Option<String>,
    /// Only with a suggestion of at least this confidence, from 0 to 1.
    pub min_confidence: Option<f64>,
    /// Only with a suggestion of less than this confidence.
    pub max_confidence: Option<f64>,
    /// The order.
    pub order: Order,
    /// At most this many.
    pub limit: Option<u32>,
    /// Number to skip at the start.
    pub offset: u32,
}

impl Default for ExampleFilter {
    fn default() -> Self {
        Self {
            task: None,
            review: None,
            source: None,
            search: None,
            by: None,
            field: None,
            min_confidence: None,
            max_confidence: None,
            order: Order::Imported,
            limit: None,
            offset: 0,
        }
    }
}

/// Result of an import.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = ImportChanges)]
pub struct ImportReport {
    /// New examples.
    pub added: u64,
    /// Examples whose source changed, or which got an output or a review.
    pub updated: u64,
    /// Examples that the import does not change.
    pub unchanged: u64,
    /// Examples that the import would change, but a person has reviewed; the review is kept.
    pub kept: u64,
}

/// Number of examples of a task in each review state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Counts {
    /// Not reviewed yet.
    pub pending: u64,
    /// Approved: used for training.
    pub approved: u64,
    /// Rejected: excluded from training.
    pub rejected: u64,
}

/// Number of examples stored with one statement per table.
const PER_STATEMENT: usize = 400;
/// Examples stored in the first transaction; how long it takes decides on the size of the next ones.
const FIRST_PART: usize = 2_000;
/// Fewest and most examples stored in one of the next transactions.
const PER_PART: (usize, usize) = (400, 10_000);
/// Target duration of one transaction, so that other writers hardly wait.
const TARGET_DURATION: Duration = Duration::from_millis(140);
/// Pause between two transactions on SQLite. Writers that wait for its file poll it ever more rarely, but every 50 ms at
/// least in the first 228 ms (`sqliteDefaultBusyCallback`). So each finds it free in the first pause, after about 200 ms at
/// most. On Postgres they queue.
const PAUSE: Duration = Duration::from_millis(60);
/// Lets the pages that a part changes stay in memory until it commits, and what undoes a failed statement, too: SQLite would
/// write the former state of each page to a file for each statement. The log is copied into the file after 64 MB instead of
/// 4 MB: a page that several parts change is copied once.
const FOR_IMPORT: &str = "pragma temp_store = memory; pragma cache_size = -65536; pragma wal_autocheckpoint = 16384";
/// SQLite's own sizes again, which gives the memory back; nobody else's commit has to copy what is left of the log.
const USUAL: &str = "pragma temp_store = default; pragma cache_size = -2000; pragma wal_autocheckpoint = 1000; \
     pragma wal_checkpoint(passive)";

/// An example with its place in a part of an import, from 1.
type Placed<'a> = (i64, &'a Example);

impl Store {
    /// Stores imported examples. Importing them again changes nothing, and people's reviews are kept (see
    /// [`ImportReport`]). A large import is stored in several transactions so that others can write in between. Each
    /// example is stored completely or not at all, and repeating an interrupted import completes it.
    ///
    /// # Errors
    /// [`Error::BadExample`] for an example without id or task, with a NUL character, or approved without output;
    /// nothing is stored then. [`Error::Partly`] if the database fails after the first part.
    pub async fn import(&self, examples: &[Example], by: &str, at: Timestamp) -> Result<ImportReport, Error> {
        self.import_with_progress(examples, by, at, &mut |_| {}).await
    }

    /// Like [`import`](Self::import); calls `tell` with the number of examples stored so far.
    ///
    /// # Errors
    /// The same.
    pub async fn import_with_progress(
        &self,
        examples: &[Example],
        by: &str,
        at: Timestamp,
        tell: &mut (dyn FnMut(usize) + Send),
    ) -> Result<ImportReport, Error> {
        for (row, example) in (1_usize..).zip(examples) {
            check(row, example)?;
        }
        let actor = Actor { by, at };
        let (mut report, mut stored, mut size) = (ImportReport::default(), 0, FIRST_PART);
        loop {
            let part = &examples[stored..examples.len().min(stored + size)];
            let took = self.import_part(part, actor, &mut report, &mut |done| tell(stored + done)).await;
            let took = took.map_err(|error| match stored {
                0 => error,
                stored => Error::Partly { stored, of: examples.len(), source: Box::new(error) },
            })?;
            stored += part.len();
            if stored == examples.len() {
                break;
            }
            let wanted = part.len() as f64 * TARGET_DURATION.as_secs_f64() / took.as_secs_f64();
            size = (wanted as usize).clamp(PER_PART.0, PER_PART.1);
            if self.dialect == Dialect::Sqlite {
                tokio::time::sleep(PAUSE).await;
            }
        }
        if self.dialect == Dialect::Sqlite {
            // The import is stored, whatever comes of this.
            let _ = sqlx::raw_sql(USUAL).execute(&self.write).await;
        }
        Ok(report)
    }

    /// Stores examples in one transaction; returns how long it held the lock.
    async fn import_part(
        &self,
        examples: &[Example],
        actor: Actor<'_>,
        report: &mut ImportReport,
        tell: &mut (dyn FnMut(usize) + Send),
    ) -> Result<Duration, Error> {
        let mut placed: Vec<Placed<'_>> = (1_i64..).zip(examples).collect();
        if placed.len() > PER_STATEMENT {
            // Ids of most sources are in no order: each statement would change most pages of the indexes.
            placed.sort_by_key(|(_, example)| (example.task.as_str(), example.id.as_str()));
        }
        if self.dialect == Dialect::Sqlite {
            sqlx::raw_sql(FOR_IMPORT).execute(&self.write).await?;
        }
        let scope = match examples {
            [first, rest @ ..] if rest.iter().all(|other| other.task == first.task) => Scope::Examples(&first.task),
            _ => Scope::All,
        };
        let mut tx = self.begin_in(scope).await?;
        let began = Instant::now();
        let mut importing = Importing { actor, report, last: BTreeMap::new() };
        let mut done = 0;
        while done < placed.len() {
            let some = together(&placed[done..]);
            importing.some(&mut tx, some).await?;
            done += some.len();
            tell(done);
        }
        tx.commit().await?;
        Ok(began.elapsed())
    }

    /// The examples that match, in the filter's order.
    pub async fn examples(&self, filter: &ExampleFilter) -> Result<Vec<Example>, Error> {
        let sql = suggested!(self.dialect, select_examples!(""), {
            "order by case when $9 = 'disagreeing' then 1 - coalesce(s.disagrees, 0) else 0 end,
                      case when $9 = 'uncertain' or $9 = 'disagreeing' then coalesce(s.confidence, 2.0)
                           else 0.0 end,
                      case when $9 = 'newest' then -coalesce(e.source_at, 0)
                           when $9 = 'oldest' then coalesce(e.source_at, 0) else 0 end,
                      case when $9 = 'newest' then -e.position else e.position end, e.task
             limit $10 offset $11"
        });
        let rows = matching(sql, filter)
            .bind(filter.order.name())
            .bind(filter.limit.map_or(i64::MAX, i64::from))
            .bind(i64::from(filter.offset))
            .fetch_all(&self.read)
            .await?;
        rows.iter().map(|row| Ok(Stored::from_row(row)?.example)).collect()
    }

    /// How many examples match, ignoring the filter's limit and offset.
    pub async fn count_examples(&self, filter: &ExampleFilter) -> Result<u64, Error> {
        let sql = suggested!(self.dialect, "select count(*) as n from examples e ", { "" });
        let row = matching(sql, filter).fetch_one(&self.read).await?;
        Ok(row::get(&row, "n")?)
    }

    /// The number of examples in each review state, for every task that has examples.
    pub async fn example_counts(&self) -> Result<BTreeMap<String, Counts>, Error> {
        let rows = sqlx::query("select task, review, count(*) as n from examples group by task, review")
            .fetch_all(&self.read)
            .await?;
        let mut tasks: BTreeMap<String, Counts> = BTreeMap::new();
        for row in &rows {
            let counts = tasks.entry(row::get(row, "task")?).or_default();
            let count = match row::get(row, "review")? {
                ReviewState::Pending => &mut counts.pending,
                ReviewState::Approved => &mut counts.approved,
                ReviewState::Rejected => &mut counts.rejected,
            };
            *count = row::get(row, "n")?;
        }
        Ok(tasks)
    }

    /// The distinct outputs of a task's approved examples, as JSON.
    pub async fn approved_outputs(&self, task: &str) -> Result<Vec<Value>, Error> {
        // Many examples have few answers: the index is read from one short answer to the next.
        statement::values(
            &self.read,
            "with recursive short(output) as (
                 select min(output) from example_revisions where task = $1 and length(output) <= 500
                 union all
                 select (select min(r.output) from example_revisions r
                         where r.task = $1 and length(r.output) <= 500 and r.output > short.output)
                 from short where short.output is not null)
             select output from short where output is not null and exists (
                 select 1 from example_revisions r
                 join examples e on e.task = r.task and e.id = r.id and e.revision = r.revision
                 where r.task = $1 and length(r.output) <= 500 and r.output = short.output and e.review = 'approved')
             union all
             select distinct r.output from example_revisions r
             where r.task = $1 and length(r.output) > 500 and exists (
                 select 1 from examples e
                 where e.task = r.task and e.id = r.id and e.revision = r.revision and e.review = 'approved')",
            task,
        )
        .await
    }

    /// One example.
    ///
    /// # Errors
    /// [`Error::NoExample`].
    pub async fn example(&self, task: &str, id: &str) -> Result<Example, Error> {
        Ok(table::find(&self.read, task, id).await?.ok_or_else(|| missing(task, id))?.example)
    }

    /// All changes of an example, oldest first.
    ///
    /// # Errors
    /// [`Error::NoExample`].
    pub async fn history(&self, task: &str, id: &str) -> Result<Vec<Change>, Error> {
        let filter = ChangeFilter {
            kind: Some(Kind::Example),
            task: Some(task.to_owned()),
            subject: Some(id.to_owned()),
            ..ChangeFilter::default()
        };
        let changes = self.changes(&filter).await?;
        if changes.is_empty() { Err(missing(task, id)) } else { Ok(changes) }
    }

    /// Approves an example: its output is correct.
    ///
    /// # Errors
    /// [`Error::NoExample`]; [`Error::NoOutput`] if it has no output.
    pub async fn approve(&self, task: &str, id: &str, by: &str, at: Timestamp) -> Result<Example, Error> {
        self.review(task, id, Seen::default(), &Decision::Approve, by, at).await
    }

    /// Rejects an example, with a reason: it is not used for training.
    ///
    /// # Errors
    /// [`Error::NoExample`].
    pub async fn reject(&self, task: &str, id: &str, reason: &str, by: &str, at: Timestamp) -> Result<Example, Error> {
        self.review(task, id, Seen::default(), &Decision::Reject(reason.to_owned()), by, at).await
    }

    /// Replaces an example's output and approves it. A different output makes a new revision.
    ///
    /// # Errors
    /// [`Error::NoExample`].
    pub async fn edit(&self, task: &str, id: &str, output: &Value, by: &str, at: Timestamp) -> Result<Example, Error> {
        self.review(task, id, Seen::default(), &Decision::Edit(output.clone()), by, at).await
    }
}

/// The longest prefix whose examples belong to one task and are all distinct.
fn together<'a, 'e>(examples: &'a [Placed<'e>]) -> &'a [Placed<'e>] {
    let mut ids: HashSet<&str> = HashSet::new();
    let some = &examples[..examples.len().min(PER_STATEMENT)];
    let task = some[0].1.task.as_str();
    let repeats = some.iter().position(|(_, example)| example.task != task || !ids.insert(&example.id));
    &some[..repeats.unwrap_or(some.len())]
}

/// A part of an import.
struct Importing<'a> {
    actor: Actor<'a>,
    report: &'a mut ImportReport,
    /// The last position of each task before the part: its examples follow in the import's order.
    last: BTreeMap<String, i64>,
}

impl Importing<'_> {
    /// Imports distinct examples of one task.
    async fn some(&mut self, tx: &mut Tx<'_>, examples: &[Placed<'_>]) -> Result<(), Error> {
        let task = examples[0].1.task.as_str();
        let ids: Vec<&str> = examples.iter().map(|(_, example)| example.id.as_str()).collect();
        let mut known = table::find_all(tx, task, &ids).await?;
        let last = match self.last.get(task) {
            Some(last) => *last,
            None => table::last_position(tx, task).await?,
        };
        self.last.insert(task.to_owned(), last);
        let mut added = Vec::new();
        for (place, example) in examples {
            let mut new = (*example).clone();
            new.output = new.output.as_ref().map(as_stored);
            let Some(Stored { example: before, touched }) = known.remove(&new.id) else {
                new.revision = 1;
                added.push((last + place, new));
                continue;
            };
            match merge(&before, touched, &new) {
                Merge::Unchanged => self.report.unchanged += 1,
                Merge::Kept => self.report.kept += 1,
                Merge::Update(after) => {
                    table::update(tx, &before, &after, touched, Action::Import, self.actor).await?;
                    self.report.updated += 1;
                }
            }
        }
        table::add_all(tx, task, &added, self.actor).await?;
        self.report.added += added.len() as u64;
        Ok(())
    }
}

fn check(row: usize, example: &Example) -> Result<(), Error> {
    let name = if example.id.is_empty() { format!("in row {row}") } else { example.id.clone() };
    let refuse = |problem| Err(Error::BadExample { id: row::text(&name), problem });
    let (by, reason) = match &example.review {
        Review::Pending => ("", ""),
        Review::Approved { by, .. } => (by.as_str(), ""),
        Review::Rejected { by, reason, .. } => (by.as_str(), reason.as_str()),
    };
    let source = &example.source;
    let texts = [&*example.id, &*example.task, &*example.input, &*source.kind, &*source.reference, by, reason];
    if example.id.is_empty() {
        refuse("it has no id")
    } else if example.task.is_empty() {
        refuse("it has no task")
    } else if texts.iter().any(|text| text.contains('\0')) {
        refuse("its text holds a NUL character")
    } else if example.output.is_none() && matches!(example.review, Review::Approved { .. }) {
        refuse("it is approved but has no output")
    } else {
        Ok(())
    }
}

/// A value after a round trip through its text; the last bit of a float may change.
fn as_stored(value: &Value) -> Value {
    serde_json::from_str(&value.to_string()).unwrap_or_else(|_| value.clone())
}

fn missing(task: &str, id: &str) -> Error {
    Error::NoExample { task: task.to_owned(), id: id.to_owned() }
}
