//! Every public exit code, and the message that is printed with it.

use std::{io::Write as _, process::Stdio};

use serde_json::Value;

use crate::common::{Graft, data, model};

#[test]
fn usage_is_2() {
    let graft = Graft::with_toy_task();
    graft.fails(2, &["train"], "required");
    graft.fails(2, &["train", "no-such-task", "--base", "tiny"], "find the task `no-such-task`");
    let train = ["train", "text-classification", "--base", "tiny"];
    graft.fails(2, &[&train[..], &["--epochs", "0"]].concat(), "use `0` for `epochs`");
    graft.fails(2, &[&train[..], &["--prompt-tokens", "4"]].concat(), "`--prompt-tokens`");
    graft.fails(2, &[&train[..], &["--method", "soft-prompt", "--rank", "4"]].concat(), "`--rank`");
    graft.fails(2, &[&train[..], &["--targets", "nonsense"]].concat(), "find a layer named `nonsense`");
    graft.fails(2, &[&train[..], &["--run-id", "../x"]].concat(), "as the name of a run");
    graft.fails(2, &["runs", "show", "nothing"], "find run `nothing`");
    graft.fails(2, &["examples", "show", "csv:nothing"], "csv:nothing");
    graft.fails(2, &["models", "list", "--nonsense"], "unexpected argument");
}

#[test]
fn bad_data_is_10() {
    let graft = Graft::new();
    graft.fails(10, &["import", "csv", "nowhere.csv"], "find `nowhere.csv`");
    let empty = graft.file("empty.csv", "text,label\n");
    graft.fails(10, &["import", "csv", empty.to_str().unwrap()], "find an example");
    graft.fails(10, &["import", "ask-ai", empty.to_str().unwrap()], "SQLite");
    graft.fails(10, &["import", "slack", graft.dir.path().to_str().unwrap()], "find `<channel>/YYYY-MM-DD.json`");
    let nothing = graft.fails(10, &["train", "slack-rescue"], "find an approved example of task `slack-rescue`");
    assert!(nothing.stderr.contains("hint: "));
    // Examples that are not approved are not trained on, and no run is started.
    graft.ok(&["import", "slack", data("slack/export").to_str().unwrap()]);
    graft.fails(10, &["train", "slack-rescue"], "500 are pending");
    assert_eq!(graft.json(&["runs", "list"])["runs"], Value::Array(Vec::new()));
}

#[test]
fn import_detects_file_kind() {
    let graft = Graft::new();
    let table = graft.file("x", "text,label\nnice,good\nold,bad\n");
    let shown = graft.json(&["import", table.to_str().unwrap(), "--preview"]);
    assert_eq!((&shown["added"], &shown["preview"][1]["output"]), (&0.into(), &"bad".into()));
    assert_eq!(graft.json(&["import", table.to_str().unwrap()])["added"], 2, "the preview stored nothing");
    let chat = r#"[{"messages": [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "hello"}]}]"#;
    let chat = graft.json(&["import", graft.file("chat.json", chat).to_str().unwrap()]);
    assert_eq!((&chat["task"], &chat["added"]), (&"chat".into(), &1.into()));
    let slack = graft.json(&["import", data("slack/export").to_str().unwrap()]);
    assert_eq!((&slack["task"], &slack["added"]), (&"slack-rescue".into(), &500.into()));
    let parquet = graft.file("x.csv", "PAR1...");
    let refused = graft.fails(10, &["import", "csv", parquet.to_str().unwrap()], "it is a Parquet file");
    assert!(refused.stderr.contains("read_parquet"));
    graft.fails(10, &["import", parquet.to_str().unwrap()], "it is a Parquet file");
    let folder = parquet.parent().unwrap().join("tables");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("a.csv"), "text,label\nnice,good\n").unwrap();
    let refused = graft.fails(10, &["import", folder.to_str().unwrap()], "it is a folder");
    assert!(refused.stderr.contains("name a file in it"), "{}", refused.stderr);
    let doubtful = graft.file("y.csv", "How was it?,Rating\nnice,good\nfine,good\n");
    assert_eq!(graft.json(&["import", doubtful.to_str().unwrap()])["pending"], 1);
    assert_eq!(graft.json(&["import", doubtful.to_str().unwrap(), "--approve-doubtful"])["pending"], 0);
}

