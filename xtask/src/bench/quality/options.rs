//! The options of the measurement, from the environment: the command also runs where there is no cargo.

use std::{
    env,
    path::{Path, PathBuf},
    str::FromStr,
};

use anyhow::{Context as _, bail, ensure};

use super::sets::Set;
use crate::{prepare, shell};

/// The program to measure; without it the command builds one.
pub(super) const GRAFT: &str = "GRAFT_BENCH_GRAFT";

/// The settings of the measurement.
pub(in crate::bench) struct Options {
    /// The `graft` command.
    pub(in crate::bench) graft: PathBuf,
    /// The base model.
    pub(in crate::bench) base: PathBuf,
    /// As `--device` takes it.
    pub(super) device: Option<String>,
    /// Jobs at the same time.
    pub(super) jobs: usize,
    /// Only these numbers of examples.
    pub(super) sizes: Option<Vec<usize>>,
    pub(in crate::bench) sets: Vec<Set>,
    pub(super) methods: Vec<Method>,
    /// Where the jobs' folders are.
    pub(in crate::bench) folder: PathBuf,
    /// Where the tables are written.
    pub(in crate::bench) results: PathBuf,
    /// No job starts later.
    pub(super) minutes: Option<f64>,
    /// Instead of the recipe's epochs: to try the command.
    pub(super) epochs: Option<String>,
}

/// What is measured besides the contestants, who answer beside LoRA.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Method {
    Lora,
    /// LoRA with 30 messages of the other wording added.
    LoraAndMore,
    SoftPrompt,
    Base,
}

impl Method {
    const ALL: [Self; 4] = [Self::Lora, Self::LoraAndMore, Self::SoftPrompt, Self::Base];

    fn name(self) -> &'static str {
        match self {
            Self::Lora => "lora",
            Self::LoraAndMore => "lora+30",
            Self::SoftPrompt => "soft-prompt",
            Self::Base => "base",
        }
    }
}

impl FromStr for Method {
    type Err = anyhow::Error;

    fn from_str(name: &str) -> anyhow::Result<Self> {
        let found = Self::ALL.into_iter().find(|method| method.name() == name);
        found.with_context(|| format!("no method is called {name}: {}", Self::ALL.map(Self::name).join(", ")))
    }
}

impl FromStr for Set {
    type Err = anyhow::Error;

    fn from_str(name: &str) -> anyhow::Result<Self> {
        let found = Self::ALL.into_iter().find(|set| set.name() == name);
        found.with_context(|| format!("no data set is called {name}: {}", Self::ALL.map(Self::name).join(", ")))
    }
}

impl Options {
    pub(in crate::bench) fn read() -> anyhow::Result<Self> {
        let graft = given(GRAFT).map_or_else(|| shell::target().join("release/graft"), PathBuf::from);
        ensure!(graft.exists(), "{} does not exist; name the program with {GRAFT}", graft.display());
        let base = match given("GRAFT_BENCH_BASE") {
            Some(base) => base.into(),
            None => prepare::base_model()?.context("find the base model: unset GRAFT_SKIP_MODEL")?,
        };
        ensure!(base.exists(), "the base model {} does not exist", base.display());
        let out = given("GRAFT_BENCH_OUT").map(PathBuf::from);
        let folder = out.as_ref().map_or_else(|| shell::target().join("bench-quality"), |out| out.join("jobs"));
        let jobs: usize = number("GRAFT_BENCH_JOBS")?.unwrap_or(1);
        Ok(Self {
            graft: std::path::absolute(graft)?,
            base: std::path::absolute(base)?,
            device: given("GRAFT_BENCH_DEVICE"),
            jobs: jobs.max(1),
            sizes: list("GRAFT_BENCH_SIZES")?,
            sets: list("GRAFT_BENCH_SETS")?.unwrap_or_else(|| Set::ALL.to_vec()),
            methods: list("GRAFT_BENCH_METHODS")?.unwrap_or_else(|| Method::ALL.to_vec()),
            folder: std::path::absolute(folder)?,
            results: std::path::absolute(out.unwrap_or_else(|| Path::new("bench/results").to_owned()))?,
            minutes: number("GRAFT_BENCH_MINUTES")?,
            epochs: given("GRAFT_BENCH_EPOCHS"),
        })
    }

    /// Threads of one training: the jobs share the processor.
    pub(in crate::bench) fn threads(&self) -> usize {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        (cores / self.jobs).max(1)
    }
}

pub(in crate::bench) fn given(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

pub(in crate::bench) fn number<T: FromStr>(name: &str) -> anyhow::Result<Option<T>> {
    let Some(value) = given(name) else { return Ok(None) };
    match value.trim().parse() {
        Ok(number) => Ok(Some(number)),
        Err(_) => bail!("{name} is `{value}`, which is no such number"),
    }
}

fn list<T: FromStr>(name: &str) -> anyhow::Result<Option<Vec<T>>>
where
    T::Err: std::fmt::Display,
{
    let Some(values) = given(name) else { return Ok(None) };
    let one = |value: &str| value.trim().parse().map_err(|error| anyhow::anyhow!("{name}: {error}"));
    values.split(',').map(one).collect::<anyhow::Result<_>>().map(Some)
}
