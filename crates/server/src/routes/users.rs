//! `/users`: users who may log in.

use axum::extract::State;
use graft_engine::records::User;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    auth::Role,
    extract::{Acting, At, Body, Reply},
    problem::Problem,
    state::AppState,
};

/// Lists the users who may log in.
#[derive(Debug, Serialize, ToSchema)]
pub struct UserList {
    /// By name.
    users: Vec<User>,
    /// How many.
    total: u64,
}

/// A user to add, or to change.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewUser {
    /// 1 to 100 letters, digits, dots, dashes or underscores.
    name: String,
    /// The role.
    role: Role,
    /// 10 characters at least.
    #[schema(min_length = 10, max_length = 1024, format = Password)]
    password: String,
}

/// One user.
#[derive(Debug, Serialize, ToSchema)]
pub struct OneUser {
    user: User,
}

/// Lists the users who may log in.
#[utoipa::path(get, path = "/users", tag = "people", extensions(("x-role" = json!("admin"))),
    responses((status = 200, body = UserList)))]
async fn list_users(Acting(engine): Acting) -> Result<Reply<UserList>, Problem> {
    let users = engine.people().users().await?;
    Ok(Reply(UserList { total: users.len() as u64, users }))
}

/// Adds a user, or changes a user's role and password, which ends their sessions. There must always be an administrator
/// (409); the first user makes logins mandatory.
#[utoipa::path(post, path = "/users", tag = "people", extensions(("x-role" = json!("admin"))),
    request_body = NewUser,
    responses((status = 200, body = OneUser), (status = 409, body = Problem), (status = 422, body = Problem)))]
async fn set_user(
    State(state): State<AppState>,
    Acting(engine): Acting,
    Body(new): Body<NewUser>,
) -> Result<Reply<OneUser>, Problem> {
    let user = crate::auth::people::set_user(&engine, state.auth.admins(), &new.name, new.role, &new.password).await?;
    state.auth.refresh(&engine).await?;
    Ok(Reply(OneUser { user }))
}

/// Removes a user and ends their sessions; the last administrator is kept while others may log in (409).
#[utoipa::path(delete, path = "/users/{name}", tag = "people", extensions(("x-role" = json!("admin"))),
    params(("name" = String, Path)),
    responses((status = 200, body = OneUser), (status = 404, body = Problem), (status = 409, body = Problem)))]
async fn remove_user(
    State(state): State<AppState>,
    Acting(engine): Acting,
    At(name): At<String>,
) -> Result<Reply<OneUser>, Problem> {
    let user = engine.people().remove_user(&name, state.auth.admins()).await?;
    state.auth.refresh(&engine).await?;
    Ok(Reply(OneUser { user }))
}

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list_users, set_user)).routes(routes!(remove_user))
}
