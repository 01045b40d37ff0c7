//! `/health`, `/ready`, `/metrics` and the API's description.

use std::time::Duration;

use axum::{
    extract::State,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use prometheus_client::encoding::prometheus_text::CONTENT_TYPE;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    extract::Reply,
    problem::{Kind, Problem},
    state::AppState,
};

/// Longest wait for the database until the server counts as not ready.
const PATIENCE: Duration = Duration::from_secs(2);

/// The process is running.
#[derive(Debug, Serialize, ToSchema)]
pub struct Health {
    /// `ok`.
    status: &'static str,
    /// Version of Graft.
    version: &'static str,
}

/// Whether the process is running.
#[utoipa::path(get, path = "/health", tag = "system", extensions(("x-role" = json!("public"))),
    responses((status = 200, body = Health)))]
async fn health() -> Reply<Health> {
    Reply(Health { status: "ok", version: env!("CARGO_PKG_VERSION") })
}

/// Whether requests can be answered: the database responds, and the server is not shutting down.
#[utoipa::path(get, path = "/ready", tag = "system", extensions(("x-role" = json!("public"))),
    responses((status = 200, body = Health), (status = 503, body = Problem)))]
async fn ready(State(state): State<AppState>) -> Result<Reply<Health>, Problem> {
    if state.is_closing() {
        return Err(Problem::new(Kind::Unavailable, "the server is shutting down"));
    }
    // One that was cut off says nothing, not even that it is away.
    let answer = tokio::time::timeout(PATIENCE, state.engine.upkeep().check_database()).await;
    answer.map_err(|_| Problem::new(Kind::Unavailable, "the database does not answer"))??;
    Ok(Reply(Health { status: "ready", version: env!("CARGO_PKG_VERSION") }))
}

/// Metrics in Prometheus' text format.
#[utoipa::path(get, path = "/metrics", tag = "system", extensions(("x-role" = json!("viewer"))),
    responses((status = 200, body = String, content_type = "text/plain")))]
async fn metrics(State(state): State<AppState>) -> Result<Response, Problem> {
    let runs = state.engine.upkeep().run_counts().await?;
    let text = state.metrics.text(&runs, &state.serving_state());
    Ok(([(header::CONTENT_TYPE, CONTENT_TYPE)], text).into_response())
}

/// This API's description (OpenAPI 3.1).
#[utoipa::path(get, path = "/openapi.json", tag = "system", extensions(("x-role" = json!("public"))),
    responses((status = 200, body = Object)))]
async fn description() -> Response {
    let json = HeaderValue::from_static("application/json");
    ([(header::CONTENT_TYPE, json)], crate::openapi_json()).into_response()
}

pub(crate) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(health))
        .routes(routes!(ready))
        .routes(routes!(metrics))
        .routes(routes!(description))
}
