//! `/runs`: submit, show, stop, resume, compare.

use graft_engine::{
    Preflight, RunComparison, RunRequest,
    records::{LogStream, LogText, RunKind, RunState},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use axum::{extract::State, http::HeaderMap, response::Response};

use super::examples::MaskToken;
use crate::{
    advice, download,
    extract::{Accepted, Acting, At, Body, Params, Reply},
    idempotency, live,
    problem::Problem,
    state::AppState,
    work,
};

pub use super::run_types::*;

/// Which runs are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Wanted {
    /// Only of this task.
    task: Option<String>,
    /// Only in this state.
    state: Option<RunState>,
    /// Only of this kind.
    kind: Option<RunKind>,
    /// Only the trials of this study.
    study: Option<String>,
    /// Maximum number, at most 500.
    #[param(minimum = 1, maximum = 500, default = 50)]
    limit: Option<u32>,
    /// Number to skip at the start.
    #[param(default = 0)]
    offset: Option<u32>,
}

/// Which runs are deleted.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Older {
    /// Only those that ended before this time, in milliseconds since the Unix epoch.
    finished_before: i64,
}

/// Which part of a log is wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct LogPart {
    /// `stdout` or `stderr`.
    stream: Option<LogStream>,
    /// First byte.
    offset: Option<u64>,
}

/// Which events are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct After {
    /// Only those after this `seq`.
    after: Option<u64>,
}

/// Which runs are compared.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Compared {
    /// Their ids, separated by commas; 2 to 20.
    ids: String,
}

/// The trainings and evaluations of a task or of all, newest first.
#[utoipa::path(get, path = "/runs", tag = "runs", extensions(("x-role" = json!("viewer"))), params(Wanted),
    responses((status = 200, body = RunList)))]
async fn list_runs(Acting(engine): Acting, Params(wanted): Params<Wanted>) -> Result<Reply<RunList>, Problem> {
    let page = super::Page { limit: wanted.limit, offset: wanted.offset };
    let filter = graft_engine::records::RunFilter {
        task: wanted.task,
        state: wanted.state,
        kind: wanted.kind,
        study: wanted.study,
        limit: Some(page.limit()),
        offset: page.offset(),
    };
    let (views, total) = engine.runs().views(&filter).await?;
    Ok(Reply(RunList { runs: views.into_iter().map(ListedRun::from).collect(), total }))
}

/// Queues a training. If its base model is missing, the run downloads it first.
#[utoipa::path(post, path = "/runs", tag = "runs", extensions(("x-role" = json!("trainer"))),
    params(("Idempotency-Key" = Option<String>, Header)), request_body = RunRequest,
    responses((status = 202, body = OneRun),
        (status = 409, body = Problem, description = "`run`: the one that is active"),
        (status = 422, body = Problem, description = "`problems`: as of the preflight")))]
async fn submit_run(
    Acting(engine): Acting,
    headers: HeaderMap,
    Body(request): Body<RunRequest>,
) -> Result<Accepted<OneRun>, Problem> {
    let key = idempotency::key(&headers).map(|key| format!("{} {key}", engine.by));
    Ok(Accepted(engine.runs().submit(&request, key.as_deref()).await?.into()))
}

/// Checks a training without queueing it: all problems, and an estimate of time, memory and disk.
#[utoipa::path(post, path = "/runs/preflight", tag = "runs", extensions(("x-role" = json!("viewer"))),
    request_body = RunRequest, responses((status = 200, body = Preflight)))]
async fn check_run(Acting(engine): Acting, Body(request): Body<RunRequest>) -> Result<Reply<Preflight>, Problem> {
    Ok(Reply(advice::of_preflight(engine.runs().preflight(&request).await?)))
}

/// A run with all details.
#[utoipa::path(get, path = "/runs/{id}", tag = "runs", extensions(("x-role" = json!("viewer"))),
    params(("id" = String, Path)), responses((status = 200, body = RunDetail), (status = 404, body = Problem)))]
async fn show_run(Acting(engine): Acting, At(id): At<String>) -> Result<Reply<RunDetail>, Problem> {
    Ok(Reply(engine.runs().view(&id).await?.into()))
}

/// Stops a run; its last checkpoint is kept.
#[utoipa::path(post, path = "/runs/{id}/cancel", tag = "runs", extensions(("x-role" = json!("trainer"))),
    params(("id" = String, Path)),
    responses((status = 202, body = OneRun), (status = 404, body = Problem), (status = 409, body = Problem)))]
