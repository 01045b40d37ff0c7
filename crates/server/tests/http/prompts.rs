//! Texts of examples that are submitted for training.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::service::Service;

fn lines(count: usize) -> String {
    (0..count).map(|i| format!("{i}. \"text number {i} of all\" -> {}\n", ["good", "bad"][i % 2])).collect()
}

#[tokio::test]
async fn text_becomes_a_dataset_and_a_run() {
    let service = Service::new().await.with_tiny_base().await;
    let ask = json!({"text": lines(24), "model_type": "text_classification", "base": "tiny", "priority": "high"});
    let said = service.post("/api/v1/prompts", &ask).await;
    assert_eq!(said.status, StatusCode::ACCEPTED, "{}", said.json());
    let prompt = said.json()["prompt"].clone();
    assert_eq!(
        (&prompt["dataset"], &prompt["note"]),
        (&json!("prompt_1_text_classification"), &Value::Null),
        "{prompt}"
    );
    let listed = service.get("/api/v1/prompts").await.json()["prompts"][0].clone();
    assert_eq!(
        listed["metadata"],
        json!({"source": "prompt_interface", "model_type": "text_classification", "created_by": "local"})
    );
    assert_eq!((&listed["job"]["state"], &listed["job"]["priority"]), (&json!("queued"), &json!("high")), "{listed}");
    let table = service.get("/api/v1/prompts/1/prompt_data.csv").await;
    assert!(String::from_utf8(table.body.clone()).unwrap().starts_with("text,label\ntext number 0 of all,good\n"));
    assert_eq!(table.header("content-type"), "text/csv; charset=utf-8");
    assert_eq!(service.get("/api/v1/prompts/2/prompt_data.csv").await.status, StatusCode::NOT_FOUND);
    let again = service.post("/api/v1/prompts", &ask).await.json();
    assert!(again["prompt"]["note"].as_str().unwrap().contains("Train again when it has ended"), "{again}");
}

#[tokio::test]
async fn text_with_too_few_examples_is_kept_with_reason() {
    let service = Service::new().await.with_tiny_base().await;
    let ask = |text: &str, pending: bool| json!({"text": text, "model_type": "sentiment_analysis", "base": "tiny", "pending": pending});
    let said = service.post("/api/v1/prompts", &ask("Test training prompt", false)).await.json();
    assert_eq!((&said["prompt"]["examples"], &said["prompt"]["pending"]), (&json!(1), &json!(1)));
    assert!(said["prompt"]["note"].as_str().unwrap().contains("add answers"), "{said}");
    let seed = "Classify customer sentiment:\n\n1. \"I love this product!\" -> positive\n2. \"Not what I expected\" -> negative\n3. \"It works fine\" -> neutral\n";
    let said = service.post("/api/v1/prompts", &ask(seed, false)).await.json();
    assert!(said["prompt"]["note"].as_str().unwrap().contains("10 approved examples"), "{said}");
    let said = service.post("/api/v1/prompts", &ask(&lines(12), true)).await.json();
    assert_eq!((&said["prompt"]["pending"], &said["prompt"]["run"]), (&json!(12), &Value::Null));
    assert_eq!(service.get("/api/v1/examples?task=sentiment&state=pending").await.json()["total"], 13);
    assert_eq!(service.post("/api/v1/prompts", &ask("short", false)).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    let unknown = json!({"text": lines(12), "model_type": "unheard-of"});
    assert!(service.post("/api/v1/prompts", &unknown).await.status.is_client_error());
}

#[tokio::test]
async fn draft_is_kept_until_submitted() {
    let service = Service::new().await;
    let empty = service.get("/api/v1/prompts/draft").await.json();
    assert_eq!(empty["text"], "");
    let draft = json!({"text": "a line -> good", "model_type": "general_chat", "priority": "low"});
    let put = service.send(&Method::PUT, "/api/v1/prompts/draft", &[], draft.to_string().as_bytes()).await;
    assert_eq!(put.status, StatusCode::OK);
    let found = service.get("/api/v1/prompts/draft").await.json();
    assert_eq!((&found["text"], &found["priority"]), (&draft["text"], &draft["priority"]));
    let ask = json!({"text": "a line -> good", "model_type": "text_classification"});
    assert_eq!(service.post("/api/v1/prompts", &ask).await.status, StatusCode::ACCEPTED);
    assert_eq!(service.get("/api/v1/prompts/draft").await.json()["text"], "");
}

#[tokio::test]
async fn pasted_text_is_imported_as_pending() {
    let service = Service::new().await;
    let text = lines(4);
    let fields = [("kind", "prompt"), ("task", "text-classification"), ("pending", "true")];
    let import = service.import_with(&fields, "pasted.txt", text.as_bytes()).await;
    assert_eq!((&import["report"]["labelled"], &import["report"]["pending"]), (&json!(4), &json!(4)), "{import}");
    let import = service.import("prompt", "sentiment", "pasted.txt", text.as_bytes()).await;
    assert_eq!(import["report"]["pending"], 0, "{import}");
}
