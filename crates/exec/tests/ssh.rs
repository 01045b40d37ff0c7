//! A trainer on another machine behind a real `sshd`: started, followed, disconnected, stopped, collected.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use graft_core::EventKind;
use graft_exec::{Cursor, Error, Executor, Host, Observation, Process, RunRef, Ssh, Start, Stop};
use graft_testkit::Sshd;

/// A trainer that says how often it was started and what it got, makes a checkpoint, and waits to be stopped or let on.
const TRAINER: &str = r#"#!/bin/sh
[ "$1" = --version ] && { echo "graft 0"; exit 0; }
dir=$2
echo "started $*" >> "$dir/starts"
seq=$(($(cat "$dir/events.jsonl" 2>/dev/null | wc -l) + 1))
mkdir -p "$dir/checkpoints/step-1"
echo "state $seq" > "$dir/checkpoints/step-1/state.bin"
echo "{\"seq\":$seq,\"at\":2,\"event\":\"checkpoint\",\"step\":1}" >> "$dir/events.jsonl"
printf 'working ü' ; echo trouble >&2
until [ -e "$dir/stop" ] || [ -e "$dir/finish" ]; do sleep 0.05; done
[ -e "$dir/stop" ] && exit 20
mkdir -p "$dir/adapter"
cat "$4" > "$dir/adapter/weights"
echo "{\"seq\":$((seq + 1)),\"at\":3,\"event\":\"note\",\"text\":\"done\"}" >> "$dir/events.jsonl"
echo '{}' > "$dir/training_run.json"
"#;

struct Place {
    there: Sshd,
    here: tempfile::TempDir,
    run: RunRef,
    ssh: Ssh,
}

