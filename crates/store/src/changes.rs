use graft_core::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};
use sqlx::{AssertSqlSafe, any::AnyRow};
use utoipa::ToSchema;

use crate::database::Tx;
use crate::{Error, Store, row};

names! {
    /// What was changed.
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
        /// Somebody who may log in.
        User = "user",
        /// A token of a program.
        Token = "token",
        /// An import.
        Import = "import",
        /// A machine that runs execute on.
        Machine = "machine",
        /// A task's definition.
        Task = "task",
    }
}

names! {
    /// What was done.
    #[schema(as = ChangeAction)]
    pub enum Action {
        /// Came in from a source, or changed there.
        Import = "import",
        /// Its output was said to be the truth.
        Approve = "approve",
        /// It must not be used.
        Reject = "reject",
        /// It got another output.
        Edit = "edit",
        /// It must be looked at again.
        Reopen = "reopen",
        /// The last review was taken back.
        Undo = "undo",
        /// A new thing was stored.
        Add = "add",
        /// A run changed its state.
        State = "state",
        /// A version became the active one.
        Activate = "activate",
        /// The version before became active again.
        Rollback = "rollback",
        /// A value was replaced.
        Set = "set",
        /// It is gone from the lists; its files stay.
        Delete = "delete",
    }
}

/// One line of the audit trail, which is only ever added to.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Change {
    /// Counts all changes without a gap, from 1.
    pub seq: i64,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: String,
    /// What was done.
    pub action: Action,
    /// To what kind of thing.
    pub kind: Kind,
    /// Its task; empty for settings and bases.
    pub task: String,
    /// Its id or name.
    pub subject: String,
    /// The fields that changed, as they were.
    #[schema(value_type = Option<Object>)]
    pub before: Option<Value>,
    /// The same fields as they are now.
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
    /// Only those after this `seq`: a cursor.
    pub after: i64,
    /// Only those before this `seq`: the cursor of a walk backwards.
    pub before: Option<i64>,
    /// The newest first, otherwise the oldest.
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

/// Who does something, and when.
#[derive(Clone, Copy)]
pub(crate) struct Actor<'a> {
    pub(crate) by: &'a str,
    pub(crate) at: Timestamp,
}

/// What is done to what.
#[derive(Clone, Copy)]
pub(crate) struct Deed<'a> {
    pub(crate) action: Action,
    pub(crate) kind: Kind,
    pub(crate) task: &'a str,
    pub(crate) subject: &'a str,
}

/// Adds a line to the audit trail, in the transaction of the change itself.
pub(crate) async fn record(
    tx: &mut Tx<'_>,
    deed: Deed<'_>,
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
    .bind(deed.action.name())
    .bind(deed.kind.name())
    .bind(deed.task)
    .bind(deed.subject)
    .bind(before.map(Value::to_string))
    .bind(after.map(Value::to_string))
    .execute(&mut **tx)
    .await?;
    tx.told = true;
    Ok(())
}

/// As [`record`] for many new things of one task, each with what it is now.
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
    tx.told = true;
    Ok(())
}

/// The fields of two objects that differ, before and after.
pub(crate) fn differing(before: &Value, after: &Value) -> (Value, Value) {
    let empty = Map::new();
    let (old, new) = (before.as_object().unwrap_or(&empty), after.as_object().unwrap_or(&empty));
    let differs = |key: &&String| old.get(*key) != new.get(*key);
    let pick = |from: &Map<String, Value>| {
        from.iter().filter(|(key, _)| differs(key)).map(|(key, value)| (key.clone(), value.clone())).collect()
    };
    (Value::Object(pick(old)), Value::Object(pick(new)))
}
