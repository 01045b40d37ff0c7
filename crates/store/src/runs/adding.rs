//! Adds runs.

use graft_core::{AdapterSpec, Dataset, Timestamp};
use serde_json::{Value, json};

use super::{NewRun, Priority, Run, RunKind, find};
use crate::changes::{Actor, Entry, record};
use crate::database::Tx;
use crate::scope::Scope;
use crate::{Action, Error, Kind, NewTrial, Store, Version, row, statement};

/// An evaluation to queue.
#[derive(Clone, Copy, Debug)]
pub struct NewEvaluation<'a> {
    /// Name of the run.
    pub id: &'a str,
    /// The version.
    pub version: &'a Version,
    /// Its adapter's kind and shape, if it has one.
    pub adapter: Option<&'a AdapterSpec>,
    /// The dataset whose held-out side is answered.
    pub dataset: &'a Dataset,
    /// Its directory, relative to `GRAFT_HOME` or absolute.
    pub dir: &'a str,
    /// The request, as stored with the run.
    pub request: &'a Value,
    /// Most processes to start for it; after that it fails.
    pub max_attempts: u32,
}

/// Values of a new row.
pub(super) struct Fresh<'a> {
    id: &'a str,
    kind: RunKind,
    task: &'a str,
    method: &'static str,
    base: &'a str,
    dataset: &'a str,
    spec: Value,
    dir: &'a str,
    threads: Option<u64>,
    version: Option<&'a str>,
    study: Option<&'a str>,
}

impl<'a> Fresh<'a> {
    pub(super) fn training(new: NewRun<'a>) -> Self {
        let NewRun { task, spec, dir } = new;
        Self {
            id: &spec.run,
            kind: RunKind::Train,
            task,
            method: method_of(&spec.adapter),
            base: &spec.base.name,
            dataset: spec.dataset.as_str(),
            spec: json!(spec),
            dir,
            threads: spec.limits.threads.map(|threads| threads as u64),
            version: None,
            study: None,
        }
    }
}

/// The adapter's kind as stored and printed.
pub(crate) fn method_of(adapter: &AdapterSpec) -> &'static str {
    match adapter {
        AdapterSpec::Lora(_) => "lora",
        AdapterSpec::SoftPrompt(_) => "soft-prompt",
    }
}

impl Store {
    /// Queues the evaluation of a version with high priority: it is short, and a person waits for it. If the version is
    /// being evaluated already, returns that run and `false`.
    ///
    /// # Errors
    /// [`Error::RunExists`]; when the database can't be written.
    pub async fn submit_evaluation(
        &self,
        new: NewEvaluation<'_>,
        by: &str,
        at: Timestamp,
    ) -> Result<(Run, bool), Error> {
        let version = new.version;
        let fresh = Fresh {
            id: new.id,
            kind: RunKind::Evaluate,
            task: &version.task,
            method: new.adapter.map_or(version.method.name(), method_of),
            base: version.base.as_deref().unwrap_or_default(),
            dataset: new.dataset.digest.as_str(),
            spec: new.request.clone(),
            dir: new.dir,
            threads: None,
            version: Some(&version.name),
            study: None,
        };
        let mut tx = self.begin_in(Scope::Queue).await?;
        if let Some(active) = second(&mut tx, &fresh).await? {
            let run = find(&mut *tx, &active).await?.ok_or(Error::NoRun(active))?;
            return Ok((run, false));
        }
        add(&mut tx, fresh, Actor { by, at }).await?;
        tx.execute(
            "update runs set request = $2, priority = $3, max_attempts = $4, eval_samples = $5 where id = $1",
            (
                new.id,
                new.request.to_string(),
                Priority::High as i64,
                new.max_attempts.max(1),
                new.dataset.eval.len() as u64,
            ),
        )
        .await?;
        let added = find(&mut *tx, new.id).await?.ok_or_else(|| Error::NoRun(new.id.to_owned()))?;
        tx.commit().await?;
        Ok((added, true))
    }
}

