//! A job: trains one version, then lets it and the contestants answer.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    time::Instant,
};

use anyhow::Context as _;
use graft_tasks::pounds::Tables;
use serde_json::{Value, json};

use super::{
    Who,
    options::{Method, Options},
    sets::{Data, Message, SLACK, Set, Test},
};
use crate::bench::program::Program;

/// Most tokens of an answer of the bare base model, which does not know when to stop.
const BASE_TOKENS: &str = "160";
/// A rate that changes no bit of an answer: an adapter that was trained with it answers as the bare base model does.
const NO_RATE: &str = "1e-30";
/// Examples of the job of the bare base model, which learns nothing from them.
const BASE_EXAMPLES: usize = 10;
/// The class of a food that the tables don't know, as the rules have it.
const NO_CLASS: &str = "dry goods";
/// The time of the first message that is added, as Slack writes it.
const MORE_FROM: usize = 1_767_225_600;

/// What a job trains.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Lora,
    /// With messages of another wording besides, by its place among [`Data::more`].
    LoraAndMore(usize),
    SoftPrompt,
    Base,
}

#[derive(Clone, Debug)]
pub(super) struct Job {
    pub(super) set: Set,
    pub(super) kind: Kind,
    /// Examples learned from, without those of another wording.
    pub(super) size: usize,
    name: String,
}

/// The jobs, the most important first.
pub(super) fn plan(options: &Options, data: &BTreeMap<Set, Data>) -> Vec<Job> {
    let mut jobs = Vec::new();
    for (&set, data) in data {
        let sizes: Vec<usize> = match &options.sizes {
            Some(only) => set.sizes().iter().copied().filter(|size| only.contains(size)).collect(),
            None => set.sizes().to_vec(),
        };
        let mut add = |kind, size: usize, what: String| {
            jobs.push(Job { set, kind, size, name: format!("{}-{what}", set.name()) });
        };
        for method in &options.methods {
            match method {
                Method::Lora => sizes.iter().for_each(|&size| add(Kind::Lora, size, format!("lora-{size}"))),
                Method::SoftPrompt => {
                    sizes.iter().for_each(|&size| add(Kind::SoftPrompt, size, format!("soft-prompt-{size}")));
                }
                Method::Base => add(Kind::Base, BASE_EXAMPLES, "base".into()),
                // With the most examples of the sample.
                Method::LoraAndMore => {
                    for size in sizes.iter().filter(|size| Some(*size) == set.sizes().first()) {
                        for (place, more) in data.more.iter().enumerate() {
                            add(Kind::LoraAndMore(place), *size, format!("lora-{size}+{}", more.name));
                        }
                    }
                }
            }
        }
    }
    jobs.sort_by_key(Job::rank);
    jobs
}

impl Job {
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    fn rank(&self) -> u8 {
        match (self.set, self.kind, self.size) {
            (Set::Slack, Kind::Lora, 400) => 0,
            (Set::Sms, Kind::Lora, 50 | 200 | 1200) => 1,
            (_, Kind::LoraAndMore(_), _) => 2,
            (Set::AskAi, _, _) => 6,
            (_, Kind::Lora, _) => 3,
            (_, Kind::Base, _) => 4,
            (_, Kind::SoftPrompt, _) => 5,
        }
    }

    pub(super) fn folder(&self, options: &Options) -> PathBuf {
        options.folder.join(&self.name)
    }

    pub(super) fn answers(&self, options: &Options, who: Who) -> PathBuf {
        self.folder(options).join(format!("{}.jsonl", version(who)))
    }

    pub(super) fn is_done(&self, options: &Options) -> bool {
        self.folder(options).join("done.json").exists()
    }

    /// What tests a job.
    pub(super) fn tests<'d>(&self, data: &'d Data) -> Vec<&'d Test> {
        match self.kind {
            Kind::LoraAndMore(place) => vec![&data.more[place].rest, &data.tests[0]],
            // Also the part of a wording on which those are tested that learned from the other part.
            Kind::Lora if Some(&self.size) == self.set.sizes().first() => {
                data.tests.iter().chain(data.more.iter().map(|more| &more.rest)).collect()
            }
            Kind::Lora | Kind::SoftPrompt | Kind::Base => data.tests.iter().collect(),
        }
    }

    /// Trains and answers; what a killed command left is used.
    pub(super) fn run(&self, options: &Options, data: &Data) -> anyhow::Result<()> {
        let folder = self.folder(options);
        fs::create_dir_all(&folder)?;
        let graft = Program::new(&options.graft, folder.join("home"), folder.join("log"));
        let home = Home { options, job: self, folder: folder.join("home"), graft };
        let clock = Instant::now();
        home.train(data)?;
        let trained = clock.elapsed().as_secs_f64();
        let input = folder.join("input.jsonl");
        let mut seen = BTreeSet::new();
        let asked = self.tests(data).into_iter().flat_map(|test| &test.messages).filter(|m| seen.insert(&m.id));
        write(&input, asked.map(|message| json!({"id": message.id, "text": message.text})))?;
        for who in Who::all(self.kind, self.set) {
            home.answer(who, &input)?;
        }
        let seconds = clock.elapsed().as_secs_f64();
        fs::write(folder.join("done.json"), json!({"train_seconds": trained, "seconds": seconds}).to_string())?;
        // Adapters, checkpoints and databases are not needed any more.
        Ok(fs::remove_dir_all(&home.folder)?)
    }
}

fn version(who: Who) -> &'static str {
    who.contestant().unwrap_or("version")
}

