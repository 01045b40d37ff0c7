//! `/settings`: the Ask AI service's settings with its own field names, and the machine's price.

use axum::{
    extract::State,
    http::HeaderMap,
    response::{IntoResponse, Response},
};
use graft_core::Digest;
use graft_engine::{AskAiChange, AskAiSettings, Rent, SettingProblem};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    advice, etag,
    extract::{Acting, Body, Reply},
    problem::{FieldProblem, Kind, Problem},
    state::AppState,
};

/// Whether settings could be used.
#[derive(Debug, Serialize, ToSchema)]
pub struct SettingsCheck {
    /// Nothing is wrong with them.
    ok: bool,
    /// All that is wrong with them.
    errors: Vec<FieldProblem>,
}

/// The settings, with their `ETag`.
#[utoipa::path(get, path = "/settings", tag = "settings", extensions(("x-role" = json!("viewer"))),
    responses((status = 200, body = AskAiSettings, headers(("ETag" = String)))))]
async fn show_settings(Acting(engine): Acting) -> Result<Response, Problem> {
    let settings = engine.versions().ask_ai_settings().await?;
    Ok(tagged(&settings.digest(), settings))
}

/// Replaces the settings; with `If-Match`, refused if somebody else changed them.
#[utoipa::path(put, path = "/settings", tag = "settings", extensions(("x-role" = json!("admin"))),
    params(("If-Match" = Option<String>, Header)), request_body = AskAiSettings,
    responses((status = 200, body = AskAiSettings), (status = 412, body = Problem), (status = 422, body = Problem)))]
async fn replace_settings(
    State(state): State<AppState>,
    Acting(engine): Acting,
    headers: HeaderMap,
    Body(settings): Body<AskAiSettings>,
) -> Result<Response, Problem> {
    etag::check(&headers, &engine.versions().ask_ai_settings().await?.digest())?;
    refuse(problems(&state, &settings).await?)?;
    let _turn = state.replacing.lock().await;
    etag::check(&headers, &engine.versions().ask_ai_settings().await?.digest())?;
    engine.versions().set_ask_ai(&settings).await?;
    Ok(tagged(&settings.digest(), settings))
}

/// Changes some of the settings; with `If-Match`, refused if somebody else changed them.
#[utoipa::path(patch, path = "/settings", tag = "settings", extensions(("x-role" = json!("admin"))),
    params(("If-Match" = Option<String>, Header)), request_body = AskAiChange,
    responses((status = 200, body = AskAiSettings), (status = 412, body = Problem), (status = 422, body = Problem)))]
async fn change_settings(
    State(state): State<AppState>,
    Acting(engine): Acting,
    headers: HeaderMap,
    Body(change): Body<AskAiChange>,
) -> Result<Response, Problem> {
    // Unchanged fields are part of the change: no other request may set them meanwhile.
    let _turn = state.replacing.lock().await;
    let before = engine.versions().ask_ai_settings().await?;
    etag::check(&headers, &before.digest())?;
    let settings = before.changed(change);
    refuse(problems(&state, &settings).await?)?;
    engine.versions().set_ask_ai(&settings).await?;
    Ok(tagged(&settings.digest(), settings))
}

/// Checks settings without storing them.
#[utoipa::path(post, path = "/settings/validate", tag = "settings", extensions(("x-role" = json!("admin"))),
    request_body = AskAiSettings, responses((status = 200, body = SettingsCheck)))]
async fn validate_settings(
    State(state): State<AppState>,
    Body(settings): Body<AskAiSettings>,
) -> Result<Reply<SettingsCheck>, Problem> {
    let errors = problems(&state, &settings).await?;
    Ok(Reply(SettingsCheck { ok: errors.is_empty(), errors }))
}

/// The machine's price, with its `ETag`.
#[utoipa::path(get, path = "/settings/rent", tag = "settings", extensions(("x-role" = json!("viewer"))),
    responses((status = 200, body = Rent, headers(("ETag" = String)))))]
async fn show_rent(Acting(engine): Acting) -> Result<Response, Problem> {
    let rent = engine.upkeep().rent().await?;
    Ok(tagged(&rent.digest(), rent))
}

/// Replaces the machine's price; with `If-Match`, refused if somebody else changed it.
#[utoipa::path(put, path = "/settings/rent", tag = "settings", extensions(("x-role" = json!("admin"))),
    params(("If-Match" = Option<String>, Header)), request_body = Rent,
    responses((status = 200, body = Rent), (status = 412, body = Problem), (status = 422, body = Problem)))]
async fn replace_rent(
    State(state): State<AppState>,
    Acting(engine): Acting,
    headers: HeaderMap,
    Body(rent): Body<Rent>,
) -> Result<Response, Problem> {
    let _turn = state.replacing.lock().await;
    etag::check(&headers, &engine.upkeep().rent().await?.digest())?;
    refuse(told(rent.problems()))?;
    engine.upkeep().set_rent(&rent).await?;
    Ok(tagged(&rent.digest(), rent))
}

/// All that would be wrong with settings; an adapter that they enable is loaded, and answers once.
async fn problems(state: &AppState, settings: &AskAiSettings) -> Result<Vec<FieldProblem>, Problem> {
    Ok(told(state.serving.check_ask_ai(settings, &state.config.model_roots).await?))
}

fn told(found: Vec<SettingProblem>) -> Vec<FieldProblem> {
    found
        .into_iter()
        .map(|wrong| FieldProblem { field: wrong.field.to_owned(), detail: advice::in_text(&wrong.detail) })
        .collect()
}

/// Refuses settings with anything wrong.
fn refuse(errors: Vec<FieldProblem>) -> Result<(), Problem> {
    let Some(first) = errors.first() else { return Ok(()) };
    let mut problem = Problem::new(Kind::Unprocessable, format!("`{}`: {}", first.field, first.detail));
    problem.errors = errors;
    Err(problem)
}

fn tagged(digest: &Digest, settings: impl Serialize) -> Response {
    (etag::header(digest), Reply(settings)).into_response()
}

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(show_settings, replace_settings, change_settings))
        .routes(routes!(validate_settings))
        .routes(routes!(show_rent, replace_rent))
}
