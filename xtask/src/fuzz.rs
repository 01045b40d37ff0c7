//! The property tests of all readers of untrusted files, with new random damage until the time is over.

use std::{
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail, ensure};
use serde_json::Value;

use crate::shell;

/// Kind of input, the crate and the test program, and the tests' names.
const READERS: [(&str, &str, &str, &[&str]); 9] = [
    ("GGUF files", "graft-formats", "hostile", &["gguf"]),
    ("safetensors files", "graft-formats", "hostile", &["safetensors"]),
    ("model configs", "graft-formats", "hostile", &["config"]),
    ("tokenizers", "graft-formats", "hostile", &["tokenizer", "tokenizer_config_and_template"]),
    ("adapters", "graft-formats", "hostile", &["adapters"]),
    ("contestants and n-grams", "graft-contestants", "graft_contestants", &["tests::damaged_"]),
    ("Slack exports", "graft-tasks", "graft_tasks", &["slack::tests::any_", "slack::tests::damaged_"]),
    ("databases", "graft-tasks", "graft_tasks", &["ask_ai::tests::damaged_", "ask_ai::suggestion::"]),
    ("CSV, JSONL and prompt texts", "graft-tasks", "graft_tasks", &["tabular::tests::any_"]),
];

/// Random cases per start of a test program.
const CASES: u64 = 2000;

/// Tests each reader whose name contains `reader` for `minutes`, two at a time; a failure prints the damaged input.
pub(crate) fn run(minutes: f64, reader: &str) -> anyhow::Result<()> {
    let readers: Vec<_> = READERS.iter().filter(|(what, ..)| what.contains(reader)).collect();
    ensure!(!readers.is_empty(), "no reader is called `{reader}`: {}", READERS.map(|(what, ..)| what).join(", "));
    let programs = programs()?;
    let time = Duration::from_secs_f64(minutes * 60.0);
    let mut failed = Vec::new();
    for pair in readers.chunks(2) {
        std::thread::scope(|scope| {
            let running: Vec<_> = pair
                .iter()
                .map(|(what, _, program, tests)| (*what, scope.spawn(|| one(&programs, program, tests, time))))
                .collect();
            for (what, thread) in running {
                match thread.join() {
                    Ok(Ok(starts)) => {
                        println!("{what}: {starts} rounds of up to {CASES} random cases a test, nothing found")
                    }
                    Ok(Err(error)) => failed.push(format!("{what}: {error:#}")),
                    Err(_) => failed.push(format!("{what}: not run")),
                }
            }
        });
    }
    if failed.is_empty() { Ok(()) } else { bail!("{}", failed.join("\n")) }
}

/// Starts the tests repeatedly; returns how often.
fn one(programs: &[(String, String)], program: &str, tests: &[&str], time: Duration) -> anyhow::Result<u64> {
    let (_, path) = programs.iter().find(|(name, _)| name == program).context("its test program was not built")?;
    let (clock, mut starts) = (Instant::now(), 0);
    while clock.elapsed() < time {
        let mut command = Command::new(path);
        command.args(tests).arg("--test-threads=1").env("PROPTEST_CASES", CASES.to_string());
        let out = command.stdin(Stdio::null()).output()?;
        let text = String::from_utf8_lossy(&out.stdout);
        if !out.status.success() || text.contains("running 0 tests") {
            bail!("{}\n{text}{}", out.status, String::from_utf8_lossy(&out.stderr));
        }
        starts += 1;
    }
    Ok(starts)
}

/// Builds the test programs; returns name and path of each.
fn programs() -> anyhow::Result<Vec<(String, String)>> {
    let mut build = shell::cargo();
    build.args(["test", "--no-run", "--message-format=json"]);
    build.args(["-p", "graft-formats", "-p", "graft-tasks", "-p", "graft-contestants"]);
    let said = shell::output(&mut build)?;
    let messages = said.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice::<Value>(line).ok());
    let program = |message: Value| {
        Some((message["target"]["name"].as_str()?.to_owned(), message["executable"].as_str()?.to_owned()))
    };
    Ok(messages.filter_map(program).collect())
}
