//! The committed OpenAPI description equals that of the code, and requests are checked against it.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::service::Service;

/// Run with `GRAFT_WRITE_OPENAPI=1` to rewrite it.
#[test]
fn committed_openapi_is_up_to_date() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json");
    let now = graft_server::openapi_json();
    if std::env::var("GRAFT_WRITE_OPENAPI").is_ok_and(|value| value == "1") {
        std::fs::write(path, now).unwrap();
    }
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    assert!(committed == now, "openapi.json is not that of the code: `graft openapi > crates/server/openapi.json`");
}

#[test]
fn every_openapi_reference_resolves() {
    let text = graft_server::openapi_json();
    let api: Value = serde_json::from_str(text).unwrap();
    let named = text.split("\"#/components/schemas/").skip(1).filter_map(|rest| rest.split('"').next());
    let missing: Vec<&str> = named.filter(|name| api["components"]["schemas"].get(name).is_none()).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[tokio::test]
async fn unknown_query_parameters_are_refused_by_name() {
    let service = Service::new().await;
    let api: Value = serde_json::from_str(graft_server::openapi_json()).unwrap();
    let paths = api["paths"].as_object().unwrap();
    let operations = paths.iter().filter(|(path, item)| path.starts_with("/api/v1") && item.get("get").is_some());
    let mut count = 0;
    for (path, item) in operations {
        let parts = path.split('/').map(|part| if part.starts_with('{') { "none" } else { part });
        let address = parts.collect::<Vec<_>>().join("/");
        let parameters = item["get"]["parameters"].as_array();
        let known = parameters.into_iter().flatten().filter(|parameter| parameter["in"] == "query");
        let known: Vec<&str> = known.map(|parameter| parameter["name"].as_str().unwrap()).collect();
        let refused = service.get(&format!("{address}?limt=5")).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{address}");
        let problem = refused.json();
        assert_eq!(problem["errors"][0]["field"], "limt", "{problem}");
        let detail = problem["detail"].as_str().unwrap();
        assert!(known.iter().all(|name| detail.contains(&format!("`{name}`"))), "{problem}");
        for name in known {
            let said = service.get(&format!("{address}?{name}=1")).await;
            let text = String::from_utf8_lossy(&said.body);
            assert!(!text.contains("no query parameter"), "{address} takes `{name}`: {text}");
        }
        count += 1;
    }
    assert!(count > 50, "{count} operations");
    let refused = service.post("/api/v1/tasks?dryrun=true", &json!({})).await;
    assert_eq!(refused.json()["errors"][0]["field"], "dryrun");
}
