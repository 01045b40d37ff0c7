//! `/events`: every change of the audit trail as it happens, and presence.

use axum::{
    extract::State,
    http::HeaderMap,
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{extract::Params, live, problem::Problem, state::AppState};

/// Where to begin.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct From {
    /// Send the changes after this `seq`, like the `Last-Event-ID` header; without either, only new ones.
    after: Option<i64>,
}

/// Server-sent events: `change`, with the change's `seq` as id, and `presence`, without one, with the body of
/// `/presence`. A comment every ten seconds keeps the line open.
#[utoipa::path(get, path = "/events", tag = "changes", extensions(("x-role" = json!("viewer"))),
    params(From, ("Last-Event-ID" = Option<i64>, Header)),
    responses((status = 200, body = graft_engine::records::Change, content_type = "text/event-stream")))]
async fn stream_changes(
    State(state): State<AppState>,
    headers: HeaderMap,
    Params(from): Params<From>,
) -> Result<Response, Problem> {
    let after = live::last_event_id(&headers).or(from.after);
    Ok(live::changes(&state, after).await?.into_response())
}

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(stream_changes))
}
