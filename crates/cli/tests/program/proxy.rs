//! The learning proxy: `/v1/chat/completions` before a strict service with OpenAI's API.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{Ipv4Addr, SocketAddr, TcpStream},
    path::Path,
    time::{Duration, Instant},
};

use graft_testkit::{Chat, Mood};
use serde_json::{Value, json};

use crate::common::{Graft, server::Server};

const TASK: &str = "text-classification";
/// How long something may take that the server does beside.
const PATIENCE: Duration = Duration::from_secs(60);

/// A home with a task whose requests are passed on, its server, and the service behind it.
struct Proxy {
    graft: Graft,
    server: Server,
    chat: Chat,
}

/// What a client receives.
struct Received {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Received {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&self.body)))
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }

    /// Its error in OpenAI's form: status, type and code.
    fn error(&self) -> (u16, String, String) {
        let error = self.json()["error"].clone();
        assert!(error["message"].as_str().is_some_and(|message| message.len() > 10), "{error}");
        let text = |name: &str| error[name].as_str().unwrap_or_default().to_owned();
        (self.status, text("type"), text("code"))
    }
}

/// The reading end of a connection, behind the head of an answer.
struct Reading {
    status: u16,
    head: String,
    reader: BufReader<TcpStream>,
}

impl Reading {
    fn line(&mut self) -> String {
        let mut line = String::new();
        self.reader.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    /// The next chunk; empty at the end.
    fn chunk(&mut self) -> Vec<u8> {
        let size = usize::from_str_radix(&self.line(), 16).unwrap();
        let mut bytes = vec![0; size + 2];
        self.reader.read_exact(&mut bytes).unwrap();
        bytes.truncate(size);
        bytes
    }

    fn rest(mut self) -> Received {
        let mut body = Vec::new();
        if self.head.contains("transfer-encoding: chunked") {
            loop {
                match self.chunk() {
                    chunk if chunk.is_empty() => break,
                    chunk => body.extend(chunk),
                }
            }
        } else {
            self.reader.read_to_end(&mut body).unwrap();
        }
        Received { status: self.status, head: self.head, body }
    }
}

impl Proxy {
    /// The task `text-classification` has 60 examples of `good` and `bad`.
    fn start(settings: &[&str]) -> Self {
        let graft = Graft::with_toy_task().with("LARGE_API_KEY", Chat::KEY);
        Self::with(graft, TASK, settings)
    }

    fn with(graft: Graft, task: &str, settings: &[&str]) -> Self {
        let chat = Chat::start(Mood::Says("good".to_owned())).unwrap();
        let base =
            ["tasks", "upstream", task, "--url", &chat.url(), "--model", Chat::MODEL, "--key-env", "LARGE_API_KEY"];
        graft.json(&[&base[..], settings].concat());
        let server = Server::start(&graft);
        Self { graft, server, chat }
    }

    fn set(&self, settings: &[&str]) {
        self.graft.json(&[&["tasks", "upstream", TASK][..], settings].concat());
    }

    fn send(&self, headers: &[(&str, &str)], body: &str) -> Reading {
        send(self.server.address, headers, body)
    }

    fn ask(&self, changes: Value) -> Received {
        self.send(&[], &request(changes).to_string()).rest()
    }

    /// The sums of all days once they are as the test says.
    #[track_caller]
    fn counts(&self, are: impl Fn(&Value) -> bool) -> Value {
        let until = Instant::now() + PATIENCE;
        loop {
            let report = self.server.get(&format!("/api/v1/tasks/{TASK}/upstream"));
            if are(&report["total"]) {
                return report;
            }
            assert!(Instant::now() < until, "{report}");
            std::thread::sleep(Duration::from_millis(30));
        }
    }

