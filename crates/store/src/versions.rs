use graft_core::{BaseRef, Digest, TaskCard, Timestamp};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use sqlx::FromRow;
use sqlx::any::{AnyExecutor, AnyRow};
use utoipa::ToSchema;

use crate::changes::{Actor, Entry, differing, record};
use crate::database::Tx;
use crate::row::from_row;
use crate::runs::owned;
use crate::{Action, Error, Kind, Lease, Store, row, statement};

names! {
    /// Stage of a version.
    pub enum Stage {
        /// Registered; its answers are not served.
        Shadow = "shadow",
        /// Answers some of the requests.
        Canary = "canary",
        /// Answers the requests.
        Active = "active",
        /// Was active before, or is out of use.
        Archived = "archived",
    }
}

names! {
    /// How a version answers.
    #[schema(as = VersionMethod)]
    pub enum Method {
        /// With an adapter on a base model.
        Adapter = "adapter",
        /// With the task's parser.
        Rules = "rules",
        /// With logistic regression over n-grams.
        NGrams = "n-grams",
        /// With the answer of the most similar example.
        Nearest = "nearest",
        /// Always with the most frequent label.
        MostFrequent = "most-frequent",
    }
}

/// A version to register.
#[derive(Clone, Debug)]
pub struct NewVersion {
    /// Name of the task.
    pub task: String,
    /// Its name; by default the next of `v1`, `v2`, …
    pub name: Option<String>,
    /// How it answers.
    pub method: Method,
    /// The run that made it; absent for an imported adapter.
    pub run: Option<String>,
    /// The folder of its files, relative to `GRAFT_HOME`.
    pub adapter_dir: String,
    /// Digest of the adapter's weights, or of the contestant's file.
    pub adapter_digest: Digest,
    /// The base model; absent if the version needs none.
    pub base: Option<BaseRef>,
    /// The dataset it was trained on; absent for an imported adapter.
    pub dataset: Option<Digest>,
    /// Prompt and answer form it was trained with.
    pub card: TaskCard,
    /// Scores of the adapter, the base model and the baseline on the same held-out examples.
    pub metrics: Value,
    /// The version whose weights its training started from.
    pub parent: Option<String>,
    /// Revision of the task it was trained with, where that is known.
    pub task_revision: Option<i64>,
}

/// What a measurement of a version found.
#[derive(Clone, Copy, Debug)]
pub struct Measurement<'a> {
    /// The scores.
    pub scores: &'a Value,
    /// When it was measured.
    pub at: Timestamp,
    /// Its answers, in the order of the held-out examples; `None` is no valid answer.
    pub answers: &'a [Option<Value>],
}

/// A registered version of a task: an adapter, or a method without a language model.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Version {
    /// Name of the task.
    pub task: String,
    /// Unique within the task.
    pub name: String,
    /// Its stage.
    pub stage: Stage,
    /// How it answers.
    pub method: Method,
    /// The run that made it.
    pub run: Option<String>,
    /// The folder of its files, relative to `GRAFT_HOME`.
    pub adapter_dir: String,
    /// Digest of the adapter's weights, or of the contestant's file.
    pub adapter_digest: Digest,
    /// Name of the base model; absent if the version needs none.
    #[schema(required = true)]
    pub base: Option<String>,
    /// Digest of the base model.
    #[schema(required = true)]
    pub base_digest: Option<Digest>,
    /// The dataset it was trained on.
    pub dataset: Option<Digest>,
    /// Prompt and answer form it was trained with.
    pub card: TaskCard,
    /// Digest of the card.
    pub card_digest: Digest,
    /// Scores on the held-out examples (`evaluation`) and what training measured (`training`).
    #[schema(value_type = Object)]
    pub metrics: Value,
    /// The version whose weights its training started from.
    pub parent: Option<String>,
    /// Revision of the task it was trained with; absent if unknown.
    pub task_revision: Option<i64>,
    /// Who registered it.
    pub created_by: String,
    /// When.
    pub created_at: Timestamp,
}

/// A version as lists of tasks show it, with a part of its metrics.
#[derive(Clone, Debug, PartialEq)]
pub struct VersionHead<M> {
    /// Name of the task.
    pub task: String,
    /// Unique within the task.
    pub name: String,
    /// Its stage.
    pub stage: Stage,
    /// How it answers.
    pub method: Method,
    /// The run that made it.
    pub run: Option<String>,
    /// Name of the base model; absent if the version needs none.
    pub base: Option<String>,
    /// The part of its metrics; absent if they have none of that form.
    pub metrics: Option<M>,
    /// Who registered it.
    pub created_by: String,
    /// When.
    pub created_at: Timestamp,
}

