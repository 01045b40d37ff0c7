//! `/bases`: base models on this machine, and downloads.

use std::collections::BTreeMap;

use axum::extract::State;
use graft_engine::{BaseInfo, Engine, InstalledBase, RunDownload};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    extract::{Accepted, Acting, Body, Params, Reply},
    problem::{Kind, Problem},
    pulls::{PullState, PullView},
    state::AppState,
    work,
};

/// Base models.
#[derive(Debug, Serialize, ToSchema)]
pub struct BaseList {
    /// Those that were pulled or added, that Graft knows, or that are being downloaded, by name.
    bases: Vec<ListedBase>,
}

/// A base model.
#[derive(Debug, Serialize, ToSchema)]
pub struct ListedBase {
    /// As users type it.
    name: String,
    /// Whether all its files are on this machine.
    present: bool,
    /// Size of its files in bytes; 0 where there are none.
    bytes: u64,
    /// Folder or GGUF file.
    path: Option<String>,
    /// Where the files came from: `cache`, `downloaded`, `pypi` or `path`.
    source: Option<String>,
    /// Where the terms are that people must accept before they download it.
    terms: Option<&'static str>,
    /// Its download by this server or by a run, if there was one.
    pull: Option<PullView>,
}

/// A base model's name: built in, a Hub id (`org/name`, `org/name@revision`, `org/name:file.gguf`).
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PullOf {
    /// The name.
    name: String,
    /// Whether the caller accepts the model's `terms`, where it has some.
    #[serde(default)]
    terms_accepted: bool,
}

/// Which download.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CancelOf {
    /// The base model's name.
    name: String,
}

/// Which base model.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Named {
    /// Its name.
    name: String,
}

/// A download that was started or stopped.
#[derive(Debug, Serialize, ToSchema)]
pub struct OnePull {
    /// As it is now.
    pull: PullView,
}

/// What there is to know about a base model.
#[derive(Debug, Serialize, ToSchema)]
pub struct BaseDetail {
    /// As users type it.
    name: String,
    /// Folder or GGUF file.
    path: String,
    /// Digest of weights, tokenizer and chat template.
    digest: String,
    /// Size of the files in bytes.
    bytes: u64,
    /// Its architecture.
    architecture: String,
    /// Sizes and constants.
    #[schema(value_type = Object)]
    config: Value,
    /// Whether it has a chat template.
    chat_template: bool,
    /// Names that LoRA's targets may use.
    targets: Vec<String>,
}

/// What was removed.
#[derive(Debug, Serialize, ToSchema)]
pub struct RemovedBase {
    /// Names that were removed.
    names: Vec<String>,
    /// Files that were deleted.
    deleted: usize,
    /// Bytes that are free now.
    freed_bytes: u64,
    /// Files that were kept because something else uses them.
    kept: usize,
}

/// Lists the base models on this machine, and the downloads with their progress.
#[utoipa::path(get, path = "/bases", tag = "bases", extensions(("x-role" = json!("viewer"))),
    responses((status = 200, body = BaseList)))]
async fn list_bases(State(state): State<AppState>, Acting(engine): Acting) -> Result<Reply<BaseList>, Problem> {
    let listing = engine.clone();
    let installed = work::apart(move || async move { listing.bases().list() }).await??;
    let mut pulls = pulls(&state, &engine).await?;
    let mut bases: Vec<ListedBase> = installed
        .into_iter()
        .map(|InstalledBase { name, resolved, bytes, present }| ListedBase {
            present,
            bytes,
            path: Some(resolved.path.display().to_string()),
            source: Some(format!("{:?}", resolved.source).to_lowercase()),
            terms: engine.bases().terms(&name),
            pull: pulls.remove(&name),
            name,
        })
        .collect();
    let known = |bases: &[ListedBase], name: &str| {
        // What is built in is recorded with its source: `smollm2-135m@hub`.
        let is_source = |rest: &str| rest.is_empty() || rest.starts_with('@');
        bases.iter().any(|base| base.name.strip_prefix(name).is_some_and(is_source))
    };
    let absent = |name: &str, pull| ListedBase {
        name: name.to_owned(),
        present: false,
        bytes: 0,
        path: None,
        source: None,
        terms: engine.bases().terms(name),
        pull,
    };
    for (name, pull) in pulls {
        // Of what was pulled, its own row says that it is here.
        if pull.state != PullState::Done || !known(&bases, &name) {
            bases.push(absent(&name, Some(pull)));
        }
    }
    for name in engine.bases().built_in() {
        if !known(&bases, name) {
            bases.push(absent(name, None));
        }
    }
    bases.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(Reply(BaseList { bases }))
}

/// The downloads by this server and by runs, by name.
async fn pulls(state: &AppState, engine: &Engine) -> Result<BTreeMap<String, PullView>, Problem> {
    let mut pulls = state.pulls.list();
    for download in engine.runs().downloads().await? {
        // A person's download by this server has its own progress.
        if pulls.get(&download.base).is_none_or(|pull| pull.state != PullState::Running) {
            pulls.insert(download.base.clone(), download.into());
        }
    }
    Ok(pulls)
}

