//! Live adapters: every approval becomes one window, and every window belongs to one snapshot.

use graft_core::Digest;
use graft_store::{Error, LiveSettings, LiveSnapshot, LiveState, Released, SnapshotState, Stage, Store};
use serde_json::json;

use crate::support::{Database, TASK, again, example, new_version, on_both};

on_both! {
    every_approval_becomes_exactly_one_window,
    each_window_belongs_to_exactly_one_snapshot,
}

async fn started(database: &Database) -> &Store {
    let store = &database.store;
    for name in ["v1", "v2", "v3"] {
        store.add_version(&new_version(Some(name)), "ada", 1).await.unwrap();
    }
    store.set_active(TASK, "v1", None, "ada", 2).await.unwrap();
    store.import(&(0..8).map(|n| example(n, None)).collect::<Vec<_>>(), "import slack", 3).await.unwrap();
    store.edit(TASK, "slack:7", &json!("before"), "ada", 4).await.unwrap();
    store.start_live((TASK, "v1"), &Digest::of(b"frozen"), &LiveSettings::default(), "ada", 5).await.unwrap();
    store
}

async fn edit(store: &Store, n: i64, output: &str, at: i64) {
    store.edit(TASK, &format!("slack:{n}"), &json!(output), "ada", at).await.unwrap();
}

/// Assigns places to all buffered windows.
async fn release(store: &Store) -> Vec<String> {
    let buffered = store.buffered_windows(TASK).await.unwrap();
    let released: Vec<Released> = buffered
        .iter()
        .map(|window| Released { example: window.example.clone(), revision: window.revision, late: false })
        .collect();
    store.release_windows(TASK, &released).await.unwrap();
    released.into_iter().map(|one| one.example).collect()
}

async fn every_approval_becomes_exactly_one_window(database: Database) {
    let store = started(&database).await;
    assert!(matches!(store.take_windows("chat", 10, 6).await, Err(Error::NoLive(_))));
    // By their timestamps, from another server's clock, later reviews were made earlier.
    for (n, at) in [(0, 30), (1, 20), (2, 10)] {
        edit(store, n, "x", at).await;
    }
    // Two servers at once, one of which was killed and restarted.
    let other = again(&database).await;
    let (one, two) = tokio::join!(store.take_windows(TASK, 2, 40), other.take_windows(TASK, 2, 40));
    let mut taken = one.unwrap().0 + two.unwrap().0;
    for _ in 0..3 {
        taken += store.take_windows(TASK, 2, 41).await.unwrap().0;
    }
    assert_eq!(taken, 3, "reviews before the start make no windows");
    assert_eq!(release(store).await, ["slack:2", "slack:1", "slack:0"]);
    assert_eq!(release(store).await, [""; 0]);
    // A changed review is a window of its own; an undone one makes none.
    edit(store, 1, "y", 50).await;
    edit(store, 3, "z", 51).await;
    store.reject(TASK, "slack:3", "odd", "ada", 52).await.unwrap();
    assert_eq!(store.take_windows(TASK, 100, 53).await.unwrap(), (1, false));
    let counts = store.window_counts(TASK).await.unwrap();
    assert_eq!(
        (counts.all, counts.buffered, counts.waiting, counts.oldest, counts.newest),
        (4, 1, 3, Some(40), Some(30))
    );
    // Starting it again continues where it was.
    store.set_live(TASK, LiveState::Paused, Some("disk full"), "ada", 54).await.unwrap();
    edit(store, 4, "w", 55).await;
    let live =
        store.start_live((TASK, "v2"), &Digest::of(b"frozen"), &LiveSettings::default(), "ada", 56).await.unwrap();
    assert_eq!((live.state, live.head.as_str(), live.note, live.created_at), (LiveState::Running, "v2", None, 5));
    assert_eq!(store.take_windows(TASK, 100, 57).await.unwrap(), (1, false));
}

