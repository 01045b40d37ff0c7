//! Everything that must pass before a change is merged; the fastest steps come first.

use std::{
    path::PathBuf,
    process::Command,
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};

use crate::{commands, dist, kubernetes, layers, pages, parity, prepare, shell, tidy, ui};

/// Tests of models that are not downloaded automatically, and the variables that name their files.
const MORE_MODELS: [(&str, &str); 2] =
    [("GRAFT_TEST_GEMMA", "gemma3_matches_transformers"), ("GRAFT_TEST_QWEN", "qwen2_matches_transformers")];

/// The tests that start programs, servers and real services, which a busy machine may upset.
const BLACK_BOX: [&str; 14] = [
    "bucket",
    "campaign",
    "databases",
    "engine",
    "http",
    "hub",
    "lambda",
    "local",
    "program",
    "ray",
    "receivers",
    "runpod",
    "slurm",
    "ssh",
];

/// So many failures are tried again; more are not chance.
const CHANCE: usize = 3;

/// Bytes that a first run takes, with everything that it installs.
const ENOUGH_DISK: u64 = 8_000_000_000;

/// Runs every step until one fails, or those from `first` on. `quick` downloads nothing.
pub(crate) fn run(quick: bool, first: Option<&str>) -> anyhow::Result<()> {
    let (mut steps, mut needs, mut counts) = (Steps::default(), Needs::default(), Counts::default());
    if quick {
        needs.lacking.push("--quick: tests that need Postgres or the real base model did nothing".into());
    } else {
        steps.run("prepare", || needs.prepare())?;
    }
    if let Some(first) = first {
        steps.first = Some(first.to_owned());
        needs.lacking.push(format!("--from: the steps before `{first}` were left out"));
    }
    steps.run("fmt", || shell::run(shell::cargo().args(["fmt", "--all", "--check"])))?;
    steps.run("layers", shape)?;
    if let Some(program) = &needs.kubernetes {
        steps.run("kubernetes", || kubernetes::check(program))?;
    }
    // Packages come from the network the first time.
    let page = !quick || ui::is_installed();
    if page {
        steps.run("page", ui::check)?;
    } else {
        needs.lacking.push("--quick: the page was not tested, for its packages aren't here (`cargo xtask ui`)".into());
    }
    steps.run("clippy", || {
        shell::run(shell::cargo().args(["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]))
    })?;
    steps.run("test", || {
        let all = shell::run_and_read(needs.tests(quick).args(["--no-fail-fast"]), |line| counts.add(line));
        ensure!(counts.passed > 0, "cargo ran no tests");
        let failed = std::mem::take(&mut counts.failed);
        // A program of tests that crashed names no failed test.
        let crashed = counts.begun != counts.suites;
        if all.is_err() && (failed.is_empty() || crashed) || failed.len() > CHANCE {
            return all;
        }
        needs.again(quick, failed)
    })?;
    if let Some(base) = needs.base.clone() {
        steps.run("real model", || {
            let mut tests = shell::cargo();
            // Of the whole workspace, so that nothing is built a second time with other features.
            tests.args(["test", "--workspace", "--test", "gguf", "--test", "real_models", "--test", "guide"]);
            tests.args(["--", "--ignored"]).env("GRAFT_TEST_GGUF", base);
            for (variable, test) in MORE_MODELS {
                if std::env::var_os(variable).is_none() {
                    tests.args(["--skip", test]);
                    needs.lacking.push(format!("{variable} names no file: `{test}` was left out"));
                }
            }
            shell::run_and_read(&mut tests, |line| counts.add(line))
        })?;
    }
    // The tests of the command built it.
    steps.run("commands", || commands::check(&shell::target().join("debug").join("graft")))?;
    if !quick {
        steps.run("dist", || {
            if let Err(why) = dist::check(&shell::target().join("debug").join("graft"))? {
                needs.lacking.push(format!("the packages were not tried: {why}"));
            }
            Ok(())
        })?;
    }
    if page {
        steps.run("journeys", || {
            let again = ui::journeys()?;
            needs
                .lacking
                .extend(again.map(|what| format!("journeys failed and passed when tried again ({what}): mend them")));
            Ok(())
        })?;
    }
    steps.run("doc", || {
        let arguments = ["doc", "--workspace", "--no-deps", "--document-private-items"];
        shell::run(
            shell::cargo().args(arguments).env("RUSTDOCFLAGS", "-D warnings -A rustdoc::private-intra-doc-links"),
        )
    })?;
    steps.run("parity", parity::all)?;
    ensure!(steps.first.is_none(), "no such step: {}", steps.first.unwrap_or_default());
    steps.report(&counts);
    needs.lacking.iter().for_each(|what| warn(what));
    Ok(())
}

/// Installs what the tests need besides the repository.
#[derive(Default)]
struct Needs {
    base: Option<PathBuf>,
    openai: Option<PathBuf>,
    mlflow: Option<PathBuf>,
    ray: Option<PathBuf>,
    kubernetes: Option<PathBuf>,
    lacking: Vec<String>,
}

impl Needs {
    fn prepare(&mut self) -> anyhow::Result<()> {
        match shell::free_disk()? {
            free if free < ENOUGH_DISK => self.lacking.push(format!(
                "{:.1} GB are free on the disk of `target`; a first run takes {} GB. Linkers that end with a bus error \
                 ran out of it",
                free as f64 / 1e9,
                ENOUGH_DISK / 1_000_000_000,
            )),
            free => println!("{:.1} GB are free", free as f64 / 1e9),
        }
        prepare::postgres()?;
        prepare::sshd()?;
        prepare::slurm()?;
        if prepare::is_set("GRAFT_SKIP_SLURM") {
            self.lacking.push("GRAFT_SKIP_SLURM: tests with Slurm were left out".into());
        }
        match prepare::base_model()? {
            Some(path) => self.base = Some(std::path::absolute(path)?),
            None => self.lacking.push("GRAFT_SKIP_MODEL: tests that need the real base model were left out".into()),
        }
        match prepare::openai_clients() {
            Ok(path) => self.openai = Some(path),
            Err(why) => self.lacking.push(format!("tests with OpenAI's clients did nothing: {why}")),
        }
        match prepare::mlflow() {
            Ok(path) => self.mlflow = Some(path),
            Err(why) => self.lacking.push(format!("tests with MLflow's server did nothing: {why}")),
        }
        match prepare::ray() {
            Ok(path) => self.ray = Some(path),
            Err(why) => self.lacking.push(format!("tests with a Ray cluster did nothing: {why}")),
        }
        match prepare::kubernetes() {
            Ok(path) => self.kubernetes = Some(path),
            Err(why) => self.lacking.push(format!("the manifests for Kubernetes were not checked: {why}")),
        }
        self.lacking.iter().for_each(|what| warn(what));
        Ok(())
    }

    fn tests(&self, quick: bool) -> Command {
        let mut tests = shell::cargo();
        tests.args(["test", "--workspace"]);
        if std::env::var_os("RUST_TEST_THREADS").is_none() {
            // The long ones wait for processes and servers more than they compute.
            let cores = std::thread::available_parallelism().map_or(1, usize::from);
            tests.env("RUST_TEST_THREADS", (2 * cores).to_string());
        }
        if let Some(path) = &self.openai {
            tests.env("GRAFT_TEST_OPENAI", path);
        }
        if let Some(path) = &self.mlflow {
            tests.env("GRAFT_TEST_MLFLOW", path);
        }
        if let Some(path) = &self.ray {
            tests.env("GRAFT_TEST_RAY", path);
        }
        if quick {
            tests.env("GRAFT_SKIP_POSTGRES", "1").env("GRAFT_SKIP_SSHD", "1").env("GRAFT_SKIP_SLURM", "1");
            tests.env_remove("GRAFT_TEST_OPENAI").env_remove("GRAFT_TEST_MLFLOW").env_remove("GRAFT_TEST_RAY");
        }
        tests
    }

    /// Tries failed black-box tests again, alone. Those that pass are named at the end.
    fn again(&mut self, quick: bool, failed: Vec<String>) -> anyhow::Result<()> {
        if failed.is_empty() {
            return Ok(());
        }
        println!("\nTried again, alone: {}", failed.join(", "));
        let (mut tests, mut counts) = (self.tests(quick), Counts::default());
        for target in BLACK_BOX {
            tests.args(["--test", target]);
        }
        shell::run_and_read(tests.args(["--", "--exact"]).args(&failed), |line| counts.add(line))?;
        let passed = counts.passed;
        ensure!(
            passed >= failed.len(),
            "{} tests failed, and only {passed} of them start other programs",
            failed.len()
        );
        self.lacking.extend(failed.iter().map(|test| format!("`{test}` failed and passed when tried again: mend it")));
        Ok(())
    }
}

/// The checks that need no compilation.
pub(crate) fn shape() -> anyhow::Result<()> {
    layers::run()?;
    tidy::run()?;
    pages::run()
}

fn warn(text: &str) {
    eprintln!("\n!!! WARNING: {}\n", text.replace('\n', "\n!!! "));
}

/// Runs the steps in turn.
#[derive(Default)]
struct Steps {
    /// Those that passed, with their times.
    passed: Vec<(&'static str, Duration)>,
    /// Steps are left out until this one.
    first: Option<String>,
}

impl Steps {
    fn run(&mut self, name: &'static str, step: impl FnOnce() -> anyhow::Result<()>) -> anyhow::Result<()> {
        if self.first.take_if(|first| first == name).is_none() && self.first.is_some() {
            return Ok(());
        }
        println!("\n── {name} {}", "─".repeat(70 - name.len()));
        let clock = Instant::now();
        step().with_context(|| format!("step `{name}` failed after {}", shell::seconds(clock.elapsed())))?;
        self.passed.push((name, clock.elapsed()));
        println!("── {name}: {}", shell::seconds(clock.elapsed()));
        Ok(())
    }

    fn report(&self, counts: &Counts) {
        let Counts { passed, ignored, suites, .. } = counts;
        println!("\nAll steps passed: {passed} tests in {suites} suites ({ignored} ignored).");
        for (name, time) in &self.passed {
            println!("  {name:<8} {:>12}", shell::seconds(*time));
        }
        println!("  {:<8} {:>12}", "total", shell::seconds(self.passed.iter().map(|(_, time)| *time).sum()));
    }
}

/// Sums over cargo's `test result:` lines, and the tests that failed.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) passed: usize,
    ignored: usize,
    /// Suites that began, and those that came to their end.
    begun: usize,
    suites: usize,
    failed: Vec<String>,
}

impl Counts {
    pub(crate) fn add(&mut self, line: &str) {
        let Some(result) = line.strip_prefix("test result: ") else {
            let failed = line.strip_prefix("test ").and_then(|line| line.strip_suffix(" ... FAILED"));
            self.failed.extend(failed.map(str::to_owned));
            let tests = line.strip_prefix("running ").and_then(|line| line.split_once(" test"));
            let begins = tests.is_some_and(|(count, end)| count.parse::<usize>().is_ok() && ["", "s"].contains(&end));
            self.begun += usize::from(begins);
            return;
        };
        let count = |what: &str| -> usize {
            let words: Vec<&str> = result.split_whitespace().collect();
            let at = words.iter().position(|word| word.trim_end_matches(';') == what);
            at.and_then(|at| words.get(at.checked_sub(1)?)?.parse().ok()).unwrap_or(0)
        };
        self.suites += 1;
        self.passed += count("passed");
        self.ignored += count("ignored");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn test_counts_equal_cargos() {
        let mut counts = Counts::default();
        counts.add("running 13 tests");
        counts.add("test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s");
        counts.add("test passed ... ok");
        counts.add("test runs::stopped ... FAILED");
        counts.add("running 1 test");
        counts.add("running late");
        counts.add("running 3 tests");
        counts.add("test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured; 4 filtered out; finished in 0.01s");
        let failed = vec!["runs::stopped".to_owned()];
        assert_eq!(counts, Counts { passed: 15, ignored: 1, begun: 3, suites: 2, failed });
    }
}