/// The name of a version, with the run that made it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct VersionName {
    /// Name of the task.
    pub task: String,
    /// Unique within the task.
    pub name: String,
    /// The run that made it.
    pub run: Option<String>,
}

macro_rules! select_versions {
    ($tail:literal) => {
        concat!(
            "select task, name, stage, run, adapter_dir, adapter_digest, base_name, base_digest, dataset, card,
                    card_digest, metrics, parent, method, task_revision, created_by, created_at
             from versions ",
            $tail
        )
    };
}

impl Store {
    /// Registers a version with the stage `shadow`. Numbers of deleted versions are not reused.
    ///
    /// # Errors
    /// [`Error::VersionExists`]; [`Error::BadName`]; [`Error::NoRun`] for an unknown run.
    pub async fn add_version(&self, new: &NewVersion, by: &str, at: Timestamp) -> Result<Version, Error> {
        let mut tx = self.begin().await?;
        let version = register(&mut tx, new, Actor { by, at }).await?;
        tx.commit().await?;
        Ok(version)
    }

    /// One version.
    ///
    /// # Errors
    /// [`Error::NoVersion`].
    pub async fn version(&self, task: &str, name: &str) -> Result<Version, Error> {
        get(&self.read, task, name).await
    }

    /// Checks that a new version of a task may have this name.
    ///
    /// # Errors
    /// [`Error::BadName`]; [`Error::VersionExists`].
    pub async fn check_new_version(&self, task: &str, name: &str) -> Result<(), Error> {
        row::check_name("version", name)?;
        match find(&self.read, task, name).await? {
            Some(_) => Err(Error::VersionExists { task: task.to_owned(), name: name.to_owned() }),
            None => Ok(()),
        }
    }

    /// The versions of one task or of all, in the order they were registered.
    pub async fn versions(&self, task: Option<&str>) -> Result<Vec<Version>, Error> {
        all(&self.read, task).await
    }

    /// The names of the versions of one task or of all, in the order they were registered. Unlike
    /// [`versions`](Self::versions), reads none of their metrics, which are large.
    pub async fn version_names(&self, task: Option<&str>) -> Result<Vec<VersionName>, Error> {
        statement::all(
            &self.read,
            "select task, name, run from versions where ($1 is null or task = $1) order by seq",
            task,
        )
        .await
    }

    /// The active version of a task, if any.
    pub async fn active_version(&self, task: &str) -> Result<Option<Version>, Error> {
        active(&self.read, task).await
    }

    /// The active and the newest version of each task, in the order they were registered. Of their metrics, which hold
    /// something for each held-out example, only the part `M` is kept.
    pub async fn current_versions<M: DeserializeOwned + Send + Unpin>(&self) -> Result<Vec<VersionHead<M>>, Error> {
        statement::all(
            &self.read,
            "select task, name, stage, method, run, base_name, metrics, created_by, created_at from versions
             where stage = 'active' or seq in (select max(seq) from versions group by task) order by seq",
            (),
        )
        .await
    }

    /// Stores one metric of a version. With a lease, the write is refused if the worker lost the run.
    ///
    /// # Errors
    /// [`Error::NoVersion`]; [`Error::LeaseLost`].
    pub async fn set_metric(
        &self,
        version: &Version,
        metric: (&str, &Value),
        lease: Option<&Lease>,
        by: &str,
        at: Timestamp,
    ) -> Result<Version, Error> {
        let mut tx = self.begin().await?;
        if let Some(lease) = lease {
            owned(&mut tx, lease).await?;
        }
        let after = set_metric(&mut tx, version, metric, Actor { by, at }).await?;
        tx.commit().await?;
        Ok(after)
    }

    /// Stores the scores of a version's evaluation (the metric `evaluation`) with the answers they were computed from. With a
    /// lease, the write is refused if the worker lost the run.
    ///
    /// # Errors
    /// [`Error::NoVersion`]; [`Error::LeaseLost`].
    pub async fn keep_evaluation(
        &self,
        version: &Version,
        new: Measurement<'_>,
        lease: Option<&Lease>,
        by: &str,
        at: Timestamp,
    ) -> Result<Version, Error> {
        let mut tx = self.begin().await?;
        if let Some(lease) = lease {
            owned(&mut tx, lease).await?;
        }
        let after = set_metric(&mut tx, version, ("evaluation", new.scores), Actor { by, at }).await?;
        tx.execute(
            "insert into version_answers (task, version, at, answers) values ($1, $2, $3, $4)
             on conflict (task, version) do update set at = excluded.at, answers = excluded.answers",
            (&version.task, &version.name, new.at, json!(new.answers).to_string()),
        )
        .await?;
        tx.commit().await?;
        Ok(after)
    }

