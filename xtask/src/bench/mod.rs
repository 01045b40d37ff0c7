//! Graft and a peer alternate on the same work on this machine. Ratios are reported, because times depend on the machine.

mod adapters;
mod exported;
mod gemm;
mod gguf;
mod growth;
mod infer;
mod live;
mod peer;
mod plot;
mod program;
mod quality;
mod report;
mod search;
mod serve;
mod start;
mod t5;
mod train;

use std::{path::PathBuf, process::Command};

use anyhow::{Context as _, bail};
use serde_json::Value;

use crate::{prepare, shell};

/// A measurement; returns why it can't run here, if so.
type Bench = fn(&Settings) -> anyhow::Result<Option<String>>;

const ALL: [(&str, Bench); 15] = [
    ("gemm", gemm::products),
    ("kernels", gemm::kernels),
    ("train", train::run),
    ("t5", t5::run),
    ("infer", infer::run),
    ("gguf", gguf::run),
    ("exported", exported::run),
    ("start", start::run),
    ("growth", growth::run),
    ("adapters", adapters::run),
    ("serve", serve::run),
    ("parity", |_| crate::parity::all().map(|()| None)),
    ("quality", |_| quality::run().map(|()| None)),
    ("search", |_| search::run().map(|()| None)),
    ("live", |_| live::run().map(|()| None)),
];

/// Settings of all measurements.
struct Settings {
    /// Rounds of each side.
    rounds: usize,
    /// SmolLM2-135M.
    base: PathBuf,
}

/// Runs the named measurements, or all; prints at the end which were skipped and why.
pub(crate) fn run(arguments: &[&str]) -> anyhow::Result<()> {
    let (mut rounds, mut names) = (3, Vec::new());
    let mut arguments = arguments.iter();
    while let Some(&argument) = arguments.next() {
        match argument {
            "--rounds" => rounds = arguments.next().context("--rounds needs a number")?.parse()?,
            name if ALL.iter().any(|(known, _)| *known == name) => names.push(name),
            other => bail!("no measurement is called {other}; there are {}", ALL.map(|(name, _)| name).join(", ")),
        }
    }
    // Where the programs are elsewhere there may be no cargo.
    match names[..] {
        ["quality"] if quality::has_program() => return quality::run(),
        ["search"] if quality::has_program() => return search::run(),
        ["live"] if quality::has_program() => return live::run(),
        _ => {}
    }
    let parts = ["-p", "graft", "--bin", "graft", "-p", "graft-bench", "--bin", "graft-bench"];
    shell::run(shell::release().args(parts))?;
    let base = std::path::absolute(prepare::base_model()?.context("find the base model: unset GRAFT_SKIP_MODEL")?)?;
    let settings = Settings { rounds: std::cmp::max(rounds, 1), base };
    let mut skipped = Vec::new();
    for (name, bench) in ALL.iter().filter(|(name, _)| names.is_empty() || names.contains(name)) {
        println!("\n## {name}\n\n`cargo xtask bench {name} --rounds {}`\n", settings.rounds);
        if let Some(reason) = bench(&settings)? {
            skipped.push(format!("{name}: {reason}"));
        }
    }
    if !skipped.is_empty() {
        println!("\nSkipped: {}", skipped.join("; "));
    }
    Ok(())
}

/// A program of this workspace's release build.
fn built(name: &str) -> anyhow::Result<Command> {
    Ok(Command::new(std::path::absolute(shell::target().join("release").join(name))?))
}

/// The JSON objects that a program prints, one a line.
fn lines(command: &mut Command) -> anyhow::Result<Vec<Value>> {
    let out = shell::output(command)?;
    let text = String::from_utf8_lossy(&out);
    let parse = |line: &str| serde_json::from_str(line).with_context(|| format!("`{line}` is no JSON"));
    text.lines().filter(|line| line.starts_with('{')).map(parse).collect()
}

/// A number in a JSON object.
fn number(said: &Value, name: &str) -> anyhow::Result<f64> {
    said[name].as_f64().with_context(|| format!("`{name}` is missing in {said}"))
}

/// GFLOP/s of a large f32 product, measured now, because it changes with the machine's load.
fn floor() -> anyhow::Result<f64> {
    let said = lines(built("graft-bench")?.args(["gemm", "large"]))?;
    number(said.first().context("no product was measured")?, "forward_gflops")
}

/// An empty folder under the target folder.
fn scratch(name: &str) -> anyhow::Result<PathBuf> {
    let folder = std::path::absolute(shell::target().join("bench").join(name))?;
    if folder.exists() {
        std::fs::remove_dir_all(&folder)?;
    }
    std::fs::create_dir_all(&folder)?;
    Ok(folder)
}
