//! A home of an earlier version.

use std::fs;

use serde_json::{Value, json};
use sqlx::Connection as _;

use crate::common::{Graft, model};

const TASK: &str = "text-classification";

/// The file `graft.json` of the adapters.
const CARD: &str = r#"{
  "task": {
    "name": "text-classification",
    "instruction": "Classify the text.",
    "answer": {"form": "label", "labels": ["bad", "good"]}
  },
  "base": {"name": "tiny", "digest": "14118f7ba7cd3d29a6a68699aa6347085ff4d4e9ade9089415aee71982f17068"},
  "adapter": {
    "method": "lora",
    "rank": 8,
    "alpha": 16.0,
    "dropout": 0.0,
    "rslora": false,
    "targets": {"named": ["down_proj", "gate_proj", "k_proj", "o_proj", "q_proj", "up_proj", "v_proj"]}
  },
  "graft": "0.1.0"
}"#;

/// The database is `schema-12.sql`: 17 examples, a run, its version `v1` (active), and an added adapter `v2`, as of schema 12.
/// Both versions have the parity data's adapter.
fn home_of_schema_12() -> Graft {
    let graft = Graft::new();
    for version in ["text-classification-20261127-160000", "added-e005ae8f2139"] {
        let folder = graft.home().join("adapters").join(TASK).join(version);
        fs::create_dir_all(&folder).unwrap();
        for file in ["adapter_config.json", "adapter_model.safetensors"] {
            fs::copy(model("tiny-llama").join("adapter_lora").join(file), folder.join(file)).unwrap();
        }
        fs::write(folder.join("graft.json"), CARD).unwrap();
    }
    let place = model("tiny-llama");
    let files = ["config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors"];
    let files = files.map(|name| place.join(name));
    let record =
        json!({"name": "tiny", "reference": place, "path": place, "files": files, "source": "path", "placed": []});
    let records = graft.home().join("bases/records");
    fs::create_dir_all(&records).unwrap();
    fs::write(records.join("tiny-227cc5f92f2b.json"), record.to_string()).unwrap();
    let sql = include_str!("../data/schema-12.sql").replace("{MODEL}", place.to_str().unwrap());
    let fill = async {
        let url = format!("sqlite://{}?mode=rwc", graft.database());
        let mut database = sqlx::SqliteConnection::connect(&url).await.unwrap();
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut database).await.unwrap();
        database.close().await.unwrap();
    };
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(fill);
    graft
}

fn names<'a>(list: &'a Value, of: &str) -> Vec<&'a str> {
    list.as_array().unwrap().iter().map(|one| one[of].as_str().unwrap()).collect()
}

#[test]
fn home_of_schema_12_opens_and_everything_in_it_works() {
    let graft = home_of_schema_12();
    let examples = graft.json(&["examples", "list", "--task", TASK, "--limit", "100"]);
    assert_eq!(examples["examples"].as_array().unwrap().len(), 17, "{examples}");
    let pending = graft.json(&["examples", "list", "--task", TASK, "--state", "pending"]);
    let pending = pending["examples"][0].clone();
    assert_eq!(pending["input"], "and one without");
    let run = graft.json(&["runs", "list"])["runs"][0].clone();
    assert_eq!(
        (&run["id"], &run["state"]),
        (&json!("text-classification-20261127-160000"), &json!("succeeded")),
        "{run}"
    );
    let id = run["id"].as_str().unwrap();
    assert!(graft.ok(&["runs", "logs", id]).contains("LoRA of rank 8"));
    let versions = graft.json(&["models", "list"])["versions"].clone();
    assert_eq!(names(&versions, "name"), ["v1", "v2"]);
    assert_eq!(names(&versions, "stage"), ["active", "shadow"]);
    let detail = graft.json(&["models", "info", "v1"]);
    assert_eq!(detail["version"]["metrics"]["evaluation"]["adapter"]["n"], 3, "{detail}");

    // The active version answers and is exported; the other one becomes active and is taken back.
    let answer = graft.json(&["infer", "--message", "yes yes yes 7"]);
    assert!(["good", "bad"].contains(&answer["answer"].as_str().unwrap()), "{answer}");
    graft.ok(&["adapter", "export", "v1", "--peft", "peft"]);
    assert!(graft.dir.path().join("peft/adapter_model.safetensors").exists());
    graft.ok(&["models", "set-active", "v2", "--task", TASK, "--force"]);
    graft.ok(&["models", "rollback", "--task", TASK]);
    assert_eq!(names(&graft.json(&["models", "list"])["versions"], "stage")[0], "active");

    // Work goes on: a decision, a training on what was held out before, and a measurement.
    graft.ok(&["examples", "edit", pending["id"].as_str().unwrap(), "--task", TASK, "--output", "\"good\""]);
    graft.ok(&["train", TASK, "--base", "tiny", "--epochs", "0.5", "--no-eval"]);
    graft.ok(&["eval", "--task", TASK, "--version", "v1"]);
    assert_eq!(names(&graft.json(&["models", "list"])["versions"], "name").len(), 3);
}
