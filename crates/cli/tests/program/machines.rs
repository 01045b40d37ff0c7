//! Trainings on another machine, for which the tests start a real `sshd`.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use graft_testkit::{Ray, Slurm, Sshd};
use serde_json::Value;

use crate::common::{Graft, Said, check_events, check_followed, ended};

const TRAIN: [&str; 8] = ["train", "text-classification", "--base", "tiny", "--batch-size", "4", "--dropout", "0.1"];
const LONG: [&str; 6] = ["--epochs", "40", "--checkpoints-per-epoch", "3", "--patience", "0"];

/// A home, and a machine that it knows as `gpu`.
struct Pair {
    graft: Graft,
    there: Sshd,
}

impl Pair {
    fn new() -> Option<Self> {
        let pair = Self::strangers()?;
        let added = pair.json(&["machines", "add", "gpu", "there", "--slots", "2"]);
        assert_eq!((&added["machine"]["slots"], &added["machine"]["destination"]), (&2.into(), &"there".into()));
        assert!(added["found"]["program"].as_str().unwrap().starts_with("graft "), "{added:#}");
        Some(pair)
    }

    /// The machine isn't known yet.
    fn strangers() -> Option<Self> {
        Some(Self { there: Sshd::start()?, graft: Graft::with_toy_task() })
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = self.graft.command(args);
        command.env("GRAFT_SSH_CONFIG", self.there.config()).env("XDG_RUNTIME_DIR", self.there.runtime());
        command
    }

    fn json(&self, args: &[&str]) -> Value {
        let said = Said::of(self.command(&[args, &["--json"]].concat()));
        assert_eq!(said.code, 0, "{args:?}\n{}\n{}", said.stdout, said.stderr);
        serde_json::from_str(&said.stdout).unwrap()
    }

    fn fails(&self, code: i32, args: &[&str], words: &str) {
        let said = Said::of(self.command(args));
        assert_eq!(said.code, code, "{args:?}\n{}\n{}", said.stdout, said.stderr);
        assert!(said.stderr.contains(words) && said.stderr.contains("hint: "), "{args:?}: {}", said.stderr);
    }