async fn cancel_run(Acting(engine): Acting, At(id): At<String>) -> Result<Accepted<OneRun>, Problem> {
    Ok(Accepted(engine.runs().cancel(&id).await?.into()))
}

/// Queues the same training again, from the start.
#[utoipa::path(post, path = "/runs/{id}/retry", tag = "runs", extensions(("x-role" = json!("trainer"))),
    params(("id" = String, Path)),
    responses((status = 202, body = OneRun), (status = 404, body = Problem), (status = 409, body = Problem)))]
async fn retry_run(Acting(engine): Acting, At(id): At<String>) -> Result<Accepted<OneRun>, Problem> {
    // Its checkpoints are removed.
    let run = work::apart(move || async move { engine.runs().retry(&id).await }).await??;
    Ok(Accepted(run.into()))
}

/// Queues a failed or stopped run again; it continues from its last checkpoint.
#[utoipa::path(post, path = "/runs/{id}/resume", tag = "runs", extensions(("x-role" = json!("trainer"))),
    params(("id" = String, Path)),
    responses((status = 202, body = OneRun), (status = 404, body = Problem), (status = 409, body = Problem)))]
async fn resume_run(Acting(engine): Acting, At(id): At<String>) -> Result<Accepted<OneRun>, Problem> {
    Ok(Accepted(engine.runs().resume(&id).await?.into()))
}

/// Deletes a run and its directory; its versions are kept.
#[utoipa::path(delete, path = "/runs/{id}", tag = "runs", extensions(("x-role" = json!("trainer"))),
    params(("id" = String, Path)),
    responses((status = 200, body = DeletedRuns), (status = 404, body = Problem), (status = 409, body = Problem)))]
async fn delete_run(Acting(engine): Acting, At(id): At<String>) -> Result<Reply<DeletedRuns>, Problem> {
    engine.runs().delete(&id).await?;
    Ok(Reply(DeletedRuns { deleted: 1 }))
}

/// Deletes the runs that ended before a time.
#[utoipa::path(delete, path = "/runs", tag = "runs", extensions(("x-role" = json!("trainer"))), params(Older),
    responses((status = 200, body = DeletedRuns)))]
async fn delete_runs(Acting(engine): Acting, Params(older): Params<Older>) -> Result<Reply<DeletedRuns>, Problem> {
    Ok(Reply(DeletedRuns { deleted: engine.runs().delete_before(older.finished_before).await? }))
}

/// A part of a trainer's output, at most 256 KiB.
#[utoipa::path(get, path = "/runs/{id}/logs", tag = "runs", extensions(("x-role" = json!("viewer"))),
    params(("id" = String, Path), LogPart),
    responses((status = 200, body = LogText), (status = 404, body = Problem)))]
async fn read_log(
    Acting(engine): Acting,
    At(id): At<String>,
    Params(part): Params<LogPart>,
) -> Result<Reply<LogText>, Problem> {
    let stream = part.stream.unwrap_or(LogStream::Stderr);
    Ok(Reply(engine.runs().log(&id, stream, part.offset.unwrap_or(0)).await?))
}

/// A run's events.
#[utoipa::path(get, path = "/runs/{id}/events", tag = "runs", extensions(("x-role" = json!("viewer"))),
    params(("id" = String, Path), After),
    responses((status = 200, body = EventList), (status = 404, body = Problem)))]
async fn list_events(
    Acting(engine): Acting,
    At(id): At<String>,
    Params(After { after }): Params<After>,
) -> Result<Reply<EventList>, Problem> {
    let events = engine.runs().events(&id, after.unwrap_or(0)).await?;
    Ok(Reply(EventList { events: events.into_iter().map(advice::of_event).collect() }))
}

/// Server-sent events of a run: `event` (its `seq` as id), `log` and, once it has ended, `end`.
#[utoipa::path(get, path = "/runs/{id}/stream", tag = "runs", extensions(("x-role" = json!("viewer"))),
    params(("id" = String, Path), After, ("Last-Event-ID" = Option<u64>, Header)),
    responses((status = 200, body = graft_core::Event, content_type = "text/event-stream"),
        (status = 404, body = Problem)))]
async fn stream_run(
    State(state): State<AppState>,
    At(id): At<String>,
    headers: HeaderMap,
    Params(After { after }): Params<After>,
) -> Result<Response, Problem> {
    let after = live::last_event_id(&headers).and_then(|id| id.try_into().ok()).or(after);
    live::run(&state, &id, after.unwrap_or(0)).await
}

