//! Quality on Slack messages: adapters that learned from the first examples of the sample answer its last 100 messages and
//! messages in other wording, and the sample's own script scores them beside the rules.

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
/// Messages of other groups; `tune-*` may be looked at while anything is developed, `report-*` never.
const WORDINGS: &str = "bench/data/wordings";
/// Examples of the sample that may be learned from; the others are the test.
const MOST: usize = 400;
/// Numbers of examples that adapters learn from.
const SIZES: [usize; 4] = [400, 100, 30, 10];
const NUMBERS: [&str; 5] = ["direction", "rescue_location", "drop_off_location", "item_f1", "exact"];

/// Trains adapters (where that was not done before), answers, and prints the scores.
pub(super) fn run() -> anyhow::Result<()> {
    let sample = Sample::read()?;
    for size in sizes()? {
        let strict = Strict { home: std::path::absolute(shell::target().join(format!("bench-quality/{size}")))? };
        strict.train(&sample.labels[..size])?;
        println!("\n### {size} examples\n\n| set | who | {} |", NUMBERS.join(" | ").replace('_', " "));
        println!("|---|---|{}", "---|".repeat(NUMBERS.len()));
        let clock = Instant::now();
        for (name, labels) in sample.sets()? {
            strict.compare(&name, &labels)?;
        }
        println!("\nAnswers and scores took {}.", shell::seconds(clock.elapsed()));
    }
    Ok(())
}

/// [`SIZES`], or those of `GRAFT_BENCH_SIZES` (`400,30`).
fn sizes() -> anyhow::Result<Vec<usize>> {
    let Ok(given) = std::env::var("GRAFT_BENCH_SIZES") else { return Ok(SIZES.to_vec()) };
    let sizes = given.split(',').map(|size| size.trim().parse()).collect::<Result<Vec<usize>, _>>();
    let sizes = sizes.context("GRAFT_BENCH_SIZES is a list of numbers")?;
    ensure!(
        sizes.iter().all(|size| (1..=MOST).contains(size)),
        "GRAFT_BENCH_SIZES has a number that is not from 1 to {MOST}"
    );
    Ok(sizes)
}

/// The sample's labels, with the texts of the messages.
struct Sample {
    labels: Vec<Value>,
}

impl Sample {
    fn read() -> anyhow::Result<Self> {
        let mut labels = lines(Path::new(DATA).join("labels.jsonl"))?;
        let (messages, _) = graft_tasks::slack::read(Path::new(&format!("{DATA}/export")))?;
        for label in &mut labels {
            let found = messages.iter().find(|message| label["ts"] == message.ts.as_str());
            label["text"] = json!(found.with_context(|| format!("the export has no message {}", label["ts"]))?.text);
        }
        ensure!(labels.len() > MOST, "the sample has {} labels", labels.len());
        Ok(Self { labels })
    }

    /// The names of the test sets with their messages.
    fn sets(&self) -> anyhow::Result<Vec<(String, Vec<Value>)>> {
        let mut sets = vec![("last 100 of the sample".to_owned(), self.labels[MOST..].to_vec())];
        let mut files: Vec<PathBuf> =
            fs::read_dir(WORDINGS)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<_>>()?;
        files.sort();
        for file in files.iter().filter(|file| file.extension().is_some_and(|end| end == "jsonl")) {
            let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            sets.push((name, lines(file)?));
        }
        Ok(sets)
    }
}

fn lines(path: impl AsRef<Path>) -> anyhow::Result<Vec<Value>> {
    let path = path.as_ref();
    let text = fs::read_to_string(path).with_context(|| format!("{} can't be read", path.display()))?;
    Ok(text.lines().map(serde_json::from_str).collect::<Result<_, _>>()?)
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

    /// Lets adapter and rules answer messages, and prints both scores.
    fn compare(&self, name: &str, messages: &[Value]) -> anyhow::Result<()> {
        let file = name.replace(' ', "-");
        let answers = [("rules", self.rules(&file, messages)?), ("adapter", self.adapter(&file, messages)?)];
        let labels = self.write(&format!("{file}.jsonl"), messages)?;
        for (who, answers) in answers {
            let said = shell::output(Command::new("python3").arg(SCORER).arg(&labels).arg(answers))?;
            let scores: Value = serde_json::from_slice(&said).context("the scorer printed no JSON")?;
            println!(
                "| {name} ({}) | {who} | {} |",
                messages.len(),
                NUMBERS.map(|number| scores[number].to_string()).join(" | ")
            );
        }
        Ok(())
    }

    fn write(&self, name: &str, lines: &[Value]) -> anyhow::Result<PathBuf> {
        let path = self.home.join(name);
        let text: Vec<String> = lines.iter().map(Value::to_string).collect();
        fs::write(&path, text.join("\n") + "\n")?;
        Ok(path)
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

    fn adapter(&self, name: &str, messages: &[Value]) -> anyhow::Result<PathBuf> {
        let input = self.write(&format!("{name}.input.jsonl"), messages)?.display().to_string();
        let answers = self.home.join(format!("{name}.adapter.jsonl"));
        let arguments = ["infer", "--task", "slack-rescue", "--version", "strict", "--input-file", &input, "--output"];
        shell::run(self.graft(&arguments)?.arg(&answers))?;
        Ok(answers)
    }

    fn rules(&self, name: &str, messages: &[Value]) -> anyhow::Result<PathBuf> {
        let baseline = Baseline::new(&Tables::from_toml(&fs::read_to_string(self.home.join("tables.toml"))?)?);
        let answer = |message: &Value| {
            let mut said = baseline.extract(message["text"].as_str().unwrap_or_default());
            said["ts"] = message["ts"].clone();
            said
        };
        self.write(&format!("{name}.rules.jsonl"), &messages.iter().map(answer).collect::<Vec<_>>())
    }
}
