//! A trainer that Slurm starts, on a real cluster of one node behind a real `sshd`.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::PathBuf,
    time::{Duration, Instant},
};

use graft_core::SlurmJob;
use graft_exec::{Cursor, Ending, Error, Executor, Exit, Host, Observation, Process, RunRef, Ssh, Start, Stop};
use graft_testkit::{Slurm, Sshd};

/// A trainer that says how often it was started, and works until it may finish, is to stop, or is to take much memory.
const TRAINER: &str = r#"#!/bin/sh
[ "$1" = --version ] && { echo "graft 0"; exit 0; }
dir=$2
echo "started $*" >> "$dir/starts"
seq=$(($(cat "$dir/events.jsonl" 2>/dev/null | wc -l) + 1))
echo "{\"seq\":$seq,\"at\":2,\"event\":\"note\",\"text\":\"job $SLURM_JOB_NAME\"}" >> "$dir/events.jsonl"
until [ -e "$dir/stop" ] || [ -e "$dir/finish" ]; do
    [ -e "$dir/grow" ] && exec python3 -c 'import time; much = bytearray(400 << 20); time.sleep(60)'
    sleep 0.05
done
[ -e "$dir/stop" ] && exit 20
mkdir -p "$dir/adapter"
cat "$4" > "$dir/adapter/weights"
echo '{}' > "$dir/training_run.json"
"#;

struct Place {
    slurm: Slurm,
    there: Sshd,
    here: tempfile::TempDir,
    run: RunRef,
    ssh: Ssh,
}

