//! Analysis of a text for a task that is not stored yet.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::service::Service;

#[tokio::test]
async fn understand_stores_nothing() {
    let service = Service::new().await;
    let text = "\"good\" -> yes\nno label\n\"bad\" -> no\n\"fine\" -> yes";
    let found = service.post("/api/v1/tasks/understand", &json!({"text": text})).await.json();
    assert_eq!((&found["layout"], &found["form"]), (&json!("label-lines"), &json!("labels")));
    assert_eq!(found["problems"], json!([{"line": 2, "reason": "it is not `\"text\" -> label`"}]));
    assert_eq!(found["labels"][0], json!({"label": "yes", "count": 2}));
    assert_eq!(service.get("/api/v1/examples").await.json()["total"], 0);

    let columns = json!({"text": "2", "label": "1", "heading": false});
    let table = json!({"text": "x,a text here\ny,another one\nx,and a third", "columns": columns});
    let found = service.post("/api/v1/tasks/understand", &table).await.json();
    assert_eq!((&found["examples"][0]["input"], &found["examples"][0]["output"]), (&json!("a text here"), &json!("x")));

    let wrong = json!({"type": "object", "properties": {"a": {"type": "string", "pattern": "x"}}});
    let found = service.post("/api/v1/tasks/understand", &json!({"text": wrong.to_string()})).await.json();
    assert!(found["notes"][0].as_str().unwrap().contains("pattern"), "{found}");
    let many: String = (0..20_000).map(|i| format!("\"text {i}\" -> label{}\n", i % 3)).collect();
    let found = service.post("/api/v1/tasks/understand", &json!({"text": many})).await.json();
    assert_eq!((&found["counts"]["examples"], found["examples"].as_array().unwrap().len()), (&json!(20_000), 500));
}

#[tokio::test]
async fn hints_compare_a_text_with_the_task_it_is_for() {
    let service = Service::with_examples().await;
    let known = service.get("/api/v1/examples?task=text-classification&state=approved").await.json();
    let known = &known["examples"][0];
    let (input, output) = (known["input"].as_str().unwrap(), known["output"].as_str().unwrap());
    let text = format!("\"{input}\" -> {output}\n\"something else\" -> never\n");
    let kinds = async |ask: Value| -> Vec<String> {
        let found = service.post("/api/v1/tasks/understand", &ask).await.json();
        let hints = found["hints"].as_array().unwrap().iter();
        hints.map(|hint| hint["kind"].as_str().unwrap().to_owned()).collect()
    };
    let of_task = kinds(json!({"text": text, "task": "text-classification"})).await;
    assert_eq!(of_task, ["other-labels", "rare", "unbalanced", "known"]);
    // A task that is not stored yet has the labels that are given.
    let new = kinds(json!({"text": text, "labels": [output, "never", "always"]})).await;
    assert_eq!(new, ["missing-label", "few"]);
    let missing = service.post("/api/v1/tasks/understand", &json!({"text": text, "task": "no-task"})).await;
    assert_eq!(missing.status, StatusCode::NOT_FOUND);
    // A table of texts that is only checked has the hints of each.
    let table = json!({"text": json!({"prompt": text, "model_type": "text_classification"}).to_string() + "\n"});
    let checked = service.post("/api/v1/prompts/batch?dry_run=true", &table).await.json();
    let hints = checked["prompts"][0]["hints"].as_array().unwrap().clone();
    assert_eq!(
        hints.iter().map(|hint| &hint["kind"]).collect::<Vec<_>>(),
        ["other-labels", "rare", "unbalanced", "known"],
        "{checked}"
    );
}

