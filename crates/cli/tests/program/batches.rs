//! Files that are answered in the background, part by part.

use std::{
    collections::HashMap,
    process::{Child, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use graft_testkit::Postgres;
use serde_json::{Value, json};

use crate::common::{Graft, Random, seed};

/// A home with a version of the toy task that answers.
fn home(graft: Graft) -> Graft {
    graft.add_toy_task();
    graft.ok(&["train", "text-classification", "--base", "tiny", "--epochs", "0.2", "--no-eval"]);
    graft.ok(&["models", "set-active", "v1", "--force"]);
    graft
}

fn inputs(count: usize) -> String {
    (1..=count).map(|n| format!("{}\n", json!({"id": format!("row {n}"), "text": format!("wow {n}")}))).collect()
}

/// The ids of written answers, which must all be there once, in order.
fn ids(graft: &Graft, batch: &str) -> Vec<String> {
    graft.ok(&["batch", "results", batch, "--output", "answers.jsonl"]);
    let text = std::fs::read_to_string(graft.dir.path().join("answers.jsonl")).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.map(|line| line["id"].as_str().unwrap().to_owned()).collect()
}

fn work(graft: &Graft, batch: &str) -> Child {
    let mut command = graft.command(&["batch", "work", batch, "--once"]);
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

#[test]
fn worker_answers_a_batch_in_the_order_of_its_file() {
    let graft = home(Graft::new());
    let file = graft.file("in.jsonl", &inputs(25));
    let file = file.to_str().unwrap();
    let batch = graft.json(&["batch", "submit", file, "--part-lines", "10"])["batch"].clone();
    assert_eq!((&batch["lines"], &batch["parts"], &batch["state"]), (&json!(25), &json!(3), &json!("running")));
    let id = batch["id"].as_str().unwrap();
    graft.fails(2, &["batch", "results", id, "--output", "answers.jsonl"], "0 of 25");
    graft.fails(2, &["batch", "remove", id], "from running to removed");
    graft.ok(&["worker", "--once", "--no-suggestions"]);
    let done = graft.json(&["batch", "show", id])["batch"].clone();
    assert_eq!((&done["state"], &done["answered"], &done["parts_done"]), (&json!("done"), &json!(25), &json!(3)));
    assert_eq!(ids(&graft, id), (1..=25).map(|n| format!("row {n}")).collect::<Vec<_>>());
    // The same answers as at once.
    graft.ok(&["infer", "--input-file", file, "--output", "at-once.jsonl"]);
    let read = |name: &str| std::fs::read_to_string(graft.dir.path().join(name)).unwrap();
    assert_eq!(read("answers.jsonl"), read("at-once.jsonl"));
    graft.ok(&["batch", "remove", id]);
    graft.fails(2, &["batch", "show", id], "find batch");
}

#[test]
fn batch_that_cannot_be_answered_fails_with_the_reason() {
    let graft = home(Graft::new());
    let file = graft.file("in.jsonl", &inputs(3));
    let id = graft.json(&["batch", "submit", file.to_str().unwrap()])["batch"]["id"].as_str().unwrap().to_owned();
    std::fs::rename(graft.home().join("adapters"), graft.home().join("away")).unwrap();
    for _ in 0..3 {
        assert_ne!(graft.run(&["batch", "work", "--once"]).code, 0);
    }
    let failed = graft.json(&["batch", "show", &id])["batch"].clone();
    assert_eq!(failed["state"], "failed", "{failed}");
    assert!(failed["failure"].as_str().unwrap().starts_with("part 1: failed to"), "{failed}");
    std::fs::rename(graft.home().join("away"), graft.home().join("adapters")).unwrap();
    graft.ok(&["batch", "resume", &id]);
    graft.ok(&["batch", "work", "--once"]);
    assert_eq!(ids(&graft, &id).len(), 3);
}

/// Two processes answer a batch; each is killed again and again, and another takes its place. A few hundred lines by default,
/// `GRAFT_LINES=N` for more.
fn every_line_is_answered_once(graft: Graft) {
    let lines = std::env::var("GRAFT_LINES").ok().and_then(|count| count.parse().ok()).unwrap_or(400);
    let graft = home(graft);
    let file = graft.file("in.jsonl", &inputs(lines));
    let part = (lines / 40).clamp(1, 1000).to_string();
    let submitted = graft.json(&["batch", "submit", file.to_str().unwrap(), "--part-lines", &part]);
    let id = submitted["batch"]["id"].as_str().unwrap();
    let mut random = Random::new(seed());
    let mut workers = [work(&graft, id), work(&graft, id)];
    for _ in 0..6 {
        sleep(Duration::from_millis(200 + random.below(800)));
        let killed = &mut workers[usize::try_from(random.below(2)).unwrap()];
        killed.kill().unwrap();
        killed.wait().unwrap();
        *killed = work(&graft, id);
    }
    let began = Instant::now();
    for worker in &mut workers {
        worker.wait().unwrap();
    }
    // The lease of a killed process ends with it, so nobody waited for one.
    let batch = graft.json(&["batch", "show", id])["batch"].clone();
    assert_eq!(batch["state"], "done", "{batch}, {:?} after the last kill, seed {}", began.elapsed(), seed());
    let mut seen = HashMap::new();
    for id in ids(&graft, id) {
        *seen.entry(id).or_insert(0) += 1;
    }
    assert_eq!(seen.len(), lines);
    assert!(seen.values().all(|times| *times == 1), "each line once");
}

#[test]
fn killed_workers_answer_every_line_once_on_sqlite() {
    every_line_is_answered_once(Graft::new());
}

#[test]
fn killed_workers_answer_every_line_once_on_postgres() {
    let Some(server) = Postgres::shared() else { return };
    every_line_is_answered_once(Graft::on(server.database().unwrap()));
}
