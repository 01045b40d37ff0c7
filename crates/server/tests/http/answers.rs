//! Answers over HTTP, from a tiny base model.

use crate::service::Service;
use axum::http::StatusCode;
use serde_json::json;

#[tokio::test]
async fn answers_are_counted_by_task_and_by_how_they_end() {
    let service = Service::new().await.with_tiny_base().await;
    let ask = json!({"model": "tiny", "prompt": "so good", "max_tokens": 3});
    for stream in [false, true] {
        let mut ask = ask.clone();
        ask["stream"] = json!(stream);
        assert_eq!(service.post("/v1/completions", &ask).await.status, StatusCode::OK);
    }
    let long = json!({"model": "tiny", "prompt": "so good ".repeat(5000), "max_tokens": 3});
    assert_eq!(service.post("/v1/completions", &long).await.status, StatusCode::BAD_REQUEST);
    let unknown = json!({"model": "nobody", "prompt": "so good"});
    assert_eq!(service.post("/v1/completions", &unknown).await.status, StatusCode::NOT_FOUND);
    let metrics = String::from_utf8(service.get("/metrics").await.body).unwrap();
    for line in [
        "graft_infer_total{task=\"tiny\",outcome=\"answered\"} 2",
        "graft_infer_total{task=\"tiny\",outcome=\"failed\"} 1",
        "graft_infer_tokens_total{task=\"tiny\",kind=\"answer\"} 6",
        "graft_infer_seconds_count{task=\"tiny\"} 2",
        "graft_infer_seconds_bucket{task=\"tiny\",le=\"+Inf\"} 2",
    ] {
        assert!(metrics.lines().any(|found| found == line), "{line} is not in\n{metrics}");
    }
    assert!(!metrics.contains("nobody"), "names that strangers make up are no labels:\n{metrics}");
}
