//! The `graft` command that is measured, with a folder for its state.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, ensure};
use serde_json::Value;

/// A program with its home.
pub(super) struct Program {
    graft: PathBuf,
    home: PathBuf,
    /// What its commands say on standard error is appended.
    log: PathBuf,
}

/// What a command did.
pub(super) struct Done {
    /// What it printed.
    pub(super) said: Vec<u8>,
    /// Seconds of CPU time that it and its processes took.
    pub(super) cpu: f64,
}

impl Program {
    pub(super) fn new(graft: &Path, home: PathBuf, log: PathBuf) -> Self {
        Self { graft: graft.to_owned(), home, log }
    }

    /// Runs a command, which must succeed.
    pub(super) fn run(&self, arguments: &[&str]) -> anyhow::Result<Done> {
        let times = self.log.with_extension("times");
        let mut command = Command::new("sh");
        command.args(["-c", "\"$@\"; code=$?; times >\"$TIMES\"; exit $code", "sh"]).arg(&self.graft).args(arguments);
        command.env("TIMES", &times).env("GRAFT_HOME", &self.home).env_remove("GRAFT_DATABASE");
        let log = File::options().create(true).append(true).open(&self.log)?;
        let done =
            command.stderr(log).output().with_context(|| format!("{} can't be started", self.graft.display()))?;
        let what = arguments[..2].join(" ");
        ensure!(done.status.success(), "`graft {what}` failed ({}); see {}", done.status, self.log.display());
        let said = fs::read_to_string(&times)?;
        // Two lines: the time of the shell, and that of all processes which ended below it.
        let cpu = said.lines().last().unwrap_or_default().split_whitespace().map(seconds).sum::<Option<f64>>();
        Ok(Done { said: done.stdout, cpu: cpu.with_context(|| format!("`times` printed `{said}`"))? })
    }

    /// What a command with `--json` says.
    pub(super) fn ask(&self, arguments: &[&str]) -> anyhow::Result<Value> {
        let said = self.run(&[arguments, &["--json"]].concat())?.said;
        serde_json::from_slice(&said).with_context(|| format!("`graft {}` printed no JSON", arguments.join(" ")))
    }
}

/// Seconds of a time as `times` prints it, such as `1m2.34s`.
fn seconds(text: &str) -> Option<f64> {
    let (minutes, seconds) = text.strip_suffix('s')?.split_once('m')?;
    Some(60.0 * minutes.parse::<f64>().ok()? + seconds.parse::<f64>().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read() {
        assert_eq!(seconds("1m2.50s"), Some(62.5));
        assert_eq!(seconds("0m0.01s"), Some(0.01));
        assert_eq!(seconds("fast"), None);
    }
}
