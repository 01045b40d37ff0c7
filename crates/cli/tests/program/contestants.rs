//! Contestants are evaluated beside a version, activated if they are better, and rolled back.

use serde_json::{Value, json};

use crate::common::Graft;

const LEARNS_NOTHING: [&str; 9] =
    ["train", "text-classification", "--base", "tiny", "--epochs", "0.1", "--learning-rate", "1e-9", "--skip-base"];
const TASK: [&str; 2] = ["--task", "text-classification"];

fn named<'v>(evaluation: &'v Value, kind: &str) -> &'v Value {
    evaluation["contestants"].as_array().unwrap().iter().find(|one| one["kind"] == kind).unwrap()
}

#[test]
fn best_contestant_can_be_activated() {
    let graft = Graft::with_toy_task();
    let said =
        graft.fails(15, &[&LEARNS_NOTHING[..], &["--activate"]].concat(), "that of the baseline (n-grams) 1.000");
    assert!(said.stdout.contains("n-grams") && said.stdout.contains("always "), "{}", said.stdout);
    assert!(said.stderr.contains("graft models contestant n-grams --task text-classification --activate"));
    let trained = graft.json(&["models", "info", "v1"]);
    let measured = &trained["version"]["metrics"]["evaluation"];
    assert_eq!(named(measured, "n-grams")["scores"]["metrics"][0]["value"], 1.0);
    assert_eq!((&measured["baseline"]["name"], &trained["version"]["method"]), (&json!("n-grams"), &json!("adapter")));
    // 12 of 12 are no certainty.
    assert!(named(measured, "n-grams")["scores"]["metrics"][0]["low"].as_f64().unwrap() < 0.8);

    let done = graft.json(&["models", "contestant", "n-grams", "--activate"]);
    let version = &done["version"];
    assert_eq!((&version["name"], &version["method"]), (&json!("v2"), &json!("n-grams")));
    assert_eq!((&version["base"], &version["base_digest"]), (&Value::Null, &Value::Null));
    assert_eq!(version["dataset"], trained["version"]["dataset"]);
    assert_eq!(done["opponent"], json!({"baseline": "nearest example"}));
    // The same again is the same version.
    assert_eq!(graft.json(&["models", "contestant", "n-grams"])["name"], "v2");
    assert_eq!(graft.json(&["models", "list"])["active"]["text-classification"], "v2");

    // It answers without its neighbours' base model.
    graft.json(&["base", "remove", "tiny"]);
    let answer = graft.json(&["infer", "--message", "yes yes yes yes yes yes 7"]);
    assert_eq!((&answer["label"], &answer["version"], &answer["valid"]), (&json!("good"), &json!("v2"), &json!(true)));
    assert!(answer["confidence"].as_f64().is_some_and(|p| p > 0.5));
    let measured = graft.json(&["eval", "--version", "v2"]);
    assert_eq!(measured["evaluation"]["adapter"]["metrics"][0]["value"], 1.0);
    assert_eq!(measured["evaluation"]["base"], Value::Null);
    assert_eq!(graft.json(&["validate"])["failed"], 0);
    let compared = graft.json(&["compare", "--message", "no no no", "--with", "most-frequent"]);
    assert_eq!((&compared["left"]["name"], &compared["left"]["answer"]), (&json!("most-frequent"), &json!("good")));
    assert_eq!(compared["right"]["answer"], "bad");

    // All 12 held-out answers are exported.
    for version in ["v1", "v2"] {
        let report = graft.home().join(version).with_extension("html");
        graft.ok(&["models", "results", version, "--output", report.to_str().unwrap()]);
        let report = std::fs::read_to_string(report).unwrap();
        assert_eq!(report.matches("<li class=").count(), 12);
        assert!(!report.contains("answers were kept") && report.contains("graft eval --task text-classification"));
        let rows = graft.ok(&["models", "results", version, "--format", "jsonl"]);
        let rows: Vec<Value> = rows.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(rows.len(), 12);
        let right = rows.iter().filter(|row| row["expected"] == row["answer"]).count();
        assert_eq!(rows.iter().filter(|row| row["correct"] == true).count(), right);
        assert_eq!(right == 12, version == "v2", "only n-grams are right");
        assert!(rows.iter().all(|row| row["confidence"].as_f64().is_some_and(|sure| sure > 0.0 && sure < 1.0)));
    }
    let table = graft.ok(&["models", "results", "v2"]);
    assert!(table.starts_with("id,input,expected,answer,correct,score,confidence\ncsv:"), "{table}");

    // It is no adapter.
    graft.fails(2, &["adapter", "export", "v2", "--peft", "out"], "it is n-grams and needs no base model");
    graft.fails(2, &["adapter", "merge", "v2", "--output", "out"], "it is n-grams and needs no base model");
    graft.fails(2, &[&["models", "contestant", "rules"][..], &TASK].concat(), "the task has no baseline");
    graft.fails(2, &["models", "contestant", "oracle"], "find a contestant `oracle`");

    // A damaged file does not answer, a whole one does; another version takes its place and gives it back.
    let file = graft.home().join(version["adapter_dir"].as_str().unwrap()).join("contestant.json");
    let whole = std::fs::read(&file).unwrap();
    std::fs::write(&file, [&whole[..], b" "].concat()).unwrap();
    graft.fails(11, &["infer", "--message", "yes"], "its file is not the one that was registered");
    std::fs::write(&file, &whole).unwrap();
    graft.fails(15, &["models", "contestant", "most-frequent", "--activate"], "version `v2`");
    graft.json(&["models", "set-active", "v3", "--force"]);
    assert_eq!(graft.json(&["infer", "--message", "no no no"])["label"], "good");
    let back = graft.json(&["models", "rollback"]);
    assert_eq!((&back["version"]["name"], &back["previous"]), (&json!("v2"), &json!("v3")));
}

