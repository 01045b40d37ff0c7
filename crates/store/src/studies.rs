//! Searches for settings, and their trials.

use graft_core::{Dataset, Phase, Timestamp, TrainSpec};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::changes::{Actor, Entry, record};
use crate::row::from_row;
use crate::runs::{NewRun, Run, Submission, add_trial_run, method_of, submit};
use crate::{Action, Error, Kind, Store, datasets, row, statement};

names! {
    /// State of a study.
    pub enum StudyState {
        /// Its trials run.
        Running = "running",
        /// Its budget is used up.
        Done = "done",
        /// A person ended it.
        Stopped = "stopped",
    }
}

names! {
    /// State of a trial.
    pub enum TrialState {
        /// Its run is queued or running.
        Running = "running",
        /// It was trained to its end.
        Complete = "complete",
        /// It was stopped early, because other trials were better at the same point of their training.
        Pruned = "pruned",
        /// Its run failed or was cancelled.
        Failed = "failed",
    }
}

/// A search for settings.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Study {
    /// Its name.
    pub id: String,
    /// Number of the study, from 1.
    pub seq: i64,
    /// Name of the task.
    pub task: String,
    /// Its state.
    pub state: StudyState,
    /// Everything that determines its trials: budget, seed, space, base, dataset.
    #[schema(value_type = Object)]
    pub plan: Value,
    /// Why it could not continue at the last attempt.
    pub note: Option<String>,
    /// Who started it.
    pub created_by: String,
    /// When.
    pub created_at: Timestamp,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
}

/// One trial of a study.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Trial {
    /// Number of the trial, from 0. Trial 0 uses the recipe unchanged.
    pub number: u64,
    /// Its run.
    pub run: String,
    /// Its state.
    pub state: TrialState,
    /// Values of the parameters that apply; for a choice, the index.
    #[schema(value_type = Object)]
    pub point: Value,
    /// The same point as training settings.
    #[schema(value_type = Object)]
    pub settings: Value,
    /// Loss on the examples that the study holds out; for a trial that was stopped early, the loss at that point.
    pub loss: Option<f64>,
    /// Loss at a quarter and at half of the training, where a trial may be stopped early.
    #[schema(value_type = Vec<Option<f64>>)]
    pub rungs: Value,
    /// Loss and weight of each example that the study holds out; empty for trials that were stopped early or made by earlier
    /// versions.
    #[serde(skip)]
    #[schema(ignore)]
    pub losses: Value,
    /// Size of its adapter in bytes.
    pub bytes: Option<u64>,
    /// Milliseconds in which its adapter computed an example that the study holds out, on the machine that trained it.
    pub latency_ms: Option<f64>,
    /// How long it trained.
    pub millis: u64,
    /// A note for people.
    pub note: Option<String>,
}

/// A study to add.
#[derive(Clone, Copy, Debug)]
pub struct NewStudy<'a> {
    /// Its name.
    pub id: &'a str,
    /// Name of the task.
    pub task: &'a str,
    /// All that decides its trials.
    pub plan: &'a Value,
    /// The run whose settings it chooses.
    pub waiting: Option<(NewRun<'a>, &'a Submission<'a>)>,
}

/// A trial to add.
#[derive(Clone, Copy, Debug)]
pub struct NewTrial<'a> {
    /// The trial.
    pub trial: &'a Trial,
    /// Its run.
    pub run: NewRun<'a>,
    /// The request, as for other runs.
    pub request: &'a Value,
    /// Number of training and of held-out examples.
    pub sides: (u64, u64),
    /// The revision of the task that it trains.
    pub task_revision: Option<i64>,
    /// The machine that executes it; the worker's own if absent.
    pub machine: Option<&'a str>,
}

macro_rules! select_studies {
    ($tail:literal) => {
        concat!("select id, seq, task, state, plan, note, created_by, created_at, finished_at from studies ", $tail)
    };
}

impl Store {
    /// Adds a study and saves its dataset, whose split becomes permanent. If a run waits for the study, adds it to the queue.
    ///
    /// # Errors
    /// [`Error::StudyActive`] while the task has a running one; [`Error::RunExists`] if the name exists; for the run as
    /// [`submit_run`](Self::submit_run).
    pub async fn add_study(
        &self,
        new: NewStudy<'_>,
        dataset: &Dataset,
        by: &str,
        at: Timestamp,
    ) -> Result<Study, Error> {
        let NewStudy { id, task, plan, waiting } = new;
        row::check_name("study", id)?;
        let mut tx = self.begin().await?;
        if let Some(study) =
            statement::value(&mut *tx, "select id from studies where task = $1 and state = 'running'", task).await?
        {
            return Err(Error::StudyActive { task: task.to_owned(), study });
        }
        datasets::save(&mut tx, task, dataset, Actor { by, at }).await?;
        tx.execute(
            "insert into studies (id, seq, task, state, plan, created_by, created_at)
             select $1, coalesce(max(seq), 0) + 1, $2, 'running', $3, $4, $5 from studies",
            (id, task, plan.to_string(), row::text(by), at),
        )
        .await?;
        let entry = Entry { action: Action::Add, kind: Kind::Study, task, subject: id };
        record(&mut tx, entry, Actor { by, at }, None, Some(&json!({"state": "running"}))).await?;
        let added = statement::one(&mut *tx, select_studies!("where id = $1"), id).await?;
        if let Some((run, order)) = waiting {
            let run = submit(&mut tx, run, order, dataset, Actor { by, at }).await?;
            tx.execute("update runs set phase = $2, search = $3 where id = $1", (&run.id, Phase::Search.name(), id))
                .await?;
        }
        tx.commit().await?;
        Ok(added)
    }