#[test]
fn pipes_are_read_once_and_reasons_stand_in_json() {
    let graft = Graft::new();
    let read = |kind: &[&str], lines: &str| {
        let mut command = graft.command(&[&["--json", "import"], kind, &["-"]].concat());
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
        serde_json::from_slice::<Value>(&child.wait_with_output().unwrap().stdout).unwrap()
    };
    let some = read(&[], "{\"text\": \"nice\", \"label\": \"good\"}\n{\"text\": \"old\",}\n{\"text\": \" \"}\n");
    assert_eq!((&some["added"], &some["problems"][0]["at"]), (&1.into(), &"line 2".into()), "{some}");
    assert!(some["problems"][0]["reason"].as_str().unwrap().contains("trailing comma"), "{some}");
    assert_eq!(some["problems"][1]["reason"], "the text is blank");
    let none = read(&["jsonl"], "{\"text\": \"old\",}\n")["error"]["message"].as_str().unwrap().to_owned();
    assert!(none.contains("find an example in `-`") && none.contains("line 1: "), "{none}");
}

#[test]
fn what_a_split_keeps_from_being_learned_is_told_before() {
    let graft = Graft::new();
    let rows =
        |count: usize| (0..count).map(|i| format!("text number {i},{}\n", ["good", "bad"][i % 2])).collect::<String>();
    let table = graft.file("single.csv", &format!("text,label\n{}one of its kind,odd\n", rows(20)));
    graft.ok(&["import", table.to_str().unwrap()]);
    let told = graft.run(&["doctor", "text-classification"]).stdout;
    assert!(told.contains("`odd` (1 ×)"), "{told}");
    let schema = "{\"type\": \"object\", \"properties\": {\"kind\": {\"type\": \"string\"}}, \"required\": [\"kind\"], \
        \"additionalProperties\": false}";
    let schema = graft.file("kind.json", schema).to_str().unwrap().to_owned();
    let doctor = |task: &str, warm: usize| {
        graft.ok(&["tasks", "new", task, "--form", "fields", "--instruction", "Read it.", "--schema", &schema]);
        let row = |i: usize| {
            let kind = if i < warm { "warm" } else { "cold" };
            format!("{{\"input\": \"soup number {i}\", \"output\": {{\"kind\": \"{kind}\"}}}}\n")
        };
        let rows: String = (0..20).map(row).collect();
        graft.ok(&["import", "jsonl", graft.file("sorted.jsonl", &rows).to_str().unwrap(), "--task", task]);
        graft.run(&["doctor", task]).stdout
    };
    let told = doctor("kitchen", 16);
    assert!(told.contains("learn `kind` = `cold` (4 ×)") && told.contains("random"), "{told}");
    let told = doctor("bakery", 14);
    assert!(!told.contains("`kind`"), "two of the kind are learned: {told}");
}

#[test]
fn labels_of_another_task_are_mixed_only_where_asked() {
    let graft = Graft::new();
    let file = |name: &str, rows: &str| graft.file(name, &format!("text,label\n{rows}")).to_str().unwrap().to_owned();
    graft.ok(&["import", &file("spam.csv", "win now,spam\nsee you,ham\n")]);
    let moods = file("moods.csv", "nice,positive\nawful,negative\n");
    let refused = graft.fails(10, &["import", &moods], "its approved examples have other labels (ham, spam)");
    assert!(refused.stderr.contains("--mix-labels"), "{}", refused.stderr);
    graft.fails(10, &["import", "csv", &moods], "import the labels negative, positive");
    let some = graft.json(&["import", &file("more.csv", "buy it,spam\nread it,news\n")]);
    assert!(some["notes"].to_string().contains("New labels: news."), "{some}");
    assert_eq!(graft.json(&["import", &moods, "--mix-labels"])["added"], 2);
    // The labels of a definition are its own, whether an example has them yet or not.
    graft.ok(&["import", &file("one.csv", "nice,positive\nnicer,positive\n"), "--task", "sentiment"]);
    graft.ok(&["import", &file("two.csv", "awful,negative\nworse,negative\n"), "--task", "sentiment"]);
}

#[test]
fn training_without_answer_tokens_is_refused() {
    let graft = Graft::with_toy_task();
    // Every example is longer than the limit, so nothing supervised is left.
    let args = ["train", "text-classification", "--base", "tiny", "--max-tokens", "8", "--json"];
    let said = graft.fails(10, &args, "find training examples");
    let error: Value = serde_json::from_str(&said.stdout).unwrap();
    assert_eq!(error["error"]["exit_code"], 10);
    assert!(error["error"]["hint"].as_str().is_some_and(|hint| hint.contains("--max-tokens")), "{error}");
    let runs = graft.json(&["runs", "list"]);
    assert_eq!((&runs["runs"][0]["state"], &runs["runs"][0]["exit_code"]), (&"failed".into(), &10.into()));
}

