//! A trainer that takes more memory than it may.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path, sync::Arc, time::Duration};

use graft_engine::{Columns, Engine, Home, RunFailure, RunRequest, Source, WorkerOptions};
use graft_store::RunState;
use tokio::sync::watch;

const TASK: &str = "text-classification";

#[tokio::test]
async fn trainer_over_memory_limit_is_ended_and_worker_continues() {
    let home = tempfile::tempdir().unwrap();
    let engine = Engine::open(Home::at(home.path()).unwrap(), "test").await.unwrap();
    let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("../testkit/data/parity/tiny-llama");
    engine.bases().add("tiny", &model).await.unwrap();
    let rows: String = (0..40).map(|i| format!("text {i},{}\n", ["good", "bad"][i % 2])).collect();
    let csv = home.path().join("rows.csv");
    fs::write(&csv, format!("text,label\n{rows}")).unwrap();
    let rows = engine.examples().read(&csv, &Source::Csv(Columns::default()), TASK, false).await.unwrap();
    engine.examples().take_in(rows, &mut |_| {}).await.unwrap();

    // In the trainer's place, a program that keeps all it reads.
    let greedy = home.path().join("greedy");
    fs::write(&greedy, "#!/bin/sh\nexec tail /dev/zero \"$2\"\n").unwrap();
    fs::set_permissions(&greedy, fs::Permissions::from_mode(0o700)).unwrap();
    let mut request = RunRequest::new(TASK);
    request.base = "tiny".into();
    request.settings.memory = Some(256 << 20);
    let run = engine.runs().submit(&request, None).await.unwrap();

    let (stop, stopped) = watch::channel(false);
    let options = WorkerOptions { suggestions: false, ..WorkerOptions::new(greedy) };
    let worker = tokio::spawn({
        let engine = engine.clone();
        async move { engine.runs().work(options, stopped, Arc::new(|_, _: &str| {})).await }
    });
    let ended = loop {
        let run = engine.runs().get(&run.id).await.unwrap();
        if !run.state.is_active() {
            break run;
        }
        assert!(!worker.is_finished(), "the worker has ended");
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    let failure = RunFailure::of(&ended).unwrap();
    assert_eq!((ended.state, ended.exit_code, ended.attempts), (RunState::Failed, Some(12), 1), "{failure:?}");
    assert!(failure.what.contains("not enough memory"), "{failure:?}");
    assert!(failure.hint.is_some_and(|hint| hint.contains("pass")), "what to do is said");
    assert!(!worker.is_finished());
    stop.send_replace(true);
    worker.await.unwrap().unwrap();
}

#[tokio::test]
async fn memory_estimate_counts_variants() {
    let home = tempfile::tempdir().unwrap();
    let engine = Engine::open(Home::at(home.path()).unwrap(), "test").await.unwrap();
    let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("../testkit/data/parity/tiny-llama");
    engine.bases().add("tiny", &model).await.unwrap();
    let rows: String = (0..12).map(|i| format!("a short text {i},{}\n", ["good", "bad"][i % 2])).collect();
    let csv = home.path().join("rows.csv");
    fs::write(&csv, format!("text,label\n{rows}")).unwrap();
    let rows = engine.examples().read(&csv, &Source::Csv(Columns::default()), TASK, false).await.unwrap();
    engine.examples().take_in(rows, &mut |_| {}).await.unwrap();
    let estimate = async |typos: f64| {
        let mut request = RunRequest::new(TASK);
        request.base = "tiny".into();
        request.settings.typos = Some(typos);
        request.settings.pass_tokens = Some(4096);
        engine.runs().preflight(&request).await.unwrap().estimate.unwrap()
    };
    // All examples fit into one micro-batch, and so do more of them with their variants.
    let (without, with) = (estimate(0.0).await, estimate(0.5).await);
    assert!(with.memory_bytes > without.memory_bytes, "{} {}", with.memory_bytes, without.memory_bytes);
    assert_eq!((with.train, with.steps), (without.train, without.steps));
}
