//! The long versions of the tests that kill processes at random moments and make every operation fail.

use std::time::Instant;

use anyhow::{Context as _, bail, ensure};

use crate::{prepare, shell, test::Counts};

/// A part by its name, which tests of `graft` it runs, and the variable that makes them long.
const PARTS: [(&str, &str, &str); 10] = [
    ("kills", "campaign::kills_lose_nothing_on_sqlite", "GRAFT_KILLS"),
    ("kills-postgres", "campaign::kills_lose_nothing_on_postgres", "GRAFT_KILLS"),
    ("rented", "rented::no_machine_survives_a_killed_process", "GRAFT_KILLS"),
    ("studies", "search::killed_study_finds_the_same_settings", "GRAFT_KILLS"),
    ("live", "live::stream_with_killed_server_trainer_and_agent", "GRAFT_KILLS"),
    ("workers", "queue::two_workers_finish_every_run_once", "GRAFT_CAMPAIGN"),
    ("batches", "batches::killed_workers_answer_every_line_once", "GRAFT_LINES"),
    ("agents", "agents::many_agents_take_a_new_version", "GRAFT_CAMPAIGN"),
    ("database", "faults::", "GRAFT_CAMPAIGN"),
    ("files", "disk::", "GRAFT_CAMPAIGN"),
];

/// How long each part is.
struct Size {
    kills: u64,
    runs: u64,
    lines: u64,
    seed: u64,
}

/// Runs the named parts, or all.
pub(crate) fn run(arguments: &[&str]) -> anyhow::Result<()> {
    let mut size = Size { kills: 200, runs: 200, lines: 100_000, seed: u64::from(std::process::id()) };
    let mut names = Vec::new();
    let mut arguments = arguments.iter();
    while let Some(&argument) = arguments.next() {
        let mut number = || -> anyhow::Result<u64> {
            let text = arguments.next().with_context(|| format!("{argument} needs a number"))?;
            text.parse().with_context(|| format!("{argument} needs a number, not `{text}`"))
        };
        match argument {
            "--kills" => size.kills = number()?,
            "--runs" => size.runs = number()?,
            "--lines" => size.lines = number()?,
            "--seed" => size.seed = number()?,
            name if PARTS.iter().any(|(known, ..)| *known == name) => names.push(name),
            other => bail!("no part is called {other}; there are {}", PARTS.map(|(name, ..)| name).join(", ")),
        }
    }
    prepare::postgres()?;
    for (name, tests, variable) in PARTS.iter().filter(|(name, ..)| names.is_empty() || names.contains(name)) {
        println!("\n## {name}: seed {}\n", size.seed);
        let length = match *variable {
            "GRAFT_KILLS" => size.kills,
            "GRAFT_LINES" => size.lines,
            _ => size.runs,
        };
        let began = Instant::now();
        let mut cargo = shell::cargo();
        cargo.args(["test", "--workspace", "--test", "program", "--", tests]);
        cargo.args(["--nocapture", "--test-threads", "1"]);
        cargo.env(variable, length.to_string()).env("GRAFT_SEED", size.seed.to_string());
        let mut counts = Counts::default();
        shell::run_and_read(&mut cargo, |line| counts.add(line))?;
        ensure!(counts.passed > 0, "no test is called {tests}…");
        println!("{name}: {}", shell::seconds(began.elapsed()));
    }
    Ok(())
}