impl Place {
    fn new() -> Option<Self> {
        let (there, slurm) = (Sshd::start()?, Slurm::start()?);
        there.set_env(&[slurm.variable(), "GRAFT_SLURM_PACE=0".into(), "GRAFT_SLURM_ABSENCE=4".into()]).unwrap();
        let here = tempfile::tempdir().unwrap();
        let program = here.path().join("graft");
        fs::write(&program, TRAINER).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o700)).unwrap();
        let run = RunRef { id: "r-1".into(), dir: here.path().join("runs/r-1") };
        fs::create_dir_all(&run.dir).unwrap();
        let digest = "a".repeat(64);
        let spec = format!(r#"{{"base": {{"name": "tiny", "digest": "{digest}"}}, "limits": {{"device": "auto"}}}}"#);
        fs::write(run.dir.join("spec.json"), spec).unwrap();
        fs::write(here.path().join("base.gguf"), "the base").unwrap();
        let place = Self { ssh: Ssh::new(Host::new("there"), program), slurm, there, here, run };
        Some(Self { ssh: place.with(SlurmJob { memory: Some("100M".into()), ..SlurmJob::default() }), ..place })
    }

    fn with(&self, job: SlurmJob) -> Ssh {
        let host = Host { config: Some(self.there.config()), control: self.there.control(), ..Host::new("there") };
        Ssh::slurm(host, self.here.path().join("graft"), job)
    }

    fn start(&self) -> Start {
        let base = Some(self.here.path().join("base.gguf"));
        Start { args: vec!["train-dir".into()], base, nice: 1, memory: None }
    }

    fn far(&self, name: &str) -> PathBuf {
        self.there.cache().join("runs/r-1").join(name)
    }

    fn starts(&self) -> usize {
        fs::read_to_string(self.far("starts")).unwrap_or_default().lines().count()
    }

    fn job(&self) -> String {
        fs::read_to_string(self.there.cache().join("jobs/r-1/slurm")).unwrap().trim().to_owned()
    }

    /// Lets no job start.
    fn drain(&self) {
        let node = self.slurm.ask("sinfo", &["-h", "-o", "%n"]).unwrap();
        self.slurm.ask("scontrol", &["update", &format!("NodeName={node}"), "State=DRAIN", "Reason=test"]).unwrap();
    }

    /// Looks until the run is as it is meant to be.
    async fn until(&self, is_so: impl Fn(&Observation) -> bool) -> Observation {
        let began = Instant::now();
        loop {
            let seen = self.ssh.observe(&self.run, Cursor::default()).await.unwrap();
            if is_so(&seen) {
                return seen;
            }
            assert!(
                began.elapsed() < Duration::from_secs(60),
                "it never comes to that: {seen:?}\n{}",
                self.slurm.report(&self.there.cache().join("jobs/r-1"))
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    async fn exit(&self) -> Exit {
        let seen = self.until(|seen| !seen.process.is_alive() && seen.process != Process::Unknown).await;
        let Process::Exited(exit) = seen.process else { panic!("nobody saw how it ended: {seen:?}") };
        exit
    }
}

#[tokio::test]
async fn job_is_submitted_once_followed_stopped_and_collected() {
    let Some(place) = Place::new() else { return };
    let (ssh, run) = (&place.ssh, &place.run);
    let facts = ssh.check().await.unwrap();
    assert!(facts.scheduler.unwrap().starts_with("slurm"));
    assert_eq!(ssh.observe(run, Cursor::default()).await.unwrap().process, Process::Gone);
    ssh.stop(run, Stop::Now).await.unwrap();
    let first = ssh.start(run, &place.start()).await.unwrap();
    let again = ssh.start(run, &place.start()).await.unwrap();
    assert!(first.fresh && !again.fresh && first.pid == again.pid && first.pid.is_some(), "{first:?} {again:?}");
    // The answer to the submission was lost: the job is found by its name.
    let job = place.there.cache().join("jobs/r-1");
    fs::write(job.join("submitting"), "").unwrap();
    fs::remove_file(job.join("slurm")).unwrap();
    assert_eq!(ssh.start(run, &place.start()).await.unwrap().pid, first.pid);
    let seen = place.until(|seen| !seen.events.is_empty()).await;
    assert_eq!(seen.process, Process::Running);
    assert!(format!("{:?}", seen.events).contains("job graft-r-1"));
    assert_eq!(ssh.list().await.unwrap(), ["r-1"]);
    assert!(ssh.collect(run).await.is_err(), "a trainer at work isn't collected");
    ssh.stop(run, Stop::AfterStep).await.unwrap();
    assert_eq!(place.exit().await.code, Some(20));
    // Its job is still known as one that ended: that is another submission.
    assert!(ssh.start(run, &place.start()).await.unwrap().fresh);
    place.until(|seen| seen.events.len() == 2).await;
    // Slurm puts it back into the queue, as after a failure of its node, and starts it again.
    let requeue = async || {
        place.slurm.ask("scontrol", &["requeue", &place.job()]).unwrap();
        let queued = place.until(|seen| !matches!(seen.process, Process::Running)).await;
        assert!(matches!(&queued.process, Process::Waiting(why) if !why.is_empty()), "{queued:?}");
        place.slurm.settle();
    };
    requeue().await;
    // The first time it was asked to stop, since its time was nearly over.
    fs::write(job.join("limit"), "").unwrap();
    fs::write(place.far("stop"), "").unwrap();
    place.slurm.ask("scontrol", &["update", &format!("JobId={}", place.job()), "StartTime=now"]).unwrap();
    place.until(|seen| seen.events.len() == 3).await;
    assert!(!place.far("stop").exists());
    requeue().await;
    ssh.stop(run, Stop::AfterStep).await.unwrap();
    assert_eq!(place.exit().await.ending, Some(Ending::Cancelled), "what waits has nothing to keep");
    assert!(ssh.start(run, &place.start()).await.unwrap().fresh);
    place.until(|seen| seen.events.len() == 4).await;
    ssh.stop(run, Stop::Now).await.unwrap();
    assert_eq!(place.exit().await.ending, Some(Ending::Cancelled));
    // The last comes to an end, with the base model that was sent.
    assert!(ssh.start(run, &place.start()).await.unwrap().fresh);
    fs::write(place.far("finish"), "").unwrap();
    assert_eq!(place.exit().await.code, Some(0));
    assert_eq!(place.starts(), 5);
    for _ in 0..2 {
        ssh.collect(run).await.unwrap();
    }
    assert_eq!(fs::read_to_string(run.dir.join("adapter/weights")).unwrap(), "the base");
    assert!(!place.far("").exists() && ssh.list().await.unwrap().is_empty());
}

#[tokio::test]
async fn missing_answer_of_squeue_does_not_end_a_job() {
    let Some(place) = Place::new() else { return };
    let (ssh, run) = (&place.ssh, &place.run);
    ssh.start(run, &place.start()).await.unwrap();
    let seen = place.until(|seen| !seen.events.is_empty()).await;
    let look = async || ssh.observe(run, seen.cursor).await.unwrap().process;
    // `squeue` is empty for once, and fails.
    place.there.install("squeue", "#!/bin/sh\nexit 0\n").unwrap();
    assert_eq!(look().await, Process::Running);
    place.there.install("squeue", "#!/bin/sh\necho 'slurm_load_jobs error: Socket timed out' >&2\nexit 1\n").unwrap();
    assert_eq!(look().await, Process::Unknown);
    // What the cluster says after a warning, where Slurm itself can't be brought to it within a test.
    for (said, how) in [
        ("RUNNING None", None),
        ("TIMEOUT TimeLimit", Some(Ending::TimeLimit)),
        ("PREEMPTED None", Some(Ending::Preempted)),
        ("NODE_FAIL None", Some(Ending::NodeFailed)),
        ("CANCELLED None", Some(Ending::Cancelled)),
    ] {
        let script = format!("#!/bin/sh\necho 'squeue: warning: slow' >&2\necho '{said}'\n");
        place.there.install("squeue", &script).unwrap();
        let process =
            how.map_or(Process::Running, |how| Process::Exited(Exit { ending: Some(how), ..Exit::default() }));
        assert_eq!(look().await, process, "{said}");
    }
    // A cluster with accounting remembers what its queue has forgotten.
    place
        .there
        .install("squeue", "#!/bin/sh\necho 'slurm_load_jobs error: Invalid job id specified' >&2\nexit 1\n")
        .unwrap();
    place.there.install("sacct", "#!/bin/sh\necho 'CANCELLED by 1000'\n").unwrap();
    assert!(matches!(look().await, Process::Exited(Exit { ending: Some(Ending::Cancelled), .. })));
    // Otherwise a job that the queue doesn't know is believed to be gone once it has given no sign of life for a while.
    place.there.install("sacct", "#!/bin/sh\necho RUNNING\n").unwrap();
    let beat = place.there.cache().join("jobs/r-1/beat");
    for number in 1_000..1_003 {
        assert_eq!(look().await, Process::Running);
        fs::write(&beat, number.to_string()).unwrap();
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
    place.until(|seen| seen.process == Process::Gone).await;
    fs::remove_file(place.there.home().join("bin/squeue")).unwrap();
    assert_eq!(look().await, Process::Running);
    // The controller is away; the job comes to its end meanwhile, and is forgotten afterwards.
    place.slurm.down();
    assert_eq!(look().await, Process::Unknown);
    fs::write(place.far("finish"), "").unwrap();
    assert_eq!(place.exit().await.code, Some(0));
    place.slurm.up().unwrap();
    ssh.collect(run).await.unwrap();
    assert!(run.dir.join("training_run.json").exists());
}

#[tokio::test]
async fn job_whose_submission_timed_out_is_not_submitted_again() {
    let Some(place) = Place::new() else { return };
    let (ssh, run) = (&place.ssh, &place.run);
    let timed_out = "sbatch: error: Batch job submission failed: Socket timed out on send/recv operation";
    let script = format!("#!/bin/sh\n/usr/bin/sbatch \"$@\" > /dev/null\necho '{timed_out}' >&2\nexit 1\n");
    place.there.install("sbatch", &script).unwrap();
    // It stays in the queue, and can't say its number itself.
    place.drain();
    let error = ssh.start(run, &place.start()).await.unwrap_err();
    assert!(matches!(error, Error::Scheduler { .. }), "{error}");
    let again = ssh.start(run, &place.start()).await.unwrap();
    assert!(!again.fresh && again.pid.is_some(), "{again:?}");
    assert_eq!(place.slurm.ask("squeue", &["-h", "-o", "%A"]).unwrap(), place.job(), "one job");
    ssh.stop(run, Stop::Now).await.unwrap();
    place.exit().await;
}

#[tokio::test]
async fn reason_why_a_job_ended_is_reported() {
    let Some(place) = Place::new() else { return };
    let (ssh, run) = (&place.ssh, &place.run);
    // More memory than was asked for.
    ssh.start(run, &place.start()).await.unwrap();
    place.until(|seen| !seen.events.is_empty()).await;
    fs::write(place.far("grow"), "").unwrap();
    assert!(place.exit().await.memory.is_some());
    fs::remove_file(place.far("grow")).unwrap();
    // Shortly before its time is over, Slurm sends the signal that it was asked for.
    ssh.start(run, &place.start()).await.unwrap();
    place.until(|seen| seen.events.len() == 2).await;
    place.slurm.ask("scancel", &["--batch", "--signal=USR1", &place.job()]).unwrap();
    assert_eq!(place.exit().await, Exit { ending: Some(Ending::TimeLimit), ..Exit::default() });
    // A job that can't start yet says why it waits, and one that never could is refused.
    place.drain();
    ssh.start(run, &place.start()).await.unwrap();
    place
        .until(
            |seen| matches!(&seen.process, Process::Waiting(why) if why.contains("Resources") || why.contains("Nodes")),
        )
        .await;
    ssh.stop(run, Stop::Now).await.unwrap();
    assert_eq!(place.exit().await.ending, Some(Ending::Cancelled));
    let nowhere = place.with(SlurmJob { partition: Some("nowhere".into()), ..SlurmJob::default() });
    for refused in [nowhere.check().await.map(drop), nowhere.start(run, &place.start()).await.map(drop)] {
        let error = refused.unwrap_err();
        assert!(matches!(error, Error::Slurm { .. }) && error.to_string().contains("partition"), "{error}");
        assert!(error.hint().unwrap().contains("--partition"));
    }
    place.slurm.down();
    let error = ssh.start(run, &place.start()).await.unwrap_err();
    assert!(matches!(error, Error::Scheduler { .. }), "{error}");
    place.slurm.up().unwrap();
}
