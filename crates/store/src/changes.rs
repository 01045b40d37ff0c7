use graft_core::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value, json};
use sqlx::AssertSqlSafe;
use utoipa::ToSchema;

use crate::database::{Dialect, Tx};
use crate::row::from_row;
use crate::scope::NUMBERS;
use crate::{Error, Store, row, statement, watch};

names! {
    /// The kind of thing that a change is about.
    #[schema(as = ChangeKind)]
    pub enum Kind {
        /// An example of a task.
        Example = "example",
        /// A dataset of a task.
        Dataset = "dataset",
        /// A run of a task.
        Run = "run",
        /// A version of a task.
        Version = "version",
        /// A setting.
        Setting = "setting",
        /// A base model.
        Base = "base",
        /// A schedule.
        Schedule = "schedule",
        /// A search for settings.
        Study = "study",
        /// A person who may log in.
        User = "user",
        /// A token of a program.
        Token = "token",
        /// An import.
        Import = "import",
        /// A machine that runs execute on.
        Machine = "machine",
        /// A task's definition.
        Task = "task",
        /// A template of tasks.
        Template = "template",
        /// A process that holds a version of a task.
        Agent = "agent",
        /// A file of inputs that a version answers.
        Batch = "batch",
    }
}

names! {
    /// The operation that made a change.
    #[schema(as = ChangeAction)]
    pub enum Action {
        /// A source added or changed it.
        Import = "import",
        /// Its output was confirmed as correct.
        Approve = "approve",
        /// It was excluded from training.
        Reject = "reject",
        /// Its output was replaced.
        Edit = "edit",
        /// It was marked as pending again.
        Reopen = "reopen",
        /// The last review was undone.
        Undo = "undo",
        /// It was added.
        Add = "add",
        /// A run changed its state.
        State = "state",
        /// A version became the active one.
        Activate = "activate",
        /// The previous version became active again.
        Rollback = "rollback",
        /// A value was replaced.
        Set = "set",
        /// It was removed from the lists; its files are kept.
        Delete = "delete",
    }
}

/// One entry of the audit trail, which is append-only.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Change {
    /// Position among all changes, from 1 and without gaps.
    pub seq: i64,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: String,
    /// What was done.
    pub action: Action,
    /// To what kind of thing.
    pub kind: Kind,
    /// Its task; empty for settings and base models.
    pub task: String,
    /// Its id or name.
    pub subject: String,
    /// The previous values of the fields that changed.
    #[schema(value_type = Option<Object>)]
    pub before: Option<Value>,
    /// The new values of the same fields.
    #[schema(value_type = Option<Object>)]
    pub after: Option<Value>,
}

/// Which changes to list; an absent field matches all.
#[derive(Clone, Debug, Default)]
pub struct ChangeFilter {
    /// Only of this kind.
    pub kind: Option<Kind>,
    /// Only of this task.
    pub task: Option<String>,
    /// Only changes of the object with this id or name.
    pub subject: Option<String>,
    /// Only entries after this `seq`: a cursor.
    pub after: i64,
    /// Only entries before this `seq`: a cursor to read backwards.
    pub before: Option<i64>,
    /// Newest first; otherwise oldest first.
    pub newest: bool,
    /// At most this many.
    pub limit: Option<u32>,
}

macro_rules! changes_by {
    ($order:literal) => {
        concat!(
            "select seq, made_at, made_by, action, kind, task, subject, old, new from changes
             where seq > $1 and seq < $2 and ($3 is null or kind = $3) and ($4 is null or task = $4)
               and ($5 is null or subject = $5)
             order by ",
            $order,
            " limit $6"
        )
    };
}

impl Store {
    /// The audit trail.
    pub async fn changes(&self, filter: &ChangeFilter) -> Result<Vec<Change>, Error> {
        let sql = if filter.newest { changes_by!("seq desc") } else { changes_by!("seq") };
        statement::all(
            &self.read,
            sql,
            (
                filter.after,
                filter.before.unwrap_or(i64::MAX),
                filter.kind,
                filter.task.as_deref(),
                filter.subject.as_deref(),
                filter.limit.map_or(i64::MAX, i64::from),
            ),
        )
        .await
    }
}

from_row!(Change { seq, at = "made_at", by = "made_by", action, kind, task, subject, before = "old", after = "new" });

/// Who makes a change, and when.
#[derive(Clone, Copy)]
pub(crate) struct Actor<'a> {
    pub(crate) by: &'a str,
    pub(crate) at: Timestamp,
}

