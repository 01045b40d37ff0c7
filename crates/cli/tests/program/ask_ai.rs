//! `graft soft-prompt train` in place of the Ask AI system's script.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use sqlx::Connection as _;

use crate::common::{Graft, Said, data, model, server::Server};

fn nuc() -> Graft {
    let graft = without_base();
    graft.ok(&["base", "add", "tiny-t5", model("tiny-t5").to_str().unwrap()]);
    graft
}

fn without_base() -> Graft {
    let graft = Graft::new();
    fs::create_dir(graft.dir.path().join("data")).unwrap();
    fs::copy(data("ask_ai/ai_automation.db"), graft.dir.path().join("data/ai_automation.db")).unwrap();
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
fn all_flags_work_and_latest_moves_only_to_successful_runs() {
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
fn run_resumes_from_its_checkpoint() {
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
fn resuming_a_finished_run_keeps_latest_and_logs_its_settings() {
    let graft = nuc();
    let train = ["soft-prompt", "train", "--base-model", "tiny-t5", "--max-samples", "40", "--epochs", "0.5"];
    let said = graft.run(&[&train[..], &["--run-id", "first"]].concat());
    assert!(said.stderr.contains("Base model tiny-t5: from a path on this machine ("), "{}", said.stderr);
    graft.ok(&[&train[..], &["--run-id", "second", "--lora-r", "2"]].concat());
    let log = graft.ok(&["runs", "logs", "second"]);
    assert!(log.contains("Settings: LoRA of rank 2, alpha ") && log.contains(" 0.5 epochs; "), "{log}");
    assert!(log.contains("Base model tiny-t5: from a path on this machine ("), "{log}");
    let first = graft.dir.path().join("data/ask_ai_soft_prompt/first");
    let said = graft.run(&["soft-prompt", "train", "--resume-from", first.to_str().unwrap()]);
    assert!(said.code == 0 && said.stderr.contains("`latest` is not changed"), "{}", said.stderr);
    assert_eq!(latest(&graft), "second");
}

#[test]
fn log_says_that_base_model_came_from_cache() {
    let graft = without_base();
    let commit = "0123456789abcdef0123456789abcdef01234567";
    let snapshot = graft.dir.path().join("hf/hub/models--org--tiny/snapshots").join(commit);
    fs::create_dir_all(&snapshot).unwrap();
    for file in fs::read_dir(model("tiny-t5")).unwrap().flatten().filter(|file| file.path().is_file()) {
        fs::copy(file.path(), snapshot.join(file.file_name())).unwrap();
    }
    let refs = snapshot.join("../../refs");
    fs::create_dir_all(&refs).unwrap();
    fs::write(refs.join("main"), commit).unwrap();
    let train = ["soft-prompt", "train", "--base-model", "org/tiny", "--max-samples", "40", "--epochs", "0.2"];
    let said = graft.run(&[&train[..], &["--run-id", "cached"]].concat());
    assert!(said.code == 0 && said.stderr.contains("from the Hugging Face cache ("), "{}", said.stderr);
    assert!(graft.ok(&["runs", "logs", "cached"]).contains("Base model org/tiny: from the Hugging Face cache ("));
}

#[test]
fn stored_settings_override_environment() {
    let graft = Graft::new();
    let start = |threshold: &str| {
        let mut command = graft.command(&["serve", "--bind", "127.0.0.1:0", "--no-worker"]);
        // As the other service's variables have it.
        command
            .env("SOFT_PROMPT_ENABLED", "False")
            .env("SOFT_PROMPT_MODEL_DIR", "data/own")
            .env("SOFT_PROMPT_CONFIDENCE_THRESHOLD", threshold);
        command
    };
    let server = Server::started(start("0.4"));
    let given =
        json!({"softPromptEnabled": false, "softPromptModelDir": "data/own", "softPromptConfidenceThreshold": 0.4});
    assert_eq!(server.get("/api/v1/settings"), given);
    let path = "/api/v1/settings";
    let changed = server.json(200, "PATCH", path, &json!({"softPromptConfidenceThreshold": 0.6}));
    assert_eq!(
        (&changed["softPromptConfidenceThreshold"], &changed["softPromptModelDir"]),
        (&json!(0.6), &json!("data/own"))
    );
    server.json(422, "PATCH", path, &json!({"softPromptConfidenceThreshold": 2}));
    server.json(422, "PATCH", path, &json!({"softPromptModelDir": "/etc"}));
    server.json(422, "PATCH", path, &json!({"softPromptEnabled": true}));
    server.json(422, "PATCH", path, &json!({"temperature": 1}));
    server.stop();
    let server = Server::started(start("0.5"));
    assert_eq!(server.get(path), changed, "what people set holds");
    server.stop();
    let said = Said::of(start("1.5"));
    assert_eq!(said.code, 2, "{}", said.stderr);
    assert!(
        said.stderr.contains("SOFT_PROMPT_CONFIDENCE_THRESHOLD") && said.stderr.contains("from 0 to 1"),
        "{}",
        said.stderr
    );
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

/// Adds questions to a database of the Ask AI service's form.
fn asked(database: &Path, ids: std::ops::Range<u32>, status: &str) {
    let sql: String = ids
        .map(|id| {
            let suggestions =
                json!([{"description": format!("Turn on lamp {id}."), "confidence": 0.9, "status": status}]).to_string();
            format!("INSERT INTO ask_ai_queries VALUES ('q{id}', 'make room {id} bright', '{suggestions}', '2025-01-{:02}');", 1 + id % 28)
        })
        .collect();
    let table = "CREATE TABLE IF NOT EXISTS ask_ai_queries (query_id TEXT, original_query TEXT, suggestions TEXT, created_at TEXT);";
    let url = format!("sqlite://{}?mode=rwc", database.display());
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
        let mut connection = sqlx::SqliteConnection::connect(&url).await.unwrap();
        sqlx::raw_sql(sqlx::AssertSqlSafe(format!("{table}{sql}"))).execute(&mut connection).await.unwrap();
    });
}

fn settings(directory: &Path, enabled: bool) -> Value {
    json!({"softPromptEnabled": enabled, "softPromptModelDir": directory, "softPromptConfidenceThreshold": 0.0})
}

/// Presses the page's button, waits for the end, and returns the run's row.
fn trigger(server: &Server) -> Value {
    let row = server.json(202, "POST", "/api/v1/admin/training/trigger", &json!({}));
    let begun = Instant::now();
    loop {
        let rows = server.get("/api/v1/admin/training/runs");
        let found = rows.as_array().unwrap().iter().find(|found| found["id"] == row["id"]).unwrap().clone();
        if !matches!(found["status"].as_str(), Some("queued" | "running")) {
            assert_eq!(found["status"], "completed", "{found}");
            return found;
        }
        assert!(begun.elapsed() < Duration::from_secs(240), "it doesn't end: {found}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn trigger_imports_new_questions_and_fallback_uses_the_result() {
    let graft = Graft::new();
    graft.ok(&["base", "add", "tiny-t5", model("tiny-t5").to_str().unwrap()]);
    let (database, folder) = (graft.dir.path().join("ai.db"), graft.home().join("data/ask_ai_soft_prompt"));
    let mut command = graft.command(&["serve", "--bind", "127.0.0.1:0"]);
    command.env("GRAFT_ASK_AI_DATABASE", &database).env("GRAFT_ASK_AI_BASE", "tiny-t5");
    let server = Server::started(command);
    let refused = server.json(400, "POST", "/api/v1/admin/training/trigger", &json!({}));
    assert!(refused["detail"].as_str().unwrap().contains("ai.db"), "{refused}");
    let enabled = settings(Path::new("data/ask_ai_soft_prompt"), true);
    server.json(422, "PUT", "/api/v1/settings", &enabled);

    let suggest = || {
        let reply = server.json(200, "POST", "/api/v1/ask-ai/suggest", &json!({"query": "make room 3 bright"}));
        assert_eq!(reply["calibrated"], true, "the copy has its version's calibration: {reply}");
        reply["confidence"].as_f64().unwrap()
    };
    let used = || -> Vec<String> {
        let system = server.get("/api/v1/system");
        let generations = system["serving"]["generations"].as_array().unwrap().iter();
        generations.map(|generation| generation["version"].as_str().unwrap_or_default().to_owned()).collect()
    };
    asked(&database, 0..20, "approved");
    let first = trigger(&server);
    server.json(200, "PUT", "/api/v1/settings", &enabled);
    suggest();
    assert_eq!(used(), ["v1"]);
    let link = || fs::read_link(folder.join("latest")).unwrap();
    assert_eq!(link(), Path::new(first["runIdentifier"].as_str().unwrap()));
    for file in ["adapter_config.json", "adapter_model.safetensors", "graft.json", "training_run.json"] {
        assert!(folder.join("latest").join(file).exists(), "{file}");
    }

    // Nobody asked or decided anything since: the same version would come of it.
    let same = server.json(200, "POST", "/api/v1/admin/training/trigger", &json!({}));
    assert!(same["note"].as_str().unwrap().contains("nothing changed"), "{same}");
    assert_eq!((&same["id"], &same["status"]), (&first["id"], &json!("completed")));
    assert_eq!(server.get("/api/v1/admin/training/runs").as_array().unwrap().len(), 1);

    asked(&database, 20..40, "approved");
    let second = trigger(&server);
    assert!(second["datasetSize"].as_u64() > first["datasetSize"].as_u64(), "{first} {second}");
    assert_eq!(link(), Path::new(second["runIdentifier"].as_str().unwrap()));
    suggest();
    assert!(used().contains(&"v2".to_owned()), "without a restart: {:?}", used());

    // What is active is `latest`, whoever decides so.
    graft.ok(&["models", "rollback"]);
    assert_eq!(link(), Path::new(first["runIdentifier"].as_str().unwrap()));
    suggest();
}

/// What Hugging Face's peft made, on a base of this name.
fn foreign(graft: &Graft, base: Option<&str>) -> PathBuf {
    let folder = graft.home().join(format!("data/{}", base.unwrap_or("none")));
    fs::create_dir_all(&folder).unwrap();
    let from = model("tiny-t5").join("adapter_lora");
    fs::copy(from.join("adapter_model.safetensors"), folder.join("adapter_model.safetensors")).unwrap();
    let mut config: Value = serde_json::from_slice(&fs::read(from.join("adapter_config.json")).unwrap()).unwrap();
    config["base_model_name_or_path"] = json!(base);
    fs::write(folder.join("adapter_config.json"), config.to_string()).unwrap();
    folder
}

#[test]
fn run_of_the_trigger_downloads_a_missing_base_model() {
    let graft = Graft::new();
    let database = graft.dir.path().join("ai.db");
    asked(&database, 0..20, "approved");
    let serve = |variables: &[(&str, &str)]| {
        let mut command = graft.command(&["serve", "--bind", "127.0.0.1:0"]);
        command.env("GRAFT_ASK_AI_DATABASE", &database).env("GRAFT_ASK_AI_BASE", "org/t5");
        command.envs(variables.iter().copied());
        Server::started(command)
    };
    let trigger = "/api/v1/admin/training/trigger";
    // Without the Hub there is nothing to wait for.
    let refused = serve(&[]).json(400, "POST", trigger, &json!({}));
    assert!(refused["detail"].as_str().unwrap().contains("org/t5"), "{refused}");
    // The Hub can't be reached here, which is what the run has to say.
    let closed = [("HF_HUB_OFFLINE", "0"), ("HF_ENDPOINT", "http://127.0.0.1:9")];
    let server = serve(&closed);
    server.json(202, "POST", trigger, &json!({}));
    let begun = Instant::now();
    loop {
        let run = server.get("/api/v1/runs")["runs"][0].clone();
        if run.to_string().contains("127.0.0.1:9") {
            break assert_eq!(run["progress"]["phase"], "download", "{run}");
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "{run}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn foreign_adapter_is_served_and_registered() {
    let graft = nuc();
    let server = Server::start(&graft);
    let ours = foreign(&graft, Some("tiny-t5"));
    for (base, reason) in [(Some("somebody/t5"), "somebody/t5"), (None, "base model")] {
        let refused = server.json(422, "PUT", "/api/v1/settings", &settings(&foreign(&graft, base), true));
        assert_eq!(refused["errors"][0]["field"], "softPromptModelDir");
        assert!(refused["detail"].as_str().unwrap().contains(reason), "{refused}");
    }
    server.json(200, "PUT", "/api/v1/settings", &settings(&ours, true));
    let reply = server.json(200, "POST", "/api/v1/ask-ai/suggest", &json!({"query": "make it bright"}));
    assert!(reply["confidence"].is_number() && reply["calibrated"] == false, "{reply}");

    let folder = ours.to_str().unwrap();
    let ask = ["infer", "--message", "make it bright", "--max-tokens", "4", "--version", folder];
    graft.fails(2, &ask, "--task");
    assert_eq!(graft.json(&[&ask[..], &["--task", "ask-ai"]].concat())["version"], folder);

    graft.fails(2, &["models", "add", folder], "--task");
    let added = graft.json(&["models", "add", folder, "--task", "ask-ai", "--version", "theirs"]);
    assert_eq!((&added["stage"], &added["run"], &added["dataset"]), (&json!("shadow"), &Value::Null, &Value::Null));
    graft.ok(&["import", "ask-ai", "data/ai_automation.db", "--max-samples", "30"]);
    let measured = graft.json(&["eval", "--task", "ask-ai", "--version", "theirs", "--skip-base"]);
    assert_eq!(measured["evaluation"]["adapter"]["n"], 6, "{measured}");
    graft.ok(&["models", "set-active", "theirs"]);
    assert!(!ours.join("latest").exists(), "a folder that a person named stays as it is");
    assert_eq!(graft.json(&["infer", "--message", "x", "--max-tokens", "4"])["version"], "theirs");
}

#[test]
fn drafts_are_imported_as_pending_on_request() {
    let graft = Graft::new();
    let database = graft.dir.path().join("ai.db");
    asked(&database, 0..3, "draft");
    asked(&database, 3..5, "deployed");
    let import = ["import", "ask-ai", database.to_str().unwrap()];
    let audited = graft.json(&[&import[..], &["--drafts", "pending"]].concat());
    assert_eq!((&audited["added"], &audited["labelled"], &audited["pending"]), (&json!(5), &json!(5), &json!(3)));
    let again = graft.json(&[&import[..], &["--drafts", "skip"]].concat());
    assert_eq!((&again["examples"], &again["unchanged"]), (&json!(2), &json!(2)));
    assert_eq!(graft.json(&import)["pending"], 0, "whoever imports vouches for them");
}