/// Whether a base model is on this machine.
#[derive(Debug, Serialize, ToSchema)]
pub struct BaseState {
    /// As users type it.
    name: String,
    /// Whether its files are on this machine; those of others can be downloaded.
    present: bool,
    /// Where the terms are that people must accept before they download it.
    terms: Option<&'static str>,
    /// Its download by this server or by a run, if there was one.
    pull: Option<PullView>,
}

/// Whether a base model is on this machine, or can be downloaded.
#[utoipa::path(get, path = "/bases/state", tag = "bases", extensions(("x-role" = json!("viewer"))), params(Named),
    responses((status = 200, body = BaseState), (status = 422, body = Problem)))]
async fn base_state(
    State(state): State<AppState>,
    Acting(engine): Acting,
    Params(named): Params<Named>,
) -> Result<Reply<BaseState>, Problem> {
    let name = engine.bases().parse(named.name.trim())?;
    let present = engine.bases().is_here(&name).await?;
    let (terms, pull) = (engine.bases().terms(&name), pulls(&state, &engine).await?.remove(&name));
    Ok(Reply(BaseState { name, present, terms, pull }))
}

/// Downloads a missing base model in the background; continues an earlier download.
#[utoipa::path(post, path = "/bases", tag = "bases", extensions(("x-role" = json!("trainer"))),
    request_body = PullOf,
    responses((status = 202, body = OnePull), (status = 422, body = Problem)))]
async fn pull_base(
    State(state): State<AppState>,
    Acting(engine): Acting,
    Body(body): Body<PullOf>,
) -> Result<Accepted<OnePull>, Problem> {
    let name = body.name.trim();
    if name.is_empty() || name.starts_with(['/', '.', '~']) {
        return Err(Problem::field("name", "it is a built-in name or a Hub id such as `org/name`"));
    }
    let name = engine.bases().parse(name)?;
    if let Some(download) = by_a_run(&engine, &name).await? {
        return Ok(Accepted(OnePull { pull: download.into() }));
    }
    Ok(Accepted(OnePull { pull: state.pulls.begin(engine, name, body.terms_accepted)? }))
}

/// Stops a download; downloaded parts are kept, and the next download continues.
#[utoipa::path(post, path = "/bases/cancel", tag = "bases", extensions(("x-role" = json!("trainer"))),
    request_body = CancelOf,
    responses((status = 202, body = OnePull), (status = 404, body = Problem),
        (status = 409, body = Problem, description = "a run downloads it")))]
async fn cancel_pull(
    State(state): State<AppState>,
    Acting(engine): Acting,
    Body(body): Body<CancelOf>,
) -> Result<Accepted<OnePull>, Problem> {
    if let Some(pull) = state.pulls.cancel(&body.name) {
        return Ok(Accepted(OnePull { pull }));
    }
    Err(match by_a_run(&engine, &body.name).await? {
        Some(RunDownload { run, .. }) => Problem::new(Kind::Conflict, format!("run `{run}` downloads `{}`", body.name))
            .with_hint(format!("cancel the run: `POST /api/v1/runs/{run}/cancel`")),
        None => Problem::new(Kind::NotFound, format!("`{}` is not being downloaded", body.name)),
    })
}

/// The download of a base model by a run.
async fn by_a_run(engine: &Engine, name: &str) -> Result<Option<RunDownload>, Problem> {
    Ok(engine.runs().downloads().await?.into_iter().find(|download| download.base == name))
}

/// Details of a base model on this machine.
#[utoipa::path(get, path = "/bases/info", tag = "bases", extensions(("x-role" = json!("viewer"))), params(Named),
    responses((status = 200, body = BaseDetail), (status = 422, body = Problem)))]
async fn show_base(Acting(engine): Acting, Params(named): Params<Named>) -> Result<Reply<BaseDetail>, Problem> {
    let found = work::apart(move || async move { engine.bases().info(&named.name).await }).await??;
    let BaseInfo { name, path, digest, bytes, architecture, config, chat_template, targets, .. } = found;
    let architecture = architecture.to_owned();
    Ok(Reply(BaseDetail { name, path, digest, bytes, architecture, config, chat_template, targets }))
}

/// Removes a base model, and deletes the files that Graft downloaded only for it.
#[utoipa::path(delete, path = "/bases", tag = "bases", extensions(("x-role" = json!("admin"))), params(Named),
    responses((status = 200, body = RemovedBase), (status = 422, body = Problem)))]
async fn remove_base(
    State(state): State<AppState>,
    Acting(engine): Acting,
    Params(named): Params<Named>,
) -> Result<Reply<RemovedBase>, Problem> {
    state.pulls.cancel(&named.name);
    let removed = engine.bases().remove(&named.name).await?;
    state.pulls.forget(&named.name);
    let (deleted, kept) = (removed.deleted.len(), removed.kept.len());
    Ok(Reply(RemovedBase { names: removed.names, deleted, freed_bytes: removed.freed_bytes, kept }))
}

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list_bases, pull_base, remove_base))
        .routes(routes!(cancel_pull))
        .routes(routes!(base_state))
        .routes(routes!(show_base))
}
