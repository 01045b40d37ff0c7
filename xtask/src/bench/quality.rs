//! Quality on Slack messages: trains on the first 400, tests on the last 100 and on some in other words, and scores with the
//! sample's own script, beside the regex baseline.

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
/// Written by hand for this measurement only. Never use it to develop the baseline or a recipe.
const OTHERS: &str = "bench/data/other_words.jsonl";
const LEARNED: usize = 400;
const NUMBERS: [&str; 6] = ["answered", "direction", "rescue_location", "drop_off_location", "item_f1", "exact"];

/// Trains (if that was not done before), answers, and prints the scores beside the regex baseline's.
pub(crate) fn run() -> anyhow::Result<()> {
    let strict = Strict { home: std::path::absolute(shell::target().join("bench-slack"))? };
    let (first, last) = strict.labels()?;
    strict.train(&first)?;
    let messages = strict.messages(&last)?;
    let clock = Instant::now();
    strict.compare("last", &messages, &last)?;
    println!("Both took {}.", shell::seconds(clock.elapsed()));
    let others = strict.read(OTHERS)?;
    strict.compare("other_words", &others, &others)
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

    /// Lets adapter and regex baseline answer messages, and prints both scores.
    fn compare(&self, name: &str, messages: &[Value], labels: &[Value]) -> anyhow::Result<()> {
        let (adapter, regex) = (self.adapter(name, messages)?, self.regex(name, messages)?);
        let labels = self.write(&format!("{name}.jsonl"), labels)?;
        println!("\n| {name}: {} messages | {} |", messages.len(), NUMBERS.join(" | ").replace('_', " "));
        println!("|---|{}", "---|".repeat(NUMBERS.len()));
        for (name, answers) in [("regex", regex), ("adapter", adapter)] {
            let said = shell::output(Command::new("python3").arg(SCORER).arg(&labels).arg(answers))?;
            let scores: Value = serde_json::from_slice(&said).context("the scorer printed no JSON")?;
            println!("| {name} | {} |", NUMBERS.map(|number| scores[number].to_string()).join(" | "));
        }
        Ok(())
    }

    fn read(&self, path: &str) -> anyhow::Result<Vec<Value>> {
        let text = fs::read_to_string(path).with_context(|| format!("{path} can't be read"))?;
        Ok(text.lines().map(serde_json::from_str).collect::<Result<_, _>>()?)
    }

    fn write(&self, name: &str, lines: &[Value]) -> anyhow::Result<PathBuf> {
        let path = self.home.join(name);
        let text: Vec<String> = lines.iter().map(Value::to_string).collect();
        fs::write(&path, text.join("\n") + "\n")?;
        Ok(path)
    }

    /// The labels for training and for the test.
    fn labels(&self) -> anyhow::Result<(Vec<Value>, Vec<Value>)> {
        let mut all = self.read(&format!("{DATA}/labels.jsonl"))?;
        let last = all.split_off(LEARNED);
        Ok((all, last))
    }

    fn train(&self, first: &[Value]) -> anyhow::Result<()> {
        let trained = self.home.join("trained");
        if trained.exists() {
            println!("Version `strict` already exists; remove {} to train it again.", self.home.display());
            return Ok(());
        }
        if self.home.exists() {
            fs::remove_dir_all(&self.home)?;
        }
        fs::create_dir_all(&self.home)?;
        let base = prepare::base_model()?.context("find the base model: unset GRAFT_SKIP_MODEL")?;
        fs::copy(Path::new(DATA).join("tables.toml"), self.home.join("tables.toml"))?;
        let labels = self.write("first.jsonl", first)?.display().to_string();
        self.ask(&["base", "add", "bench-base", &std::path::absolute(base)?.display().to_string()])?;
        self.ask(&["import", "slack", &format!("{DATA}/export"), "--labels", &labels])?;
        // Nothing is held out: the test messages have no label here.
        let train = ["train", "slack-rescue", "--base", "bench-base", "--eval-share", "0", "--no-eval"];
        shell::run(self.graft(&train)?.args(["--version", "strict"]))?;
        Ok(fs::write(trained, "")?)
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

    fn adapter(&self, name: &str, messages: &[Value]) -> anyhow::Result<PathBuf> {
        let input = self.write(&format!("{name}.input.jsonl"), messages)?.display().to_string();
        let answers = self.home.join(format!("{name}.adapter.jsonl"));
        let arguments = ["infer", "--task", "slack-rescue", "--version", "strict", "--input-file", &input, "--output"];
        shell::run(self.graft(&arguments)?.arg(&answers))?;
        Ok(answers)
    }

    fn regex(&self, name: &str, messages: &[Value]) -> anyhow::Result<PathBuf> {
        let baseline = Baseline::new(&Tables::from_toml(&fs::read_to_string(self.home.join("tables.toml"))?)?);
        let answer = |message: &Value| {
            let mut said = baseline.extract(message["text"].as_str().unwrap_or_default());
            said["ts"] = message["ts"].clone();
            said
        };
        self.write(&format!("{name}.regex.jsonl"), &messages.iter().map(answer).collect::<Vec<_>>())
    }
}
