//! The manifests of `packaging/kubernetes`, checked against the schemas that Kubernetes publishes.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::ensure;

use crate::shell;

/// What is applied with `kubectl apply -k`.
const FOLDERS: [&str; 2] = ["packaging/kubernetes", "packaging/kubernetes/trainer"];
/// The first version with a stable `podFailurePolicy`, and the newest that the schemas are there for.
const VERSIONS: [&str; 2] = ["1.31.0", "1.37.0"];

/// Checks every manifest with `kubernetes-validate`; unknown fields are errors.
pub(crate) fn check(program: &Path) -> anyhow::Result<()> {
    let manifests = manifests()?;
    VERSIONS.iter().try_for_each(|version| {
        shell::run(Command::new(program).args(["--strict", "--quiet", "-k", version]).args(&manifests))
    })
}

/// What the kustomizations name, which is every file beside them.
fn manifests() -> anyhow::Result<Vec<PathBuf>> {
    let mut all = Vec::new();
    for folder in FOLDERS.map(Path::new) {
        let text = fs::read_to_string(folder.join("kustomization.yaml"))?;
        let list = text.lines().skip_while(|line| *line != "resources:").skip(1);
        let named: Vec<_> = list.map_while(|line| line.strip_prefix("  - ")).map(|name| folder.join(name)).collect();
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            let is_manifest = path.is_file() && !path.ends_with("kustomization.yaml");
            ensure!(!is_manifest || named.contains(&path), "no kustomization names {}", path.display());
        }
        all.extend(named);
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use graft_core::ExitCode;

    #[test]
    fn failure_policy_follows_exit_codes() {
        let job = include_str!("../../packaging/kubernetes/trainer/job.yaml");
        let values = job.lines().find_map(|line| line.trim().strip_prefix("values: [")?.strip_suffix(']')).unwrap();
        let values: Vec<u8> = values.split(", ").map(|code| code.parse().unwrap()).collect();
        // What has no meaning of its own is read as unexpected.
        let known: Vec<u8> = (2..=u8::MAX).filter(|code| ExitCode::from(*code) != ExitCode::Internal).collect();
        let network = ExitCode::Network as u8;
        assert_eq!(values, known.into_iter().filter(|code| *code != network).collect::<Vec<_>>());
    }
}
