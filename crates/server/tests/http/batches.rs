//! Files that a version answers in the background.

use std::sync::Arc;

use axum::http::Method;
use serde_json::{Value, json};

use crate::service::Service;

#[tokio::test(flavor = "multi_thread")]
async fn uploaded_file_is_answered_part_by_part() {
    let service = Service::with_examples().await;
    let contestants = "/api/v1/tasks/text-classification/contestants";
    assert_eq!(service.post(contestants, &json!({"kind": "most-frequent"})).await.status.as_u16(), 200);
    let file: String = (1..=5).map(|n| format!("{}\n", json!({"id": n, "text": format!("text {n}")}))).collect();
    let fields = [("task", "text-classification"), ("version", "v1"), ("part_lines", "2")];
    let submit = async |fields: &[(&str, &str)], file: &str| {
        service.upload("/api/v1/batches", fields, "in.jsonl", file.as_bytes()).await
    };
    let refused = submit(&[("part_lines", "0")], &file).await;
    assert_eq!(refused.status.as_u16(), 422, "{}", refused.json());
    assert_eq!(submit(&fields, "{\"id\": 1}\n").await.status.as_u16(), 422, "a line without a text");
    let none = submit(&[("task", "text-classification"), ("version", "v9")], &file).await;
    assert_eq!(none.status.as_u16(), 404, "{}", none.json());

    let submitted = submit(&fields, &file).await;
    assert_eq!(submitted.status.as_u16(), 202, "{}", submitted.json());
    let batch = submitted.json()["batch"].clone();
    assert_eq!((&batch["parts"], &batch["source"]), (&json!(3), &json!("in.jsonl")));
    let path = format!("/api/v1/batches/{}", batch["id"].as_str().unwrap());
    let results = format!("{path}/results");
    assert_eq!(service.get(&results).await.status.as_u16(), 409, "nothing is answered yet");
    assert_eq!(service.post(&format!("{path}/stop"), &json!({})).await.json()["batch"]["state"], "stopped");
    let engine = &service.state.engine;
    let say: graft_engine::Say = Arc::new(|_, _| {});
    assert_eq!(engine.batches().work(None, true, &say).await.unwrap(), 0, "it is stopped");
    assert_eq!(service.post(&format!("{path}/resume"), &json!({})).await.json()["batch"]["state"], "running");
    assert_eq!(service.send(&Method::DELETE, &path, &[], b"").await.status.as_u16(), 409, "it runs");
    assert_eq!(engine.batches().work(None, true, &say).await.unwrap(), 5);

    let done = service.get(&path).await.json()["batch"].clone();
    assert_eq!((&done["state"], &done["answered"]), (&json!("done"), &json!(5)));
    let said = service.get(&results).await;
    assert_eq!(said.header("content-type"), "application/x-ndjson");
    let text = String::from_utf8(said.body.to_vec()).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let ids: Vec<_> = lines.iter().map(|line| line["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["1", "2", "3", "4", "5"]);
    assert!(lines.iter().all(|line| line["version"] == "v1" && line["valid"] == true), "{text}");
    assert_eq!(service.get("/api/v1/batches").await.json()["batches"], json!([done]));
    assert_eq!(service.send(&Method::DELETE, &path, &[], b"").await.status.as_u16(), 200);
    assert_eq!(service.get(&path).await.status.as_u16(), 404);
}
