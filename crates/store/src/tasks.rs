//! Tasks that people made or changed, with all revisions.

use graft_core::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;
use sqlx::any::AnyExecutor;

use crate::changes::{Actor, Entry, differing, record};
use crate::database::Tx;
use crate::dump::columns;
use crate::row::from_row;
use crate::{Action, Error, Kind, Store, row, statement};

/// A revision of a task.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TaskRevision {
    /// Name of the task.
    pub task: String,
    /// Number of the revision within the task, from 1.
    pub revision: i64,
    /// The definition.
    pub definition: Value,
    /// Whether it is a built-in definition.
    pub built_in: bool,
    /// Whether the task is archived.
    pub archived: bool,
    /// Who made the revision.
    pub created_by: String,
    /// When.
    pub created_at: Timestamp,
}

/// A revision to add.
#[derive(Clone, Copy, Debug)]
pub struct NewTaskRevision<'a> {
    /// Name of the task.
    pub task: &'a str,
    /// The newest stored revision that the caller knows; 0 if the task is not stored.
    pub after: i64,
    /// The definition.
    pub definition: &'a Value,
    /// Whether it is a built-in definition.
    pub built_in: bool,
    /// Who made it.
    pub created_by: &'a str,
}

/// Tables with a column `task` that other tables refer to, each after the tables it refers to.
const REFERRED: [&str; 6] =
    ["examples", "example_revisions", "assignments", "datasets", "dataset_members", "suggestions"];
/// Other tables with a column `task`.
const PLAIN: [&str; 23] = [
    "agents",
    "alerts",
    "batches",
    "tokens",
    "sessions",
    "runs",
    "versions",
    "version_answers",
    "activations",
    "schedules",
    "studies",
    "imports",
    "changes",
    "prompts",
    "live_adapters",
    "live_snapshots",
    "live_windows",
    "rollouts",
    "served_inputs",
    "task_revisions",
    "tracked_models",
    "upstreams",
    "upstream_days",
];

macro_rules! select_revisions {
    ($tail:literal) => {
        concat!(
            "select r.task, r.revision, r.definition, r.built_in, r.created_by, r.created_at,
                    cast(case when t.archived_at is null then 0 else 1 end as bigint) as archived
             from task_revisions r join tasks t on t.name = r.task ",
            $tail
        )
    };
}

impl Store {
    /// The newest revision of every stored task, in the order in which the tasks were added.
    pub async fn tasks(&self) -> Result<Vec<TaskRevision>, Error> {
        statement::all(&self.read, select_revisions!("and t.revision = r.revision order by t.seq"), ()).await
    }

    /// The newest revision of a task, if it is stored.
    pub async fn task(&self, name: &str) -> Result<Option<TaskRevision>, Error> {
        newest(&self.read, name).await
    }

    /// Every stored revision of a task, oldest first.
    pub async fn task_revisions(&self, name: &str) -> Result<Vec<TaskRevision>, Error> {
        statement::all(&self.read, select_revisions!("where r.task = $1 order by r.revision"), name).await
    }

    /// Stores a new revision of a task; the first revision also adds the task. `by` is recorded in the audit trail.
    ///
    /// # Errors
    /// [`Error::TaskExists`] and [`Error::TaskChanged`] if the newest stored revision is not the one that the caller
    /// knows; [`Error::BadName`].
    pub async fn add_task_revision(
        &self,
        new: NewTaskRevision<'_>,
        by: &str,
        at: Timestamp,
    ) -> Result<TaskRevision, Error> {
        row::check_name("task", new.task)?;
        let mut tx = self.begin().await?;
        let kept = append(&mut tx, new, Actor { by, at }).await?;
        tx.commit().await?;
        Ok(kept)
    }

    /// Stores a definition as a revision of a stored task whose current definition stays: it follows as one more revision.
    /// Returns the former.
    ///
    /// # Errors
    /// [`Error::NoTask`]; [`Error::TaskChanged`] as [`add_task_revision`](Self::add_task_revision).
    pub async fn add_task_revision_aside(
        &self,
        new: NewTaskRevision<'_>,
        by: &str,
        at: Timestamp,
    ) -> Result<TaskRevision, Error> {
        let mut tx = self.begin().await?;
        let TaskRevision { definition, built_in, created_by, .. } = stored(&mut tx, new.task).await?;
        let kept = append(&mut tx, new, Actor { by, at }).await?;
        let (definition, created_by) = (&definition, created_by.as_str());
        let current = NewTaskRevision { after: kept.revision, definition, built_in, created_by, ..new };
        append(&mut tx, current, Actor { by, at }).await?;
        tx.commit().await?;
        Ok(kept)
    }

