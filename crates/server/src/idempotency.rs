//! `Idempotency-Key`: a repeated request gets the same response and is executed once.

use axum::{
    body::{Body, to_bytes},
    extract::{MatchedPath, Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use graft_core::{Digest, json};
use graft_engine::{
    Engine,
    records::{KeyedRequest, KeyedState},
};
use tokio::{
    select,
    time::{Duration, Instant, interval_at},
};
use tracing::Instrument as _;

use crate::{
    auth::Who,
    extract::is_json,
    problem::{Kind, Problem, of_panic},
    state::AppState,
};

/// Largest body, and largest reply, of a request with a key.
const MAX_BODY: usize = 2 << 20;
/// Milliseconds that an answer is kept.
const KEPT: i64 = 24 * 3_600_000;
/// How often the claim on a request in progress is renewed in the database.
const RENEWED: Duration = Duration::from_secs(15);
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
        return Err(Problem::new(Kind::BadRequest, "`Idempotency-Key` must have 1 to 200 characters"));
    }
    let who = request.extensions().get::<Who>().map(|who| who.name.clone()).unwrap_or_default();
    let route = format!("POST {}", request.uri());
    let (parts, body) = request.into_parts();
    let bytes = to_bytes(body, MAX_BODY).await;
    let bytes = bytes.map_err(|_| Problem::new(Kind::TooLarge, "the body is longer than this path allows"))?;
    let job = Job { engine: state.engine.clone(), who, route, key: key.to_owned(), digest: Digest::of(&bytes) };
    match state.engine.people().begin_request(job.keyed(), KEPT).await? {
        KeyedState::Done { status, reply } => return Ok(replay(status, reply)),
        KeyedState::Running => {
            return Err(Problem::new(Kind::Conflict, "a request with this key is in progress")
                .with_hint("wait a moment, then retry"));
        }
        KeyedState::New => {}
    }
    let request = Request::from_parts(parts, Body::from(bytes));
    // In a separate task: if the client disconnects, the request is still executed once, and its response is stored for a retry.
    let done = tokio::spawn(job.done(request, next).in_current_span());
    done.await.unwrap_or_else(|_| Err(Problem::new(Kind::Unavailable, "the server ends")))
}

/// A request that is being answered, for its key.
struct Job {
    engine: Engine,
    who: String,
    route: String,
    key: String,
    digest: Digest,
}

impl Job {
    fn keyed(&self) -> KeyedRequest<'_> {
        let Self { engine, who, route, key, digest } = self;
        KeyedRequest { who, route, key, digest, by: engine.process() }
    }

    /// Answers the request, and keeps the answer.
    async fn done(self, request: Request, next: Next) -> Result<Response, Problem> {
        let mut handler = tokio::spawn(next.run(request).in_current_span());
        let mut renew = interval_at(Instant::now() + RENEWED, RENEWED);
        let handled = loop {
            select! {
                handled = &mut handler => break handled,
                // What isn't noted now is noted the next time.
                _ = renew.tick() => drop(self.engine.people().renew_request(self.keyed()).await),
            }
        };
        let response = handled.unwrap_or_else(|bug| match bug.try_into_panic() {
            Ok(panic) => of_panic(panic),
            Err(_) => Problem::new(Kind::Unavailable, "the server ends").into_response(),
        });
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
        self.engine.people().end_request(self.keyed(), answer).await?;
        Ok(Response::from_parts(parts, Body::from(reply)))
    }
}

/// What is kept instead of an answer with a secret.
fn shown_once() -> (u16, String) {
    let problem =
        Problem::new(Kind::Conflict, "the request was executed; its response contained a secret, which is not stored")
            .with_hint("if the secret is lost, remove the created object and create another with a new key");
    (problem.status, json::line(&problem))
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

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    };

    use axum::{Json, Router, middleware::from_fn_with_state, routing::post};
    use graft_engine::Home;
    use tokio::sync::Notify;
    use tower::ServiceExt as _;

    use super::*;
    use crate::{App, ServerConfig};

    fn ask(key: &str) -> Request {
        let request = Request::post("/api/v1/slow").header("idempotency-key", key);
        request.body(Body::empty()).expect("a request")
    }

    #[tokio::test]
    async fn abandoned_request_runs_once_and_panic_releases_its_key() {
        let home = tempfile::tempdir().expect("a folder");
        let engine = Engine::open(Home::at(home.path()).expect("a home"), "test").await.expect("an engine");
        let state = App::new(engine, ServerConfig::default()).await.expect("a state");
        let (begun, go, count) = (Arc::new(Notify::new()), Arc::new(Notify::new()), Arc::new(AtomicU32::new(0)));
        let (tell, wait, done) = (Arc::clone(&begun), Arc::clone(&go), Arc::clone(&count));
        let slow = move || async move {
            tell.notify_one();
            wait.notified().await;
            assert!(done.fetch_add(1, Ordering::Relaxed) != 1, "a bug, the second time");
            Json("done")
        };
        let layer = from_fn_with_state(state.clone(), idempotent);
        let router = Router::new().route("/api/v1/slow", post(slow)).layer(layer);

        let client = tokio::spawn(router.clone().oneshot(ask("a")));
        begun.notified().await;
        client.abort();
        let repeated = async || router.clone().oneshot(ask("a")).await.expect("an answer");
        assert_eq!(repeated().await.status(), StatusCode::CONFLICT, "it is being answered");
        go.notify_one();
        let released = Instant::now();
        let answer = loop {
            assert!(released.elapsed() < Duration::from_secs(30), "nobody ends the key");
            match repeated().await {
                soon if soon.status() == StatusCode::CONFLICT => tokio::time::sleep(Duration::from_millis(5)).await,
                answer => break answer,
            }
        };
        assert_eq!((answer.status(), count.load(Ordering::Relaxed)), (StatusCode::OK, 1));
        assert_eq!(answer.headers()["idempotency-replayed"], "true");

        for status in [StatusCode::INTERNAL_SERVER_ERROR, StatusCode::OK] {
            go.notify_one();
            assert_eq!(router.clone().oneshot(ask("b")).await.expect("an answer").status(), status);
        }
    }
}
