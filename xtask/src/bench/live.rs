//! Continuous learning: a stream of approvals whose distribution shifts half way. A live adapter, a full training every
//! night and the version of the first day answer each day's messages before these are approved. Everything goes through
//! the `graft` command; CPU time is that of its processes.
//!
//! Each step leaves a file, so a command that was killed goes on where it was.

use std::{collections::HashMap, fmt::Write as _, fs, path::PathBuf};

use anyhow::{Context as _, ensure};
use serde_json::{Value, json};

use super::{
    program::Program,
    quality::{Data, Message, Options, Set, circumstances, number},
    search::lines,
};

const TASK: &str = "text-classification";
const PAGE: &str = "live.md";
const PLOT: &str = "live.svg";
const JSON: &str = "live.json";
/// Messages that the first version is made from; a third is held out and measures forgetting.
const FIRST: usize = 240;
/// Messages of each day.
const DAY: usize = 100;
/// Days with messages of the first kind.
const BEFORE: usize = 10;
/// Days after that.
const AFTER: usize = 10;
/// Messages of the first kind on each of the later days; the others are of the second kind.
const STILL: usize = 5;
/// Messages of the first kind that nobody learns.
const UNSEEN: usize = 150;
/// Share of the approvals that is held out.
const HELD: &str = "0.05";

/// Who answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Arm {
    Frozen,
    Nightly,
    Live,
}

impl Arm {
    const ALL: [Self; 3] = [Self::Frozen, Self::Nightly, Self::Live];

    fn name(self) -> &'static str {
        match self {
            Self::Frozen => "frozen",
            Self::Nightly => "nightly",
            Self::Live => "live",
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::Frozen => "version of the first day",
            Self::Nightly => "full training every night",
            Self::Live => "live adapter",
        }
    }

    fn color(self) -> &'static str {
        match self {
            Self::Frozen => "#667169",
            Self::Nightly => "#b0611a",
            Self::Live => "#17693f",
        }
    }
}

/// The messages.
struct Stream {
    first: Vec<Message>,
    days: Vec<Vec<Message>>,
    unseen: Vec<Message>,
}

/// What an arm did on a day, or with messages that nobody learns.
struct Day {
    /// Correct answers of the day's messages, given before they were approved.
    correct: usize,
    /// Seconds of CPU time for learning them, the evaluation of the version included.
    cpu: f64,
    /// What became of them.
    made: Value,
}

/// Measures what isn't measured yet, and writes page, numbers and plot.
pub(super) fn run() -> anyhow::Result<()> {
    let mut options = Options::read()?;
    options.folder = options.folder.with_file_name("bench-live");
    fs::create_dir_all(&options.folder)?;
    let days = number("GRAFT_BENCH_DAYS")?.unwrap_or(BEFORE + AFTER);
    let stream = Stream::read(&options)?;
    let mut found: Vec<(Arm, Vec<Day>, Day)> = Vec::new();
    for arm in Arm::ALL {
        let home = Home::open(&options, arm, &stream)?;
        let mut each = Vec::new();
        for (place, messages) in stream.days.iter().take(days).enumerate() {
            let day = home.day(place, messages)?;
            println!("{}, day {}: {} of {DAY} correct, {:.0} CPU-s", arm.name(), place + 1, day.correct, day.cpu);
            each.push(day);
        }
        let unseen = home.answered("unseen", &stream.unseen, &home.version(days)?)?;
        let unseen = Day { correct: unseen, cpu: 0.0, made: Value::Null };
        println!("{}: {} of {UNSEEN} of the first kind, which it never saw", arm.name(), unseen.correct);
        found.push((arm, each, unseen));
    }
    let flipped = Home::open(&options, Arm::Live, &stream)?.flipped(&stream, days)?;
    write(&options, &found, &flipped)?;
    println!("{}", options.results.join(PAGE).display());
    Ok(())
}

impl Stream {
    /// SMS with `ham` and `spam`; then Slack messages of food rescues with their direction, of five wordings.
    fn read(options: &Options) -> anyhow::Result<Self> {
        let sms = Data::read(Set::Sms, options)?;
        let mut sms = sms.train.into_iter().chain(sms.tests.into_iter().flat_map(|test| test.messages));
        let slack = Data::read(Set::Slack, options)?;
        let others = slack.tests.into_iter().flat_map(|test| test.messages);
        let mut slack: Vec<Message> = slack.train.into_iter().chain(others).collect();
        for message in &mut slack {
            message.truth = message.truth["direction"].take();
        }
        // In another order than that of the files, so that each day has all wordings.
        slack.sort_by_cached_key(|message| graft_core::Digest::of(message.id.as_bytes()));
        let mut slack = slack.into_iter();
        let first: Vec<Message> = sms.by_ref().take(FIRST).collect();
        let unseen: Vec<Message> = sms.by_ref().take(UNSEEN).collect();
        let days: Vec<Vec<Message>> = (0..BEFORE + AFTER)
            .map(|day| {
                let old = if day < BEFORE { DAY } else { STILL };
                sms.by_ref().take(old).chain(slack.by_ref().take(DAY - old)).collect()
            })
            .collect();
        ensure!(days.iter().all(|day| day.len() == DAY), "there are too few messages");
        Ok(Self { first, days, unseen })
    }
}

