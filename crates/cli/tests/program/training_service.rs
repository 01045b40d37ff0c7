//! Graft as a client of a training service, which the tests start: it accepts nothing but the contract.

use std::{
    fs,
    process::Stdio,
    thread::sleep,
    time::{Duration, Instant},
};

use graft_testkit::{Slip, Training, TrainingService};
use serde_json::{Value, json};

use crate::common::{Graft, check_events, ended, events, model};

const TASK: &str = "text-classification";
const TRAIN: [&str; 6] = ["train", TASK, "--base", "tiny", "--on", "cerebros"];

/// A home that knows a service.
fn pair(training: Training) -> (Graft, TrainingService) {
    let service = TrainingService::start(training).unwrap();
    let graft = Graft::with_toy_task().with("CEREBROS_URL", service.url());
    (graft.with("CEREBROS_TOKEN", TrainingService::TOKEN), service)
}

fn train(run: &str) -> Vec<&str> {
    [&TRAIN[..], &["--no-eval", "--run-id", run]].concat()
}

/// What a training that fails says; every failure has a hint.
#[track_caller]
fn fails(graft: &Graft, run: &str, code: i32, words: &str) -> Value {
    let said = graft.fails(code, &train(run), words);
    assert!(!said.stderr.contains(TrainingService::TOKEN), "{}", said.stderr);
    graft.json(&["runs", "show", run])
}

fn notes(graft: &Graft, run: &str) -> String {
    let texts = events(graft, run).into_iter().filter_map(|event| match event.kind {
        graft_core::EventKind::Note { text } => Some(text),
        _ => None,
    });
    texts.collect::<Vec<_>>().join("\n")
}

#[test]
fn adapter_of_a_training_service_becomes_a_version_and_lost_answers_make_no_second_job() {
    let (graft, service) = pair(Training::Lasts);
    // As the service's program may have trained it: without Graft's card.
    let folder = graft.dir.path().join("trained");
    fs::create_dir(&folder).unwrap();
    let from = model("tiny-llama").join("adapter_lora");
    fs::copy(from.join("adapter_model.safetensors"), folder.join("adapter_model.safetensors")).unwrap();
    let config = fs::read_to_string(from.join("adapter_config.json")).unwrap();
    fs::write(folder.join("adapter_config.json"), config.replace("\"tiny-llama\"", "\"tiny\"")).unwrap();
    service.set(Training::Adapter(folder));
    service.slip(&[Slip::Lost]);
    graft.fails(14, &TRAIN, "reach the training service");
    // The check; the submission, which is done without an answer, then refused, then taken; and answers about the job.
    let away = [Slip::Status(404), Slip::Status(500), Slip::Status(404)];
    service.slip(&[&[Slip::None, Slip::Lost, Slip::Status(503), Slip::None][..], &away].concat());
    let args = [&TRAIN[..], &["--run-id", "first", "--skip-base"]].concat();
    let trained = graft.json(&args);

    let submissions = service.submissions();
    assert_eq!(submissions.len(), 1, "{submissions:#?}");
    let sent = &submissions[0];
    assert_eq!((&sent["dataset_id"], &sent["dataset_name"]), (&json!("first"), &json!(TASK)));
    let table = sent["csv_files"][0]["content"].as_str().unwrap();
    let view = graft.json(&["runs", "show", "first"]);
    let rows = |side: &str| fs::read_to_string(graft.home().join(format!("runs/first/data/{side}.jsonl"))).unwrap();
    let (learned, held_out) = (rows("train"), rows("eval"));
    assert_eq!(table.lines().count(), 1 + learned.lines().count());
    assert!(held_out.lines().count() > 5);
    for line in held_out.lines() {
        let row: Value = serde_json::from_str(line).unwrap();
        assert!(
            !table.contains(&format!("\"{}\"", row["input"].as_str().unwrap())),
            "a held-out example was sent: {line}"
        );
    }
    assert_eq!(view["run"]["state"], "succeeded", "{view:#}");
    let said = &trained["result"]["service"];
    assert_eq!((&said["job"], &said["said"]["status"]), (&json!("job 0"), &json!("completed")), "{trained:#}");
    assert_eq!((&said["said"]["metrics"]["accuracy"], &trained["result"]["final_loss"]), (&json!(0.75), &json!(0.25)));
    assert!(trained["version"]["metrics"]["evaluation"].is_object(), "{:#}", trained["version"]["metrics"]);
    assert_eq!(trained["result"]["hyperparameters"]["adapter"]["rank"], 8, "{trained:#}");
    let notes = notes(&graft, "first");
    for words in [
        "as job job 0",
        "was sent 3 times",
        "running, phase 3 of 4; loss 0.25, accuracy 0.75",
        "Not received: /files/report.html",
    ] {
        assert!(notes.contains(words), "`{words}` is not in\n{notes}");
    }
    check_events(&graft, "first");
    // It answers as any other version does.
    graft.ok(&["models", "set-active", "v1", "--task", TASK, "--force"]);
    graft.ok(&["infer", "--task", TASK, "--message", "yes yes yes"]);
    assert_eq!(service.complaints(), Vec::<String>::new());
}

