//! Slack messages to validated JSON with an adapter loaded: one at a time, from a file, and with transformers.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Instant,
};

use anyhow::Context as _;
use serde_json::{Value, json};

use super::{
    Settings, built, lines, number, peer,
    report::{Rounds, plain},
    scratch,
    train::{self, ask},
};
use crate::shell;

/// Messages in the file.
const FILE: usize = 100;

pub(super) fn run(settings: &Settings) -> anyhow::Result<Option<String>> {
    let home = adapter(&settings.base)?;
    let messages = messages()?;
    let folder = scratch("messages")?;
    let write = |name: &str, count: usize| -> anyhow::Result<String> {
        let path = folder.join(name);
        let lines: Vec<String> = messages
            .iter()
            .take(count)
            .enumerate()
            .map(|(index, text)| json!({"id": index.to_string(), "text": text}).to_string())
            .collect();
        fs::write(&path, lines.join("\n"))?;
        Ok(path.display().to_string())
    };
    let (file, none) = (write("file.jsonl", FILE)?, write("one.jsonl", 1)?);
    let (mut one, mut many) = (Rounds::default(), Rounds::default());
    for round in 1..=settings.rounds {
        println!("Round {round} of {}: graft", settings.rounds);
        // What a process needs before its first answer is measured by `start`.
        let before = timed(&home, &none, &[])?;
        one.push((timed(&home, &file, &["--batch-size", "1"])? - before) / (FILE - 1) as f64);
        many.push((timed(&home, &file, &[])? - before) / (FILE - 1) as f64);
    }
    println!("Once: transformers");
    let base = settings.base.parent().context("the base model lies in no folder")?;
    let mut command = peer::python()?;
    command.arg(train::PEER).arg(base).arg(train::DATA).args(["--train", "16", "--epochs", "1", "--test", "4"]);
    let said = lines(&mut command)?;
    let theirs = number(said.last().unwrap_or(&Value::Null), "generate_s_per_message")?;
    println!("\n| | seconds a message | against |\n|---|---|---|");
    println!("| transformers generate with peft's adapter | {} | |", plain(theirs));
    println!("| graft, one at a time | {} | {:.1} × transformers |", one.shown(), theirs / one.median());
    println!("| graft, {FILE} messages from a file | {} | {} × one at a time |", many.shown(), one.over(&many).shown());
    Ok(None)
}

/// A home with an adapter: the one named, or one that learned from the first 320 messages and is kept between calls.
pub(super) fn adapter(base: &Path) -> anyhow::Result<PathBuf> {
    if let Some(home) = std::env::var_os("GRAFT_BENCH_HOME") {
        return Ok(home.into());
    }
    let home = std::path::absolute(shell::target().join("bench/infer"))?;
    if home.join("ready").exists() {
        return Ok(home);
    }
    let home = scratch("infer")?;
    train::prepare_home(&home, base, 400)?;
    println!("Training an adapter for one epoch …");
    let train = ["train", "slack-rescue", "--base", "bench-base", "--epochs", "1"];
    ask(&home, &[&train[..], &["--activate", "--force", "--skip-base"]].concat())?;
    fs::write(home.join("ready"), "")?;
    Ok(home)
}

/// Texts of the newest messages.
pub(super) fn messages() -> anyhow::Result<Vec<String>> {
    let mut files: Vec<_> =
        fs::read_dir(Path::new(train::DATA).join("export/food-rescue"))?.flatten().map(|e| e.path()).collect();
    files.sort();
    let mut texts = Vec::new();
    for file in files {
        let all: Value = serde_json::from_slice(&fs::read(file)?)?;
        texts.extend(all.as_array().into_iter().flatten().filter_map(|m| m["text"].as_str()).map(str::to_owned));
    }
    texts.reverse();
    Ok(texts)
}

/// Seconds that `graft infer` takes for a file.
fn timed(home: &Path, file: &str, how: &[&str]) -> anyhow::Result<f64> {
    let clock = Instant::now();
    answer(home, &[&["--input-file", file], how].concat())?;
    Ok(clock.elapsed().as_secs_f64())
}

/// Lets `graft infer` answer.
pub(super) fn answer(home: &Path, arguments: &[&str]) -> anyhow::Result<()> {
    let mut command = built("graft")?;
    command.args(["infer", "--task", "slack-rescue"]).args(arguments);
    shell::output(command.env("GRAFT_HOME", home).env_remove("GRAFT_DATABASE"))?;
    Ok(())
}
