//! Suspect labels are listed before a training, with decisions that fix them; nothing is changed automatically.

use serde_json::{Value, json};

use crate::common::{Graft, model};

const TASK: &str = "text-classification";

/// Thirty easy messages of each label, and these.
fn with(rows: &[&str]) -> Graft {
    let graft = Graft::new();
    let words = ["apples", "pears", "bread", "soup", "milk", "rice"];
    let easy = (0..60).map(|i| {
        let (word, other) = (words[i % 6], words[(i / 6) % 6]);
        if i % 2 == 1 {
            format!("lovely tasty {word} and {other} number {i} thank you,positive\n")
        } else {
            format!("awful rotten {word} with {other} number {i} never again,negative\n")
        }
    });
    let csv = easy.chain(rows.iter().map(|row| format!("{row}\n"))).collect::<String>();
    let csv = graft.file("mail.csv", &format!("text,label\n{csv}"));
    // Labels such as `N/A` would wait for people.
    graft.ok(&["import", "csv", csv.to_str().unwrap(), "--approve-doubtful"]);
    graft
}

fn suspects(graft: &Graft, kind: &str) -> Vec<Value> {
    let found = graft.json(&["suspects", TASK]);
    found["suspects"].as_array().unwrap().iter().filter(|one| one["kind"] == kind).cloned().collect()
}

/// Makes the decisions of a fix one by one, as the page does.
fn fix(graft: &Graft, suspect: &Value, action: &str) {
    let fix = suspect["fixes"].as_array().unwrap().iter().find(|fix| fix["action"] == action).unwrap();
    for decision in fix["decisions"].as_array().unwrap() {
        let (id, verb) = (decision["id"].as_str().unwrap(), decision["action"].as_str().unwrap());
        let rest = match verb {
            "edit" => vec!["--output", decision["output"].as_str().unwrap()],
            "reject" => vec!["--reason", decision["reason"].as_str().unwrap()],
            _ => Vec::new(),
        };
        graft.ok(&[&["examples", verb, id, "--task", TASK][..], &rest].concat());
    }
}

fn labels(graft: &Graft) -> Vec<String> {
    let listed = graft.json(&["examples", "list", "--task", TASK, "--state", "approved", "--limit", "500"]);
    let label = |one: &Value| one["output"].as_str().unwrap().to_owned();
    let mut labels: Vec<String> = listed["examples"].as_array().unwrap().iter().map(label).collect();
    labels.sort();
    labels.dedup();
    labels
}

#[test]
fn clean_task_has_no_suspects_and_listing_changes_nothing() {
    let graft = with(&[]);
    assert!(graft.ok(&["suspects", TASK]).starts_with("Nothing suspect among 60 approved examples"));
    graft.ok(&["base", "add", "tiny", model("tiny-llama").to_str().unwrap()]);
    let found = graft.json(&["doctor", TASK, "--base", "tiny"])["checks"].clone();
    let check = found.as_array().unwrap().iter().find(|check| check["name"] == "labels").unwrap();
    assert_eq!(check["found"], "nothing suspect");
    graft.fails(2, &["suspects", "no-task"], "no-task");
    let dirty = with(&["fine words here,N/A", "fine words here,positive"]);
    let before = dirty.json(&["examples", "list", "--limit", "500"]);
    dirty.ok(&["suspects", TASK]);
    assert_eq!(dirty.json(&["examples", "list", "--limit", "500"]), before);
}

#[test]
fn label_spellings_are_merged_or_kept() {
    let graft =
        with(&["great cheese,Positive", "nice cheese indeed,postive", "so so cheese,neutral", "bad cheese,neutral2"]);
    let found = suspects(&graft, "label-spelling");
    let reasons: Vec<&str> = found.iter().map(|one| one["reason"].as_str().unwrap()).collect();
    assert_eq!(
        reasons,
        [
            "`Positive` (1 example) differs from `positive` (30 examples) only by case, spaces or punctuation",
            "`postive` (1 example) differs from `positive` (30 examples) only by a typo",
        ],
        "neutral and neutral2 are two labels"
    );
    fix(&graft, &found[0], "change");
    fix(&graft, &found[1], "keep-all");
    assert_eq!(suspects(&graft, "label-spelling"), Vec::<Value>::new());
    assert_eq!(labels(&graft), ["negative", "neutral", "neutral2", "positive", "postive"]);
}

