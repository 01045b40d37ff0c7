//! The table `runs`.

use graft_core::{ExitCode, Failure, Phase, json};
use sqlx::any::{AnyExecutor, AnyRow};

use super::{Priority, Run};
use crate::database::Tx;
use crate::row::from_row;
use crate::{Error, row, statement};

macro_rules! select_runs {
    ($tail:literal) => {
        concat!(
            "select id, kind, seq, task, state, method, base_name, dataset, spec, dir, pid, train_samples, eval_samples,
                    final_loss, error, failure, exit_code, created_by, created_at, started_at, finished_at, priority, threads,
                    attempts, max_attempts, fence, lease_owner, lease_clock, lease_until, not_before, wants, phase,
                    after_run, activate, version, request, place, machine, task_revision, study, search
             from runs ",
            $tail
        )
    };
}

pub(super) use select_runs;

pub(crate) async fn find(on: impl AnyExecutor<'_>, id: &str) -> Result<Option<Run>, Error> {
    statement::optional(on, select_runs!("where id = $1"), id).await
}

/// The run of the request with this key.
pub(super) async fn find_requested(on: impl AnyExecutor<'_>, key: Option<&str>) -> Result<Option<Run>, Error> {
    let Some(key) = key else { return Ok(None) };
    statement::optional(on, select_runs!("where request_key = $1"), key).await
}

/// Writes all columns of a run that may change.
pub(super) async fn write(tx: &mut Tx<'_>, run: &Run) -> Result<(), Error> {
    let (clock, until) = run.lease.as_ref().map(|(clock, until)| (clock.as_str(), *until)).unzip();
    // Not persistent: sqlx's Any driver gives an absent float another Postgres type than a present one.
    sqlx::query(
        "update runs set state = $2, pid = $3, train_samples = $4, eval_samples = $5, final_loss = $6, failure = $7, error = null,
                exit_code = $8, started_at = $9, finished_at = $10, attempts = $11, fence = $12, lease_owner = $13,
                lease_clock = $14, lease_until = $15, not_before = $16, wants = $17, phase = $18, place = $19
         where id = $1",
    )
    .bind(&run.id)
    .bind(run.state.name())
    .bind(run.pid.map(i64::from))
    .bind(run.train_samples.map(row::big))
    .bind(run.eval_samples.map(row::big))
    .bind(run.final_loss)
    .bind(run.failure.as_ref().map(json::line))
    .bind(run.exit_code.map(i64::from))
    .bind(run.started_at)
    .bind(run.finished_at)
    .bind(i64::from(run.attempts))
    .bind(run.fence)
    .bind(run.lease_owner.as_deref())
    .bind(clock)
    .bind(until)
    .bind(run.not_before)
    .bind(run.wants.map(super::PendingRequest::name))
    .bind(run.phase.as_deref())
    .bind(run.place.as_deref())
    .persistent(false)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

from_row!(Run {
    id, kind, seq, task, state, method, base = "base_name", dataset, spec, dir, pid, train_samples, eval_samples,
    final_loss, failure: failure, exit_code, created_by, created_at, started_at, finished_at, priority: priority, threads,
    attempts, max_attempts, fence, lease_owner, lease: lease, not_before, wants, phase, after_run, activate, version,
    request, place, machine, task_revision, study, search,
});

/// Why a run failed. Older versions stored it as one text.
fn failure(row: &AnyRow) -> Result<Option<Failure>, sqlx::Error> {
    if let Some(failure) = row::get(row, "failure")? {
        return Ok(Some(failure));
    }
    let text: Option<String> = row::get(row, "error")?;
    let code: Option<i32> = row::get(row, "exit_code")?;
    let phase: Option<String> = row::get(row, "phase")?;
    let code = code.and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::Internal, ExitCode::from);
    Ok(text.map(|text| Failure { phase: phase.and_then(|name| Phase::named(&name)), ..Failure::new(text, code) }))
}

/// Priorities are stored as numbers, which SQL can order.
fn priority(row: &AnyRow) -> Result<Priority, sqlx::Error> {
    let rank: usize = row::get(row, "priority")?;
    Ok(Priority::ALL.get(rank).copied().unwrap_or_default())
}

fn lease(row: &AnyRow) -> Result<Option<(String, i64)>, sqlx::Error> {
    let clock: Option<String> = row::get(row, "lease_clock")?;
    Ok(clock.zip(row::get(row, "lease_until")?))
}
