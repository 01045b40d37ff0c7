//! The data sets: training examples in a fixed order, and test sets.

use std::{collections::BTreeSet, fs, path::Path, process::Command};

use anyhow::{Context as _, ensure};
use graft_core::{Digest, TaskCard, near_duplicates};
use graft_tasks::{Approval, cards, tabular};
use serde_json::{Value, json};

use super::options::Options;
use crate::shell;

pub(in crate::bench) const SLACK: &str = "crates/tasks/data/slack";
/// Messages of other groups. Only the sets named `report-*` are measured here; `tune-*` are for development.
const WORDINGS: &str = "bench/data/wordings";
/// The sets whose first messages are also learned from, to see what a few approved messages of another wording bring.
const LEARNABLE: [&str; 4] = ["report-a", "report-b", "report-c", "report-d"];
/// How many of them.
pub(super) const MORE: usize = 30;
/// Files of sentences from reviews of phones and of restaurants.
const SENTENCES: [&str; 2] = ["amazon_cells", "yelp"];
/// Orders the examples of the other sets.
const SEED: u64 = 7;

/// A data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::bench) enum Set {
    Slack,
    Sms,
    Sentiment,
    AskAi,
}

impl Set {
    pub(super) const ALL: [Self; 4] = [Self::Slack, Self::Sms, Self::Sentiment, Self::AskAi];

    pub(in crate::bench) fn name(self) -> &'static str {
        match self {
            Self::Slack => "slack",
            Self::Sms => "sms",
            Self::Sentiment => "sentiment",
            Self::AskAi => "ask-ai",
        }
    }

    pub(in crate::bench) fn task(self) -> &'static str {
        match self {
            Self::Slack => "slack-rescue",
            Self::Sms => "text-classification",
            Self::Sentiment => "sentiment",
            Self::AskAi => "ask-ai",
        }
    }

    /// Numbers of examples to learn from, the largest first.
    pub(super) fn sizes(self) -> &'static [usize] {
        match self {
            Self::Slack | Self::Sentiment | Self::AskAi => &[400, 100, 30, 10],
            Self::Sms => &[1200, 400, 200, 100, 50, 30, 10],
        }
    }

    /// For people.
    pub(in crate::bench) fn heading(self) -> &'static str {
        match self {
            Self::Slack => "Slack messages",
            Self::Sms => "SMS spam",
            Self::Sentiment => "Sentiment of reviews",
            Self::AskAi => "Ask AI",
        }
    }

    /// Messages held out as test.
    fn tests(self) -> usize {
        match self {
            Self::Slack | Self::AskAi => 100,
            Self::Sms => 300,
            Self::Sentiment => 400,
        }
    }
}

/// A text with its true answer.
#[derive(Clone, Debug)]
pub(in crate::bench) struct Message {
    pub(in crate::bench) id: String,
    pub(in crate::bench) text: String,
    pub(in crate::bench) truth: Value,
}

/// Messages that test.
#[derive(Clone, Debug)]
pub(in crate::bench) struct Test {
    pub(super) name: String,
    pub(in crate::bench) messages: Vec<Message>,
}

/// Another wording of which some messages are learned from.
pub(super) struct More {
    pub(super) name: String,
    pub(super) learned: Vec<Message>,
    /// The other messages of that wording.
    pub(super) rest: Test,
}

/// A data set that was read.
pub(in crate::bench) struct Data {
    pub(super) card: TaskCard,
    /// Learned from, from the first.
    pub(in crate::bench) train: Vec<Message>,
    /// The first is of the same wording as what is learned from.
    pub(in crate::bench) tests: Vec<Test>,
    pub(super) more: Vec<More>,
}

impl Data {
    pub(in crate::bench) fn read(set: Set, options: &Options) -> anyhow::Result<Self> {
        match set {
            Set::Slack => slack(),
            Set::Sms => of(set, table(set, "crates/tasks/data/sms/sms_spam.csv")?, "unseen messages"),
            Set::Sentiment => of(set, sentences()?, "unseen sentences"),
            Set::AskAi => of(set, ask_ai(options)?, "unseen questions"),
        }
    }
}

/// The sample: its first 400 messages are learned from, the others test, and so do the other wordings.
fn slack() -> anyhow::Result<Data> {
    let (messages, _) = graft_tasks::slack::read(Path::new(&format!("{SLACK}/export")))?;
    let labelled = |label: Value| {
        let found = messages.iter().find(|message| label["ts"] == message.ts.as_str());
        let found = found.with_context(|| format!("the export has no message {}", label["ts"]))?;
        Ok(Message { id: found.ts.clone(), text: found.text.clone(), truth: label["truth"].clone() })
    };
    let mut train = lines(&Path::new(SLACK).join("labels.jsonl"))?
        .into_iter()
        .map(labelled)
        .collect::<anyhow::Result<Vec<Message>>>()?;
    ensure!(train.len() > Set::Slack.tests(), "the sample has {} labels", train.len());
    let last = train.split_off(train.len() - Set::Slack.tests());
    let mut tests = vec![Test { name: format!("last {} of the sample", last.len()), messages: last }];
    let mut names: Vec<String> = fs::read_dir(WORDINGS)?
        .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
        .collect::<std::io::Result<_>>()?;
    names.sort();
    for name in names.iter().filter_map(|name| name.strip_suffix(".jsonl")).filter(|name| name.starts_with("report-")) {
        let messages = lines(&Path::new(WORDINGS).join(format!("{name}.jsonl")))?.into_iter().map(|line| {
            let text = |field: &str| line[field].as_str().map(str::to_owned).context("a wording lacks a field");
            Ok(Message { id: text("ts")?, text: text("text")?, truth: line["truth"].clone() })
        });
        tests.push(Test { name: name.to_owned(), messages: messages.collect::<anyhow::Result<_>>()? });
    }
    let more = tests.iter().filter(|test| LEARNABLE.contains(&test.name.as_str())).map(|test| {
        let mut learned = shuffled(test.messages.clone());
        let rest = learned.split_off(MORE.min(learned.len()));
        let rest = Test { name: format!("{}, the other {}", test.name, rest.len()), messages: rest };
        More { name: test.name.clone(), learned, rest }
    });
    let more = more.collect();
    Ok(Data { card: cards::card(Set::Slack.task(), &[])?, train, tests, more })
}

