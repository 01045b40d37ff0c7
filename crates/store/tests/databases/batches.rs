use graft_store::{BatchState, Error, NewBatch, Part};

use crate::support::{Database, TASK, on_both};

on_both!(part_is_answered_once, part_that_keeps_failing_ends_its_batch,);

/// A lease that has not ended within this test.
const LONG: i64 = 3_600_000;

async fn add(database: &Database, id: &str, parts: &[(u64, String)]) {
    let new = NewBatch { id, task: TASK, version: "v1", source: "in.txt", max_tokens: Some(9), parts };
    database.store.add_batch(new, "ada", 10).await.unwrap();
}

async fn claim(database: &Database, owner: &str, millis: i64) -> Option<Part> {
    database.store.claim_part(owner, millis, None, owner, 11).await.unwrap()
}

async fn part_is_answered_once(database: Database) {
    let store = &database.store;
    add(&database, "first", &[(2, "a\nb\n".into()), (1, "c\n".into())]).await;
    add(&database, "second", &[(1, "d\n".into())]).await;
    let again = NewBatch { id: "first", task: TASK, version: "v1", source: "", max_tokens: None, parts: &[] };
    assert!(matches!(store.add_batch(again, "ada", 10).await, Err(Error::BatchExists(_))));

    // The holder of the first part is killed: its lease is over at once.
    let dead = claim(&database, "dead", 0).await.unwrap();
    assert_eq!((dead.lease.batch.as_str(), dead.lease.number, dead.input.as_str()), ("first", 1, "a\nb\n"));
    assert_eq!((dead.version.as_str(), dead.max_tokens), ("v1", Some(9)));
    let taken = claim(&database, "bob", LONG).await.unwrap();
    assert_eq!((taken.lease.number, taken.lease.attempt), (1, 2));
    // It lives after all, and finds that it has lost the part.
    assert!(matches!(store.renew_part(&dead.lease, LONG, 1).await, Err(Error::PartLost { .. })));
    let late = store.finish_part(&dead.lease, "dead\n", 0, "dead", 12).await;
    assert!(matches!(late, Err(Error::PartLost { .. })));

    assert!(store.renew_part(&taken.lease, LONG, 1).await.unwrap());
    let seen = store.batch("first").await.unwrap();
    assert_eq!((seen.lines, seen.answered, seen.parts_running, seen.parts_done), (3, 1, 1, 0));
    store.finish_part(&taken.lease, "A\nB\n", 1, "bob", 12).await.unwrap();
    assert!(matches!(store.finish_part(&taken.lease, "A\n", 0, "bob", 12).await, Err(Error::PartLost { .. })));

    let other = claim(&database, "cleo", LONG).await.unwrap();
    assert_eq!((other.lease.batch.as_str(), other.lease.number), ("first", 2));
    assert_eq!(store.part_owners().await.unwrap(), ["cleo"]);
    // Its process is known to be gone, whatever its lease says.
    store.free_parts("cleo").await.unwrap();
    let other = claim(&database, "bob", LONG).await.unwrap();
    assert_eq!((other.lease.batch.as_str(), other.lease.number), ("first", 2));
    assert!(store.claim_part("bob", LONG, Some("first"), "bob", 12).await.unwrap().is_none(), "none is left");
    store.finish_part(&other.lease, "C\n", 0, "bob", 13).await.unwrap();
    let done = store.batch("first").await.unwrap();
    assert_eq!((done.state, done.answered, done.invalid, done.finished_at), (BatchState::Done, 3, 1, Some(13)));
    assert_eq!(store.part_output("first", 1).await.unwrap().as_deref(), Some("A\nB\n"));
    assert_eq!(store.part_output("second", 1).await.unwrap(), None);
    assert!(matches!(store.turn_batch("first", BatchState::Stopped, "ada", 14).await, Err(Error::BatchState { .. })));

    let last = claim(&database, "bob", LONG).await.unwrap();
    store.turn_batch("second", BatchState::Stopped, "ada", 14).await.unwrap();
    assert!(!store.renew_part(&last.lease, LONG, 0).await.unwrap(), "its holder hears of it");
    store.fail_part(&last.lease, "", u64::MAX, "bob", 14).await.unwrap();
    assert!(claim(&database, "bob", LONG).await.is_none());
    store.turn_batch("second", BatchState::Running, "ada", 15).await.unwrap();
    assert!(matches!(store.remove_batch("second", "ada", 16).await, Err(Error::BatchState { .. })), "it runs");
    store.remove_batch("first", "ada", 16).await.unwrap();
    assert_eq!(store.part_output("first", 1).await.unwrap(), None);
    assert_eq!(store.batches(Some(TASK)).await.unwrap().len(), 1);
    assert!(matches!(store.batch("first").await, Err(Error::NoBatch(_))));
}

async fn part_that_keeps_failing_ends_its_batch(database: Database) {
    let store = &database.store;
    add(&database, "b", &[(1, "a\n".into()), (1, "b\n".into())]).await;
    for attempt in 1..=2 {
        let part = claim(&database, "bob", LONG).await.unwrap();
        assert_eq!((part.lease.number, part.lease.attempt), (1, attempt));
        store.fail_part(&part.lease, "no memory", 2, "bob", 12).await.unwrap();
    }
    let failed = store.batch("b").await.unwrap();
    assert_eq!((failed.state, failed.failure.as_deref()), (BatchState::Failed, Some("no memory")));
    assert!(claim(&database, "bob", LONG).await.is_none(), "nobody goes on with it");
    let back = store.turn_batch("b", BatchState::Running, "ada", 13).await.unwrap();
    assert_eq!((back.state, back.failure, back.finished_at), (BatchState::Running, None, None));
    // Whoever takes this part is killed each time.
    for attempt in 1..=25 {
        assert_eq!(claim(&database, "dead", 0).await.unwrap().lease.attempt, attempt);
    }
    assert!(claim(&database, "dead", 0).await.is_none());
    let failure = store.batch("b").await.unwrap().failure.unwrap();
    assert!(failure.contains("part 1 was begun 25 times"), "{failure}");
}
