use graft_core::{Event, EventKind, Phase};
use graft_store::{Findings, FollowCursor, Free, NewRun, RunState, RunUpdate, Store};
use serde_json::json;

use crate::support::{Database, TASK, on_both, spec};

on_both!(one_process_at_a_time_sends_a_run_until_complete, failed_send_waits_unless_retried_explicitly,);

async fn running(store: &Store) -> graft_store::Lease {
    let spec = spec("r");
    store.add_run(NewRun { task: TASK, spec: &spec, dir: "runs/r" }, "ada", 10).await.unwrap();
    let free = Free { threads: 1, idle: true, gpus: None };
    store.claim_run("w1", 60_000, free, Some("r"), "w1").await.unwrap().unwrap().1
}

fn findings(seq: u64) -> Findings {
    let event = Event { seq, at: 0, kind: EventKind::Phase { phase: Phase::Train } };
    Findings { events: vec![event], cursor: FollowCursor { events: seq, ..Default::default() }, ..Findings::default() }
}

async fn one_process_at_a_time_sends_a_run_until_complete(database: Database) {
    let store = &database.store;
    let lease = running(store).await;
    assert!(store.claim_tracked("mlflow", "a", 60_000).await.unwrap().is_none(), "it is not registered");
    store.track_run("r", "mlflow").await.unwrap();
    store.track_run("r", "mlflow").await.unwrap();
    let (mut known, run) = store.claim_tracked("mlflow", "a", 60_000).await.unwrap().unwrap();
    assert!(store.claim_tracked("mlflow", "b", 60_000).await.unwrap().is_none(), "another process holds the claim");
    assert!(!known.is_unsure);
    known.place = Some(json!({"id": "1"}));
    assert!(store.save_tracked(&known, "a", 60_000).await.unwrap());
    assert!(!store.save_tracked(&known, "b", 60_000).await.unwrap());

    // Its sender died. The next one knows that, and where to continue.
    store.free_tracked("a").await.unwrap();
    let (mut known, _) = store.claim_tracked("mlflow", "b", 60_000).await.unwrap().unwrap();
    assert!(known.is_unsure && known.place.is_some());
    assert!(!store.save_tracked(&known, "a", 60_000).await.unwrap(), "the former sender is refused");
    assert_eq!(store.tracking_owners().await.unwrap(), ["b"]);
    known.state = Some(run.state);
    assert!(store.save_tracked(&known, "b", 0).await.unwrap());
    assert!(store.claim_tracked("mlflow", "b", 60_000).await.unwrap().is_none(), "all is sent");
    assert_eq!(store.tracker_backlog("mlflow").await.unwrap(), (0, None));

    // New events, then the end of the run.
    let update = RunUpdate { state: Some(RunState::Running), ..RunUpdate::default() };
    store.take_findings(&lease, &findings(1), &update, "w1", 11).await.unwrap();
    let (mut known, run) = store.claim_tracked("mlflow", "b", 60_000).await.unwrap().unwrap();
    assert_eq!((known.seq, run.state), (0, RunState::Running));
    (known.seq, known.state) = (1, Some(run.state));
    store.save_tracked(&known, "b", 0).await.unwrap();
    assert!(store.claim_tracked("mlflow", "b", 60_000).await.unwrap().is_none());
    let update = RunUpdate { state: Some(RunState::Failed), ..RunUpdate::default() };
    store.update_held(&lease, &update, "w1", 12).await.unwrap();
    assert_eq!(store.claim_tracked("mlflow", "b", 60_000).await.unwrap().unwrap().1.state, RunState::Failed);
    store.delete_run("r", "ada", 13).await.unwrap();
    assert!(store.tracked("r").await.unwrap().is_empty());
}

async fn failed_send_waits_unless_retried_explicitly(database: Database) {
    let store = &database.store;
    running(store).await;
    store.track_run("r", "mlflow").await.unwrap();
    let (mut known, _) = store.claim_tracked("mlflow", "a", 60_000).await.unwrap().unwrap();
    (known.tries, known.error) = (1, Some("reach it".into()));
    known.not_before = store.now().await.unwrap() + 1_000_000;
    store.save_tracked(&known, "a", 0).await.unwrap();
    assert!(store.claim_tracked("mlflow", "a", 60_000).await.unwrap().is_none());
    assert_eq!(store.tracker_backlog("mlflow").await.unwrap(), (1, Some("reach it".into())));
    let other = spec("other");
    let new = NewRun { task: "ask-ai", spec: &other, dir: "runs/other" };
    store.add_run(new, "ada", 10).await.unwrap();
    store.track_run("other", "mlflow").await.unwrap();
    store.tracker_failed("mlflow", "log in", known.not_before).await.unwrap();
    assert!(store.claim_tracked("mlflow", "a", 60_000).await.unwrap().is_none(), "it would fail as well");
    assert_eq!(store.tracked("other").await.unwrap()[0].error.as_deref(), Some("log in"));
    store.hurry_tracked("mlflow").await.unwrap();
    assert!(store.claim_tracked("mlflow", "a", 60_000).await.unwrap().is_some());
}
