//! User-defined tasks: from a definition to a version that answers, several tasks in one home.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    process::Stdio,
};

use serde_json::{Value, json};

use crate::common::{Graft, model};

fn train(task: &str) -> [&str; 12] {
    [
        "train",
        task,
        "--base",
        "tiny",
        "--epochs",
        "6",
        "--learning-rate",
        "1e-2",
        "--split",
        "random",
        "--precision",
        "f32",
    ]
}

fn import(graft: &Graft, task: &str, name: &str, lines: impl Iterator<Item = Value>) -> Value {
    let text: String = lines.map(|line| format!("{line}\n")).collect();
    let file = graft.file(name, &text);
    graft.json(&["import", "jsonl", file.to_str().unwrap(), "--task", task])
}

#[test]
fn two_label_tasks_and_a_fields_task_share_a_home() {
    let graft = Graft::new();
    graft.ok(&["base", "add", "tiny", model("tiny-llama").to_str().unwrap()]);
    let labels = |name: &str, a: &str, b: &str| {
        let args = ["tasks", "new", name, "--form", "labels", "--instruction", "Which kind is it?", "--closed"];
        graft.json(&[&args[..], &["--label", a, "--label", b]].concat())
    };
    assert_eq!(labels("tickets", "bug", "wish")["task"]["revision"], 1);
    labels("mood", "glad", "cross");
    let schema = json!({
        "type": "object",
        "properties": {"place": {"type": "string"}, "count": {"type": "number"}},
        "required": ["place", "count"],
        "additionalProperties": false,
    });
    let schema = graft.file("visits.json", &schema.to_string());
    let args =
        ["tasks", "new", "visits", "--form", "fields", "--instruction", "Who came where?", "--grounded", "place"];
    graft.ok(&[&args[..], &["--schema", schema.to_str().unwrap()]].concat());

    let texts = |words: [&'static str; 2], labels: [&'static str; 2]| {
        (0..40).map(move |i| {
            let (word, label) = (words[i % 2], labels[i % 2]);
            json!({"input": format!("{} {i}", [word; 5].join(" ")), "output": label})
        })
    };
    assert_eq!(import(&graft, "tickets", "t.jsonl", texts(["crash", "please"], ["bug", "wish"]))["added"], 40);
    assert_eq!(import(&graft, "mood", "m.jsonl", texts(["yes", "no"], ["glad", "cross"]))["added"], 40);
    let stranger = import(&graft, "mood", "s.jsonl", texts(["yes", "no"], ["glad", "sad"]).take(2));
    assert!(stranger["problems"][0]["reason"].as_str().unwrap().contains("not one of glad, cross"), "{stranger}");
    let visits = (0..40).map(|i| {
        let place = ["Hub", "Mill", "Barn"][i % 3];
        json!({"input": format!("{i} came to {place}"), "output": {"place": place, "count": i}})
    });
    assert_eq!(import(&graft, "visits", "v.jsonl", visits)["added"], 40);

    for task in ["tickets", "mood", "visits"] {
        let trained = graft.json(&[&train(task)[..], &["--skip-base"]].concat());
        assert_eq!((&trained["version"]["task"], &trained["version"]["task_revision"]), (&json!(task), &json!(1)));
    }
    let measured = graft.json(&["models", "info", "v1", "--task", "visits"]);
    let metrics = measured["version"]["metrics"]["evaluation"]["adapter"]["metrics"].as_array().unwrap();
    let names: Vec<&str> = metrics.iter().filter_map(|metric| metric["name"].as_str()).collect();
    assert_eq!(names, ["place", "count", "exact"]);
    let answer = graft.json(&["infer", "--task", "tickets", "--version", "v1", "--message", "crash crash crash"]);
    assert!(["bug", "wish"].contains(&answer["label"].as_str().unwrap()), "{answer}");
    let answer = graft.json(&["infer", "--task", "visits", "--version", "v1", "--message", "4 came to Hub"]);
    let place = answer["place"].as_str().unwrap();
    assert!("4 came to Hub".contains(place), "a grounded text stands in the input: {answer}");
    assert_eq!(graft.json(&["validate", "--task", "mood", "--version", "v1"])["failed"], 0);

    // The form changes: examples that no longer fit are reported and not used, and the version continues to answer as trained.
    let args = ["tasks", "edit", "tickets", "--label", "wish", "--label", "question", "--json"];
    let tried: Value = serde_json::from_str(&graft.ok(&[&args[..], &["--dry-run"]].concat())).unwrap();
    assert_eq!((&tried["impact"]["unfit"], &tried["impact"]["fitting"]), (&json!(20), &json!(20)));
    assert_eq!(graft.json(&["tasks", "show", "tickets"])["revision"], 1, "nothing was stored");
    let changed: Value = serde_json::from_str(&graft.ok(&args)).unwrap();
    assert_eq!((&changed["task"]["revision"], &changed["impact"]["versions"]), (&json!(2), &json!(1)));
    let said = graft.run(&train("tickets"));
    assert!(said.stderr.contains("20 approved examples are not used"), "{}", said.stderr);
    let answer = graft.json(&["infer", "--task", "tickets", "--version", "v1", "--message", "crash crash"]);
    assert!(["bug", "wish"].contains(&answer["label"].as_str().unwrap()), "{answer}");
    assert_eq!(graft.json(&["models", "info", "v2", "--task", "tickets"])["version"]["task_revision"], 2);

    // Another name takes everything along.
    graft.ok(&["tasks", "rename", "mood", "temper"]);
    graft.fails(2, &["tasks", "show", "mood"], "find the task `mood`");
    let answer = graft.json(&["infer", "--task", "temper", "--version", "v1", "--message", "yes yes"]);
    assert!(["glad", "cross"].contains(&answer["label"].as_str().unwrap()), "{answer}");
    let again = graft.json(&[&train("temper")[..], &["--skip-base"]].concat());
    assert_eq!((&again["version"]["name"], &again["version"]["task"]), (&json!("v2"), &json!("temper")));
}

