//! A Hugging Face Hub and its storage on two local ports. They record requests that a client must not make.
#![expect(clippy::unwrap_used, reason = "helpers of tests may panic")]

use std::{
    collections::{BTreeMap, HashMap},
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

use sha1::{Digest, Sha1};
use sha2::Sha256;

/// The model that it has.
pub const REPO: &str = "org/model";
/// Its only commit.
pub const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";
/// The token that it accepts.
pub const TOKEN: &str = "hf_right";

/// Content of the Hub, and its faults.
#[derive(Debug, Default)]
pub struct State {
    /// The files of the model.
    pub files: BTreeMap<String, Vec<u8>>,
    /// Answer all requests to the Hub with this status and `X-Error-Code`.
    pub refuse: Option<(u16, &'static str)>,
    /// The same for HEAD only.
    pub refuse_head: Option<(u16, &'static str)>,
    /// Whether the model is private.
    pub needs_token: bool,
    /// Break the connection after this many bytes of a body; one entry per GET of the storage.
    pub truncate: Vec<usize>,
    /// Flip a byte in this many bodies of the storage.
    pub corrupt: usize,
    /// Send whole files, whatever part is asked for.
    pub ignore_range: bool,
    /// Answer nothing at the Hub, and hang up after this time.
    pub delay: Duration,
    /// Send the first half of each body of the storage, and the rest once this is `false`.
    pub hold: bool,
    /// `METHOD PATH [RANGE]`, in order.
    pub log: Vec<String>,
    /// Requests that no client may make.
    pub offences: Vec<String>,
}

/// A Hub, which ends with its process.
#[derive(Debug)]
pub struct Server {
    /// Its address.
    pub url: String,
    state: Arc<Mutex<State>>,
}

struct Request {
    method: String,
    path: String,
    headers: HashMap<String, String>,
}

impl Server {
    /// A Hub with a model of these files.
    #[must_use]
    pub fn start(files: &[(&str, Vec<u8>)]) -> Self {
        let files = files.iter().map(|(name, bytes)| ((*name).to_owned(), bytes.clone())).collect();
        let state = Arc::new(Mutex::new(State { files, ..State::default() }));
        let storage = listen(state.clone(), store);
        let hub = listen(state.clone(), move |state, request, stream| serve(state, request, stream, &storage));
        Self { url: hub, state }
    }

    /// What it has and does.
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The requests since the last call.
    pub fn log(&self) -> Vec<String> {
        std::mem::take(&mut self.state().log)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if !thread::panicking() {
            assert!(self.state().offences.is_empty(), "{:?}", self.state().offences);
        }
    }
}

fn listen(
    state: Arc<Mutex<State>>,
    answer: impl Fn(&Mutex<State>, &Request, &mut TcpStream) + Send + Sync + 'static,
) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let answer = Arc::new(answer);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (state, answer) = (state.clone(), answer.clone());
            thread::spawn(move || {
                let mut stream = stream.unwrap();
                if let Some(request) = read(&mut stream, &state) {
                    answer(&state, &request, &mut stream);
                }
            });
        }
    });
    url
}

fn read(stream: &mut TcpStream, state: &Mutex<State>) -> Option<Request> {
    let mut lines = BufReader::new(stream).lines();
    let first = lines.next()?.ok()?;
    let parts: Vec<&str> = first.split(' ').collect();
    let headers: HashMap<String, String> = lines
        .map_while(Result::ok)
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.split_once(": ").map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())))
        .collect();
    let range = headers.get("range").map(|range| format!(" {range}")).unwrap_or_default();
    let mut state = state.lock().unwrap();
    state.log.push(format!("{} {}{range}", parts[0], parts[1]));
    if parts.len() != 3 || parts[2] != "HTTP/1.1" || !headers.contains_key("host") {
        state.offences.push(format!("malformed request `{first}`"));
    }
    Some(Request { method: parts[0].into(), path: parts[1].into(), headers })
}