fn write(path: &Path, lines: impl Iterator<Item = Value>) -> anyhow::Result<()> {
    let text: Vec<String> = lines.map(|line| line.to_string()).collect();
    Ok(fs::write(path, text.join("\n") + "\n")?)
}

/// The folder with all state of `graft` for one job.
struct Home<'j> {
    options: &'j Options,
    job: &'j Job,
    folder: PathBuf,
    graft: Program,
}

impl Home<'_> {
    fn graft(&self, arguments: &[&str]) -> anyhow::Result<()> {
        self.graft.run(arguments).map(drop)
    }

    /// Imports the examples and trains, unless that was done.
    fn train(&self, data: &Data) -> anyhow::Result<()> {
        let trained = self.folder.join("trained");
        if trained.exists() {
            return Ok(());
        }
        if self.folder.exists() {
            fs::remove_dir_all(&self.folder)?;
        }
        fs::create_dir_all(&self.folder)?;
        let Job { set, kind, size, .. } = *self.job;
        self.graft(&["base", "add", "bench-base", &text(&self.options.base)])?;
        let examples = data.train.get(..size).with_context(|| format!("there are {} examples", data.train.len()))?;
        match set {
            Set::Slack => self.import_messages(examples)?,
            Set::Sms | Set::Sentiment | Set::AskAi => self.import_pairs(examples)?,
        }
        if let Kind::LoraAndMore(place) = kind {
            self.import_more(&data.more[place].learned)?;
        }
        let threads = self.options.threads().to_string();
        // Nothing is held out: no test message has a label here.
        let mut train = vec!["train", set.task(), "--base", "bench-base", "--version", "version"];
        train.extend(["--eval-share", "0", "--no-eval", "--threads", &threads]);
        match kind {
            Kind::Lora | Kind::LoraAndMore(_) => {}
            Kind::SoftPrompt => train.extend(["--method", "soft-prompt"]),
            Kind::Base => train.extend(["--learning-rate", NO_RATE, "--epochs", "0.1"]),
        }
        if let (Some(epochs), false) = (&self.options.epochs, kind == Kind::Base) {
            train.extend(["--epochs", epochs]);
        }
        if let Some(device) = &self.options.device {
            train.extend(["--device", device]);
        }
        self.graft(&train)?;
        Ok(fs::write(trained, "")?)
    }

    /// Messages of the sample.
    fn import_messages(&self, examples: &[Message]) -> anyhow::Result<()> {
        fs::copy(Path::new(SLACK).join("tables.toml"), self.folder.join("tables.toml"))?;
        let labels = self.folder.join("labels.jsonl");
        write(&labels, examples.iter().map(|message| json!({"ts": message.id, "truth": message.truth})))?;
        self.graft(&["import", "slack", &format!("{SLACK}/export"), "--labels", &text(&labels)])
    }

    /// Messages of another wording, as one day of an export.
    fn import_more(&self, examples: &[Message]) -> anyhow::Result<()> {
        let (day, labels) = (self.folder.join("2026-01-01.json"), self.folder.join("more.jsonl"));
        let time = |place: usize| format!("{}.000000", MORE_FROM + 60 * place);
        let messages: Vec<Value> = (examples.iter().enumerate())
            .map(|(place, m)| json!({"type": "message", "user": "U001", "ts": time(place), "text": m.text}))
            .collect();
        fs::write(&day, Value::from(messages).to_string())?;
        let tables = Tables::from_toml(&fs::read_to_string(Path::new(SLACK).join("tables.toml"))?)?;
        let label =
            |(place, m): (usize, &Message)| json!({"ts": time(place), "truth": with_classes(&m.truth, &tables)});
        write(&labels, examples.iter().enumerate().map(label))?;
        self.graft(&["import", "slack", &text(&day), "--labels", &text(&labels)])
    }

    fn import_pairs(&self, examples: &[Message]) -> anyhow::Result<()> {
        let pairs = self.folder.join("pairs.jsonl");
        write(&pairs, examples.iter().map(|m| json!({"id": m.id, "input": m.text, "output": m.truth})))?;
        self.graft(&["import", "jsonl", &text(&pairs), "--task", self.job.set.task()])
    }

    /// Lets one answer, unless that was done.
    fn answer(&self, who: Who, input: &Path) -> anyhow::Result<()> {
        let answers = self.job.answers(self.options, who);
        if answers.exists() {
            return Ok(());
        }
        let task = self.job.set.task();
        let (name, input, answers) = (version(who), text(input), text(&answers));
        let mut infer = vec!["infer", "--task", task, "--version", name, "--input-file", &input, "--output", &answers];
        match who.contestant() {
            Some(kind) => {
                self.graft(&["models", "contestant", kind, "--task", task, "--like", "version", "--version", kind])?;
            }
            None => infer.extend(self.options.device.iter().flat_map(|device| ["--device", device.as_str()])),
        }
        if who == Who::Base {
            infer.extend(["--max-tokens", BASE_TOKENS]);
        }
        self.graft(&infer)
    }
}

/// The wordings say no food classes, which are not scored; people who approve a message see those of the tables.
fn with_classes(truth: &Value, tables: &Tables) -> Value {
    let mut truth = truth.clone();
    for item in truth["items"].as_array_mut().into_iter().flatten() {
        let class = item["name"].as_str().and_then(|name| tables.class_of(name));
        item["subcategory"] = class.unwrap_or(NO_CLASS).into();
    }
    truth
}

fn text(path: &Path) -> String {
    path.display().to_string()
}
