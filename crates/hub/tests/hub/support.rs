//! A Hub and its storage on two local ports. They record requests that a client must not make.

use std::{
    collections::{BTreeMap, HashMap},
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex, MutexGuard},
    thread,
    time::Duration,
};

use graft_hub::{Hub, Settings, Stop, Token};
use sha1::{Digest, Sha1};
use sha2::Sha256;

pub(crate) const REPO: &str = "org/model";
pub(crate) const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";
pub(crate) const TOKEN: &str = "hf_right";

/// Content of the Hub, and its faults.
#[derive(Default)]
pub(crate) struct State {
    pub(crate) files: BTreeMap<String, Vec<u8>>,
    /// Answer all requests to the Hub with this status and `X-Error-Code`.
    pub(crate) refuse: Option<(u16, &'static str)>,
    /// The same for HEAD only.
    pub(crate) refuse_head: Option<(u16, &'static str)>,
    pub(crate) needs_token: bool,
    /// Break the connection after this many bytes of a body; one entry per GET of the storage.
    pub(crate) truncate: Vec<usize>,
    /// Flip a byte in this many bodies of the storage.
    pub(crate) corrupt: usize,
    pub(crate) ignore_range: bool,
    pub(crate) delay: Duration,
    /// `METHOD PATH [RANGE]`, in order.
    pub(crate) log: Vec<String>,
    /// Requests that no client may make.
    pub(crate) offences: Vec<String>,
}

pub(crate) struct Server {
    pub(crate) url: String,
    state: Arc<Mutex<State>>,
}

struct Request {
    method: String,
    path: String,
    headers: HashMap<String, String>,
}

impl Server {
    pub(crate) fn start(files: &[(&str, Vec<u8>)]) -> Self {
        let files = files.iter().map(|(name, bytes)| ((*name).to_owned(), bytes.clone())).collect();
        let state = Arc::new(Mutex::new(State { files, ..State::default() }));
        let storage = listen(state.clone(), store);
        let hub = listen(state.clone(), move |state, request, stream| serve(state, request, stream, &storage));
        Self { url: hub, state }
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    pub(crate) fn log(&self) -> Vec<String> {
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
fn store(state: &Mutex<State>, request: &Request, stream: &mut TcpStream) {
    let mut state = state.lock().unwrap();
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
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body[..cut]));
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

pub(crate) fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

pub(crate) fn git_blob(bytes: &[u8]) -> String {
    hex(&Sha1::new_with_prefix(format!("blob {}\0", bytes.len())).chain_update(bytes).finalize())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A safetensors file without tensors, padded to a size.
pub(crate) fn safetensors(bytes: usize, seed: u8) -> Vec<u8> {
    let mut file = [&2u64.to_le_bytes()[..], b"{}"].concat();
    file.extend((file.len()..bytes).map(|at| (at as u8).wrapping_mul(31).wrapping_add(seed)));
    file
}

pub(crate) fn gguf(bytes: usize) -> Vec<u8> {
    let mut file = b"GGUF\x03\0\0\0".to_vec();
    file.resize(bytes, 7);
    file
}

/// The files of a typical repository.
pub(crate) fn model() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("README.md", b"# Model".to_vec()),
        ("config.json", b"{\"model_type\":\"llama\"}".to_vec()),
        ("model.safetensors", safetensors(700_000, 0)),
        ("onnx/model.onnx", vec![1; 10]),
        ("pytorch_model.bin", vec![2; 10]),
        ("tokenizer.json", b"{\"version\":\"1.0\"}".to_vec()),
        ("tokenizer_config.json", b"{}".to_vec()),
    ]
}

/// A hub with its own cache and home under `folder`.
pub(crate) fn hub(folder: &std::path::Path, url: &str, change: impl FnOnce(&mut Settings)) -> Hub {
    let mut settings = Settings {
        home: folder.join("graft"),
        cache: folder.join("hf/hub"),
        endpoint: url.into(),
        token: Some(Token::new(TOKEN).unwrap()),
        offline: false,
        ca_file: None,
        python: folder.join("no-such-python"),
        patience: Duration::from_secs(5),
        builtin_patience: Duration::from_secs(5),
        retry_pause: Duration::ZERO,
        stop: Stop::default(),
    };
    change(&mut settings);
    Hub::new(settings)
}
