//! `Idempotency-Key`: a request that is sent again is answered again, and done once.

use axum::{
    body::{Body, to_bytes},
    extract::{MatchedPath, Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use graft_core::Digest;
use graft_engine::now;
use graft_store::{Answered, Asked};

use crate::{
    auth::Who,
    extract::is_json,
    problem::{Kind, Problem},
    state::AppState,
};

/// Largest body, and largest reply, of a request with a key.
const MAX_BODY: usize = 2 << 20;
/// Milliseconds that an answer is kept.
const KEPT: i64 = 24 * 3_600_000;
/// Whose requests hold passwords: nothing of them is kept, not even a digest. To repeat them does no harm.
const OF_PASSWORDS: [&str; 2] = ["/api/v1/session", "/api/v1/users"];

/// Marks an answer with a secret that is shown this once: it is not kept.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ShownOnce;

/// Answers a `POST` with a key that was answered before as it was then.
pub(crate) async fn idempotent(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let headers = request.headers();
    let key = key(headers).map(str::to_owned);
    let of_json = !headers.contains_key(header::CONTENT_TYPE) || is_json(headers);
    let path = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str);
    let matched = path.starts_with("/api/") && !OF_PASSWORDS.contains(&path);
    match key {
        Some(key) if request.method() == Method::POST && of_json && matched => {
            once(&state, &key, request, next).await.unwrap_or_else(IntoResponse::into_response)
        }
        _ => next.run(request).await,
    }
}

/// The key of a request.
pub(crate) fn key(headers: &HeaderMap) -> Option<&str> {
    Some(headers.get("idempotency-key")?.to_str().unwrap_or_default())
}

async fn once(state: &AppState, key: &str, request: Request, next: Next) -> Result<Response, Problem> {
    if key.is_empty() || key.len() > 200 {
        return Err(Problem::new(Kind::BadRequest, "`Idempotency-Key` is a text of 1 to 200 characters"));
    }
    let who = request.extensions().get::<Who>().map(|who| who.name.clone()).unwrap_or_default();
    let route = format!("POST {}", request.uri());
    let (parts, body) = request.into_parts();
    let bytes = to_bytes(body, MAX_BODY).await;
    let bytes = bytes.map_err(|_| Problem::new(Kind::TooLarge, "the body is longer than this path takes"))?;
    let digest = Digest::of(&bytes);
    let engine = &state.engine;
    let asked = Asked { who: &who, route: &route, key, digest: &digest, by: engine.process() };
    let gone = |process: &str| engine.is_gone(process);
    match engine.store.begin_request(asked, &gone, now(), now() + KEPT).await? {
        Answered::Yes { status, reply } => return Ok(replay(status, reply)),
        Answered::Soon => {
            return Err(Problem::new(Kind::Conflict, "a request with this key is being answered at this moment")
                .with_hint("wait a moment, then repeat"));
        }
        Answered::No => {}
    }
    let response = next.run(Request::from_parts(parts, Body::from(bytes))).await;
    let (parts, body) = response.into_parts();
    let reply = to_bytes(body, MAX_BODY).await.unwrap_or_default();
    let text = std::str::from_utf8(&reply).ok();
    // What failed for a reason of the server's may succeed the next time.
    let lasting = !parts.status.is_server_error() && parts.status != StatusCode::TOO_MANY_REQUESTS;
    let once = parts.extensions.get::<ShownOnce>().map(|_| shown_once());
    let answer = match &once {
        Some((status, told)) => Some((*status, told.as_str())),
        None => text.filter(|_| lasting).map(|text| (parts.status.as_u16(), text)),
    };
    engine.store.end_request(asked, answer).await?;
    Ok(Response::from_parts(parts, Body::from(reply)))
}

/// What is kept instead of an answer with a secret.
fn shown_once() -> (u16, String) {
    let problem = Problem::new(Kind::Conflict, "the request was done; its answer held a secret, which is not kept")
        .with_hint("if the secret is lost, remove what was made, and make another with a new key");
    (problem.status, serde_json::to_string(&problem).unwrap_or_default())
}

fn replay(status: u16, reply: String) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    let error = status.is_client_error() || status.is_server_error();
    let kind = if error { "application/problem+json" } else { "application/json" };
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(kind)),
        (header::HeaderName::from_static("idempotency-replayed"), HeaderValue::from_static("true")),
    ];
    (status, headers, reply).into_response()
}