    fn examples(&self, search: &str) -> Vec<Value> {
        let found = self.server.get(&format!("/api/v1/examples?task={TASK}&search={search}"));
        found["examples"].as_array().unwrap().clone()
    }
}

fn request(changes: Value) -> Value {
    let mut body = json!({"model": TASK, "messages": [{"role": "user", "content": "yes yes yes yes 7"}]});
    changes.as_object().unwrap().iter().for_each(|(name, value)| body[name] = value.clone());
    body
}

fn text(input: &str) -> Value {
    json!({"messages": [{"role": "user", "content": input}]})
}

fn send(address: SocketAddr, headers: &[(&str, &str)], body: &str) -> Reading {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(120))).unwrap();
    let mut head = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-type: application/json\r\n"
    );
    headers.iter().for_each(|(name, value)| head += &format!("{name}: {value}\r\n"));
    head += &format!("content-length: {}\r\n\r\n{body}", body.len());
    stream.write_all(head.as_bytes()).unwrap();
    let mut reading = Reading { status: 0, head: String::new(), reader: BufReader::new(stream) };
    reading.status = reading.line().split(' ').nth(1).unwrap().parse().unwrap();
    loop {
        match reading.line() {
            line if line.is_empty() => return reading,
            line => reading.head += &(line.to_lowercase() + "\n"),
        }
    }
}

/// An address at which nothing listens.
fn nowhere() -> SocketAddr {
    (Ipv4Addr::LOCALHOST, graft_testkit::free_port().unwrap()).into()
}

#[test]
fn requests_and_answers_are_passed_on_as_they_come() {
    let proxy = Proxy::start(&[]);
    let plain = proxy.ask(json!({}));
    assert_eq!((plain.status, plain.header("x-graft-answered-by")), (200, Some("upstream")));
    assert_eq!(plain.body, proxy.chat.sent());

    // Fields that nobody here knows, and numbers that not every parser keeps.
    let tools = "{\"tools\": [{\"type\":\"function\",\"function\":{\"name\":\"look\"}}], \"tool_choice\":\"auto\",";
    let odd = "\"new_field\": {\"model\": 1.10, \"big\": 123456789012345678901234567890},";
    let messages = "\"messages\":[{\"role\":\"user\",\"content\":\"h\\u00e9llo\"}]";
    let body = |model: &str| format!("{tools} \"model\":\"{model}\", {odd} {messages}}}");
    drop(proxy.chat.asked());
    let called = proxy.send(&[("authorization", "Bearer of-the-client")], &body(TASK)).rest();
    assert_eq!(called.json()["choices"][0]["message"]["tool_calls"][0]["function"]["name"], "look");
    assert_eq!((called.body, proxy.chat.asked()), (proxy.chat.sent(), vec![body(Chat::MODEL)]));
    assert_eq!(proxy.chat.complaints(), [""; 0], "neither the client's key nor other headers came along");

    // The first events arrive while the service still waits.
    proxy.chat.set(Mood::Hesitates("good".to_owned()));
    let mut reading = proxy.send(&[], &request(json!({"stream": true})).to_string());
    assert!(reading.head.contains("content-type: text/event-stream; charset=utf-8"), "{}", reading.head);
    let mut first = reading.chunk();
    while first.iter().filter(|byte| **byte == b'\n').count() < 6 {
        first.extend(reading.chunk());
    }
    proxy.chat.go_on();
    let streamed = reading.rest();
    assert_eq!([first, streamed.body].concat(), proxy.chat.sent());
    let report = proxy.counts(|total| total["upstream"] == 3);
    assert_eq!((&report["total"]["prompt_tokens"], &report["total"]["answer_tokens"]), (&json!(33), &json!(9)));
    assert_eq!((&report["share"], &report["total"]["graft"]), (&json!(0.0), &json!(0)));

    // A version by its name is Graft's own.
    let named = proxy.ask(json!({"model": format!("{TASK}:v1")}));
    assert_eq!(named.error().0, 404);
    proxy.set(&["--remove"]);
    assert_eq!(proxy.ask(json!({})).error().0, 404, "no version is active");
    assert_eq!(proxy.chat.asked().len(), 1);
}

/// Every file under a folder.
fn files(folder: &Path) -> Vec<Vec<u8>> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { fs::read(&path).into_iter().collect() }).collect()
}

