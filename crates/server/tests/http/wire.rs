//! The server on a real socket: slow clients, a full queue, shutdown.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise, in its helpers too")]

use std::{
    io::{Read as _, Write as _},
    net::SocketAddr,
    time::{Duration, Instant},
};

use crate::service::{PATIENCE, Service};
use graft_server::{ServerConfig, auth::Role, serve};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::oneshot,
    task::JoinHandle,
};

/// A server that listens until it is dropped.
struct Listening {
    service: Service,
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    served: JoinHandle<()>,
}

impl Listening {
    async fn new(config: ServerConfig) -> Self {
        let service = Service::with(config).await.with_tiny_base().await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let served = tokio::spawn(serve(service.state.clone(), listener, async {
            let _ = stopped.await;
        }));
        Self { service, address, stop, served }
    }

    /// Sends bytes and reads until the server closes the connection.
    async fn say(&self, bytes: &[u8]) -> String {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        let mut answer = Vec::new();
        // A connection that is cut may end with an error; what came before counts.
        let _ = stream.read_to_end(&mut answer).await;
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// Sends a body byte by byte, never pausing for long; returns the answer and the bytes sent.
    async fn dribble(&self) -> (String, usize) {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let head = "host: localhost\r\ncontent-type: application/json\r\ncontent-length: 100000\r\n";
        let head = format!("POST /api/v1/settings/validate HTTP/1.1\r\n{head}\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        let (mut answers, mut out) = stream.into_split();
        let answer = tokio::spawn(async move {
            let mut answer = Vec::new();
            let _ = answers.read_to_end(&mut answer).await;
            String::from_utf8_lossy(&answer).into_owned()
        });
        let mut sent = 0;
        while !answer.is_finished() && out.write_all(b" ").await.is_ok() {
            sent += 1;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        (answer.await.unwrap(), sent)
    }

    fn post(path: &str, body: &Value) -> Vec<u8> {
        let body = body.to_string();
        let head = "host: localhost\r\nconnection: close\r\ncontent-type: application/json\r\n";
        format!("POST {path} HTTP/1.1\r\n{head}content-length: {}\r\n\r\n{body}", body.len()).into_bytes()
    }
}

#[tokio::test]
async fn slow_client_is_disconnected() {
    let config = ServerConfig { patience: Duration::from_millis(300), ..ServerConfig::default() };
    let server = Listening::new(config).await;
    let head = server.say(b"GET /health HTTP/1.1\r\nhost: local").await;
    assert!(!head.contains("200 OK"), "{head}");
    let body = server.say(b"POST /api/v1/settings/validate HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{").await;
    assert!(body.starts_with("HTTP/1.1 408") && body.contains("urn:graft:problem:timeout"), "{body}");
    let (answer, sent) = server.dribble().await;
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    assert!(sent < 100, "it was cut off in the middle, after {sent} bytes");
    let fine = server.say(b"GET /health HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").await;
    assert!(fine.starts_with("HTTP/1.1 200"), "{fine}");
}

/// Sends a form of 50 MB without looking up, then reads the answer.
fn upload(address: SocketAddr, headers: &str) -> String {
    const BYTES: usize = 50 << 20;
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    let form = "host: localhost\r\ncontent-type: multipart/form-data; boundary=line\r\n";
    let head = format!("POST /api/v1/imports HTTP/1.1\r\n{form}{headers}content-length: {BYTES}\r\n\r\n");
    stream.write_all(head.as_bytes()).unwrap();
    let mut left = BYTES;
    for part in ["--line\r\ncontent-disposition: form-data; name=\"surprise\"\r\n\r\n".as_bytes(), &[b'x'; 1 << 16]]
        .into_iter()
        .chain(std::iter::repeat(&[b'x'; 1 << 16][..]))
    {
        stream.write_all(&part[..part.len().min(left)]).expect("the connection breaks while the form is sent");
        left -= part.len().min(left);
        if left == 0 {
            break;
        }
    }
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("the connection breaks before the answer");
    answer
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn client_refused_during_upload_gets_the_response() {
    let server = Listening::new(ServerConfig::default()).await;
    let address = server.address;
    let said =
        async |headers: &'static str| tokio::task::spawn_blocking(move || upload(address, headers)).await.unwrap();
    let wrong = said("").await;
    assert!(wrong.starts_with("HTTP/1.1 422") && wrong.contains("`surprise`"), "{wrong}");
    let closed = said("connection: close\r\n").await;
    assert!(closed.starts_with("HTTP/1.1 422") && closed.contains("`surprise`"), "{closed}");
    let elsewhere = said("origin: http://evil.example\r\n").await;
    assert!(elsewhere.starts_with("HTTP/1.1 403") && elsewhere.contains("another site"), "{elsewhere}");
    server.service.token(Role::Viewer).await;
    let nobody = said("").await;
    assert!(nobody.starts_with("HTTP/1.1 401") && nobody.contains("urn:graft:problem:unauthenticated"), "{nobody}");
}

#[tokio::test]
async fn shutdown_answers_requests_in_progress() {
    let server = Listening::new(ServerConfig::default()).await;
    let mut events = TcpStream::connect(server.address).await.unwrap();
    events.write_all(b"GET /api/v1/events HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    let mut first = [0; 12];
    events.read_exact(&mut first).await.unwrap();
    assert_eq!(&first, b"HTTP/1.1 200");
    // Most of a request; that its body is wanted says that it is being worked on.
    let body = json!({"task": "chat", "base": "nobody"}).to_string();
    let head = "host: localhost\r\nconnection: close\r\nexpect: 100-continue\r\ncontent-type: application/json\r\n";
    let head = format!("POST /api/v1/runs/preflight HTTP/1.1\r\n{head}content-length: {}\r\n\r\n", body.len());
    let mut late = TcpStream::connect(server.address).await.unwrap();
    late.write_all(head.as_bytes()).await.unwrap();
    let mut wanted = [0; 25];
    late.read_exact(&mut wanted).await.unwrap();
    assert_eq!(&wanted, b"HTTP/1.1 100 Continue\r\n\r\n");
    server.stop.send(()).unwrap();
    let mut rest = String::new();
    events.read_to_string(&mut rest).await.unwrap();
    assert!(rest.ends_with("\r\n0\r\n\r\n"), "the stream ends as a whole: {rest}");
    assert!(TcpStream::connect(server.address).await.is_err(), "nobody else is let in");
    assert!(!server.served.is_finished(), "it waits for who is at it");
    late.write_all(body.as_bytes()).await.unwrap();
    let mut answer = String::new();
    late.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("find base `nobody`"), "{answer}");
    tokio::time::timeout(PATIENCE, server.served).await.expect("it doesn't end").unwrap();
}

#[tokio::test]
async fn full_queue_has_retry_after_and_disconnect_frees_the_slot() {
    let mut config = ServerConfig::default();
    // Without a lane nothing is answered, so the first one is still waiting when the second one comes.
    (config.serving.slots, config.serving.queue) = (0, 1);
    let server = Listening::new(config).await;
    let waiting = || server.service.state.serving.status().bases.first().map_or(0, |base| base.waiting);
    let until = async |count: usize| {
        let asked = Instant::now();
        while waiting() != count {
            assert!(asked.elapsed() < PATIENCE, "{} wait, not {count}", waiting());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let ask = Listening::post("/v1/completions", &json!({"model": "tiny", "prompt": "so good"}));
    let mut first = TcpStream::connect(server.address).await.unwrap();
    first.write_all(&ask).await.unwrap();
    until(1).await;
    let refused = server.say(&ask).await.to_lowercase();
    assert!(refused.starts_with("http/1.1 429"), "{refused}");
    assert!(refused.contains("\r\nretry-after: ") && refused.contains("rate_limit_exceeded"), "{refused}");
    drop(first);
    until(0).await;
}

#[tokio::test]
async fn texts_are_compressed_and_events_are_not() {
    let service = Service::new().await;
    let gzip = [("accept-encoding", "gzip")];
    let said = service.send(&axum::http::Method::GET, "/openapi.json", &gzip, b"").await;
    assert_eq!(said.header("content-encoding"), "gzip");
    assert!(said.body.starts_with(&[0x1f, 0x8b]) && said.body.len() < graft_server::openapi_json().len() / 4);
    for plain in ["/health", "/api/v1/events"] {
        let said = service.send(&axum::http::Method::GET, plain, &gzip, b"").await;
        assert_eq!(said.header("content-encoding"), "", "{plain}");
    }
}

#[tokio::test]
async fn errors_under_v1_have_openai_format() {
    let service = Service::with(ServerConfig { token: Some("a long token".into()), ..ServerConfig::default() }).await;
    let nobody = service.get("/v1/models").await;
    assert_eq!((nobody.status.as_u16(), &nobody.json()["error"]["code"]), (401, &json!("invalid_api_key")));
    let token = [("authorization", "Bearer a long token")];
    let missing = service.send(&axum::http::Method::GET, "/v1/nothing", &token, b"").await;
    assert_eq!(missing.status.as_u16(), 404);
    assert_eq!(missing.json()["error"]["type"], "invalid_request_error");
    assert_eq!(missing.json()["error"]["code"], Value::Null);
    assert!(
        missing.header("x-content-type-options") == "nosniff" && missing.header("content-type") == "application/json"
    );
    let method = service.send(&axum::http::Method::DELETE, "/v1/models", &token, b"").await;
    assert_eq!((method.status.as_u16(), method.json()["error"]["param"].is_null()), (405, true));
}