/// An entry for the audit trail: the operation, its subject, and the values before and after.
#[derive(Clone, Copy)]
pub(crate) struct Entry<'a> {
    pub(crate) action: Action,
    pub(crate) kind: Kind,
    pub(crate) task: &'a str,
    pub(crate) subject: &'a str,
}

/// An entry that gets its number at the end of its transaction.
pub(crate) struct Unnumbered {
    actor: (String, Timestamp),
    what: (Action, Kind),
    task: String,
    subject: String,
    before: Option<String>,
    after: Option<String>,
}

/// Entries of one statement on SQLite.
const PER_STATEMENT: usize = 400;
/// Most entries of a transaction that are kept in memory.
const MOST_KEPT: usize = 20_000;

/// Adds an entry to the audit trail within the transaction of the change itself. The transaction can't read it before it
/// ends.
pub(crate) async fn record(
    tx: &mut Tx<'_>,
    entry: Entry<'_>,
    actor: Actor<'_>,
    before: Option<&Value>,
    after: Option<&Value>,
) -> Result<(), Error> {
    tx.unnumbered.push(Unnumbered {
        actor: (row::text(actor.by), actor.at),
        what: (entry.action, entry.kind),
        task: entry.task.to_owned(),
        subject: entry.subject.to_owned(),
        before: before.map(Value::to_string),
        after: after.map(Value::to_string),
    });
    if tx.unnumbered.len() >= MOST_KEPT {
        number(tx, false).await?;
    }
    Ok(())
}

/// Stores the transaction's entries with the next numbers, and with `ends` commits it on Postgres; returns whether it did.
/// From here to the end of the transaction others wait for their numbers. So numbers have no gaps, though transactions may
/// fail, and whoever sees a number sees all lower ones: a cursor skips nothing. Postgres gets all of it in one message, so
/// that the others don't wait for the network.
pub(crate) async fn number(tx: &mut Tx<'_>, ends: bool) -> Result<bool, Error> {
    let made = std::mem::take(&mut tx.unnumbered);
    if made.is_empty() {
        return Ok(false);
    }
    if tx.dialect == Dialect::Postgres {
        let entries = made.iter().map(|made| {
            let (by, at) = &made.actor;
            json!([at, by, made.what.0, made.what.1, made.task, made.subject, made.before, made.after])
        });
        let entries = Value::Array(entries.collect()).to_string();
        tx.execute("select set_config('graft.entries', $1, true)", entries).await?;
        // The transaction that `chain` begins is empty; sqlx ends it.
        let end = if ends { "; commit and chain" } else { "" };
        let sql = format!(
            "{notify}; select 1 from pg_advisory_xact_lock({NUMBERS});
             insert into changes (seq, made_at, made_by, action, kind, task, subject, old, new)
             select (select coalesce(max(seq), 0) from changes) + n, cast(e->>0 as bigint), e->>1, e->>2, e->>3, e->>4,
                    e->>5, e->>6, e->>7
             from json_array_elements(cast(current_setting('graft.entries') as json)) with ordinality as entries (e, n){end}",
            notify = watch::NOTIFY,
        );
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut **tx).await?;
        return Ok(ends);
    }
    let mut seq: i64 = sqlx::query_scalar("select coalesce(max(seq), 0) from changes").fetch_one(&mut **tx).await?;
    for made in made.chunks(PER_STATEMENT) {
        let sql = "insert into changes (seq, made_at, made_by, action, kind, task, subject, old, new) values ";
        let mut query = sqlx::query(AssertSqlSafe(sql.to_owned() + &tx.dialect.rows(made.len(), 9)));
        for made in made {
            seq += 1;
            query = query
                .bind(seq)
                .bind(made.actor.1)
                .bind(&made.actor.0)
                .bind(made.what.0.name())
                .bind(made.what.1.name())
                .bind(&made.task)
                .bind(&made.subject)
                .bind(made.before.as_deref())
                .bind(made.after.as_deref());
        }
        query.execute(&mut **tx).await?;
    }
    Ok(false)
}

/// The fields in which two objects differ, before and after.
pub(crate) fn differing(before: &Value, after: &Value) -> (Value, Value) {
    let empty = Map::new();
    let (old, new) = (before.as_object().unwrap_or(&empty), after.as_object().unwrap_or(&empty));
    let differs = |key: &&String| old.get(*key) != new.get(*key);
    let pick = |from: &Map<String, Value>| {
        from.iter().filter(|(key, _)| differs(key)).map(|(key, value)| (key.clone(), value.clone())).collect()
    };
    (Value::Object(pick(old)), Value::Object(pick(new)))
}
