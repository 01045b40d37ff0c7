use graft_core::{AdapterSpec, Digest, Timestamp, TrainSpec};
use serde::Serialize;
use serde_json::{Value, json};
use sqlx::any::{AnyExecutor, AnyRow};

use crate::changes::{Actor, Deed, record};
use crate::database::Tx;
use crate::{Action, Error, Kind, Store, row};

names! {
    /// Where a run is in its life.
    pub enum RunState {
        /// Waits for its turn.
        Queued = "queued",
        /// Its process is being started.
        Starting = "starting",
        /// Its process trains.
        Running = "running",
        /// It has a result.
        Succeeded = "succeeded",
        /// It ended without a result; it may be resumed.
        Failed = "failed",
        /// Somebody stopped it; it may be resumed.
        Cancelled = "cancelled",
    }
}

impl RunState {
    /// Whether it holds its task's only place.
    #[must_use]
    pub fn is_active(self) -> bool {
        matches!(self, Self::Queued | Self::Starting | Self::Running)
    }

    /// Whether a run may go from here to `next`. Success is final; failed and cancelled runs may be resumed.
    #[must_use]
    pub fn may_become(self, next: Self) -> bool {
        match self {
            Self::Queued => next != Self::Queued,
            Self::Starting => !matches!(next, Self::Starting),
            Self::Running => !matches!(next, Self::Starting | Self::Running),
            Self::Failed | Self::Cancelled => matches!(next, Self::Queued | Self::Starting | Self::Running),
            Self::Succeeded => false,
        }
    }
}

/// A run to be added.
#[derive(Clone, Copy, Debug)]
pub struct NewRun<'a> {
    /// Name of the task.
    pub task: &'a str,
    /// All it needs to know; names the run, the base and the dataset.
    pub spec: &'a TrainSpec,
    /// Its directory, relative to `GRAFT_HOME` or absolute.
    pub dir: &'a str,
}

/// One training, from spec to result.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Run {
    /// Its name.
    pub id: String,
    /// Counts runs, from 1.
    pub seq: i64,
    /// Name of the task.
    pub task: String,
    /// Where it is in its life.
    pub state: RunState,
    /// `lora` or `soft-prompt`.
    pub method: String,
    /// Name of the base model.
    pub base: String,
    /// Digest of the dataset.
    pub dataset: Digest,
    /// The training spec as it was given.
    pub spec: Value,
    /// Its directory, relative to `GRAFT_HOME` or absolute.
    pub dir: String,
    /// Process id of the trainer, while and after it ran.
    pub pid: Option<u32>,
    /// Examples learned from.
    pub train_samples: Option<u64>,
    /// Examples held out.
    pub eval_samples: Option<u64>,
    /// Loss of the result on the held-out examples, or of the last step without any.
    pub final_loss: Option<f64>,
    /// Why it failed, in full.
    pub error: Option<String>,
    /// Exit code of the trainer.
    pub exit_code: Option<i32>,
    /// Who asked for it.
    pub created_by: String,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When its process first trained.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
}

/// What became known about a run; an absent field stays as it is.
#[derive(Clone, Debug, Default)]
pub struct RunUpdate {
    /// The next state.
    pub state: Option<RunState>,
    /// Process id of the trainer.
    pub pid: Option<u32>,
    /// Examples learned from.
    pub train_samples: Option<u64>,
    /// Examples held out.
    pub eval_samples: Option<u64>,
    /// Loss of the result; kept only if finite.
    pub final_loss: Option<f64>,
    /// Why it failed.
    pub error: Option<String>,
    /// Exit code of the trainer.
    pub exit_code: Option<i32>,
}

/// Which runs to list; an absent field matches all.
#[derive(Clone, Debug, Default)]
pub struct RunFilter {
    /// Only of this task.
    pub task: Option<String>,
    /// Only in this state.
    pub state: Option<RunState>,
    /// At most this many.
    pub limit: Option<u32>,
    /// Leaving out this many at the start.
    pub offset: u32,
}

/// A run as a row of the Ask AI system's `training_runs`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TrainingRun {
    /// Number of the run.
    pub id: i64,
    /// Always `soft_prompt`, as that system calls both methods.
    pub training_type: &'static str,
    /// `queued`, `running`, `completed` or `failed`.
    pub status: &'static str,
    /// When training began.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// Examples in the dataset.
    pub dataset_size: Option<u64>,
    /// Name of the base model.
    pub base_model: String,
    /// The run directory.
    pub output_dir: String,
    /// Name of the run.
    pub run_identifier: String,
    /// Loss of the result.
    pub final_loss: Option<f64>,
    /// Why it failed.
    pub error_message: Option<String>,
    /// The result's description, once there is one.
    pub metadata_path: Option<String>,
    /// Who asked for it.
    pub triggered_by: String,
}

