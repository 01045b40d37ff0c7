//! `/batches`: files that a version answers in the background.

use axum::{
    body::Body,
    extract::{DefaultBodyLimit, Multipart, State, multipart::MultipartRejection},
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use futures_util::{StreamExt as _, stream};
use graft_engine::{
    Engine,
    records::{Batch, BatchState},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::imports::MAX_UPLOAD;
use crate::{
    extract::{Accepted, Acting, At, Params, Reply},
    problem::{Kind, Problem},
    state::AppState,
    upload, work,
};

/// Which batches.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct BatchQuery {
    /// Only of this task.
    task: Option<String>,
}

/// Which answers.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ResultQuery {
    /// `true`: also while parts are missing; those that are done are sent.
    #[serde(default)]
    partial: bool,
}

/// The batches.
#[derive(Debug, Serialize, ToSchema)]
pub struct BatchList {
    /// Newest first, 500 at most.
    batches: Vec<Batch>,
}

/// One batch.
#[derive(Debug, Serialize, ToSchema)]
pub struct OneBatch {
    /// It.
    batch: Batch,
}

/// A batch that was submitted.
#[derive(Debug, Serialize, ToSchema)]
pub struct SubmittedBatch {
    /// It.
    batch: Batch,
    /// What was decided while the file was read.
    notes: Vec<String>,
}

/// A batch that was removed.
#[derive(Debug, Serialize, ToSchema)]
pub struct RemovedBatch {
    /// Its name.
    removed: String,
}

/// What is uploaded, as `multipart/form-data`.
#[derive(Debug, ToSchema)]
pub struct BatchUpload {
    /// The task; it may be absent if only one has versions.
    pub task: Option<String>,
    /// The version that answers; the active one if absent.
    pub version: Option<String>,
    /// Inputs per part, from 1 to 10,000. Default: 1,000.
    pub part_lines: Option<u64>,
    /// Maximum tokens of one answer.
    pub max_tokens: Option<u64>,
    /// JSON: `{"text": …, "id": …}`, the headings or numbers of a table's columns, and `"heading"`: whether the first row
    /// names them, where that can't be found out.
    pub columns: Option<String>,
    /// The inputs: JSON lines with a text and a ts or id, a table, a Slack export, or one text per line.
    #[schema(value_type = String, format = Binary)]
    pub file: Vec<u8>,
}

/// Lists the batches.
#[utoipa::path(get, path = "/batches", tag = "batches", extensions(("x-role" = json!("viewer"))), params(BatchQuery),
    responses((status = 200, body = BatchList)))]
async fn list_batches(Acting(engine): Acting, Params(query): Params<BatchQuery>) -> Result<Reply<BatchList>, Problem> {
    Ok(Reply(BatchList { batches: engine.batches().list(query.task.as_deref()).await? }))
}

/// Submits a file, which workers answer part by part while nothing trains.
#[utoipa::path(post, path = "/batches", tag = "batches", extensions(("x-role" = json!("trainer"))),
    request_body(content = BatchUpload, content_type = "multipart/form-data"),
    responses((status = 202, body = SubmittedBatch), (status = 404, body = Problem), (status = 413, body = Problem),
        (status = 422, body = Problem)))]
async fn begin_batch(
    State(state): State<AppState>,
    Acting(engine): Acting,
    form: Result<Multipart, MultipartRejection>,
) -> Result<Accepted<SubmittedBatch>, Problem> {
    let form = form.map_err(|refusal| Problem::new(Kind::UnsupportedMediaType, refusal.body_text()))?;
    let upload::ReceivedBatch { request, file, columns } = upload::receive_batch(form, &state.imports.folder).await?;
    let submit = move || async move {
        let (inputs, notes) = graft_engine::read_inputs(file.path(), &columns)?;
        let batch = engine.batches().submit(&request, &inputs).await?;
        Ok::<_, graft_engine::Error>(SubmittedBatch { batch, notes })
    };
    Ok(Accepted(work::apart(submit).await??))
}

/// The progress of a batch.
#[utoipa::path(get, path = "/batches/{id}", tag = "batches", extensions(("x-role" = json!("viewer"))),
    params(("id" = String, Path)), responses((status = 200, body = OneBatch), (status = 404, body = Problem)))]
async fn show_batch(Acting(engine): Acting, At(id): At<String>) -> Result<Reply<OneBatch>, Problem> {
    Ok(Reply(OneBatch { batch: engine.batches().get(&id).await? }))
}

/// The answers of a batch: one JSON line for each input, in the order of the inputs.
#[utoipa::path(get, path = "/batches/{id}/results", tag = "batches", extensions(("x-role" = json!("auditor"))),
    params(("id" = String, Path), ResultQuery),
    responses((status = 200, body = String, content_type = "application/x-ndjson"), (status = 404, body = Problem),
        (status = 409, body = Problem)))]
async fn batch_results(
    Acting(engine): Acting,
    At(id): At<String>,
    Params(query): Params<ResultQuery>,
) -> Result<Response, Problem> {
    let batch = engine.batches().get(&id).await?;
    if batch.state != BatchState::Done && !query.partial {
        let said = format!("only {} of {} answers are there", batch.answered, batch.lines);
        return Err(Problem::new(Kind::Conflict, said).with_hint("wait until it is done, or add `partial=true`"));
    }
    let parts = stream::iter(1..=batch.parts).then(move |part| answers(engine.clone(), batch.id.clone(), part));
    let mut response = Body::from_stream(parts).into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-ndjson"));
    Ok(response)
}

/// Answers of a part, if there are any.
async fn answers(engine: Engine, id: String, part: u64) -> Result<String, graft_engine::Error> {
    Ok(engine.batches().answers(&id, part).await?.unwrap_or_default())
}

/// Stops a batch; the parts that are done keep their answers.
#[utoipa::path(post, path = "/batches/{id}/stop", tag = "batches", extensions(("x-role" = json!("trainer"))),
    params(("id" = String, Path)), responses((status = 200, body = OneBatch), (status = 404, body = Problem),
        (status = 409, body = Problem)))]
async fn stop_batch(Acting(engine): Acting, At(id): At<String>) -> Result<Reply<OneBatch>, Problem> {
    Ok(Reply(OneBatch { batch: engine.batches().stop(&id).await? }))
}

/// Continues a batch that was stopped or has failed.
#[utoipa::path(post, path = "/batches/{id}/resume", tag = "batches", extensions(("x-role" = json!("trainer"))),
    params(("id" = String, Path)), responses((status = 200, body = OneBatch), (status = 404, body = Problem),
        (status = 409, body = Problem)))]
async fn resume_batch(Acting(engine): Acting, At(id): At<String>) -> Result<Reply<OneBatch>, Problem> {
    Ok(Reply(OneBatch { batch: engine.batches().resume(&id).await? }))
}

/// Removes a batch that has ended, with its inputs and answers.
#[utoipa::path(delete, path = "/batches/{id}", tag = "batches", extensions(("x-role" = json!("trainer"))),
    params(("id" = String, Path)), responses((status = 200, body = RemovedBatch), (status = 404, body = Problem),
        (status = 409, body = Problem)))]
async fn remove_batch(Acting(engine): Acting, At(id): At<String>) -> Result<Reply<RemovedBatch>, Problem> {
    engine.batches().remove(&id).await?;
    Ok(Reply(RemovedBatch { removed: id }))
}

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list_batches, begin_batch))
        .layer(DefaultBodyLimit::max(MAX_UPLOAD))
        .routes(routes!(show_batch, remove_batch))
        .routes(routes!(batch_results))
        .routes(routes!(stop_batch))
        .routes(routes!(resume_batch))
}