#[test]
fn tasks_are_listed_cloned_archived_exported_and_imported() {
    let graft = Graft::new();
    let names = |all: &Value| -> Vec<String> {
        let tasks = all["tasks"].as_array().unwrap();
        tasks.iter().map(|task| task["definition"]["name"].as_str().unwrap().to_owned()).collect()
    };
    let listed = names(&graft.json(&["tasks", "list"]));
    assert_eq!(listed, ["slack-rescue", "ask-ai", "text-classification", "sentiment", "instruction", "chat"]);
    let exported = graft.ok(&["tasks", "export", "slack-rescue"]);
    let file = graft.file("slack.toml", &exported);
    graft.fails(2, &["tasks", "import", file.to_str().unwrap()], "the name is taken");
    graft.fails(
        2,
        &["tasks", "import", file.to_str().unwrap(), "--name", "mine"],
        "belongs to the task `slack-rescue`",
    );
    let cloned = graft.json(&["tasks", "clone", "slack-rescue", "mine"]);
    assert_eq!((&cloned["origin"], &cloned["definition"]["integration"]), (&json!("own"), &Value::Null));
    graft.ok(&["tasks", "archive", "mine"]);
    assert!(!names(&graft.json(&["tasks", "list"])).contains(&"mine".to_owned()));
    assert!(names(&graft.json(&["tasks", "list", "--archived"])).contains(&"mine".to_owned()));
    let csv = graft.file("one.csv", "text,label\nhello,x\n");
    graft.fails(2, &["import", "csv", csv.to_str().unwrap(), "--task", "mine"], "which is archived");
    graft.ok(&["tasks", "archive", "mine", "--undo"]);
    graft.fails(2, &["tasks", "rename", "slack-rescue", "rescue"], "which is part of Graft");
    graft.fails(2, &["tasks", "new", "Bad Name", "--form", "text", "--instruction", "x"], "`name`");
    let bad = ["tasks", "new", "bad", "--form", "text", "--instruction", "x", "--set", "epochs=-1"];
    graft.fails(2, &bad, "training.settings");

    // A built-in task that is changed and changed back.
    let changed = graft.json(&["tasks", "edit", "sentiment", "--instruction", "Good or bad?"]);
    assert_eq!((&changed["task"]["revision"], &changed["task"]["origin"]), (&json!(2), &json!("changed")));
    let back = graft.json(&["tasks", "edit", "sentiment", "--instruction", "What is the sentiment of the text?"]);
    assert_eq!((&back["task"]["revision"], &back["task"]["origin"]), (&json!(3), &json!("built-in")));
    let first = graft.json(&["tasks", "show", "sentiment", "--revision", "2"]);
    assert_eq!(first["definition"]["instruction"], "Good or bad?");
}