#[test]
fn version_worse_than_a_contestant_is_not_activated() {
    let graft = Graft::with_toy_task();
    graft.ok(&[&LEARNS_NOTHING[..], &["--activate", "--force"]].concat());
    assert_eq!(graft.json(&["models", "list"])["active"]["text-classification"], "v1");
    // The same again is not worse than the active one, but n-grams are better.
    graft.ok(&[&LEARNS_NOTHING[..], &["--seed", "9"]].concat());
    let said = graft.fails(15, &["models", "set-active", "v2"], "that of the baseline (n-grams) 1.000");
    assert!(said.stderr.contains("graft models contestant n-grams"), "{}", said.stderr);
    let done = graft.json(&["models", "contestant", "n-grams", "--activate"]);
    // The output compares it with the version that it replaces.
    assert_eq!((&done["previous"], &done["opponent"]), (&json!("v1"), &json!({"version": "v1"})));
}

#[test]
fn contestant_survives_backup_and_sweep() {
    let graft = Graft::with_toy_task();
    graft.ok(&[&["models", "contestant", "nearest", "--activate"][..], &TASK].concat());
    let swept = graft.json(&["sweep", "--older-than", "0"]);
    assert_eq!((&swept["missing"], &swept["removed"]), (&json!([]), &json!([])), "{swept}");
    graft.ok(&["backup", "all.zip"]);
    let other = Graft::new();
    let archive = graft.dir.path().join("all.zip");
    other.ok(&["restore", archive.to_str().unwrap()]);
    let answer = other.json(&["infer", "--message", "yes yes yes yes yes yes 9"]);
    assert_eq!((&answer["label"], &answer["version"]), (&json!("good"), &json!("v1")));
}

