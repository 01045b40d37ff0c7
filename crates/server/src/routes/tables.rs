//! `/tables`: weights, food classes and places that people edit.

use std::collections::BTreeMap;

use axum::{
    extract::State,
    http::HeaderMap,
    response::{IntoResponse, Response},
};
use graft_engine::TableText;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    etag,
    extract::{Acting, Body, Reply},
    problem::Problem,
    state::AppState,
};

/// The tables, as a file and as they are used.
#[derive(Debug, Serialize, ToSchema)]
pub struct TablesReply {
    /// The text that people edit; it is put over the built-in tables.
    toml: String,
    /// Its entries.
    #[schema(value_type = Tables)]
    own: Value,
    /// What Graft comes with.
    #[schema(value_type = Tables)]
    builtin: Value,
    /// What is in force: the file's entries put over the built-in ones.
    #[schema(value_type = Tables)]
    parsed: Value,
}

/// Everything about weights, foods and places.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Tables {
    /// Pounds of one unit; `each` is an item without a unit.
    pub pounds: BTreeMap<String, f64>,
    /// Overrides for all items of a subcategory: class, then unit.
    pub classes: BTreeMap<String, BTreeMap<String, f64>>,
    /// Overrides for one item: name, then unit.
    pub items: BTreeMap<String, BTreeMap<String, f64>>,
    /// Words that tell an item's subcategory.
    pub foods: BTreeMap<String, Vec<String>>,
    /// Other names of places.
    pub locations: BTreeMap<String, Vec<String>>,
}

/// New tables, in one of two forms.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewTables {
    /// As `tables.toml`, which is kept as it is written.
    toml: Option<String>,
    /// As entries, from which the file is written anew, without comments.
    #[schema(value_type = Option<Tables>)]
    own: Option<graft_engine::Tables>,
}

/// The tables, with their `ETag`.
#[utoipa::path(get, path = "/tables", tag = "settings", extensions(("x-role" = json!("viewer"))),
    responses((status = 200, body = TablesReply, headers(("ETag" = String)))))]
async fn show_tables(Acting(engine): Acting) -> Result<Response, Problem> {
    Ok(tagged(engine.tables_text()?))
}

/// Replaces the tables; `If-Match` refuses where somebody else changed them.
#[utoipa::path(put, path = "/tables", tag = "settings", extensions(("x-role" = json!("admin"))),
    params(("If-Match" = Option<String>, Header)), request_body = NewTables,
    responses((status = 200, body = TablesReply), (status = 412, body = Problem), (status = 422, body = Problem)))]
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
    let _turn = state.replacing.lock().await;
    // A damaged file has no tag, and may be replaced by whoever asks.
    if let Ok(now) = engine.tables_text() {
        etag::check(&headers, &now.digest)?;
    }
    Ok(tagged(engine.set_tables(&text).await?))
}

fn tagged(tables: TableText) -> Response {
    let tag = etag::header(&tables.digest);
    let [own, builtin, parsed] = [tables.own, tables.builtin, tables.parsed].map(|tables| json!(tables));
    (tag, Reply(TablesReply { toml: tables.toml, own, builtin, parsed })).into_response()
}

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(show_tables, replace_tables))
}
