use graft_core::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};
use sqlx::{AssertSqlSafe, any::AnyRow};
use utoipa::ToSchema;

use crate::database::Tx;
use crate::{Error, Store, row};

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
    ///
    /// # Errors
    /// When the database can't be read.
    pub async fn changes(&self, filter: &ChangeFilter) -> Result<Vec<Change>, Error> {
        let sql = if filter.newest { changes_by!("seq desc") } else { changes_by!("seq") };
        let rows = sqlx::query(sql)
            .bind(filter.after)
            .bind(filter.before.unwrap_or(i64::MAX))
            .bind(filter.kind.map(Kind::name))
            .bind(filter.task.as_deref())
            .bind(filter.subject.as_deref())
            .bind(filter.limit.map_or(i64::MAX, i64::from))
            .fetch_all(&self.read)
            .await?;
        rows.iter().map(change).collect()
    }
}

pub(crate) fn change(row: &AnyRow) -> Result<Change, Error> {
    Ok(Change {
        seq: row::get(row, "seq")?,
        at: row::get(row, "made_at")?,
        by: row::get(row, "made_by")?,
        action: row::parsed(row, "action")?,
        kind: row::parsed(row, "kind")?,
        task: row::get(row, "task")?,
        subject: row::get(row, "subject")?,
        before: row::json_opt(row, "old")?,
        after: row::json_opt(row, "new")?,
    })
}

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

/// Adds an entry to the audit trail within the transaction of the change itself.
pub(crate) async fn record(
    tx: &mut Tx<'_>,
    entry: Entry<'_>,
    actor: Actor<'_>,
    before: Option<&Value>,
    after: Option<&Value>,
) -> Result<(), Error> {
    sqlx::query(
        "insert into changes (seq, made_at, made_by, action, kind, task, subject, old, new)
         select coalesce(max(seq), 0) + 1, $1, $2, $3, $4, $5, $6, $7, $8 from changes",
    )
    .bind(actor.at)
    .bind(row::text(actor.by))
    .bind(entry.action.name())
    .bind(entry.kind.name())
    .bind(entry.task)
    .bind(entry.subject)
    .bind(before.map(Value::to_string))
    .bind(after.map(Value::to_string))
    .execute(&mut **tx)
    .await?;
    tx.has_changes = true;
    Ok(())
}

/// Like [`record`], for many new subjects of one task.
pub(crate) async fn record_all(
    tx: &mut Tx<'_>,
    action: Action,
    kind: Kind,
    task: &str,
    made: &[(&str, Value)],
    actor: Actor<'_>,
) -> Result<(), Error> {
    let last = sqlx::query("select coalesce(max(seq), 0) as seq from changes").fetch_one(&mut **tx).await?;
    let last: i64 = row::get(&last, "seq")?;
    let sql = "insert into changes (seq, made_at, made_by, action, kind, task, subject, new) values ";
    let mut query = sqlx::query(AssertSqlSafe(sql.to_owned() + &tx.dialect.rows(made.len(), 8)));
    for (seq, (subject, after)) in (last + 1..).zip(made) {
        query = query
            .bind(seq)
            .bind(actor.at)
            .bind(row::text(actor.by))
            .bind(action.name())
            .bind(kind.name())
            .bind(task)
            .bind(*subject)
            .bind(after.to_string());
    }
    query.execute(&mut **tx).await?;
    tx.has_changes = true;
    Ok(())
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