/// Adds a run within the caller's transaction.
pub(super) async fn add(tx: &mut Tx<'_>, fresh: Fresh<'_>, actor: Actor<'_>) -> Result<Run, Error> {
    row::check_name("run", fresh.id)?;
    if find(&mut **tx, fresh.id).await?.is_some() {
        return Err(Error::RunExists(fresh.id.to_owned()));
    }
    if let Some(run) = second(tx, &fresh).await? {
        return Err(Error::RunActive { task: fresh.task.to_owned(), run });
    }
    tx.execute(
        "insert into runs (id, seq, task, state, method, base_name, dataset, spec, dir, created_by, created_at,
                           threads, kind, version, study)
         select $1, coalesce(max(seq), 0) + 1, $2, 'queued', $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13
         from runs",
        (
            fresh.id,
            fresh.task,
            fresh.method,
            fresh.base,
            fresh.dataset,
            fresh.spec.to_string(),
            fresh.dir,
            row::text(actor.by),
            actor.at,
            fresh.threads,
            fresh.kind,
            fresh.version,
            fresh.study,
        ),
    )
    .await?;
    let run = find(&mut **tx, fresh.id).await?.ok_or_else(|| Error::NoRun(fresh.id.to_owned()))?;
    let entry = Entry { action: Action::Add, kind: Kind::Run, task: fresh.task, subject: &run.id };
    let after = json!({"kind": run.kind, "state": run.state, "dir": fresh.dir});
    record(tx, entry, actor, None, Some(&after)).await?;
    Ok(run)
}

/// Attempts of a trial. More than for other runs, because workers that run a study may be killed often.
const TRIAL_ATTEMPTS: i64 = 25;

/// Adds the run of a trial, with the lowest priority.
pub(crate) async fn add_trial_run(
    tx: &mut Tx<'_>,
    study: &str,
    new: NewTrial<'_>,
    actor: Actor<'_>,
) -> Result<(), Error> {
    let NewTrial { run, request, sides, task_revision, machine, .. } = new;
    let id = run.spec.run.as_str();
    add(tx, Fresh { study: Some(study), ..Fresh::training(run) }, actor).await?;
    tx.execute(
        "update runs set request = $2, priority = $3, max_attempts = $4, train_samples = $5, eval_samples = $6,
                task_revision = $7, machine = $8
         where id = $1",
        (id, request.to_string(), Priority::Low as i64, TRIAL_ATTEMPTS, sides.0, sides.1, task_revision, machine),
    )
    .await?;
    Ok(())
}

/// Fails if another run is active for the same task (training) or version (evaluation).
pub(super) async fn refuse_second(tx: &mut Tx<'_>, run: &Run) -> Result<(), Error> {
    if run.study.is_some() {
        return Ok(());
    }
    let other = active_in_place(tx, run.kind, &run.task, run.version.as_deref(), &run.id).await?;
    other.map_or(Ok(()), |other| Err(Error::RunActive { task: run.task.clone(), run: other }))
}

async fn second(tx: &mut Tx<'_>, fresh: &Fresh<'_>) -> Result<Option<String>, Error> {
    if fresh.study.is_some() {
        return Ok(None);
    }
    active_in_place(tx, fresh.kind, fresh.task, fresh.version, fresh.id).await
}

/// The other active run for the same purpose: a task has one training, a version one evaluation; trials are not
/// limited. The write lock makes this check safe; the unique indexes `runs_active` and `runs_measuring` enforce it as
/// well.
async fn active_in_place(
    tx: &mut Tx<'_>,
    kind: RunKind,
    task: &str,
    version: Option<&str>,
    id: &str,
) -> Result<Option<String>, Error> {
    statement::value(
        &mut **tx,
        "select id from runs where task = $1 and kind = $2 and state in ('queued', 'starting', 'running')
            and id <> $3 and study is null and (kind = 'train' or version = $4)",
        (task, kind, id, version),
    )
    .await
}
