//! Searches for settings: interrupted, shared by workers, started over HTTP.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![cfg(target_os = "linux")]

mod common;

use std::{
    collections::BTreeSet,
    process::Stdio,
    thread::sleep,
    time::{Duration, Instant},
};

use common::{Graft, Random, seed, server::Server};
use serde_json::{Value, json};

const TASK: &str = "text-classification";
const SEARCH: [&str; 12] =
    ["search", TASK, "--base", "tiny", "--budget", "8-trials", "--epochs", "2", "--threads", "1", "--seed", "5"];

/// What of a study must not depend on interruptions.
fn found(view: &Value) -> Vec<Value> {
    let trials = view["trials"].as_array().unwrap();
    let part =
        |trial: &Value| json!([trial["number"], trial["state"], trial["settings"], trial["loss"], trial["rungs"]]);
    trials.iter().map(part).chain([view["best"].clone(), view["defaults_are_best"].clone()]).collect()
}

#[test]
fn killed_study_finds_the_same_settings() {
    let graft = Graft::with_toy_task();
    let whole = graft.json(&SEARCH);
    assert_eq!(whole["study"]["state"], "done");
    let trials = whole["trials"].as_array().unwrap();
    assert_eq!(trials.len(), 8);
    let settings: BTreeSet<String> = trials.iter().map(|trial| trial["settings"].to_string()).collect();
    assert_eq!(settings.len(), 8, "each trial is another");
    let states: Vec<&str> = trials.iter().map(|trial| trial["state"].as_str().unwrap()).collect();
    assert!(states.iter().all(|state| ["complete", "pruned"].contains(state)), "{trials:#?}");
    assert!(states.contains(&"pruned"), "{trials:#?}");
    assert_eq!((states[0], &trials[0]["settings"]["settings"]["epochs"]), ("complete", &json!(2.0)));
    assert!(whole["best"].is_u64() && whole["defaults_are_best"].is_boolean());
    assert!(whole["front"].as_array().unwrap().contains(&whole["best"]));
    // Trials make no versions, and what the task holds out stays unseen.
    assert_eq!(graft.json(&["models", "list"])["versions"], json!([]));
    let run = graft.json(&["runs", "show", trials[0]["run"].as_str().unwrap()])["run"].clone();
    assert_eq!((run["train_samples"].as_u64(), run["eval_samples"].as_u64()), (Some(36), Some(12)));

    let killed = Graft::with_toy_task();
    println!("repeat it with GRAFT_SEED={}", seed());
    let mut random = Random::new(seed());
    for kill in 0..10 {
        let mut child = killed.command(&SEARCH).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        sleep(Duration::from_millis(300 + random.below(2500)));
        child.kill().unwrap();
        child.wait().unwrap();
        if kill % 2 == 0 {
            kill_trainers(&killed);
        }
    }
    let view = killed.json(&SEARCH);
    let studies = killed.json(&["studies", "list"])["studies"].as_array().unwrap().len();
    let view = if studies == 1 { view } else { ended_before(&killed) };
    assert_eq!(found(&view), found(&whole));
}

/// The first study, if it had ended before the last kill and a second one was begun.
fn ended_before(graft: &Graft) -> Value {
    let studies = graft.json(&["studies", "list"])["studies"].clone();
    let first = studies.as_array().unwrap().last().unwrap()["id"].as_str().unwrap().to_owned();
    graft.json(&["studies", "show", &first])
}

/// Kills the trainers of a home as well.
fn kill_trainers(graft: &Graft) {
    let home = graft.home().to_str().unwrap().to_owned();
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let line = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line).into_owned();
        if let (true, Some(pid)) = (line.contains("train-dir") && line.contains(&home), entry.file_name().to_str()) {
            // It may have ended by itself.
            let _ = std::process::Command::new("kill").args(["-KILL", pid]).status();
        }
    }
}

#[test]
fn two_workers_run_each_trial_once() {
    let graft = Graft::with_toy_task();
    let server = Server::start(&graft);
    let wanted = json!({"task": TASK, "base": "tiny", "method": "lora", "budget": "6-trials", "parallel": 2,
        "settings": {"epochs": 1.0, "threads": 1, "seed": 5}});
    let study = server.json(202, "POST", "/api/v1/studies", &wanted)["study"]["id"].as_str().unwrap().to_owned();
    let problem = server.json(409, "POST", "/api/v1/studies", &wanted);
    assert!(problem["detail"].as_str().unwrap().contains(&study), "{problem:#}");
    // Another process beside the server's worker.
    let beside = graft.run(&["search", TASK, "--base", "tiny"]);
    assert!(beside.stderr.contains("Continuing study"), "{}", beside.stderr);
    let path = format!("/api/v1/studies/{study}");
    let began = Instant::now();
    let view = loop {
        let view = server.get(&path);
        if view["study"]["state"] != "running" {
            break view;
        }
        assert!(began.elapsed() < Duration::from_secs(300), "{view:#}");
        sleep(Duration::from_millis(100));
    };
    assert_eq!(view["study"]["state"], "done");
    let numbers: Vec<u64> =
        view["trials"].as_array().unwrap().iter().map(|trial| trial["number"].as_u64().unwrap()).collect();
    assert_eq!(numbers, [0, 1, 2, 3, 4, 5]);
    for trial in view["trials"].as_array().unwrap() {
        let run = graft.json(&["runs", "show", trial["run"].as_str().unwrap()])["run"].clone();
        assert_eq!((&run["attempts"], &run["study"], &run["priority"]), (&json!(1), &json!(study), &json!("low")));
    }
    // The task can be trained meanwhile and afterwards: trials don't take its place.
    let run = server.json(202, "POST", &format!("{path}/train"), &json!({}))["run"].clone();
    assert_eq!(run.get("study"), None);
    server.json(404, "GET", "/api/v1/studies/nothing", &json!({}));
    let odd = json!({"task": TASK, "budget": "soon"});
    server.json(422, "POST", "/api/v1/studies", &odd);
    let again = server.json(202, "POST", "/api/v1/studies", &wanted)["study"]["id"].as_str().unwrap().to_owned();
    let stopped = server.json(200, "POST", &format!("/api/v1/studies/{again}/stop"), &json!({}));
    assert_eq!(stopped["study"]["state"], "stopped");
    let view = server.get(&format!("/api/v1/studies/{again}"));
    assert!(view["trials"].as_array().unwrap().iter().all(|trial| trial["state"] != "running"), "{view:#}");
}
