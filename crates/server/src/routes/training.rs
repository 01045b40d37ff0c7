//! `/training`: the training service for other programs. A job is a run; `/runs` has more details.

use axum::{
    extract::{DefaultBodyLimit, State},
    http::{HeaderMap, header},
};
use graft_engine::{TrainingStatus, TrainingSubmission};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    advice,
    extract::{Acting, At, Body, Reply},
    idempotency,
    problem::Problem,
    state::AppState,
    work,
};

/// Longest submission, in bytes.
const MAX_BODY: usize = 64 << 20;

/// A job that was queued.
#[derive(Debug, Serialize, ToSchema)]
pub struct SubmittedJob {
    /// Names it.
    job_id: String,
}

/// Imports the tables of a dataset as approved examples, doubtful rows as pending, and queues a job that trains on them.
/// The same dataset with the same content returns the same job, unless that one failed.
#[utoipa::path(post, path = "/training/submit", tag = "training", extensions(("x-role" = json!("trainer"))),
    params(("Idempotency-Key" = Option<String>, Header)), request_body = TrainingSubmission,
    responses((status = 200, body = SubmittedJob),
        (status = 409, body = Problem, description = "`run`: the job of the task that is active"),
        (status = 422, body = Problem)))]
async fn submit_job(
    Acting(engine): Acting,
    headers: HeaderMap,
    Body(submission): Body<TrainingSubmission>,
) -> Result<Reply<SubmittedJob>, Problem> {
    if submission.csv_files.is_empty() {
        return Err(Problem::field("csv_files", "it names no file"));
    }
    let key = idempotency::key(&headers).map(|key| format!("{} {key}", engine.by));
    let submit = move || async move { engine.runs().submit_dataset(&submission, key).await };
    Ok(Reply(SubmittedJob { job_id: work::apart(submit).await??.id }))
}

/// The state of a job.
#[utoipa::path(get, path = "/training/status/{job_id}", tag = "training", extensions(("x-role" = json!("viewer"))),
    params(("job_id" = String, Path)),
    responses((status = 200, body = TrainingStatus), (status = 404, body = Problem)))]
async fn show_job(
    State(state): State<AppState>,
    Acting(engine): Acting,
    headers: HeaderMap,
    At(id): At<String>,
) -> Result<Reply<TrainingStatus>, Problem> {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let origin = state.config.public_url.clone().unwrap_or_else(|| format!("http://{host}"));
    let mut status = engine.runs().job_status(&id, origin.trim_end_matches('/')).await?;
    status.error = status.error.as_deref().map(advice::in_report);
    Ok(Reply(status))
}

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(submit_job)).layer(DefaultBodyLimit::max(MAX_BODY)).routes(routes!(show_job))
}