    /// The answers of a version's evaluation at this time, in the order of its held-out examples; none if they were not kept.
    pub async fn version_answers(&self, version: &Version, at: Timestamp) -> Result<Option<Vec<Option<Value>>>, Error> {
        statement::value(
            &self.read,
            "select answers from version_answers where task = $1 and version = $2 and at = $3",
            (&version.task, &version.name, at),
        )
        .await
    }

    /// Changes the stage of a version that is not active.
    ///
    /// # Errors
    /// [`Error::NoVersion`]; [`Error::BadStage`] for the active version, and for `active`: use
    /// [`set_active`](Self::set_active).
    pub async fn set_stage(
        &self,
        task: &str,
        name: &str,
        stage: Stage,
        by: &str,
        at: Timestamp,
    ) -> Result<Version, Error> {
        let mut tx = self.begin().await?;
        let before = get(&mut *tx, task, name).await?;
        if stage == Stage::Active || before.stage == Stage::Active {
            return Err(Error::BadStage { version: before.name, from: before.stage.name(), to: stage.name() });
        }
        tx.execute("update versions set stage = $3 where task = $1 and name = $2", (task, name, stage)).await?;
        let entry = Entry { action: Action::Set, kind: Kind::Version, task, subject: name };
        let (old, new) = (json!({"stage": before.stage}), json!({"stage": stage}));
        record(&mut tx, entry, Actor { by, at }, Some(&old), Some(&new)).await?;
        let version = get(&mut *tx, task, name).await?;
        tx.commit().await?;
        Ok(version)
    }

    /// All runs that were ever registered as a version of the task, including versions that are deleted.
    pub async fn runs_ever_registered(&self, task: &str) -> Result<Vec<String>, Error> {
        let rows = sqlx::query("select new from changes where kind = 'version' and action = 'add' and task = $1")
            .bind(task)
            .fetch_all(&self.read)
            .await?;
        let added: Vec<Option<Value>> = rows.iter().map(|row| row::get(row, "new")).collect::<Result<_, _>>()?;
        Ok(added.iter().flatten().filter_map(|new| Some(new.get("run")?.as_str()?.to_owned())).collect())
    }

    /// Deletes a version from the registry and returns it. Its files are kept.
    ///
    /// # Errors
    /// [`Error::NoVersion`]; [`Error::VersionActive`] unless `force`, which leaves the task without an active version.
    pub async fn delete_version(
        &self,
        task: &str,
        name: &str,
        force: bool,
        by: &str,
        at: Timestamp,
    ) -> Result<Version, Error> {
        let mut tx = self.begin().await?;
        let version = get(&mut *tx, task, name).await?;
        if version.stage == Stage::Active && !force {
            return Err(Error::VersionActive { task: task.to_owned(), name: name.to_owned() });
        }
        for delete in [
            "delete from version_answers where task = $1 and version = $2",
            "delete from versions where task = $1 and name = $2",
        ] {
            tx.execute(delete, (task, name)).await?;
        }
        let entry = Entry { action: Action::Delete, kind: Kind::Version, task, subject: name };
        record(&mut tx, entry, Actor { by, at }, Some(&json!(version)), None).await?;
        tx.commit().await?;
        Ok(version)
    }
}

async fn set_metric(
    tx: &mut Tx<'_>,
    version: &Version,
    metric: (&str, &Value),
    actor: Actor<'_>,
) -> Result<Version, Error> {
    let (task, name) = (version.task.as_str(), version.name.as_str());
    let before = get(&mut **tx, task, name).await?;
    let mut metrics = before.metrics.as_object().cloned().unwrap_or_default();
    metrics.insert(metric.0.to_owned(), metric.1.clone());
    tx.execute(
        "update versions set metrics = $3 where task = $1 and name = $2",
        (task, name, Value::from(metrics).to_string()),
    )
    .await?;
    let after = get(&mut **tx, task, name).await?;
    let (old, new) = differing(&json!({"metrics": before.metrics}), &json!({"metrics": after.metrics}));
    let entry = Entry { action: Action::Set, kind: Kind::Version, task, subject: name };
    record(tx, entry, actor, Some(&old), Some(&new)).await?;
    Ok(after)
}

/// Registers a version within the caller's transaction.
pub(crate) async fn register(tx: &mut Tx<'_>, new: &NewVersion, actor: Actor<'_>) -> Result<Version, Error> {
    let name = match &new.name {
        Some(name) => name.clone(),
        None => next_name(tx, &new.task).await?,
    };
    row::check_name("version", &name)?;
    if find(&mut **tx, &new.task, &name).await?.is_some() {
        return Err(Error::VersionExists { task: new.task.clone(), name });
    }
    insert(tx, new, &name, actor).await?;
    let version = get(&mut **tx, &new.task, &name).await?;
    let after = json!({"stage": version.stage, "adapter": version.adapter_digest, "run": version.run});
    let entry = Entry { action: Action::Add, kind: Kind::Version, task: &new.task, subject: &name };
    record(tx, entry, actor, None, Some(&after)).await?;
    Ok(version)
}

