//! `/tasks/{task}/upstream`: the service to which requests for a task are passed on.

use axum::extract::State;
use graft_engine::{UpstreamReport, records::Upstream};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    extract::{Acting, At, Body, Reply},
    problem::{Kind, Problem},
    state::AppState,
};

/// The upstream of a task, and who answered its requests.
#[utoipa::path(get, path = "/tasks/{task}/upstream", tag = "tasks", extensions(("x-role" = json!("viewer"))),
    params(("task" = String, Path)), responses((status = 200, body = UpstreamReport), (status = 404, body = Problem)))]
async fn show_upstream(Acting(engine): Acting, At(task): At<String>) -> Result<Reply<UpstreamReport>, Problem> {
    Ok(Reply(engine.upstreams().report(&task).await?))
}

/// Sets the upstream of a task: from now on, requests for the task at `/v1/chat/completions` are passed on to it unless Graft
/// answers them itself.
#[utoipa::path(put, path = "/tasks/{task}/upstream", tag = "tasks", extensions(("x-role" = json!("admin"))),
    params(("task" = String, Path)), request_body = Upstream,
    responses((status = 200, body = UpstreamReport), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 422, body = Problem)))]
async fn set_upstream(
    State(state): State<AppState>,
    Acting(engine): Acting,
    At(task): At<String>,
    Body(upstream): Body<Upstream>,
) -> Result<Reply<UpstreamReport>, Problem> {
    // Who names a variable and an address can have any secret of the server's environment sent there.
    if upstream.key_env.is_some() && !state.auth.required() {
        let detail = "a key for an upstream takes an administrator who has logged in";
        let hint = "add a user with the role `admin` first, or set it on the machine that the server runs on";
        return Err(Problem::new(Kind::Forbidden, detail).with_hint(hint));
    }
    Ok(Reply(engine.upstreams().set(&task, upstream).await?))
}

/// Removes the upstream of a task; the counts are kept.
#[utoipa::path(delete, path = "/tasks/{task}/upstream", tag = "tasks", extensions(("x-role" = json!("admin"))),
    params(("task" = String, Path)), responses((status = 200, body = UpstreamReport), (status = 404, body = Problem)))]
async fn remove_upstream(Acting(engine): Acting, At(task): At<String>) -> Result<Reply<UpstreamReport>, Problem> {
    Ok(Reply(engine.upstreams().remove(&task).await?))
}

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(show_upstream, set_upstream, remove_upstream))
}