    /// Archives or unarchives a task; returns whether that changed anything.
    ///
    /// # Errors
    /// [`Error::NoTask`].
    pub async fn archive_task(&self, name: &str, archived: bool, by: &str, at: Timestamp) -> Result<bool, Error> {
        let mut tx = self.begin().await?;
        if stored(&mut tx, name).await?.archived == archived {
            return Ok(false);
        }
        tx.execute("update tasks set archived_at = $2 where name = $1", (name, archived.then_some(at))).await?;
        let entry = Entry { action: Action::Set, kind: Kind::Task, task: name, subject: name };
        let (old, new) = (json!({"archived": !archived}), json!({"archived": archived}));
        record(&mut tx, entry, Actor { by, at }, Some(&old), Some(&new)).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// Renames a task in all tables.
    ///
    /// # Errors
    /// [`Error::NoTask`]; [`Error::TaskExists`] if the name is in use, also by examples of a task that is not stored;
    /// [`Error::RunActive`] while the task has an active run.
    pub async fn rename_task(&self, name: &str, new: &str, by: &str, at: Timestamp) -> Result<(), Error> {
        row::check_name("task", new)?;
        let mut tx = self.begin().await?;
        stored(&mut tx, name).await?;
        if newest(&mut *tx, new).await?.is_some() || has_rows(&mut tx, new).await? {
            return Err(Error::TaskExists(new.to_owned()));
        }
        let active = statement::value(
            &mut *tx,
            "select id from runs where task = $1 and state in ('queued', 'starting', 'running')",
            name,
        )
        .await?;
        if let Some(run) = active {
            return Err(Error::RunActive { task: name.to_owned(), run });
        }
        // A server may have stored counts under a name that no task has any more.
        tx.execute("delete from served_inputs where task = $1", new).await?;
        move_rows(&mut tx, self.dialect, name, new).await?;
        rename_within(&mut tx, "task_revisions", "revision", "definition", "name", new).await?;
        rename_within(&mut tx, "schedules", "id", "request", "task", new).await?;
        tx.execute("update tasks set name = $2 where name = $1", (name, new)).await?;
        tx.execute(
            "update settings set name = $2 where name = $1",
            (format!("guidelines-{name}"), format!("guidelines-{new}")),
        )
        .await?;
        tx.execute("update changes set subject = $1 where kind = 'task' and task = $1", new).await?;
        let entry = Entry { action: Action::Set, kind: Kind::Task, task: new, subject: new };
        record(&mut tx, entry, Actor { by, at }, Some(&json!({"name": name})), Some(&json!({"name": new}))).await?;
        tx.commit().await
    }
}

/// Adds the next revision of a task, which becomes the current one.
async fn append(tx: &mut Tx<'_>, new: NewTaskRevision<'_>, actor: Actor<'_>) -> Result<TaskRevision, Error> {
    let before = newest(&mut **tx, new.task).await?;
    let found = before.as_ref().map_or(0, |before| before.revision);
    if found != new.after {
        return Err(match new.after {
            0 => Error::TaskExists(new.task.to_owned()),
            expected => Error::TaskChanged { task: new.task.to_owned(), expected, found },
        });
    }
    let next = found + 1;
    let keep = match before {
        None => "insert into tasks (name, seq, revision) select $1, coalesce(max(seq), 0) + 1, $2 from tasks",
        Some(_) => "update tasks set revision = $2 where name = $1",
    };
    tx.execute(keep, (new.task, next)).await?;
    tx.execute(
        "insert into task_revisions (task, revision, definition, built_in, created_by, created_at)
         values ($1, $2, $3, $4, $5, $6)",
        (new.task, next, new.definition.to_string(), new.built_in, row::text(new.created_by), actor.at),
    )
    .await?;
    let action = if before.is_some() { Action::Set } else { Action::Add };
    let old = before.map_or(Value::Null, |before| before.definition);
    let (old, mut changed) = differing(&old, new.definition);
    changed["revision"] = json!(next);
    let entry = Entry { action, kind: Kind::Task, task: new.task, subject: new.task };
    record(tx, entry, actor, Some(&old), Some(&changed)).await?;
    stored(tx, new.task).await
}

async fn newest(on: impl AnyExecutor<'_>, name: &str) -> Result<Option<TaskRevision>, Error> {
    statement::optional(on, select_revisions!("and t.revision = r.revision where r.task = $1"), name).await
}

async fn stored(tx: &mut Tx<'_>, name: &str) -> Result<TaskRevision, Error> {
    newest(&mut **tx, name).await?.ok_or_else(|| Error::NoTask(name.to_owned()))
}

/// Whether any table has rows for this task name.
async fn has_rows(tx: &mut Tx<'_>, name: &str) -> Result<bool, Error> {
    for table in ["examples", "datasets", "runs", "versions", "schedules", "studies"] {
        let sql = format!("select 1 as one from {table} where task = $1 limit 1");
        if sqlx::query(AssertSqlSafe(sql)).bind(name).fetch_optional(&mut **tx).await?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Renames the task in tables that others refer to: copies the rows, moves the references, deletes the old rows.
/// Neither database allows a key to change while rows refer to it.
async fn move_rows(tx: &mut Tx<'_>, dialect: crate::database::Dialect, name: &str, new: &str) -> Result<(), Error> {
    for table in REFERRED {
        let columns = columns(tx, dialect, table).await?;
        let others: Vec<&str> = columns.iter().map(String::as_str).filter(|column| *column != "task").collect();
        let others = others.join(", ");
        let sql = format!("insert into {table} (task, {others}) select $2, {others} from {table} where task = $1");
        tx.execute(AssertSqlSafe(sql), (name, new)).await?;
    }
    for table in REFERRED.into_iter().rev() {
        let sql = format!("delete from {table} where task = $1");
        tx.execute(AssertSqlSafe(sql), name).await?;
    }
    for table in PLAIN {
        let sql = format!("update {table} set task = $2 where task = $1");
        tx.execute(AssertSqlSafe(sql), (name, new)).await?;
    }
    Ok(())
}

/// Replaces the task's name within the JSON of its rows.
async fn rename_within(
    tx: &mut Tx<'_>,
    table: &str,
    key: &str,
    column: &str,
    field: &str,
    new: &str,
) -> Result<(), Error> {
    let sql = format!("select cast({key} as text) as item, {column} as content from {table} where task = $1");
    let rows = sqlx::query(AssertSqlSafe(sql)).bind(new).fetch_all(&mut **tx).await?;
    for row in rows {
        let mut json: Value = row::get(&row, "content")?;
        json[field] = json!(new);
        let item: String = row::get(&row, "item")?;
        let sql = format!("update {table} set {column} = $3 where task = $1 and cast({key} as text) = $2");
        tx.execute(AssertSqlSafe(sql), (new, item, json.to_string())).await?;
    }
    Ok(())
}

from_row!(TaskRevision { task, revision, definition, built_in, archived, created_by, created_at });

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{PLAIN, REFERRED};

    #[test]
    fn rename_task_covers_every_table() {
        let files = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/migrations")).unwrap();
        let mut found = BTreeSet::new();
        for file in files {
            let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
            for table in text.split("create table ").skip(1) {
                let name = table.split_whitespace().next().unwrap();
                let columns = table.split_once(");").unwrap().0;
                if columns.lines().any(|line| line.trim_start().starts_with("task text")) {
                    let renamed = text.split_once(&format!("alter table {name} rename to "));
                    found.insert(renamed.map_or(name, |(_, to)| to.split(';').next().unwrap()).to_owned());
                }
            }
            let added = text
                .lines()
                .filter_map(|line| line.strip_suffix(" add column task text;")?.strip_prefix("alter table "));
            found.extend(added.map(str::to_owned));
        }
        let known: BTreeSet<String> = REFERRED.iter().chain(&PLAIN).map(|name| (*name).to_owned()).collect();
        assert_eq!(found, known, "the tables with a column `task`, and those that `rename_task` changes");
    }
}