#[tokio::test]
async fn templates_are_filled_in_saved_and_deleted() {
    let service = Service::with_examples().await;
    let names = async || {
        let list = service.get("/api/v1/templates").await.json();
        let all = list["templates"].as_array().unwrap().iter();
        all.map(|one| one["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let shipped = names().await;
    let values = json!({"values": {"text": "letter"}});
    let filled = service.post("/api/v1/templates/spam/fill", &values).await.json();
    assert_eq!((&filled["instruction"], &filled["variables"]), (&json!("Is the letter spam?"), &json!([])));
    let wrong = service.post("/api/v1/templates/spam/fill", &json!({"values": {"kind": "x"}})).await;
    assert_eq!((wrong.status.as_u16(), &wrong.json()["errors"][0]["field"]), (422, &json!("kind")), "{}", wrong.json());
    assert_eq!(service.post("/api/v1/templates/ham/fill", &values).await.status, StatusCode::NOT_FOUND);

    let mut own = json!({"title": "Mood", "instruction": "How is {{who}}?", "form": "labels",
                         "examples": "\"{{who}} sings\" -> glad\n\"{{who}} weeps\" -> sad"});
    let saved = service.put("/api/v1/templates/mood", &own).await.json();
    assert_eq!(saved["variables"], json!([{"name": "who", "title": "Who", "value": ""}]), "{saved}");
    assert_eq!(service.put("/api/v1/templates/spam", &own).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    own["form"] = json!("fields");
    assert_eq!(service.put("/api/v1/templates/mood", &own).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    let filled = service.post("/api/v1/templates/mood/fill", &json!({"values": {"who": "Ana"}})).await.json();
    assert_eq!(filled["examples"], "\"Ana sings\" -> glad\n\"Ana weeps\" -> sad");

    let path = "/api/v1/tasks/text-classification/template";
    let of_task = service.post(path, &json!({"name": "of-task", "examples": 3})).await.json();
    assert_eq!(of_task["examples"].as_str().unwrap().lines().count(), 3, "{of_task}");
    assert_eq!(names().await[shipped.len()..], ["mood", "of-task"]);
    for (name, status) in [("mood", 204), ("mood", 404), ("spam", 422)] {
        let said = service.send(&Method::DELETE, &format!("/api/v1/templates/{name}"), &[], b"").await;
        assert_eq!(said.status.as_u16(), status, "{name}");
    }
    let changes = service.get("/api/v1/changes?kind=template").await.json();
    assert_eq!(changes["changes"].as_array().unwrap().len(), 3, "{changes}");
}

#[tokio::test]
async fn files_are_read_as_text() {
    let service = Service::new().await;
    let read = async |bytes: &[u8]| {
        let headers = [("content-type", "application/octet-stream")];
        service.send(&Method::POST, "/api/v1/texts", &headers, bytes).await
    };
    let text = read(b"gr\xfcn -> ja\n").await.json();
    assert_eq!(text["text"], "gr\u{fc}n -> ja\n", "{text}");
    assert!(text["notes"][0].as_str().unwrap().contains("windows-1252"), "{text}");
    let refused = read(b"%PDF-1.7\n").await;
    let detail = refused.json()["detail"].as_str().unwrap().to_owned();
    assert!(
        refused.status.is_client_error() && detail.contains("the file as text") && !detail.contains('/'),
        "{detail}"
    );
}

#[tokio::test]
async fn mask_shows_learned_tokens() {
    let service = Service::new().await.with_tiny_base().await;
    let labels = json!({"form": "label", "labels": ["no", "yes"]});
    let ask = json!({"instruction": "Is it good?", "answer": labels, "input": "fine", "output": "yes", "base": "tiny"});
    let shown = service.post("/api/v1/tasks/mask", &ask).await;
    assert_eq!(shown.status, StatusCode::OK, "{}", shown.json());
    let tokens = shown.json()["tokens"].as_array().unwrap().clone();
    let text = |loss: bool| -> String {
        tokens.iter().filter(|token| token["loss"] == loss).filter_map(|token| token["text"].as_str()).collect()
    };
    assert!(text(false).contains("Is it good?") && text(true).contains("yes") && !text(false).contains("yes"));
    let mut other = ask.clone();
    other["output"] = json!("perhaps");
    assert_eq!(service.post("/api/v1/tasks/mask", &other).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    let mut other = ask.clone();
    other["base"] = json!("missing");
    assert!(service.post("/api/v1/tasks/mask", &other).await.status.is_client_error());
}