/// The state of `graft` for one arm.
struct Home {
    graft: Program,
    arm: Arm,
    folder: PathBuf,
}

impl Home {
    /// A home with the first version, active.
    fn open(options: &Options, arm: Arm, stream: &Stream) -> anyhow::Result<Self> {
        let folder = options.folder.join(arm.name());
        let graft = Program::new(&options.graft, folder.join("home"), folder.join("log"));
        let home = Self { graft, arm, folder };
        if home.folder.join("ready").exists() {
            return Ok(home);
        }
        if home.folder.exists() {
            fs::remove_dir_all(&home.folder)?;
        }
        fs::create_dir_all(&home.folder)?;
        home.graft.run(&["base", "add", "bench-base", &options.base.display().to_string()])?;
        home.import(&stream.first, true)?;
        let train = ["train", TASK, "--base", "bench-base", "--version", "v1", "--activate", "--skip-base"];
        home.graft.run(&[&train[..], &["--eval-share", "0.33"]].concat())?;
        if arm == Arm::Live {
            let each = DAY.to_string();
            let windows = ["--windows", &each, "--minutes", "100000", "--eval-share", HELD];
            home.graft.run(&[&["live", "start", TASK, "--no-rollout", "--keep", "100"][..], &windows].concat())?;
        }
        fs::write(home.folder.join("ready"), "")?;
        Ok(home)
    }

    /// Answers a day's messages, approves them, and learns.
    fn day(&self, place: usize, messages: &[Message]) -> anyhow::Result<Day> {
        let path = self.folder.join(format!("day-{:02}.json", place + 1));
        if !path.exists() {
            let correct = self.answered(&format!("day-{:02}", place + 1), messages, &self.version(place)?)?;
            let (cpu, made) = match self.arm {
                Arm::Frozen => (0.0, Value::Null),
                Arm::Nightly => {
                    self.import(messages, true)?;
                    self.nightly(place)?
                }
                Arm::Live => {
                    self.import(messages, false)?;
                    self.approve(messages.iter().map(|message| (message, &message.truth)))?;
                    self.snapshot()?
                }
            };
            fs::write(&path, json!({"correct": correct, "cpu": cpu, "made": made}).to_string())?;
        }
        let done: Value = serde_json::from_slice(&fs::read(&path)?)?;
        let correct = usize::try_from(done["correct"].as_u64().context("`correct` is missing")?)?;
        Ok(Day { correct, cpu: super::number(&done, "cpu")?, made: done["made"].clone() })
    }

    /// A training of all examples with the recipe's defaults.
    fn nightly(&self, place: usize) -> anyhow::Result<(f64, Value)> {
        let name = format!("night{}", place + 1);
        let train = ["train", TASK, "--base", "bench-base", "--version", &name, "--skip-base"];
        let cpu = self.graft.run(&[&train[..], &["--eval-share", HELD]].concat())?.cpu;
        Ok((cpu, json!({"version": name})))
    }

    /// The snapshot that a worker makes of the day's windows.
    fn snapshot(&self) -> anyhow::Result<(f64, Value)> {
        let cpu = self.graft.run(&["worker", "--once", "--no-suggestions", "--slots", "1"])?.cpu;
        let status = self.graft.ask(&["live", "status", TASK])?;
        ensure!(status["windows"]["waiting"] == 0, "windows were left: {status}");
        Ok((cpu, status["snapshots"][0].clone()))
    }

    /// The version that answers on the day of this place.
    fn version(&self, place: usize) -> anyhow::Result<String> {
        let named = |version: &Value| version.as_str().map(str::to_owned).context("there is no head");
        match self.arm {
            Arm::Nightly if place > 0 => Ok(format!("night{place}")),
            Arm::Live => named(&self.graft.ask(&["live", "status", TASK])?["live"]["head"]),
            _ => Ok("v1".into()),
        }
    }