#[test]
fn failures_of_the_upstream_are_told_and_the_key_never_is() {
    let graft = Graft::with_toy_task().with("LARGE_API_KEY", Chat::KEY).with("WRONG_API_KEY", "sk-wrong-77d1");
    let chat = Chat::start(Mood::Fails(429, Some(7))).unwrap();
    let log = graft.dir.path().join("log");
    graft.json(&[
        "tasks",
        "upstream",
        TASK,
        "--url",
        &chat.url(),
        "--model",
        Chat::MODEL,
        "--key-env",
        "LARGE_API_KEY",
    ]);
    let address = nowhere();
    let server = Server::spawn(&graft, address, &log);
    let until = Instant::now() + PATIENCE;
    while TcpStream::connect(address).is_err() {
        assert!(Instant::now() < until, "the server doesn't listen");
        std::thread::sleep(Duration::from_millis(20));
    }
    let proxy = Proxy { graft, server, chat };

    let busy = proxy.ask(json!({}));
    assert_eq!((busy.status, busy.header("retry-after"), &busy.body), (429, Some("7"), &proxy.chat.sent()));
    for status in [400, 422, 500, 503] {
        proxy.chat.set(Mood::Fails(status, None));
        let failed = proxy.ask(json!({"stream": true}));
        assert_eq!((failed.status, failed.body), (status, proxy.chat.sent()));
    }
    let upstream_error = |status: u16, kind: &str| (status, kind.to_owned(), "upstream_error".to_owned());

    proxy.chat.set(Mood::BreaksOff);
    assert_eq!(proxy.ask(json!({})).error(), upstream_error(502, "server_error"));
    let broken = proxy.ask(json!({"stream": true}));
    let text = String::from_utf8(broken.body).unwrap();
    let after = text.strip_prefix(&*String::from_utf8(proxy.chat.sent()).unwrap()).unwrap();
    let event: Value = serde_json::from_str(after.trim().strip_prefix("data: ").unwrap()).unwrap();
    assert!(event["error"]["code"] == "upstream_error" && !text.contains("[DONE]"), "{text}");

    proxy.chat.set(Mood::Silent);
    proxy.set(&["--timeout", "1"]);
    assert_eq!(proxy.ask(json!({})).error(), upstream_error(504, "server_error"));
    proxy.chat.go_on();
    proxy.chat.set(Mood::Says("good".to_owned()));

    // A service that repeats the key that it refuses.
    proxy.set(&["--key-env", "WRONG_API_KEY"]);
    let refused = proxy.ask(json!({}));
    assert_eq!(refused.error(), upstream_error(502, "server_error"));
    assert!(proxy.chat.complaints()[0].contains("sk-wrong-77d1"), "it was sent there");
    proxy.set(&["--key-env", "UNSET_API_KEY"]);
    let unset = proxy.ask(json!({}));
    assert_eq!(unset.error(), upstream_error(503, "server_error"));
    assert!(unset.json()["error"]["message"].as_str().unwrap().contains("UNSET_API_KEY"));

    proxy.set(&["--url", &format!("http://{}/v1", nowhere()), "--key-env", "LARGE_API_KEY"]);
    let down = proxy.ask(json!({"stream": true}));
    assert_eq!(down.error(), upstream_error(503, "server_error"));
    assert_eq!(proxy.send(&[], "[]").rest().status, 400);
    let report = proxy.counts(|total| total["failed"] == 11);
    assert_eq!((&report["total"]["upstream"], &report["share"]), (&json!(0), &Value::Null));

    let metrics = proxy.server.send("GET", "/metrics", "text/plain", b"").1;
    assert!(
        metrics.contains("graft_upstream_total{task=\"text-classification\",answered_by=\"nobody\"} 1"),
        "{metrics}"
    );
    let said = [fs::read(&log).unwrap(), refused.body, down.body, proxy.graft.ok(&["tasks", "export", TASK]).into()];
    let trail = proxy.server.get("/api/v1/changes").to_string().into_bytes();
    for key in [Chat::KEY, "sk-wrong-77d1"] {
        let all = files(&proxy.graft.home()).into_iter().chain(said.clone()).chain([trail.clone()]);
        assert!(!all.into_iter().any(|bytes| bytes.windows(key.len()).any(|part| part == key.as_bytes())));
    }
    assert!(String::from_utf8_lossy(&said[0]).contains("failed to reach the upstream"));
}

