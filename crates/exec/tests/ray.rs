//! Runs on a real Ray cluster of one node, which `cargo xtask test` installs. The trainer is a shell script.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::{
    fs,
    io::{Read as _, Write as _},
    net::TcpStream,
    os::unix::fs::PermissionsExt as _,
    path::PathBuf,
    time::{Duration, Instant},
};

use graft_core::RayJob;
use graft_exec::{Cursor, Ending, Error, Executor as _, Exit, Observation, Process, Ray, RunRef, Start, Stop};
use graft_testkit::{Ray as Cluster, http, kill_all};
use tokio::task::JoinSet;

/// Says that it began, waits for what the test wants, and leaves an adapter made of the base model.
const TRAINER: &str = r#"#!/bin/sh
[ "$1" = --version ] && { echo "graft 0.0.0-test"; exit 0; }
[ "$1" = train-dir ] || exit 3
shift
while [ $# -gt 0 ]; do case $1 in --threads) threads=$2; shift 2 ;; --base) base=$2; shift 2 ;; *) dir=$1; shift ;; esac; done
echo x >> "$dir/starts"
n=$(wc -l < "$dir/starts")
echo "{\"seq\":$n,\"at\":1,\"event\":\"note\",\"text\":\"threads $threads\"}" >> "$dir/events.jsonl"
while [ ! -e "$dir/finish" ] && [ ! -e "$dir/stop" ]; do
    [ -e "$dir/die" ] && kill -KILL $$
    [ -e "$dir/fail" ] && { echo "the data is bad" >&2; exit 11; }
    sleep 0.05
done
[ -e "$dir/stop" ] && exit 20
mkdir -p "$dir/adapter"
cat "$base" > "$dir/adapter/weights"
echo '{}' > "$dir/training_run.json"
"#;

struct Place {
    here: tempfile::TempDir,
    shared: tempfile::TempDir,
    run: RunRef,
    ray: Ray,
}

impl Place {
    fn new(cluster: &Cluster) -> Self {
        let (here, shared) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let program = here.path().join("graft");
        fs::write(&program, TRAINER).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o700)).unwrap();
        fs::write(here.path().join("base.gguf"), "the base").unwrap();
        let job = RayJob { shared: shared.path().to_str().unwrap().into(), cpus: Some(1), ..RayJob::default() };
        let ray = Ray::new(&cluster.url(), Some(Cluster::TOKEN.into()), program, job);
        let run = RunRef { id: "r-1".into(), dir: here.path().join("runs/r-1") };
        let place = Self { here, shared, run, ray };
        place.run("r-1");
        place
    }

    /// A run directory as the engine makes it.
    fn run(&self, id: &str) -> RunRef {
        let run = RunRef { id: id.into(), dir: self.here.path().join("runs").join(id) };
        fs::create_dir_all(&run.dir).unwrap();
        let digest = "a".repeat(64);
        let spec = format!(r#"{{"base": {{"name": "tiny", "digest": "{digest}"}}, "limits": {{"device": "auto"}}}}"#);
        fs::write(run.dir.join("spec.json"), spec).unwrap();
        run
    }

    fn with(&self, url: &str, token: &str, change: impl FnOnce(&mut RayJob)) -> Ray {
        let mut job = RayJob { shared: self.shared.path().to_str().unwrap().into(), ..RayJob::default() };
        change(&mut job);
        Ray::new(url, Some(token.into()), self.here.path().join("graft"), job)
    }

    fn start(&self) -> Start {
        let base = Some(self.here.path().join("base.gguf"));
        Start { args: vec!["train-dir".into()], base, nice: 1, memory: None }
    }

    fn far(&self, name: &str) -> PathBuf {
        self.shared.path().join("runs/r-1").join(name)
    }

    fn starts(&self) -> usize {
        fs::read_to_string(self.far("starts")).unwrap_or_default().lines().count()
    }

    /// Looks until the run is as it is meant to be.
    async fn until(&self, run: &RunRef, is_so: impl Fn(&Observation) -> bool) -> Observation {
        let began = Instant::now();
        loop {
            let seen = self.ray.observe(run, Cursor::default()).await.unwrap();
            if is_so(&seen) {
                return seen;
            }
            assert!(began.elapsed() < Duration::from_secs(60), "{} never comes to that: {seen:?}", run.id);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    async fn exit(&self) -> Exit {
        let seen = self.until(&self.run, |seen| !seen.process.is_alive() && seen.process != Process::Unknown).await;
        let Process::Exited(exit) = seen.process else { panic!("nobody saw how it ended: {seen:?}") };
        exit
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        kill_all(self.shared.path());
    }
}

#[tokio::test]
async fn jobs_are_submitted_once_followed_stopped_and_collected() {
    let Some(cluster) = Cluster::start() else { return };
    let place = Place::new(&cluster);
    let (ray, run) = (&place.ray, &place.run);
    // Its job agent starts after its job server.
    let began = Instant::now();
    let facts = loop {
        match ray.check().await {
            Err(Error::NoRay { .. }) if began.elapsed() < Duration::from_secs(60) => {
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
            found => break found.unwrap(),
        }
    };
    assert!(facts.scheduler.as_ref().unwrap().starts_with("ray 2."));
    assert_eq!(facts.program.as_deref(), Some("graft 0.0.0-test"), "as a node said it");
    assert!(facts.system.starts_with("Linux") && facts.cores.is_some(), "{facts:?}");
    assert_eq!(ray.observe(run, Cursor::default()).await.unwrap().process, Process::Gone);
    ray.stop(run, Stop::Now).await.unwrap();

    assert!(ray.start(run, &place.start()).await.unwrap().fresh);
    assert!(!ray.start(run, &place.start()).await.unwrap().fresh, "it attaches");
    let seen = place.until(run, |seen| !seen.events.is_empty() && seen.process == Process::Running).await;
    assert!(format!("{:?}", seen.events).contains("threads 1"), "{seen:?}");
    assert_eq!(ray.list().await.unwrap(), ["r-1"]);
    assert!(ray.collect(run).await.is_err(), "a trainer at work isn't collected");
    ray.stop(run, Stop::AfterStep).await.unwrap();
    assert_eq!(place.exit().await.code, Some(20));

    // Its job is still known as one that ended: that is another submission.
    assert!(ray.start(run, &place.start()).await.unwrap().fresh);
    place.until(run, |seen| seen.events.len() == 2).await;
    ray.stop(run, Stop::Now).await.unwrap();
    assert_eq!(place.exit().await.ending, Some(Ending::Cancelled));

    fs::write(place.far("die"), "").unwrap();
    assert!(ray.start(run, &place.start()).await.unwrap().fresh);
    let exit = place.exit().await;
    assert_eq!(exit.signal, Some(9), "{exit:?}");
    fs::remove_file(place.far("die")).unwrap();

    // The cluster has two processors: the third waits, and says so; stopped, it has nothing to keep.
    assert!(ray.start(run, &place.start()).await.unwrap().fresh);
    let [second, third] = [place.run("r-2"), place.run("r-3")];
    for other in [&second, &third] {
        assert!(ray.start(other, &place.start()).await.unwrap().fresh);
    }
    place.until(&second, |seen| seen.process == Process::Running).await;
    let waits = place.until(&third, |seen| matches!(seen.process, Process::Waiting(_))).await;
    assert!(format!("{waits:?}").contains("resources"), "{waits:?}");
    ray.stop(&third, Stop::AfterStep).await.unwrap();
    let withdrawn = place.until(&third, |seen| !seen.process.is_alive()).await;
    assert!(
        matches!(withdrawn.process, Process::Exited(Exit { ending: Some(Ending::Cancelled), .. })),
        "{withdrawn:?}"
    );
    ray.collect(&third).await.unwrap();
    ray.stop(&second, Stop::Now).await.unwrap();

    // The first comes to an end, with the base model that was copied.
    fs::write(place.far("finish"), "").unwrap();
    assert_eq!(place.exit().await.code, Some(0));
    assert_eq!(place.starts(), 4);
    for _ in 0..2 {
        ray.collect(run).await.unwrap();
    }
    assert_eq!(fs::read_to_string(run.dir.join("adapter/weights")).unwrap(), "the base");
    assert!(!place.far("").exists() && !place.shared.path().join("jobs/r-1").exists());

    // The one that was withdrawn does nothing once it has a place; the next attempt is another one.
    fs::write(place.shared.path().join("runs/r-3/finish"), "").unwrap();
    assert!(ray.start(&third, &place.start()).await.unwrap().fresh);
    let ended = place.until(&third, |seen| !seen.process.is_alive()).await;
    assert_eq!(ended.process, Process::Exited(Exit { code: Some(0), ..Exit::default() }));
    let starts = fs::read_to_string(place.shared.path().join("runs/r-3/starts")).unwrap();
    assert_eq!(starts.lines().count(), 1);

    fs::write(place.shared.path().join("runs/r-2/fail"), "").unwrap();
    assert!(ray.start(&second, &place.start()).await.unwrap().fresh);
    let failed = place.until(&second, |seen| !seen.process.is_alive()).await;
    assert_eq!(failed.process, Process::Exited(Exit { code: Some(11), ..Exit::default() }));
    assert_eq!(fs::read_to_string(second.dir.join("stderr.log")).unwrap(), "the data is bad\n");

    unusable_clusters_are_refused(&cluster, &place).await;
    job_is_found_after_a_lost_answer(&cluster).await;
    eight_run_at_once(&cluster).await;
}

async fn unusable_clusters_are_refused(cluster: &Cluster, place: &Place) {
    let check = async |ray: Ray| ray.check().await.unwrap_err();
    let refused = check(place.with(&cluster.url(), "another", |_| {})).await;
    assert!(matches!(refused, Error::RayDenied { .. }), "{refused}");
    let refused =
        check(place.with(&cluster.url(), Cluster::TOKEN, |job| job.nodes = Some("/no/such/folder".into()))).await;
    assert!(
        matches!(&refused, Error::RayFolder { folder, node, .. } if folder == "/no/such/folder" && !node.is_empty()),
        "{refused}"
    );
    let refused = check(place.with(&cluster.url(), Cluster::TOKEN, |job| job.gpus = Some(1))).await;
    assert!(refused.to_string().ends_with("with 1 GPUs: the most that nodes have is 0 GPUs"), "{refused}");
    let old = http::listen(|_| Some((200, Vec::new(), br#"{"ray_version": "2.8.1"}"#.to_vec()))).unwrap();
    let refused = check(place.with(&old, Cluster::TOKEN, |_| {})).await;
    assert!(matches!(refused, Error::RayOld { .. }), "{refused}");
    let refused = check(place.with("http://127.0.0.1:1", Cluster::TOKEN, |_| {})).await;
    assert!(matches!(refused, Error::NoRay { .. }), "{refused}");
}

async fn job_is_found_after_a_lost_answer(cluster: &Cluster) {
    let place = Place::new(cluster);
    let port = cluster.url().rsplit(':').next().unwrap().parse::<u16>().unwrap();
    // The cluster has the request, and nobody hears what it says.
    let deaf = http::listen(move |request| {
        let http::Request { method, path, query, body, .. } = request;
        let token = Cluster::TOKEN;
        let length = body.len();
        let head = format!(
            "{method} {path}?{query} HTTP/1.1\r\nhost: ray\r\nauthorization: Bearer {token}\r\n\
             content-type: application/json\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n"
        );
        let mut to = TcpStream::connect(("127.0.0.1", port)).ok()?;
        to.write_all(&[head.as_bytes(), body].concat()).ok()?;
        let mut answer = String::new();
        to.read_to_string(&mut answer).ok()?;
        let (head, body) = answer.split_once("\r\n\r\n")?;
        let status = head.split(' ').nth(1)?.parse().ok()?;
        (method != "POST").then(|| (status, Vec::new(), body.as_bytes().to_vec()))
    })
    .unwrap();
    let ray = place.with(&deaf, Cluster::TOKEN, |_| {});
    let lost = ray.start(&place.run, &place.start()).await.unwrap_err();
    assert!(matches!(lost, Error::NoRay { .. }), "{lost}");
    assert!(!ray.start(&place.run, &place.start()).await.unwrap().fresh, "it attaches");
    fs::write(place.far("finish"), "").unwrap();
    assert_eq!(place.exit().await.code, Some(0));
    assert_eq!(place.starts(), 1);
}

async fn eight_run_at_once(cluster: &Cluster) {
    let place = Place::new(cluster);
    let ray = place.with(&cluster.url(), Cluster::TOKEN, |_| {});
    let runs: Vec<RunRef> = (1..=8).map(|number| place.run(&format!("e-{number}"))).collect();
    let mut starts = JoinSet::new();
    for run in runs.clone() {
        let (ray, start) = (ray.clone(), place.start());
        starts.spawn(async move { ray.start(&run, &start).await.unwrap().fresh });
    }
    assert!(starts.join_all().await.into_iter().all(|fresh| fresh));
    for run in &runs {
        place.until(run, |seen| !seen.events.is_empty()).await;
    }
    // None has ended meanwhile.
    assert_eq!(ray.list().await.unwrap().len(), 8);
    for run in &runs {
        fs::write(place.shared.path().join("runs").join(&run.id).join("finish"), "").unwrap();
    }
    for run in &runs {
        let ended = place.until(run, |seen| !seen.process.is_alive()).await;
        assert_eq!(ended.process, Process::Exited(Exit { code: Some(0), ..Exit::default() }));
        ray.collect(run).await.unwrap();
        assert_eq!(fs::read_to_string(run.dir.join("adapter/weights")).unwrap(), "the base");
    }
}

#[tokio::test]
async fn run_goes_on_after_its_cluster_was_killed() {
    let Some(mut cluster) = Cluster::start() else { return };
    let place = Place::new(&cluster);
    let (ray, run) = (&place.ray, &place.run);
    ray.start(run, &place.start()).await.unwrap();
    let seen = place.until(run, |seen| !seen.events.is_empty()).await;
    cluster.down();
    assert_eq!(ray.observe(run, seen.cursor).await.unwrap().process, Process::Unknown);
    let refused = ray.start(run, &place.start()).await.unwrap_err();
    assert!(matches!(refused, Error::NoRay { .. }), "{refused}");
    // The new cluster knows nothing of it, but it gives signs of life.
    cluster.up().unwrap();
    let look = async || ray.observe(run, seen.cursor).await.unwrap().process;
    assert_eq!(look().await, Process::Running);
    kill_all(place.shared.path());
    assert_eq!(look().await, Process::Running, "it was seen a moment ago");
    // As if it had been silent since long ago.
    let job = place.shared.path().join("jobs/r-1");
    fs::write(job.join("absent"), format!("1 {}", fs::read_to_string(job.join("beat")).unwrap())).unwrap();
    assert_eq!(look().await, Process::Gone);
    assert!(ray.start(run, &place.start()).await.unwrap().fresh);
    fs::write(place.far("finish"), "").unwrap();
    assert_eq!(place.exit().await.code, Some(0));
    assert_eq!(place.starts(), 2);
}