impl Run {
    /// The run in the words of the Ask AI system.
    #[must_use]
    pub fn training_run(&self) -> TrainingRun {
        let cancelled = self.state == RunState::Cancelled;
        TrainingRun {
            id: self.seq,
            training_type: "soft_prompt",
            status: match self.state {
                RunState::Queued => "queued",
                RunState::Starting | RunState::Running => "running",
                RunState::Succeeded => "completed",
                RunState::Failed | RunState::Cancelled => "failed",
            },
            started_at: self.started_at,
            finished_at: self.finished_at,
            dataset_size: self.train_samples.map(|train| train + self.eval_samples.unwrap_or(0)),
            base_model: self.base.clone(),
            output_dir: self.dir.clone(),
            run_identifier: self.id.clone(),
            final_loss: self.final_loss,
            error_message: self.error.clone().or_else(|| cancelled.then(|| "cancelled".to_owned())),
            metadata_path: (self.state == RunState::Succeeded).then(|| format!("{}/training_run.json", self.dir)),
            triggered_by: self.created_by.clone(),
        }
    }

    /// Takes in what became known; times follow from the state.
    fn apply(&mut self, update: &RunUpdate, at: Timestamp) {
        if let Some(state) = update.state {
            self.state = state;
            if state == RunState::Running && self.started_at.is_none() {
                self.started_at = Some(at);
            }
            self.finished_at = (!state.is_active()).then_some(at);
            if state.is_active() {
                (self.error, self.exit_code) = (None, None);
            }
        }
        self.pid = update.pid.or(self.pid);
        self.train_samples = update.train_samples.or(self.train_samples);
        self.eval_samples = update.eval_samples.or(self.eval_samples);
        self.final_loss = update.final_loss.filter(|loss| loss.is_finite()).or(self.final_loss);
        self.error = update.error.as_deref().map(row::text).or_else(|| self.error.take());
        self.exit_code = update.exit_code.or(self.exit_code);
    }
}

macro_rules! select_runs {
    ($tail:literal) => {
        concat!(
            "select id, seq, task, state, method, base_name, dataset, spec, dir, pid, train_samples, eval_samples,
                    final_loss, error, exit_code, created_by, created_at, started_at, finished_at
             from runs ",
            $tail
        )
    };
}

impl Store {
    /// Adds a queued run; it takes its task's only place at once.
    ///
    /// # Errors
    /// [`Error::RunActive`] while another run of the task is queued or running; [`Error::RunExists`].
    pub async fn add_run(&self, new: NewRun<'_>, by: &str, at: Timestamp) -> Result<Run, Error> {
        let NewRun { task, spec, dir } = new;
        row::check_name("run", &spec.run)?;
        let mut tx = self.begin().await?;
        if find(&mut *tx, &spec.run).await?.is_some() {
            return Err(Error::RunExists(spec.run.clone()));
        }
        refuse_second(&mut tx, task, &spec.run).await?;
        sqlx::query(
            "insert into runs (id, seq, task, state, method, base_name, dataset, spec, dir, created_by, created_at)
             select $1, coalesce(max(seq), 0) + 1, $2, 'queued', $3, $4, $5, $6, $7, $8, $9 from runs",
        )
        .bind(&spec.run)
        .bind(task)
        .bind(match spec.adapter {
            AdapterSpec::Lora(_) => "lora",
            AdapterSpec::SoftPrompt(_) => "soft-prompt",
        })
        .bind(&spec.base.name)
        .bind(spec.dataset.as_str())
        .bind(json!(spec).to_string())
        .bind(dir)
        .bind(row::text(by))
        .bind(at)
        .execute(&mut *tx)
        .await?;
        let run = find(&mut *tx, &spec.run).await?.ok_or_else(|| Error::NoRun(spec.run.clone()))?;
        let deed = Deed { action: Action::Add, kind: Kind::Run, task, subject: &run.id };
        record(&mut tx, deed, Actor { by, at }, None, Some(&json!({"state": run.state, "dir": dir}))).await?;
        tx.commit().await?;
        Ok(run)
    }

