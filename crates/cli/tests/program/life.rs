//! The complete workflow of a version: import, train, activate, roll back.

use serde_json::{Value, json};

use graft_core::{EventKind, InterimScores};

use crate::common::{Graft, data, events, model};

/// In f32, so that it learns the same on every machine.
const LEARNS: [&str; 12] = [
    "train",
    "text-classification",
    "--base",
    "tiny",
    "--epochs",
    "20",
    "--learning-rate",
    "1e-2",
    "--split",
    "random",
    "--precision",
    "f32",
];
const LEARNS_NOTHING: [&str; 8] =
    ["train", "text-classification", "--base", "tiny", "--epochs", "0.1", "--learning-rate", "1e-9"];

#[test]
fn worse_version_needs_force_and_rollback_restores() {
    let graft = Graft::with_toy_task();
    let first = graft.json(&[&LEARNS[..], &["--activate"]].concat());
    assert_eq!((&first["version"]["name"], &first["version"]["stage"]), (&json!("v1"), &json!("active")));
    assert_eq!(first["version"]["metrics"]["evaluation"]["baseline"]["name"], "n-grams");
    let score = |version: &Value, who: &str| version["metrics"]["evaluation"][who]["per_example"].clone();
    assert_eq!(score(&first["version"], "adapter"), json!(vec![1.0; 12]), "the toy task is easy");
    assert!(score(&first["version"], "base").is_array());

    // A worse one is registered, but doesn't take its place.
    let worse = graft.fails(15, &[&LEARNS_NOTHING[..], &["--activate", "--json"]].concat(), "make version `v2`");
    let worse: Value = serde_json::from_str(&worse.stdout).unwrap();
    assert_eq!((&worse["version"]["name"], &worse["refusal"]["exit_code"]), (&json!("v2"), &json!(15)));
    assert_eq!(worse["version"]["parent"], Value::Null, "it learned from the start");
    graft.fails(15, &["models", "set-active", "v2"], "version `v1`");
    assert_eq!(graft.json(&["models", "list"])["active"]["text-classification"], "v1");

    let forced = graft.json(&["models", "set-active", "v2", "--force"]);
    assert_eq!((&forced["comparison"]["verdict"], &forced["previous"]), (&json!("worse"), &json!("v1")));
    graft.fails(2, &["models", "delete", "v2"], "while it is active");
    let back = graft.json(&["models", "rollback"]);
    assert_eq!((&back["version"]["name"], &back["previous"]), (&json!("v1"), &json!("v2")));
    let gone = graft.json(&["models", "delete", "v2"]);
    assert!(graft.home().join(gone["adapter_dir"].as_str().unwrap()).join("adapter_model.safetensors").exists());
    graft.fails(11, &["models", "info", "v2"], "find version `v2`");
    graft.fails(11, &["models", "rollback"], "no earlier active version");

    let registry = graft.json(&["models", "export-registry", "--output", "model_registry.json"]);
    assert_eq!(registry["active_version"], "v1");
    let written = std::fs::read_to_string(graft.dir.path().join("model_registry.json")).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&written).unwrap(), registry);
}

