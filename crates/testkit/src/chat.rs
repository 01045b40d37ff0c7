//! A service with OpenAI's API for chat completions. It is strict: it refuses other keys, models and paths, headers that are
//! not its business, and requests that are no JSON.

use std::{
    io::{self, Write as _},
    net::TcpStream,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
};

use serde_json::{Value, json};

use crate::http::{Request, listen_to, write};

/// How a service answers.
#[derive(Clone, Debug)]
pub enum Mood {
    /// With this text, in pieces if a stream is asked for; with a tool call if tools are offered.
    Says(String),
    /// As [`Mood::Says`], but after the beginning it waits for [`Chat::go_on`].
    Hesitates(String),
    /// It is silent until [`Chat::go_on`].
    Silent,
    /// With a status and a `Retry-After`.
    Fails(u16, Option<u32>),
    /// It begins an answer and closes the connection.
    BreaksOff,
}

/// A service, which ends with its process.
#[derive(Debug)]
pub struct Chat {
    origin: String,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    going: Condvar,
}

#[derive(Debug)]
struct State {
    mood: Mood,
    /// How often it was told to go on, beyond those used.
    permits: usize,
    /// The bodies of the requests that it took.
    asked: Vec<String>,
    /// What was wrong with others.
    complaints: Vec<String>,
    /// The body of its last answer.
    sent: Vec<u8>,
}

impl Chat {
    /// The key that it takes.
    pub const KEY: &str = "sk-testkit-5f3a9c";
    /// The model that it has.
    pub const MODEL: &str = "large";

    /// Starts a service.
    ///
    /// # Errors
    /// If no port is free.
    pub fn start(mood: Mood) -> io::Result<Self> {
        let state = State { mood, permits: 0, asked: Vec::new(), complaints: Vec::new(), sent: Vec::new() };
        let shared = Arc::new(Shared { state: Mutex::new(state), going: Condvar::new() });
        let service = Arc::clone(&shared);
        let origin = listen_to(move |request, out| service.serve(request, out))?;
        Ok(Self { origin, shared })
    }

    /// The address of its API.
    #[must_use]
    pub fn url(&self) -> String {
        format!("{}/v1", self.origin)
    }

    /// Answers in another way from now on.
    pub fn set(&self, mood: Mood) {
        self.shared.lock().mood = mood;
    }

    /// Lets one answer that waits go on.
    pub fn go_on(&self) {
        self.shared.lock().permits += 1;
        self.shared.going.notify_all();
    }

    /// The bodies of the requests since the last call.
    #[must_use]
    pub fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.shared.lock().asked)
    }

    /// What was wrong with requests since the last call.
    #[must_use]
    pub fn complaints(&self) -> Vec<String> {
        std::mem::take(&mut self.shared.lock().complaints)
    }

    /// The body of its last answer.
    #[must_use]
    pub fn sent(&self) -> Vec<u8> {
        self.shared.lock().sent.clone()
    }
}

/// What is wrong with a request, with its status.
fn wrong(request: &Request) -> Option<(u16, String)> {
    let header = |name: &str| request.headers.get(name).map_or("", String::as_str);
    if (request.method.as_str(), request.path.as_str()) != ("POST", "/v1/chat/completions") {
        return Some((404, format!("there is no {} {}", request.method, request.path)));
    }
    if header("authorization") != format!("Bearer {}", Chat::KEY) {
        return Some((401, format!("Incorrect API key provided: {}", header("authorization"))));
    }
    if let Some(name) = request.headers.keys().find(|name| name.starts_with("x-") || *name == "cookie") {
        return Some((400, format!("the header `{name}` is not this service's business")));
    }
    let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
    if header("content-type") != "application/json" || !body["messages"].is_array() {
        return Some((400, "the body is no request".to_owned()));
    }
    (body["model"] != Chat::MODEL).then(|| (404, format!("there is no model {}", body["model"])))
}

/// An answer in pieces, with what other services add: comments and unknown fields.
fn events(text: &str, with_usage: bool) -> Vec<String> {
    let chunk = |delta: Value, end: Value| {
        let choices = json!([{"index": 0, "delta": delta, "finish_reason": end, "native": 1}]);
        format!(
            "data: {}\n\n",
            json!({"id": "c1", "object": "chat.completion.chunk", "model": Chat::MODEL, "choices": choices})
        )
    };
    let mut events = vec![chunk(json!({"role": "assistant", "content": ""}), Value::Null), ": waits\n\n".to_owned()];
    events.extend(text.chars().map(|c| chunk(json!({"content": c.to_string()}), Value::Null)));
    events.push(chunk(json!({}), json!("stop")));
    if with_usage {
        events.push(format!("data: {}\n\n", json!({"choices": [], "usage": usage()})));
    }
    events.push("data: [DONE]\n\n".to_owned());
    events
}