#[test]
fn rules_of_a_task_are_tried_kept_and_answer() {
    let graft = Graft::with_toy_task();
    let rules = |name: &str, pattern: &str| {
        let text =
            format!("kind = \"rules\"\notherwise = \"good\"\n\n[[rules]]\nlabel = \"bad\"\npattern = '{pattern}'\n");
        graft.file(name, &text).to_str().unwrap().to_owned()
    };
    let (blind, right) = (rules("blind.toml", "never"), rules("right.toml", r"(?i)\bno\b"));
    let tried = graft.json(&["tasks", "try-baseline", "text-classification", "--baseline", &blind]);
    assert!(tried["right"].as_u64() < tried["examples"].as_u64(), "{tried}");
    assert_eq!((&tried["wrong"][0]["wanted"], &tried["wrong"][0]["answer"]), (&json!("bad"), &json!("good")));
    let tried = graft.json(&["tasks", "try-baseline", "text-classification", "--baseline", &right]);
    assert_eq!((&tried["right"], &tried["wrong"]), (&tried["examples"], &json!([])), "{tried}");
    assert_eq!(tried["rules"][0]["used"], tried["rules"][0]["right"]);
    // Nothing was stored by trying.
    graft.fails(2, &["tasks", "try-baseline", "text-classification"], "it has none");
    let broken = rules("broken.toml", "(");
    let edit = ["tasks", "edit", "text-classification", "--baseline"];
    graft.fails(2, &[&edit[..], &[&broken]].concat(), "`baseline.rules[0].pattern`: unclosed group");

    graft.ok(&[&edit[..], &[&blind]].concat());
    let first = graft.json(&["models", "contestant", "rules", "--task", "text-classification"]);
    graft.ok(&[&edit[..], &[&right]].concat());
    let second = graft.json(&["models", "contestant", "rules", "--task", "text-classification", "--activate"]);
    assert_eq!((&first["name"], &second["version"]["name"]), (&json!("v1"), &json!("v2")), "other rules");
    assert_eq!(second["version"]["metrics"]["evaluation"]["adapter"]["metrics"][0]["value"], 1.0);
    assert_eq!(graft.json(&["infer", "--message", "no no 7"])["label"], "bad");
    assert_eq!(graft.json(&["compare", "--message", "yes"])["left"]["name"], "regex");

    // The definition travels as a file.
    let file = graft.file("task.toml", &graft.ok(&["tasks", "export", "text-classification"]));
    graft.ok(&["tasks", "import", file.to_str().unwrap(), "--name", "copy"]);
    let copy = graft.json(&["tasks", "show", "copy"]);
    assert_eq!(copy["definition"]["baseline"]["rules"][0]["pattern"], r"(?i)\bno\b");
}

#[test]
fn a_program_that_people_have_is_a_baseline() {
    let graft = Graft::with_toy_task();
    let command = |name: &str, script: &str| {
        let text = format!("kind = \"command\"\ntimeout_seconds = 5\ncommand = [\"sh\", \"-c\", '{script}']\n");
        graft.file(name, &text).to_str().unwrap().to_owned()
    };
    let (right, broken) =
        (command("right.toml", "grep -q no && echo bad || echo good"), command("broken.toml", "echo gone >&2; exit 4"));
    let tried = graft.json(&["tasks", "try-baseline", "text-classification", "--baseline", &right, "--limit", "10"]);
    assert_eq!((&tried["right"], &tried["examples"]), (&json!(10), &json!(10)), "{tried}");
    let tried = graft.json(&["tasks", "try-baseline", "text-classification", "--baseline", &broken]);
    assert_eq!(tried["answered"], 0);
    assert!(tried["failure"].as_str().unwrap().contains("exit status: 4: gone"), "{tried}");
    let reason = tried["wrong"][5]["reason"].as_str().unwrap();
    assert!(reason.ends_with("failed three times in a row and is not asked any more"), "{reason}");

    graft.ok(&["tasks", "edit", "text-classification", "--baseline", &right]);
    let made = graft.json(&["models", "contestant", "rules", "--task", "text-classification", "--activate"]);
    assert_eq!(made["version"]["metrics"]["evaluation"]["adapter"]["metrics"][0]["value"], 1.0);
    assert_eq!(graft.json(&["infer", "--message", "no no 7"])["label"], "bad");
    // It fails on some texts: they count as wrong.
    let weak = command("weak.toml", "read -r text; case $text in *[78]) exit 3;; *no*) echo bad;; *) echo good;; esac");
    graft.ok(&["tasks", "edit", "text-classification", "--baseline", &weak]);
    let made = graft.json(&["models", "contestant", "rules", "--task", "text-classification"]);
    let score = made["metrics"]["evaluation"]["adapter"]["metrics"][0]["value"].as_f64().unwrap();
    assert!(score > 0.5 && score < 1.0, "{made}");
    let file = graft.file("texts.txt", "yes 7\nyes 9\n");
    let name = made["name"].as_str().unwrap();
    let said = graft.json(&["infer", "--version", name, "--input-file", file.to_str().unwrap()]);
    assert!(said["answers"][0]["error"].as_str().unwrap().contains("exit status: 3"), "{said}");
    assert_eq!(said["answers"][1]["label"], "good");

    graft.ok(&["tasks", "edit", "text-classification", "--baseline", &broken]);
    graft.fails(14, &["models", "contestant", "rules", "--task", "text-classification"], "exit status: 4: gone");
    graft.fails(14, &["compare", "--message", "yes", "--with", "rules"], "it ended with exit status: 4: gone");
}
