//! Quality: for each data set and number of examples, what every method and every contestant answers to messages that
//! nobody learned from. Everything goes through the released `graft` command, as users call it.
//!
//! The work is a list of jobs, the most important first. A job trains one version, registers the contestants beside it,
//! and writes everybody's answers to its folder. Scores and tables are made from these answers, so a command that was
//! killed goes on where it was, and answers of another machine can be scored here.

mod job;
mod options;
mod scores;
mod sets;
mod table;

use std::{
    collections::BTreeMap,
    fs,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};

use self::{
    job::{Job, Kind},
    scores::Row,
};
pub(super) use self::{
    options::{Options, given, number},
    scores::right,
    sets::{Data, Message, SLACK, Set},
    table::circumstances,
};
use crate::shell;

/// Whether the program to measure is named, so that none needs to be built.
pub(super) fn has_program() -> bool {
    std::env::var_os(options::GRAFT).is_some()
}

/// Runs the jobs that are not done yet and rewrites the tables after each job.
pub(super) fn run() -> anyhow::Result<()> {
    let clock = Instant::now();
    let options = Options::read()?;
    fs::create_dir_all(&options.folder)?;
    fs::create_dir_all(&options.results)?;
    let data: BTreeMap<Set, Data> =
        options.sets.iter().map(|set| Ok((*set, Data::read(*set, &options)?))).collect::<anyhow::Result<_>>()?;
    let jobs = job::plan(&options, &data);
    ensure!(!jobs.is_empty(), "the settings leave nothing to measure");
    println!("{} jobs in {}, {} at a time.", jobs.len(), options.folder.display(), options.jobs);
    let work = Work { options: &options, data: &data, jobs: &jobs, clock, state: Mutex::default() };
    std::thread::scope(|scope| {
        for _ in 0..options.jobs {
            scope.spawn(|| work.go_on());
        }
    });
    let state = work.state.into_inner().unwrap_or_else(PoisonError::into_inner);
    table::write(&options, &data, &jobs, &state.rows)?;
    println!("{}", options.results.join(table::FILE).display());
    ensure!(state.failed.is_empty(), "some jobs failed:\n{}", state.failed.join("\n"));
    Ok(())
}

/// What the threads share.
struct Work<'w> {
    options: &'w Options,
    data: &'w BTreeMap<Set, Data>,
    jobs: &'w [Job],
    clock: Instant,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Jobs that were taken, from the first.
    taken: usize,
    /// The scores of each job that is done, by its place.
    rows: BTreeMap<usize, Vec<Row>>,
    failed: Vec<String>,
}

impl Work<'_> {
    fn go_on(&self) {
        while let Some(place) = self.next() {
            let job = &self.jobs[place];
            let started = Instant::now();
            let rows = self.finish(job);
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            match rows {
                Ok(Some(rows)) => {
                    println!("{} is done ({}).", job.name(), shell::seconds(started.elapsed()));
                    state.rows.insert(place, rows);
                    if let Err(error) = table::write(self.options, self.data, self.jobs, &state.rows) {
                        println!("The tables can't be written: {error:#}");
                    }
                }
                Ok(None) => {}
                Err(error) => {
                    println!("{} failed: {error:#}", job.name());
                    state.failed.push(format!("{}: {error:#}", job.name()));
                }
            }
        }
    }

    fn next(&self) -> Option<usize> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let place = state.taken;
        state.taken += 1;
        (place < self.jobs.len()).then_some(place)
    }

    /// The scores of a job, which is run if it is not done; none if there is no time left for it.
    fn finish(&self, job: &Job) -> anyhow::Result<Option<Vec<Row>>> {
        let data = self.data.get(&job.set).context("the data set was not read")?;
        if !job.is_done(self.options) {
            let is_late = |minutes: f64| self.clock.elapsed() >= Duration::from_secs_f64(60.0 * minutes.max(0.0));
            if self.options.minutes.is_some_and(is_late) {
                return Ok(None);
            }
            job.run(self.options, data)?;
        }
        scores::of(self.options, job, data).map(Some)
    }
}

/// Who answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Who {
    Lora,
    SoftPrompt,
    Rules,
    NGrams,
    Nearest,
    MostFrequent,
    Base,
}

impl Who {
    /// Who answers in a job: its version first.
    fn all(kind: Kind, set: Set) -> Vec<Self> {
        let contestants: &[Self] = match set {
            Set::Slack => &[Self::Rules, Self::Nearest],
            Set::Sms | Set::Sentiment => &[Self::NGrams, Self::Nearest, Self::MostFrequent],
            Set::AskAi => &[Self::Nearest],
        };
        match kind {
            Kind::Lora | Kind::LoraAndMore(_) => [&[Self::Lora], contestants].concat(),
            Kind::SoftPrompt => vec![Self::SoftPrompt],
            Kind::Base => vec![Self::Base],
        }
    }

    /// As `graft models contestant` calls it; none for versions with a language model.
    fn contestant(self) -> Option<&'static str> {
        match self {
            Self::Rules => Some("rules"),
            Self::NGrams => Some("n-grams"),
            Self::Nearest => Some("nearest"),
            Self::MostFrequent => Some("most-frequent"),
            Self::Lora | Self::SoftPrompt | Self::Base => None,
        }
    }

    /// Whether it is the same whatever it learned from.
    fn learns_nothing(self) -> bool {
        matches!(self, Self::Rules | Self::Base)
    }

    fn title(self) -> &'static str {
        match self {
            Self::Lora => "**LoRA**",
            Self::SoftPrompt => "soft prompt",
            Self::Rules => "the rules",
            Self::NGrams => "n-grams",
            Self::Nearest => "nearest example",
            Self::MostFrequent => "most frequent label",
            Self::Base => "bare base model",
        }
    }
}