#[test]
fn task_is_created_from_a_template() {
    let graft = Graft::new();
    let made = graft.json(&["tasks", "new", "letters", "--template", "spam", "--fill", "text=letter"]);
    assert_eq!((&made["examples"], &made["pending"]), (&json!(12), &json!(0)), "{made}");
    assert_eq!(made["task"]["definition"]["instruction"], "Is the letter spam?");
    graft.fails(2, &["tasks", "new", "x", "--template", "spam", "--fill", "kind=x"], "it has text");
    graft.fails(2, &["tasks", "new", "x", "--template", "ham"], "find the template `ham`");

    // A task becomes a template, and the template another task with the same examples.
    graft.ok(&["tasks", "template", "save", "post", "--task", "letters"]);
    let file = graft.file("post.toml", &graft.ok(&["tasks", "template", "show", "post"]));
    graft.ok(&["tasks", "template", "save", "mail", file.to_str().unwrap()]);
    let listed = graft.json(&["tasks", "templates"]);
    let own = listed["templates"].as_array().unwrap().iter().filter(|one| one["saved_by"].is_string()).count();
    assert_eq!(own, 2, "{listed}");
    let again = graft.json(&["tasks", "new", "again", "--template", "mail"]);
    assert_eq!(again["examples"], 12, "{again}");
    let labels = |made: &Value| made["task"]["definition"]["labels"].clone();
    assert_eq!(labels(&again), labels(&made));
    graft.ok(&["tasks", "template", "delete", "mail"]);
    graft.fails(2, &["tasks", "template", "delete", "spam"], "Graft comes with it");
}

#[test]
fn task_is_created_from_a_text() {
    let graft = Graft::new();
    let text = "\"where is it\" -> order\n\"money back\" -> refund\n\"lost parcel\" -> order\nno answer here\n";
    let file = graft.file("mail.txt", text);
    let file = file.to_str().unwrap();
    let said = graft.ok(&["tasks", "new", "mail", "--from", file, "--dry-run"]);
    assert!(said.contains("can be made with 3 approved examples") && said.contains("Left out line 4"), "{said}");
    graft.fails(2, &["tasks", "show", "mail"], "find the task `mail`");
    let made =
        graft.json(&["tasks", "new", "mail", "--from", file, "--pending", "--label", "order", "--label", "refund"]);
    assert_eq!((&made["examples"], &made["pending"], &made["refused"]), (&json!(3), &json!(3), &json!(1)));
    assert_eq!(made["task"]["definition"]["labels"], json!(["order", "refund"]));

    // Answers alone give fields; what is grounded can be said beside them.
    let answers = "{\"vendor\": \"Acme\", \"total\": 4}\n{\"vendor\": \"Globex\", \"total\": null}\n";
    let file = graft.file("answers.jsonl", answers);
    let made = graft.json(&["tasks", "new", "bills", "--from", file.to_str().unwrap(), "--grounded", "vendor"]);
    let definition = &made["task"]["definition"];
    assert_eq!((&made["examples"], &definition["form"]), (&json!(0), &json!("fields")));
    assert_eq!(definition["schema"]["properties"]["total"]["type"], json!(["integer", "null"]));
    let file = graft.file("lines.txt", "hello\nworld\n");
    graft.fails(2, &["tasks", "new", "other", "--from", file.to_str().unwrap()], "the text has no answers");
}

