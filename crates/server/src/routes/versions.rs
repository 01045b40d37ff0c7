//! `/versions`: show, compare, activate, roll back, delete, download.

use axum::{
    extract::State,
    http::{HeaderMap, HeaderValue, header},
    response::{IntoResponse as _, Response},
};
use graft_engine::{
    ContestantKind, EvaluationRequest, ResultFormat, Seen, VersionDetail,
    records::{Stage, Version},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Page, tasks::Switched};
use crate::{
    download,
    extract::{Accepted, Acting, At, Body, Params, Reply},
    problem::Problem,
    state::AppState,
    work,
};

/// Which versions are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Wanted {
    /// Only of this task.
    task: Option<String>,
    /// Maximum number, at most 500.
    #[param(minimum = 1, maximum = 500, default = 50)]
    limit: Option<u32>,
    /// Number to skip at the start.
    offset: Option<u32>,
}

/// The versions there are.
#[derive(Debug, Serialize, ToSchema)]
pub struct VersionList {
    /// Newest first.
    versions: Vec<Version>,
    /// How many, on all pages.
    total: u64,
    /// The version that a rollback of the task would make active.
    #[serde(skip_serializing_if = "Option::is_none")]
    before: Option<String>,
}

/// Makes a version active.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Activate {
    /// The active version as the client last saw it (null: none); absent: do not check.
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
    stage: Stage,
}

/// A contestant to register as a version.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AddContestant {
    /// What kind.
    kind: ContestantKind,
    /// The version whose examples it is fitted to. Default: the active or the newest version.
    #[serde(default)]
    like: Option<String>,
}

/// One version.
#[derive(Debug, Serialize, ToSchema)]
pub struct OneVersion {
    /// As it is now.
    version: Version,
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
    let mut versions = engine.versions().list(wanted.task.as_deref()).await?;
    versions.reverse();
    let total = versions.len() as u64;
    let before = match &wanted.task {
        Some(task) => engine.versions().rollback_target(task).await?,
        None => None,
    };
    let page = Page { limit: wanted.limit, offset: wanted.offset };
    Ok(Reply(VersionList { versions: page.of(versions), total, before }))
}

/// A version with its scores, lineage, and answers to held-out examples: the worst and some correct ones.
#[utoipa::path(get, path = "/versions/{task}/{name}", tag = "versions", extensions(("x-role" = json!("viewer"))),
    params(("task" = String, Path), ("name" = String, Path)),
    responses((status = 200, body = VersionDetail), (status = 404, body = Problem)))]
async fn show_version(
    Acting(engine): Acting,
    At((task, name)): At<(String, String)>,
) -> Result<Reply<VersionDetail>, Problem> {
    Ok(Reply(engine.versions().detail(&task, &name).await?))
}

/// Activates a version, unless it is worse than the active one. If the version cannot be loaded, nothing changes.
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
        engine.evaluations().activate_in(&state.serving, (&task, &name), seen, body.force).await
    });
    let done = done.await??;
    Ok(Reply(Switched { version: done.version, previous: done.previous }))
}

/// Registers a contestant, which answers without a language model, as a version with its scores. It takes seconds. The same
/// contestant on the same examples is registered once.
#[utoipa::path(post, path = "/tasks/{task}/contestants", tag = "versions", extensions(("x-role" = json!("trainer"))),
    params(("task" = String, Path)), request_body = AddContestant,
    responses((status = 200, body = OneVersion),
        (status = 422, body = Problem, description = "it can't answer this task, or there are no training examples")))]
async fn add_contestant(
    Acting(engine): Acting,
    At(task): At<String>,
    Body(body): Body<AddContestant>,
) -> Result<Reply<OneVersion>, Problem> {
    let added = work::apart(move || async move {
        let tell = &mut |_: &str, _, _| {};
        engine.evaluations().add_contestant(&task, body.kind, body.like.as_deref(), None, tell).await
    });
    Ok(Reply(OneVersion { version: added.await?? }))
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
    Ok(Reply(OneVersion { version: engine.versions().set_stage(&task, &name, body.stage).await? }))
}

