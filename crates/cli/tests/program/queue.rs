//! The queue as a black box: workers as real processes, killed and paused.

use std::{
    collections::BTreeMap,
    process::{Child, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use graft_store::{ChangeFilter, Due, Kind, Store};
use graft_testkit::hub;
use serde_json::Value;

use crate::common::{Graft, Random, ended, model, seed, server::Server, signal};

/// Settings of a run that is over in a moment.
const SHORT: [&str; 10] =
    ["--base", "tiny", "--epochs", "0.2", "--batch-size", "8", "--no-eval", "--threads", "1", "--rank=2"];
/// Settings of a run that continues until it is stopped.
const LONG: [&str; 8] =
    ["--base", "tiny", "--epochs", "10000", "--no-eval", "--checkpoints-per-epoch", "4", "--threads=1"];
const TASK: &str = "text-classification";

/// A worker's process, which ends with its test.
struct Worker(Child);

impl Worker {
    fn start(graft: &Graft, extra: &[&str]) -> Self {
        let args = [&["worker", "--no-suggestions", "--backoff", "0.2"], extra].concat();
        Self(graft.command(&args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    }

    fn signal(&self, name: &str) {
        assert!(signal(self.0.id(), name));
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn submit(graft: &Graft, task: &str, settings: &[&str]) -> String {
    let reply = graft.json(&[&["queue", "submit", task], settings].concat());
    reply["run"]["id"].as_str().unwrap().to_owned()
}

fn show(graft: &Graft, id: &str) -> Value {
    graft.json(&["runs", "show", id])["run"].clone()
}

#[track_caller]
fn wait_for(graft: &Graft, id: &str, what: &str, is_so: impl Fn(&Value) -> bool) -> Value {
    let began = Instant::now();
    loop {
        let run = show(graft, id);
        if is_so(&run) {
            return run;
        }
        assert!(began.elapsed() < Duration::from_secs(180), "{id} is not {what}: {run:#}");
        sleep(Duration::from_millis(100));
    }
}

#[track_caller]
fn wait_for_state(graft: &Graft, id: &str, state: &str) -> Value {
    wait_for(graft, id, state, |run| run["state"] == state)
}

fn trains(run: &Value) -> bool {
    run["state"] == "running" && run["phase"] == "train"
}

#[test]
fn submitted_run_becomes_a_version() {
    let graft = Graft::with_toy_task();
    let refused = graft.fails(10, &["queue", "submit", "sentiment", "--base", "nowhere"], "more problems");
    assert!(refused.stderr.contains("graft base"), "every problem has its hint: {}", refused.stderr);
    let checked = graft.json(&[&["queue", "submit", TASK, "--dry-run"], &SHORT[..]].concat());
    assert!(checked["ok"] == true && checked["estimate"]["seconds"].as_f64().unwrap() > 0.0, "{checked:#}");
    let again = graft.json(&[&["queue", "submit", TASK, "--dry-run"], &SHORT[..]].concat());
    assert_eq!(checked["estimate"], again["estimate"], "what was timed once is not timed again");
    assert!(checked["command"].as_str().unwrap().starts_with("graft train text-classification --base tiny"));
    let id = submit(&graft, TASK, &["--base", "tiny", "--epochs", "1", "--activate", "--priority", "high"]);
    let waiting = graft.json(&["queue", "list"])["runs"][0]["waiting"]["why"].clone();
    assert!(waiting.as_str().unwrap().contains("no worker is running"), "{waiting}");
    graft.fails(2, &["queue", "submit", TASK, "--base", "tiny"], &format!("while run `{id}` is active"));
    std::thread::scope(|scope| {
        let followed = scope.spawn(|| graft.ok(&["runs", "logs", &id, "--follow"]));
        sleep(Duration::from_millis(500));
        assert!(!followed.is_finished(), "who follows a queued run waits for it");
        graft.ok(&["worker", "--once", "--no-suggestions"]);
        let followed = followed.join().unwrap();
        assert!(!followed.is_empty() && followed == graft.ok(&["runs", "logs", &id]), "to its end: {followed}");
    });
    let shown = graft.json(&["runs", "show", &id]);
    assert_eq!((&shown["run"]["state"], &shown["run"]["attempts"]), (&"succeeded".into(), &1.into()), "{shown:#}");
    let metrics = &shown["version"]["metrics"];
    assert!(metrics["evaluation"]["adapter"].is_object(), "{metrics:#}");
    assert!(shown["version"]["stage"] == "active" || metrics["activation"]["refused"].is_string(), "{shown:#}");
    // Its speed tells the next estimate.
    let again = graft.json(&["queue", "submit", TASK, "--dry-run", "--base", "tiny", "--epochs", "1"]);
    assert!(again["estimate"]["seconds_basis"].as_str().unwrap().contains(&id), "{again:#}");
    graft.ok(&["runs", "delete", &id]);
    graft.fails(2, &["runs", "show", &id], "find run");
}

#[test]
fn run_is_cancelled_while_queued_and_while_training() {
    let graft = Graft::with_toy_task();
    let id = submit(&graft, TASK, &LONG);
    assert_eq!(graft.json(&["runs", "cancel", &id])["state"], "cancelled");
    graft.json(&["runs", "retry", &id]);
    let _worker = Worker::start(&graft, &[]);
    let held = wait_for(&graft, &id, "training", trains);
    signal(pid(&held), "STOP");
    graft.json(&["runs", "cancel", &id]);
    assert_eq!(show(&graft, &id)["state"], "running", "it is acknowledged before the trainer can stop");
    signal(pid(&held), "CONT");
    let began = Instant::now();
    assert_eq!(wait_for_state(&graft, &id, "cancelled")["exit_code"], 20);
    assert!(began.elapsed() < Duration::from_secs(30), "it takes {:?}", began.elapsed());
    graft.json(&["runs", "retry", &id, "--resume"]);
    wait_for(&graft, &id, "training again", trains);
    assert!(graft.ok(&["runs", "logs", &id]).contains("Continuing from step"));
    graft.json(&["runs", "cancel", &id]);
    wait_for_state(&graft, &id, "cancelled");
}

#[test]
fn new_worker_follows_running_trainer() {
    let graft = Graft::with_toy_task();
    let id = submit(&graft, TASK, &LONG);
    let mut worker = Worker::start(&graft, &[]);
    let before = wait_for(&graft, &id, "training", trains);
    // On SIGTERM it releases its leases at once; its trainer keeps running.
    worker.signal("TERM");
    assert!(ended(&mut worker.0).success());
    let _next = Worker::start(&graft, &[]);
    let after = wait_for(&graft, &id, "taken over", |run| run["fence"].as_i64() > before["fence"].as_i64());
    assert_eq!((&after["pid"], &after["attempts"]), (&before["pid"], &before["attempts"]));
    assert!(std::path::Path::new("/proc").join(before["pid"].to_string()).exists());
    // Its trainer killed, it is tried once more, from its checkpoint.
    signal(pid(&before), "KILL");
    let tried = wait_for(&graft, &id, "tried again", |run| trains(run) && run["attempts"] == 2);
    assert_ne!(tried["pid"], before["pid"]);
    graft.json(&["runs", "cancel", &id]);
    wait_for_state(&graft, &id, "cancelled");
}

#[test]
fn permanent_failure_is_not_retried_and_reports_everything() {
    let graft = Graft::with_toy_task();
    let diverging = ["--base", "tiny", "--learning-rate", "100", "--clip", "0", "--epochs", "30", "--alpha", "1e30"];
    let id = submit(&graft, TASK, &diverging);
    graft.ok(&["worker", "--once", "--no-suggestions", "--backoff", "0.1"]);
    let run = show(&graft, &id);
    assert_eq!((&run["state"], &run["exit_code"], &run["attempts"]), (&"failed".into(), &13.into(), &1.into()));
    let error = run["error"].as_str().unwrap();
    assert!(error.contains("--- stderr ---\nerror: ") && error.contains("--- stdout ---\n"), "{error}");
    assert!(error.contains("hint: ") && error.contains("exit code 13 in phase train"), "{error}");

    // The stored hint names flags; over HTTP it names fields.
    assert!(error.contains("`--learning-rate`"), "{error}");
    let server = Server::start(&graft);
    let one = server.get(&format!("/api/v1/runs/{id}"));
    let events = server.get(&format!("/api/v1/runs/{id}/events"))["events"].as_array().unwrap().clone();
    let failed = events.iter().find(|event| event["event"] == "failed").unwrap_or_else(|| panic!("{events:#?}"));
    for told in [
        &one["failure"]["hint"],
        &one["run"]["error"],
        &server.get("/api/v1/runs")["runs"][0]["error"],
        &server.get(&format!("/api/v1/training/status/{id}"))["error"],
        &failed["hint"],
    ] {
        let hint = told.as_str().and_then(|told| told.lines().find(|line| line.contains("learning_rate")));
        let hint = hint.unwrap_or_else(|| panic!("{told}"));
        assert!(!hint.contains("--") && !hint.contains("graft "), "{hint}");
    }
}

#[test]
fn log_reports_stopped_trainer_and_failed_run_with_causes() {
    let graft = Graft::with_toy_task();
    let log = graft.dir.path().join("serve.log");
    let server = Server::spawn(&graft, "127.0.0.1:0".parse().unwrap(), &log);
    let said = || std::fs::read_to_string(&log).unwrap();
    let id = submit(&graft, TASK, &LONG);
    let trainer = pid(&wait_for(&graft, &id, "training", trains));
    let waits = || graft.json(&["runs", "show", &id])["waiting"]["why"].clone();
    let until = |what: &str, is_so: &dyn Fn() -> bool| {
        let began = Instant::now();
        while !is_so() {
            assert!(began.elapsed() < Duration::from_secs(180), "{what}: {}\n{}", waits(), said());
            sleep(Duration::from_millis(100));
        }
    };
    assert_eq!(waits(), Value::Null);
    assert!(signal(trainer, "STOP"));
    let way_out = format!("`kill -CONT {trainer}`");
    until("it is stopped", &|| waits().as_str().is_some_and(|why| why.contains(&way_out)));
    let warned = said().lines().any(|line| line.contains("WARN") && line.contains(&id) && line.contains(&way_out));
    assert!(warned && graft.ok(&["queue", "list"]).contains(&way_out), "{}", said());
    assert!(signal(trainer, "CONT"));
    until("it goes on", &|| waits().is_null());
    graft.json(&["runs", "cancel", &id]);
    wait_for_state(&graft, &id, "cancelled");

    let diverging = ["--base", "tiny", "--learning-rate", "100", "--clip", "0", "--epochs", "30", "--alpha", "1e30"];
    let id = submit(&graft, TASK, &diverging);
    let run = wait_for_state(&graft, &id, "failed");
    let error = run["error"].as_str().unwrap();
    let hint = error.lines().find_map(|line| line.strip_prefix("hint: ")).unwrap();
    let parts = [error.lines().next().unwrap(), hint];
    let told =
        |line: &str| line.contains("ERROR") && line.contains(&id) && parts.iter().all(|part| line.contains(part));
    assert!(said().lines().any(told), "{parts:?} is not in\n{}", said());
    server.stop();
}

#[test]
fn interrupted_activation_is_reported() {
    let graft = Graft::with_toy_task();
    let log = graft.dir.path().join("serve.log");
    let server = Server::spawn(&graft, "127.0.0.1:0".parse().unwrap(), &log);
    let options: Vec<&str> = SHORT.into_iter().filter(|option| *option != "--no-eval").chain(["--activate"]).collect();
    let id = submit(&graft, TASK, &options);
    let began = Instant::now();
    let child = loop {
        match helper(&graft, "set-active") {
            Some(child) if signal(child, "STOP") => break child,
            _ => assert!(began.elapsed() < Duration::from_secs(180), "{:#}", graft.json(&["runs", "show", &id])),
        }
    };
    let way_out = format!("`kill -CONT {child}`");
    let waits = || graft.json(&["runs", "show", &id])["waiting"]["why"].clone();
    while !waits().as_str().is_some_and(|why| why.contains(&way_out)) {
        assert!(began.elapsed() < Duration::from_secs(180), "{}\n{}", waits(), std::fs::read_to_string(&log).unwrap());
        sleep(Duration::from_millis(50));
    }
    assert!(signal(child, "CONT"));
    wait_for_state(&graft, &id, "succeeded");
    assert_eq!(waits(), Value::Null);
    server.stop();
}

/// A process of this home with an argument.
fn helper(graft: &Graft, argument: &str) -> Option<u32> {
    let home = format!("GRAFT_HOME={}", graft.home().display());
    let holds = |pid: u32, file: &str, wanted: &str| {
        let text = std::fs::read(format!("/proc/{pid}/{file}")).unwrap_or_default();
        text.split(|byte| *byte == 0).any(|part| part == wanted.as_bytes())
    };
    let pids =
        std::fs::read_dir("/proc").unwrap().flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.into_iter().find(|pid| holds(*pid, "cmdline", argument) && holds(*pid, "environ", &home))
}

#[test]
fn killed_evaluation_is_finished_once() {
    let graft = Graft::with_toy_task();
    let csv: String = (0..300).map(|i| format!("{} {i},{}\n", "so ".repeat(6), ["good", "bad"][i % 2])).collect();
    let csv = graft.file("more.csv", &format!("text,label\n{csv}"));
    graft.ok(&["import", "csv", csv.to_str().unwrap()]);
    submit(&graft, TASK, &[&SHORT[..], &["--eval-share", "0.9"]].concat());
    graft.ok(&["worker", "--once", "--no-suggestions"]);
    let measure = || {
        let reply = graft.json(&["queue", "evaluate", "--task", TASK, "--version", "v1", "--score-base"]);
        (reply["run"]["id"].as_str().unwrap().to_owned(), reply["begun"] == true)
    };
    let (first, begun) = measure();
    assert!(begun);
    assert_eq!(measure(), (first.clone(), false), "it is not measured twice at once");
    let worker = Worker::start(&graft, &[]);
    let before = hold_halfway(&graft, &first);
    // Worker and process are gone: the next worker begins again.
    drop(worker);
    signal(pid(&before), "KILL");
    let worker = Worker::start(&graft, &[]);
    let run = wait_for_state(&graft, &first, "succeeded");
    assert_eq!((&run["kind"], &run["attempts"]), (&"evaluate".into(), &2.into()), "{run:#}");
    assert_eq!(measured(&graft), 1);
    // Only the worker is gone: the next one takes what its process finds out, or has found out by then.
    let (second, _) = measure();
    let before = hold_halfway(&graft, &second);
    // Continue the process first: the system sends SIGHUP to a stopped process when its parent dies.
    worker.signal("STOP");
    signal(pid(&before), "CONT");
    drop(worker);
    let _worker = Worker::start(&graft, &[]);
    let run = wait_for_state(&graft, &second, "succeeded");
    assert_eq!(run["pid"], before["pid"], "{run:#}");
    assert_eq!(measured(&graft), 2);
    let (third, _) = measure();
    let held = hold_halfway(&graft, &third);
    graft.json(&["runs", "cancel", &third]);
    signal(pid(&held), "CONT");
    assert_eq!(wait_for_state(&graft, &third, "cancelled")["exit_code"], 20);
    assert_eq!(measured(&graft), 2);
    let logs = graft.ok(&["runs", "logs", &second]);
    assert!(logs.contains("examples answered") && logs.contains("base model"), "{logs}");
    graft.fails(2, &["runs", "resume", &third], "which is an evaluation");
    assert_eq!(graft.json(&["runs", "list", "--kind", "evaluate"])["runs"].as_array().unwrap().len(), 3);
}

fn pid(run: &Value) -> u32 {
    run["pid"].as_u64().unwrap() as u32
}

/// Stops the process of a measurement that is under way, so that it can't end before what comes next.
#[track_caller]
fn hold_halfway(graft: &Graft, id: &str) -> Value {
    let events = graft.home().join("runs").join(id).join("events.jsonl");
    let began = Instant::now();
    while !std::fs::read_to_string(&events).is_ok_and(|text| text.contains("answered")) {
        assert!(began.elapsed() < Duration::from_secs(180), "{id} is not measured");
        sleep(Duration::from_millis(5));
    }
    let stopped: Vec<bool> = graft.processes().into_iter().map(|pid| signal(pid, "STOP")).collect();
    assert_eq!(stopped, [true], "{id} was over before it could be held");
    wait_for(graft, id, "known to its worker", |run| run["pid"].is_u64() && run["state"] == "running")
}

/// How often numbers were written to the version.
fn measured(graft: &Graft) -> usize {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let store = Store::open(&graft.database()).await.unwrap();
        let wanted = ChangeFilter { kind: Some(Kind::Version), ..ChangeFilter::default() };
        let changes = store.changes(&wanted).await.unwrap();
        let numbers = |change: &&graft_store::Change| change.after.as_ref()?.pointer("/metrics/evaluation").cloned();
        changes.iter().filter(|change| numbers(change).is_some()).count()
    })
}

#[test]
fn schedule_submits_once_and_only_with_new_approvals() {
    let graft = Graft::with_toy_task();
    let add = |name: &str, extra: &[&str]| {
        graft.json(&[&["schedules", "add", name, TASK, "--cron", "* * * * * *"], &SHORT[..], extra].concat())
    };
    graft.fails(2, &["schedules", "add", "x", TASK, "--cron", "each day"], "understand the schedule");
    add("often", &["--min-new", "1"]);
    graft.fails(2, &["schedules", "add", "often", TASK, "--cron", "0 3 * * *"], "it exists");
    // Many seconds pass unseen; they count once.
    sleep(Duration::from_millis(2500));
    graft.ok(&["worker", "--once", "--no-suggestions"]);
    sleep(Duration::from_millis(1100));
    graft.ok(&["worker", "--once", "--no-suggestions"]);
    assert_eq!(graft.json(&["runs", "list"])["runs"].as_array().unwrap().len(), 1);
    let schedule = graft.json(&["schedules", "list"])["schedules"][0].clone();
    assert!(schedule["last_note"].as_str().unwrap().contains("0 new approvals"), "{schedule:#}");
    assert_eq!(schedule["last_run"], graft.json(&["runs", "list"])["runs"][0]["id"]);
    graft.ok(&["schedules", "remove", "often"]);

    // Nothing has changed, so the same training is not repeated unless that is wanted.
    add("again", &[]);
    sleep(Duration::from_millis(1100));
    graft.ok(&["worker", "--once", "--no-suggestions"]);
    let note = graft.json(&["schedules", "list"])["schedules"][0]["last_note"].clone();
    assert!(note.as_str().unwrap().starts_with("nothing has changed since run"), "{note}");
    assert_eq!(graft.json(&["runs", "list"])["runs"].as_array().unwrap().len(), 1);
    graft.ok(&["schedules", "remove", "again"]);
    add("always", &["--even-unchanged"]);
    sleep(Duration::from_millis(1100));
    graft.ok(&["worker", "--once", "--no-suggestions"]);
    assert!(graft.json(&["runs", "list"])["runs"].as_array().unwrap().len() > 1);
    graft.fails(2, &["schedules", "add", "named", TASK, "--cron", "0 3 * * *", "--version", "v 2"], "v 2");
}

#[test]
fn schedule_without_times_waits_for_approvals() {
    let graft = Graft::with_toy_task();
    let runs = || graft.json(&["runs", "list"])["runs"].as_array().unwrap().len();
    graft.fails(2, &["schedules", "add", "never", TASK], "--cron");
    graft.ok(&[&["train", TASK], &SHORT[..]].concat());
    let added = graft.json(&[&["schedules", "add", "soon", TASK, "--after-new", "2"], &SHORT[..]].concat());
    assert_eq!(added["next_at"], Value::Null);
    for (n, expected) in [(1, 1), (2, 2), (3, 2)] {
        let rows = graft.dir.path().join("more.csv");
        std::fs::write(&rows, format!("text,label\nanother text number {n},good\n")).unwrap();
        graft.ok(&["import", "csv", rows.to_str().unwrap(), "--task", TASK]);
        graft.ok(&["worker", "--once", "--no-suggestions"]);
        assert_eq!(runs(), expected, "after {n} approvals");
    }
}

/// Settings of a short run whose base model is on the Hub.
const FROM_HUB: [&str; 8] = ["--base", hub::REPO, "--epochs", "0.2", "--batch-size", "8", "--threads", "1"];

/// A Hub that has the tiny Llama but holds back half of its weights, and a home that knows no other.
fn with_hub() -> (hub::Server, Graft) {
    let files = ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json", "chat_template.jinja"];
    let files = files.map(|name| (name, std::fs::read(model("tiny-llama").join(name)).unwrap()));
    let server = hub::Server::start(&files);
    server.state().hold = true;
    let graft = Graft::new().with("HF_ENDPOINT", &server.url).with("HF_HUB_OFFLINE", "0");
    graft.add_toy_task();
    (server, graft)
}

/// Whether the only active run downloads.
fn downloads(graft: &Graft) -> impl Fn(&Value) -> bool {
    |_| {
        let progress = &graft.json(&["queue", "list"])["runs"][0]["progress"];
        progress["phase"] == "download" && progress["step"].as_u64().is_some_and(|bytes| bytes > 0)
    }
}

#[test]
fn scheduled_run_downloads_its_base_despite_kills() {
    let (hub, graft) = with_hub();
    graft.json(
        &[&["schedules", "add", "often", TASK, "--cron", "* * * * * *", "--min-new", "1"], &FROM_HUB[..]].concat(),
    );
    let mut worker = Worker::start(&graft, &[]);
    let began = Instant::now();
    let run = loop {
        let runs = graft.json(&["runs", "list"])["runs"].clone();
        if let Some(id) = runs[0]["id"].as_str() {
            break id.to_owned();
        }
        assert!(began.elapsed() < Duration::from_secs(180), "{:#}", graft.json(&["schedules", "list"]));
        sleep(Duration::from_millis(100));
    };
    wait_for(&graft, &run, "downloading", downloads(&graft));
    worker.signal("KILL");
    ended(&mut worker.0);
    hub.log();
    let _next = Worker::start(&graft, &[]);
    wait_for(&graft, &run, "downloading again", |run| run["fence"].as_i64() > Some(1) && downloads(&graft)(run));
    hub.state().hold = false;
    let done = wait_for_state(&graft, &run, "succeeded");
    let log = hub.log();
    assert!(
        log.iter().any(|request| request.contains("/blobs/model.safetensors") && request.contains("bytes=")),
        "{log:#?}"
    );
    assert_eq!(done["spec"]["base"]["digest"], graft.json(&["base", "info", hub::REPO])["digest"]);
    assert_eq!(graft.json(&["runs", "list"])["runs"].as_array().unwrap().len(), 1);
}

#[test]
fn run_is_cancelled_while_its_base_downloads_and_retried() {
    let (hub, graft) = with_hub();
    let checked = graft.json(&[&["queue", "submit", TASK, "--dry-run"], &FROM_HUB[..]].concat());
    let warned = checked["problems"].as_array().unwrap().iter().any(|problem| problem["field"] == "base");
    assert!(checked["ok"] == true && warned, "{checked:#}");
    let id = submit(&graft, TASK, &FROM_HUB);
    let server = Server::start(&graft);
    wait_for(&graft, &id, "downloading", downloads(&graft));
    // It is shown like a download that a person started.
    let list = server.get("/api/v1/bases");
    let base = list["bases"].as_array().unwrap().iter().find(|base| base["name"] == hub::REPO).unwrap();
    let pull = &base["pull"];
    assert_eq!(
        (&pull["state"], &pull["run"], &base["present"]),
        (&"running".into(), &id.as_str().into(), &false.into())
    );
    assert!(
        pull["done_bytes"].as_u64() > Some(0) && pull["done_bytes"].as_u64() < pull["total_bytes"].as_u64(),
        "{pull}"
    );
    assert_eq!(pull["file"], "model.safetensors");
    let name = serde_json::json!({"name": hub::REPO});
    assert_eq!(server.json(202, "POST", "/api/v1/bases", &name)["pull"]["run"], id.as_str(), "no second download");
    let refused = server.json(409, "POST", "/api/v1/bases/cancel", &name);
    assert!(refused["hint"].as_str().unwrap().contains(&id), "{refused}");
    graft.json(&["runs", "cancel", &id]);
    let cancelled = wait_for_state(&graft, &id, "cancelled");
    assert_eq!((&cancelled["phase"], &cancelled["exit_code"]), (&"download".into(), &20.into()));
    hub.state().hold = false;
    graft.json(&["runs", "retry", &id]);
    wait_for_state(&graft, &id, "succeeded");
}

#[test]
fn failing_download_is_retried_and_then_fails_the_run() {
    let (hub, graft) = with_hub();
    hub.state().refuse = Some((503, ""));
    let id = submit(&graft, TASK, &FROM_HUB);
    let _worker = Worker::start(&graft, &[]);
    let failed = wait_for_state(&graft, &id, "failed");
    assert_eq!((&failed["exit_code"], &failed["attempts"]), (&14.into(), &3.into()), "{failed:#}");
    assert!(failed["error"].as_str().unwrap().contains("busy or broken"), "{failed:#}");
    // A Hub that says no is not asked again.
    hub.state().refuse = Some((404, "RepoNotFound"));
    graft.json(&["runs", "retry", &id]);
    let failed = wait_for(&graft, &id, "failed", |run| run["state"] == "failed" && run["exit_code"] == 11);
    assert_eq!(failed["attempts"], 1, "{failed:#}");
}

#[test]
fn corrected_clock_does_not_delay_schedules() {
    let graft = Graft::with_toy_task();
    let added = graft.json(&[&["schedules", "add", "nightly", TASK, "--cron", "0 3 * * *"], &SHORT[..]].concat());
    let next_at = |value: &Value| value["schedules"][0]["next_at"].as_i64().unwrap();
    let list = || graft.json(&["schedules", "list"]);
    let before = next_at(&list());
    let (day, years) = (86_400_000, 10 * 365 * 86_400_000);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let store = Store::open(&graft.database()).await.unwrap();
        let due = Due { schedule: "nightly", at: Some(before), next_at: Some(before + years) };
        store.skip_schedule(due, "as of a clock that is ahead", false, before).await.unwrap();
    });
    assert_eq!(next_at(&list()), before + years, "{added:#}");
    graft.ok(&["worker", "--once", "--no-suggestions"]);
    let found = next_at(&list());
    assert!((before..=before + day).contains(&found), "{found} instead of {before}");
    assert_eq!(graft.json(&["runs", "list"])["runs"], serde_json::json!([]), "nothing was due");
}

#[test]
fn invalid_version_name_is_refused_before_training() {
    let graft = Graft::with_toy_task();
    for (code, ask) in [(2, &["train", TASK][..]), (10, &["queue", "submit", TASK])] {
        graft.fails(code, &[ask, &SHORT, &["--version", "v 2"]].concat(), "v 2");
    }
    assert_eq!(graft.json(&["runs", "list"])["runs"], serde_json::json!([]));
}

#[test]
fn backup_restores_everything() {
    let graft = Graft::with_toy_task();
    submit(&graft, TASK, &SHORT);
    graft.ok(&["worker", "--once", "--no-suggestions"]);
    let file = graft.dir.path().join("all.zip");
    let file = file.to_str().unwrap();
    let made = graft.json(&["backup", file]);
    assert!(made["rows"].as_u64().unwrap() > 100 && made["files"].as_u64().unwrap() > 8, "{made:#}");
    let list = |graft: &Graft| (graft.json(&["models", "list"]), graft.json(&["runs", "list"]));
    let before = list(&graft);
    graft.fails(2, &["restore", file], "is not empty");
    std::fs::rename(graft.home(), graft.dir.path().join("gone")).unwrap();
    let put = graft.json(&["restore", file]);
    assert_eq!([&put["rows"], &put["files"], &put["not_published"]], [&made["rows"], &made["files"], &Value::Null]);
    assert_eq!(list(&graft), before);
    graft.ok(&["base", "add", "tiny", crate::common::model("tiny-llama").to_str().unwrap()]);
    graft.ok(&["validate", "--task", TASK, "--version", "v1"]);
    let bytes = std::fs::read(file).unwrap();
    std::fs::write(file, &bytes[..bytes.len() / 2]).unwrap();
    std::fs::remove_dir_all(graft.home()).unwrap();
    graft.fails(10, &["restore", file], "failed to restore");
}

#[test]
fn sweep_removes_only_unreferenced_files() {
    let graft = Graft::with_toy_task();
    submit(&graft, TASK, &SHORT);
    graft.ok(&["worker", "--once", "--no-suggestions"]);
    for folder in ["runs/stranger", "adapters/text-classification/stranger", ".graft-half"] {
        std::fs::create_dir_all(graft.home().join(folder)).unwrap();
    }
    graft.ok(&["models", "delete", "v1", "--task", TASK]);
    assert_eq!(graft.json(&["sweep"])["kept"].as_array().unwrap().len(), 3);
    let swept = graft.json(&["sweep", "--older-than", "0"]);
    assert_eq!(swept["removed"].as_array().unwrap().len(), 3, "{swept:#}");
    let runs = std::fs::read_dir(graft.home().join("runs")).unwrap().count();
    let adapters = std::fs::read_dir(graft.home().join("adapters").join(TASK)).unwrap().count();
    assert_eq!((runs, adapters), (1, 1), "a deleted version's files stay");
}

/// Runs of the campaign: a few by default, `GRAFT_CAMPAIGN=N` for more.
fn campaign() -> usize {
    std::env::var("GRAFT_CAMPAIGN").ok().and_then(|count| count.parse().ok()).unwrap_or(6)
}

#[test]
fn two_workers_finish_every_run_once() {
    let Some(server) = graft_testkit::Postgres::shared() else { return };
    let graft = Graft::on(server.database().unwrap());
    graft.add_toy_task();
    graft.add_toy_to(&["sentiment", "instruction"]);
    let tasks = [TASK, "sentiment", "instruction"];
    let start = || Worker::start(&graft, &["--lease", "2", "--slots", "2"]);
    let (mut first, second) = (start(), start());
    let (mut submitted, mut ended) = (Vec::new(), 0);
    let mut active: BTreeMap<&str, String> = BTreeMap::new();
    let began = Instant::now();
    let (mut random, mut strikes) = (Random::new(seed()), 0);
    println!("seed {}: repeat it with GRAFT_SEED={} GRAFT_CAMPAIGN={}", seed(), seed(), campaign());
    while ended < campaign() {
        for task in tasks {
            if !active.contains_key(task) && submitted.len() < campaign() {
                let id = submit(&graft, task, &SHORT);
                submitted.push(id.clone());
                active.insert(task, id);
            }
        }
        sleep(Duration::from_millis(random.below(400)));
        // Each kind once at least.
        strikes += 1;
        match if strikes < 3 { strikes } else { random.below(12) } {
            1 | 3 => {
                first.signal("KILL");
                first = start();
            }
            2 => {
                // Twice its lease: the other one takes its runs; awake again, it can't write about them.
                second.signal("STOP");
                sleep(Duration::from_secs(4));
                second.signal("CONT");
            }
            _ => {}
        }
        active.retain(|_, id| {
            let state = show(&graft, id)["state"].clone();
            let over = ["succeeded", "failed", "cancelled"].iter().any(|end| state == *end);
            ended += usize::from(over);
            !over
        });
        assert!(began.elapsed() < Duration::from_secs(60 + 30 * campaign() as u64), "stuck: {active:?}");
    }
    check_history(&graft, &submitted);
}

/// Every run succeeded once, one version each, its events in one line of succession, its fences only growing and each of
/// them one worker's.
fn check_history(graft: &Graft, submitted: &[String]) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let changes = runtime.block_on(async {
        let store = Store::open(&graft.database()).await.unwrap();
        let wanted = ChangeFilter { kind: Some(Kind::Run), ..ChangeFilter::default() };
        store.changes(&wanted).await.unwrap()
    });
    let versions = graft.json(&["models", "list"])["versions"].clone();
    for id in submitted {
        let run = show(graft, id);
        assert_eq!(run["state"], "succeeded", "{run:#}");
        let made = versions.as_array().unwrap().iter().filter(|version| version["run"] == **id).count();
        assert_eq!(made, 1, "{id} was published {made} times");
        let after = changes.iter().filter(|change| change.subject == *id).filter_map(|change| change.after.as_ref());
        let ends = after.clone().filter(|after| after["state"] == "succeeded").count();
        assert_eq!(ends, 1, "{id} ended {ends} times");
        let held: Vec<(i64, &str)> =
            after.filter_map(|after| Some((after["fence"].as_i64()?, after["worker"].as_str()?))).collect();
        assert!(held.is_sorted_by_key(|(fence, _)| *fence), "{id}: an older holder wrote: {held:?}");
        let owners: BTreeMap<i64, &str> = held.iter().copied().collect();
        assert!(held.iter().all(|(fence, worker)| owners[fence] == *worker), "{id}: two held it at once: {held:?}");
        assert_eq!(crate::common::check_events(graft, id), 1, "{id}: a run that succeeded was done once");
        runtime.block_on(async {
            let store = Store::open(&graft.database()).await.unwrap();
            crate::common::check_followed(graft, &store, id).await;
            store.close().await;
        });
    }
}
