//! The committed OpenAPI description equals that of the code.

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
    let api: serde_json::Value = serde_json::from_str(text).unwrap();
    let named = text.split("\"#/components/schemas/").skip(1).filter_map(|rest| rest.split('"').next());
    let missing: Vec<&str> = named.filter(|name| api["components"]["schemas"].get(name).is_none()).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