#[test]
fn scores_of_a_training_end_as_its_evaluation_begins() {
    let graft = Graft::with_toy_task();
    let learns = LEARNS.map(|word| if word == "20" { "3" } else { word });
    let trained = graft.run(&[&learns[..], &["--skip-base"]].concat());
    assert_eq!(trained.code, 0, "{}", trained.stderr);
    let version = graft.json(&["models", "info", "v1"])["version"].clone();
    let run = version["run"].as_str().unwrap();
    let measured: Vec<(bool, InterimScores)> = events(&graft, run)
        .into_iter()
        .filter_map(|event| match event.kind {
            EventKind::Eval { best, scores, .. } => Some((best, scores?)),
            _ => None,
        })
        .collect();
    let (_, published) = measured.iter().rfind(|(best, _)| *best).unwrap();
    let metrics = &version["metrics"]["evaluation"]["adapter"]["metrics"];
    assert_eq!((&metrics[0]["name"], &metrics[1]["name"]), (&json!("accuracy"), &json!("macro_f1")));
    let evaluated = (12, metrics[0]["value"].as_f64().unwrap(), metrics[1]["value"].as_f64());
    assert_eq!((published.examples, published.accuracy, published.f1), evaluated, "{measured:?}");

    let (last, text) = (&measured.last().unwrap().1, "on 12 held-out examples");
    assert!(trained.stderr.contains(&format!("accuracy {:.3}, F1 ", last.accuracy)), "{}", trained.stderr);
    assert_eq!(trained.stderr.matches(text).count(), measured.len());
    let shown = graft.json(&["runs", "show", run]);
    assert_eq!(shown["held_out"]["scores"], json!(last));
    assert!(graft.ok(&["runs", "show", run]).contains(text));
    let without = graft.json(&[&learns[..], &["--score-examples", "0", "--no-eval"]].concat());
    assert_eq!(without["version"]["adapter_digest"], version["adapter_digest"], "scores change no weight");
    let run = without["run"].as_str().unwrap();
    assert_eq!(graft.json(&["runs", "show", run])["held_out"]["scores"], Value::Null);
}

#[test]
fn warm_start_trains_from_a_version() {
    let graft = Graft::with_toy_task();
    graft.ok(&[&LEARNS[..], &["--activate", "--skip-base"]].concat());
    let rows: String = (60..70).map(|i| format!("{}{i},maybe\n", "hm ".repeat(6))).collect();
    let more = graft.file("more.csv", &format!("text,label\n{rows}"));
    graft.ok(&["import", "csv", more.to_str().unwrap(), "--mix-labels"]);

    let from = ["text-classification", "--from", "v1"];
    let asked = graft.json(&[&["queue", "submit"][..], &from, &["--dry-run"]].concat());
    let learned = &asked["warm_start"];
    let [new, replayed] = ["new", "replayed"].map(|name| learned[name].as_u64().unwrap());
    assert!((1..=10).contains(&new) && replayed == 40, "{learned}");
    assert_eq!(asked["estimate"]["train"], new + replayed);
    assert_eq!(asked["spec"]["base"]["name"], "tiny", "the base is the version's");

    let warm = graft.json(&[&["train"][..], &from, &["--skip-base", "--precision", "f32"]].concat());
    assert_eq!((&warm["version"]["name"], &warm["version"]["parent"]), (&json!("v2"), &json!("v1")));
    assert_eq!(warm["result"]["samples"], new + replayed);
    let (dir, run) = (graft.home().join("runs"), warm["run"].as_str().unwrap());
    let parent = graft.json(&["models", "info", "v1"]);
    assert_eq!(warm["result"]["hyperparameters"]["init_from"]["adapter"], parent["version"]["adapter_digest"]);
    // The directory travels: another home has neither the version nor its files.
    let (there, elsewhere) = (dir.join(run), graft.dir.path().join("elsewhere"));
    std::fs::create_dir_all(elsewhere.join("data/init")).unwrap();
    for folder in ["", "data", "data/init"] {
        for file in std::fs::read_dir(there.join(folder)).unwrap().map(Result::unwrap) {
            let given = !folder.is_empty() || file.file_name() == "spec.json";
            if given && file.path().is_file() {
                std::fs::copy(file.path(), elsewhere.join(folder).join(file.file_name())).unwrap();
            }
        }
    }
    std::fs::remove_dir_all(graft.home().join("adapters")).unwrap();
    graft.ok(&["train-dir", elsewhere.to_str().unwrap(), "--base", "tiny"]);
    let result = std::fs::read_to_string(elsewhere.join("training_run.json")).unwrap();
    let result: Value = serde_json::from_str(&result).unwrap();
    assert_eq!(result["adapter_hash"], warm["version"]["adapter_digest"]);

    graft.fails(11, &["train", "text-classification", "--from", "v9"], "find version `v9`");
    graft.fails(11, &[&["train"][..], &from].concat(), "its folder is missing");
}