/// A set without an order of its own. Messages test that have no near-duplicate; the first examples have every label.
fn of(set: Set, messages: Vec<Message>, name: &str) -> anyhow::Result<Data> {
    let messages = shuffled(messages);
    let labels: BTreeSet<String> = messages.iter().filter_map(|m| m.truth.as_str()).map(str::to_owned).collect();
    let card = cards::card(set.task(), &labels.into_iter().collect::<Vec<_>>())?;
    let cluster = near_duplicates(&messages.iter().map(|message| message.text.as_str()).collect::<Vec<_>>());
    let mut size = vec![0_usize; messages.len()];
    cluster.iter().for_each(|first| size[*first] += 1);
    let (mut test, mut train) = (Vec::new(), Vec::new());
    for (message, first) in messages.into_iter().zip(&cluster) {
        let side = if size[*first] == 1 && test.len() < set.tests() { &mut test } else { &mut train };
        side.push(message);
    }
    ensure!(test.len() == set.tests(), "{} has only {} messages without a near-duplicate", set.name(), test.len());
    if matches!(card.answer, graft_core::AnswerForm::Label { .. }) {
        let mut seen = BTreeSet::new();
        let (firsts, others): (Vec<_>, Vec<_>) =
            train.into_iter().partition(|message: &Message| seen.insert(message.truth.to_string()));
        train = firsts.into_iter().chain(others).collect();
    }
    let tests = vec![Test { name: format!("{} {name}", test.len()), messages: test }];
    Ok(Data { card, train, tests, more: Vec::new() })
}

/// The same in an order that follows from [`SEED`] and the ids.
fn shuffled(mut messages: Vec<Message>) -> Vec<Message> {
    messages.sort_by_cached_key(|message| Digest::of_parts([&SEED.to_le_bytes()[..], message.id.as_bytes()]));
    messages
}

/// A table of texts and labels.
fn table(set: Set, path: &str) -> anyhow::Result<Vec<Message>> {
    let approval = Approval { by: "bench".into(), at: 0, doubtful: true };
    let import =
        tabular::import_csv(Path::new(path), cards::task(set.task())?, &tabular::Columns::default(), &approval)?;
    let message = |(place, example): (usize, graft_core::Example)| {
        let truth = example.output.with_context(|| format!("row {place} of {path} has no label"))?;
        Ok(Message { id: format!("{}-{place}", set.name()), text: example.input, truth })
    };
    import.examples.into_iter().enumerate().map(message).collect()
}

/// Sentences of reviews with 1 for praise and 0 for blame.
fn sentences() -> anyhow::Result<Vec<Message>> {
    let mut messages = Vec::new();
    for name in SENTENCES {
        let text = fs::read_to_string(format!("bench/data/sentiment/{name}_labelled.txt"))?;
        for (place, line) in text.lines().enumerate() {
            let (text, score) = line.rsplit_once('\t').with_context(|| format!("`{line}` of {name} has no score"))?;
            let truth = json!(if score.trim() == "1" { "positive" } else { "negative" });
            messages.push(Message { id: format!("{name}-{place}"), text: text.trim().to_owned(), truth });
        }
    }
    Ok(messages)
}

/// The usable rows of the Ask AI service's database, as `graft import` reads them.
fn ask_ai(options: &Options) -> anyhow::Result<Vec<Message>> {
    let path = options.folder.join("ask-ai.json");
    if !path.exists() {
        let home = options.folder.join("ask-ai-home");
        if home.exists() {
            fs::remove_dir_all(&home)?;
        }
        fs::create_dir_all(&home)?;
        let graft = |arguments: &[&str]| {
            let mut command = Command::new(&options.graft);
            command.args(arguments).env("GRAFT_HOME", &home).env_remove("GRAFT_DATABASE");
            shell::output(&mut command)
        };
        graft(&["import", "ask-ai", "crates/tasks/data/ask_ai/ai_automation.db", "--json"])?;
        let listed = graft(&["examples", "list", "--task", "ask-ai", "--limit", "1000", "--json"])?;
        fs::remove_dir_all(&home)?;
        fs::write(&path, listed)?;
    }
    let listed: Value = serde_json::from_slice(&fs::read(&path)?).context("`graft examples list` printed no JSON")?;
    let examples = listed["examples"].as_array().context("`graft examples list` printed no examples")?;
    let message = |example: &Value| {
        let text = |field: &str| example[field].as_str().map(str::to_owned).context("an example lacks a field");
        Ok(Message { id: text("id")?, text: text("input")?, truth: json!(text("output")?) })
    };
    examples.iter().map(message).collect()
}

fn lines(path: &Path) -> anyhow::Result<Vec<Value>> {
    let text = fs::read_to_string(path).with_context(|| format!("{} can't be read", path.display()))?;
    Ok(text.lines().map(serde_json::from_str).collect::<Result<_, _>>()?)
}
