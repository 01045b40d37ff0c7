//! Event streams: a thousand clients receive every change, and reconnecting clients receive what they missed.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use crate::service::{PATIENCE, Service};
use axum::{
    body::{Body, BodyDataStream},
    http::{Method, Request, header},
};
use futures_util::StreamExt as _;
use graft_engine::records::Admins;
use graft_server::{
    ServerConfig,
    auth::{Role, people::make_token},
};
use serde_json::json;
use tower::ServiceExt as _;

const CLIENTS: usize = 1000;

async fn listen(service: &Service, after: Option<i64>) -> BodyDataStream {
    let mut request = Request::get("/api/v1/events").header(header::HOST, "localhost");
    if let Some(after) = after {
        request = request.header("last-event-id", after);
    }
    let request = request.body(Body::empty()).unwrap();
    let response = graft_server::router(service.state.clone()).oneshot(request).await.unwrap();
    assert_eq!(response.headers()["x-accel-buffering"], "no");
    response.into_body().into_data_stream()
}

async fn next(stream: &mut BodyDataStream) -> String {
    let part = tokio::time::timeout(PATIENCE, stream.next()).await.expect("nothing is heard");
    String::from_utf8(part.expect("the stream has ended").unwrap().to_vec()).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thousand_clients_receive_a_change() {
    let service = Service::new().await;
    let router = graft_server::router(service.state.clone());
    let mut streams = Vec::new();
    for _ in 0..CLIENTS {
        let request = Request::get("/api/v1/events").header(header::HOST, "localhost").body(Body::empty()).unwrap();
        streams.push(router.clone().oneshot(request).await.unwrap().into_body().into_data_stream());
    }
    let tables = service.put("/api/v1/tables", &json!({"toml": "[pounds]\ncrate = 31.0\n"})).await;
    assert!(tables.status.is_success());
    for stream in &mut streams {
        let told = next(stream).await;
        assert!(told.contains("event: change") && told.contains("tables.toml"), "{told}");
    }
    service.state.close();
    for stream in &mut streams {
        assert!(stream.next().await.is_none(), "streams end with the server");
    }
}

#[tokio::test]
async fn presence_is_streamed_at_once() {
    let service = Service::new().await;
    let mut stream = listen(&service, None).await;
    let place = json!({"task": "slack-rescue", "id": "1"});
    let seats = service.put("/api/v1/presence", &json!({"page": "p", "at": place})).await.json();
    assert_eq!((&seats["seats"][0]["page"], &seats["seats"][0]["id"]), (&json!("p"), &json!("1")), "{seats}");
    let told = next(&mut stream).await;
    assert!(told.contains("event: presence") && told.contains(r#""page":"p""#) && !told.contains("id: "), "{told}");
    service.put("/api/v1/presence", &json!({"page": "p"})).await;
    assert!(next(&mut stream).await.contains(r#"{"seats":[]}"#));
    let nameless = service.put("/api/v1/presence", &json!({"page": ""})).await;
    assert_eq!(nameless.status.as_u16(), 422);
}

#[tokio::test]
async fn reconnected_stream_sends_missed_events() {
    let service = Service::with_examples().await;
    let seqs = |told: &str| -> i64 {
        let id = told.lines().find_map(|line| line.strip_prefix("id: ")).unwrap();
        id.parse().unwrap()
    };
    let mut stream = listen(&service, Some(3)).await;
    for expected in 4..=9 {
        assert_eq!(seqs(&next(&mut stream).await), expected, "in order, without a gap, none twice");
    }
    // Of a time that a restored backup doesn't know.
    let newest = service.state.engine.upkeep().newest_change().await.unwrap();
    let mut stream = listen(&service, Some(newest + 1000)).await;
    service.put("/api/v1/tables", &json!({"toml": "[pounds]\ncrate = 32.0\n"})).await;
    assert_eq!(seqs(&next(&mut stream).await), newest + 1, "what comes is heard all the same");
}

#[tokio::test]
async fn streams_end_when_access_is_revoked() {
    let config = ServerConfig { token: Some("a token of the configuration".into()), ..ServerConfig::default() };
    let service = Service::with(config).await;
    let engine = &service.state.engine;
    let mut keeps = listen_as(&service, "authorization", "Bearer a token of the configuration").await;

    let (token, secret) = make_token(engine, Admins::Configured, "reader", Role::Viewer, None).await.unwrap();
    let mut of_token = listen_as(&service, "authorization", &format!("Bearer {secret}")).await;
    engine.people().remove_token(&token.id, Admins::Configured).await.unwrap();
    ends(&mut of_token, "the token was removed").await;

    let login = json!({"token": "a token of the configuration"});
    let cookie = service.post("/api/v1/session", &login).await.header("set-cookie").to_owned();
    let cookie = cookie.split(';').next().unwrap();
    let mut of_session = listen_as(&service, "cookie", cookie).await;
    let headers = [("cookie", cookie), ("x-graft-csrf", "1")];
    assert!(service.send(&Method::DELETE, "/api/v1/session", &headers, b"").await.status.is_success());
    ends(&mut of_session, "the session was closed").await;

    assert!(service.put("/api/v1/tables", &json!({"toml": ""})).await.status.as_u16() == 401, "logins are demanded");
    let waiting = tokio::time::timeout(std::time::Duration::from_millis(300), keeps.next()).await;
    assert!(waiting.is_err() || waiting.unwrap().is_some(), "the others' streams go on");
    service.state.close();
    ends(&mut keeps, "the server ended").await;
}

async fn listen_as(service: &Service, name: &str, value: &str) -> BodyDataStream {
    let request = Request::get("/api/v1/events").header(header::HOST, "localhost").header(name, value);
    let request = request.body(Body::empty()).unwrap();
    let response = graft_server::router(service.state.clone()).oneshot(request).await.unwrap();
    assert!(response.status().is_success(), "{}", response.status());
    response.into_body().into_data_stream()
}

/// Reads a stream until it ends.
async fn ends(stream: &mut BodyDataStream, why: &str) {
    let rest = async { while stream.next().await.is_some() {} };
    tokio::time::timeout(PATIENCE, rest).await.unwrap_or_else(|_| panic!("the stream goes on though {why}"));
}