#[test]
fn warm_start_refuses_mismatched_settings() {
    let graft = Graft::with_toy_task();
    graft.ok(&[&LEARNS_NOTHING[..], &["--no-eval"]].concat());
    let from = ["train", "text-classification", "--from", "v1"];
    graft.fails(2, &[&from[..], &["--rank", "2"]].concat(), "another shape than version `v1`");
    graft.fails(11, &[&from[..], &["--method", "soft-prompt"]].concat(), "its method is `lora`");
    graft.ok(&["base", "add", "other", model("tiny-t5").to_str().unwrap()]);
    graft.fails(11, &[&from[..], &["--base", "other"]].concat(), "trained on base model `tiny`");
    graft.ok(&["models", "contestant", "n-grams"]);
    graft.fails(11, &["train", "text-classification", "--from", "v2"], "answers without an adapter");
}

#[test]
fn version_answers_only_with_its_base_model() {
    let graft = Graft::with_toy_task();
    graft.ok(&[&LEARNS[..], &["--activate", "--skip-base", "--version", "toy"]].concat());
    let answer = graft.json(&["infer", "--message", "yes yes yes yes yes yes 7"]);
    assert_eq!((&answer["label"], &answer["version"], &answer["valid"]), (&json!("good"), &json!("toy"), &json!(true)));
    assert!(answer["confidence"].as_f64().is_some_and(|p| p > 0.5));

    let long = "yes ".repeat(600);
    let lines = format!("{{\"ts\":\"1.5\",\"text\":\"no no no no no no 3\"}}\n{{\"id\":9,\"message\":\"{long}\"}}\n");
    let input = graft.file("in.jsonl", &lines);
    graft.ok(&[
        "infer",
        "--task",
        "text-classification",
        "--input-file",
        input.to_str().unwrap(),
        "--output",
        "out.jsonl",
    ]);
    let out = std::fs::read_to_string(graft.dir.path().join("out.jsonl")).unwrap();
    let out: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((&out[0]["ts"], &out[0]["label"]), (&json!("1.5"), &json!("bad")));
    assert_eq!((&out[1]["id"], &out[1]["valid"]), (&json!("9"), &json!(false)), "too long, and said so");

    assert_eq!(graft.json(&["base", "list"])["bases"][0]["name"], "tiny");
    assert_eq!(graft.json(&["models", "info", "toy"])["version"]["stage"], "active");
    assert_eq!(graft.json(&["runs", "list"])["runs"][0]["state"], "succeeded");
    assert_eq!(graft.json(&["validate", "--version", "toy"])["failed"], 0);
    let samples = graft.file("samples.txt", "yes yes\nno no\n");
    assert_eq!(graft.json(&["validate", "--samples", samples.to_str().unwrap()])["samples"][1]["answer"], "bad");
    let eval = graft.json(&["eval"]);
    assert!(
        eval["evaluation"]["base"]["metrics"].is_array()
            && eval["evaluation"]["calibration"]["after"]["ece"].is_number()
    );
    graft.fails(2, &["compare", "--message", "yes"], "--with");
    assert_eq!(graft.json(&["compare", "--message", "yes", "--with", "toy"])["differences"]["score"], 1.0);

    // Changed weights are not served.
    let version = graft.json(&["models", "info", "toy"]);
    let folder = graft.home().join(version["version"]["adapter_dir"].as_str().unwrap());
    let mut weights = std::fs::read(folder.join("adapter_model.safetensors")).unwrap();
    *weights.last_mut().unwrap() ^= 1;
    std::fs::write(folder.join("adapter_model.safetensors"), weights).unwrap();
    graft.fails(11, &["infer", "--message", "yes"], "not those that were registered");
    graft.json(&["base", "remove", "tiny"]);
}