impl Place {
    fn new() -> Option<Self> {
        let there = Sshd::start()?;
        let here = tempfile::tempdir().unwrap();
        script(&here.path().join("graft"), TRAINER);
        let run = RunRef { id: "r-1".into(), dir: here.path().join("runs/r-1") };
        fs::create_dir_all(run.dir.join("data")).unwrap();
        let digest = "a".repeat(64);
        let spec = format!(r#"{{"base": {{"name": "tiny", "digest": "{digest}"}}, "limits": {{"device": "auto"}}}}"#);
        fs::write(run.dir.join("spec.json"), spec).unwrap();
        fs::write(run.dir.join("data/train.jsonl"), "{}\n").unwrap();
        fs::write(here.path().join("base.gguf"), "the base").unwrap();
        let ssh = Ssh::new(host(&there, "there"), here.path().join("graft"));
        Some(Self { there, here, run, ssh })
    }

    fn start(&self) -> Start {
        let base = Some(self.here.path().join("base.gguf"));
        Start { args: vec!["train-dir".into()], base, nice: 1, memory: None }
    }

    fn far(&self) -> PathBuf {
        self.there.cache().join("runs/r-1")
    }

    fn starts(&self) -> usize {
        fs::read_to_string(self.far().join("starts")).unwrap_or_default().lines().count()
    }

    /// Looks until the run is as it is meant to be.
    async fn until(&self, is_so: impl Fn(&Observation) -> bool) -> Observation {
        for _ in 0..200 {
            let seen = self.ssh.observe(&self.run, Cursor::default()).await.unwrap();
            if is_so(&seen) {
                return seen;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("it never comes to that: {:?}", self.ssh.observe(&self.run, Cursor::default()).await);
    }
}

fn host(there: &Sshd, name: &str) -> Host {
    Host { config: Some(there.config()), control: there.control(), ..Host::new(name) }
}

fn script(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o700)).unwrap();
}

#[tokio::test]
async fn every_operation_is_idempotent() {
    let Some(place) = Place::new() else { return };
    let (ssh, run) = (&place.ssh, &place.run);
    assert_eq!(ssh.observe(run, Cursor::default()).await.unwrap().process, Process::Gone);
    ssh.stop(run, Stop::Now).await.unwrap();
    ssh.stop(run, Stop::AfterStep).await.unwrap();
    ssh.collect(run).await.unwrap();
    let first = ssh.start(run, &place.start()).await.unwrap();
    let again = ssh.start(run, &place.start()).await.unwrap();
    assert!(first.fresh && !again.fresh && first.pid == again.pid && first.pid.is_some(), "{first:?} {again:?}");
    // Another worker attaches, too.
    let other = Ssh::new(host(&place.there, "there"), place.here.path().join("graft"));
    assert!(!other.start(run, &place.start()).await.unwrap().fresh);
    let seen = place.until(|seen| !seen.events.is_empty() && !seen.stdout.is_empty() && !seen.stderr.is_empty()).await;
    assert_eq!(
        (seen.process, seen.stdout.as_str(), seen.stderr.as_str()),
        (Process::Running, "working ü", "trouble\n")
    );
    assert!(matches!(seen.events[0].kind, EventKind::Checkpoint { step: 1 }));
    // A checkpoint is copied during the training, so the run could continue elsewhere.
    assert_eq!(fs::read_to_string(run.dir.join("checkpoints/step-1/state.bin")).unwrap(), "state 1\n");
    assert_eq!(ssh.list().await.unwrap(), ["r-1"]);
    for _ in 0..2 {
        let rest = ssh.observe(run, seen.cursor).await.unwrap();
        assert!(rest.events.is_empty() && rest.stdout.is_empty() && rest.cursor == seen.cursor);
    }
    assert!(ssh.collect(run).await.is_err(), "a trainer at work isn't collected");
    ssh.stop(run, Stop::AfterStep).await.unwrap();
    ssh.stop(run, Stop::AfterStep).await.unwrap();
    let ended = place.until(|seen| matches!(seen.process, Process::Exited(_))).await;
    assert!(matches!(&ended.process, Process::Exited(exit) if exit.code == Some(20)), "{ended:?}");
    // A new start clears the stop request; then it is killed at once.
    assert!(ssh.start(run, &place.start()).await.unwrap().fresh);
    place.until(|seen| seen.events.len() == 2).await;
    ssh.stop(run, Stop::Now).await.unwrap();
    let killed = place.until(|seen| matches!(seen.process, Process::Exited(_))).await;
    assert!(matches!(&killed.process, Process::Exited(exit) if exit.to_string() == "signal 9"), "{killed:?}");
    ssh.collect(run).await.unwrap();
    assert_eq!(ssh.observe(run, Cursor::default()).await.unwrap().process, Process::Gone);
    // The third comes to an end, with the base model that was sent.
    assert!(ssh.start(run, &place.start()).await.unwrap().fresh);
    assert_eq!(place.starts(), 3);
    fs::write(place.far().join("finish"), "").unwrap();
    let done = place.until(|seen| matches!(seen.process, Process::Exited(_))).await;
    assert!(matches!(&done.process, Process::Exited(exit) if exit.code == Some(0)), "{done:?}");
    ssh.collect(run).await.unwrap();
    ssh.collect(run).await.unwrap();
    assert_eq!(fs::read_to_string(run.dir.join("adapter/weights")).unwrap(), "the base");
    assert!(run.dir.join("training_run.json").exists() && !place.far().exists());
    // Nothing is left to ask there, and what was read is still told.
    let rest = ssh.observe(run, Cursor::default()).await.unwrap();
    assert_eq!((rest.process, rest.events.len()), (Process::Gone, 4));
    assert!(ssh.list().await.unwrap().is_empty());
}

#[tokio::test]
async fn lost_connection_loses_no_output() {
    let Some(mut place) = Place::new() else { return };
    place.ssh.start(&place.run, &place.start()).await.unwrap();
    let seen = place.until(|seen| !seen.events.is_empty()).await;
    place.there.cut();
    let away = place.ssh.observe(&place.run, seen.cursor).await.unwrap();
    assert_eq!((away.process, away.cursor), (Process::Unknown, seen.cursor), "what can't be reached isn't gone");
    assert!(matches!(place.ssh.start(&place.run, &place.start()).await, Err(Error::Unreachable { .. })));
    // It came to its end meanwhile.
    fs::write(place.far().join("finish"), "").unwrap();
    while !place.far().join("training_run.json").exists() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    place.there.up().unwrap();
    let done = place.until(|seen| matches!(seen.process, Process::Exited(_))).await;
    assert_eq!(done.events.len(), 2);
    place.ssh.collect(&place.run).await.unwrap();
    assert!(place.run.dir.join("training_run.json").exists());
}

#[tokio::test]
async fn process_is_gone_after_machine_restart() {
    let Some(mut place) = Place::new() else { return };
    place.ssh.start(&place.run, &place.start()).await.unwrap();
    place.until(|seen| !seen.events.is_empty()).await;
    place.there.reboot().unwrap();
    place.until(|seen| seen.process == Process::Gone).await;
    // The next attempt continues in the same directory.
    assert!(place.ssh.start(&place.run, &place.start()).await.unwrap().fresh);
    place.until(|seen| seen.events.len() == 2).await;
    // A machine that lost its disk gets the directory from here, with the newest checkpoint.
    place.ssh.stop(&place.run, Stop::Now).await.unwrap();
    place.until(|seen| !seen.process.is_alive()).await;
    fs::remove_dir_all(place.there.cache()).unwrap();
    let lost = place.ssh.observe(&place.run, Cursor::default()).await.unwrap();
    assert_eq!((lost.process, lost.events.len()), (Process::Gone, 2));
    assert!(place.ssh.start(&place.run, &place.start()).await.unwrap().fresh);
    let on = place.until(|seen| seen.events.len() == 3).await;
    assert_eq!(on.events.iter().map(|event| event.seq).collect::<Vec<_>>(), [1, 2, 3]);
}

#[tokio::test]
async fn ssh_configuration_sets_jump_host() {
    let Some(place) = Place::new() else { return };
    let behind = Ssh::new(host(&place.there, "behind"), place.here.path().join("graft"));
    let facts = behind.check().await.unwrap();
    assert_eq!(facts.program.as_deref(), Some("graft 0"));
    assert!(facts.system.starts_with("Linux") && facts.cores > Some(0) && facts.disk_free > Some(0), "{facts:?}");
    assert_eq!(facts.cache, place.there.cache().to_string_lossy());
}

#[tokio::test]
async fn problems_are_reported_before_the_trainer_starts() {
    let Some(mut place) = Place::new() else { return };
    let refusal = |error: Error| (error.to_string(), error.hint().unwrap());
    place.there.let_in(false).unwrap();
    let error = place.ssh.start(&place.run, &place.start()).await.unwrap_err();
    assert!(matches!(error, Error::Denied { .. }), "{error}");
    assert!(refusal(error).1.contains("ssh-add"));
    place.there.let_in(true).unwrap();
    place.there.know(false).unwrap();
    let error = place.ssh.check().await.unwrap_err();
    assert!(matches!(error, Error::HostKey { changed: false, .. }), "{error}");
    place.there.know(true).unwrap();
    place.ssh.check().await.unwrap();
    place.there.change_host_key().unwrap();
    let error = place.ssh.observe(&place.run, Cursor::default()).await.unwrap_err();
    assert!(matches!(error, Error::HostKey { changed: true, .. }), "{error}");
    assert!(refusal(error).1.contains("ssh-keygen -R"));
    place.there.know(true).unwrap();
    // A program for another architecture, and one that doesn't start.
    let arm = place.here.path().join("arm");
    let mut head = b"\x7fELF".to_vec();
    head.resize(64, 0);
    head[18] = 183;
    fs::write(&arm, head).unwrap();
    let error = Ssh::new(host(&place.there, "there"), arm).check().await.unwrap_err();
    assert!(matches!(&error, Error::RemotePlatform { built, .. } if built == "Linux aarch64"), "{error}");
    let old = place.here.path().join("old");
    script(&old, "#!/bin/sh\necho \"graft: /lib/libc.so.6: version 'GLIBC_2.99' not found\" >&2; exit 1\n");
    let error = Ssh::new(host(&place.there, "there"), old).check().await.unwrap_err();
    assert!(matches!(error, Error::RemoteProgram { .. }) && refusal(error).1.contains("musl"));
    // No GPU.
    let spec = fs::read_to_string(place.run.dir.join("spec.json")).unwrap();
    if Command::new("nvidia-smi").status().is_err() {
        fs::write(place.run.dir.join("spec.json"), spec.replace("auto", "gpu:0")).unwrap();
        let error = place.ssh.start(&place.run, &place.start()).await.unwrap_err();
        assert!(matches!(error, Error::RemoteGpu { .. }), "{error}");
        fs::write(place.run.dir.join("spec.json"), spec).unwrap();
    }
    assert_eq!(place.starts(), 0);
}

#[tokio::test]
async fn full_remote_disk_is_reported() {
    let Some(mut place) = Place::new() else { return };
    // Nobody may write more than 4 KB to a file there: what the program and the base model need is more.
    let full = place.here.path().join("full");
    script(&full, "#!/bin/sh\ntrap '' XFSZ\nulimit -f 8\neval \"$SSH_ORIGINAL_COMMAND\"\n");
    place.there.force(Some(&full.to_string_lossy())).unwrap();
    fs::write(place.here.path().join("base.gguf"), "x".repeat(100_000)).unwrap();
    let error = place.ssh.start(&place.run, &place.start()).await.unwrap_err();
    assert!(matches!(error, Error::RemoteDisk { .. }), "{error:?}");
    assert!(error.hint().unwrap().contains("free some space"));
    let bases: Vec<_> = fs::read_dir(place.there.cache().join("bases")).into_iter().flatten().collect();
    assert!(bases.is_empty(), "half a base model is left: {bases:?}");
    // With room again the same call succeeds.
    place.there.force(None).unwrap();
    assert!(place.ssh.start(&place.run, &place.start()).await.unwrap().fresh);
}

#[tokio::test]
async fn control_folder_of_another_user_is_refused() {
    let Some(place) = Place::new() else { return };
    let open = place.here.path().join("open");
    fs::create_dir(&open).unwrap();
    fs::set_permissions(&open, fs::Permissions::from_mode(0o755)).unwrap();
    let host = Host { control: open, ..host(&place.there, "there") };
    let error = Ssh::new(host, place.here.path().join("graft")).check().await.unwrap_err();
    assert!(matches!(error, Error::Io { .. }), "{error}");
}