#[test]
fn examples_are_reviewed_one_at_a_time_with_single_keys() {
    let graft = Graft::new();
    let text = "it crashes -> bug\nwhat is this -> bug\nplease add it -> bug\nno idea -> wish\n";
    let file = graft.file("tickets.txt", text);
    let args = ["tasks", "new", "tickets", "--form", "labels", "--instruction", "Sort it.", "--label", "bug"];
    graft.ok(&[&args[..], &["--label", "wish", "--closed", "--pending", "--from", file.to_str().unwrap()]].concat());
    let review = |keys: &str| -> (Value, String) {
        let mut command = graft.command(&["--json", "review", "tickets", "--order", "imported"]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(keys.as_bytes()).unwrap();
        let said = child.wait_with_output().unwrap();
        let told = String::from_utf8_lossy(&said.stderr).into_owned();
        assert!(said.status.success(), "{told}");
        (serde_json::from_slice(&said.stdout).unwrap(), told)
    };
    // An unknown key, an undone label and the end of the input decide on nothing.
    let (done, told) = review("a\nr not clear\n2\nu\nx2\n");
    assert_eq!(done, json!({"approved": 1, "edited": 1, "rejected": 1, "skipped": 0, "undone": 1}), "{told}");
    assert!(
        told.contains("1 of 4") && told.contains("Answer (as imported): bug") && told.contains("1 bug · 2 wish"),
        "{told}"
    );
    let all = graft.json(&["examples", "list", "--task", "tickets"]);
    let states: Vec<(&str, &str)> = all["examples"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["review"]["state"].as_str().unwrap(), one["output"].as_str().unwrap()))
        .collect();
    assert_eq!(states, [("approved", "bug"), ("rejected", "bug"), ("approved", "wish"), ("pending", "wish")]);
    assert_eq!(all["examples"][1]["review"]["reason"], "not clear");
    // Delete, F1 and Alt-A are no decisions.
    assert_eq!(
        review("\u{1b}[3~\u{1b}OP\u{1b}asq").0,
        json!({"approved": 0, "edited": 0, "rejected": 0, "skipped": 1, "undone": 0})
    );
}

