//! Graft over HTTP: the API, its guards, live events, and the embedded page. A handler parses, makes one engine call, and
//! replies.
//!
//! [`App::new`] creates the parts, [`router`] builds the service, [`serve()`] runs it until it is told to stop. [One
//! guard](guard) surrounds every route, including the page and the streams; each handler declares the role that its
//! operation requires, and [one layer](auth) enforces it.

mod advice;
pub mod agents;
pub mod auth;
mod config;
mod describe;
mod download;
mod error;
mod etag;
pub mod extract;
mod guard;
mod idempotency;
mod imports;
mod live;
pub mod metrics;
mod outage;
mod pace;
pub mod page;
mod presence;
pub mod problem;
pub mod pulls;
pub mod routes;
mod serve;
pub mod state;
mod upload;
mod work;

use std::{sync::OnceLock, time::Duration};

use axum::{
    Router,
    extract::DefaultBodyLimit,
    http::{Extensions, HeaderMap, StatusCode, Version, header},
    middleware::{from_fn, from_fn_with_state},
};
use tower_http::{
    catch_panic::CatchPanicLayer,
    compression::{
        CompressionLayer,
        predicate::{Predicate as _, SizeAbove},
    },
    request_id::{MakeRequestUuid, PropagateRequestIdLayer, SetRequestIdLayer},
    timeout::TimeoutLayer,
};
use utoipa::{OpenApi as _, openapi::OpenApi};
use utoipa_axum::router::OpenApiRouter;

pub use config::ServerConfig;
pub use error::Error;
pub use serve::serve;
pub use state::{App, AppState};

use problem::{Kind, Problem};

/// Largest JSON body, in bytes.
const MAX_BODY: usize = 2 << 20;
/// Longest that a handler works before its answer begins.
const LONGEST: Duration = Duration::from_secs(600);

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Graft",
        description = "Trains small adapters for a frozen language model from approved examples, and serves them. Errors are \
                       `application/problem+json` (RFC 9457). `x-role` names the role that an operation requires.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    components(schemas(
        problem::Problem,
        graft_engine::Comparison,
        graft_engine::ResultFormat,
        graft_engine::records::LogStream,
        graft_engine::records::Kind,
        graft_engine::records::Order,
        graft_engine::records::ReviewFilter,
        routes::changes::ChangeOrder,
        routes::openai::OpenAiError
    ))
)]
struct Description;

/// All routes with their description.
fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::with_openapi(Description::openapi())
        .merge(routes::health::router())
        .nest("/api/v1", routes::api())
        .nest("/v1", routes::openai::router())
}

/// What an agent answers: the same operations, as far as they ask versions.
fn answers() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .merge(routes::health::router())
        .nest("/api/v1", routes::infer::router())
        .nest("/v1", routes::openai::router())
}

/// What an agent says of everything else.
async fn only_answers() -> Problem {
    Problem::new(Kind::NotFound, "an agent only answers").with_hint("the server that it syncs with has the rest")
}

/// The API's description (OpenAPI 3.1).
#[must_use]
pub fn openapi() -> OpenApi {
    describe::whole(routes().into_openapi())
}

/// The API's description as it is committed: JSON, indented, with a line's end.
#[must_use]
pub fn openapi_json() -> &'static str {
    static TEXT: OnceLock<String> = OnceLock::new();
    TEXT.get_or_init(|| describe::json(&openapi()).unwrap_or_default())
}

/// Texts. Events must come as they happen, and what is packed already doesn't get smaller.
fn worth_compressing(_: StatusCode, _: Version, headers: &HeaderMap, _: &Extensions) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let text = kind.starts_with("text/") || kind.starts_with("application/json") || kind == "image/svg+xml";
    text && !kind.starts_with("text/event-stream")
}

/// The whole service: routes, page, and the layers around them, outermost last.
pub fn router(state: AppState) -> Router {
    let routes = match state.config.answers_only {
        true => answers().split_for_parts().0.fallback(only_answers),
        false => routes().split_for_parts().0.fallback(page::serve),
    };
    routes
        .method_not_allowed_fallback(problem::method_not_allowed)
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(from_fn_with_state(state.clone(), idempotency::idempotent))
        .layer(from_fn_with_state(state.clone(), auth::authorize))
        .layer(from_fn_with_state(state.clone(), guard::guard))
        .layer(from_fn_with_state(state.clone(), metrics::observe))
        .layer(from_fn_with_state(state.clone(), pace::paced))
        .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, LONGEST))
        .layer(CatchPanicLayer::custom(problem::of_panic))
        .layer(from_fn(problem::in_form))
        .layer(PropagateRequestIdLayer::x_request_id())
        .layer(SetRequestIdLayer::x_request_id(MakeRequestUuid))
        .layer(CompressionLayer::new().compress_when(SizeAbove::new(1024).and(worth_compressing)))
        .with_state(state)
}