#[test]
fn version_corrected_by_people_drifts() {
    let graft = Graft::with_toy_task();
    let none = graft.json(&["drift", "--task", "text-classification"]);
    assert_eq!((&none["state"], &none["version"]), (&json!("unknown"), &Value::Null));
    graft.ok(&[&LEARNS[..], &["--activate", "--skip-base"]].concat());
    let rows: String =
        (60..84).map(|i| format!("{}{i},\n", if i % 2 == 1 { "yes " } else { "no " }.repeat(6))).collect();
    graft.ok(&["import", "csv", graft.file("more.csv", &format!("text,label\n{rows}")).to_str().unwrap()]);
    assert_eq!(graft.json(&["suggest", "text-classification"])["answered"], 24);
    let early = graft.json(&["drift"]);
    assert_eq!((&early["state"], &early["confidence"]["reference"]["n"]), (&json!("unknown"), &json!(12)));
    assert!(early["overrides"]["text"].as_str().is_some_and(|text| text.contains("20 more are needed")));

    // From now on people mean the opposite by the same words.
    for example in
        graft.json(&["examples", "list", "--state", "pending", "--limit", "50"])["examples"].as_array().unwrap()
    {
        let label = if example["input"].as_str().unwrap().starts_with("yes") { "bad" } else { "good" };
        graft.ok(&["examples", "edit", example["id"].as_str().unwrap(), "--output", label]);
    }
    let drift = graft.json(&["drift"]);
    let overrides = &drift["overrides"];
    assert_eq!((&drift["state"], &overrides["state"]), (&json!("drifting"), &json!("drifting")), "{overrides}");
    assert_eq!((&overrides["window"]["count"], &overrides["window"]["n"]), (&json!(24), &json!(24)));
    assert_eq!((&overrides["reference"]["count"], &overrides["differing"]["p95"]), (&json!(0), &json!(1.0)));
    let period = &drift["periods"][0];
    assert_eq!((&period["suggestions"], &period["decided"], &period["changed"]), (&json!(20), &json!(20), &json!(20)));
    let said = graft.ok(&["drift", "--version", "v1"]);
    assert!(said.contains("drifting. People changed 24 of the last 24") && said.contains("graft train"), "{said}");

    // Half of the older examples that a warm start learns again are such that people corrected.
    graft.ok(&[&LEARNS[..], &["--skip-base"]].concat());
    let new = graft.file("new.csv", "text,label\nyes yes yes yes yes yes 100,bad\nno no no no no no 101,good\n");
    graft.ok(&["import", "csv", new.to_str().unwrap()]);
    let asked = graft.json(&["queue", "submit", "text-classification", "--from", "v2", "--replay", "1", "--dry-run"]);
    let learned = &asked["warm_start"];
    assert!(learned["corrected"].as_u64().is_some_and(|some| (15..=24).contains(&some)), "{learned}");
    graft.fails(11, &["drift", "--version", "v9"], "find version `v9`");
}