async fn each_window_belongs_to_exactly_one_snapshot(database: Database) {
    let store = started(&database).await;
    assert_eq!(store.plan_snapshot(TASK, 2, 6).await.unwrap(), None);
    for n in 0..5 {
        edit(store, n, "x", 10 + n).await;
    }
    store.take_windows(TASK, 100, 20).await.unwrap();
    release(store).await;
    let first = store.plan_snapshot(TASK, 2, 21).await.unwrap().unwrap();
    let withheld = async |last| store.withheld_examples(TASK, last).await.unwrap().into_iter().collect::<Vec<_>>();
    assert_eq!(withheld(first.last).await, ["slack:2", "slack:3", "slack:4"], "windows of later snapshots");
    assert_eq!((first.seq, first.first, first.last, first.parent.as_str()), (1, 1, 2, "v1"));
    let again = store.plan_snapshot(TASK, 2, 22).await.unwrap().unwrap();
    assert_eq!(again, first, "only one snapshot at a time");
    let end = async |snapshot: &LiveSnapshot, state, version: &str| {
        let ended = LiveSnapshot { state, version: Some(version.into()), after: Some(0.5), ..snapshot.clone() };
        store.end_snapshot(&ended, "live", 30).await.unwrap();
    };
    end(&first, SnapshotState::Accepted, "v2").await;
    end(&first, SnapshotState::Refused, "v3").await;
    assert_eq!(store.live(TASK).await.unwrap().unwrap().head, "v2", "what ended stays as it is");
    let second = store.plan_snapshot(TASK, 2, 31).await.unwrap().unwrap();
    assert_eq!((second.seq, second.first, second.last, second.parent.as_str()), (2, 3, 4, "v2"));
    end(&second, SnapshotState::Refused, "v3").await;
    assert_eq!(store.version(TASK, "v3").await.unwrap().stage, Stage::Archived);
    let third = store.plan_snapshot(TASK, 2, 32).await.unwrap().unwrap();
    assert_eq!(
        (third.first, third.last, third.parent.as_str()),
        (5, 5, "v2"),
        "the next starts from what was accepted"
    );
    assert_eq!(withheld(third.last).await, ["slack:2", "slack:3"], "windows of a refused snapshot");
    end(&third, SnapshotState::Failed, "v3").await;
    assert_eq!(store.plan_snapshot(TASK, 2, 33).await.unwrap(), None);
    assert_eq!(store.window_counts(TASK).await.unwrap().waiting, 0);

    let live = store.rewind_live(TASK, "v1", "ada", 40).await.unwrap();
    let states: Vec<_> = store.snapshots(TASK, 9).await.unwrap().iter().map(|one| one.state).collect();
    assert_eq!(live.head, "v1");
    assert_eq!(states, [SnapshotState::Failed, SnapshotState::Refused, SnapshotState::Rewound]);
    assert_eq!(store.version(TASK, "v2").await.unwrap().stage, Stage::Archived);
    assert_eq!(store.version(TASK, "v1").await.unwrap().stage, Stage::Active);
    assert!(matches!(store.rewind_live(TASK, "v9", "ada", 41).await, Err(Error::NoVersion { .. })));
    // A snapshot that was in training when a person went back does not become the head.
    edit(store, 6, "x", 50).await;
    store.take_windows(TASK, 100, 51).await.unwrap();
    release(store).await;
    let fourth = store.plan_snapshot(TASK, 2, 52).await.unwrap().unwrap();
    store.rewind_live(TASK, "v1", "ada", 53).await.unwrap();
    end(&fourth, SnapshotState::Accepted, "v3").await;
    assert_eq!(store.live(TASK).await.unwrap().unwrap().head, "v1");
    // Another decision about an example of a refused snapshot is a window of a new one.
    edit(store, 3, "y", 60).await;
    store.take_windows(TASK, 100, 61).await.unwrap();
    release(store).await;
    let fifth = store.plan_snapshot(TASK, 2, 62).await.unwrap().unwrap();
    assert_eq!(withheld(fifth.last).await, ["slack:0", "slack:1", "slack:2", "slack:6"], "rewound and refused");
}
