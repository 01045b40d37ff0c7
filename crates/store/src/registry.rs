use graft_core::iso8601;
use serde_json::{Map, Value, json};

use crate::{Stage, Version};

/// The versions of one task in the format of the Slack system's `model_registry.json`: `versions` by name, each with
/// `adapter_path`, `created_at`, `metrics` and `base_model`, and `active_version`, which may be null.
#[must_use]
pub fn model_registry(versions: &[Version]) -> Value {
    let entries: Map<String, Value> = versions
        .iter()
        .map(|version| {
            let entry = json!({
                "adapter_path": version.adapter_dir,
                "created_at": iso8601(version.created_at),
                "metrics": version.metrics,
                "base_model": version.base,
            });
            (version.name.clone(), entry)
        })
        .collect();
    let active = versions.iter().find(|version| version.stage == Stage::Active).map(|version| &version.name);
    json!({"versions": entries, "active_version": active})
}