#[test]
fn rollout_follows_peoples_decisions() {
    let graft = Graft::with_toy_task();
    let task = "text-classification";
    graft.ok(&[&LEARNS[..], &["--skip-base"]].concat());
    graft.fails(2, &["rollout", "start", "v1"], "no version is active");
    graft.ok(&["models", "set-active", "v1"]);
    // The same again, which answers the same.
    graft.ok(&[&LEARNS[..], &["--skip-base"]].concat());
    let policy = ["--shadow-hours", "0", "--margin", "0.3", "--error-rate", "0.2"];
    let begun = graft.json(&[&["rollout", "start", "v2"][..], &policy].concat());
    assert_eq!((&begun["rollout"]["against"], &begun["rollout"]["state"]), (&json!("v1"), &json!("shadow")));
    graft.fails(2, &["rollout", "start", "v2"], "is being rolled out");
    graft.fails(15, &["rollout", "promote", "--skip-canary"], "live outcomes");
    assert_eq!(graft.json(&["rollout", "promote"])["rollout"]["state"], "canary");
    assert_eq!(graft.json(&["models", "info", "v2"])["version"]["stage"], "canary");

    // Both answer what waits for its audit; people see what the active version says, and decide.
    let rows: String =
        (60..84).map(|i| format!("{}{i},\n", if i % 2 == 1 { "yes " } else { "no " }.repeat(6))).collect();
    graft.ok(&["import", "csv", graft.file("more.csv", &format!("text,label\n{rows}")).to_str().unwrap()]);
    let answered = graft.json(&["suggest", task]);
    assert_eq!((&answered["answered"], &answered["answered_beside"]), (&json!(24), &json!(24)));
    assert_eq!(graft.json(&["suggest", task])["answered_beside"], 0, "each once");
    for example in
        graft.json(&["examples", "list", "--state", "pending", "--limit", "50"])["examples"].as_array().unwrap()
    {
        let label = if example["input"].as_str().unwrap().starts_with("yes") { "good" } else { "bad" };
        graft.ok(&["examples", "edit", example["id"].as_str().unwrap(), "--output", label]);
    }
    let running = &graft.json(&["rollout", "status", task])["running"];
    assert_eq!((&running["outcomes"]["decided"], &running["counts"]["pairs"]), (&json!(24), &json!(24)), "{running}");
    assert_eq!((&running["outcomes"]["active"], &running["ready"]), (&json!(1.0), &json!(true)), "{running}");
    let said = graft.ok(&["rollout", "status"]);
    assert!(said.contains("live outcomes") && said.contains("Make it active."), "{said}");
    let done = graft.json(&["rollout", "promote"]);
    assert_eq!((&done["version"]["name"], &done["previous"]), (&json!("v2"), &json!("v1")));
    let ended = graft.json(&["rollout", "status"]);
    assert_eq!((&ended["running"], &ended["ended"][0]["state"]), (&Value::Null, &json!("promoted")));

    // Its report is there after its end.
    let report = graft.json(&["rollout", "report", "--number", "1"]);
    let (outcomes, counts) = (&report["outcomes"], &report["counts"]);
    assert_eq!((&report["rollout"]["state"], &outcomes["decided"]), (&json!("promoted"), &json!(24)), "{report:#}");
    assert_eq!((&counts["agreement"], &outcomes["difference"]["mean"]), (&json!(1.0), &json!(0.0)));
    let [low, high] = ["low", "high"].map(|end| outcomes["difference"][end].as_f64().unwrap());
    assert!((-1.0..0.0).contains(&low) && high > 0.0 && high < 1.0, "{low} {high}");
    let said = graft.ok(&["rollout", "report"]);
    assert!(said.contains("24 decided by people") && said.contains("confidence sequence"), "{said}");
    let page = graft.home().join("rollout.html");
    graft.ok(&["rollout", "report", "--output", page.to_str().unwrap()]);
    let page = std::fs::read_to_string(page).unwrap();
    assert!(page.contains("v2 against v1") && page.contains("100.0 %") && !page.contains("<script"), "{page}");
    graft.fails(2, &["rollout", "report", "--number", "9"], "find roll-out 9");

    // An override is in the audit trail with its reason.
    graft.ok(&["rollout", "start", "v1"]);
    graft.fails(15, &["rollout", "promote", "--skip-canary"], "time as shadow or canary");
    assert_eq!(graft.json(&["rollout", "promote", "--override", "v2 is rude"])["version"]["name"], "v1");
    let ended = graft.json(&["rollout", "status"]);
    assert_eq!(ended["ended"][0]["why"], "overridden: v2 is rude");
    graft.ok(&["rollout", "start", "v2", "--share", "0"]);
    graft.fails(2, &["rollout", "promote"], "neither a share");
    graft.ok(&["rollout", "stop", "--because", "enough"]);
    graft.fails(2, &["rollout", "stop"], "none is being rolled out");
    graft.fails(2, &["rollout", "start", "v2", "--share", "2"], "use `2` for `share`");
}

