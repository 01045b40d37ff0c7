//! `/studies`: searches for settings. Workers execute them.

use axum::http::HeaderMap;
use graft_engine::{
    StudyRequest, StudyView,
    records::{Run, Study},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    extract::{Accepted, Acting, At, Body, Params, Reply},
    idempotency,
    problem::Problem,
    state::AppState,
    work,
};

/// Which studies.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct StudyQuery {
    /// Only of this task.
    task: Option<String>,
}

/// Lists the studies.
#[derive(Debug, Serialize, ToSchema)]
pub struct StudyList {
    /// Newest first.
    studies: Vec<Study>,
}

/// One study.
#[derive(Debug, Serialize, ToSchema)]
pub struct OneStudy {
    /// It.
    study: Study,
}

/// A training that was queued.
#[derive(Debug, Serialize, ToSchema)]
pub struct StudyRun {
    /// Its run.
    run: Run,
}

/// Lists the studies.
#[utoipa::path(get, path = "/studies", tag = "studies", extensions(("x-role" = json!("viewer"))), params(StudyQuery),
    responses((status = 200, body = StudyList)))]
async fn list_studies(Acting(engine): Acting, Params(query): Params<StudyQuery>) -> Result<Reply<StudyList>, Problem> {
    Ok(Reply(StudyList { studies: engine.studies().list(query.task.as_deref()).await? }))
}

/// Starts a study, which workers execute. A task has one at a time.
#[utoipa::path(post, path = "/studies", tag = "studies", extensions(("x-role" = json!("trainer"))),
    request_body = StudyRequest,
    responses((status = 202, body = OneStudy), (status = 409, body = Problem), (status = 422, body = Problem)))]
async fn begin_study(Acting(engine): Acting, Body(request): Body<StudyRequest>) -> Result<Accepted<OneStudy>, Problem> {
    let begin = move || async move { engine.studies().begin(&request).await };
    Ok(Accepted(OneStudy { study: work::apart(begin).await?? }))
}

/// A study with its trials and results.
#[utoipa::path(get, path = "/studies/{id}", tag = "studies", extensions(("x-role" = json!("viewer"))),
    params(("id" = String, Path)), responses((status = 200, body = StudyView), (status = 404, body = Problem)))]
async fn show_study(Acting(engine): Acting, At(id): At<String>) -> Result<Reply<StudyView>, Problem> {
    Ok(Reply(engine.studies().view(&id).await?))
}

/// Stops a study; its trials so far are kept.
#[utoipa::path(post, path = "/studies/{id}/stop", tag = "studies", extensions(("x-role" = json!("trainer"))),
    params(("id" = String, Path)), responses((status = 200, body = OneStudy), (status = 404, body = Problem)))]
async fn stop_study(Acting(engine): Acting, At(id): At<String>) -> Result<Reply<OneStudy>, Problem> {
    Ok(Reply(OneStudy { study: engine.studies().stop(&id).await? }))
}

/// Queues a training with the best settings of a study.
#[utoipa::path(post, path = "/studies/{id}/train", tag = "studies", extensions(("x-role" = json!("trainer"))),
    params(("id" = String, Path), ("Idempotency-Key" = Option<String>, Header)),
    responses((status = 202, body = StudyRun), (status = 404, body = Problem), (status = 409, body = Problem),
        (status = 422, body = Problem)))]
async fn train_best(
    Acting(engine): Acting,
    headers: HeaderMap,
    At(id): At<String>,
) -> Result<Accepted<StudyRun>, Problem> {
    let key = idempotency::key(&headers).map(|key| format!("{} {key}", engine.by));
    let train = move || async move { engine.studies().train_best(&id, key.as_deref()).await };
    Ok(Accepted(StudyRun { run: work::apart(train).await?? }))
}

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list_studies, begin_study))
        .routes(routes!(show_study))
        .routes(routes!(stop_study))
        .routes(routes!(train_best))
}
