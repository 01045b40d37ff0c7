//! Analysis of a text for a task that is not stored yet.

use axum::http::StatusCode;
use serde_json::json;

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
