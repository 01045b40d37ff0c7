//! `/tasks/{task}/agents`: processes elsewhere that hold the active version and answer with it.

use axum::{
    extract::State,
    http::HeaderMap,
    response::{IntoResponse, Response},
};
use graft_core::{
    Digest,
    agents::{Hello, Notice, Report},
};
use graft_engine::{AgentsReport, records::Agent};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    agents, download,
    extract::{Acting, At, Body, Reply},
    problem::{Kind, Problem},
    state::AppState,
};

/// One agent.
#[derive(Debug, Serialize, ToSchema)]
pub struct OneAgent {
    /// As it is now.
    agent: Agent,
}

/// The agents of a task, how far they are with the active version, and what is going on.
#[utoipa::path(get, path = "/tasks/{task}/agents", tag = "agents", extensions(("x-role" = json!("viewer"))),
    params(("task" = String, Path)), responses((status = 200, body = AgentsReport), (status = 404, body = Problem)))]
async fn list_agents(Acting(engine): Acting, At(task): At<String>) -> Result<Reply<AgentsReport>, Problem> {
    Ok(Reply(engine.agents().of_task(&task).await?))
}

/// An agent says that it is there, what it holds, and which bundles it reads; at least once a minute. A name belongs to the
/// token that used it first.
#[utoipa::path(put, path = "/tasks/{task}/agents/{name}", tag = "agents", extensions(("x-role" = json!("agent"))),
    params(("task" = String, Path), ("name" = String, Path)), request_body = Hello,
    responses((status = 200, body = OneAgent), (status = 404, body = Problem),
        (status = 409, body = Problem, description = "the name is another token's"), (status = 422, body = Problem)))]
async fn say_hello(
    Acting(engine): Acting,
    At((task, name)): At<(String, String)>,
    Body(hello): Body<Hello>,
) -> Result<Reply<OneAgent>, Problem> {
    Ok(Reply(OneAgent { agent: engine.agents().hello(&task, &name, &hello).await? }))
}

/// Server-sent events for an agent: `version`, whenever it is to take one. A comment every ten seconds keeps the line open.
/// The agent reports what became of it within 30 seconds; otherwise it is told again, three times at most.
#[utoipa::path(get, path = "/tasks/{task}/agents/{name}/events", tag = "agents",
    extensions(("x-role" = json!("agent"))), params(("task" = String, Path), ("name" = String, Path)),
    responses((status = 200, body = Notice, content_type = "text/event-stream"), (status = 404, body = Problem)))]
async fn stream_notices(
    State(state): State<AppState>,
    At((task, name)): At<(String, String)>,
) -> Result<Response, Problem> {
    Ok(agents::notices(&state, &task, &name).await?.into_response())
}

/// An agent reports that it answers with the version that it was told of, or why it doesn't. Reports of earlier notices
/// change nothing.
#[utoipa::path(post, path = "/tasks/{task}/agents/{name}/reports", tag = "agents",
    extensions(("x-role" = json!("agent"))), params(("task" = String, Path), ("name" = String, Path)),
    request_body = Report,
    responses((status = 200, body = OneAgent), (status = 404, body = Problem), (status = 409, body = Problem)))]
async fn take_report(
    Acting(engine): Acting,
    At((task, name)): At<(String, String)>,
    Body(report): Body<Report>,
) -> Result<Reply<OneAgent>, Problem> {
    Ok(Reply(OneAgent { agent: engine.agents().report(&task, &name, &report).await? }))
}

/// The bundle of the active version: all that it needs to answer, as a zip file. Its `ETag` is its SHA-256.
#[utoipa::path(get, path = "/tasks/{task}/bundles/{digest}", tag = "agents", extensions(("x-role" = json!("agent"))),
    params(("task" = String, Path), ("digest" = Digest, Path), ("If-None-Match" = Option<String>, Header)),
    responses((status = 200, content_type = "application/zip", headers(("ETag" = String))),
        (status = 304, description = "the agent has it"),
        (status = 404, body = Problem, description = "the active version has another digest")))]
async fn send_bundle(
    Acting(engine): Acting,
    At((task, digest)): At<(String, Digest)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    match engine.agents().bundle(&task, &digest).await? {
        Some(bundle) => Ok(download::bundle(&headers, &bundle)),
        None => Err(Problem::new(Kind::NotFound, "the active version has another digest")
            .with_hint("the next event says which one")),
    }
}

/// Forgets an agent; one that still runs comes back.
#[utoipa::path(delete, path = "/tasks/{task}/agents/{name}", tag = "agents",
    extensions(("x-role" = json!("trainer"))), params(("task" = String, Path), ("name" = String, Path)),
    responses((status = 200, body = OneAgent), (status = 404, body = Problem)))]
async fn remove_agent(
    Acting(engine): Acting,
    At((task, name)): At<(String, String)>,
) -> Result<Reply<OneAgent>, Problem> {
    Ok(Reply(OneAgent { agent: engine.agents().remove(&task, &name).await? }))
}

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list_agents))
        .routes(routes!(say_hello, remove_agent))
        .routes(routes!(stream_notices))
        .routes(routes!(take_report))
        .routes(routes!(send_bundle))
}