/// Which example of a training, and in which epoch.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct RowOf {
    /// Its place among the training examples, from 0.
    #[param(default = 0)]
    place: Option<u32>,
    /// The epoch, from 0: each epoch may use another variant of the example.
    #[param(default = 0)]
    epoch: Option<u32>,
}

/// An example as a training learned it.
#[derive(Debug, Serialize, ToSchema)]
pub struct TrainedRow {
    /// The example's id.
    id: String,
    /// Its text as it was approved.
    input: String,
    /// The text that was trained.
    trained: String,
    /// Whether a variant stood for it.
    is_variant: bool,
    /// Variants that take turns; 0 where the example itself is learned in every epoch.
    variants: usize,
    /// Examples that the training learned from.
    rows: usize,
    /// The tokens in order.
    tokens: Vec<MaskToken>,
}

/// A training example as it is used in an epoch, with its tokens.
#[utoipa::path(get, path = "/runs/{id}/row", tag = "runs", extensions(("x-role" = json!("viewer"))),
    params(("id" = String, Path), RowOf),
    responses((status = 200, body = TrainedRow), (status = 404, body = Problem), (status = 422, body = Problem)))]
async fn show_row(
    Acting(engine): Acting,
    At(id): At<String>,
    Params(RowOf { place, epoch }): Params<RowOf>,
) -> Result<Reply<TrainedRow>, Problem> {
    let found = engine.runs().trained_row(&id, place.unwrap_or(0) as usize, epoch.unwrap_or(0) as usize).await?;
    let graft_engine::TrainedRow { id, input, trained, is_variant, variants, rows, tokens } = found;
    let tokens = tokens.into_iter().map(|token| MaskToken { id: token.id, text: token.text, loss: token.supervised });
    Ok(Reply(TrainedRow { id, input, trained, is_variant, variants, rows, tokens: tokens.collect() }))
}

/// The files of a run's directory.
#[utoipa::path(get, path = "/runs/{id}/artifacts", tag = "runs", extensions(("x-role" = json!("viewer"))),
    params(("id" = String, Path)), responses((status = 200, body = ArtifactList), (status = 404, body = Problem)))]
async fn list_artifacts(Acting(engine): Acting, At(id): At<String>) -> Result<Reply<ArtifactList>, Problem> {
    Ok(Reply(ArtifactList { artifacts: download::list(engine.runs().dir(&id).await?.path()).await? }))
}

/// One file of a run's directory.
#[utoipa::path(get, path = "/runs/{id}/artifacts/{*path}", tag = "runs", extensions(("x-role" = json!("viewer"))),
    params(("id" = String, Path), ("path" = String, Path)),
    responses((status = 200, content_type = "application/octet-stream"), (status = 404, body = Problem)))]
async fn read_artifact(Acting(engine): Acting, At((id, path)): At<(String, String)>) -> Result<Response, Problem> {
    download::file(engine.runs().dir(&id).await?.path(), &path).await
}

/// Compares runs: differing settings and metrics.
#[utoipa::path(get, path = "/runs/compare", tag = "runs", extensions(("x-role" = json!("viewer"))),
    params(Compared),
    responses((status = 200, body = RunComparison), (status = 404, body = Problem), (status = 422, body = Problem)))]
async fn compare_runs(
    Acting(engine): Acting,
    Params(Compared { ids }): Params<Compared>,
) -> Result<Reply<RunComparison>, Problem> {
    let ids: Vec<String> = ids.split(',').map(|id| id.trim().to_owned()).filter(|id| !id.is_empty()).collect();
    if !(2..=20).contains(&ids.len()) {
        return Err(Problem::field("ids", "name 2 to 20 runs"));
    }
    Ok(Reply(engine.runs().compare(&ids).await?))
}

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list_runs, submit_run, delete_runs))
        .routes(routes!(check_run))
        .routes(routes!(compare_runs))
        .routes(routes!(show_run, delete_run))
        .routes(routes!(cancel_run))
        .routes(routes!(retry_run))
        .routes(routes!(resume_run))
        .routes(routes!(read_log))
        .routes(routes!(list_events))
        .routes(routes!(stream_run))
        .routes(routes!(show_row))
        .routes(routes!(list_artifacts))
        .routes(routes!(read_artifact))
}