    /// Lets a run that waited for its study train; with these settings, if they differ from those that it has.
    pub async fn end_search(
        &self,
        run: &Run,
        chosen: Option<(&TrainSpec, &Value)>,
        by: &str,
        at: Timestamp,
    ) -> Result<(), Error> {
        let mut tx = self.begin().await?;
        let (spec, request) = chosen.unzip();
        let ended = tx
            .execute(
                "update runs set phase = null, spec = coalesce($3, spec), request = coalesce($4, request),
                 method = coalesce($5, method)
                 where id = $1 and state = 'queued' and phase = $2",
                (
                    &run.id,
                    Phase::Search.name(),
                    spec.map(|spec| json!(spec).to_string()),
                    request,
                    spec.map(|spec| method_of(&spec.adapter)),
                ),
            )
            .await?;
        if ended == 1 {
            let entry = Entry { action: Action::Set, kind: Kind::Run, task: &run.task, subject: &run.id };
            let after = json!({"phase": null, "settings": if spec.is_some() { "best" } else { "recipe" }});
            record(&mut tx, entry, Actor { by, at }, Some(&json!({"phase": Phase::Search})), Some(&after)).await?;
        }
        tx.commit().await
    }

    /// One study.
    ///
    /// # Errors
    /// [`Error::NoStudy`].
    pub async fn study(&self, id: &str) -> Result<Study, Error> {
        let found = statement::optional(&self.read, select_studies!("where id = $1"), id).await?;
        found.ok_or_else(|| Error::NoStudy(id.to_owned()))
    }

    /// The studies of a task or of all, newest first.
    pub async fn studies(&self, task: Option<&str>) -> Result<Vec<Study>, Error> {
        statement::all(&self.read, select_studies!("where ($1 is null or task = $1) order by seq desc"), task).await
    }

    /// The trials of a study, in order.
    pub async fn trials(&self, study: &str) -> Result<Vec<Trial>, Error> {
        statement::all(
            &self.read,
            "select number, run, state, point, settings, loss, rungs, losses, bytes, latency_ms, millis, note from trials
             where study = $1 order by number",
            study,
        )
        .await
    }

    /// Adds the next trial of a running study together with its run, in one transaction. Returns `false` if another
    /// process has added this number.
    ///
    /// # Errors
    /// [`Error::RunExists`]; when the database can't be written.
    pub async fn add_trial(&self, study: &Study, new: NewTrial<'_>, by: &str, at: Timestamp) -> Result<bool, Error> {
        let trial = new.trial;
        let mut tx = self.begin().await?;
        let still = sqlx::query("select id from studies where id = $1 and state = 'running'").bind(&study.id);
        if still.fetch_optional(&mut *tx).await?.is_none() {
            return Ok(false);
        }
        let added = tx
            .execute(
                "insert into trials (study, number, run, state, point, settings) values ($1, $2, $3, $4, $5, $6)
                 on conflict do nothing",
                (&study.id, trial.number, &trial.run, trial.state, trial.point.to_string(), trial.settings.to_string()),
            )
            .await?;
        if added == 0 {
            return Ok(false);
        }
        add_trial_run(&mut tx, &study.id, new, Actor { by, at }).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// Records the result of a trial, unless it has one.
    pub async fn end_trial(&self, study: &str, trial: &Trial) -> Result<(), Error> {
        let mut tx = self.begin().await?;
        // Not persistent: sqlx's Any driver gives an absent float another Postgres type than a present one.
        sqlx::query(
            "update trials set state = $3, loss = $4, millis = $5, note = $6, rungs = $7, bytes = $8, latency_ms = $9,
                losses = $10
             where study = $1 and number = $2 and state = 'running'",
        )
        .bind(study)
        .bind(row::big(trial.number))
        .bind(trial.state.name())
        .bind(trial.loss.filter(|loss| loss.is_finite()))
        .bind(row::big(trial.millis))
        .bind(trial.note.as_deref().map(row::text))
        .bind(trial.rungs.to_string())
        .bind(trial.bytes.map(row::big))
        .bind(trial.latency_ms)
        .bind(trial.losses.to_string())
        .persistent(false)
        .execute(&mut *tx)
        .await?;
        tx.commit().await
    }

    /// Ends a running study.
    pub async fn end_study(&self, study: &Study, state: StudyState, by: &str, at: Timestamp) -> Result<(), Error> {
        let mut tx = self.begin().await?;
        let ended = tx
            .execute(
                "update studies set state = $2, finished_at = $3, note = null where id = $1 and state = 'running'",
                (&study.id, state, at),
            )
            .await?;
        if ended == 1 {
            let entry = Entry { action: Action::State, kind: Kind::Study, task: &study.task, subject: &study.id };
            record(
                &mut tx,
                entry,
                Actor { by, at },
                Some(&json!({"state": study.state})),
                Some(&json!({"state": state})),
            )
            .await?;
        }
        tx.commit().await
    }

    /// Stores why a study can't continue now, or clears that note.
    pub async fn note_study(&self, id: &str, note: Option<&str>) -> Result<(), Error> {
        let mut tx = self.begin().await?;
        tx.execute("update studies set note = $2 where id = $1", (id, note.map(row::text))).await?;
        tx.commit().await
    }
}

from_row!(Study { id, seq, task, state, plan, note, created_by, created_at, finished_at });

from_row!(Trial { number, run, state, point, settings, loss, rungs, losses, bytes, latency_ms, millis, note });
