//! `/tasks/{task}/live`: continuous learning from approvals.

use graft_engine::{
    LiveStatus,
    records::{LiveAdapter, LiveSettings},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    extract::{Acting, At, Body, Reply},
    problem::Problem,
    state::AppState,
};

/// A live adapter to be started.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct StartLive {
    /// The version that it starts from; the active one otherwise.
    from: Option<String>,
    /// Its settings; missing ones have their defaults.
    settings: LiveSettings,
}

/// Where a live adapter goes back to.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RewindLive {
    /// The version; the parent of the newest accepted snapshot otherwise.
    to: Option<String>,
}

/// One live adapter.
#[derive(Debug, Serialize, ToSchema)]
pub struct OneLive {
    /// As it is now.
    live: LiveAdapter,
}

/// The live adapter of a task, its windows and snapshots.
#[utoipa::path(get, path = "/tasks/{task}/live", tag = "versions", extensions(("x-role" = json!("viewer"))),
    params(("task" = String, Path)), responses((status = 200, body = LiveStatus)))]
async fn show_live(Acting(engine): Acting, At(task): At<String>) -> Result<Reply<LiveStatus>, Problem> {
    Ok(Reply(engine.live().status(&task).await?))
}

/// Starts to learn continuously from approvals and edits, or changes the settings; workers train the snapshots.
#[utoipa::path(post, path = "/tasks/{task}/live", tag = "versions", extensions(("x-role" = json!("trainer"))),
    params(("task" = String, Path)), request_body = StartLive,
    responses((status = 200, body = OneLive), (status = 404, body = Problem), (status = 422, body = Problem)))]
async fn start_live(
    Acting(engine): Acting,
    At(task): At<String>,
    Body(body): Body<StartLive>,
) -> Result<Reply<OneLive>, Problem> {
    Ok(Reply(OneLive { live: engine.live().start(&task, body.from.as_deref(), &body.settings).await? }))
}

/// Pauses continuous learning: collects approvals without training.
#[utoipa::path(post, path = "/tasks/{task}/live/pause", tag = "versions", extensions(("x-role" = json!("trainer"))),
    params(("task" = String, Path)), responses((status = 200, body = OneLive), (status = 404, body = Problem)))]
async fn pause_live(Acting(engine): Acting, At(task): At<String>) -> Result<Reply<OneLive>, Problem> {
    Ok(Reply(OneLive { live: engine.live().pause(&task).await? }))
}

/// Resumes continuous learning, also with the approvals that were collected meanwhile.
#[utoipa::path(post, path = "/tasks/{task}/live/resume", tag = "versions", extensions(("x-role" = json!("trainer"))),
    params(("task" = String, Path)), responses((status = 200, body = OneLive), (status = 404, body = Problem)))]
async fn resume_live(Acting(engine): Acting, At(task): At<String>) -> Result<Reply<OneLive>, Problem> {
    Ok(Reply(OneLive { live: engine.live().resume(&task).await? }))
}

/// Starts the next snapshot from an earlier version; later snapshots are archived.
#[utoipa::path(post, path = "/tasks/{task}/live/rewind", tag = "versions", extensions(("x-role" = json!("trainer"))),
    params(("task" = String, Path)), request_body = RewindLive,
    responses((status = 200, body = OneLive), (status = 404, body = Problem), (status = 409, body = Problem)))]
async fn rewind_live(
    Acting(engine): Acting,
    At(task): At<String>,
    Body(body): Body<RewindLive>,
) -> Result<Reply<OneLive>, Problem> {
    Ok(Reply(OneLive { live: engine.live().rewind(&task, body.to.as_deref()).await? }))
}

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(show_live, start_live))
        .routes(routes!(pause_live))
        .routes(routes!(resume_live))
        .routes(routes!(rewind_live))
}
