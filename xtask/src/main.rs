//! Tasks of the project: `cargo xtask help`.

mod bench;
mod bench_slack;
mod campaign;
mod commands;
mod demo;
mod deny;
mod fuzz;
mod layers;
mod pages;
mod parity;
mod prepare;
mod shell;
mod test;
mod tidy;
mod ui;

use std::process::ExitCode;

use anyhow::{Context as _, bail};

const HELP: &str = "\
Tasks of the project:

  cargo xtask test [--quick]     everything that must pass before a change lands;
                                 --quick fetches nothing: without Postgres and the real base model
  cargo xtask demo [--quick]     the whole way: sample messages, training, comparison with the regex, a new message;
                                 20 minutes on two cores, or 3 with --quick; again, it skips what is done
  cargo xtask layers             crates depend on each other in the allowed directions only; files are short and clean,
                                 links lead somewhere
  cargo xtask parity FOLDER…     numbers equal those that Hugging Face computed, such as crates/testkit/data/parity/*
  cargo xtask bench [NAME…] [--rounds N]
                                 speed and memory beside peers, in turn: gemm, kernels, train, t5, infer, gguf, start,
                                 growth, serve; installs peft (6 GB) unless GRAFT_PEER_PYTHON names a Python that has it;
                                 and that it costs nothing: parity with transformers, and slack: learns from the first 400
                                 messages, tests on the last 100, beside the regex (15 minutes)
  cargo xtask fuzz [MINUTES [READER]]
                                 damaged files for every reader of files from elsewhere, or for those whose name holds
                                 READER; new ones for MINUTES (10) each
  cargo xtask campaign [PART…] [--kills N] [--runs N] [--seed N]
                                 servers and workers killed and paused at random moments under load, and a disk that
                                 refuses at every operation: kills, kills-postgres, workers, database, files; an hour
                                 or more on two cores
  cargo xtask ui                 installs the page's packages and builds it into ui/dist, which `graft` takes in
  cargo xtask screenshots        takes pictures of every page for docs/images
  cargo xtask deny               known holes, licences and sources of the dependencies, by cargo-deny
  cargo xtask commands           writes docs/commands.md from `graft --help`
";

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nerror: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["test"] => in_root(|| test::run(false)),
        ["test", "--quick"] => in_root(|| test::run(true)),
        ["layers"] => in_root(test::shape),
        ["demo"] => in_root(|| demo::run(false)),
        ["demo", "--quick"] => in_root(|| demo::run(true)),
        ["fuzz"] => in_root(|| fuzz::run(10.0, "")),
        ["fuzz", minutes, reader @ ..] if reader.len() < 2 => {
            let minutes = minutes.parse().context("write a number of minutes")?;
            in_root(|| fuzz::run(minutes, reader.first().unwrap_or(&"")))
        }
        ["bench", what @ ..] => in_root(|| bench::run(what)),
        ["campaign", what @ ..] => in_root(|| campaign::run(what)),
        ["ui"] => in_root(ui::build),
        ["screenshots"] => in_root(ui::screenshots),
        ["deny"] => in_root(deny::run),
        ["commands"] => in_root(commands::write),
        ["parity", folders @ ..] => parity::run(folders),
        [] | ["help" | "--help" | "-h"] => {
            print!("{HELP}");
            Ok(())
        }
        other => bail!("no such task: {}\n\n{HELP}", other.join(" ")),
    }
}

/// Works in the root of the repository, wherever it was called.
fn in_root(task: impl FnOnce() -> anyhow::Result<()>) -> anyhow::Result<()> {
    let here = std::env::var("CARGO_MANIFEST_DIR").context("start it as `cargo xtask`")?;
    std::env::set_current_dir(format!("{here}/.."))?;
    task()
}
