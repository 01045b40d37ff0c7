//! `/session`: the current user; log in, log out.

use axum::{
    Extension,
    extract::State,
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    auth::{self, Role, Who},
    extract::{Body, Reply},
    problem::Problem,
    state::AppState,
};

/// Who is asking.
#[derive(Debug, Serialize, ToSchema)]
pub struct SessionView {
    /// The user's name; null if not logged in.
    user: Option<String>,
    /// The role.
    role: Option<Role>,
    /// With a review link: the task whose examples are all that they reach.
    task: Option<String>,
    /// Whether one must log in.
    auth_required: bool,
    /// Every role, from the least to the most.
    roles: &'static [Role],
}

/// The credential of a login: `user` and `password`, or `token` (one of `/tokens`, or that of the first start).
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Login {
    /// Name; `admin` otherwise.
    #[serde(default)]
    user: Option<String>,
    /// Password.
    #[serde(default)]
    #[schema(format = Password)]
    password: Option<String>,
    /// A token instead.
    #[serde(default)]
    #[schema(format = Password)]
    token: Option<String>,
}

/// The current user, and whether a login is required.
#[utoipa::path(get, path = "/session", tag = "people", extensions(("x-role" = json!("public"))),
    responses((status = 200, body = SessionView)))]
async fn show_session(State(state): State<AppState>, who: Option<Extension<Who>>) -> Reply<SessionView> {
    Reply(view(&state, who.map(|Extension(who)| who)))
}

/// Logs in: a cookie that scripts can't read, for this site only.
#[utoipa::path(post, path = "/session", tag = "people", extensions(("x-role" = json!("public"))),
    request_body = Login,
    responses((status = 200, body = SessionView), (status = 401, body = Problem), (status = 429, body = Problem)))]
async fn log_in(
    State(state): State<AppState>,
    peer: Option<Extension<auth::Peer>>,
    Body(login): Body<Login>,
) -> Result<Response, Problem> {
    let peer = peer.map(|Extension(peer)| peer).unwrap_or_default();
    let login = match (&login.token, &login.password) {
        (Some(token), None) => state.auth.by_token(&state.engine, token, peer).await?,
        (None, Some(password)) => {
            let user = login.user.as_deref().unwrap_or("admin");
            state.auth.by_password(&state.engine, user, password, peer).await?
        }
        _ => return Err(Problem::field("password", "give either `password` or `token`")),
    };
    let cookie = state.auth.open_session(&state.engine, &login).await?;
    Ok(([(header::SET_COOKIE, cookie)], Reply(view(&state, Some(login.who)))).into_response())
}

/// Logs out.
#[utoipa::path(delete, path = "/session", tag = "people", extensions(("x-role" = json!("public"))),
    responses((status = 200, body = SessionView)))]
async fn log_out(State(state): State<AppState>, headers: HeaderMap) -> Result<Response, Problem> {
    let cookie = state.auth.close_session(&state.engine, &headers).await?;
    Ok(([(header::SET_COOKIE, cookie)], Reply(view(&state, None))).into_response())
}

fn view(state: &AppState, who: Option<Who>) -> SessionView {
    let who = who.or_else(|| state.auth.anonymous());
    let task = who.as_ref().and_then(|who| who.task.clone());
    let (user, role) = who.map(|who| (who.name, who.role)).unzip();
    SessionView { user, role, task, auth_required: state.auth.required(), roles: Role::ALL }
}

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(show_session, log_in, log_out))
}
