//! `/versions`: look, compare, make active, go back, delete, download.

use axum::{
    extract::State,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use graft_engine::{EvaluationRequest, Seen};
use graft_store::Stage;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Page, tasks::Switched};
use crate::{
    download,
    extract::{Accepted, Acting, At, Body, Params, Reply},
    problem::Problem,
    schema,
    state::AppState,
    work,
};

/// Which versions are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Wanted {
    /// Only of this task.
    task: Option<String>,
    /// At most this many, 500 at most.
    #[param(minimum = 1, maximum = 500, default = 50)]
    limit: Option<u32>,
    /// Leaving out this many at the start.
    offset: Option<u32>,
}

/// The versions there are.
#[derive(Debug, Serialize, ToSchema)]
pub struct VersionList {
    /// Newest first.
    #[schema(value_type = Vec<schema::Version>)]
    versions: Vec<graft_store::Version>,
    /// How many, on all pages.
    total: u64,
    /// The version that a rollback of the task would make active.
    #[serde(skip_serializing_if = "Option::is_none")]
    before: Option<String>,
}

/// A version with its numbers and where it comes from.
#[derive(Debug, Serialize, ToSchema)]
pub struct VersionDetail {
    /// The version.
    #[schema(value_type = schema::Version)]
    version: graft_store::Version,
    /// Its numbers, if it was evaluated.
    #[schema(value_type = Option<schema::Evaluation>)]
    evaluation: Option<graft_engine::Evaluation>,
    /// Where it comes from.
    lineage: Lineage,
    /// The held-out examples with which it does worst.
    worst: Vec<ShownAnswer>,
    /// Some of those that it answers all right.
    right: Vec<ShownAnswer>,
}

/// Where a version comes from.
#[derive(Debug, Serialize, ToSchema)]
pub struct Lineage {
    /// The run that made it.
    run: Option<String>,
    /// Digest of the dataset it learned from.
    dataset: Option<String>,
    /// The version it was trained from or to replace.
    parent: Option<String>,
    /// The base model.
    base: String,
}

/// A held-out example and what a version answered to it.
#[derive(Debug, Serialize, ToSchema)]
pub struct ShownAnswer {
    /// The example as it was when the version was measured.
    #[schema(value_type = schema::Example)]
    example: graft_core::Example,
    /// The headline metric's share of it, from 0 to 1.
    score: f64,
    /// What the version answered; absent where that was not valid.
    answer: Option<Value>,
    /// Where that differs from the truth.
    #[schema(value_type = Option<schema::Diff>)]
    diff: Option<graft_engine::Diff>,
}

impl From<graft_engine::ShownAnswer> for ShownAnswer {
    fn from(shown: graft_engine::ShownAnswer) -> Self {
        Self { example: shown.example, score: shown.score, answer: shown.answer, diff: shown.diff }
    }
}

/// Makes a version active.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Activate {
    /// The active version as the client last saw it (null: none); absent, whichever it is.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    expected: Option<Option<String>>,
    /// Even if it is worse than the active one.
    #[serde(default)]
    force: bool,
}

/// Tells null from absent.
fn given<'de, D: serde::Deserializer<'de>>(json: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(json).map(Some)
}

/// Another stage for a version.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetStage {
    /// `shadow`, `canary` or `archived`; `active` is reached by activation.
    #[schema(value_type = schema::Stage)]
    stage: Stage,
}

/// One version.
#[derive(Debug, Serialize, ToSchema)]
pub struct OneVersion {
    /// As it is now.
    #[schema(value_type = schema::Version)]
    version: graft_store::Version,
}

/// Whether to delete what is active.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Force {
    /// Even if it is active.
    force: Option<bool>,
}

/// The versions of a task or of all, newest first.
#[utoipa::path(get, path = "/versions", tag = "versions", extensions(("x-role" = json!("viewer"))), params(Wanted),
    responses((status = 200, body = VersionList)))]
async fn list_versions(Acting(engine): Acting, Params(wanted): Params<Wanted>) -> Result<Reply<VersionList>, Problem> {
    let mut versions = engine.store.versions(wanted.task.as_deref()).await?;
    versions.reverse();
    let total = versions.len() as u64;
    let before = match &wanted.task {
        Some(task) => engine.rollback_target(task).await?,
        None => None,
    };
    let page = Page { limit: wanted.limit, offset: wanted.offset };
    Ok(Reply(VersionList { versions: page.of(versions), total, before }))
}

/// A version with its numbers, lineage, and answers to held-out examples: where it does worst, and where it is right.
#[utoipa::path(get, path = "/versions/{task}/{name}", tag = "versions", extensions(("x-role" = json!("viewer"))),
    params(("task" = String, Path), ("name" = String, Path)),
    responses((status = 200, body = VersionDetail), (status = 404, body = Problem)))]
