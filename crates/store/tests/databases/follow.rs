use graft_core::{Event, EventKind, Phase};
use graft_store::{Error, Findings, FollowCursor, Free, Lease, LogStream, NewRun, RunState, RunUpdate, Store};
use serde_json::json;

use crate::support::{Database, TASK, on_both, spec};

on_both!(
    only_steps_are_thinned_out,
    only_the_lease_holder_stores_events,
    logs_keep_file_offsets,
    run_of_an_earlier_version_is_imported_once,
    events_are_stored_atomically_at_every_fault_point,
);

async fn held(store: &Store, id: &str) -> Lease {
    let spec = spec(id);
    store.add_run(NewRun { task: TASK, spec: &spec, dir: "runs/r" }, "ada", 10).await.unwrap();
    let free = Free { threads: 1, idle: true, gpus: None };
    store.claim_run("w1", 60_000, free, Some(id), "w1").await.unwrap().unwrap().1
}

fn step(seq: u64, step: u64, of: u64) -> Event {
    let kind =
        EventKind::Step { step, of, loss: 1.0, lr: 1.0, grad_norm: 1.0, tokens_per_s: 1.0, eta_s: 1.0, memory: None };
    Event { seq, at: 0, kind }
}

async fn seqs(store: &Store, run: &str) -> Vec<u64> {
    store.run_events(run, 0, 1_000_000).await.unwrap().iter().map(|event| event.seq).collect()
}

async fn take(store: &Store, lease: &Lease, findings: &Findings) -> Result<(), Error> {
    store.take_findings(lease, findings, &RunUpdate::default(), "w1", 11).await.map(drop)
}

async fn only_steps_are_thinned_out(database: Database) {
    let store = &database.store;
    let lease = held(store, "r").await;
    let phase = |seq| Event { seq, at: 0, kind: EventKind::Phase { phase: Phase::Train } };
    let eval = |seq| Event {
        seq,
        at: 0,
        kind: EventKind::Eval { step: 1, loss: 1.0, best: true, seconds: None, scores: None },
    };
    let mut all = vec![phase(1)];
    for n in 1..=20_000 {
        all.push(step(all.len() as u64 + 1, n, 20_000));
        if n % 5000 == 7 {
            all.push(eval(all.len() as u64 + 1));
        }
    }
    for (index, events) in all.chunks(3001).enumerate() {
        let cursor = FollowCursor { events: index as u64, ..FollowCursor::default() };
        take(store, &lease, &Findings { events: events.to_vec(), cursor, ..Findings::default() }).await.unwrap();
        let newest = store.last_event("r").await.unwrap().map(|event| event.seq);
        assert_eq!(newest, events.last().map(|event| event.seq), "the newest step is there at any time");
    }
    let kept = store.run_events("r", 0, 1_000_000).await.unwrap();
    let steps = kept.iter().filter(|event| matches!(event.kind, EventKind::Step { .. })).count();
    assert_eq!(steps, 1001, "every 20th and the first");
    assert_eq!(kept.len() - steps, 5);
    assert!(kept.is_sorted_by_key(|event| event.seq) && kept[1] == all[1] && kept.last() == all.last());
}

async fn only_the_lease_holder_stores_events(database: Database) {
    let store = &database.store;
    let old = held(store, "r").await;
    let first = Findings {
        events: vec![step(1, 1, 9)],
        progress: Some(json!({"step": 1})),
        cursor: FollowCursor { events: 5, stdout: 0, stderr: 0 },
        ..Findings::default()
    };
    let running = RunUpdate { state: Some(RunState::Running), phase: Some("train"), ..RunUpdate::default() };
    assert_eq!(store.take_findings(&old, &first, &running, "w1", 11).await.unwrap().state, RunState::Running);
    // Storing the same events and the same state again changes nothing.
    assert_eq!(store.take_findings(&old, &first, &running, "w1", 12).await.unwrap().phase.as_deref(), Some("train"));
    assert_eq!(seqs(store, "r").await, [1]);
    store.release_lease(&old).await.unwrap();
    let seen = store.run("r").await.unwrap();
    let (_, new) = store.take_over(&seen, "w2", 60_000).await.unwrap();
    let late = Findings { events: vec![step(2, 2, 9)], ..Findings::default() };
    assert!(matches!(take(store, &old, &late).await, Err(Error::LeaseLost { .. })));
    let followed = store.followed("r").await.unwrap().unwrap();
    assert_eq!((seqs(store, "r").await, followed.cursor), (vec![1], first.cursor));
    take(store, &new, &late).await.unwrap();
    let followed = store.followed("r").await.unwrap().unwrap();
    assert_eq!(
        (seqs(store, "r").await, followed.progress),
        (vec![1, 2], first.progress),
        "absent fields keep their values"
    );
    store.cancel_run("r", "ada", 13).await.unwrap();
    let ended = RunUpdate { state: Some(RunState::Cancelled), ..RunUpdate::default() };
    store.update_held(&new, &ended, "w2", 14).await.unwrap();
    store.delete_run("r", "ada", 15).await.unwrap();
    assert_eq!((seqs(store, "r").await, store.followed("r").await.unwrap()), (vec![], None));
}