#[test]
fn answers_are_recorded_as_the_owner_says() {
    let proxy = Proxy::start(&["--record", "off"]);
    proxy.ask(text("a kiwi"));
    proxy.counts(|total| total["upstream"] == 1);
    proxy.set(&["--record", "pending"]);
    proxy.send(&[("x-graft-record", "no")], &request(text("a kiwi")).to_string()).rest();
    proxy.ask(json!({"tools": [{"type": "function", "function": {"name": "look"}}]}));
    proxy.ask(json!({"messages": [{"role": "user", "content": "a kiwi"}, {"role": "assistant", "content": "b"},
        {"role": "user", "content": "a kiwi"}]}));
    let none = proxy.counts(|total| total["upstream"] == 4);
    assert_eq!((&none["total"]["recorded"], proxy.examples("kiwi").len()), (&json!(0), 0));

    // The instruction is the application's own, and no part of the text.
    let turns = json!([{"role": "system", "content": "Is it good?"}, {"role": "user", "content": "a kiwi"}]);
    proxy.ask(json!({"messages": turns, "stream": true}));
    proxy.counts(|total| total["recorded"] == 1);
    let kiwi = &proxy.examples("kiwi")[0];
    assert_eq!(
        (&kiwi["input"], &kiwi["output"], &kiwi["review"]["state"], &kiwi["source"]["kind"]),
        (&json!("a kiwi"), &json!("good"), &json!("pending"), &json!("upstream"))
    );
    proxy.chat.set(Mood::Says("bad".to_owned()));
    proxy.ask(text(" a kiwi "));
    // A text that came with another import.
    proxy.ask(text(proxy.examples("yes")[0]["input"].as_str().unwrap()));
    proxy.counts(|total| total["known"] == 2);
    assert_eq!(proxy.examples("kiwi")[0]["output"], "good");

    // Approved answers are approved only if the task knows them.
    proxy.set(&["--record", "approved"]);
    proxy.ask(text("a mango"));
    proxy.chat.set(Mood::Says("The text sounds positive.".to_owned()));
    proxy.ask(text("a papaya"));
    proxy.counts(|total| total["recorded"] == 3);
    let review = |search: &str| proxy.examples(search)[0]["review"].clone();
    assert_eq!((&review("mango")["state"], &review("mango")["by"]), (&json!("approved"), &json!("upstream large")));
    assert_eq!(review("papaya")["state"], "pending");
    let trail = proxy.server.get("/api/v1/changes?kind=example&order=newest").to_string();
    assert!(trail.contains("import by upstream large"), "{trail}");
}

