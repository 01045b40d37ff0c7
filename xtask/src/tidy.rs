//! Checks of tracked files: no paths of one machine, and packages from crates.io only.

use std::process::Command;

use anyhow::ensure;

use crate::shell;

/// Registry of all packages in `Cargo.lock`.
const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// Prefixes of paths that exist on one machine only; split, so that this file does not contain them.
const MACHINE: [&str; 4] = [concat!("/wo", "rk/"), concat!("/tm", "p/"), concat!("/ro", "ot/"), concat!("/ho", "me/")];

/// Checks every tracked file.
pub(crate) fn run() -> anyhow::Result<()> {
    let files = tracked()?;
    let mut wrong = Vec::new();
    for path in &files {
        // A deleted file that is not committed yet, or a binary file.
        let Ok(text) = std::fs::read_to_string(path) else { continue };
        wrong.extend(faults(path, &text));
    }
    ensure!(wrong.is_empty(), "found what must not be in the tree:\n  {}", wrong.join("\n  "));
    let count = files.len();
    println!("{count} files: no machine paths, packages from crates.io only");
    Ok(())
}

/// The files that git tracks.
pub(crate) fn tracked() -> anyhow::Result<Vec<String>> {
    let files = shell::output(Command::new("git").args(["ls-files", "-z"]))?;
    let files = String::from_utf8_lossy(&files).into_owned();
    Ok(files.split('\0').filter(|path| !path.is_empty()).map(str::to_owned).collect())
}

fn faults(path: &str, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let number = index + 1;
        if path == "Cargo.lock" && line.starts_with("source = ") && !line.contains(REGISTRY) {
            found.push(format!("{path}:{number}: a package that is not from crates.io: {line}"));
        }
        if let Some(start) = MACHINE.iter().find(|start| has_path(line, start)) {
            found.push(format!("{path}:{number}: a machine path ({start}…)"));
        }
    }
    found
}

/// Whether a line contains an absolute path with this prefix.
fn has_path(line: &str, start: &str) -> bool {
    let inside = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '/' | '}');
    line.match_indices(start).any(|(at, _)| !line[..at].ends_with(inside))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn machine_paths_are_found() {
        let line = format!("open(\"{}me/x\")", MACHINE[1]);
        assert_eq!(faults("a.md", &format!("one\n{line}"))[0].split(' ').next(), Some("a.md:2:"));
        assert!(faults("a.md", &format!("target{}x", MACHINE[1])).is_empty());
    }

    #[test]
    fn packages_come_from_crates_io() {
        assert!(faults("Cargo.lock", &format!("source = \"{REGISTRY}\"")).is_empty());
        assert_eq!(faults("Cargo.lock", "source = \"sparse+https://mirror.example/index/\"").len(), 1);
    }
}
