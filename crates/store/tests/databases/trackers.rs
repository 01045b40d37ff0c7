use graft_core::{Event, EventKind, Phase};
use graft_store::{Findings, FollowCursor, Free, NewRun, RunState, RunUpdate, Store};
use serde_json::json;

use crate::support::{Database, TASK, on_both, spec};

on_both!(a_run_is_sent_by_one_at_a_time_until_all_is_sent, what_failed_waits_unless_it_is_hurried,);

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

async fn a_run_is_sent_by_one_at_a_time_until_all_is_sent(database: Database) {
    let store = &database.store;
    let lease = running(store).await;
    assert!(store.claim_tracked("mlflow", "a", 60_000).await.unwrap().is_none(), "nobody asked for it");
    store.track_run("r", "mlflow").await.unwrap();
    store.track_run("r", "mlflow").await.unwrap();
    let (mut known, run) = store.claim_tracked("mlflow", "a", 60_000).await.unwrap().unwrap();
    assert!(store.claim_tracked("mlflow", "b", 60_000).await.unwrap().is_none(), "it is another's");
    assert!(!known.is_unsure);
    known.place = Some(json!({"id": "1"}));
    assert!(store.save_tracked(&known, "a", 60_000).await.unwrap());
    assert!(!store.save_tracked(&known, "b", 60_000).await.unwrap());

    // Its sender is gone; the next one knows that it can't be sure, and where to go on.
    store.free_tracked("a").await.unwrap();
    let (mut known, _) = store.claim_tracked("mlflow", "b", 60_000).await.unwrap().unwrap();
    assert!(known.is_unsure && known.place.is_some());
    assert!(!store.save_tracked(&known, "a", 60_000).await.unwrap(), "the one that was thought dead");
    assert_eq!(store.tracking_owners().await.unwrap(), ["b"]);
    known.state = Some(run.state);
    assert!(store.save_tracked(&known, "b", 0).await.unwrap());
    assert!(store.claim_tracked("mlflow", "b", 60_000).await.unwrap().is_none(), "all is sent");
    assert_eq!(store.tracker_backlog("mlflow").await.unwrap(), (0, None));

    // News, and then the end.
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

async fn what_failed_waits_unless_it_is_hurried(database: Database) {
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
