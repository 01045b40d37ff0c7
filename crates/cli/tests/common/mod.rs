//! Runs the real `graft` in a home of its own.
#![allow(dead_code, reason = "each test file uses its part")]

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use serde_json::Value;

/// A `GRAFT_HOME` that goes away with its tests.
pub(crate) struct Graft {
    pub(crate) dir: tempfile::TempDir,
    /// A database elsewhere than in the home.
    database: Option<String>,
}

/// What a command said.
pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Graft {
    pub(crate) fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap(), database: None }
    }

    /// With its database on a server.
    pub(crate) fn on(database: String) -> Self {
        Self { database: Some(database), ..Self::new() }
    }

    /// A home with a tiny Llama (`tiny`) and 60 easy examples of text-classification.
    pub(crate) fn with_toy_task() -> Self {
        let graft = Self::new();
        graft.add_toy_task();
        graft
    }

    pub(crate) fn add_toy_task(&self) {
        let csv: String = (0..60)
            .map(|i| {
                if i % 2 == 1 {
                    format!("{}{i},good\n", "yes ".repeat(6))
                } else {
                    format!("{}{i},bad\n", "no ".repeat(6))
                }
            })
            .collect();
        let csv = self.file("toy.csv", &format!("text,label\n{csv}"));
        self.ok(&["import", "csv", csv.to_str().unwrap()]);
        self.ok(&["base", "add", "tiny", model("tiny-llama").to_str().unwrap()]);
    }

    pub(crate) fn home(&self) -> PathBuf {
        self.dir.path().join("home")
    }

    pub(crate) fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.dir.path().join(name);
        fs::write(&path, text).unwrap();
        path
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_graft"));
        command.args(args).current_dir(self.dir.path());
        command.env_remove("GRAFT_DATABASE").env_remove("HF_HUB_CACHE").env_remove("HF_TOKEN");
        command.env("GRAFT_HOME", self.home()).env("GRAFT_USER", "ada");
        self.database.iter().for_each(|url| {
            command.env("GRAFT_DATABASE", url);
        });
        command.env("HF_HOME", self.dir.path().join("hf")).env("HF_HUB_OFFLINE", "1");
        command
    }

    pub(crate) fn run(&self, args: &[&str]) -> Said {
        let Output { status, stdout, stderr } = self.command(args).output().unwrap();
        Said {
            code: status.code().unwrap_or(-1),
            stdout: String::from_utf8(stdout).unwrap(),
            stderr: String::from_utf8(stderr).unwrap(),
        }
    }

    /// Runs what must work; returns its stdout.
    pub(crate) fn ok(&self, args: &[&str]) -> String {
        let said = self.run(args);
        assert_eq!(said.code, 0, "{args:?}\n{}\n{}", said.stdout, said.stderr);
        said.stdout
    }

    /// Runs what must work with `--json`; stdout must be one document.
    pub(crate) fn json(&self, args: &[&str]) -> Value {
        let text = self.ok(&[args, &["--json"]].concat());
        serde_json::from_str(&text).unwrap_or_else(|e| panic!("{args:?}: {e}\n{text}"))
    }

    /// Runs what must fail with this exit code; stderr must say it once, with a hint unless `hint` is empty.
    #[track_caller]
    pub(crate) fn fails(&self, code: i32, args: &[&str], words: &str) -> Said {
        let said = self.run(args);
        assert_eq!(said.code, code, "{args:?}\n{}\n{}", said.stdout, said.stderr);
        assert!(said.stderr.contains("error: "), "{args:?}: {}", said.stderr);
        assert!(said.stderr.contains(words), "{args:?}: `{words}` is not in\n{}", said.stderr);
        said
    }
}

/// A tiny model of the parity data.
pub(crate) fn model(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../testkit/data/parity").join(name)
}

/// Sample data.
pub(crate) fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tasks/data").join(name)
}
