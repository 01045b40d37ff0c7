//! Base models: listed, downloaded, removed.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::service::{PATIENCE, Service};

async fn base(service: &Service, name: &str) -> Value {
    let all = service.get("/api/v1/bases").await.json();
    all["bases"].as_array().into_iter().flatten().find(|base| base["name"] == name).cloned().unwrap_or_default()
}

#[tokio::test]
async fn bases_are_listed_and_removed() {
    let service = Service::new().await.with_tiny_base().await;
    let tiny = base(&service, "tiny").await;
    assert_eq!((&tiny["present"], &tiny["source"], &tiny["pull"]), (&json!(true), &json!("path"), &Value::Null));
    let known = base(&service, "smollm2-135m").await;
    assert_eq!((&known["present"], &known["bytes"]), (&json!(false), &json!(0)));
    let about = service.get("/api/v1/bases/info?name=tiny").await.json();
    assert_eq!((&about["architecture"], about["digest"].as_str().map(str::len)), (&json!("llama"), Some(64)));
    let gone = service.send(&Method::DELETE, "/api/v1/bases?name=tiny", &[], b"").await;
    assert_eq!((gone.status, &gone.json()["names"]), (StatusCode::OK, &json!(["tiny"])));
    assert_eq!(base(&service, "tiny").await, Value::Null);
    assert!(service.send(&Method::DELETE, "/api/v1/bases?name=tiny", &[], b"").await.status.is_client_error());
}

#[tokio::test]
async fn state_of_a_base_says_whether_it_can_be_downloaded() {
    let service = Service::new().await.with_tiny_base().await;
    let state = async |name: &str| service.get(&format!("/api/v1/bases/state?name={name}")).await;
    assert_eq!(state("tiny").await.json()["present"], json!(true));
    assert_eq!(state("nobody/nothing").await.json()["present"], json!(false), "though no list has it");
    let gemma = state("gemma3-270m").await.json();
    assert_eq!((&gemma["present"], gemma["terms"].is_string()), (&json!(false), true));
    for name in ["nobody-added-this", "%2Fetc"] {
        assert_eq!(state(name).await.status, StatusCode::UNPROCESSABLE_ENTITY, "{name} can't be downloaded");
    }
}

#[tokio::test]
async fn failed_download_gives_its_reason() {
    let service = Service::new().await;
    for name in ["", "./folder", "/etc"] {
        let said = service.post("/api/v1/bases", &json!({"name": name})).await;
        assert_eq!(said.status, StatusCode::UNPROCESSABLE_ENTITY, "{name}");
    }
    assert_eq!(service.post("/api/v1/bases/cancel", &json!({"name": "a/b"})).await.status, StatusCode::NOT_FOUND);
    // An added name that does not exist: it fails without network.
    let problem = failure(&service, "nobody-added-this").await;
    assert!(problem["detail"].as_str().unwrap().contains("nobody-added-this"), "{problem}");
}

#[tokio::test]
async fn terms_are_accepted_before_a_download() {
    let service = Service::new().await;
    let name = "gemma3-270m";
    let terms = base(&service, name).await["terms"].as_str().unwrap().to_owned();
    let hint = failure(&service, name).await["hint"].as_str().unwrap().to_owned();
    assert!(hint.contains(&terms) && hint.contains("`\"terms_accepted\": true`"), "{hint}");
    assert_eq!(base(&service, "smollm2-135m").await["terms"], Value::Null);
}

#[tokio::test]
async fn training_that_lacks_only_its_base_is_queued() {
    let service = Service::new().await;
    let train =
        async |base: &str| service.post("/api/v1/runs", &json!({"task": "text-classification", "base": base})).await;
    let missing = "nobody/nothing";
    let refused = train(missing).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "there are no examples: {}", refused.json());

    let row = |i: usize| if i.is_multiple_of(2) { format!("yes {i},good\n") } else { format!("no {i},bad\n") };
    let rows: String = (0..60).map(row).collect();
    service.import("csv", "text-classification", "a.csv", format!("text,label\n{rows}").as_bytes()).await;
    let terms = train("gemma3-270m").await;
    assert_eq!(terms.status, StatusCode::UNPROCESSABLE_ENTITY);
    let hint = terms.json()["hint"].as_str().unwrap().to_owned();
    assert!(hint.contains("ai.google.dev/gemma/terms") && !hint.contains("--"), "a person accepts them first: {hint}");
    let queued = train(missing).await;
    assert_eq!(queued.status, StatusCode::ACCEPTED, "{}", queued.json());
    assert_eq!((&queued.json()["run"]["state"], &queued.json()["run"]["base"]), (&json!("queued"), &json!(missing)));
}

/// Why a download failed.
async fn failure(service: &Service, name: &str) -> Value {
    let begun = service.post("/api/v1/bases", &json!({"name": name})).await;
    assert_eq!(begun.status, StatusCode::ACCEPTED, "{}", begun.json());
    let since = std::time::Instant::now();
    let mut pull = Value::Null;
    while pull["state"] != "failed" && since.elapsed() < PATIENCE {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        pull = base(service, name).await["pull"].clone();
    }
    pull["problem"].clone()
}
