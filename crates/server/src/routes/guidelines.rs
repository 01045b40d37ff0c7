//! `/tasks/{task}/guidelines`: how people judge a task's examples.

use axum::{
    extract::State,
    http::HeaderMap,
    response::{IntoResponse, Response},
};
use graft_engine::{Engine, Guidelines, wrong_guidelines};
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    etag,
    extract::{Acting, At, Body, Reply},
    problem::Problem,
    state::AppState,
};

/// Guidelines in people's own words.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewGuidelines {
    /// Paragraphs, and lines that begin with `- `; blank for those that the task comes with. 20000 characters at most.
    text: String,
}

/// A task's guidelines, with their `ETag`.
#[utoipa::path(get, path = "/tasks/{task}/guidelines", tag = "tasks", extensions(("x-role" = json!("viewer"))),
    params(("task" = String, Path)),
    responses((status = 200, body = Guidelines, headers(("ETag" = String))), (status = 404, body = Problem)))]
async fn show_guidelines(Acting(engine): Acting, At(task): At<String>) -> Result<Response, Problem> {
    reply(&engine, &task).await
}

/// Replaces a task's guidelines; with `If-Match`, refused if somebody else changed them.
#[utoipa::path(put, path = "/tasks/{task}/guidelines", tag = "tasks", extensions(("x-role" = json!("trainer"))),
    params(("task" = String, Path), ("If-Match" = Option<String>, Header)), request_body = NewGuidelines,
    responses((status = 200, body = Guidelines), (status = 404, body = Problem), (status = 412, body = Problem),
        (status = 422, body = Problem)))]
async fn replace_guidelines(
    State(state): State<AppState>,
    Acting(engine): Acting,
    At(task): At<String>,
    headers: HeaderMap,
    Body(NewGuidelines { text }): Body<NewGuidelines>,
) -> Result<Response, Problem> {
    let _turn = state.replacing.lock().await;
    etag::check(&headers, &engine.examples().guidelines(&task).await?.digest())?;
    if let Some(wrong) = wrong_guidelines(&text) {
        return Err(Problem::field(wrong.field, &wrong.detail));
    }
    engine.examples().set_guidelines(&task, &text).await?;
    reply(&engine, &task).await
}

async fn reply(engine: &Engine, task: &str) -> Result<Response, Problem> {
    let found = engine.examples().guidelines(task).await?;
    let tag = etag::header(&found.digest());
    Ok((tag, Reply(found)).into_response())
}

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(show_guidelines, replace_guidelines))
}
