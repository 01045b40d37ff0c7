//! Runs the real `graft` in a home of its own.

pub(crate) mod server;

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Output},
    thread::sleep,
    time::{Duration, Instant},
};

use rand::{RngExt as _, SeedableRng as _, rngs::ChaCha8Rng};
use serde_json::Value;

/// A `GRAFT_HOME` that goes away with its tests.
pub(crate) struct Graft {
    pub(crate) dir: tempfile::TempDir,
    /// A database elsewhere than in the home.
    database: Option<String>,
    /// More variables for its commands.
    variables: Vec<(&'static str, String)>,
}

/// What a command said.
pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Said {
    /// What this command says.
    pub(crate) fn of(mut command: Command) -> Self {
        let Output { status, stdout, stderr } = command.output().unwrap();
        Self {
            code: status.code().unwrap_or(-1),
            stdout: String::from_utf8(stdout).unwrap(),
            stderr: String::from_utf8(stderr).unwrap(),
        }
    }
}

impl Graft {
    pub(crate) fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap(), database: None, variables: Vec::new() }
    }

    /// With its database on a server.
    pub(crate) fn on(database: String) -> Self {
        let mut graft = Self::new();
        graft.database = Some(database);
        graft
    }

    /// With its adapters in a bucket.
    pub(crate) fn with_bucket(mut self, server: &graft_testkit::S3) -> Self {
        self.variables = server.environment().into();
        self.variables.push(("GRAFT_ARTIFACTS", server.url()));
        self
    }

    /// With one more variable for its commands.
    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.variables.retain(|(known, _)| *known != name);
        self.variables.push((name, value.into()));
        self
    }

    /// A home with a tiny Llama (`tiny`) and 60 easy examples of text-classification.
    pub(crate) fn with_toy_task() -> Self {
        let graft = Self::new();
        graft.add_toy_task();
        graft
    }

    /// The same examples under more tasks, each of which can have a run.
    pub(crate) fn add_toy_to(&self, tasks: &[&str]) {
        let csv = self.dir.path().join("toy.csv");
        tasks.iter().for_each(|task| drop(self.ok(&["import", "csv", csv.to_str().unwrap(), "--task", task])));
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

    /// Path or URL of its database.
    pub(crate) fn database(&self) -> String {
        let file = || self.home().join("graft.db").to_str().unwrap().to_owned();
        self.database.clone().unwrap_or_else(file)
    }

    pub(crate) fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.dir.path().join(name);
        fs::write(&path, text).unwrap();
        path
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_graft"));
        command.args(args);
        self.at_home(command)
    }

    /// A command in the environment of this home.
    pub(crate) fn at_home(&self, mut command: Command) -> Command {
        command.current_dir(self.dir.path());
        // No test may rent a machine of the person who runs it.
        command
            .env_remove("LAMBDA_LABS_API_KEY")
            .env_remove("LAMBDA_API_KEY")
            .env_remove("RUNPOD_API_KEY")
            .env_remove("CEREBROS_URL");
        command.env_remove("GRAFT_DATABASE").env_remove("HF_HUB_CACHE").env_remove("HF_TOKEN");
        command.env("GRAFT_HOME", self.home()).env("GRAFT_USER", "ada");
        self.database.iter().for_each(|url| {
            command.env("GRAFT_DATABASE", url);
        });
        command.env("HF_HOME", self.dir.path().join("hf")).env("HF_HUB_OFFLINE", "1");
        command.env_remove("GRAFT_ARTIFACTS").envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }

    pub(crate) fn run(&self, args: &[&str]) -> Said {
        Said::of(self.command(args))
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

    /// Processes of this home that train or measure a run: found at once, before they can end.
    pub(crate) fn processes(&self) -> Vec<u32> {
        let home = self.home().into_os_string().into_encoded_bytes();
        let is_ours = |command: &[u8]| {
            let mut words = command.split(|byte| *byte == 0);
            words.any(|word| word == b"train-dir" || word == b"eval-dir") && words.any(|word| word.starts_with(&home))
        };
        let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
        let numbers = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        numbers.filter(|pid| fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|text| is_ours(&text))).collect()
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

/// Trainers outlive the process that started them, but not their test.
impl Drop for Graft {
    fn drop(&mut self) {
        for pid in self.processes() {
            // It may have ended just now.
            let _ = signal(pid, "KILL");
        }
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

/// The events in a run's directory.
pub(crate) fn events(graft: &Graft, run: &str) -> Vec<graft_core::Event> {
    let text = fs::read_to_string(graft.home().join("runs").join(run).join("events.jsonl")).unwrap_or_default();
    // A trainer that was killed may have left half a line.
    let whole = &text[..text.rfind('\n').map_or(0, |end| end + 1)];
    whole.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// What the follower of a short run that has succeeded wrote into the database is what its directory holds: each event
/// once and none lost, whoever followed it and however often that one was killed; the output likewise.
pub(crate) async fn check_followed(graft: &Graft, store: &graft_store::Store, run: &str) {
    let kept = store.run_events(run, 0, u32::MAX).await.unwrap();
    let seqs = |events: &[graft_core::Event]| events.iter().map(|event| event.seq).collect::<Vec<_>>();
    let written = events(graft, run);
    assert_eq!(seqs(&kept), seqs(&written), "{run}: events of the database and of the directory");
    assert!(kept.iter().zip(&written).all(|(kept, written)| json(kept) == json(written)), "{run}: other events");
    let (mut log, mut at) = (String::new(), 0);
    loop {
        let part = store.run_log(run, graft_store::LogStream::Stdout, at).await.unwrap();
        if part.text.is_empty() {
            break;
        }
        (log, at) = (log + &part.text, part.next);
    }
    let file = fs::read_to_string(graft.home().join("runs").join(run).join("stdout.log")).unwrap();
    // Making the version active comes after the last look at its process, and belongs to no process of the run.
    assert!(!log.is_empty() && file.starts_with(&log), "{run}: {log}\n--- is not ---\n{file}");
}

fn json(event: &graft_core::Event) -> Value {
    serde_json::to_value(event).unwrap()
}

/// A run's events are one line of succession, whoever wrote them, and end it at most once; returns how often it was done.
pub(crate) fn check_events(graft: &Graft, run: &str) -> usize {
    let events: Vec<Value> = events(graft, run).iter().map(json).collect();
    let seqs = events.iter().map(|event| event["seq"].as_u64().unwrap());
    assert!(seqs.eq(1..=events.len() as u64), "{run}: two trainers wrote at once");
    assert!(events.is_sorted_by_key(|event| event["at"].as_i64().unwrap()), "{run}: times interleave");
    let dones = events.iter().filter(|event| event["event"] == "done").count();
    assert!(dones <= 1, "{run} was done {dones} times");
    dones
}

/// Sends a process a signal; says whether there was such a process.
pub(crate) fn signal(pid: u32, name: &str) -> bool {
    Command::new("kill").args([&format!("-{name}"), &pid.to_string()]).status().unwrap().success()
}

/// Waits for the end of a process that was told to end.
#[track_caller]
pub(crate) fn ended(child: &mut Child) -> ExitStatus {
    let asked = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        assert!(asked.elapsed() < Duration::from_secs(60), "process {} doesn't end", child.id());
        sleep(Duration::from_millis(20));
    }
}

/// What random moments and places follow from: GRAFT_SEED, or the commit, so that a failure repeats and over commits
/// everything has its turn.
pub(crate) fn seed() -> u64 {
    let given = std::env::var("GRAFT_SEED").ok().and_then(|seed| seed.parse().ok());
    let commit = || {
        let said =
            Command::new("git").args(["rev-parse", "HEAD"]).current_dir(env!("CARGO_MANIFEST_DIR")).output().ok()?;
        u64::from_str_radix(std::str::from_utf8(&said.stdout).ok()?.get(..8)?, 16).ok()
    };
    given.or_else(commit).unwrap_or(1)
}

/// First and stride of the operations that are struck: with GRAFT_CAMPAIGN every one, otherwise one of `some`.
pub(crate) fn points(some: u64) -> (u64, u64) {
    let stride = if std::env::var_os("GRAFT_CAMPAIGN").is_some() { 1 } else { some };
    let first = 1 + seed() % stride;
    println!("every {stride}th operation from {first}; repeat it with GRAFT_SEED={}", seed());
    (first, stride)
}

/// Random numbers that follow from a seed.
pub(crate) struct Random(ChaCha8Rng);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    /// One of `0..end`.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.0.random_range(0..end)
    }
}