#[test]
fn held_out_examples_stay_held_out() {
    let graft = Graft::with_toy_task();
    let short = ["train", "text-classification", "--base", "tiny", "--epochs", "0.1", "--no-eval"];
    let dataset = |graft: &Graft| graft.json(&[&short[..], &["--split", "random", "--seed", "1"]].concat());
    let before = dataset(&graft);
    let rows = |run: &Value, side: &str| -> Vec<String> {
        let path = graft.home().join("runs").join(run["run"].as_str().unwrap()).join(format!("data/{side}.jsonl"));
        let text = std::fs::read_to_string(path).unwrap();
        text.lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap()["id"].as_str().unwrap().to_owned())
            .collect()
    };
    let held = rows(&before, "eval");
    let more: String = (60..90).map(|i| format!("maybe {i} so {}, good\n", i * 7)).collect();
    let more = graft.file("more.csv", &format!("text,label\n{more}"));
    graft.ok(&["import", "csv", more.to_str().unwrap()]);
    let after = graft.json(&[&short[..], &["--split", "newest"]].concat());
    let (train, eval) = (rows(&after, "train"), rows(&after, "eval"));
    assert!(held.iter().all(|id| eval.contains(id) && !train.contains(id)));
    assert_eq!(train.len() + eval.len(), 90);
}