async fn insert(tx: &mut Tx<'_>, new: &NewVersion, name: &str, actor: Actor<'_>) -> Result<(), Error> {
    let added = tx
        .execute(
            "insert into versions (task, name, seq, run, adapter_dir, adapter_digest, base_name, base_digest, dataset,
                                   card, card_digest, metrics, parent, stage, created_by, created_at, method,
                                   task_revision)
             select $1, $2, (select coalesce(max(seq), 0) + 1 from versions), $3, $4, $5, $6, $7, $8, $9, $10, $11, $12,
                    'shadow', $13, $14, $15, $16
             where $3 is null or exists (select 1 from runs where id = $3)",
            (
                &new.task,
                name,
                new.run.as_deref(),
                &new.adapter_dir,
                new.adapter_digest.as_str(),
                new.base.as_ref().map_or("", |base| &base.name),
                new.base.as_ref().map_or("", |base| base.digest.as_str()),
                new.dataset.as_ref(),
                json!(new.card).to_string(),
                new.card.digest().as_str(),
                new.metrics.to_string(),
                new.parent.as_deref(),
                row::text(actor.by),
                actor.at,
                new.method,
                new.task_revision,
            ),
        )
        .await?;
    if added == 1 { Ok(()) } else { Err(Error::NoRun(new.run.clone().unwrap_or_default())) }
}

/// One more than the highest number ever used, so that the folder of a deleted version is never reused.
async fn next_name(tx: &mut Tx<'_>, task: &str) -> Result<String, Error> {
    let rows = sqlx::query("select subject from changes where kind = 'version' and action = 'add' and task = $1")
        .bind(task)
        .fetch_all(&mut **tx)
        .await?;
    let mut highest = 0_u32;
    for row in &rows {
        let name: String = row::get(row, "subject")?;
        let number = name.strip_prefix('v').and_then(|number| number.parse().ok());
        highest = highest.max(number.unwrap_or(0));
    }
    Ok(format!("v{}", highest.saturating_add(1)))
}

async fn find(on: impl AnyExecutor<'_>, task: &str, name: &str) -> Result<Option<Version>, Error> {
    statement::optional(on, select_versions!("where task = $1 and name = $2"), (task, name)).await
}

pub(crate) async fn get(on: impl AnyExecutor<'_>, task: &str, name: &str) -> Result<Version, Error> {
    let missing = || Error::NoVersion { task: task.to_owned(), name: name.to_owned() };
    find(on, task, name).await?.ok_or_else(missing)
}

/// The versions of one task or of all, in the order they were registered.
pub(crate) async fn all(on: impl AnyExecutor<'_>, task: Option<&str>) -> Result<Vec<Version>, Error> {
    statement::all(on, select_versions!("where ($1 is null or task = $1) order by seq"), task).await
}

/// The active version of a task.
pub(crate) async fn active(on: impl AnyExecutor<'_>, task: &str) -> Result<Option<Version>, Error> {
    statement::optional(on, select_versions!("where task = $1 and stage = 'active'"), task).await
}

impl<M: DeserializeOwned> FromRow<'_, AnyRow> for VersionHead<M> {
    fn from_row(row: &AnyRow) -> Result<Self, sqlx::Error> {
        let metrics: String = row::get(row, "metrics")?;
        Ok(Self {
            task: row::get(row, "task")?,
            name: row::get(row, "name")?,
            stage: row::get(row, "stage")?,
            method: row::get(row, "method")?,
            run: row::get(row, "run")?,
            base: base(row)?,
            metrics: serde_json::from_str(&metrics).ok(),
            created_by: row::get(row, "created_by")?,
            created_at: row::get(row, "created_at")?,
        })
    }
}

from_row!(VersionName { task, name, run });

from_row!(Version {
    method,
    task,
    name,
    stage,
    run,
    adapter_dir,
    adapter_digest,
    base: base,
    base_digest: base_digest,
    dataset,
    card,
    card_digest,
    metrics,
    parent,
    task_revision,
    created_by,
    created_at,
});

/// The name of the base model. Versions of other methods have none; their column is empty.
fn base(row: &AnyRow) -> Result<Option<String>, sqlx::Error> {
    of_adapter(row, "base_name")
}

fn base_digest(row: &AnyRow) -> Result<Option<Digest>, sqlx::Error> {
    of_adapter(row, "base_digest")
}

fn of_adapter<T: row::Column>(row: &AnyRow, column: &str) -> Result<Option<T>, sqlx::Error> {
    (row::get::<Method>(row, "method")? == Method::Adapter).then(|| row::get(row, column)).transpose()
}