async fn show_version(
    Acting(engine): Acting,
    At((task, name)): At<(String, String)>,
) -> Result<Reply<VersionDetail>, Problem> {
    let detail = engine.version_detail(&task, &name).await?;
    let version = detail.version;
    let lineage = Lineage {
        run: version.run.clone(),
        dataset: version.dataset.as_ref().map(ToString::to_string),
        parent: version.parent.clone(),
        base: version.base.clone(),
    };
    let shown = |all: Vec<graft_engine::ShownAnswer>| all.into_iter().map(ShownAnswer::from).collect();
    let (worst, right) = (shown(detail.worst), shown(detail.right));
    Ok(Reply(VersionDetail { evaluation: detail.evaluation, lineage, worst, right, version }))
}

/// Makes a version active, unless it is worse than the active one. A version that can't be loaded changes nothing.
#[utoipa::path(post, path = "/versions/{task}/{name}/activate", tag = "versions",
    extensions(("x-role" = json!("trainer"))), params(("task" = String, Path), ("name" = String, Path)),
    request_body = Activate,
    responses((status = 200, body = Switched),
        (status = 409, body = Problem, description = "another version is active than expected, or this one is worse")))]
async fn activate_version(
    State(state): State<AppState>,
    Acting(engine): Acting,
    At((task, name)): At<(String, String)>,
    Body(body): Body<Activate>,
) -> Result<Reply<Switched>, Problem> {
    // A version that was never measured is measured first.
    let done = work::apart(move || async move {
        let seen = body.expected.as_ref().map_or(Seen::Any, |expected| Seen::Active(expected.as_deref()));
        state.serving.activate(&engine, &task, &name, seen, body.force).await
    });
    let done = done.await??;
    Ok(Reply(Switched { version: done.version, previous: done.previous }))
}

/// Moves a version to another stage.
#[utoipa::path(post, path = "/versions/{task}/{name}/stage", tag = "versions",
    extensions(("x-role" = json!("trainer"))), params(("task" = String, Path), ("name" = String, Path)),
    request_body = SetStage, responses((status = 200, body = OneVersion), (status = 409, body = Problem)))]
async fn set_stage(
    Acting(engine): Acting,
    At((task, name)): At<(String, String)>,
    Body(body): Body<SetStage>,
) -> Result<Reply<OneVersion>, Problem> {
    Ok(Reply(OneVersion { version: engine.set_stage(&task, &name, body.stage).await? }))
}

/// Takes a version out of the registry; its files stay.
#[utoipa::path(delete, path = "/versions/{task}/{name}", tag = "versions", extensions(("x-role" = json!("trainer"))),
    params(("task" = String, Path), ("name" = String, Path), Force),
    responses((status = 200, body = OneVersion), (status = 409, body = Problem)))]
async fn delete_version(
    Acting(engine): Acting,
    At((task, name)): At<(String, String)>,
    Params(force): Params<Force>,
) -> Result<Reply<OneVersion>, Problem> {
    let version = engine.delete_version(&task, &name, force.force.unwrap_or(false)).await?;
    Ok(Reply(OneVersion { version }))
}

/// The adapter's folder as a zip file, which Hugging Face's peft reads when unpacked.
#[utoipa::path(get, path = "/versions/{task}/{name}/download", tag = "versions",
    extensions(("x-role" = json!("viewer"))), params(("task" = String, Path), ("name" = String, Path)),
    responses((status = 200, content_type = "application/zip"), (status = 404, body = Problem)))]
async fn download_version(Acting(engine): Acting, At((task, name)): At<(String, String)>) -> Result<Response, Problem> {
    let chosen = engine.adapter(&task, Some(&name)).await?;
    let zip = download::zip_folder(&chosen.folder).await?;
    let disposition = HeaderValue::from_str(&format!("attachment; filename=\"{task}-{name}.zip\""));
    let mut response = zip.into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/zip"));
    if let Ok(disposition) = disposition {
        response.headers_mut().insert(header::CONTENT_DISPOSITION, disposition);
    }
    Ok(response)
}

/// An evaluation that was queued.
#[derive(Debug, Serialize, ToSchema)]
pub struct EvaluationBegun {
    /// Its task.
    task: String,
    /// The version; its `metrics.evaluation` changes when it is done, which `/events` tells.
    version: String,
    /// Whether this request began it; otherwise it was under way.
    begun: bool,
    /// The run that measures it.
    run: String,
}

/// Queues a run that measures a version on its held-out examples again.
#[utoipa::path(post, path = "/versions/{task}/{name}/evaluate", tag = "versions",
    extensions(("x-role" = json!("trainer"))), params(("task" = String, Path), ("name" = String, Path)),
    responses((status = 202, body = EvaluationBegun), (status = 404, body = Problem)))]
async fn evaluate_version(
    Acting(engine): Acting,
    At((task, name)): At<(String, String)>,
) -> Result<Accepted<EvaluationBegun>, Problem> {
    let request = EvaluationRequest { task, version: name, score_base: false };
    let (run, begun) = engine.submit_evaluation(&request).await?;
    Ok(Accepted(EvaluationBegun { task: request.task, version: request.version, begun, run: run.id }))
}

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list_versions))
        .routes(routes!(show_version, delete_version))
        .routes(routes!(activate_version))
        .routes(routes!(set_stage))
        .routes(routes!(download_version))
        .routes(routes!(evaluate_version))
}