#[test]
fn examples_are_reviewed() {
    let graft = Graft::new();
    let (export, labels) = (data("slack/export"), data("slack/labels.jsonl"));
    graft.ok(&["import", "slack", export.to_str().unwrap()]);
    assert_eq!(graft.json(&["examples", "list", "--state", "pending"])["total"], 500);
    let again = graft.json(&["import", "slack", export.to_str().unwrap(), "--labels", labels.to_str().unwrap()]);
    assert_eq!((&again["updated"], &again["labelled"]), (&json!(500), &json!(500)));

    let id = "slack:1740856200.000000";
    let edited = r#"{"direction":"inbound","rescue_location":null,"drop_off_location":null,"items":[]}"#;
    graft.fails(10, &["examples", "edit", id, "--output", r#"{"direction":"up"}"#], "use this output");
    graft.ok(&["examples", "edit", id, "--output", edited]);
    graft.ok(&["examples", "reject", id, "--reason", "not a rescue"]);
    graft.ok(&["examples", "approve", id]);
    let shown = graft.json(&["examples", "show", id]);
    assert_eq!(
        (&shown["revision"], &shown["review"]["by"], &shown["output"]["items"]),
        (&json!(3), &json!("ada"), &json!([]))
    );
    let history = graft.json(&["examples", "history", id]);
    let actions: Vec<&str> =
        history["changes"].as_array().unwrap().iter().map(|c| c["action"].as_str().unwrap()).collect();
    assert_eq!(actions, ["import", "import", "edit", "reject", "approve"]);

    let some = ["--task", "slack-rescue", "--all", "--state", "approved", "--search", "bananas"];
    let matching = graft.json(&[&["examples", "list"], &some[..2], &some[3..]].concat())["total"].as_u64();
    let reopened = graft.json(&[&["examples", "reopen"][..], &some].concat());
    assert!(matching > Some(0) && reopened["changed"].as_u64() == matching, "{reopened}");
    let pending = ["examples", "reject", "--task", "slack-rescue", "--all", "--state", "pending", "--reason", "later"];
    assert_eq!(graft.json(&pending)["changed"].as_u64(), matching);
    let rejected = ["examples", "approve", "--task", "slack-rescue", "--all", "--state", "rejected"];
    let sure = graft.json(&[&rejected[..], &["--min-confidence", "0.5"]].concat());
    assert_eq!(sure["changed"], 0, "nothing was suggested");
    assert_eq!(graft.json(&rejected)["changed"].as_u64(), matching);
    graft.fails(2, &["examples", "approve", "--all"], "--task");
    graft.fails(2, &["examples", "approve", id, "--state", "pending"], "--state");
    graft.fails(2, &["examples", "approve"], "<IDS>");

    graft.ok(&["base", "add", "tiny", model("tiny-llama").to_str().unwrap()]);
    let mask = graft.json(&["examples", "show", id, "--mask", "--base", "tiny"]);
    let tokens = mask["tokens"].as_array().unwrap();
    let first = tokens.iter().position(|token| token["supervised"] == true).unwrap();
    assert!(tokens[first..].iter().all(|token| token["supervised"] == true), "the answer is at the end");
    let answer: String = tokens[first..].iter().map(|token| token["text"].as_str().unwrap()).collect();
    assert_eq!(answer, " inbound - -]<|im_end|>", "the answer, closed by the end token, and nothing else");
    assert_eq!(graft.json(&["stats"])["audited"], 500);
}

#[test]
fn ten_examples_are_enough_to_train() {
    let graft = Graft::new();
    graft.ok(&["base", "add", "tiny", model("tiny-llama").to_str().unwrap()]);
    let text: String =
        (0..10).map(|i| format!("{i}. \"thing {} is {i}\" -> {}\n", i * 31, if i < 5 { "a" } else { "b" })).collect();
    let file = graft.file("ten.txt", &text);
    assert_eq!(graft.json(&["import", "text", file.to_str().unwrap()])["added"], 10);
    let said = graft.ok(&["train", "text-classification", "--base", "tiny", "--skip-base"]);
    assert!(said.contains("On 2 held-out examples") && said.contains("With so few examples"), "{said}");
}

#[test]
fn training_data_is_exported_and_logs_stay_with_the_version() {
    let graft = Graft::with_toy_task();
    let export = |folder: &str, more: &[&str]| {
        let args = [&["dataset", "export", "text-classification", "--output", folder][..], more].concat();
        let told = graft.json(&args);
        let read = |name: &str| std::fs::read_to_string(graft.dir.path().join(folder).join(name)).unwrap();
        let lines =
            |name: &str| -> Vec<Value> { read(name).lines().map(|line| serde_json::from_str(line).unwrap()).collect() };
        let (train, eval) = (lines("train.jsonl"), lines("eval.jsonl"));
        assert_eq!((&told["train"], &told["eval"]), (&json!(train.len()), &json!(eval.len())));
        (told["dataset"].clone(), train, eval)
    };
    let (digest, train, eval) = export("before", &[]);
    assert_eq!((train.len(), eval.len()), (48, 12));
    let messages = train[0]["messages"].as_array().unwrap();
    let roles: Vec<_> = messages.iter().map(|message| message["role"].as_str().unwrap()).collect();
    assert_eq!(roles, ["system", "user", "assistant"]);
    assert!(["good", "bad"].contains(&messages[2]["content"].as_str().unwrap()), "{messages:?}");

    let run = graft.json(&["train", "text-classification", "--base", "tiny", "--epochs", "0.2", "--no-eval"]);
    let more = graft.file("more.csv", "text,label\nyes yes indeed,good\n");
    graft.ok(&["import", "csv", more.to_str().unwrap()]);
    assert_ne!(export("now", &[]).0, digest, "one more is approved");
    assert_eq!(export("v1", &["--version", "v1"]), (digest, train, eval), "what it learned");
    let (_, train, _) = export("examples", &["--version", "v1", "--form", "examples"]);
    assert!(train.iter().all(|example| example["id"].is_string() && example["revision"] == 1));
    graft.fails(11, &["dataset", "export", "text-classification", "--output", "x", "--version", "v9"], "version `v9`");

    let logs = graft.home().join("logs/text-classification/v1");
    let id = run["run"].as_str().unwrap();
    let kept = std::fs::read_to_string(logs.join("events.jsonl")).unwrap();
    assert_eq!(kept, std::fs::read_to_string(graft.home().join("runs").join(id).join("events.jsonl")).unwrap());
    assert!(logs.join("stderr.log").is_file());
}