async fn logs_keep_file_offsets(database: Database) {
    let store = &database.store;
    let lease = held(store, "r").await;
    let mut whole = String::new();
    for n in 0..40 {
        let piece = format!("{n}: {}\n", "ü'x".repeat(n * n * 10));
        whole += &piece;
        let cursor = FollowCursor { events: 0, stdout: whole.len() as u64, stderr: 3 };
        let stderr = if n == 0 { "abc".to_owned() } else { String::new() };
        take(store, &lease, &Findings { stdout: piece, stderr, cursor, ..Findings::default() }).await.unwrap();
    }
    let (mut read, mut at) = (String::new(), 0);
    loop {
        let part = store.run_log("r", LogStream::Stdout, at).await.unwrap();
        assert_eq!(part.size, whole.len() as u64);
        if part.text.is_empty() {
            break;
        }
        assert!(part.text.len() <= 256 << 10 && part.next == at + part.text.len() as u64);
        (read, at) = (read + &part.text, part.next);
    }
    assert!(read == whole && at == whole.len() as u64);
    let middle = store.run_log("r", LogStream::Stdout, 70_001).await.unwrap();
    assert!(!middle.text.is_empty() && whole[70_001..].starts_with(&middle.text));
    assert_eq!(store.run_log("r", LogStream::Stderr, 1).await.unwrap().text, "bc");
    assert_eq!(store.run_log("r", LogStream::Stderr, 99).await.unwrap().next, 3);
    assert_eq!(store.run_log("nobody", LogStream::Stderr, 0).await.unwrap().size, 0);
}

async fn run_of_an_earlier_version_is_imported_once(database: Database) {
    let store = &database.store;
    let lease = held(store, "r").await;
    let found = Findings { events: vec![step(1, 1, 1)], result: Some(json!({"steps": 1})), ..Findings::default() };
    store.import_findings(&store.run("r").await.unwrap(), &found).await.unwrap();
    assert_eq!(store.followed("r").await.unwrap(), None, "an active run has its follower");
    let failed = RunUpdate { state: Some(RunState::Failed), ..RunUpdate::default() };
    store.update_held(&lease, &failed, "w1", 12).await.unwrap();
    let run = store.run("r").await.unwrap();
    store.import_findings(&run, &found).await.unwrap();
    let more = Findings { events: vec![step(1, 1, 1), step(2, 1, 1)], ..Findings::default() };
    store.import_findings(&run, &more).await.unwrap();
    assert_eq!(seqs(store, "r").await, [1]);
    assert_eq!(store.followed("r").await.unwrap().unwrap().result, found.result);
}

async fn events_are_stored_atomically_at_every_fault_point(database: Database) {
    let store = &database.store;
    let lease = held(store, "r").await;
    let mut cursor = FollowCursor::default();
    for n in 0..20 {
        cursor.events += 1;
        cursor.stdout += 2;
        let events = vec![step(n + 1, n + 1, 20)];
        let findings = Findings { events, stdout: "x\n".into(), cursor, ..Findings::default() };
        // The transaction fails before it begins, before its commit, and after it.
        for nth in 1..=3 {
            assert!(take(&store.failing_at(nth), &lease, &findings).await.is_err());
            let known = store.followed("r").await.unwrap().unwrap_or_default().cursor;
            let events = seqs(store, "r").await.len() as u64;
            assert_eq!((known.events, known.stdout), (events, events * 2), "cursor and findings go together");
            assert!(events == n || nth == 3, "a refused transaction left something");
        }
        // After an error a follower reads its cursor again; storing the same events twice keeps one copy.
        take(store, &lease, &findings).await.unwrap();
    }
    assert_eq!(seqs(store, "r").await, (1..=20).collect::<Vec<_>>());
    assert_eq!(store.run_log("r", LogStream::Stdout, 0).await.unwrap().text, "x\n".repeat(20));
}
