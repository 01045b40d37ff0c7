//! How good the adapter is on Slack messages: learned from the first 400, tested on the last 100, scored by the script
//! that came with the sample.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

use anyhow::{Context as _, ensure};
use graft_tasks::{baseline::Baseline, pounds::Tables};
use serde_json::{Value, json};

use crate::{prepare, shell};

const DATA: &str = "crates/tasks/data/slack";
const SCORER: &str = "bench/peers/score_slack.py";
const LEARNED: usize = 400;
const NUMBERS: [&str; 6] = ["answered", "direction", "rescue_location", "drop_off_location", "item_f1", "exact"];

/// Trains (or goes on with a training that was interrupted), answers, and prints the scores beside the regex's.
pub(crate) fn run() -> anyhow::Result<()> {
    let strict = Strict { home: std::path::absolute(shell::target().join("bench-slack"))? };
    let (first, last) = strict.labels()?;
    strict.train(&first)?;
    let messages = strict.messages(&last)?;
    let clock = Instant::now();
    let adapter = strict.adapter(&messages)?;
    println!("{} answers in {}", messages.len(), shell::seconds(clock.elapsed()));
    let regex = strict.regex(&messages)?;
    let last = strict.write("last.jsonl", &last)?;
    println!("\n| the last {} messages | {} |", messages.len(), NUMBERS.join(" | ").replace('_', " "));
    println!("|---|{}", "---|".repeat(NUMBERS.len()));
    for (name, answers) in [("regex", regex), ("adapter", adapter)] {
        let said = shell::output(Command::new("python3").arg(SCORER).arg(&last).arg(answers))?;
        let scores: Value = serde_json::from_slice(&said).context("the scorer printed no JSON")?;
        println!("| {name} | {} |", NUMBERS.map(|number| scores[number].to_string()).join(" | "));
    }
    Ok(())
}

struct Strict {
    home: PathBuf,
}

impl Strict {
    fn graft(&self, arguments: &[&str]) -> anyhow::Result<Command> {
        let mut command = Command::new(std::path::absolute(shell::target().join("release/graft"))?);
        command.args(arguments).env("GRAFT_HOME", &self.home).env_remove("GRAFT_DATABASE");
        Ok(command)
    }

    fn ask(&self, arguments: &[&str]) -> anyhow::Result<Value> {
        Ok(serde_json::from_slice(&shell::output(self.graft(arguments)?.arg("--json"))?)?)
    }

    fn write(&self, name: &str, lines: &[Value]) -> anyhow::Result<PathBuf> {
        let path = self.home.join(name);
        let text: Vec<String> = lines.iter().map(Value::to_string).collect();
        fs::write(&path, text.join("\n") + "\n")?;
        Ok(path)
    }

    /// The labels to learn from and those to test with.
    fn labels(&self) -> anyhow::Result<(Vec<Value>, Vec<Value>)> {
        fs::create_dir_all(&self.home)?;
        let text = fs::read_to_string(Path::new(DATA).join("labels.jsonl"))?;
        let mut all = text.lines().map(serde_json::from_str).collect::<Result<Vec<Value>, _>>()?;
        let last = all.split_off(LEARNED);
        Ok((all, last))
    }

    fn train(&self, first: &[Value]) -> anyhow::Result<()> {
        if self.home.join("adapters/slack-rescue/strict").exists() {
            println!("Version `strict` is here; remove {} to train it again.", self.home.display());
            return Ok(());
        }
        let base = prepare::base_model()?.map_err(anyhow::Error::msg)?;
        fs::copy(Path::new(DATA).join("tables.toml"), self.home.join("tables.toml"))?;
        let labels = self.write("first.jsonl", first)?.display().to_string();
        self.ask(&["base", "add", "bench-base", &std::path::absolute(base)?.display().to_string()])?;
        self.ask(&["import", "slack", &format!("{DATA}/export"), "--labels", &labels])?;
        // Nothing is held out: the messages to test with have no label here.
        let train = ["train", "slack-rescue", "--base", "bench-base", "--eval-share", "0", "--no-eval"];
        shell::run(self.graft(&train)?.args(["--version", "strict"]))
    }

    /// The messages of these labels, as `graft infer` reads them.
    fn messages(&self, labels: &[Value]) -> anyhow::Result<Vec<Value>> {
        let list = ["examples", "list", "--task", "slack-rescue", "--state", "pending", "--limit", "1000"];
        let pending = self.ask(&list)?;
        let pending = pending["examples"].as_array().context("no examples are listed")?;
        let message = |label: &Value| {
            let id = format!("slack:{}", label["ts"].as_str()?);
            let example = pending.iter().find(|example| example["id"] == id.as_str())?;
            Some(json!({"ts": label["ts"], "text": example["input"]}))
        };
        let found: Vec<Value> = labels.iter().filter_map(message).collect();
        ensure!(found.len() == labels.len(), "only {} of {} messages are here", found.len(), labels.len());
        Ok(found)
    }

    fn adapter(&self, messages: &[Value]) -> anyhow::Result<PathBuf> {
        let input = self.write("messages.jsonl", messages)?.display().to_string();
        let answers = self.home.join("adapter.jsonl");
        let arguments = ["infer", "--task", "slack-rescue", "--version", "strict", "--input-file", &input, "--output"];
        shell::run(self.graft(&arguments)?.arg(&answers))?;
        Ok(answers)
    }

    fn regex(&self, messages: &[Value]) -> anyhow::Result<PathBuf> {
        let baseline = Baseline::new(&Tables::from_toml(&fs::read_to_string(self.home.join("tables.toml"))?)?);
        let answer = |message: &Value| {
            let mut said = baseline.extract(message["text"].as_str().unwrap_or_default());
            said["ts"] = message["ts"].clone();
            said
        };
        self.write("regex.jsonl", &messages.iter().map(answer).collect::<Vec<_>>())
    }
}
