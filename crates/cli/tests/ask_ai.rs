//! `graft soft-prompt train` in place of the Ask AI system's script.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use std::{fs, path::Path};

use common::{Graft, data, model};
use serde_json::{Value, json};
use sqlx::Connection as _;

fn nuc() -> Graft {
    let graft = Graft::new();
    fs::create_dir(graft.dir.path().join("data")).unwrap();
    fs::copy(data("ask_ai/ai_automation.db"), graft.dir.path().join("data/ai_automation.db")).unwrap();
    graft.ok(&["base", "add", "tiny-t5", model("tiny-t5").to_str().unwrap()]);
    graft
}

fn latest(graft: &Graft) -> String {
    fs::read_link(graft.dir.path().join("data/ask_ai_soft_prompt/latest")).unwrap().to_string_lossy().into_owned()
}

#[test]
fn all_on_defaults() {
    let graft = nuc();
    let said = graft.run(&["soft-prompt", "train", "--base-model", "tiny-t5", "--epochs", "0.2"]);
    assert_eq!(said.code, 0, "{}", said.stderr);
    assert!(said.stderr.contains("538 examples of ask-ai read"));
    for skipped in ["36 × null", "7 × malformed"] {
        assert!(said.stderr.contains(skipped), "{}", said.stderr);
    }
    let id = latest(&graft);
    let document =
        graft.json(&["soft-prompt", "train", "--base-model", "tiny-t5", "--max-samples", "5", "--run-id", "few"]);
    assert_eq!(document["import"]["examples"], 5);
    assert!(id.starts_with("run_20") && id.len() == "run_20261121_093000".len(), "{id}");
    let dir = graft.dir.path().join("data/ask_ai_soft_prompt").join(&id);
    let run: Value = serde_json::from_slice(&fs::read(dir.join("training_run.json")).unwrap()).unwrap();
    let lora = &run["hyperparameters"]["adapter"];
    assert_eq!(
        (&run["run_id"], &run["status"], &run["base_model"]),
        (&json!(id), &json!("completed"), &json!("tiny-t5"))
    );
    assert_eq!((&lora["method"], &lora["rank"]), (&json!("lora"), &json!(16)));
    assert_eq!(run["hyperparameters"]["limits"]["max_source"], 384);
    assert_eq!(run["samples"].as_u64().unwrap() + run["eval_samples"].as_u64().unwrap(), 538);
    assert!(dir.join("adapter/adapter_config.json").exists());
}

#[test]
fn every_flag_is_obeyed_and_latest_moves_only_to_a_good_run() {
    let graft = nuc();
    let flags = "--db-path data/ai_automation.db --output-dir out --run-directory out/test_run --run-id test_run \
                 --base-model tiny-t5 --max-samples 40 --epochs 1 --learning-rate 5e-5 --batch-size 1 \
                 --source-max-tokens 380 --target-max-tokens 370 --lora-r 4 --lora-alpha 8 --lora-dropout 0.1";
    let args: Vec<&str> = ["soft-prompt", "train"].into_iter().chain(flags.split_whitespace()).collect();
    graft.ok(&args);
    let out = graft.dir.path().join("out");
    assert_eq!(fs::read_link(out.join("latest")).unwrap(), Path::new("test_run"));
    let spec: Value = serde_json::from_slice(&fs::read(out.join("test_run/spec.json")).unwrap()).unwrap();
    let (adapter, optim, limits) = (&spec["adapter"], &spec["optim"], &spec["limits"]);
    assert_eq!((&adapter["rank"], &adapter["alpha"]), (&json!(4), &json!(8.0)));
    assert_eq!((&optim["lr"], &optim["batch"], &optim["epochs"]), (&json!(5e-5), &json!(1), &json!(1.0)));
    assert_eq!((&limits["max_source"], &limits["max_target"]), (&json!(380), &json!(370)));

    let soft = ["soft-prompt", "train", "--output-dir", "out", "--base-model", "tiny-t5", "--max-samples", "40"];
    graft.ok(&[&soft[..], &["--method", "soft-prompt", "--epochs", "1", "--run-id", "soft"]].concat());
    assert_eq!(fs::read_link(out.join("latest")).unwrap(), Path::new("soft"));
    let config = fs::read_to_string(out.join("soft/adapter/adapter_config.json")).unwrap();
    assert!(config.contains("PROMPT_TUNING"));

    let wild = ["--run-id", "sad", "--learning-rate", "100", "--lora-alpha", "1e30"];
    graft.fails(13, &[&soft[..], &wild].concat(), "stable");
    assert_eq!(fs::read_link(out.join("latest")).unwrap(), Path::new("soft"), "a bad run is not the latest good one");
}

#[test]
fn a_run_goes_on_from_its_checkpoint() {
    let graft = nuc();
    let train = ["soft-prompt", "train", "--base-model", "tiny-t5", "--max-samples", "60"];
    graft.ok(&[&train[..], &["--epochs", "1", "--run-id", "first"]].concat());
    let dir = graft.dir.path().join("data/ask_ai_soft_prompt/first");
    let hash = |dir: &Path| {
        let run: Value = serde_json::from_slice(&fs::read(dir.join("training_run.json")).unwrap()).unwrap();
        run["adapter_hash"].clone()
    };
    let before = hash(&dir);
    fs::remove_file(dir.join("training_run.json")).unwrap();
    let checkpoint = fs::read_dir(dir.join("checkpoints")).unwrap().flatten().next().unwrap().path();
    // The store knows of a success; the folder says there is work left.
    graft.ok(&["train-dir", dir.to_str().unwrap()]);
    assert_eq!(hash(&dir), before);
    graft.ok(&["soft-prompt", "train", "--resume-from", checkpoint.to_str().unwrap()]);
    assert_eq!(latest(&graft), "first");
}

#[test]
fn each_failure_has_its_exit_code() {
    let graft = nuc();
    let train = ["soft-prompt", "train", "--base-model", "tiny-t5"];
    let with_db =
        |path: &str| [&train[..], &["--db-path", path]].concat().into_iter().map(str::to_owned).collect::<Vec<_>>();
    let fails = |code: i32, path: &str, words: &str| {
        let args = with_db(path);
        graft.fails(code, &args.iter().map(String::as_str).collect::<Vec<_>>(), words);
    };
    fails(10, "data/nowhere.db", "find `data/nowhere.db`");
    graft.file("text.db", "this is no database, only some words that go on for a while");
    fails(10, "text.db", "as an SQLite database");
    graft.file("empty.db", "");
    fails(10, "empty.db", "ask_ai_queries");
    // Another program is writing.
    let path = graft.dir.path().join("data/ai_automation.db");
    let url = format!("sqlite://{}", path.display());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let lock = runtime.block_on(async {
        let mut connection = sqlx::SqliteConnection::connect(&url).await.unwrap();
        sqlx::raw_sql("begin exclusive").execute(&mut connection).await.unwrap();
        connection
    });
    fails(10, "data/ai_automation.db", "another program has locked it");
    drop(lock);
    graft.fails(11, &["soft-prompt", "train", "--base-model", "./nowhere"], "nowhere");
    graft.fails(11, &["soft-prompt", "train"], "google/flan-t5-small");
    assert!(!graft.dir.path().join("data/ask_ai_soft_prompt/latest").exists());
}
