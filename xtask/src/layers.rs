//! The allowed dependencies between crates. They go one way; a new dependency must be added here.

use anyhow::{Context as _, bail, ensure};
use serde_json::Value;

use crate::shell;

/// A crate, and the crates it may use. `ARCHITECTURE.md` shows the same table, which is checked.
const ARROWS: [(&str, &[&str]); 26] = [
    ("core", &[]),
    ("kernels", &[]),
    ("ops", &["kernels"]),
    ("gpu", &["ops"]),
    ("formats", &["core", "kernels"]),
    ("nn", &["core", "formats", "ops"]),
    ("train", &["contestants", "core", "formats", "gpu", "nn", "ops"]),
    ("predict", &["core", "formats", "gpu", "kernels", "nn"]),
    ("tasks", &["core"]),
    ("contestants", &["core", "tasks"]),
    ("store", &["core"]),
    ("hub", &["core"]),
    ("artifacts", &["core"]),
    ("cloud", &["core"]),
    ("exec", &["core", "formats"]),
    ("track", &["core"]),
    ("notify", &["core"]),
    ("agent", &["core"]),
    ("search", &[]),
    ("upstream", &["core"]),
    (
        "engine",
        &[
            "artifacts",
            "cloud",
            "contestants",
            "core",
            "exec",
            "formats",
            "hub",
            "nn",
            "notify",
            "predict",
            "search",
            "store",
            "tasks",
            "track",
            "train",
            "upstream",
        ],
    ),
    ("server", &["core", "engine"]),
    ("cli", &["agent", "core", "engine", "formats", "hub", "nn", "predict", "server", "tasks", "train"]),
    ("testkit", &[]),
    ("bench", &["core", "gpu", "kernels", "nn", "ops", "predict", "train"]),
    ("xtask", &["core", "formats", "hub", "nn", "ops", "predict", "tasks"]),
];

/// A crate for tests only.
const TESTS_ONLY: &str = "testkit";
/// What a crate's own tests may use besides: whole models and trainings run on a device; databases are looked into, and
/// their writes fail.
const IN_TESTS: [(&str, &[&str]); 3] = [("gpu", &["core", "nn", "train"]), ("predict", &["ops"]), ("cli", &["store"])];

/// What only some crates may use: SQL, HTTP and its description, the command line, the tensor product, tokenizers.
const KEPT: [(&str, &[&str]); 18] = [
    ("sqlx", &["store", "tasks"]),
    ("ureq", &["agent", "cloud", "contestants", "exec", "hub", "notify", "track", "upstream"]),
    ("lettre", &["notify"]),
    ("object_store", &["artifacts"]),
    ("tar", &["exec"]),
    ("axum", &["server"]),
    ("hyper", &["server"]),
    ("hyper-util", &["server"]),
    ("tower-http", &["server"]),
    (
        "utoipa",
        &["cloud", "contestants", "core", "engine", "exec", "predict", "search", "server", "store", "tasks", "track"],
    ),
    ("utoipa-axum", &["server"]),
    ("clap", &["cli", "engine"]),
    ("indicatif", &["cli"]),
    ("cudarc", &["gpu"]),
    ("gemm-f32", &["kernels"]),
    ("memmap2", &["kernels"]),
    ("tokenizers", &["formats", "predict"]),
    ("llguidance", &["predict"]),
];

/// Reads the workspace and lists every dependency that is not allowed.
pub(crate) fn run() -> anyhow::Result<()> {
    let metadata = shell::output(shell::cargo().args(["metadata", "--format-version", "1", "--no-deps"]))?;
    let metadata: Value = serde_json::from_slice(&metadata).context("cargo's metadata is no JSON")?;
    let (arrows, wrong) = check(&metadata)?;
    let architecture = std::fs::read_to_string("ARCHITECTURE.md").context("ARCHITECTURE.md can't be read")?;
    let missing: Vec<String> = table().into_iter().filter(|row| !architecture.contains(row.as_str())).collect();
    ensure!(wrong.is_empty(), "dependencies that are not allowed (xtask/src/layers.rs):\n  {}", wrong.join("\n  "));
    ensure!(missing.is_empty(), "ARCHITECTURE.md lacks these rows of its table of crates:\n{}", missing.join("\n"));
    println!("{} crates, {arrows} dependencies between them, all allowed", ARROWS.len());
    Ok(())
}