#[test]
fn what_a_training_service_does_not_give_is_told() {
    let (graft, service) = pair(Training::Numbers);
    let shown = fails(&graft, "unfit", 11, "it offers /files/model.pkl");
    assert_eq!((&shown["run"]["state"], &shown["version"]), (&json!("failed"), &Value::Null), "{shown:#}");
    assert!(notes(&graft, "unfit").contains("completed, phase 4 of 4; loss 0.25"));

    service.set(Training::Fails("row 7 has no label"));
    fails(&graft, "failed", 1, "job 1 failed: row 7 has no label");

    // An adapter for another base model is none for this run.
    let other = graft.dir.path().join("other");
    fs::create_dir(&other).unwrap();
    let from = model("tiny-t5").join("adapter_lora");
    for name in ["adapter_config.json", "adapter_model.safetensors"] {
        fs::copy(from.join(name), other.join(name)).unwrap();
    }
    service.set(Training::Adapter(other));
    let shown = fails(&graft, "other", 11, "");
    assert_eq!((&shown["run"]["state"], &shown["version"]), (&json!("failed"), &Value::Null), "{shown:#}");

    let check = |graft: &Graft| {
        let checks = graft.json(&["doctor", TASK, "--base", "tiny"])["checks"].clone();
        checks.as_array().unwrap().iter().find(|check| check["name"] == "training service").cloned().unwrap()
    };
    assert_eq!((&check(&graft)["found"], &check(&graft)["hint"]), (&json!(service.url()), &Value::Null));
    let graft = graft.with("CEREBROS_TOKEN", "another-token");
    assert!(check(&graft)["found"].as_str().unwrap().contains("log in to the training service"), "{}", check(&graft));
    graft.fails(2, &TRAIN, "log in to the training service");
    let graft = graft.with("CEREBROS_URL", "");
    graft.fails(2, &TRAIN, "CEREBROS_URL is not set");
    assert_eq!(service.submissions().len(), 3);
}

#[test]
fn vanished_job_fails_its_run_and_a_cancelled_one_is_left_alone() {
    let (graft, service) = pair(Training::Lasts);
    let begin = |run: &str, asked: usize| {
        let child = graft.command(&train(run)).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let began = Instant::now();
        while service.asked() < asked {
            assert!(began.elapsed() < Duration::from_secs(120), "{:?}", graft.json(&["runs", "show", run]));
            sleep(Duration::from_millis(50));
        }
        child
    };
    let mut child = begin("lost", 3);
    service.forget();
    assert_eq!(ended(&mut child).code(), Some(1));
    let shown = graft.json(&["runs", "show", "lost"]);
    assert_eq!(shown["run"]["state"], "failed");
    let why = shown["run"]["error"].as_str().unwrap();
    assert!(why.contains("`job 0`") && why.contains("vanished"), "{shown:#}");

    // The same command submits it again; a killed command attaches to its job, and a stopped run leaves it alone.
    let mut child = begin("lost", 4);
    child.kill().unwrap();
    child.wait().unwrap();
    let mut child = begin("lost", 5);
    graft.ok(&["runs", "cancel", "lost"]);
    assert_eq!(ended(&mut child).code(), Some(20));
    assert_eq!(graft.json(&["runs", "show", "lost"])["run"]["state"], "cancelled");
    assert!(notes(&graft, "lost").contains("job 1 goes on at"), "{}", notes(&graft, "lost"));
    assert_eq!((service.submissions().len(), service.complaints()), (2, vec!["there is no such job".to_owned(); 3]));
}
