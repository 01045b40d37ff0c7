//! What the compiler doesn't check: short files, no paths of one machine, no registry of one network.

use std::process::Command;

use anyhow::ensure;

use crate::shell;

/// Longest Rust file, in lines.
const LONGEST: usize = 600;

/// Where the packages in `Cargo.lock` come from.
const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// Starts of paths that only one machine has; split, so that this file doesn't hold them.
const MACHINE: [&str; 4] = [concat!("/wo", "rk/"), concat!("/tm", "p/"), concat!("/ro", "ot/"), concat!("/ho", "me/")];

/// Checks every file that git tracks.
pub(crate) fn run() -> anyhow::Result<()> {
    let files = tracked()?;
    let mut wrong = Vec::new();
    for path in &files {
        // Deleted but not yet committed, or not text.
        let Ok(text) = std::fs::read_to_string(path) else { continue };
        wrong.extend(faults(path, &text));
    }
    ensure!(wrong.is_empty(), "files that can't stay as they are:\n  {}", wrong.join("\n  "));
    let count = files.len();
    println!("{count} files: Rust at most {LONGEST} lines long, no machine's paths, packages from crates.io only");
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
    let lines = text.lines().count();
    if path.ends_with(".rs") && lines > LONGEST {
        found.push(format!("{path}: {lines} lines; split it (at most {LONGEST})"));
    }
    for (index, line) in text.lines().enumerate() {
        let number = index + 1;
        if path == "Cargo.lock" && line.starts_with("source = ") && !line.contains(REGISTRY) {
            found.push(format!("{path}:{number}: a package from elsewhere than crates.io: {line}"));
        }
        if let Some(start) = MACHINE.iter().find(|start| has_path(line, start)) {
            found.push(format!("{path}:{number}: a path of one machine ({start}…)"));
        }
    }
    found
}

/// Whether a line holds an absolute path with this start.
fn has_path(line: &str, start: &str) -> bool {
    let inside = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '/' | '}');
    line.match_indices(start).any(|(at, _)| !line[..at].ends_with(inside))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_files_and_machine_paths_are_named() {
        assert!(faults("a.rs", &"x\n".repeat(LONGEST)).is_empty());
        assert_eq!(faults("a.rs", &"x\n".repeat(LONGEST + 1)).len(), 1);
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
