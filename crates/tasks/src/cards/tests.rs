use graft_core::AnswerForm;
use serde_json::{Value, json};

use super::*;

fn own(more: &str) -> Result<Task, Error> {
    Task::from_toml(&format!("name = \"mine\"\ninstruction = \"Do it.\"\n{more}"))
}

#[test]
fn every_built_in_task_makes_a_card() {
    for task in built_in() {
        let card = task.card(&["b".into(), " a ".into(), "b".into()]).unwrap();
        assert!(card.instruction.len() < 400 && card.instruction.trim() == card.instruction, "{}", task.name);
        assert!(task.guidelines.contains("\n- "), "{}", task.name);
        if let AnswerForm::Label { labels } = card.answer {
            assert_eq!(labels, ["a", "b"]);
        }
    }
    assert!(matches!(card("slack", &[]), Err(Error::UnknownTask { .. })));
    assert!(matches!(card("text-classification", &["spam".into()]), Err(Error::FewLabels { count: 1, .. })));
    assert!(card("sentiment", &[]).is_ok());
}

/// Versions keep the digest of their card: those that earlier releases trained must stay what they are.
#[test]
fn built_in_cards_equal_those_of_earlier_releases() {
    let digest = |name: &str, labels: &[&str]| {
        let labels: Vec<String> = labels.iter().map(|label| (*label).to_owned()).collect();
        card(name, &labels).unwrap().digest().to_string()
    };
    assert_eq!(digest("slack-rescue", &[]), "e3eaa01c5de6be09752b102da34e16afb387da6d69310cf79d4a6dc0a06d70b2");
    assert_eq!(digest("ask-ai", &[]), "71f81cf4508def0d975fcbf7d971440630d16324e0e262ddb1f1783fe33dce2d");
    assert_eq!(
        digest("text-classification", &["ham", "spam"]),
        "9d21a9e4e319ab2a3ae648b5786372ead6d87ab2491c3236a38d398fd4b144e2"
    );
    assert_eq!(digest("sentiment", &[]), "c9a6b23d11d1152777ffaa0ce3e83938e29b211db3ab8c754c5c85bf90f2be9f");
    assert_eq!(digest("instruction", &[]), "284479a8e1f40fda88a908763cdfef9792f25eb42da162a81042aaf7dd7c0ad6");
    assert_eq!(digest("chat", &[]), "03e298b848633c1f4e476457e6cc452b19d3dd149d541d65924504db86b7bef1");
}

#[test]
fn task_file_survives_a_round_trip() {
    for task in built_in() {
        let text = task.to_toml();
        assert_eq!(&Task::from_toml(&text).unwrap(), task, "{text}");
        let json = serde_json::to_string(task).unwrap();
        assert_eq!(&serde_json::from_str::<Task>(&json).unwrap(), task, "{json}");
    }
    let quotes = json!({"type": "object", "properties": {"a": {"enum": ["'''", "\"\"\"", "\\"]}}});
    let task = Task {
        schema: Some(quotes),
        ..own("form = \"fields\"\nschema = '{\"type\": \"object\", \"properties\": {\"a\": {\"type\": \"string\"}}}'")
            .unwrap()
    };
    assert_eq!(Task::from_toml(&task.to_toml()).unwrap(), task, "{}", task.to_toml());
}

#[test]
fn slack_fields_keep_their_order() {
    let AnswerForm::Json { schema } = card("slack-rescue", &[]).unwrap().answer else { panic!("no schema") };
    let keys = |v: &Value| v["properties"].as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&schema), ["direction", "rescue_location", "drop_off_location", "items"]);
    assert_eq!(keys(&schema["properties"]["items"]["items"]), ["name", "quantity", "unit", "subcategory"]);
    assert_eq!(schema["required"].as_array().unwrap().len(), 4);
    assert_eq!(schema["properties"]["items"]["items"]["properties"]["name"]["x-graft-grounded"], true);
}

