//! A worker whose database fails at any write: afterwards the run finishes, once.

use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use graft_engine::{Engine, Home, WorkerOptions};

use crate::common::{Graft, points};

const TASK: &str = "text-classification";
const SUBMIT: [&str; 13] = [
    "queue",
    "submit",
    TASK,
    "--base",
    "tiny",
    "--epochs",
    "0.2",
    "--batch-size",
    "8",
    "--no-eval",
    "--threads",
    "1",
    "--rank=2",
];

fn options() -> WorkerOptions {
    let mut options = WorkerOptions::new(env!("CARGO_BIN_EXE_graft").into());
    (options.once, options.suggestions) = (true, false);
    (options.lease, options.backoff) = (Duration::from_millis(700), Duration::from_millis(50));
    options
}

/// Lets a worker work whose writes fail at the `k`-th point and ever after; returns how many points it passed.
async fn work_and_fail(home: &Path, database: &str, k: u64) -> u64 {
    let store = graft_store::Store::open(database).await.unwrap().failing_at(k);
    let engine = Engine::with_store(Home::at(home).unwrap(), "test", store.clone());
    let (_stop, stopped) = tokio::sync::watch::channel(false);
    // It may end with the failure, or not have met it.
    let _ = engine.runs().work(options(), stopped, Arc::new(|_, _| {})).await;
    store.close().await;
    store.fault_points()
}

#[test]
fn run_finishes_once_despite_any_failed_write() {
    let (mut k, stride) = points(9);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let graft = Graft::with_toy_task();
    loop {
        let run = graft.json(&SUBMIT)["run"]["id"].as_str().unwrap().to_owned();
        let passed = runtime.block_on(work_and_fail(&graft.home(), &graft.database(), k));
        let began = Instant::now();
        while graft.json(&["runs", "show", &run])["run"]["state"] != "succeeded" {
            graft.ok(&["worker", "--once", "--no-suggestions", "--lease", "0.7", "--backoff", "0.05"]);
            assert!(began.elapsed() < Duration::from_secs(120), "point {k}: {}", graft.ok(&["runs", "show", &run]));
        }
        let versions = graft.json(&["models", "list"])["versions"].clone();
        let made = versions.as_array().unwrap().iter().filter(|version| version["run"] == *run).count();
        assert_eq!(made, 1, "point {k}: published {made} times");
        runtime.block_on(async {
            let store = graft_store::Store::open(&graft.database()).await.unwrap();
            crate::common::check_followed(&graft, &store, &run).await;
            store.close().await;
        });
        let left = graft.json(&["sweep"]);
        assert!(
            left["kept"].as_array().unwrap().is_empty() && left["missing"].as_array().unwrap().is_empty(),
            "{left}"
        );
        if passed < k {
            assert!(k > 20, "a run passes {passed} points");
            println!("a run passes {passed} points");
            break;
        }
        k += stride;
    }
}
