//! LoRA of rank 16 on every linear layer of SmolLM2-135M over 64 Slack messages, once: Graft and Hugging Face peft.

use std::{fs, path::Path};

use anyhow::{Context as _, ensure};
use serde_json::Value;

use super::{
    Settings, built, floor, lines, number, peer,
    report::{Better, Rounds, Versus},
    scratch,
};
use crate::shell;

pub(super) const DATA: &str = "crates/tasks/data/slack";
pub(super) const PEER: &str = "bench/peers/hf_llama_lora.py";
/// Messages learned from, once.
const MESSAGES: usize = 64;
/// Forward and backward through the 106.2 million frozen weights of SmolLM2-135M's layers. The head, which answers alone
/// go through, is left out: shares are a little higher.
const GFLOP_A_TOKEN: f64 = 4.0 * 0.1062;

pub(super) fn run(settings: &Settings) -> anyhow::Result<Option<String>> {
    let folder = settings.base.parent().context("the base model lies in no folder")?;
    let mut table = Versus::new("peft");
    let (mut seconds, mut memory) = (<(Rounds, Rounds)>::default(), <(Rounds, Rounds)>::default());
    for round in 1..=settings.rounds {
        println!("Round {round} of {}: peft", settings.rounds);
        let mut command = peer::python()?;
        command.arg(PEER).arg(folder).arg(DATA).args([
            "--train",
            &MESSAGES.to_string(),
            "--epochs",
            "1",
            "--test",
            "0",
        ]);
        let theirs = lines(&mut command)?.first().context("the peer said nothing")?.clone();
        println!("Round {round} of {}: graft", settings.rounds);
        let ours = graft(&settings.base)?;
        let both =
            |ours_name: &str, name: &str| Ok::<_, anyhow::Error>((number(&ours, ours_name)?, number(&theirs, name)?));
        let (a, b) = both("tokens_per_second", "tokens_per_s")?;
        table.add("real tokens/s, each its own prompt and answer form", Better::More, a, b);
        let (a, b) = both("computed_tokens_per_second", "tokens_per_s")?;
        let name = "tokens/s that went through the model: ours computes a shared beginning once a pass";
        table.add(name, Better::More, a, b);
        table.share(name, Better::More, a * GFLOP_A_TOKEN / floor()?);
        let (a, b) = both("train_seconds", "train_s")?;
        table.add("seconds for the same 64 messages", Better::Less, a, b);
        let (a, b) = both("peak_memory", "peak_gb")?;
        table.add("peak memory, GB", Better::Less, a / 1e9, b);
        seconds.0.push(number(&ours["predicted"], "seconds")?);
        seconds.1.push(number(&ours, "train_seconds")?);
        memory.0.push(number(&ours["predicted"], "memory_bytes")? / 1e9);
        memory.1.push(a / 1e9);
    }
    table.print();
    println!("\n| | predicted before the run | taken | apart |\n|---|---|---|---|");
    for (name, predicted, taken) in [("seconds", &seconds.0, &seconds.1), ("peak memory, GB", &memory.0, &memory.1)] {
        let apart = 100.0 * (predicted.median() / taken.median() - 1.0);
        println!("| {name} | {} | {} | {apart:+.0} % |", predicted.shown(), taken.shown());
    }
    Ok(None)
}

/// Trains in a home of its own; returns the run's result.
fn graft(base: &Path) -> anyhow::Result<Value> {
    let home = scratch("train")?;
    // A fifth is held out, so that as many are learned from as the peer has.
    prepare_home(&home, base, MESSAGES * 5 / 4)?;
    let what = ["slack-rescue", "--base", "bench-base", "--epochs", "1", "--no-eval"];
    let checked = ask(&home, &[&["queue", "submit", "--dry-run"], &what[..]].concat())?;
    ask(&home, &[&["train", "--run-id", "bench"], &what[..]].concat())?;
    let mut result: Value = serde_json::from_slice(&fs::read(home.join("runs/bench/training_run.json"))?)?;
    ensure!(result["samples"] == MESSAGES, "graft learned from {} messages", result["samples"]);
    result["predicted"] = checked["estimate"].clone();
    Ok(result)
}

/// Puts the base and the first `count` messages into a home.
pub(super) fn prepare_home(home: &Path, base: &Path, count: usize) -> anyhow::Result<()> {
    let labels = fs::read_to_string(Path::new(DATA).join("labels.jsonl"))?;
    let some: Vec<&str> = labels.lines().take(count).collect();
    let labels = home.join("labels.jsonl");
    fs::write(&labels, some.join("\n"))?;
    ask(home, &["base", "add", "bench-base", &base.display().to_string()])?;
    ask(home, &["import", "slack", &format!("{DATA}/export"), "--labels", &labels.display().to_string()])?;
    Ok(())
}

/// What a command of graft answers in JSON.
pub(super) fn ask(home: &Path, arguments: &[&str]) -> anyhow::Result<Value> {
    let mut command = built("graft")?;
    command.args(arguments).arg("--json").env("GRAFT_HOME", home).env_remove("GRAFT_DATABASE");
    Ok(serde_json::from_slice(&shell::output(&mut command)?)?)
}
