//! Runs that are killed, stopped or started twice continue with the same result.

use std::{
    path::{Path, PathBuf},
    process::{Child, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::common::{Graft, Random, ended, seed, signal};

const TRAIN: [&str; 8] = ["train", "text-classification", "--base", "tiny", "--batch-size", "4", "--dropout", "0.1"];
const LONG: [&str; 5] = ["--epochs", "6", "--checkpoints-per-epoch", "6", "--no-eval"];

fn steps(dir: &Path) -> usize {
    let text = std::fs::read_to_string(dir.join("events.jsonl")).unwrap_or_default();
    text.lines().filter(|line| line.contains("\"event\":\"step\"")).count()
}

/// Waits until the run has taken more steps than before; `false` if the process ended first.
fn wait_for_steps(dir: &Path, more: usize, child: &mut Child) -> bool {
    let (before, began) = (steps(dir), Instant::now());
    while steps(dir) < before + more {
        if child.try_wait().unwrap().is_some() {
            return false;
        }
        assert!(began.elapsed() < Duration::from_secs(60), "no step in a minute");
        sleep(Duration::from_millis(2));
    }
    true
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to.join("data")).unwrap();
    for name in ["spec.json", "data/train.jsonl", "data/eval.jsonl"] {
        std::fs::copy(from.join(name), to.join(name)).unwrap();
    }
}

fn adapter(dir: &Path) -> (Value, Vec<u8>) {
    let run: Value = serde_json::from_slice(&std::fs::read(dir.join("training_run.json")).unwrap()).unwrap();
    (run["adapter_hash"].clone(), std::fs::read(dir.join("adapter/adapter_model.safetensors")).unwrap())
}

#[test]
fn ten_kills_do_not_change_the_adapter() {
    let graft = Graft::with_toy_task();
    let whole = graft.json(&[&TRAIN[..], &LONG[..]].concat());
    let whole = graft.home().join("runs").join(whole["run"].as_str().unwrap());
    let dir = graft.dir.path().join("killed");
    copy(&whole, &dir);
    let args = ["train-dir", dir.to_str().unwrap()];
    println!("repeat it with GRAFT_SEED={}", seed());
    let (mut random, mut kills) = (Random::new(seed()), 0);
    while kills < 10 {
        let mut child = graft.command(&args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let alive = wait_for_steps(&dir, 1 + random.below(8) as usize, &mut child);
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(alive || kills > 0, "it ended before it could be killed");
        kills += 1;
        if !alive {
            break;
        }
    }
    graft.ok(&args);
    assert_eq!(adapter(&dir), adapter(&whole));
    let events = std::fs::read_to_string(dir.join("events.jsonl")).unwrap();
    let seqs: Vec<u64> =
        events.lines().map(|l| serde_json::from_str::<Value>(l).unwrap()["seq"].as_u64().unwrap()).collect();
    assert!(seqs.iter().copied().eq(1..=seqs.len() as u64), "events have no gaps");
    assert!(events.contains("\"event\":\"resumed\""));
}

#[test]
fn moved_run_directory_resumes_with_same_result() {
    let graft = Graft::with_toy_task();
    let whole = graft.json(&[&TRAIN[..], &LONG[..], &["--threads", "2"]].concat());
    let whole = graft.home().join("runs").join(whole["run"].as_str().unwrap());
    let dir = graft.dir.path().join("killed");
    copy(&whole, &dir);
    let mut child = graft.command(&["train-dir", dir.to_str().unwrap()]);
    let mut child = child.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    assert!(wait_for_steps(&dir, 20, &mut child), "it ended before it could be killed");
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(dir.join("checkpoints").read_dir().unwrap().next().is_some());

    // Another home that does not know the base model; its files are elsewhere, under another name.
    let other = Graft::new();
    let (moved, base) = (other.dir.path().join("moved/here"), other.dir.path().join("models/mine"));
    std::fs::create_dir_all(moved.parent().unwrap()).unwrap();
    std::fs::create_dir_all(&base).unwrap();
    std::fs::rename(&dir, &moved).unwrap();
    for file in crate::common::model("tiny-llama").read_dir().unwrap().map(|entry| entry.unwrap().path()) {
        if file.is_file() {
            std::fs::copy(&file, base.join(file.file_name().unwrap())).unwrap();
        }
    }
    let here = moved.to_str().unwrap();
    let missing = other.fails(11, &["train-dir", here, "--threads", "1"], "--base PATH");
    assert!(missing.stderr.contains("find base model `tiny`"), "{}", missing.stderr);
    let failed = std::fs::read_to_string(moved.join("events.jsonl")).unwrap();
    let failed: Value = serde_json::from_str(failed.lines().last().unwrap()).unwrap();
    assert_eq!((&failed["event"], &failed["class"], &failed["code"]), (&"failed".into(), &"model".into(), &11.into()));
    let t5 = crate::common::model("tiny-t5");
    other.fails(11, &["train-dir", here, "--base", t5.to_str().unwrap()], "not those the run was made for");
    other.ok(&["base", "add", "another-name", base.to_str().unwrap()]);

    other.ok(&["train-dir", here, "--threads", "1"]);
    let events = std::fs::read_to_string(moved.join("events.jsonl")).unwrap();
    assert!(events.contains("\"event\":\"resumed\""), "it began anew");
    assert_eq!(adapter(&moved), adapter(&whole), "the number of threads changes no bit");
}

/// Starts `graft train` and waits until it trains; returns it with the run's directory.
fn begin(graft: &Graft, extra: &[&str]) -> (Child, PathBuf, String) {
    let id = "the-run";
    let args = [&TRAIN[..], extra, &["--run-id", id]].concat();
    let mut child = graft.command(&args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let dir = graft.home().join("runs").join(id);
    assert!(wait_for_steps(&dir, 3, &mut child));
    (child, dir, id.to_owned())
}

fn kill_trainer(graft: &Graft) {
    let killed: Vec<bool> = graft.processes().into_iter().map(|pid| signal(pid, "KILL")).collect();
    assert_eq!(killed, [true], "there is one trainer");
}

/// Runs until it is stopped.
const VERY_LONG: [&str; 5] = ["--epochs", "10000", "--checkpoints-per-epoch", "3000", "--no-eval"];

#[test]
fn trainer_outlives_the_command_that_started_it() {
    let graft = Graft::with_toy_task();
    let (mut starter, dir, id) = begin(&graft, &VERY_LONG);
    starter.kill().unwrap();
    starter.wait().unwrap();
    let shown = graft.json(&["runs", "show", &id]);
    assert_eq!((&shown["alive"], &shown["run"]["state"]), (&true.into(), &"running".into()));
    // When the follower's lease has expired, the run says that no worker follows it.
    let began = Instant::now();
    let is_told =
        |shown: &Value| shown["waiting"]["why"].as_str().is_some_and(|why| why.contains("its worker has stopped"));
    while !is_told(&graft.json(&["runs", "show", &id])) {
        assert!(began.elapsed() < Duration::from_secs(180), "{:#}", graft.json(&["runs", "show", &id]));
        sleep(Duration::from_millis(200));
    }
    graft.fails(2, &TRAIN, "while run `the-run` is active");
    graft.fails(2, &["train-dir", dir.to_str().unwrap()], "another process is using it");

    // No process is running: the run is found to have failed, and the same command continues it.
    kill_trainer(&graft);
    while graft.json(&["runs", "show", &id])["alive"] == true {
        sleep(Duration::from_millis(20));
    }
    assert_eq!(graft.json(&["runs", "list"])["runs"][0]["state"], "failed");
    let taken = steps(&dir);
    let mut again = graft.command(&[&TRAIN[..], &VERY_LONG[..]].concat()).stderr(Stdio::piped()).spawn().unwrap();
    assert!(wait_for_steps(&dir, 3, &mut again));
    assert!(steps(&dir) > taken);

    // Asked to stop, it keeps a checkpoint, and both commands say so.
    let stopped = graft.json(&["runs", "stop", &id]);
    assert_eq!(stopped["state"], "cancelled");
    let said = again.wait_with_output().unwrap();
    let stderr = String::from_utf8_lossy(&said.stderr).into_owned();
    assert_eq!(said.status.code(), Some(20), "{stderr}");
    assert!(stderr.contains("Going on with run the-run") && stderr.contains("graft runs resume"), "{stderr}");
    assert!(graft.ok(&["runs", "logs", &id]).contains("Continuing from step"));
    assert!(graft.ok(&["runs", "logs", &id, "--stderr"]).contains("error: failed to finish"));
    graft.fails(2, &["runs", "stop", &id], "which is cancelled");
}

/// The adapter of an uninterrupted training of `LONG`.
fn whole(graft: &Graft) -> (Value, Vec<u8>) {
    let run = graft.json(&[&TRAIN[..], &LONG[..], &["--run-id", "whole"]].concat());
    adapter(&graft.home().join("runs").join(run["run"].as_str().unwrap()))
}

const WORK: [&str; 3] = ["worker", "--once", "--no-suggestions"];

#[test]
fn worker_continues_run_of_a_killed_command() {
    let graft = Graft::with_toy_task();
    let expected = whole(&graft);
    // Only the command is killed: its trainer continues, and a worker stores the result.
    let (mut starter, dir, id) = begin(&graft, &LONG);
    starter.kill().unwrap();
    starter.wait().unwrap();
    graft.ok(&WORK);
    let run = graft.json(&["runs", "show", &id]);
    assert_eq!((&run["run"]["state"], &run["run"]["attempts"]), (&"succeeded".into(), &1.into()), "{run:#}");
    assert_eq!(adapter(&dir), expected);
    // Command and trainer are killed: the next reader marks the run as failed, and it may be queued for a worker.
    graft.ok(&["runs", "delete", &id]);
    let (mut starter, dir, id) = begin(&graft, &LONG);
    starter.kill().unwrap();
    starter.wait().unwrap();
    kill_trainer(&graft);
    let taken = steps(&dir);
    graft.ok(&WORK);
    assert_eq!(graft.json(&["runs", "show", &id])["run"]["state"], "failed");
    graft.ok(&["runs", "retry", &id, "--resume"]);
    graft.ok(&WORK);
    let run = graft.json(&["runs", "show", &id]);
    assert_eq!((&run["run"]["state"], &run["version"]["run"]), (&"succeeded".into(), &id.as_str().into()), "{run:#}");
    assert_eq!(adapter(&dir), expected);
    let events = std::fs::read_to_string(dir.join("events.jsonl")).unwrap();
    assert!(steps(&dir) >= taken && events.contains("\"event\":\"resumed\""), "it began anew");
}

#[test]
fn command_continues_run_of_a_killed_worker() {
    let graft = Graft::with_toy_task();
    let expected = whole(&graft);
    let submit = [&["queue", "submit"], &TRAIN[1..], &LONG[..]].concat();
    let id = graft.json(&submit)["run"]["id"].as_str().unwrap().to_owned();
    let mut worker = graft.command(&WORK).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let dir = graft.home().join("runs").join(&id);
    assert!(wait_for_steps(&dir, 3, &mut worker));
    worker.kill().unwrap();
    worker.wait().unwrap();
    kill_trainer(&graft);
    let taken = steps(&dir);
    let resumed = graft.json(&["runs", "resume", &id]);
    assert_eq!(resumed["version"]["run"], id.as_str(), "{resumed:#}");
    let run = graft.json(&["runs", "show", &id])["run"].clone();
    assert_eq!((&run["state"], &run["attempts"]), (&"succeeded".into(), &2.into()), "{run:#}");
    let events = std::fs::read_to_string(dir.join("events.jsonl")).unwrap();
    assert!(steps(&dir) >= taken && events.contains("\"event\":\"resumed\""), "it began anew");
    assert_eq!(adapter(&dir), expected);
}

#[test]
fn interrupt_stops_after_current_step() {
    let graft = Graft::with_toy_task();
    let (mut starter, dir, id) = begin(&graft, &VERY_LONG);
    assert!(signal(starter.id(), "INT"));
    assert_eq!(ended(&mut starter).code(), Some(20));
    assert!(dir.join("checkpoints").read_dir().unwrap().next().is_some());
    assert_eq!(graft.json(&["runs", "show", &id])["run"]["state"], "cancelled");
}

#[test]
fn killed_trainer_is_reported_and_resumed() {
    let graft = Graft::with_toy_task();
    let (mut starter, _, id) = begin(&graft, &["--epochs", "12", "--checkpoints-per-epoch", "6"]);
    kill_trainer(&graft);
    assert_eq!(ended(&mut starter).code(), Some(1));
    assert!(graft.json(&["runs", "show", &id])["run"]["error"].as_str().unwrap().contains("signal"));
    let resumed = graft.json(&["runs", "resume", &id, "--version", "after", "--skip-base"]);
    assert_eq!(resumed["version"]["name"], "after");
    assert_eq!(resumed["version"]["run"], "the-run");
    // Once more changes nothing.
    assert_eq!(graft.json(&["runs", "resume", &id, "--skip-base"])["version"]["name"], "after");
    assert_eq!(graft.json(&["models", "list"])["versions"].as_array().unwrap().len(), 1);
}