    fn begin(&self, args: &[&str]) -> Child {
        self.command(args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    }

    fn dir(&self, run: &str) -> PathBuf {
        self.graft.home().join("runs").join(run)
    }

    /// Waits until the trainer there has made checkpoints.
    fn wait_for_checkpoint(&self, run: &str) {
        let events = self.there.cache().join("runs").join(run).join("events.jsonl");
        let count = || fs::read_to_string(&events).unwrap_or_default().matches("\"event\":\"checkpoint\"").count();
        let (began, before) = (Instant::now(), count());
        while count() < before + 2 {
            assert!(began.elapsed() < Duration::from_secs(120), "no checkpoint in two minutes");
            sleep(Duration::from_millis(5));
        }
    }

    fn state(&self, run: &str) -> Value {
        self.json(&["runs", "show", run])["run"].clone()
    }
}

fn adapter(dir: &Path) -> Vec<u8> {
    fs::read(dir.join("adapter/adapter_model.safetensors")).unwrap()
}

#[tokio::test]
async fn remote_training_gives_same_adapter() {
    let Some(pair) = Pair::new() else { return };
    let here = pair.json(&[&TRAIN[..], &["--run-id", "here", "--no-eval"]].concat());
    let there = pair.json(&[&TRAIN[..], &["--run-id", "there", "--on", "gpu", "--skip-base"]].concat());
    assert_eq!((&here["run"], &there["run"]), (&"here".into(), &"there".into()));
    assert_eq!(adapter(&pair.dir("here")), adapter(&pair.dir("there")));
    assert!(there["version"]["metrics"].to_string().contains("evaluation"), "{there:#}");
    assert_eq!(pair.state("there")["on"], "gpu");
    check_events(&pair.graft, "there");
    let store = graft_store::Store::open(&pair.graft.database()).await.unwrap();
    check_followed(&pair.graft, &store, "there").await;
    // What is done leaves nothing there but the program and the base model, which are sent once.
    let cache = pair.there.cache();
    assert!(!cache.join("runs/there").exists() && !cache.join("jobs/there").exists());
    assert_eq!(fs::read_dir(cache.join("bases")).unwrap().count(), 1);
    let listed = pair.json(&["machines", "list"]);
    assert_eq!(listed["machines"][0]["name"], "gpu");
    pair.fails(2, &[&TRAIN[..], &["--on", "nowhere"]].concat(), "find machine `nowhere`");
    pair.fails(2, &["machines", "add", "evil", "--", "-oProxyCommand=true"], "as a machine");
    pair.fails(2, &["machines", "add", "gpu", "there"], "it exists");
    // Problems are reported at once.
    pair.there.let_in(false).unwrap();
    pair.there.hang_up();
    pair.fails(2, &["machines", "check", "gpu"], "Permission denied");
    pair.fails(2, &[&TRAIN[..], &["--on", "gpu", "--seed", "7"]].concat(), "log in to `there`");
    pair.there.let_in(true).unwrap();
    pair.json(&["machines", "remove", "gpu"]);
}

#[tokio::test]
async fn training_by_slurm_gives_same_adapter_and_shows_its_queue() {
    let (Some(pair), Some(slurm)) = (Pair::strangers(), Slurm::start()) else { return };
    pair.there.set_env(&[slurm.variable(), "GRAFT_SLURM_PACE=1".into()]).unwrap();
    let add = ["machines", "add", "hpc", "there", "--slurm", "--memory", "4G", "--cpus", "2", "--time-limit", "60"];
    pair.fails(2, &[&add[..], &["--partition", "nowhere"]].concat(), "partition");
    pair.fails(2, &[&add[..], &["--account", "a b"]].concat(), "account");
    let added = pair.json(&[&add[..], &["--partition", "main"]].concat());
    assert_eq!(
        (&added["machine"]["launcher"]["kind"], &added["machine"]["launcher"]["cpus"]),
        (&"slurm".into(), &2.into())
    );
    assert!(added["found"]["scheduler"].as_str().unwrap().starts_with("slurm"), "{added:#}");
    // Its node takes no jobs yet: the run says what it waits for.
    let node = slurm.ask("sinfo", &["-h", "-o", "%n"]).unwrap();
    let set = |state: &str| {
        let name = format!("NodeName={node}");
        slurm.ask("scontrol", &["update", &name, state, "Reason=test"]).unwrap();
    };
    set("State=DRAIN");
    let mut command =
        pair.begin(&[&TRAIN[..], &["--run-id", "there", "--on", "hpc", "--no-eval", "--threads", "2"]].concat());
    let began = Instant::now();
    let shown = || Said::of(pair.command(&["runs", "show", "there", "--json"])).stdout;
    while !shown().contains("waits in the queue of hpc") {
        assert!(began.elapsed() < Duration::from_secs(120), "{}", shown());
        sleep(Duration::from_millis(200));
    }
    // Whoever submitted it is killed; the next one finds its job.
    command.kill().unwrap();
    command.wait().unwrap();
    set("State=RESUME");
    let there = pair.json(&[&TRAIN[..], &["--run-id", "there", "--on", "hpc", "--no-eval", "--threads", "2"]].concat());
    assert_eq!(there["run"], "there");
    pair.json(&[&TRAIN[..], &["--run-id", "here", "--no-eval", "--threads", "2"]].concat());
    assert_eq!(adapter(&pair.dir("here")), adapter(&pair.dir("there")));
    check_events(&pair.graft, "there");
    assert!(!pair.there.cache().join("jobs/there").exists(), "a job is left there");
    let ended = slurm.ended().unwrap();
    assert_eq!(ended.matches("Name=graft-there").count(), 1, "one job, once: {ended}");
}

#[tokio::test]
async fn training_on_ray_gives_same_adapter_and_trials_run_at_once() {
    let Some(cluster) = Ray::start() else { return };
    let graft = Graft::with_toy_task().with("RAY_AUTH_TOKEN", Ray::TOKEN);
    let shared = graft.dir.path().join("shared");
    let (url, folder) = (cluster.url(), shared.to_str().unwrap());
    let add = |more: &[&'static str]| [&["machines", "add", "ray", &url, "--ray", "--shared", folder], more].concat();
    let fails = |code: i32, command: Command, words: &str| {
        let said = Said::of(command);
        assert_eq!(said.code, code, "{}\n{}", said.stdout, said.stderr);
        assert!(said.stderr.contains(words) && said.stderr.contains("hint: "), "{}", said.stderr);
    };
    fails(
        2,
        graft.command(&["machines", "add", "ray", "head:8265", "--ray", "--shared", folder]),
        "the address of a Ray",
    );
    fails(2, graft.command(&["machines", "add", "ray", &url, "--ray", "--shared", "graft"]), "shared");
    let nobody = "http://127.0.0.1:1";
    fails(14, graft.command(&["machines", "add", "ray", nobody, "--ray", "--shared", folder]), "reach Ray");
    fails(2, graft.command(&add(&["--nodes", "/no/such"])), "find Graft's files in `/no/such`");
    fails(2, graft.command(&add(&["--gpus", "a100:1"])), "gpus");
    let mut command = graft.command(&add(&[]));
    command.env("RAY_AUTH_TOKEN", "another");
    fails(2, command, "log in to Ray");
    let added = graft.json(&add(&["--slots", "4"]));
    assert_eq!(
        (&added["machine"]["launcher"]["kind"], &added["machine"]["launcher"]["shared"]),
        (&"ray".into(), &folder.into())
    );
    assert!(added["found"]["scheduler"].as_str().unwrap().starts_with("ray "), "{added:#}");
    let mut check = graft.command(&["machines", "check", "ray"]);
    check.env("RAY_AUTH_TOKEN", "another");
    fails(2, check, "log in to Ray");

    // Whoever submitted it is killed; the next one finds its job.
    let train = [&TRAIN[..], &["--run-id", "there", "--on", "ray", "--no-eval", "--threads", "2"]].concat();
    let mut command = graft.command(&train).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let began = Instant::now();
    while !shared.join("jobs/there/attempt").exists() {
        assert!(began.elapsed() < Duration::from_secs(120), "nothing is submitted");
        sleep(Duration::from_millis(20));
    }
    command.kill().unwrap();
    command.wait().unwrap();
    assert_eq!(graft.json(&train)["run"], "there");
    graft.json(&[&TRAIN[..], &["--run-id", "here", "--no-eval", "--threads", "2"]].concat());
    let dir = |run: &str| graft.home().join("runs").join(run);
    assert_eq!(adapter(&dir("here")), adapter(&dir("there")));
    check_events(&graft, "there");
    let store = graft_store::Store::open(&graft.database()).await.unwrap();
    check_followed(&graft, &store, "there").await;
    assert!(!shared.join("runs/there").exists() && !shared.join("jobs/there").exists(), "files are left there");

    let search = ["search", "text-classification", "--base", "tiny", "--budget", "4-trials", "--parallel", "4"];
    let found =
        graft.json(&[&search[..], &["--on", "ray", "--epochs", "60", "--threads", "1", "--seed", "5"]].concat());
    let trials = found["trials"].as_array().unwrap();
    assert_eq!((trials.len(), &found["study"]["state"]), (4, &"done".into()));
    let runs: Vec<Value> = trials
        .iter()
        .map(|trial| graft.json(&["runs", "show", trial["run"].as_str().unwrap()])["run"].clone())
        .collect();
    let mut times: Vec<[i64; 2]> =
        runs.iter().map(|run| ["started_at", "finished_at"].map(|name| run[name].as_i64().unwrap())).collect();
    times.sort_unstable();
    // On a busy machine the first may end before the last begins.
    let overlaps = times.windows(2).filter(|pair| pair[1][0] < pair[0][1]).count();
    assert!(overlaps >= 2, "they were at work together: {times:?}");
    assert!(runs.iter().all(|run| run["on"] == "ray" && run["attempts"] == 1), "{runs:#?}");
    assert!(graft.ok(&["machines", "remove", "ray"]).contains(folder));
}

#[test]
fn remote_training_survives_lost_connection_kills_and_restart() {
    let Some(mut pair) = Pair::new() else { return };
    let whole = pair.json(&[&TRAIN[..], &LONG[..], &["--run-id", "whole", "--no-eval"]].concat());
    assert_eq!(whole["run"], "whole");
    let args = [&TRAIN[..], &LONG[..], &["--run-id", "cut", "--no-eval", "--on", "gpu", "--version", "cut"]].concat();
    // The command is killed: the trainer on the machine continues.
    let mut command = pair.begin(&args);
    pair.wait_for_checkpoint("cut");
    command.kill().unwrap();
    command.wait().unwrap();
    pair.wait_for_checkpoint("cut");
    // A worker attaches to it; its connection is cut, and comes back.
    let mut worker = pair.begin(&["worker", "--no-suggestions"]);
    pair.there.cut();
    sleep(Duration::from_secs(1));
    pair.there.up().unwrap();
    if !pair.dir("cut").join("training_run.json").exists() {
        // The machine restarts during the run: the run continues there from its checkpoint.
        pair.there.reboot().unwrap();
    }
    let began = Instant::now();
    while pair.state("cut")["state"] != "succeeded" {
        assert!(began.elapsed() < Duration::from_secs(180), "{:#}", pair.json(&["runs", "show", "cut"]));
        sleep(Duration::from_millis(200));
    }
    crate::common::signal(worker.id(), "TERM");
    ended(&mut worker);
    assert_eq!(adapter(&pair.dir("whole")), adapter(&pair.dir("cut")));
    check_events(&pair.graft, "cut");
}

#[test]
fn remote_run_can_be_stopped() {
    let Some(pair) = Pair::new() else { return };
    let forever = ["--epochs", "10000", "--checkpoints-per-epoch", "3000", "--no-eval", "--run-id", "long"];
    let mut command = pair.begin(&[&TRAIN[..], &forever[..], &["--on", "gpu"]].concat());
    pair.wait_for_checkpoint("long");
    let job = pair.there.cache().join("jobs/long/pid");
    let pid = fs::read_to_string(&job).unwrap().split(' ').nth(2).unwrap().to_owned();
    pair.json(&["runs", "stop", "long"]);
    assert_eq!(ended(&mut command).code(), Some(20));
    assert_eq!(pair.state("long")["state"], "cancelled");
    assert!(!Path::new("/proc").join(&pid).exists(), "its trainer continues");
    // Its checkpoints came over.
    assert!(pair.dir("long").join("checkpoints").read_dir().unwrap().next().is_some());
    // Nobody follows it: the next command that looks ends it.
    let mut command = pair.begin(&[&TRAIN[..], &forever[..5], &["--on", "gpu", "--run-id", "left"]].concat());
    pair.wait_for_checkpoint("left");
    command.kill().unwrap();
    command.wait().unwrap();
    pair.json(&["runs", "cancel", "left"]);
    pair.json(&["runs", "list"]);
    let state = pair.state("left");
    assert_eq!(state["state"], "cancelled", "{state:#}");
    let began = Instant::now();
    while pair.there.has_jobs() {
        assert!(began.elapsed() < Duration::from_secs(60), "its trainer continues");
        sleep(Duration::from_millis(50));
    }
}
