//! The load: each client repeats a request with the same idempotency key until it gets a response, and records the
//! response.

use std::{
    thread::{Scope, ScopedJoinHandle, sleep},
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use super::{AUDITED, TASKS, World, ledger::Decision};
use crate::common::{
    Random,
    server::{csv_form, send},
};

/// Longest that a request may stay without an answer, restarts included.
const PATIENCE: Duration = Duration::from_secs(60);

/// Starts one client of each kind.
pub(crate) fn start<'s>(scope: &'s Scope<'s, '_>, world: &'s World, seed: u64) -> Vec<ScopedJoinHandle<'s, ()>> {
    let client = move |name: &'static str, number: u64, task: &'static str, turn: fn(&mut Client<'s>)| {
        scope.spawn(move || {
            let mut client = Client { world, name, task, random: Random::new(seed + number), asked: 0, active: None };
            while !world.is_calm() {
                turn(&mut client);
                sleep(Duration::from_millis(client.random.below(100)));
            }
        })
    };
    vec![
        client("importer", 1, AUDITED, Client::import),
        client("reviewer", 2, AUDITED, Client::review),
        client("trainer", 3, TASKS[0], Client::train),
        client("other trainer", 4, TASKS[1], Client::train),
        client("switcher", 5, TASKS[0], Client::switch),
        client("other switcher", 6, TASKS[1], Client::switch),
        client("reader", 7, TASKS[0], Client::infer),
    ]
}

struct Client<'w> {
    world: &'w World,
    name: &'static str,
    task: &'static str,
    random: Random,
    asked: u64,
    /// The version that this client made active.
    active: Option<String>,
}

/// An answer to a request.
struct Answer {
    status: u16,
    body: Value,
    /// It was sent more than once, and may have been carried out before.
    again: bool,
}

