//! `/tokens`: API tokens for programs.

use axum::{Extension, extract::State};
use graft_engine::records::Token;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    auth::Role,
    extract::{Acting, At, Body, Reply},
    idempotency::ShownOnce,
    problem::Problem,
    state::AppState,
};

/// The tokens there are.
#[derive(Debug, Serialize, ToSchema)]
pub struct TokenList {
    /// Oldest first.
    tokens: Vec<Token>,
    /// How many.
    total: u64,
}

/// A token to create.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewToken {
    /// What it is for.
    label: String,
    /// Its role.
    role: Role,
    /// Days until it expires. Default: never.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 3650)]
    days: Option<u32>,
}

/// A new token.
#[derive(Debug, Serialize, ToSchema)]
pub struct MadeToken {
    /// What is known of it.
    token: Token,
    /// The token; it is shown only once.
    secret: String,
}

/// A review link to create.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewLink {
    /// Whom it is for; their decisions are recorded under this name.
    person: String,
    /// The task whose examples they review.
    task: String,
    /// Days until it expires. Default: 14.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 3650)]
    days: Option<u32>,
}

/// A new review link.
#[derive(Debug, Serialize, ToSchema)]
pub struct MadeLink {
    /// What is known of its token. Revoke it to end the link.
    token: Token,
    /// The address below the server's own; it is shown only once.
    path: String,
}

/// A revoked token.
#[derive(Debug, Serialize, ToSchema)]
pub struct GoneToken {
    /// What was known of it.
    token: Token,
}

/// Lists the tokens, without their secrets.
#[utoipa::path(get, path = "/tokens", tag = "people", extensions(("x-role" = json!("admin"))),
    responses((status = 200, body = TokenList)))]
async fn list_tokens(Acting(engine): Acting) -> Result<Reply<TokenList>, Problem> {
    let tokens = engine.people().tokens().await?;
    Ok(Reply(TokenList { total: tokens.len() as u64, tokens }))
}

/// Creates a token; its secret is shown only once. The first token makes logins mandatory, so it must be an administrator's
/// without an expiry date, unless an administrator can log in otherwise (409).
#[utoipa::path(post, path = "/tokens", tag = "people", extensions(("x-role" = json!("admin"))),
    request_body = NewToken,
    responses((status = 200, body = MadeToken), (status = 409, body = Problem), (status = 422, body = Problem)))]
async fn make_token(
    State(state): State<AppState>,
    Acting(engine): Acting,
    Body(new): Body<NewToken>,
) -> Result<(Extension<ShownOnce>, Reply<MadeToken>), Problem> {
    let (token, secret) =
        crate::auth::people::make_token(&engine, state.auth.admins(), &new.label, new.role, new.days).await?;
    state.auth.refresh(&engine).await?;
    Ok((Extension(ShownOnce), Reply(MadeToken { token, secret })))
}

/// Creates a review link: whoever opens it reviews the examples of one task, and reaches nothing else.
#[utoipa::path(post, path = "/tokens/links", tag = "people", extensions(("x-role" = json!("admin"))),
    request_body = NewLink,
    responses((status = 200, body = MadeLink), (status = 404, body = Problem), (status = 409, body = Problem),
        (status = 422, body = Problem)))]
async fn make_link(
    State(state): State<AppState>,
    Acting(engine): Acting,
    Body(new): Body<NewLink>,
) -> Result<(Extension<ShownOnce>, Reply<MadeLink>), Problem> {
    let (token, path) =
        crate::auth::people::make_link(&engine, state.auth.admins(), &new.person, &new.task, new.days).await?;
    state.auth.refresh(&engine).await?;
    Ok((Extension(ShownOnce), Reply(MadeLink { token, path })))
}

/// Revokes a token; the last administrator's is kept while others may log in (409).
#[utoipa::path(delete, path = "/tokens/{id}", tag = "people", extensions(("x-role" = json!("admin"))),
    params(("id" = String, Path)),
    responses((status = 200, body = GoneToken), (status = 404, body = Problem), (status = 409, body = Problem)))]
async fn remove_token(
    State(state): State<AppState>,
    Acting(engine): Acting,
    At(id): At<String>,
) -> Result<Reply<GoneToken>, Problem> {
    let token = engine.people().remove_token(&id, state.auth.admins()).await?;
    state.auth.refresh(&engine).await?;
    Ok(Reply(GoneToken { token }))
}

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list_tokens, make_token))
        .routes(routes!(make_link))
        .routes(routes!(remove_token))
}
