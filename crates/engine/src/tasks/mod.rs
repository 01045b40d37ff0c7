//! Tasks: the built-in ones, and those that people created or changed, with their revisions.

mod impact;
mod templates;
mod text;

use graft_contestants::Parser;
use graft_core::Timestamp;
use graft_predict::Codec;
use graft_store::{NewTaskRevision, TaskRevision, Version};
use graft_tasks::cards::{self, Form, Integration, Task};
use serde::Serialize;
use utoipa::ToSchema;

pub use impact::{TaskImpact, UnfitExample};
pub use text::{MadeTask, NewTask};

use crate::{Engine, Error, Result, files::apart, now, runs::Settings};

/// Who kept what Graft comes with.
const GRAFT: &str = "graft";

/// The tasks of a home.
#[derive(Clone, Copy, Debug)]
pub struct Tasks<'e> {
    pub(crate) engine: &'e Engine,
}

/// Where a task comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum TaskOrigin {
    /// It is as Graft comes with it.
    BuiltIn,
    /// A built-in task that was changed.
    Changed,
    /// Somebody made it.
    Own,
}

/// A task as it is now, or as it was at a revision.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct TaskDetail {
    /// The definition.
    pub definition: Task,
    /// Counts the changes of the definition, from 1. A version keeps the revision it was trained with.
    pub revision: i64,
    /// Where it comes from.
    pub origin: TaskOrigin,
    /// Whether it is archived: not listed, and not trained any more.
    pub archived: bool,
    /// Who made the revision.
    pub changed_by: String,
    /// When; absent for one that Graft comes with.
    pub changed_at: Option<Timestamp>,
    /// The newest revision in the database; 0 where there is none.
    #[serde(skip)]
    stored: i64,
}

/// A task after a change, and what the change means.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TaskChange {
    /// The task.
    pub task: TaskDetail,
    /// What becomes of examples and versions.
    pub impact: TaskImpact,
}

impl TaskDetail {
    fn built_in(task: &Task, stored: i64, archived: bool) -> Self {
        Self {
            definition: task.clone(),
            revision: stored + 1,
            origin: TaskOrigin::BuiltIn,
            archived,
            changed_by: GRAFT.to_owned(),
            changed_at: None,
            stored,
        }
    }

    /// The stored definition, unless this version of Graft has a newer built-in definition and the task was not changed.
    fn of(stored: TaskRevision) -> Result<Self> {
        let built_in = built_in(&stored.task);
        let row = Self::at(&stored)?;
        Ok(match built_in {
            Some(task) if stored.built_in && row.definition != *task => {
                Self::built_in(task, stored.revision, stored.archived)
            }
            _ => row,
        })
    }

    /// A revision as it is stored.
    fn at(stored: &TaskRevision) -> Result<Self> {
        let definition: Task = serde_json::from_value(stored.definition.clone())
            .map_err(|cause| graft_store::Error::Damaged(Box::new(cause)))?;
        let origin = match built_in(&stored.task) {
            None => TaskOrigin::Own,
            Some(_) if stored.built_in => TaskOrigin::BuiltIn,
            Some(_) => TaskOrigin::Changed,
        };
        Ok(Self {
            definition,
            revision: stored.revision,
            origin,
            archived: stored.archived,
            changed_by: stored.created_by.clone(),
            changed_at: Some(stored.created_at),
            stored: stored.revision,
        })
    }

    /// Names this state of the task.
    #[must_use]
    pub fn tag(&self) -> String {
        format!("{}-{}", self.revision, if self.archived { "archived" } else { "listed" })
    }
}

fn built_in(name: &str) -> Option<&'static Task> {
    cards::built_in().iter().find(|task| task.name == name)
}