    /// 100 wrong labels: people change the answers of messages that are approved already, `ham` to `spam` and back. Then they
    /// correct them.
    fn flipped(&self, stream: &Stream, days: usize) -> anyhow::Result<Value> {
        let path = self.folder.join("flipped.json");
        if !path.exists() {
            let messages = &stream.days[0];
            let wrong = |message: &Message| if message.truth == "ham" { json!("spam") } else { json!("ham") };
            let wrongs: Vec<(&Message, Value)> = messages.iter().map(|message| (message, wrong(message))).collect();
            let of = |name: &str| self.answered(name, &stream.unseen, &self.version(days)?);
            self.approve(wrongs.iter().map(|(message, label)| (*message, label)))?;
            let (_, refused) = self.snapshot()?;
            let version = refused["version"].as_str().context("the snapshot has no version")?;
            let with = self.answered("flipped-refused", &stream.unseen, version)?;
            let served = of("flipped-served")?;
            self.approve(messages.iter().map(|message| (message, &message.truth)))?;
            let (_, corrected) = self.snapshot()?;
            let after = of("flipped-corrected")?;
            let said =
                json!({"refused": refused, "with": with, "served": served, "corrected": corrected, "after": after});
            fs::write(&path, said.to_string())?;
        }
        Ok(serde_json::from_slice(&fs::read(&path)?)?)
    }

    /// Number of correct answers of a version, which are kept.
    fn answered(&self, name: &str, messages: &[Message], version: &str) -> anyhow::Result<usize> {
        let (input, output) =
            (self.folder.join(format!("{name}-asked.jsonl")), self.folder.join(format!("{name}-{version}.jsonl")));
        if !output.exists() {
            lines(&input, messages.iter().map(|message| json!({"id": message.id, "text": message.text})))?;
            let (from, to) = (input.display().to_string(), output.display().to_string());
            self.graft.run(&["infer", "--task", TASK, "--version", version, "--input-file", &from, "--output", &to])?;
        }
        let mut answers: HashMap<String, Value> = HashMap::new();
        for line in fs::read_to_string(&output)?.lines() {
            let mut answer: Value = serde_json::from_str(line)?;
            let id = answer["id"].as_str().context("an answer has no id")?.to_owned();
            answers.insert(id, answer["label"].take());
        }
        Ok(messages.iter().filter(|message| answers.get(&message.id) == Some(&message.truth)).count())
    }

    /// Imports messages, approved with their labels or for people to label.
    fn import(&self, messages: &[Message], labelled: bool) -> anyhow::Result<()> {
        let file = self.folder.join("import.jsonl");
        let row = |message: &Message| match labelled {
            true => json!({"id": message.id, "input": message.text, "output": message.truth}),
            false => json!({"id": message.id, "input": message.text}),
        };
        lines(&file, messages.iter().map(row))?;
        self.graft.run(&["import", "jsonl", &file.display().to_string(), "--task", TASK, "--mix-labels"])?;
        Ok(())
    }

    /// Approves messages with a label, one decision each.
    fn approve<'m>(&self, labels: impl Iterator<Item = (&'m Message, &'m Value)>) -> anyhow::Result<()> {
        for (message, label) in labels {
            // Not by its text: a few messages repeat.
            let id = format!("jsonl:{}", message.id);
            let label = label.as_str().context("a label is no text")?;
            self.graft.run(&["examples", "edit", &id, "--task", TASK, "--output", label])?;
        }
        Ok(())
    }
}