#[test]
fn answers_in_another_form_are_not_approved() {
    let graft = Graft::new().with("LARGE_API_KEY", Chat::KEY);
    let schema = json!({"type": "object", "additionalProperties": false, "required": ["fruit"],
        "properties": {"fruit": {"type": "string"}, "count": {"type": ["integer", "null"]}}});
    let file = graft.file("schema.json", &schema.to_string());
    let new = ["tasks", "new", "fruits", "--form", "fields", "--instruction", "Which fruit?", "--schema"];
    graft.ok(&[&new[..], &[file.to_str().unwrap()]].concat());
    let proxy = Proxy::with(graft, "fruits", &["--record", "approved"]);
    let ask = |input: &str, says: &str| {
        proxy.chat.set(Mood::Says(says.to_owned()));
        let format = json!({"type": "json_schema", "json_schema": {"name": "fruit", "schema": schema}});
        let mut changes = text(input);
        (changes["model"], changes["response_format"]) = (json!("fruits"), format);
        assert_eq!(proxy.ask(changes).status, 200);
    };
    ask("two kiwis", "```json\n{\"count\": 2, \"fruit\": \"kiwi\", \"extra\": 1}\n```");
    ask("a mango", "{\"count\": 1}");
    ask("a papaya", "It is a papaya.");
    let until = Instant::now() + PATIENCE;
    let report = loop {
        let report = proxy.graft.json(&["tasks", "upstream", "fruits"]);
        if report["total"]["upstream"] == 3 {
            break report;
        }
        assert!(Instant::now() < until, "{report}");
    };
    assert_eq!((&report["total"]["recorded"], &report["total"]["unfit"]), (&json!(1), &json!(2)));
    let kept = proxy.server.get("/api/v1/examples?task=fruits")["examples"].clone();
    assert_eq!((kept.as_array().unwrap().len(), &kept[0]["review"]["state"]), (1, &json!("approved")));
    assert_eq!(kept[0]["output"].to_string(), r#"{"fruit":"kiwi","count":2}"#);
    let shown = proxy.graft.ok(&["tasks", "upstream", "fruits"]);
    assert!(shown.contains("become approved examples") && shown.contains("in LARGE_API_KEY"), "{shown}");
}

#[test]
fn graft_answers_itself_when_it_is_sure() {
    let graft = Graft::with_toy_task().with("LARGE_API_KEY", Chat::KEY);
    graft.json(&["models", "contestant", "n-grams", "--task", TASK, "--version", "v1", "--activate"]);
    let confidence = |input: &str| {
        let answer = graft.json(&["infer", "--task", TASK, "--message", input]);
        answer["confidence"].as_f64().unwrap()
    };
    let sure = "yes yes yes yes yes yes 101";
    let (high, low) = (confidence(sure), confidence("quite another text"));
    assert!(high > low, "{high} {low}");
    let above = ((high + low) / 2.0).to_string();
    let proxy = Proxy::with(graft, TASK, &["--answer-above", &above, "--compare-share", "0"]);

    let own = proxy.ask(text(sure));
    assert_eq!((own.status, own.header("x-graft-answered-by")), (200, Some("v1")));
    let said = own.json();
    assert_eq!((&said["choices"][0]["message"]["content"], &said["model"]), (&json!("good"), &json!(TASK)));
    let mut streamed = text(sure);
    (streamed["stream"], streamed["temperature"]) = (json!(true), json!(0.9));
    let streamed = String::from_utf8(proxy.ask(streamed).body).unwrap();
    assert!(streamed.contains("\"content\":\"good\"") && streamed.ends_with("data: [DONE]\n\n"), "{streamed}");
    assert_eq!(proxy.chat.asked(), [""; 0]);
    let report = proxy.counts(|total| total["graft"] == 2);
    assert_eq!((&report["share"], &report["total"]["upstream"]), (&json!(1.0), &json!(0)));

    // What it is not sure of, and what it can't do.
    let mut tools = text(sure);
    tools["tools"] = json!([{"type": "function", "function": {"name": "look"}}]);
    let mut stop = text(&sure.replace("101", "102"));
    stop["stop"] = json!(["oo"]);
    for passed in [text("quite another text"), tools, stop] {
        assert_eq!(proxy.ask(passed).header("x-graft-answered-by"), Some("upstream"));
    }
    assert_eq!(proxy.chat.asked().len(), 3);

    // All of its answers are compared.
    proxy.set(&["--compare-share", "1"]);
    proxy.chat.set(Mood::Says("good".to_owned()));
    assert_eq!(proxy.ask(text(sure)).header("x-graft-answered-by"), Some("v1"));
    proxy.counts(|total| total["compared"] == 1);
    proxy.chat.set(Mood::Says("bad".to_owned()));
    proxy.ask(text(sure));
    let report = proxy.counts(|total| total["compared"] == 2);
    assert_eq!(report["agreement"], 0.5);
    assert_eq!(proxy.examples("101")[0]["output"], "good", "what is compared is recorded, too");

    // Who is down is not asked.
    proxy.set(&["--url", &format!("http://{}/v1", nowhere()), "--compare-share", "0"]);
    assert_eq!(proxy.ask(text(sure)).header("x-graft-answered-by"), Some("v1"));
    assert_eq!(proxy.ask(text("quite another text")).error().0, 503);
    let metrics = proxy.server.send("GET", "/metrics", "text/plain", b"").1;
    assert!(
        metrics.contains("graft_upstream_total{task=\"text-classification\",answered_by=\"graft\"} 5"),
        "{metrics}"
    );

    // Without a threshold, the upstream always answers.
    proxy.set(&["--answer-above", "none"]);
    assert_eq!(proxy.ask(text(sure)).error().0, 503);
}
