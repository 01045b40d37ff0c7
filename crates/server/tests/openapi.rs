//! The committed description is that of the code.

/// Run with `GRAFT_WRITE_OPENAPI=1` to write it anew.
#[test]
fn the_committed_description_is_up_to_date() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json");
    let now = graft_server::openapi_json();
    if std::env::var("GRAFT_WRITE_OPENAPI").is_ok_and(|value| value == "1") {
        std::fs::write(path, now).unwrap();
    }
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    assert!(committed == now, "openapi.json is not that of the code: `graft openapi > crates/server/openapi.json`");
}
