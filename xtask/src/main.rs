//! Development tasks: `cargo xtask help`.

mod bench;
mod campaign;
mod commands;
mod demo;
mod deny;
mod dist;
mod fuzz;
mod kubernetes;
mod layers;
mod pages;
mod parity;
mod prepare;
mod shell;
mod test;
mod tidy;
mod ui;

use std::{path::Path, process::ExitCode};

use anyhow::{Context as _, bail};

const HELP: &str = "\
Development tasks:

  cargo xtask test [--quick] [--from STEP]
                                 run everything that must pass before a change is merged; --quick downloads nothing and
                                 skips Postgres and the real base model; --from leaves out the steps before STEP
  cargo xtask demo [--full]      run the whole workflow: import sample messages, train, compare with the contestants,
                                 extract a new message, serve the page; --full trains three times as long
  cargo xtask layers             check the crates' dependencies, tracked files, and links in the documentation
  cargo xtask parity FOLDER…     compare with numbers of transformers and PEFT, such as crates/testkit/data/parity/*
  cargo xtask bench [NAME…] [--rounds N]
                                 measure speed and memory beside peers: gemm, kernels, train, t5, infer, gguf, start,
                                 growth, adapters, serve; and quality: parity, quality. Installs PEFT (6 GB) unless
                                 GRAFT_PEER_PYTHON names a Python that has it
  cargo xtask fuzz [MINUTES [READER]]
                                 feed random damaged files to every reader of untrusted files, or to those whose name
                                 contains READER, for MINUTES (10) each
  cargo xtask campaign [PART…] [--kills N] [--runs N] [--lines N] [--seed N]
                                 kill and pause servers and workers at random moments under load, and make every file
                                 and database operation fail: kills, kills-postgres, workers, database, files; an hour
                                 or more on two cores
  cargo xtask ui                 install the page's packages and build it into ui/dist, which `graft` embeds
  cargo xtask screenshots        take the screenshots in docs/images
  cargo xtask dist [--cuda]      build a release (with GPU code) and pack it into target/dist: an archive, a Debian package, and
                                 a container image; --check PROGRAM packs a program and tries all three in a bare root
  cargo xtask gpu                compile the GPU kernels with NVRTC, fetched by pip; needs no GPU
  cargo xtask deny               check dependencies for vulnerabilities, licences and sources (cargo-deny)
  cargo xtask commands           write docs/commands.md from `graft --help`
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
        ["test"] => in_root(|| test::run(false, None)),
        ["test", "--quick"] => in_root(|| test::run(true, None)),
        ["test", "--from", step] => in_root(|| test::run(false, Some(step))),
        ["test", "--quick", "--from", step] => in_root(|| test::run(true, Some(step))),
        ["layers"] => in_root(test::shape),
        ["demo"] => in_root(|| demo::run(false)),
        ["demo", "--full"] => in_root(|| demo::run(true)),
        ["fuzz"] => in_root(|| fuzz::run(10.0, "")),
        ["fuzz", minutes, reader @ ..] if reader.len() < 2 => {
            let minutes = minutes.parse().context("write a number of minutes")?;
            in_root(|| fuzz::run(minutes, reader.first().unwrap_or(&"")))
        }
        ["bench", what @ ..] => in_root(|| bench::run(what)),
        ["campaign", what @ ..] => in_root(|| campaign::run(what)),
        ["ui"] => in_root(ui::build),
        ["screenshots"] => in_root(ui::screenshots),
        ["gpu"] => in_root(|| shell::run(std::process::Command::new("python3").arg("crates/gpu/compile.py"))),
        ["dist"] => in_root(|| dist::run(false)),
        ["dist", "--check", program] => {
            let program = std::path::absolute(program)?;
            in_root(|| dist::check(&program)?.map_err(|why| anyhow::anyhow!("nothing was tried: {why}")))
        }
        ["dist", "--cuda"] => in_root(|| dist::run(true)),
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

/// Runs a task in the root of the repository, whatever the working directory is. Without cargo it is the working directory.
fn in_root(task: impl FnOnce() -> anyhow::Result<()>) -> anyhow::Result<()> {
    match std::env::var("CARGO_MANIFEST_DIR") {
        Ok(here) => std::env::set_current_dir(format!("{here}/.."))?,
        Err(_) if Path::new("xtask/Cargo.toml").exists() => {}
        Err(_) => bail!("start it as `cargo xtask`, or in the root of the repository"),
    }
    task()
}