#[test]
fn empty_labels_are_rejected_or_kept() {
    let graft = with(&["who knows,N/A", "who knows more,null", "nobody came,none"]);
    let found = suspects(&graft, "empty-label");
    assert_eq!(found.len(), 3);
    let of = |label: &str| found.iter().find(|one| one["examples"][0]["output"] == label).unwrap();
    fix(&graft, of("N/A"), "reject");
    fix(&graft, of("none"), "keep-all");
    let left = suspects(&graft, "empty-label");
    assert_eq!((left.len(), &left[0]["examples"][0]["output"]), (1, &json!("null")));
    assert_eq!(labels(&graft), ["negative", "none", "null", "positive"]);
}

#[test]
fn contradictions_are_fixed_by_choosing_one_or_keeping_both() {
    let graft = with(&[
        "this is the same text,positive",
        "This is  the same text,negative",
        "THIS IS THE SAME TEXT,negative",
        "we picked up seven boxes of ripe pears from the market on main street today,positive",
        "we picked up seven boxes of ripe pears from the market on main street today!!,positive",
        "we picked up seven boxes of ripe pears from the market on main street today :(,negative",
    ]);
    let same = suspects(&graft, "same-text");
    assert_eq!((same.len(), &same[0]["count"]), (1, &json!(3)));
    assert_eq!(same[0]["reason"], "the same text has 2 labels: `negative` and `positive`");
    assert_eq!(same[0]["fixes"][0]["title"], "Keep `negative`");
    let near = suspects(&graft, "near-duplicate");
    assert_eq!((near.len(), &near[0]["count"]), (1, &json!(3)));
    let said = graft.ok(&["suspects", TASK]);
    assert!(said.contains("graft examples edit") && said.contains("--output negative"), "{said}");

    fix(&graft, &same[0], "keep");
    assert_eq!(suspects(&graft, "same-text"), Vec::<Value>::new());
    fix(&graft, &near[0], "keep-all");
    assert_eq!(suspects(&graft, "near-duplicate"), Vec::<Value>::new());
    // To take one approval back, or to say something new, opens the question again.
    let id = near[0]["examples"][0]["id"].as_str().unwrap();
    graft.ok(&["examples", "edit", id, "--output", "negative"]);
    assert_eq!(suspects(&graft, "near-duplicate").len(), 1);
}

#[test]
fn disagreement_of_cross_fitted_model_is_listed() {
    let graft = with(&["lovely tasty dumplings and pie number 99 thank you,negative"]);
    let found = suspects(&graft, "disagreement");
    assert_eq!(found.len(), 1);
    let reason = found[0]["reason"].as_str().unwrap();
    assert!(reason.starts_with("n-grams of the other examples say `positive` ("), "{reason}");
    assert_eq!(found[0]["fixes"][0]["title"], "Change to `positive`");

    // A training says so before it begins, and trains all the same.
    graft.ok(&["base", "add", "tiny", model("tiny-llama").to_str().unwrap()]);
    let checks = graft.json(&["doctor", TASK, "--base", "tiny"]);
    let check = checks["checks"].as_array().unwrap().iter().find(|check| check["name"] == "labels").unwrap().clone();
    assert_eq!((&check["ok"], &check["found"]), (&json!(true), &json!("1 × a confident model disagrees")));
    assert!(check["hint"].as_str().unwrap().contains("graft suspects text-classification"));

    // A version that is sure says so as well, of what it was measured on and as long as that is unchanged.
    let version = graft.json(&["models", "contestant", "n-grams", "--task", TASK, "--activate"])["version"].clone();
    assert_eq!(version["name"], "v1");
    let reason = suspects(&graft, "disagreement")[0]["reason"].as_str().unwrap().to_owned();
    let held_out = graft.json(&["suspects", TASK])["suspects"][0]["examples"][0]["held_out"].clone();
    assert_eq!(reason.contains("version `v1` is "), held_out == json!(true), "{reason}");
    assert_eq!(held_out, json!(true), "the newest messages are held out");
    fix(&graft, &found[0], "change");
    assert_eq!(suspects(&graft, "disagreement"), Vec::<Value>::new());
}
