//! Runs other programs.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    path::PathBuf,
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::{Context as _, ensure};

/// The cargo that started this program, without the variables that it set for this package: build scripts that read them
/// (ring's) would rebuild themselves and their dependents.
pub(crate) fn cargo() -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    for (name, _) in std::env::vars_os() {
        let of_package = |name: &str| {
            ["CARGO_PKG_", "CARGO_MANIFEST_"].iter().any(|start| name.starts_with(start)) || name == "OUT_DIR"
        };
        if name.to_str().is_some_and(of_package) {
            cargo.env_remove(name);
        }
    }
    cargo
}

/// A release build, with the page if it was built.
pub(crate) fn release() -> Command {
    let mut cargo = cargo();
    cargo.args(["build", "--release"]).env("GRAFT_REQUIRE_PAGE", "0");
    cargo
}

/// Cargo's target folder.
pub(crate) fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| "target".into(), PathBuf::from)
}

/// Free bytes on the disk of cargo's target folder.
pub(crate) fn free_disk() -> anyhow::Result<u64> {
    let target = target();
    let folder = if target.exists() { target.as_path() } else { std::path::Path::new(".") };
    let table = output(Command::new("df").args(["-Pk"]).arg(folder))?;
    let table = String::from_utf8_lossy(&table);
    let free = table.lines().nth(1).and_then(|line| line.split_whitespace().nth(3)?.parse::<u64>().ok());
    Ok(free.with_context(|| format!("`df` printed {table}"))? * 1024)
}

/// A duration as text.
pub(crate) fn seconds(time: Duration) -> String {
    match time.as_secs() {
        0..60 => format!("{:.1} s", time.as_secs_f64()),
        whole => format!("{} min {:02} s", whole / 60, whole % 60),
    }
}

/// Runs a command whose output the user sees.
pub(crate) fn run(command: &mut Command) -> anyhow::Result<()> {
    let status = command.status().with_context(|| format!("{} can't be started", name(command)))?;
    ensure!(status.success(), "{} failed ({status})", name(command));
    Ok(())
}

/// Runs a command and passes its stdout, line by line, to the user and to `read`.
pub(crate) fn run_and_read(command: &mut Command, mut read: impl FnMut(&str)) -> anyhow::Result<()> {
    let mut child =
        command.stdout(Stdio::piped()).spawn().with_context(|| format!("{} can't be started", name(command)))?;
    for line in child.stdout.take().into_iter().flat_map(|out| BufReader::new(out).split(b'\n')) {
        let line = line?;
        let mut out = std::io::stdout().lock();
        out.write_all(&line).and_then(|()| out.write_all(b"\n"))?;
        read(&String::from_utf8_lossy(&line));
    }
    let status = child.wait()?;
    ensure!(status.success(), "{} failed ({status})", name(command));
    Ok(())
}

/// Runs a command and returns its stdout; stderr stays visible.
pub(crate) fn output(command: &mut Command) -> anyhow::Result<Vec<u8>> {
    let out =
        command.stderr(Stdio::inherit()).output().with_context(|| format!("{} can't be started", name(command)))?;
    ensure!(out.status.success(), "{} failed ({})", name(command), out.status);
    Ok(out.stdout)
}

/// The program and its first arguments, for messages.
fn name(command: &Command) -> String {
    let program = std::path::Path::new(command.get_program()).file_name().unwrap_or_default().to_string_lossy();
    let arguments = command.get_args().take(3).map(|argument| argument.to_string_lossy());
    let words: Vec<_> = std::iter::once(program).chain(arguments).collect();
    format!("`{}`", words.join(" "))
}
