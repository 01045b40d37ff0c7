//! `/admin/training`: the Ask AI service's endpoints with its own field names, so that its page and scripts work here.

use axum::{
    extract::State,
    response::{IntoResponse as _, Response},
};
use graft_engine::{
    Engine, Integration,
    records::{Error as StoreError, Run, RunFilter, RunKind, TrainingRun},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    extract::{Accepted, Acting, At, Params, Reply},
    problem::Problem,
    state::AppState,
};

/// How many are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Limit {
    /// Maximum number, newest first. Default: 20.
    #[param(minimum = 1, maximum = 200, default = 20)]
    limit: Option<u32>,
}

/// Number of deleted runs.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Cleared {
    /// How many.
    deleted: u64,
}

/// What their page calls runs.
async fn trainings(engine: &Engine) -> Result<RunFilter, Problem> {
    let task = Some(engine.tasks().with(Integration::AskAi).await?.name);
    Ok(RunFilter { task, kind: Some(RunKind::Train), ..RunFilter::default() })
}

/// Recent training runs, newest first.
#[utoipa::path(get, path = "/admin/training/runs", tag = "ask-ai", extensions(("x-role" = json!("viewer"))),
    params(Limit), responses((status = 200, body = Vec<TrainingRun>)))]
async fn recent_runs(
    Acting(engine): Acting,
    Params(Limit { limit }): Params<Limit>,
) -> Result<Reply<Vec<TrainingRun>>, Problem> {
    let limit = limit.unwrap_or(20).clamp(1, 200);
    let filter = RunFilter { limit: Some(limit), ..trainings(&engine).await? };
    let runs = engine.runs().list(&filter).await?;
    Ok(Reply(runs.iter().map(Run::training_run).collect()))
}

/// Reads the Ask AI database again, if it is configured, and queues a training on the approved examples. Its version
/// becomes active, and `latest` in the folder of the settings, unless it is worse than the one before. If nothing changed
/// since the last training, that one is returned with a `note`, and none is queued. If the base model is missing, the run
/// downloads it first.
#[utoipa::path(post, path = "/admin/training/trigger", tag = "ask-ai", extensions(("x-role" = json!("trainer"))),
    responses((status = 202, body = TrainingRun),
        (status = 200, body = TrainingRun, description = "nothing changed since this training"),
        (status = 400, body = Problem, description = "the database can't be read, there is nothing to train on, or no base model"),
        (status = 409, body = Problem, description = "a training is queued or running")))]
async fn trigger(State(state): State<AppState>, Acting(engine): Acting) -> Result<Response, Problem> {
    match engine.runs().train_ask_ai(&state.config.ask_ai).await {
        Ok(run) if !run.state.is_active() => {
            let note = format!("nothing changed since run {}: the same examples and settings", run.id);
            tracing::info!("no training was queued: {note}");
            Ok(Reply(TrainingRun { note: Some(note), ..run.training_run() }).into_response())
        }
        Ok(run) => Ok(Accepted(run.training_run()).into_response()),
        Err(error) => {
            let problem = Problem::from(error);
            // Their page knows 400 and 409 only.
            Err(if matches!(problem.status, 404 | 422) { Problem { status: 400, ..problem } } else { problem })
        }
    }
}

/// Deletes one run, by its number or its name.
#[utoipa::path(delete, path = "/admin/training/runs/{id}", tag = "ask-ai", extensions(("x-role" = json!("trainer"))),
    params(("id" = String, Path)),
    responses((status = 200, body = Cleared), (status = 404, body = Problem), (status = 409, body = Problem)))]
async fn delete_one(Acting(engine): Acting, At(id): At<String>) -> Result<Reply<Cleared>, Problem> {
    let filter = trainings(&engine).await?;
    let is_meant = |run: &Run| run.id == id || run.seq.to_string() == id;
    let run = engine.runs().list(&filter).await?.into_iter().find(is_meant).ok_or(StoreError::NoRun(id.clone()))?;
    engine.runs().delete(&run.id).await?;
    Ok(Reply(Cleared { deleted: 1 }))
}

/// Deletes every run that has ended.
#[utoipa::path(delete, path = "/admin/training/runs", tag = "ask-ai", extensions(("x-role" = json!("trainer"))),
    responses((status = 200, body = Cleared)))]
async fn clear_runs(Acting(engine): Acting) -> Result<Reply<Cleared>, Problem> {
    let filter = trainings(&engine).await?;
    let mut deleted = 0;
    for run in engine.runs().list(&filter).await?.into_iter().filter(|run| !run.state.is_active()) {
        engine.runs().delete(&run.id).await?;
        deleted += 1;
    }
    Ok(Reply(Cleared { deleted }))
}

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(recent_runs, clear_runs)).routes(routes!(trigger)).routes(routes!(delete_one))
}