impl Tasks<'_> {
    /// The tasks in the order they are shown, with or without the archived ones.
    pub async fn list(self, archived: bool) -> Result<Vec<TaskDetail>> {
        let mut stored = self.engine.store.tasks().await?;
        let mut all = Vec::new();
        for task in cards::built_in() {
            let found = stored.iter().position(|row| row.task == task.name).map(|place| stored.remove(place));
            all.push(found.map_or_else(|| Ok(TaskDetail::built_in(task, 0, false)), TaskDetail::of)?);
        }
        for row in stored {
            all.push(TaskDetail::of(row)?);
        }
        all.retain(|task| archived || !task.archived);
        Ok(all)
    }

    /// A task.
    ///
    /// # Errors
    /// [`graft_tasks::Error::UnknownTask`]; what the store says.
    pub async fn get(self, name: &str) -> Result<TaskDetail> {
        match (self.engine.store.task(name).await?, built_in(name)) {
            (Some(stored), _) => TaskDetail::of(stored),
            (None, Some(task)) => Ok(TaskDetail::built_in(task, 0, false)),
            (None, None) => {
                let known = self.list(false).await?.into_iter().map(|task| task.definition.name).collect();
                Err(graft_tasks::Error::UnknownTask { name: name.to_owned(), known }.into())
            }
        }
    }

    /// A task's definition.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub async fn definition(self, name: &str) -> Result<Task> {
        Ok(self.get(name).await?.definition)
    }

    /// A task that is not archived: new examples and trainings are for these.
    ///
    /// # Errors
    /// As [`get`](Self::get); [`Error::Archived`].
    pub async fn open(self, name: &str) -> Result<TaskDetail> {
        match self.get(name).await? {
            task if task.archived => Err(Error::Archived { task: name.to_owned() }),
            task => Ok(task),
        }
    }

    /// The definition that a version was trained with.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub async fn of(self, version: &Version) -> Result<Task> {
        Ok(self.at(&version.task, version.task_revision).await?.definition)
    }

    /// A task as it was at a revision. Runs and versions of releases that kept no revisions were made with what Graft came
    /// with.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub async fn at(self, name: &str, revision: Option<i64>) -> Result<TaskDetail> {
        let stored = self.engine.store.task_revisions(name).await?;
        let same = |row: &&TaskRevision| revision.map_or(row.built_in, |revision| row.revision == revision);
        match stored.iter().find(same) {
            Some(row) => TaskDetail::at(row),
            None => self.get(name).await,
        }
    }

    /// The stored revisions of a task, oldest first; the present one in any case.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub async fn revisions(self, name: &str) -> Result<Vec<TaskDetail>> {
        let now = self.get(name).await?;
        let stored = self.engine.store.task_revisions(name).await?;
        let mut all = stored.iter().map(TaskDetail::at).collect::<Result<Vec<_>>>()?;
        if now.revision > now.stored {
            all.push(now);
        }
        Ok(all)
    }

    /// What answers a task without a model, if the definition says something: it may wait for a program or a service.
    ///
    /// # Errors
    /// The home's tables can't be read; the rules do not fit the task.
    pub async fn baseline(self, task: &Task) -> Result<Option<Parser>> {
        let (engine, task) = (self.engine.clone(), task.clone());
        apart("read the tables", move || engine.tasks().read_baseline(&task)).await
    }

    /// The same on a thread that may wait for a disk.
    pub(crate) fn read_baseline(self, task: &Task) -> Result<Option<Parser>> {
        Ok(Parser::of(task, &self.engine.home.tables()?)?)
    }

    /// The same as the definition is now, for a task as it was: what a version is compared with is the best there is. Rules
    /// that do not fit the labels or the schema of that time are replaced by those of that time.
    pub(crate) async fn newest_baseline(self, task: &Task) -> Result<Option<Parser>> {
        let baseline = self.definition(&task.name).await?.baseline;
        match self.baseline(&Task { baseline, ..task.clone() }).await {
            Err(Error::Contestant(error @ graft_contestants::Error::Rules { .. })) => {
                let task = &task.name;
                tracing::warn!(task, "the version is compared with its own rules: failed to {error}");
            }
            found => return found,
        }
        self.baseline(task).await
    }

    /// The task that belongs to an integration.
    ///
    /// # Errors
    /// [`Error::NoIntegration`]; what the store says.
    pub async fn with(self, integration: Integration) -> Result<Task> {
        let found = self.list(false).await?.into_iter().find(|task| task.definition.integration == Some(integration));
        found.map(|task| task.definition).ok_or(Error::NoIntegration { integration })
    }

    /// Creates a task.
    ///
    /// # Errors
    /// [`graft_tasks::Error::BadTask`]; the name is taken.
    pub async fn create(self, task: Task) -> Result<TaskDetail> {
        let task = self.checked(task).await?;
        if built_in(&task.name).is_some() {
            return Err(graft_store::Error::TaskExists(task.name).into());
        }
        self.add(&task, 0, false).await
    }

    /// What [`create`](Self::create) would make; nothing is stored.
    ///
    /// # Errors
    /// As [`create`](Self::create).
    pub async fn try_create(self, task: Task) -> Result<TaskDetail> {
        let definition = self.checked(task).await?;
        let name = definition.name.clone();
        if built_in(&name).is_some() || self.engine.store.task(&name).await?.is_some() {
            return Err(graft_store::Error::TaskExists(name).into());
        }
        let (changed_by, changed_at, origin) = (self.engine.by.clone(), Some(now()), TaskOrigin::Own);
        Ok(TaskDetail { definition, revision: 1, origin, archived: false, changed_by, changed_at, stored: 0 })
    }

    /// Changes a task, if it is at the revision that the caller saw. Versions keep the revision they were trained with.
    ///
    /// # Errors
    /// [`graft_tasks::Error::BadTask`], also for another name; [`graft_store::Error::TaskChanged`].
    pub async fn change(self, name: &str, task: Task, seen: Option<i64>) -> Result<TaskChange> {
        let (before, TaskChange { task: after, impact }) = self.planned(name, task, seen).await?;
        if after.definition == before.definition {
            return Ok(TaskChange { task: before, impact });
        }
        let stored = self.keep(&before).await?;
        let is_built_in = built_in(name).is_some_and(|task| *task == after.definition);
        Ok(TaskChange { task: self.add(&after.definition, stored, is_built_in).await?, impact })
    }

    /// What [`change`](Self::change) would do; nothing is stored.
    ///
    /// # Errors
    /// As [`change`](Self::change).
    pub async fn try_change(self, name: &str, task: Task, seen: Option<i64>) -> Result<TaskChange> {
        Ok(self.planned(name, task, seen).await?.1)
    }

    /// A task as it is, and a change of it.
    async fn planned(self, name: &str, task: Task, seen: Option<i64>) -> Result<(TaskDetail, TaskChange)> {
        let before = self.get(name).await?;
        let found = before.revision;
        if let Some(expected) = seen.filter(|seen| *seen != found) {
            return Err(graft_store::Error::TaskChanged { task: name.to_owned(), expected, found }.into());
        }
        if task.name != name {
            let (field, reason) = ("name".to_owned(), "a change keeps the name; rename the task instead".to_owned());
            return Err(graft_tasks::Error::BadTask { task: name.to_owned(), field, reason }.into());
        }
        let definition = self.checked(task).await?;
        let impact = self.impact(&before.definition, &definition).await?;
        let origin = match (before.origin, built_in(name)) {
            (TaskOrigin::Own, _) => TaskOrigin::Own,
            (_, Some(task)) if *task == definition => TaskOrigin::BuiltIn,
            _ => TaskOrigin::Changed,
        };
        let (changed_by, changed_at) = (self.engine.by.clone(), Some(now()));
        let revision = if definition == before.definition { found } else { found + 1 };
        let after = TaskDetail { definition, revision, origin, changed_by, changed_at, ..before.clone() };
        Ok((before, TaskChange { task: after, impact }))
    }

    /// Makes another task with the same definition, without examples, versions and integration.
    ///
    /// # Errors
    /// The name can't be used or is taken.
    pub async fn clone_as(self, name: &str, new: &str, title: Option<&str>) -> Result<TaskDetail> {
        let task = self.definition(name).await?;
        let title = title.unwrap_or_default().to_owned();
        self.create(Task { name: new.to_owned(), title, integration: None, ..task }).await
    }

    /// Gives a task that people made another name, with its examples, datasets, runs, versions and schedules.
    ///
    /// # Errors
    /// The name can't be used or is taken; a run of the task is active; [`Error::BuiltInTask`].
    pub async fn rename(self, name: &str, new: &str) -> Result<TaskDetail> {
        self.get(name).await?;
        if built_in(name).is_some() {
            return Err(Error::BuiltInTask { task: name.to_owned() });
        }
        cards::check_name(new)?;
        if built_in(new).is_some() {
            return Err(graft_store::Error::TaskExists(new.to_owned()).into());
        }
        self.engine.store.rename_task(name, new, &self.engine.by, now()).await?;
        self.get(new).await
    }

    /// Archives a task, or takes it back.
    ///
    /// # Errors
    /// The task is unknown; what the store says.
    pub async fn archive(self, name: &str, archived: bool) -> Result<TaskDetail> {
        let task = self.get(name).await?;
        if task.archived != archived {
            self.keep(&task).await?;
            self.engine.store.archive_task(name, archived, &self.engine.by, now()).await?;
        }
        self.get(name).await
    }

    /// Makes sure that a revision is stored, and returns it: what Graft comes with is not, until it is needed.
    pub(crate) async fn keep(self, task: &TaskDetail) -> Result<i64> {
        if task.revision == task.stored {
            return Ok(task.revision);
        }
        let definition = graft_core::json::value(&task.definition);
        let name = task.definition.name.as_str();
        let (after, definition) = (task.stored, &definition);
        let new = NewTaskRevision { task: name, after, definition, built_in: true, created_by: GRAFT };
        match self.engine.store.add_task_revision(new, &self.engine.by, now()).await {
            Ok(kept) => Ok(kept.revision),
            // Another process kept it.
            Err(error @ (graft_store::Error::TaskExists(_) | graft_store::Error::TaskChanged { .. })) => {
                let found = self.get(name).await?;
                if found.definition == task.definition { Ok(found.revision) } else { Err(error.into()) }
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Makes sure that the definition that a version elsewhere was trained with is a revision of the task, and returns its
    /// number. The current definition stays as it is; only a task that is unknown here is created.
    pub(crate) async fn keep_as(self, task: &Task) -> Result<i64> {
        let current = match self.get(&task.name).await {
            Err(Error::Tasks(graft_tasks::Error::UnknownTask { .. })) => {
                return Ok(self.create(task.clone()).await?.revision);
            }
            found => found?,
        };
        let task = self.checked(task.clone()).await?;
        // The oldest, whatever is added later.
        let known = self.revisions(&task.name).await?.into_iter().find(|known| known.definition == task);
        if let Some(known) = known {
            return self.keep(&known).await;
        }
        let (name, definition, created_by) = (task.name.as_str(), graft_core::json::value(&task), &self.engine.by);
        let built_in = built_in(name) == Some(&task);
        let after = self.keep(&current).await?;
        let new = NewTaskRevision { task: name, after, definition: &definition, built_in, created_by };
        Ok(self.engine.store.add_task_revision_aside(new, created_by, now()).await?.revision)
    }

    async fn add(self, task: &Task, after: i64, built_in: bool) -> Result<TaskDetail> {
        let definition = graft_core::json::value(task);
        let (name, definition, created_by) = (task.name.as_str(), &definition, self.engine.by.as_str());
        let new = NewTaskRevision { task: name, after, definition, built_in, created_by };
        TaskDetail::at(&self.engine.store.add_task_revision(new, &self.engine.by, now()).await?)
    }

    /// A definition that can be trained and served.
    async fn checked(self, task: Task) -> Result<Task> {
        let task = task.checked()?;
        let wrong = |field: &str, reason: String| graft_tasks::Error::BadTask {
            task: task.name.clone(),
            field: field.to_owned(),
            reason,
        };
        if task.form == Form::Fields {
            let card = task.card(&[])?;
            Codec::new(&card.answer).map_err(|error| wrong("schema", format!("failed to {error}")))?;
        }
        Settings::check_defaults(&task).map_err(|reason| wrong("training.settings", reason))?;
        if let Some(integration) = task.integration {
            let others = self.list(false).await?.into_iter().map(|other| other.definition);
            let mut others = others.filter(|other| other.name != task.name);
            if let Some(other) = others.find(|other| other.integration == Some(integration)) {
                return Err(wrong("integration", format!("it belongs to the task `{}`", other.name)).into());
            }
        }
        Ok(task)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::Home;

    #[tokio::test]
    async fn versions_are_compared_with_rules_that_fit_them() {
        let home = tempfile::tempdir().unwrap();
        let engine = Engine::open(Home::at(home.path()).unwrap(), "test").await.unwrap();
        let task = |labels: [&str; 2], otherwise: &str| -> Task {
            let baseline =
                json!({"kind": "rules", "otherwise": otherwise, "rules": [{"label": labels[0], "pattern": "x"}]});
            serde_json::from_value(
                json!({"name": "mail", "form": "labels", "instruction": "Sort it.", "labels": labels,
                "closed": true, "baseline": baseline}),
            )
            .unwrap()
        };
        let said = async |of: &Task| {
            let parser = engine.tasks().newest_baseline(of).await.unwrap();
            parser.unwrap().answer("nothing").unwrap()
        };
        let first = task(["spam", "ham"], "ham");
        engine.tasks().create(first.clone()).await.unwrap();
        engine.tasks().change("mail", task(["spam", "ham"], "spam"), None).await.unwrap();
        assert_eq!(said(&first).await, "spam", "the newest rules");
        engine.tasks().change("mail", task(["bulk", "mail"], "mail"), None).await.unwrap();
        assert_eq!(said(&first).await, "ham", "its own rules");
    }
}