fn usage() -> Value {
    json!({"prompt_tokens": 11, "completion_tokens": 3, "total_tokens": 14})
}

fn completion(message: &Value, end: &str) -> String {
    let choices = json!([{"index": 0, "message": message, "finish_reason": end}]);
    json!({"id": "c1", "object": "chat.completion", "model": Chat::MODEL, "choices": choices, "usage": usage()})
        .to_string()
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait(&self) {
        let mut state = self.lock();
        while state.permits == 0 {
            state = self.going.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.permits -= 1;
    }

    fn serve(&self, request: &Request, out: &mut &TcpStream) -> io::Result<bool> {
        let json = |text: String| vec![("content-type", text)];
        let error = |message: &str| json!({"error": {"message": message, "type": "x", "code": null}}).to_string();
        if let Some((status, what)) = wrong(request) {
            let body = error(&what).into_bytes();
            self.lock().complaints.push(what);
            return write(out, request, (status, json("application/json".into()), body)).map(|()| true);
        }
        let text = String::from_utf8_lossy(&request.body).into_owned();
        let body: Value = serde_json::from_str(&text).unwrap_or_default();
        let mood = {
            let mut state = self.lock();
            state.asked.push(text);
            state.mood.clone()
        };
        let is_stream = body["stream"] == true;
        let says = match mood {
            Mood::Fails(status, wait) => {
                let mut headers = json("application/json".into());
                headers.extend(wait.map(|seconds| ("retry-after", seconds.to_string())));
                let body = error("not now").into_bytes();
                self.lock().sent.clone_from(&body);
                return write(out, request, (status, headers, body)).map(|()| true);
            }
            Mood::Silent => {
                self.wait();
                return Ok(false);
            }
            Mood::BreaksOff if is_stream => {
                begin_stream(out)?;
                let first: String = events("spam", false).into_iter().take(3).collect();
                self.lock().sent = first.clone().into_bytes();
                chunk(out, &first)?;
                return Ok(false);
            }
            Mood::BreaksOff => {
                out.write_all(
                    b"HTTP/1.1 200 _\r\ncontent-type: application/json\r\ncontent-length: 900\r\n\r\n{\"choices\":",
                )?;
                return Ok(false);
            }
            Mood::Says(says) => says,
            Mood::Hesitates(says) => {
                begin_stream(out)?;
                let events = events(&says, true);
                self.lock().sent = events.concat().into_bytes();
                chunk(out, &events[..3].concat())?;
                self.wait();
                for event in &events[3..] {
                    chunk(out, event)?;
                }
                out.write_all(b"0\r\n\r\n")?;
                return Ok(true);
            }
        };
        if body["tools"].as_array().is_some_and(|tools| !tools.is_empty()) {
            let call = json!([{"id": "t1", "type": "function", "function": {"name": "look", "arguments": "{}"}}]);
            let message = json!({"role": "assistant", "content": null, "tool_calls": call});
            let body = completion(&message, "tool_calls").into_bytes();
            self.lock().sent.clone_from(&body);
            return write(out, request, (200, json("application/json".into()), body)).map(|()| true);
        }
        if is_stream {
            let events = events(&says, body["stream_options"]["include_usage"] == true);
            self.lock().sent = events.concat().into_bytes();
            begin_stream(out)?;
            for event in &events {
                chunk(out, event)?;
            }
            out.write_all(b"0\r\n\r\n")?;
            return Ok(true);
        }
        let body = completion(&json!({"role": "assistant", "content": says}), "stop").into_bytes();
        self.lock().sent.clone_from(&body);
        write(out, request, (200, json("application/json".into()), body)).map(|()| true)
    }
}

fn begin_stream(out: &mut &TcpStream) -> io::Result<()> {
    out.write_all(
        b"HTTP/1.1 200 _\r\ncontent-type: text/event-stream; charset=utf-8\r\ntransfer-encoding: chunked\r\n\r\n",
    )
}

fn chunk(out: &mut &TcpStream, text: &str) -> io::Result<()> {
    out.write_all(format!("{:x}\r\n{text}\r\n", text.len()).as_bytes())
}