impl Client<'_> {
    /// Sends a request until it is answered.
    #[track_caller]
    fn ask(&mut self, method: &str, path: &str, kind: &str, body: &[u8]) -> Answer {
        self.asked += 1;
        let key = format!("{} {}", self.name, self.asked);
        let (began, mut again) = (Instant::now(), false);
        loop {
            let headers = [("content-type", kind), ("idempotency-key", &key)];
            let last = match send(self.world.address, method, path, &headers, body) {
                Ok((status @ (429 | 503), text)) => format!("{status}: {text}"),
                Ok((409, text)) if text.contains("with this key is in progress") => text,
                Ok((status, text)) => {
                    assert!(status < 500, "{} got {status} for {method} {path}: {text}", self.name);
                    let body = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}: {text}"));
                    return Answer { status, body, again };
                }
                Err(error) => error.to_string(),
            };
            again = true;
            assert!(began.elapsed() < PATIENCE, "{} got no answer to {method} {path}, at last: {last}", self.name);
            sleep(Duration::from_millis(30));
        }
    }

    #[track_caller]
    fn post(&mut self, path: &str, body: &Value) -> Answer {
        self.ask("POST", path, "application/json", body.to_string().as_bytes())
    }

    #[track_caller]
    fn get(&mut self, path: &str) -> Value {
        let answer = self.ask("GET", path, "application/json", b"");
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        answer.body
    }

    /// Uploads five new examples, again if the server was killed while it read them, until they are stored.
    fn import(&mut self) {
        sleep(Duration::from_millis(200));
        let batch = self.asked;
        let inputs: Vec<String> = (0..5).map(|i| format!("perhaps {batch} {i}")).collect();
        let rows: String = inputs.iter().map(|input| format!("{input},\n")).collect();
        let (kind, form) = csv_form(self.task, &rows);
        loop {
            let begun = self.ask("POST", "/api/v1/imports", kind, &form);
            assert_eq!(begun.status, 202, "{}", begun.body);
            let id = begun.body["import"]["id"].as_str().unwrap().to_owned();
            self.world.ledger.imports.lock().unwrap().insert(id.clone());
            let state = loop {
                let import = self.get(&format!("/api/v1/imports/{id}"));
                match import["state"].as_str().unwrap() {
                    "running" => sleep(Duration::from_millis(20)),
                    "failed" => {
                        assert!(import["problem"]["hint"].as_str().unwrap().starts_with("upload it again"), "{import}");
                        break "failed";
                    }
                    _ => break "done",
                }
            };
            if state == "done" {
                self.world.ledger.inputs.lock().unwrap().extend(inputs);
                return;
            }
        }
    }

    /// Decides about a pending example.
    fn review(&mut self) {
        let found = self.get(&format!("/api/v1/examples?task={}&state=pending&limit=5", self.task));
        let pending = found["examples"].as_array().unwrap();
        if pending.is_empty() {
            return;
        }
        let example = &pending[self.random.below(pending.len() as u64) as usize];
        let (id, revision) = (example["id"].as_str().unwrap(), &example["revision"]);
        let path = format!("/api/v1/examples/{}/{}", self.task, id.replace(':', "%3A"));
        let (what, body, decision) = match self.random.below(3) {
            0 => ("approve", json!({"output": "good"}), Decision { state: "approved", output: Some("good") }),
            1 => ("edit", json!({"output": "bad"}), Decision { state: "approved", output: Some("bad") }),
            _ => ("reject", json!({"reason": "no"}), Decision { state: "rejected", output: None }),
        };
        let mut body = body;
        body["revision"] = revision.clone();
        let answer = self.post(&format!("{path}/{what}"), &body);
        let decided = match answer.status {
            200 => answer.body["example"].clone(),
            // It was carried out, and the server was killed before it said so.
            409 if answer.again => self.get(&path)["example"].clone(),
            status => panic!("{what} {id}: {status} {}", answer.body),
        };
        assert!(decision.holds(&decided), "{what} {id}: {decided}");
        self.world.ledger.decisions.lock().unwrap().insert(id.to_owned(), decision);
    }

    /// Submits a short run, if the task has none; sometimes twice, and sometimes asks for its end.
    fn train(&mut self) {
        let settings = json!({"epochs": 0.2, "batch_size": 8, "threads": 1, "rank": 2, "checkpoints_per_epoch": 8});
        let body = json!({"task": self.task, "base": "tiny", "evaluate": false, "settings": settings});
        let answer = self.post("/api/v1/runs", &body);
        if answer.status == 409 {
            return;
        }
        assert_eq!(answer.status, 202, "{}", answer.body);
        let id = answer.body["run"]["id"].as_str().unwrap().to_owned();
        self.world.ledger.runs.lock().unwrap().insert(id.clone());
        match self.random.below(5) {
            0 => {
                self.asked -= 1;
                let second = self.post("/api/v1/runs", &body);
                assert_eq!(second.body["run"]["id"], *id, "the same key, another run: {}", second.body);
            }
            1 => {
                sleep(Duration::from_millis(self.random.below(300)));
                self.world.ledger.cancelled.lock().unwrap().insert(id.clone());
                let answer = self.post(&format!("/api/v1/runs/{id}/cancel"), &json!({}));
                assert!(matches!(answer.status, 202 | 409), "{}", answer.body);
            }
            _ => {}
        }
    }

    /// Activates another version, or rolls back; no other client does so with this task.
    fn switch(&mut self) {
        sleep(Duration::from_millis(100));
        let found = self.get(&format!("/api/v1/versions?task={}&limit=1000", self.task));
        let versions = found["versions"].as_array().unwrap();
        let active: Vec<&str> =
            versions.iter().filter(|v| v["stage"] == "active").map(|v| v["name"].as_str().unwrap()).collect();
        assert_eq!(
            active,
            self.active.as_deref().into_iter().collect::<Vec<_>>(),
            "the active version moved by itself"
        );
        if versions.is_empty() {
            return;
        }
        let next = versions[self.random.below(versions.len() as u64) as usize]["name"].as_str().unwrap();
        let back = self.active.is_some() && self.random.below(4) == 0;
        let (path, body) = if back {
            (format!("/api/v1/tasks/{}/rollback", self.task), json!({"expected": self.active}))
        } else {
            let body = json!({"expected": self.active, "force": true});
            (format!("/api/v1/versions/{}/{next}/activate", self.task), body)
        };
        let answer = self.post(&path, &body);
        let now = match answer.status {
            200 => answer.body["version"]["name"].as_str().map(str::to_owned),
            409 if answer.again && answer.body.get("current").is_some() => {
                answer.body["current"].as_str().map(str::to_owned)
            }
            409 if back => self.active.clone(),
            status => panic!("{path}: {status} {}", answer.body),
        };
        assert!(back || now.as_deref() == Some(next), "{path}: {now:?}");
        self.world.ledger.active.lock().unwrap().extend(now.clone().map(|name| (self.task, name)));
        self.active = now;
    }

    /// Asks the active version.
    fn infer(&mut self) {
        let answer = self.post("/api/v1/infer", &json!({"task": self.task, "input": "yes yes 5"}));
        assert!(matches!(answer.status, 200 | 404), "{}: {}", answer.status, answer.body);
    }
}