#[test]
fn answers_are_converted_to_the_tasks_form() {
    let slack = task("slack-rescue").unwrap();
    let item = json!({"subcategory": "dairy", "name": "milk", "quantity": 2, "unit": "case", "estimated_lbs": 36});
    let answer = json!({"items": [item], "direction": "inbound", "rescue_location": null, "drop_off_location": null});
    let shaped = slack.accept(&answer).unwrap();
    assert!(shaped.to_string().starts_with(r#"{"direction":"inbound""#) && !shaped.to_string().contains("lbs"));
    assert_eq!(slack.accept(&Value::from(answer.to_string())).unwrap(), shaped);
    assert!(slack.accept(&json!({"direction": "up"})).is_err());
    let label = task("text-classification").unwrap();
    assert_eq!(label.accept(&json!(1)), Ok(json!("1")));
    assert!(label.accept(&json!("  ")).is_err() && label.accept(&Value::Null).is_err());
}

#[test]
fn closed_task_has_only_its_labels() {
    let task = own("form = \"labels\"\nlabels = [\"Spam\", \"ham\"]\nclosed = true").unwrap();
    assert_eq!(task.accept(&json!("spam")), Ok(json!("Spam")));
    assert!(task.accept(&json!("eggs")).unwrap_err().contains("not one of Spam, ham"));
    let AnswerForm::Label { labels } = task.card(&["other".into(), "ham".into()]).unwrap().answer else { panic!() };
    assert_eq!(labels, ["Spam", "ham"]);
    let open = Task { closed: false, ..task };
    assert_eq!(open.accept(&json!("eggs")), Ok(json!("eggs")));
}

#[test]
fn invalid_definition_names_its_field() {
    let schema = |text: &str| format!("form = \"fields\"\nschema = '''{text}'''");
    let object = r#"{"type": "object", "properties": {"place": {"type": "string"}, "n": {"type": "number"}}}"#;
    let cases = [
        ("form = \"text\"\nlabels = [\"a\"]".to_owned(), "labels"),
        ("form = \"labels\"\nlabels = [\"a\", \"a\"]".to_owned(), "labels"),
        ("form = \"labels\"\nlabels = [\"a\"]\nclosed = true".to_owned(), "labels"),
        ("form = \"fields\"".to_owned(), "schema"),
        (schema("{"), "schema"),
        (schema("{\"type\": \"string\"}"), "schema"),
        (schema(object) + "\ngrounded = [\"n\"]", "grounded"),
        (schema(object) + "\ngrounded = [\"nowhere\"]", "grounded"),
        (schema(object) + "\n[scoring]\nmetric = \"accuracy\"", "scoring.metric"),
        (schema(object) + "\n[baseline]\nkind = \"built-in\"\nname = \"magic\"", "baseline.name"),
        ("form = \"text\"\nwordings = \"none\"".to_owned(), "wordings"),
    ];
    for (text, wrong) in cases {
        let error = own(&text).unwrap_err();
        assert!(matches!(&error, Error::BadTask { field, .. } if field == wrong), "{text}: {error}");
    }
    for name in ["", "A", "a b", "-a", "a-", "import", "é"] {
        assert!(check_name(name).is_err(), "{name}");
    }
    assert!(check_name("tickets-2").is_ok());
    assert!(matches!(own("form = \"text\"\ncolour = 1"), Err(Error::TaskFile(_))));
}

#[test]
fn title_is_derived_from_the_name() {
    let task = Task { name: "late-orders".into(), title: " ".into(), ..task("chat").unwrap().clone() };
    assert_eq!(task.shown(), "Late orders");
}

#[test]
fn a_baseline_is_written_as_it_is_read() {
    let text = r#"
name = "bills"
form = "fields"
schema = '{"type": "object", "properties": {"total": {"type": ["number", "null"]}, "unit": {"enum": ["box", null]}}}'
instruction = "Read it."
prefill = false

[baseline]
kind = "rules"
otherwise = { unit = "box" }

[[baseline.rules]]
pattern = '(?<total>\d+)'
set = { total = 3 }

[baseline.aliases.unit]
"big boxes" = "box"

[baseline.units.total]
k = 1000
"#;
    let task = Task::from_toml(text).unwrap();
    let Some(BaselineSpec::Rules(rules)) = &task.baseline else { panic!("no rules") };
    assert_eq!((rules.rules.len(), rules.units["total"]["k"], task.prefill), (1, 1000.0, false));
    assert_eq!(Task::from_toml(&task.to_toml()).unwrap(), task, "{}", task.to_toml());
    let json = serde_json::to_string(&task).unwrap();
    assert_eq!(Task::read(&json, None).unwrap(), task);

    let with = |baseline: &str| {
        let text = format!("name = \"t\"\nform = \"text\"\ninstruction = \"x\"\n[baseline]\n{baseline}\n");
        Task::from_toml(&text).map(|task| task.baseline.is_some()).map_err(|error| error.to_string())
    };
    assert_eq!(with("kind = \"command\"\ncommand = [\"parse\", \"-x\"]"), Ok(true));
    let wrong = [
        ("kind = \"command\"\ncommand = []", "baseline.command"),
        ("kind = \"command\"\ncommand = [\"./parse\"]", "absolute path"),
        ("kind = \"command\"\ncommand = [\"parse\"]\ntimeout_seconds = 0", "baseline.timeout_seconds"),
        ("kind = \"endpoint\"\nurl = \"file:///etc/passwd\"", "baseline.url"),
        ("kind = \"endpoint\"\nurl = \"https://me:secret@host/\"", "password"),
    ];
    for (baseline, words) in wrong {
        let said = with(baseline).unwrap_err();
        assert!(said.contains(words), "{said}");
    }
}
