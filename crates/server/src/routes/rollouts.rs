//! `/tasks/{task}/rollout`: roll-outs in stages: shadow, canary, active.

use axum::{
    extract::State,
    http::header,
    response::{IntoResponse as _, Response},
};
use graft_engine::{
    RolloutReport, TaskRollouts,
    records::{Rollout, RolloutPolicy},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::tasks::Switched;
use crate::{
    extract::{Acting, At, Body, Params, Reply},
    problem::Problem,
    state::AppState,
    work,
};

/// Which roll-out of a task.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Numbered {
    /// Its number; the newest if absent.
    number: Option<i64>,
}

/// The comparison of both versions in a roll-out, while it runs or after its end. After its end, only inputs that people
/// decided on are counted.
#[utoipa::path(get, path = "/tasks/{task}/rollout/report", tag = "versions", extensions(("x-role" = json!("viewer"))),
    params(("task" = String, Path), Numbered),
    responses((status = 200, body = RolloutReport), (status = 404, body = Problem)))]
async fn rollout_report(
    Acting(engine): Acting,
    At(task): At<String>,
    Params(Numbered { number }): Params<Numbered>,
) -> Result<Reply<RolloutReport>, Problem> {
    Ok(Reply(engine.rollouts().numbered(&task, number).await?))
}

/// The same as one HTML file.
#[utoipa::path(get, path = "/tasks/{task}/rollout/report.html", tag = "versions",
    extensions(("x-role" = json!("viewer"))), params(("task" = String, Path), Numbered),
    responses((status = 200, content_type = "text/html", body = String), (status = 404, body = Problem)))]
async fn rollout_page(
    Acting(engine): Acting,
    At(task): At<String>,
    Params(Numbered { number }): Params<Numbered>,
) -> Result<Response, Problem> {
    let page = engine.rollouts().page(&task, number).await?;
    let file = format!("attachment; filename=\"{task}-rollout.html\"");
    let kind = "text/html; charset=utf-8".to_owned();
    Ok(([(header::CONTENT_TYPE, kind), (header::CONTENT_DISPOSITION, file)], page).into_response())
}

/// A version to be rolled out.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StartRollout {
    /// The version.
    version: String,
    /// Its policy; missing settings have their defaults.
    #[serde(default)]
    policy: RolloutPolicy,
}

/// Why a roll-out ends.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct StopRollout {
    /// For the audit trail.
    why: Option<String>,
}

/// The reason for an override of a roll-out's policy.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OverrideRollout {
    /// For the audit trail.
    #[schema(min_length = 1)]
    why: String,
}

/// One roll-out.
#[derive(Debug, Serialize, ToSchema)]
pub struct OneRollout {
    /// As it is now.
    rollout: Rollout,
}

/// The roll-out of a task with its conditions and counts, and earlier roll-outs.
#[utoipa::path(get, path = "/tasks/{task}/rollout", tag = "versions", extensions(("x-role" = json!("viewer"))),
    params(("task" = String, Path)), responses((status = 200, body = TaskRollouts)))]
async fn show_rollout(Acting(engine): Acting, At(task): At<String>) -> Result<Reply<TaskRollouts>, Problem> {
    Ok(Reply(engine.rollouts().of_task(&task).await?))
}

/// Starts a roll-out: the version answers beside the active one, and its answers are only recorded.
#[utoipa::path(post, path = "/tasks/{task}/rollout", tag = "versions", extensions(("x-role" = json!("trainer"))),
    params(("task" = String, Path)), request_body = StartRollout,
    responses((status = 200, body = OneRollout),
        (status = 409, body = Problem, description = "it is active, no version is active, or another one is being rolled out")))]
async fn start_rollout(
    Acting(engine): Acting,
    At(task): At<String>,
    Body(body): Body<StartRollout>,
) -> Result<Reply<OneRollout>, Problem> {
    Ok(Reply(OneRollout { rollout: engine.rollouts().start(&task, &body.version, &body.policy).await? }))
}

/// Makes the version a canary: it answers its share of the requests.
#[utoipa::path(post, path = "/tasks/{task}/rollout/canary", tag = "versions", extensions(("x-role" = json!("trainer"))),
    params(("task" = String, Path)),
    responses((status = 200, body = OneRollout), (status = 409, body = Problem)))]
async fn rollout_to_canary(Acting(engine): Acting, At(task): At<String>) -> Result<Reply<OneRollout>, Problem> {
    Ok(Reply(OneRollout { rollout: engine.rollouts().to_canary(&task).await? }))
}

/// Makes the version active, if all conditions of its policy are met.
#[utoipa::path(post, path = "/tasks/{task}/rollout/promote", tag = "versions", extensions(("x-role" = json!("trainer"))),
    params(("task" = String, Path)),
    responses((status = 200, body = Switched),
        (status = 409, body = Problem, description = "the unmet conditions, or it is worse on the held-out examples")))]
async fn promote_rollout(
    State(state): State<AppState>,
    Acting(engine): Acting,
    At(task): At<String>,
) -> Result<Reply<Switched>, Problem> {
    let done =
        work::apart(move || async move { engine.evaluations().promote(Some(&state.serving), &task, None).await });
    let done = done.await??;
    Ok(Reply(Switched { version: done.version, previous: done.previous }))
}

/// Makes the version active even if conditions of its policy are not met; the reason is stored in the audit trail.
#[utoipa::path(post, path = "/tasks/{task}/rollout/override", tag = "versions", extensions(("x-role" = json!("admin"))),
    params(("task" = String, Path)), request_body = OverrideRollout,
    responses((status = 200, body = Switched), (status = 409, body = Problem), (status = 422, body = Problem)))]
async fn override_rollout(
    State(state): State<AppState>,
    Acting(engine): Acting,
    At(task): At<String>,
    Body(body): Body<OverrideRollout>,
) -> Result<Reply<Switched>, Problem> {
    if body.why.trim().is_empty() {
        return Err(Problem::field("why", "a reason, which is kept in the audit trail"));
    }
    let done =
        work::apart(
            move || async move { engine.evaluations().promote(Some(&state.serving), &task, Some(&body.why)).await },
        );
    let done = done.await??;
    Ok(Reply(Switched { version: done.version, previous: done.previous }))
}

/// Stops the roll-out; the version no longer answers requests.
#[utoipa::path(post, path = "/tasks/{task}/rollout/stop", tag = "versions", extensions(("x-role" = json!("trainer"))),
    params(("task" = String, Path)), request_body = StopRollout,
    responses((status = 200, body = OneRollout), (status = 409, body = Problem)))]
async fn stop_rollout(
    Acting(engine): Acting,
    At(task): At<String>,
    Body(body): Body<StopRollout>,
) -> Result<Reply<OneRollout>, Problem> {
    Ok(Reply(OneRollout { rollout: engine.rollouts().stop(&task, body.why.as_deref()).await? }))
}

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(rollout_report))
        .routes(routes!(rollout_page))
        .routes(routes!(show_rollout, start_rollout))
        .routes(routes!(rollout_to_canary))
        .routes(routes!(promote_rollout))
        .routes(routes!(override_rollout))
        .routes(routes!(stop_rollout))
}