    /// Takes in what became known about a run. `started_at` and `finished_at` follow from the state; resuming a run
    /// clears its error and exit code.
    ///
    /// # Errors
    /// [`Error::NoRun`]; [`Error::RunState`] for a step that its state doesn't allow; [`Error::RunActive`] when it
    /// would resume beside another run of its task.
    pub async fn update_run(&self, id: &str, update: &RunUpdate, by: &str, at: Timestamp) -> Result<Run, Error> {
        let mut tx = self.begin().await?;
        let mut run = find(&mut *tx, id).await?.ok_or_else(|| Error::NoRun(id.to_owned()))?;
        let from = run.state;
        let to = update.state.unwrap_or(from);
        if update.state.is_some() && !from.may_become(to) {
            return Err(Error::RunState { run: run.id, from: from.name(), to: to.name() });
        }
        if to.is_active() && !from.is_active() {
            refuse_second(&mut tx, &run.task, id).await?;
        }
        run.apply(update, at);
        write(&mut tx, &run).await?;
        if from != to {
            let deed = Deed { action: Action::State, kind: Kind::Run, task: &run.task, subject: id };
            let after = json!({"state": to, "exit_code": run.exit_code});
            record(&mut tx, deed, Actor { by, at }, Some(&json!({"state": from})), Some(&after)).await?;
        }
        tx.commit().await?;
        Ok(run)
    }

    /// One run.
    ///
    /// # Errors
    /// [`Error::NoRun`].
    pub async fn run(&self, id: &str) -> Result<Run, Error> {
        find(&self.read, id).await?.ok_or_else(|| Error::NoRun(id.to_owned()))
    }

    /// The run that holds its task's only place, if any.
    ///
    /// # Errors
    /// When the database can't be read.
    pub async fn active_run(&self, task: &str) -> Result<Option<Run>, Error> {
        let row = sqlx::query(select_runs!("where task = $1 and state in ('queued', 'starting', 'running')"))
            .bind(task)
            .fetch_optional(&self.read)
            .await?;
        row.map(|row| run(&row)).transpose()
    }

    /// The runs that match, newest first.
    ///
    /// # Errors
    /// When the database can't be read.
    pub async fn runs(&self, filter: &RunFilter) -> Result<Vec<Run>, Error> {
        let rows = sqlx::query(select_runs!(
            "where ($1 is null or task = $1) and ($2 is null or state = $2) order by seq desc limit $3 offset $4"
        ))
        .bind(filter.task.as_deref())
        .bind(filter.state.map(RunState::name))
        .bind(filter.limit.map_or(i64::MAX, i64::from))
        .bind(i64::from(filter.offset))
        .fetch_all(&self.read)
        .await?;
        rows.iter().map(run).collect()
    }
}

async fn find(on: impl AnyExecutor<'_>, id: &str) -> Result<Option<Run>, Error> {
    let row = sqlx::query(select_runs!("where id = $1")).bind(id).fetch_optional(on).await?;
    row.map(|row| run(&row)).transpose()
}

/// The write lock makes this check sound; the unique index `runs_active` stands behind it.
async fn refuse_second(tx: &mut Tx<'_>, task: &str, id: &str) -> Result<(), Error> {
    let other =
        sqlx::query("select id from runs where task = $1 and state in ('queued', 'starting', 'running') and id <> $2")
            .bind(task)
            .bind(id)
            .fetch_optional(&mut **tx)
            .await?;
    other.map_or(Ok(()), |row| Err(Error::RunActive { task: task.to_owned(), run: row::get(&row, "id")? }))
}

async fn write(tx: &mut Tx<'_>, run: &Run) -> Result<(), Error> {
    // Not kept prepared: sqlx's Any driver gives an absent float another Postgres type than a present one.
    sqlx::query(
        "update runs set state = $2, pid = $3, train_samples = $4, eval_samples = $5, final_loss = $6, error = $7,
                exit_code = $8, started_at = $9, finished_at = $10
         where id = $1",
    )
    .bind(&run.id)
    .bind(run.state.name())
    .bind(run.pid.map(i64::from))
    .bind(run.train_samples.map(row::big))
    .bind(run.eval_samples.map(row::big))
    .bind(run.final_loss)
    .bind(run.error.as_deref())
    .bind(run.exit_code.map(i64::from))
    .bind(run.started_at)
    .bind(run.finished_at)
    .persistent(false)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

fn run(row: &AnyRow) -> Result<Run, Error> {
    Ok(Run {
        id: row::get(row, "id")?,
        seq: row::get(row, "seq")?,
        task: row::get(row, "task")?,
        state: row::parsed(row, "state")?,
        method: row::get(row, "method")?,
        base: row::get(row, "base_name")?,
        dataset: row::parsed(row, "dataset")?,
        spec: row::json(row, "spec")?,
        dir: row::get(row, "dir")?,
        pid: row::int_opt(row, "pid")?,
        train_samples: row::int_opt(row, "train_samples")?,
        eval_samples: row::int_opt(row, "eval_samples")?,
        final_loss: row::get(row, "final_loss")?,
        error: row::get(row, "error")?,
        exit_code: row::int_opt(row, "exit_code")?,
        created_by: row::get(row, "created_by")?,
        created_at: row::get(row, "created_at")?,
        started_at: row::get(row, "started_at")?,
        finished_at: row::get(row, "finished_at")?,
    })
}