#[test]
fn a_missing_or_changed_model_is_11() {
    let graft = Graft::with_toy_task();
    graft.fails(
        11,
        &["train", "text-classification"],
        "find base `smollm2-135m` in the cache, and HF_HUB_OFFLINE forbids",
    );
    graft.fails(11, &["train", "text-classification", "--base", "./nowhere"], "find");
    graft.fails(11, &["base", "pull", "google/flan-t5-small"], "HF_HUB_OFFLINE");
    graft.fails(11, &["base", "remove", "nothing"], "`nothing`");
    let broken = graft.dir.path().join("broken");
    std::fs::create_dir(&broken).unwrap();
    for name in ["config.json", "tokenizer.json", "generation_config.json"] {
        std::fs::copy(model("tiny-llama").join(name), broken.join(name)).unwrap();
    }
    std::fs::write(broken.join("model.safetensors"), b"\x10\0\0\0\0\0\0\0{\"a\":1}        ").unwrap();
    graft.fails(11, &["base", "add", "broken", broken.to_str().unwrap()], "model.safetensors");
    graft.fails(11, &["infer", "--task", "text-classification", "--message", "x"], "find the active version");

    // An adapter is not used with another base than its own.
    let moved = graft.dir.path().join("moved");
    std::fs::create_dir(&moved).unwrap();
    for entry in std::fs::read_dir(model("tiny-llama")).unwrap().flatten().filter(|e| e.path().is_file()) {
        std::fs::copy(entry.path(), moved.join(entry.file_name())).unwrap();
    }
    // Not the files of `tiny`, which would take their place.
    let config = std::fs::read_to_string(moved.join("generation_config.json")).unwrap();
    std::fs::write(moved.join("generation_config.json"), format!("{config}\n")).unwrap();
    graft.ok(&["base", "add", "moved", moved.to_str().unwrap()]);
    graft.ok(&["train", "text-classification", "--base", "moved", "--epochs", "0.1", "--no-eval"]);
    std::fs::write(moved.join("generation_config.json"), format!("{config}\n\n")).unwrap();
    graft.fails(11, &["infer", "--version", "v1", "--message", "x"], "use the base model `moved`");
}

#[test]
fn memory_is_12_and_divergence_is_13() {
    let graft = Graft::with_toy_task();
    let train = ["train", "text-classification", "--base", "tiny"];
    let said = graft.fails(12, &[&train[..], &["--memory", "1M"]].concat(), "MiB of memory");
    assert!(said.stderr.contains("hint: "), "{}", said.stderr);
    graft.fails(
        13,
        &[&train[..], &["--learning-rate", "100", "--clip", "0", "--epochs", "30", "--alpha", "1e30"]].concat(),
        "stable",
    );
    assert_eq!(graft.json(&["runs", "list"])["runs"][0]["exit_code"], 13);
}

#[test]
fn an_unreachable_hub_is_14() {
    let graft = Graft::new();
    let mut command = graft.command(&["base", "pull", "org/model"]);
    let output = command.env("HF_ENDPOINT", "http://127.0.0.1:9").env("HF_HUB_OFFLINE", "0").output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(14), "{said}");
    assert!(said.contains("hint: check the network"), "{said}");
}

#[test]
fn doctor_lists_all_problems() {
    let graft = Graft::new();
    let said = graft.run(&["doctor", "slack-rescue", "--json"]);
    let checks: Value = serde_json::from_str(&said.stdout).unwrap();
    let missing: Vec<&str> = checks["checks"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|c| c["ok"] == false)
        .map(|c| c["name"].as_str().unwrap())
        .collect();
    assert_eq!((said.code, missing), (10, vec!["examples", "base model"]));
    let graft = Graft::with_toy_task();
    assert_eq!(graft.json(&["doctor", "text-classification", "--base", "tiny"])["ready"], true);
    std::fs::write(graft.home().join("graft.db"), "no database").unwrap();
    let broken = graft.run(&["doctor"]);
    assert!(broken.code == 10 && broken.stdout.contains("not a SQLite database"), "{}", broken.stdout);
}
