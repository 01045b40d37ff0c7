//! Processes on this machine: started twice, observed by several, stopped and removed.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use graft_exec::{Cursor, Error, Executor, Local, Observation, Process, RunLock, RunRef, Start, Stop};

/// A trainer that says how often it was started, and waits to be stopped.
const TRAINER: &str = r#"#!/bin/sh
eval "dir=\${$#}"
echo started >> "$dir/starts"
echo "{\"seq\":1,\"at\":2,\"event\":\"note\",\"text\":\"$1\"}" >> "$dir/events.jsonl"
printf 'working ü' ; echo trouble >&2
until [ -e "$dir/stop" ]; do sleep 0.05; done
exit 20
"#;

struct Place {
    home: tempfile::TempDir,
    run: RunRef,
}

impl Place {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let program = home.path().join("graft");
        fs::write(&program, TRAINER).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o700)).unwrap();
        let run = RunRef { id: "r1".into(), dir: home.path().join("runs/r1") };
        Self { home, run }
    }

    fn local(&self) -> Local {
        let [program, runs] = ["graft", "runs"].map(|name| self.home.path().join(name));
        Local::new(program, vec![("GRAFT_HOME".into(), self.home.path().into())], runs)
    }

    fn starts(&self) -> usize {
        fs::read_to_string(self.run.dir.join("starts")).unwrap_or_default().lines().count()
    }
}

fn start() -> Start {
    Start { args: vec!["train-dir".into()], base: None, nice: 1, memory: Some(1 << 30) }
}

fn signal(pid: u32, name: &str) {
    let sent = Command::new("kill").args([&format!("-{name}"), &pid.to_string()]).status().unwrap();
    assert!(sent.success());
}

/// Looks until the run is as it is meant to be.
async fn until(local: &Local, run: &RunRef, is_so: impl Fn(&Observation) -> bool) -> Observation {
    for _ in 0..1200 {
        let seen = local.observe(run, Cursor::default()).await.unwrap();
        if is_so(&seen) {
            return seen;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("it never comes to that: {:?}", local.observe(run, Cursor::default()).await);
}

#[tokio::test]
async fn every_operation_is_idempotent() {
    let place = Place::new();
    let (local, run) = (place.local(), &place.run);
    assert_eq!(local.observe(run, Cursor::default()).await.unwrap().process, Process::Gone);
    local.stop(run, Stop::Now).await.unwrap();
    local.stop(run, Stop::AfterStep).await.unwrap();
    let first = local.start(run, &start()).await.unwrap();
    let again = local.start(run, &start()).await.unwrap();
    assert!(first.fresh && !again.fresh && first.pid == again.pid, "{first:?} {again:?}");
    let seen = until(&local, run, |seen| !seen.events.is_empty() && !seen.stdout.is_empty()).await;
    assert_eq!(
        (seen.process, seen.stdout.as_str(), seen.stderr.as_str()),
        (Process::Running, "working ü", "trouble\n")
    );
    // A stopped process is running and reported as stopped.
    signal(first.pid.unwrap(), "STOP");
    until(&local, run, |seen| seen.process == Process::Paused).await;
    assert!(!local.start(run, &start()).await.unwrap().fresh);
    signal(first.pid.unwrap(), "CONT");
    until(&local, run, |seen| seen.process == Process::Running).await;
    assert_eq!(local.list().await.unwrap(), ["r1"]);
    // A cursor tells what is new, however often it is used.
    let cursor = seen.cursor;
    for _ in 0..2 {
        let rest = local.observe(run, cursor).await.unwrap();
        assert!(rest.events.is_empty() && rest.stdout.is_empty() && rest.cursor == cursor);
    }
    assert_eq!(place.starts(), 1);
    local.stop(run, Stop::AfterStep).await.unwrap();
    local.stop(run, Stop::AfterStep).await.unwrap();
    let ended = until(&local, run, |seen| matches!(seen.process, Process::Exited(_))).await;
    assert!(matches!(&ended.process, Process::Exited(exit) if exit.code == Some(20) && exit.signal.is_none()));
    assert_eq!(local.observe(run, cursor).await.unwrap().process, ended.process, "how it ended can be asked again");
    // A new start clears the stop request.
    assert!(local.start(run, &start()).await.unwrap().fresh);
    until(&local, run, |seen| seen.events.len() == 2).await;
    local.stop(run, Stop::Now).await.unwrap();
    let killed = until(&local, run, |seen| matches!(seen.process, Process::Exited(_))).await;
    assert!(matches!(&killed.process, Process::Exited(exit) if exit.to_string() == "signal 9"), "{killed:?}");
    local.collect(run).await.unwrap();
    local.collect(run).await.unwrap();
    assert_eq!(place.starts(), 2);
}

#[tokio::test]
async fn running_process_is_attached_to() {
    let place = Place::new();
    let (local, run) = (place.local(), &place.run);
    fs::create_dir_all(&run.dir).unwrap();
    let held = RunLock::take(&run.dir).unwrap();
    assert!(matches!(RunLock::take(&run.dir), Err(Error::Busy { .. })));
    let attached = local.start(run, &start()).await.unwrap();
    assert_eq!((attached.fresh, attached.pid), (false, Some(std::process::id())));
    assert_eq!(local.observe(run, Cursor::default()).await.unwrap().process, Process::Running);
    assert_eq!(local.list().await.unwrap(), ["r1"]);
    // By its command line, the process that holds the lock is not a trainer of this directory, so it is not killed.
    local.stop(run, Stop::Now).await.unwrap();
    drop(held);
    // A process that another test starts at this moment holds the lock, too, until it runs its own program.
    until(&local, run, |seen| seen.process == Process::Gone).await;
    assert_eq!(place.starts(), 0);
}

#[tokio::test]
async fn missing_program_is_an_error_and_leaves_no_lock() {
    let place = Place::new();
    let missing = Local::new(PathBuf::from("/nowhere/graft"), Vec::new(), Path::new("/nowhere").into());
    assert!(matches!(missing.start(&place.run, &start()).await, Err(Error::Start(_))));
    assert_eq!(missing.list().await.unwrap(), Vec::<String>::new());
}
