//! Searches for settings: interrupted, shared by workers, started over HTTP.

use std::{
    collections::BTreeSet,
    process::Stdio,
    thread::sleep,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::common::{Graft, Random, model, seed, server::Server};

const TASK: &str = "text-classification";

/// What of a study must not depend on interruptions.
fn found(view: &Value) -> Vec<Value> {
    let trials = view["trials"].as_array().unwrap();
    let part =
        |trial: &Value| json!([trial["number"], trial["state"], trial["settings"], trial["loss"], trial["rungs"]]);
    trials.iter().map(part).chain([view["best"].clone(), view["defaults_are_best"].clone()]).collect()
}

#[test]
fn killed_study_finds_the_same_settings() {
    // `cargo xtask campaign studies` asks for the long form.
    let (count, kills) = if std::env::var_os("GRAFT_KILLS").is_some() { (20, 20) } else { (8, 10) };
    let budget = format!("{count}-trials");
    let search =
        ["search", TASK, "--base", "tiny", "--budget", &budget, "--epochs", "2", "--threads", "1", "--seed", "5"];
    let graft = Graft::with_toy_task();
    let whole = graft.json(&search);
    assert_eq!(whole["study"]["state"], "done");
    let trials = whole["trials"].as_array().unwrap();
    assert_eq!(trials.len(), count);
    let settings: BTreeSet<String> = trials.iter().map(|trial| trial["settings"].to_string()).collect();
    assert_eq!(settings.len(), count, "each trial is another");
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

    // The next study of the task begins with what was best here.
    let mut next = search;
    next[5] = "3-trials";
    let next = graft.json(&next);
    let best = &trials[whole["best"].as_u64().unwrap() as usize]["settings"];
    let begun: Vec<&Value> = next["trials"].as_array().unwrap().iter().map(|trial| &trial["settings"]).collect();
    assert!(begun.contains(&best), "{best:#} {begun:#?}");

    let killed = Graft::with_toy_task();
    println!("repeat it with GRAFT_SEED={}", seed());
    let mut random = Random::new(seed());
    for kill in 0..kills {
        let mut child = killed.command(&search).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        sleep(Duration::from_millis(300 + random.below(2500)));
        child.kill().unwrap();
        child.wait().unwrap();
        if kill % 2 == 0 {
            kill_trainers(&killed);
        }
    }
    let view = killed.json(&search);
    let studies = killed.json(&["studies", "list"])["studies"].as_array().unwrap().len();
    let view = if studies == 1 { view } else { ended_before(&killed) };
    assert_eq!(found(&view), found(&whole));
}

#[test]
fn trials_choose_among_several_base_models() {
    let graft = Graft::with_toy_task();
    graft.ok(&["base", "add", "other", model("tiny-t5").to_str().unwrap()]);
    let search = ["search", TASK, "--base", "tiny", "--base", "other", "--method", "lora", "--budget", "8-trials"];
    let view = graft.json(&[&search[..], &["--epochs", "1", "--threads", "1", "--seed", "5"]].concat());
    let trials = view["trials"].as_array().unwrap();
    let base = |trial: &Value| trial["settings"]["base"].as_str().unwrap().to_owned();
    assert_eq!(base(&trials[0]), "tiny", "the first is the recipe's");
    assert_eq!(trials.iter().map(base).collect::<BTreeSet<_>>(), ["other".to_owned(), "tiny".to_owned()].into());
    for trial in trials {
        let run = graft.json(&["runs", "show", trial["run"].as_str().unwrap()])["run"].clone();
        assert_eq!(run["spec"]["base"]["name"], json!(base(trial)));
        if trial["state"] != "complete" {
            continue;
        }
        // Losses of models with other tokens can be compared only by example.
        let per_token = run["final_loss"].as_f64().unwrap();
        let events = graft.home().join("runs").join(run["id"].as_str().unwrap()).join("events.jsonl");
        let events = std::fs::read_to_string(events).unwrap();
        let mut events = events.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let prepared = events.find(|event| event["event"] == "prepared").unwrap();
        let tokens = prepared["measured_tokens"].as_f64().unwrap() / prepared["measured"].as_f64().unwrap();
        assert!(tokens > 1.0 && (trial["loss"].as_f64().unwrap() - tokens * per_token).abs() < 1e-9, "{trial:#}");
    }
    let best = base(&trials[view["best"].as_u64().unwrap() as usize]);
    let command = view["command"].as_str().unwrap();
    assert!(command.contains(&format!("--base {best}")), "{command}");
    let run = graft.json(&["studies", "train", view["study"]["id"].as_str().unwrap()])["run"].clone();
    assert_eq!(run["spec"]["base"]["name"], json!(best));
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
    // Settings of either method are accepted where both are searched.
    let wanted =
        json!({"task": TASK, "base": "tiny", "budget": "6-trials", "settings": {"rank": 8, "prompt_tokens": 5}});
    let again = server.json(202, "POST", "/api/v1/studies", &wanted)["study"]["id"].as_str().unwrap().to_owned();
    let stopped = server.json(200, "POST", &format!("/api/v1/studies/{again}/stop"), &json!({}));
    assert_eq!(stopped["study"]["state"], "stopped");
    let view = server.get(&format!("/api/v1/studies/{again}"));
    assert!(view["trials"].as_array().unwrap().iter().all(|trial| trial["state"] != "running"), "{view:#}");
}

#[test]
fn a_prompt_waits_for_its_search_and_trains_with_what_it_found() {
    let graft = Graft::with_toy_task();
    let server = Server::start(&graft);
    let submit = |effort: &str| {
        let wanted = json!({"text": "\"yes yes yes\" -> good\n\"no no no\" -> bad", "model_type": "text_classification",
            "base": "tiny", "search": "10-trials", "effort": effort});
        let prompt = server.json(202, "POST", "/api/v1/prompts", &wanted)["prompt"].clone();
        prompt["run"].as_str().unwrap_or_else(|| panic!("{prompt:#}")).to_owned()
    };
    let run = submit("recommended");
    let path = format!("/api/v1/runs/{run}");
    let waits = server.get(&path);
    assert_eq!((&waits["run"]["state"], &waits["run"]["phase"]), (&json!("queued"), &json!("search")));
    let study = waits["run"]["search"].as_str().unwrap().to_owned();
    assert!(waits["waiting"]["why"].as_str().unwrap().contains(&study), "{waits:#}");
    assert_eq!(server.get(&format!("/api/v1/training/status/{run}"))["phase"], json!(2));
    let began = Instant::now();
    let until = |path: &str, is: &dyn Fn(&Value) -> bool| loop {
        let view = server.get(path);
        if is(&view) {
            break view;
        }
        assert!(began.elapsed() < Duration::from_secs(300), "{view:#}");
        sleep(Duration::from_millis(100));
    };
    let found = until(&path, &|view| view["run"]["state"] == "succeeded");
    let view = server.get(&format!("/api/v1/studies/{study}"));
    assert_eq!((&view["study"]["state"], view["trials"].as_array().unwrap().len()), (&json!("done"), 10));
    // The settings are those of the best trial where it is better than the recipe's.
    let optim = &found["run"]["spec"]["optim"];
    let best = &view["trials"][view["best"].as_u64().unwrap() as usize]["settings"];
    assert_eq!(view["defaults_are_best"], json!(false), "settings that are better are easy to find here");
    assert_eq!((&optim["lr"], &optim["epochs"]), (&best["settings"]["learning_rate"], &best["settings"]["epochs"]));
    assert_eq!(found["run"]["method"], best["method"]);
    assert_eq!(found["run"]["dataset"], view["study"]["plan"]["dataset"]);

    // A run that is cancelled takes its study along, and trains with the recipe when it is put back.
    let run = submit("recommended");
    let path = format!("/api/v1/runs/{run}");
    let study = server.get(&path)["run"]["search"].as_str().unwrap().to_owned();
    server.json(202, "POST", &format!("{path}/cancel"), &json!({}));
    until(&format!("/api/v1/studies/{study}"), &|view| view["study"]["state"] == "stopped");
    let again = server.json(202, "POST", &format!("{path}/retry"), &json!({}))["run"].clone();
    assert_eq!((again.get("search"), again.get("phase").cloned().unwrap_or_default()), (None, Value::Null));
    server.json(202, "POST", &format!("{path}/cancel"), &json!({}));

    // A study that is stopped lets its run go on with the best until then, or with the recipe.
    until(&path, &|view| view["run"]["state"] == "cancelled");
    let run = submit("quick");
    let path = format!("/api/v1/runs/{run}");
    let study = server.get(&path)["run"]["search"].as_str().unwrap().to_owned();
    let plan = server.get(&format!("/api/v1/studies/{study}"))["study"]["plan"].clone();
    server.json(200, "POST", &format!("/api/v1/studies/{study}/stop"), &json!({}));
    let went_on = until(&path, &|view| view["run"]["state"] == "succeeded");
    assert_eq!(went_on["run"]["search"], json!(study));
    assert_eq!(plan["settings"]["epochs"], went_on["run"]["spec"]["optim"]["epochs"], "the epochs of the effort");
}