fn write(options: &Options, found: &[(Arm, Vec<Day>, Day)], flipped: &Value) -> anyhow::Result<()> {
    fs::create_dir_all(&options.results)?;
    let mut page = String::from("# Continuous learning\n\n");
    writeln!(
        page,
        "Made by `cargo xtask bench live`{}. [bench/README.md](../README.md) says what is measured and how.\n",
        circumstances(options)
    )?;
    writeln!(page, "![Correct answers by day]({PLOT})\n")?;
    writeln!(
        page,
        "| who answers | days 1–{BEFORE} | days {}–{} | the last 3 days | CPU time of learning | unseen messages of the first \
         kind |\n|---|---|---|---|---|---|",
        BEFORE + 1,
        BEFORE + AFTER
    )?;
    for (arm, days, unseen) in found {
        let share = |days: &[Day]| {
            let correct: usize = days.iter().map(|day| day.correct).sum();
            format!("{:.1} %", 100.0 * correct as f64 / (DAY * days.len().max(1)) as f64)
        };
        let half = BEFORE.min(days.len());
        let cpu: f64 = days.iter().map(|day| day.cpu).sum();
        writeln!(
            page,
            "| {} | {} | {} | {} | {cpu:.0} s | {:.1} % |",
            arm.title(),
            share(&days[..half]),
            share(&days[half..]),
            share(&days[days.len().saturating_sub(3)..]),
            100.0 * unseen.correct as f64 / UNSEEN as f64
        )?;
    }
    let cpu = |wanted: Arm| -> f64 {
        found.iter().filter(|(arm, ..)| *arm == wanted).flat_map(|(_, days, _)| days).map(|day| day.cpu).sum()
    };
    writeln!(
        page,
        "\nThe live adapter took {:.2} of the CPU time of the full trainings.",
        cpu(Arm::Live) / cpu(Arm::Nightly)
    )?;
    page += "\n## Snapshots\n\nThe frozen examples are those that the first version held out.\n\n\
             | snapshot | frozen examples, before | after | |\n|---|---|---|---|\n";
    let percent = |value: &Value| value.as_f64().map_or_else(|| "–".into(), |share| format!("{:.1} %", 100.0 * share));
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut row = |name: String, made: &Value| {
        let why = made["why"].as_str().map(|why| format!(": {why}")).unwrap_or_default();
        let (before, after) = (percent(&made["before"]), percent(&made["after"]));
        writeln!(page, "| {name} | {before} | {after} | {}{why} |", text(&made["state"]))
    };
    for (_, days, _) in found.iter().filter(|(arm, ..)| *arm == Arm::Live) {
        for (place, day) in days.iter().enumerate() {
            row(format!("day {}", place + 1), &day.made)?;
        }
    }
    row(format!("then {DAY} flipped labels"), &flipped["refused"])?;
    row("the labels corrected".into(), &flipped["corrected"])?;
    let of = |name: &str| format!("{:.1} %", 100.0 * flipped[name].as_f64().unwrap_or_default() / UNSEEN as f64);
    writeln!(
        page,
        "\nUnseen messages of the first kind: the snapshot of the flipped labels has {} correct, the version that was served \
         meanwhile {}, the one after the correction {}.",
        of("with"),
        of("served"),
        of("after")
    )?;
    fs::write(options.results.join(PAGE), page)?;
    fs::write(options.results.join(PLOT), plot(found))?;
    let rows: Vec<Value> = found
        .iter()
        .flat_map(|(arm, days, _)| {
            days.iter().enumerate().map(|(place, day)| {
                json!({"arm": arm.name(), "day": place + 1, "correct": day.correct, "of": DAY, "cpu_seconds": day.cpu})
            })
        })
        .collect();
    Ok(fs::write(options.results.join(JSON), serde_json::to_string_pretty(&rows)? + "\n")?)
}

/// Correct answers by day.
fn plot(found: &[(Arm, Vec<Day>, Day)]) -> String {
    const WIDTH: f64 = 560.0;
    const HEIGHT: f64 = 220.0;
    let mut svg = String::from(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 660 310\" font-family=\"sans-serif\" font-size=\"12\">\
         <rect width=\"660\" height=\"310\" fill=\"white\"/>\n<g transform=\"translate(60 20)\">\n",
    );
    let y = |percent: f64| HEIGHT * (1.0 - percent / 100.0);
    let x = |day: usize| WIDTH * (day as f64 - 0.5) / (BEFORE + AFTER) as f64;
    for percent in [0.0, 25.0, 50.0, 75.0, 100.0] {
        let _ = writeln!(
            svg,
            "<path d=\"M0 {0:.1}h{WIDTH}\" stroke=\"#ddd\"/><text x=\"-6\" y=\"{1:.1}\" text-anchor=\"end\">{percent} %</text>",
            y(percent),
            y(percent) + 4.0
        );
    }
    let shift = WIDTH * BEFORE as f64 / (BEFORE + AFTER) as f64;
    let _ = writeln!(
        svg,
        "<path d=\"M{shift:.1} 0v{HEIGHT}\" stroke=\"#999\" stroke-dasharray=\"4 4\"/>\
         <text x=\"{:.1}\" y=\"{:.1}\" fill=\"#666\">other messages</text>",
        shift + 6.0,
        14.0
    );
    for day in 1..=BEFORE + AFTER {
        let _ =
            writeln!(svg, "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{day}</text>", x(day), HEIGHT + 18.0);
    }
    for (place, (arm, days, _)) in found.iter().enumerate() {
        let points: Vec<String> = days
            .iter()
            .enumerate()
            .map(|(place, day)| format!("{:.1},{:.1}", x(place + 1), y(100.0 * day.correct as f64 / DAY as f64)))
            .collect();
        let (points, color) = (points.join(" "), arm.color());
        let _ = writeln!(svg, "<polyline points=\"{points}\" fill=\"none\" stroke=\"{color}\" stroke-width=\"2\"/>");
        let at = 190 * place;
        let _ = writeln!(svg, "<text x=\"{at}\" y=\"{:.1}\" fill=\"{color}\">{}</text>", HEIGHT + 44.0, arm.title());
    }
    svg + "</g>\n</svg>\n"
}
