//! Generates `docs/commands.md` from `graft --help`, so that both are the same.

use std::{fmt::Write as _, path::Path, process::Command};

use anyhow::{Context as _, ensure};

use crate::shell;

const PAGE: &str = "docs/commands.md";

const HEAD: &str = "\
# Commands

This page is a reference of all commands: the output of `graft COMMAND -h` for each. `cargo xtask commands` writes it;
`cargo xtask test` fails when it is out of date. All commands also accept `--json`, `--by` and `-h`, which are shown only once.
";

/// Help lines that all commands share.
const COMMON: [&str; 4] = ["--json ", "--by <NAME> ", "-h, --help ", "help "];

/// Builds `graft` and writes the page.
pub(crate) fn write() -> anyhow::Result<()> {
    shell::run(shell::cargo().args(["build", "--quiet", "--workspace", "--bin", "graft"]))?;
    std::fs::write(PAGE, page(&shell::target().join("debug").join("graft"))?)?;
    println!("wrote {PAGE}");
    Ok(())
}

/// Fails if the page differs from this `graft`'s help.
pub(crate) fn check(graft: &Path) -> anyhow::Result<()> {
    let written = std::fs::read_to_string(PAGE).with_context(|| format!("{PAGE} can't be read"))?;
    ensure!(written == page(graft)?, "{PAGE} is out of date; run `cargo xtask commands`");
    println!("{PAGE} matches `graft --help`");
    Ok(())
}

fn page(graft: &Path) -> anyhow::Result<String> {
    let mut text = HEAD.to_owned();
    add(graft, &mut vec![], &mut text)?;
    Ok(text)
}

/// Adds a command and those below it.
fn add(graft: &Path, path: &mut Vec<String>, text: &mut String) -> anyhow::Result<()> {
    let help = help(graft, path)?;
    let name = std::iter::once("graft").chain(path.iter().map(String::as_str)).collect::<Vec<_>>().join(" ");
    let shown = if path.is_empty() { help.clone() } else { without_common(&help) };
    write!(text, "\n## `{name}`\n\n```text\n{}\n```\n", shown.trim_end())?;
    for command in subcommands(&help) {
        path.push(command);
        add(graft, path, text)?;
        path.pop();
    }
    Ok(())
}

/// Help without the shared lines, and without headings that are then empty.
fn without_common(help: &str) -> String {
    let mut hidden = false;
    let shown = |line: &&str| {
        let text = line.trim_start();
        // An entry is indented by at most six; a deeper line continues the entry above it.
        if line.len() - text.len() <= 6 {
            hidden = line.starts_with(' ') && COMMON.iter().any(|start| text.starts_with(start));
        }
        !hidden
    };
    let kept = help.lines().filter(shown).collect::<Vec<_>>().join("\n");
    let sections = kept.split("\n\n").filter(|section| section.trim() != "Options:");
    sections.collect::<Vec<_>>().join("\n\n")
}

fn help(graft: &Path, path: &[String]) -> anyhow::Result<String> {
    let mut command = Command::new(graft);
    // Nothing of this machine may show: neither the terminal's width nor the user's name.
    command.args(path).arg("-h").env("COLUMNS", "110").env_remove("GRAFT_USER").stdin(std::process::Stdio::null());
    let out = command.output().with_context(|| format!("{} can't be started", graft.display()))?;
    ensure!(out.status.success(), "`graft {} -h` failed", path.join(" "));
    let text = String::from_utf8(out.stdout).context("help is no UTF-8")?;
    Ok(text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n"))
}

/// The names under `Commands:`, without clap's own `help`.
fn subcommands(help: &str) -> Vec<String> {
    let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    // Names are indented by two; what follows on the next line by more.
    let names = listed.filter_map(|line| line.strip_prefix("  ").filter(|rest| !rest.starts_with(' ')));
    let names = names.filter_map(|line| line.split_whitespace().next());
    names.filter(|name| *name != "help").map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subcommands_are_found() {
        let help = "Does it\n\nUsage: graft\n\nCommands:\n  train   Learn,\n            slowly\n  base  Get\n  help  Print\n\nOptions:\n  --json";
        assert_eq!(subcommands(help), ["train", "base"]);
        let kept = without_common(&help.replace("--json", "--json  X\n              continued"));
        assert!(kept.ends_with("base  Get"), "{kept}");
    }
}
