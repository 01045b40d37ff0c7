//! The embedded page: `ui/dist` as built, or a text that says how to build it.

use axum::{
    http::{Method, Uri, header},
    response::{Html, IntoResponse, Response},
};
use rust_embed::{Embed, EmbeddedFile};

use crate::problem::{Kind, Problem};

/// In debug builds the files are read from the disk, so a page that was built again is seen at once.
#[derive(Embed)]
#[folder = "../../ui/dist"]
#[allow_missing = true]
struct Files;

const MISSING: &str = include_str!("missing_page.html");

/// Whether the page was built.
#[must_use]
pub fn is_built() -> bool {
    Files::get("index.html").is_some()
}

/// A file of the page, or `index.html` for the paths that the page itself knows.
pub(crate) async fn serve(method: Method, uri: Uri) -> Response {
    let path = uri.path().trim_start_matches('/');
    if !matches!(method, Method::GET | Method::HEAD) || ["api/", "v1/"].iter().any(|api| path.starts_with(api)) {
        return Problem::new(Kind::NotFound, format!("there is nothing at `{}`", uri.path()))
            .with_hint("`/openapi.json` lists all paths")
            .into_response();
    }
    if let Some(file) = Files::get(path) {
        return reply(path, file);
    }
    // A file that is missing is no page; a name with a dot elsewhere may be that of a run.
    if path.starts_with("assets/") {
        return Problem::new(Kind::NotFound, format!("there is no file `{}`", uri.path())).into_response();
    }
    match Files::get("index.html") {
        Some(index) => reply("index.html", index),
        None => Html(MISSING).into_response(),
    }
}

fn reply(path: &str, file: EmbeddedFile) -> Response {
    // Names of built assets hold their digest, so what is behind a name never changes.
    let lasting = path.starts_with("assets/");
    let cache = if lasting { "public, max-age=31536000, immutable" } else { "no-cache" };
    let kind = file.metadata.mimetype();
    let charset = if kind.starts_with("text/") { "; charset=utf-8" } else { "" };
    let headers = [(header::CONTENT_TYPE, format!("{kind}{charset}")), (header::CACHE_CONTROL, cache.to_owned())];
    (headers, file.data).into_response()
}
