//! The whole service in this process, with its own home.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::{
    path::Path,
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{HeaderMap, Method, Request, StatusCode, header},
};
use graft_engine::{Engine, Home, records::Admins};
use graft_server::{App, AppState, ServerConfig, auth::people};
use serde_json::Value;
use tower::ServiceExt as _;

/// How long something may take that the service does beside.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A service.
pub(crate) struct Service {
    pub(crate) state: AppState,
    router: Router,
    _home: tempfile::TempDir,
}

/// An answer.
pub(crate) struct Said {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Said {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&self.body)))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

impl Service {
    pub(crate) async fn new() -> Self {
        Self::with(ServerConfig::default()).await
    }

    pub(crate) async fn with(config: ServerConfig) -> Self {
        Self::try_with(config).await.unwrap()
    }

    pub(crate) async fn try_with(config: ServerConfig) -> Result<Self, graft_server::Error> {
        let home = tempfile::tempdir().unwrap();
        let engine = Engine::open(Home::at(home.path()).unwrap(), "test").await.unwrap();
        let state = App::new(engine, config).await?;
        Ok(Self { router: graft_server::router(state.clone()), state, _home: home })
    }

    /// The service after a restart with another configuration.
    pub(crate) async fn restarted(self, config: ServerConfig) -> Self {
        let state = App::new(self.state.engine.clone(), config).await.unwrap();
        Self { router: graft_server::router(state.clone()), state, _home: self._home }
    }

    /// With a tiny Llama as base model `tiny`.
    pub(crate) async fn with_tiny_base(self) -> Self {
        let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("../testkit/data/parity/tiny-llama");
        self.state.engine.bases().add("tiny", &model).await.unwrap();
        self
    }

    /// Sends a request as a page of this server would, with more headers, which win.
    pub(crate) async fn send(&self, method: &Method, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Said {
        let mut request = Request::builder().method(method).uri(path);
        let given = |name: &str| headers.iter().any(|(given, _)| given.eq_ignore_ascii_case(name));
        if !given("host") {
            request = request.header(header::HOST, "localhost:8080");
        }
        if !body.is_empty() && !given("content-type") {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::from(body.to_vec())).unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        // Answers end by themselves, unlike the events of the API.
        let endless = !path.starts_with("/v1/");
        let stream = endless && parts.headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind == "text/event-stream");
        let body = if stream { Vec::new() } else { to_bytes(body, 64 << 20).await.unwrap().to_vec() };
        Said { status: parts.status, headers: parts.headers, body }
    }

    pub(crate) async fn get(&self, path: &str) -> Said {
        self.send(&Method::GET, path, &[], b"").await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Said {
        self.send(&Method::POST, path, &[], body.to_string().as_bytes()).await
    }

    pub(crate) async fn put(&self, path: &str, body: &Value) -> Said {
        self.send(&Method::PUT, path, &[], body.to_string().as_bytes()).await
    }

    /// A token of a role, made as the command makes it where the configuration lets an administrator in; the server
    /// hears of the first one, and demands logins.
    pub(crate) async fn token(&self, role: graft_server::auth::Role) -> String {
        let (_, secret) =
            people::make_token(&self.state.engine, Admins::Configured, "a test", role, None).await.unwrap();
        let made = Instant::now();
        while !self.state.auth.required() {
            assert!(made.elapsed() < PATIENCE, "the server doesn't hear of the token");
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        secret
    }

    /// Uploads a file to `/imports`, waits for its end, and returns that.
    pub(crate) async fn import(&self, kind: &str, task: &str, name: &str, file: &[u8]) -> Value {
        self.import_with(&[("kind", kind), ("task", task)], name, file).await
    }

    /// Sends a file with fields of a form.
    pub(crate) async fn upload(&self, path: &str, fields: &[(&str, &str)], name: &str, file: &[u8]) -> Said {
        let mut form = Vec::new();
        for (field, value) in fields {
            let part = format!("--line\r\ncontent-disposition: form-data; name=\"{field}\"\r\n\r\n{value}\r\n");
            form.extend_from_slice(part.as_bytes());
        }
        let head = format!("--line\r\ncontent-disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\r\n");
        form.extend_from_slice(head.as_bytes());
        form.extend_from_slice(file);
        form.extend_from_slice(b"\r\n--line--\r\n");
        let kind = ("content-type", "multipart/form-data; boundary=line");
        self.send(&Method::POST, path, &[kind], &form).await
    }

    /// As `import`, with these fields of the form.
    pub(crate) async fn import_with(&self, fields: &[(&str, &str)], name: &str, file: &[u8]) -> Value {
        let begun = self.upload("/api/v1/imports", fields, name, file).await;
        assert_eq!(begun.status, StatusCode::ACCEPTED, "{}", String::from_utf8_lossy(&begun.body));
        let id = begun.json()["import"]["id"].as_str().unwrap().to_owned();
        let sent = Instant::now();
        loop {
            let import = self.get(&format!("/api/v1/imports/{id}")).await.json();
            if import["state"] != "running" {
                return import;
            }
            assert!(sent.elapsed() < PATIENCE, "the import doesn't end");
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
    }

    /// Imports ten reviews.
    pub(crate) async fn with_examples() -> Self {
        let service = Self::new().await;
        let csv: String = (0..10).map(|i| format!("text number {i},{}\n", ["good", "bad"][i % 2])).collect();
        let csv = format!("text,label\n{csv}and one without,\n");
        let import = service.import("csv", "text-classification", "reviews.csv", csv.as_bytes()).await;
        assert_eq!(import["state"], "done", "{import}");
        service
    }
}