#[test]
fn decisions_of_others_are_kept_in_a_review() {
    let graft = Graft::new();
    let file = graft.file("mail.txt", "one -> bug\ntwo -> bug\nthree -> wish\nfour -> wish\n");
    let args = ["tasks", "new", "mail", "--form", "labels", "--instruction", "Sort it.", "--label", "bug"];
    graft.ok(&[&args[..], &["--label", "wish", "--closed", "--pending", "--from", file.to_str().unwrap()]].concat());
    let all = graft.json(&["examples", "list", "--task", "mail"]);
    let id = |place: usize| all["examples"][place]["id"].as_str().unwrap().to_owned();
    let mut command = graft.command(&["--json", "review", "mail", "--order", "imported"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let (mut keys, told) = (child.stdin.take().unwrap(), BufReader::new(child.stderr.take().unwrap()));
    let mut told = told.lines().map_while(Result::ok);
    let mut wait_for = |what: &str| assert!(told.any(|line| line.contains(what)), "never said: {what}");
    wait_for("1 of 4");
    graft.ok(&["examples", "reject", &id(1), "--reason", "no"]);
    keys.write_all(b"a").unwrap();
    wait_for("was rejected meanwhile");
    wait_for("3 of 4");
    graft.ok(&["examples", "reject", &id(0), "--reason", "no"]);
    keys.write_all(b"u").unwrap();
    wait_for("somebody else changed the example since");
    keys.write_all(b"q").unwrap();
    let said: Value = serde_json::from_slice(&child.wait_with_output().unwrap().stdout).unwrap();
    assert_eq!(said, json!({"approved": 1, "edited": 0, "rejected": 0, "skipped": 0, "undone": 0}));
    let all = graft.json(&["examples", "list", "--task", "mail"]);
    let states: Vec<&Value> = all["examples"].as_array().unwrap().iter().map(|one| &one["review"]["state"]).collect();
    assert_eq!(states, ["rejected", "rejected", "pending", "pending"]);
}

#[test]
fn examples_that_help_most_are_listed_with_reasons() {
    let graft = Graft::new();
    let approved: String =
        (0..12).map(|i| format!("we got {i} crates of pears today,{}\n", ["in", "out"][i % 2])).collect();
    let table = format!("text,label\n{approved}we got 3 crates of pears again,\nthe van broke down on the bridge,\n");
    let file = graft.file("rows.csv", &table);
    graft.ok(&["import", "csv", file.to_str().unwrap(), "--task", "text-classification"]);
    let found = graft.json(&["examples", "helpful", "text-classification", "--limit", "1"]);
    assert_eq!(found["examples"][0]["input"], "the van broke down on the bridge", "{found}");
    let said = graft.ok(&["examples", "helpful", "text-classification"]);
    assert!(said.contains("2 of 2 pending examples.") && said.contains("6 of `in`; at least 10 are wanted"), "{said}");
    // A table of texts that is only checked says what would improve them.
    let prompt = "{\"prompt\": \"we got 3 crates of pears today -> out\\nall is well -> fine\", \"model_type\": \"text_classification\"}\n";
    let file = graft.file("prompts.jsonl", prompt);
    let said = graft.ok(&["prompts", "submit", file.to_str().unwrap(), "--dry-run"]);
    assert!(said.contains("line 1: 1 text is an example of the task already"), "{said}");
    assert!(said.contains("line 1: `fine` is not a label of the task, which has `in`, `out`."), "{said}");
}

/// A terminal: what is written to the first file is what a person types; the second one is the program's stdin.
#[cfg(unix)]
fn terminal() -> (std::fs::File, std::fs::File) {
    use std::os::unix::ffi::OsStrExt as _;

    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
    let keyboard = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&keyboard).unwrap();
    unlockpt(&keyboard).unwrap();
    let name = ptsname(&keyboard, Vec::new()).unwrap();
    let name = std::ffi::OsStr::from_bytes(name.to_bytes());
    let stdin = std::fs::File::options().read(true).write(true).open(name).unwrap();
    (keyboard.into(), stdin)
}

#[cfg(unix)]
#[test]
fn key_that_is_held_down_decides_once() {
    let graft = Graft::new();
    let file = graft.file("mail.txt", "one -> bug\ntwo -> bug\nthree -> wish\nfour -> wish\nfive -> bug\nsix -> bug\n");
    let args = ["tasks", "new", "mail", "--form", "labels", "--instruction", "Sort it.", "--label", "bug"];
    graft.ok(&[&args[..], &["--label", "wish", "--closed", "--pending", "--from", file.to_str().unwrap()]].concat());
    let (mut keyboard, stdin) = terminal();
    let mut command = graft.command(&["--json", "review", "mail", "--order", "imported"]);
    let mut child = command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(command);
    let mut told = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
    let mut wait_for = |what: &str| assert!(told.any(|line| line.contains(what)), "never said: {what}");
    let pause = |millis: u64| std::thread::sleep(std::time::Duration::from_millis(millis));
    wait_for("1 of 6");
    // What is typed before the keys are told is forgotten.
    wait_for("a approve");
    pause(200);
    // Held: the first repeat comes after half a second, the others follow fast, the last ones at once.
    let mut hold = |key: &[u8], next: &str| {
        keyboard.write_all(key).unwrap();
        wait_for(next);
        pause(500);
        for _ in 0..20 {
            keyboard.write_all(key).unwrap();
            pause(20);
        }
        keyboard.write_all(&key.repeat(3)).unwrap();
        pause(500);
    };
    hold(b"a", "2 of 6");
    // Pressed again, it decides again.
    hold(b"a", "3 of 6");
    hold(b"s", "4 of 6");
    keyboard.write_all(b"q").unwrap();
    let said = child.wait_with_output().unwrap();
    let done: Value = serde_json::from_slice(&said.stdout).unwrap();
    assert_eq!(done, json!({"approved": 2, "edited": 0, "rejected": 0, "skipped": 1, "undone": 0}));
}
