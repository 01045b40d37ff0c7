//! `/tables`: weights, food classes and places that people edit.

use axum::{
    extract::State,
    http::HeaderMap,
    response::{IntoResponse, Response},
};
use graft_engine::{TableText, Tables};
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    etag,
    extract::{Acting, Body, Reply},
    problem::Problem,
    state::AppState,
    work,
};

/// New tables, in one of two forms.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewTables {
    /// As `tables.toml`, which is kept as it is written.
    toml: Option<String>,
    /// As entries, from which the file is rewritten without comments.
    own: Option<Tables>,
}

fn tagged(tables: TableText) -> Response {
    (etag::header(&tables.digest), Reply(tables)).into_response()
}

/// The tables, with their `ETag`.
#[utoipa::path(get, path = "/tables", tag = "settings", extensions(("x-role" = json!("viewer"))),
    responses((status = 200, body = TableText, headers(("ETag" = String)))))]
async fn show_tables(Acting(engine): Acting) -> Result<Response, Problem> {
    Ok(tagged(work::apart(move || async move { engine.examples().tables() }).await??))
}

/// Replaces the tables; with `If-Match`, refused if somebody else changed them.
#[utoipa::path(put, path = "/tables", tag = "settings", extensions(("x-role" = json!("admin"))),
    params(("If-Match" = Option<String>, Header)), request_body = NewTables,
    responses((status = 200, body = TableText), (status = 412, body = Problem), (status = 422, body = Problem)))]
async fn replace_tables(
    State(state): State<AppState>,
    Acting(engine): Acting,
    headers: HeaderMap,
    Body(new): Body<NewTables>,
) -> Result<Response, Problem> {
    let text = match (new.toml, new.own) {
        (Some(text), None) => text,
        (None, Some(own)) => own.to_toml().map_err(graft_engine::Error::from)?,
        _ => return Err(Problem::field("toml", "either `toml` or `own`")),
    };
    let replace = move || async move {
        let _turn = state.replacing.lock().await;
        // A damaged file has no tag and may be replaced without one.
        if let Ok(now) = engine.examples().tables() {
            etag::check(&headers, &now.digest)?;
        }
        Ok::<_, Problem>(engine.examples().set_tables(&text).await?)
    };
    Ok(tagged(work::apart(replace).await??))
}

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(show_tables, replace_tables))
}