/// Removes a version from the registry; its files are kept.
#[utoipa::path(delete, path = "/versions/{task}/{name}", tag = "versions", extensions(("x-role" = json!("trainer"))),
    params(("task" = String, Path), ("name" = String, Path), Force),
    responses((status = 200, body = OneVersion), (status = 409, body = Problem)))]
async fn delete_version(
    Acting(engine): Acting,
    At((task, name)): At<(String, String)>,
    Params(force): Params<Force>,
) -> Result<Reply<OneVersion>, Problem> {
    let version = engine.versions().delete(&task, &name, force.force.unwrap_or(false)).await?;
    Ok(Reply(OneVersion { version }))
}

/// A version's bundle: its files and all else that it needs to answer, as a zip file for `graft models add`. Hugging Face's
/// peft can load the unpacked folder of an adapter.
#[utoipa::path(get, path = "/versions/{task}/{name}/download", tag = "versions",
    extensions(("x-role" = json!("viewer"))),
    params(("task" = String, Path), ("name" = String, Path), ("If-None-Match" = Option<String>, Header)),
    responses((status = 200, content_type = "application/zip", headers(("ETag" = String))),
        (status = 304, description = "the client has it"), (status = 404, body = Problem)))]
async fn download_version(
    Acting(engine): Acting,
    At((task, name)): At<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let bundle = engine.versions().bundle(&task, &name).await?;
    let mut response = download::bundle(&headers, &bundle);
    if let Ok(disposition) = HeaderValue::from_str(&format!("attachment; filename=\"{task}-{name}.zip\"")) {
        response.headers_mut().insert(header::CONTENT_DISPOSITION, disposition);
    }
    Ok(response)
}

/// Which form is wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Format {
    /// The form of the file.
    #[param(required = true)]
    format: ResultFormat,
}

/// The results of a version's last evaluation as a file: each held-out example with the expected answer, the version's
/// answer, its score and its confidence (CSV, JSON lines), or a report as one HTML file.
#[utoipa::path(get, path = "/versions/{task}/{name}/results", tag = "versions", extensions(("x-role" = json!("viewer"))),
    params(("task" = String, Path), ("name" = String, Path), Format),
    responses((status = 200, content((String = "text/csv"), (String = "application/jsonl"), (String = "text/html"))),
        (status = 404, body = Problem), (status = 409, body = Problem, description = "it was not evaluated")))]
async fn version_results(
    Acting(engine): Acting,
    At((task, name)): At<(String, String)>,
    Params(Format { format }): Params<Format>,
) -> Result<Response, Problem> {
    let results = engine.versions().results(&task, &name, format).await?;
    let kind = match format {
        ResultFormat::Csv => "text/csv; charset=utf-8",
        ResultFormat::Jsonl => "application/jsonl",
        ResultFormat::Html => "text/html; charset=utf-8",
    };
    let file = format!("attachment; filename=\"{task}-{name}-results.{}\"", format.name());
    Ok(([(header::CONTENT_TYPE, kind.to_owned()), (header::CONTENT_DISPOSITION, file)], results).into_response())
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

/// Queues a new evaluation of a version on its held-out examples.
#[utoipa::path(post, path = "/versions/{task}/{name}/evaluate", tag = "versions",
    extensions(("x-role" = json!("trainer"))), params(("task" = String, Path), ("name" = String, Path)),
    responses((status = 202, body = EvaluationBegun), (status = 404, body = Problem)))]
async fn evaluate_version(
    Acting(engine): Acting,
    At((task, name)): At<(String, String)>,
) -> Result<Accepted<EvaluationBegun>, Problem> {
    let request = EvaluationRequest { task, version: name, score_base: false };
    let (run, begun) = engine.runs().submit_evaluation(&request).await?;
    Ok(Accepted(EvaluationBegun { task: request.task, version: request.version, begun, run: run.id }))
}

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list_versions))
        .routes(routes!(show_version, delete_version))
        .routes(routes!(activate_version))
        .routes(routes!(add_contestant))
        .routes(routes!(set_stage))
        .routes(routes!(download_version))
        .routes(routes!(version_results))
        .routes(routes!(evaluate_version))
}
