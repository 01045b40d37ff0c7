//! Ours and a peer in turn on the same work, on this machine; ratios, because times alone mean nothing elsewhere.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, ensure};
use serde_json::Value;

use crate::{prepare, shell};

const DATA: &str = "crates/tasks/data/slack";
const PEER: &str = "bench/peers/hf_llama_lora.py";
/// What a user of peft installs; about 6 GB.
const PACKAGES: [&str; 4] = ["torch", "transformers", "peft", "gguf"];
/// Messages learned from, once.
const MESSAGES: usize = 64;
/// Turns each side takes.
const ROUNDS: usize = 3;

/// What one training took.
struct Taken {
    seconds: f64,
    tokens_per_second: f64,
    peak_gb: f64,
}

/// LoRA of rank 16 on every linear layer of SmolLM2-135M over 64 Slack messages, once: Graft and Hugging Face peft.
pub(crate) fn train() -> anyhow::Result<()> {
    shell::run(shell::cargo().args(["build", "--release", "--package", "graft", "--bin", "graft"]))?;
    let base = prepare::base_model()?.map_err(anyhow::Error::msg)?;
    let base = std::path::absolute(base)?;
    let python = python()?;
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for round in 1..=ROUNDS {
        println!("\nRound {round} of {ROUNDS}: peft");
        theirs.push(peer(&python, &base)?);
        println!("Round {round} of {ROUNDS}: graft");
        ours.push(graft(&base)?);
    }
    report(&ours, &theirs);
    Ok(())
}

/// A Python with the peer's packages, in a virtual environment of its own.
fn python() -> anyhow::Result<PathBuf> {
    if let Some(python) = std::env::var_os("GRAFT_PEER_PYTHON") {
        return Ok(python.into());
    }
    let venv = std::path::absolute(shell::target().join("peers"))?;
    let python = venv.join("bin/python");
    if !venv.join("ready").exists() {
        println!("Installing {} into {} (about 6 GB) …", PACKAGES.join(", "), venv.display());
        shell::run(Command::new("python3").args(["-m", "venv"]).arg(&venv))?;
        shell::run(Command::new(&python).args(["-m", "pip", "install", "-q"]).args(PACKAGES))?;
        fs::write(venv.join("ready"), "")?;
    }
    Ok(python)
}

fn peer(python: &Path, base: &Path) -> anyhow::Result<Taken> {
    let folder = base.parent().context("the base model lies in no folder")?;
    let count = MESSAGES.to_string();
    let mut command = Command::new(python);
    command.arg(PEER).arg(folder).arg(DATA).args(["--train", &count, "--epochs", "1", "--test", "0"]);
    // Threads that spin while they wait fall to a tenth of their speed on a busy machine.
    let out = shell::output(command.env("OMP_WAIT_POLICY", "PASSIVE"))?;
    let first = String::from_utf8_lossy(&out).lines().next().unwrap_or_default().to_owned();
    let said: Value = serde_json::from_str(&first).with_context(|| format!("the peer said `{first}`"))?;
    let number = |name: &str| said[name].as_f64().with_context(|| format!("the peer didn't say `{name}`"));
    Ok(Taken { seconds: number("train_s")?, tokens_per_second: number("tokens_per_s")?, peak_gb: number("peak_gb")? })
}

fn graft(base: &Path) -> anyhow::Result<Taken> {
    let home = std::path::absolute(shell::target().join("bench"))?;
    if home.exists() {
        fs::remove_dir_all(&home)?;
    }
    fs::create_dir_all(&home)?;
    // A fifth is held out, so that as many are learned from as the peer has.
    let labels = fs::read_to_string(Path::new(DATA).join("labels.jsonl"))?;
    let some: Vec<&str> = labels.lines().take(MESSAGES * 5 / 4).collect();
    let labels = home.join("labels.jsonl");
    fs::write(&labels, some.join("\n"))?;
    let ask = |arguments: &[&str]| -> anyhow::Result<Value> {
        let mut command = Command::new(std::path::absolute(shell::target().join("release/graft"))?);
        command.args(arguments).arg("--json").env("GRAFT_HOME", &home).env_remove("GRAFT_DATABASE");
        Ok(serde_json::from_slice(&shell::output(&mut command)?)?)
    };
    ask(&["base", "add", "bench-base", &base.display().to_string()])?;
    ask(&["import", "slack", &format!("{DATA}/export"), "--labels", &labels.display().to_string()])?;
    let arguments =
        ["train", "slack-rescue", "--base", "bench-base", "--epochs", "1", "--run-id", "bench", "--no-eval"];
    ask(&arguments)?;
    let result: Value = serde_json::from_slice(&fs::read(home.join("runs/bench/training_run.json"))?)?;
    ensure!(result["samples"] == MESSAGES, "graft learned from {} messages", result["samples"]);
    let number = |name: &str| result[name].as_f64().with_context(|| format!("the result has no `{name}`"));
    Ok(Taken {
        seconds: number("train_seconds")?,
        tokens_per_second: number("tokens_per_second")?,
        peak_gb: number("peak_memory")? / 1e9,
    })
}

fn report(ours: &[Taken], theirs: &[Taken]) {
    println!("\nMedian of {ROUNDS} (from – to):\n");
    println!("| | graft | peft | ratio |\n|---|---|---|---|");
    type Number = fn(&Taken) -> f64;
    let rows: [(&str, Number, bool); 3] = [
        ("real tokens/s", |t| t.tokens_per_second, false),
        ("seconds for the same 64 messages", |t| t.seconds, true),
        ("peak memory, GB", |t| t.peak_gb, true),
    ];
    for (name, number, less_is_better) in rows {
        let (a, b) = (spread(ours, number), spread(theirs, number));
        let ratio = if less_is_better { b[1] / a[1] } else { a[1] / b[1] };
        let shown = |s: [f64; 3]| format!("{:.2} ({:.2} – {:.2})", s[1], s[0], s[2]);
        println!("| {name} | {} | {} | {ratio:.2} |", shown(a), shown(b));
    }
}

/// Least, median and most.
fn spread(all: &[Taken], number: fn(&Taken) -> f64) -> [f64; 3] {
    let mut numbers: Vec<f64> = all.iter().map(number).collect();
    numbers.sort_by(f64::total_cmp);
    [numbers[0], numbers[numbers.len() / 2], numbers[numbers.len() - 1]]
}