/// Requests to the Hub: listings, headers, small files, and redirects to the storage for large files.
fn serve(state: &Mutex<State>, request: &Request, stream: &mut TcpStream, storage: &str) {
    let state = state.lock().unwrap();
    let delay = state.delay;
    if !delay.is_zero() {
        drop(state);
        return thread::sleep(delay);
    }
    let refuse = state.refuse.or(state.refuse_head.filter(|_| request.method == "HEAD"));
    if let Some((status, code)) = refuse {
        return reply(stream, status, &[("X-Error-Code", code)], b"<html>", request);
    }
    let authorization = request.headers.get("authorization");
    if state.needs_token && authorization.is_none_or(|given| *given != format!("Bearer {TOKEN}")) {
        let message = if authorization.is_some() { "Invalid credentials in Authorization header" } else { "" };
        return reply(stream, 401, &[("X-Error-Code", "RepoNotFound"), ("X-Error-Message", message)], b"", request);
    }
    let api = format!("/api/models/{REPO}/revision/");
    if let Some(revision) = request.path.strip_prefix(&api) {
        if revision != "main" && revision != "refs%2Fpr%2F1" && revision != COMMIT {
            return reply(stream, 404, &[("X-Error-Code", "RevisionNotFound")], b"", request);
        }
        let siblings: Vec<_> = state.files.keys().map(|name| serde_json::json!({ "rfilename": name })).collect();
        let body = serde_json::json!({ "sha": COMMIT, "siblings": siblings, "private": false }).to_string();
        return reply(stream, 200, &[], body.as_bytes(), request);
    }
    if let Some(rest) = request.path.strip_prefix("/old/name") {
        return reply(stream, 307, &[("Location", &format!("/{REPO}{rest}"))], b"Moved", request);
    }
    if let Some(rest) = request.path.strip_prefix("/api/models/old/name") {
        return reply(stream, 307, &[("Location", &format!("/api/models/{REPO}{rest}"))], b"Moved", request);
    }
    let resolve = format!("/{REPO}/resolve/");
    let path = request.path.strip_prefix(&resolve).and_then(|path| path.split_once('/'));
    let Some((COMMIT | "main", name)) = path else {
        return reply(stream, 404, &[("X-Error-Code", "RepoNotFound")], b"", request);
    };
    match state.files.get(name) {
        Some(bytes) => send_file(name, bytes, request, stream, storage),
        None => reply(stream, 404, &[("X-Error-Code", "EntryNotFound")], b"", request),
    }
}

fn send_file(name: &str, bytes: &[u8], request: &Request, stream: &mut TcpStream, storage: &str) {
    if is_large(name) {
        let etag = format!("\"{}\"", sha256(bytes));
        let (size, location) = (bytes.len().to_string(), format!("{storage}/blobs/{name}?signature=x"));
        let linked = [("X-Linked-Etag", &*etag), ("X-Linked-Size", &size), ("X-Repo-Commit", COMMIT)];
        let headers = [&linked[..], &[("Location", &location), ("ETag", "\"of-the-redirect\"")]].concat();
        return reply(stream, 302, &headers, b"Found. Redirecting", request);
    }
    let etag = format!("W/\"{}\"", git_blob(bytes));
    reply(stream, 200, &[("ETag", &etag), ("X-Repo-Commit", COMMIT)], bytes, request);
}

/// Requests to the storage.
fn store(shared: &Mutex<State>, request: &Request, stream: &mut TcpStream) {
    let mut state = shared.lock().unwrap();
    if request.headers.contains_key("authorization") || request.method != "GET" {
        state.offences.push(format!("{} with {:?} at the storage", request.method, request.headers));
    }
    let name = request.path.strip_prefix("/blobs/").and_then(|path| path.split_once('?')).map(|(name, _)| name);
    let mut bytes = name.and_then(|name| state.files.get(name)).cloned().unwrap_or_default();
    let total = bytes.len();
    if state.corrupt > 0 {
        state.corrupt -= 1;
        bytes[total - 1] ^= 1;
    }
    let range = request.headers.get("range").filter(|_| !state.ignore_range);
    let start: usize = range.map_or(0, |range| range["bytes=".len()..].trim_end_matches('-').parse().unwrap());
    let body = &bytes[start..];
    let cut = if state.truncate.is_empty() { body.len() } else { state.truncate.remove(0).min(body.len()) };
    let status = if range.is_some() { "206 Partial Content" } else { "200 OK" };
    let content_range = format!("Content-Range: bytes {start}-{}/{total}\r\n", total - 1);
    let content_range = if range.is_some() { &*content_range } else { "" };
    let head =
        format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n{content_range}Connection: close\r\n\r\n", body.len());
    let first = if state.hold { cut / 2 } else { cut };
    drop(state);
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body[..first]));
    while first < cut && shared.lock().unwrap().hold {
        thread::sleep(Duration::from_millis(10));
    }
    let _ = stream.write_all(&body[first..cut]);
}

fn reply(stream: &mut TcpStream, status: u16, headers: &[(&str, &str)], body: &[u8], request: &Request) {
    let mut head = format!("HTTP/1.1 {status} Status\r\nContent-Length: {}\r\nConnection: close\r\n", body.len());
    for (name, value) in headers.iter().filter(|(_, value)| !value.is_empty()) {
        head += &format!("{name}: {value}\r\n");
    }
    let body = if request.method == "HEAD" { &[] } else { body };
    let _ = stream.write_all(format!("{head}\r\n").as_bytes()).and_then(|()| stream.write_all(body));
}

fn is_large(name: &str) -> bool {
    name.ends_with(".safetensors") || name.ends_with(".gguf") || name.ends_with(".bin")
}

/// A checksum as of large files.
#[must_use]
pub fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// A checksum as of small files.
#[must_use]
pub fn git_blob(bytes: &[u8]) -> String {
    hex(&Sha1::new_with_prefix(format!("blob {}\0", bytes.len())).chain_update(bytes).finalize())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