/// Counts the dependencies between crates, and describes those that are not allowed.
fn check(metadata: &Value) -> anyhow::Result<(usize, Vec<String>)> {
    let packages = metadata["packages"].as_array().context("cargo's metadata has no packages")?;
    let (mut arrows, mut wrong) = (0, Vec::new());
    for package in packages {
        let from = short(package["name"].as_str().unwrap_or_default());
        let Some((_, allowed)) = ARROWS.iter().find(|(name, _)| *name == from) else {
            bail!("crate `{from}` has no row in xtask/src/layers.rs");
        };
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            let to = short(dependency["name"].as_str().unwrap_or_default());
            let in_tests = dependency["kind"] == "dev";
            if dependency["path"].is_string() {
                arrows += 1;
                let tests_may =
                    to == TESTS_ONLY || IN_TESTS.iter().any(|(name, more)| *name == from && more.contains(&to));
                let is_allowed = allowed.contains(&to) || in_tests && tests_may;
                if !is_allowed {
                    wrong.push(format!("{from} → {to}{}", if in_tests { " (in tests)" } else { "" }));
                }
            } else if let Some((_, rooms)) = KEPT.iter().find(|(name, _)| *name == to)
                && !rooms.contains(&from)
                && !in_tests
            {
                wrong.push(format!("{from} → {to}, which only {} may use", rooms.join(" and ")));
            }
        }
    }
    Ok((arrows, wrong))
}

/// A crate's name without the prefix they share; the command's crate is `graft` itself.
fn short(name: &str) -> &str {
    if name == "graft" { "cli" } else { name.strip_prefix("graft-").unwrap_or(name) }
}

/// The rows of the table in ARCHITECTURE.md.
fn table() -> Vec<String> {
    let cell = |crates: &[&str]| match crates {
        [] => "nothing".to_owned(),
        crates => crates.join(", "),
    };
    ARROWS.iter().map(|(name, allowed)| format!("| {name} | {} |", cell(allowed))).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn wrong(name: &str, dependency: Value) -> Vec<String> {
        check(&json!({"packages": [{"name": name, "dependencies": [dependency]}]})).unwrap().1
    }

    #[test]
    fn reversed_dependency_is_reported() {
        let arrow = |to: &str, kind: Value| json!({"name": to, "kind": kind, "path": "/somewhere"});
        assert_eq!(wrong("graft-ops", arrow("graft-nn", Value::Null)), ["ops → nn"]);
        assert!(wrong("graft-nn", arrow("graft-ops", Value::Null)).is_empty());
        assert!(wrong("graft-store", arrow("graft-testkit", json!("dev"))).is_empty());
        assert_eq!(wrong("graft-store", arrow("graft-testkit", Value::Null)), ["store → testkit"]);
        assert_eq!(wrong("graft-core", arrow("graft-store", json!("dev"))), ["core → store (in tests)"]);
    }

    #[test]
    fn sql_is_used_only_in_its_crates() {
        let sqlx = json!({"name": "sqlx", "kind": null});
        assert!(wrong("graft-store", sqlx.clone()).is_empty());
        assert_eq!(wrong("graft", sqlx), ["cli → sqlx, which only store and tasks may use"]);
        // A test may play the service whose database is read.
        assert!(wrong("graft", json!({"name": "sqlx", "kind": "dev"})).is_empty());
    }

    #[test]
    fn every_crate_has_a_table_row() {
        assert!(check(&json!({"packages": [{"name": "graft-new", "dependencies": []}]})).is_err());
    }
}
