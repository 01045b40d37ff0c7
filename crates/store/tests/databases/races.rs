use std::{
    future::{Future as _, poll_fn},
    task::Poll,
};

use graft_store::{ChangeFilter, Error, ExampleFilter, Findings, Free, NewRun, RunFilter, RunState, RunUpdate, Store};
use serde_json::json;

use crate::support::{Database, TASK, again, is_sqlite, labelled, new_version, on_both, spec};

on_both!(
    exactly_one_concurrent_activation_wins,
    exactly_one_concurrent_run_becomes_active,
    concurrent_writers_are_serialized,
    dropped_import_stores_nothing,
    long_held_write_lock_is_reported,
    cursor_skips_no_change_of_concurrent_writers,
    run_is_either_claimed_or_cancelled,
    four_workers_take_each_run_to_its_end_once,
);

/// Stores with their own connections, like other processes.
async fn others(database: &Database, count: usize) -> Vec<Store> {
    let mut stores = Vec::new();
    for _ in 0..count {
        stores.push(again(database).await);
    }
    stores
}

async fn exactly_one_concurrent_activation_wins(database: Database) {
    for n in 0..8 {
        let new = new_version(Some(&format!("v{n}")));
        database.store.add_version(&new, "ada", 1).await.unwrap();
    }
    let tries: Vec<_> = others(&database, 8)
        .await
        .into_iter()
        .enumerate()
        .map(|(n, store)| tokio::spawn(async move { store.set_active(TASK, &format!("v{n}"), None, "ada", 2).await }))
        .collect();
    let mut winners = Vec::new();
    for attempt in tries {
        match attempt.await.unwrap() {
            Ok(version) => winners.push(version.name),
            Err(error) => assert!(matches!(error, Error::ActiveChanged { .. }), "{error:?}"),
        }
    }
    assert_eq!(winners.len(), 1, "{winners:?}");
    assert_eq!(database.store.active_version(TASK).await.unwrap().unwrap().name, winners[0]);
    assert_eq!(database.store.activations(TASK).await.unwrap().len(), 1);
}

async fn exactly_one_concurrent_run_becomes_active(database: Database) {
    let tries: Vec<_> = others(&database, 8)
        .await
        .into_iter()
        .enumerate()
        .map(|(n, store)| {
            tokio::spawn(async move {
                let spec = spec(&format!("r{n}"));
                store.add_run(NewRun { task: TASK, spec: &spec, dir: "d" }, "ada", 2).await
            })
        })
        .collect();
    let mut winners = 0;
    for attempt in tries {
        match attempt.await.unwrap() {
            Ok(_) => winners += 1,
            Err(error) => assert!(matches!(error, Error::RunActive { .. }), "{error:?}"),
        }
    }
    assert_eq!(winners, 1);
}

async fn concurrent_writers_are_serialized(database: Database) {
    let writers: Vec<_> = others(&database, 4)
        .await
        .into_iter()
        .map(|store| {
            tokio::spawn(async move {
                for n in 0..25 {
                    // All import the same ten examples: read, decide and write must not interleave.
                    store.import(&[labelled(n % 10)], "import", n).await.unwrap();
                    store.edit(TASK, &format!("slack:{}", n % 10), &json!(n), "ada", n).await.unwrap();
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    let changes = database.store.changes(&ChangeFilter::default()).await.unwrap();
    assert_eq!(changes.len(), 10 + 100);
    assert!(changes.iter().zip(1..).all(|(change, seq)| change.seq == seq));
    assert_eq!(database.store.count_examples(&ExampleFilter::default()).await.unwrap(), 10);
}

async fn dropped_import_stores_nothing(database: Database) {
    let examples: Vec<_> = (0..2000).map(labelled).collect();
    let mut import = Box::pin(database.store.import(&examples, "import", 1));
    let mut waits = 0;
    // Drop the future in the middle of the import, which awaits the database more often than this.
    let ended = poll_fn(|context| match import.as_mut().poll(context) {
        Poll::Ready(ended) => Poll::Ready(Some(ended)),
        Poll::Pending => {
            waits += 1;
            if waits == 12 { Poll::Ready(None) } else { Poll::Pending }
        }
    });
    assert!(ended.await.is_none(), "it ended after {waits} waits");
    drop(import);
    let count = async || database.store.count_examples(&ExampleFilter::default()).await.unwrap();
    assert_eq!(count().await, 0);
    database.store.import(&examples[..3], "import", 2).await.unwrap();
    assert_eq!(count().await, 3);
}

async fn long_held_write_lock_is_reported(database: Database) {
    use sqlx::Connection;
    let (url, take) = if is_sqlite(&database) {
        let path = database.url.replace('%', "%25").replace('?', "%3F").replace('#', "%23");
        (format!("sqlite://{path}"), "begin immediate")
    } else {
        (database.url.clone(), "begin; select 1 from pg_advisory_xact_lock(7238237101)")
    };
    let mut stuck = sqlx::AnyConnection::connect(&url).await.unwrap();
    sqlx::raw_sql(take).execute(&mut stuck).await.unwrap();
    let error = database.store.set_setting("n", &json!(1), "ada", 1).await.unwrap_err();
    assert!(matches!(error, Error::Locked(_)), "{error:?}");
    // Readers don't wait for the lock, nor does opening.
    again(&database).await.settings().await.unwrap();
    stuck.close().await.unwrap();
    database.store.set_setting("n", &json!(1), "ada", 1).await.unwrap();
}

async fn cursor_skips_no_change_of_concurrent_writers(database: Database) {
    const WRITERS: i64 = 6;
    const EACH: i64 = 25;
    let examples: Vec<_> = (0..=WRITERS * 2).map(labelled).collect();
    database.store.import(&examples, "import", 1).await.unwrap();
    let writers = others(&database, 6).await.into_iter().zip(0..).map(|(store, writer)| {
        tokio::spawn(async move {
            for n in 0..EACH {
                // Two examples of its own in turn, and one that everybody edits.
                for id in [writer * 2 + 1 + n % 2, 0] {
                    store.edit(TASK, &format!("slack:{id}"), &json!([writer, n]), "ada", n).await.unwrap();
                }
                let refused = store.reject(TASK, "slack:none", "no", "ada", n).await;
                assert!(matches!(refused, Err(Error::NoExample { .. })));
            }
        })
    });
    let writers: Vec<_> = writers.collect();
    // Whoever follows the trail by the last number seen gets each number, one after the other.
    let (mut cursor, all) = (0, 1 + WRITERS * 2 + WRITERS * EACH * 2);
    while cursor < all {
        let is_over = writers.iter().all(tokio::task::JoinHandle::is_finished);
        for change in database.store.changes(&ChangeFilter { after: cursor, ..ChangeFilter::default() }).await.unwrap()
        {
            assert_eq!(change.seq, cursor + 1);
            cursor = change.seq;
        }
        assert!(!is_over || cursor == all, "{cursor} of {all}");
    }
    for writer in writers {
        writer.await.unwrap();
    }
    // Nobody overwrote what another one had just read.
    let history = database.store.history(TASK, "slack:0").await.unwrap();
    for (before, after) in history.iter().zip(&history[1..]) {
        let (was, is) = (before.after.as_ref().unwrap(), after.before.as_ref().unwrap());
        assert!(is["output"].is_null() || is["output"] == was["output"], "{was} {is}");
    }
}

async fn run_is_either_claimed_or_cancelled(database: Database) {
    const RUNS: usize = 30;
    for n in 0..RUNS {
        let (id, spec) = (format!("r{n}"), spec(&format!("r{n}")));
        let new = NewRun { task: &id, spec: &spec, dir: "d" };
        database.store.add_run(new, "ada", 2).await.unwrap();
    }
    let stores = others(&database, 3).await;
    let claim = |store: Store| {
        tokio::spawn(async move {
            let free = Free { threads: 2, idle: true, gpus: None };
            let mut claimed = Vec::new();
            while let Some((run, _)) = store.claim_run("w", 60_000, free, None, "w").await.unwrap() {
                claimed.push(run.id);
            }
            claimed
        })
    };
    let claims = [claim(stores[0].clone()), claim(stores[1].clone())];
    let mut cancelled = Vec::new();
    for n in 0..RUNS {
        // One that was claimed only gets the wish to end.
        let run = stores[2].cancel_run(&format!("r{n}"), "ada", 3).await.unwrap();
        if run.state == RunState::Cancelled {
            cancelled.push(run.id);
        }
    }
    let mut ended = cancelled.clone();
    for claimed in claims {
        ended.extend(claimed.await.unwrap());
    }
    ended.sort();
    let mut all: Vec<_> = (0..RUNS).map(|n| format!("r{n}")).collect();
    all.sort();
    assert_eq!(ended, all);
    for run in database.store.runs(&RunFilter::default()).await.unwrap() {
        let state = if cancelled.contains(&run.id) { RunState::Cancelled } else { RunState::Starting };
        assert_eq!((run.state, run.attempts), (state, u32::from(state == RunState::Starting)), "{}", run.id);
    }
}

async fn four_workers_take_each_run_to_its_end_once(database: Database) {
    const RUNS: usize = 60;
    for n in 0..RUNS {
        let (id, spec) = (format!("r{n}"), spec(&format!("r{n}")));
        database.store.add_run(NewRun { task: &id, spec: &spec, dir: "d" }, "ada", 2).await.unwrap();
    }
    let workers = others(&database, 4).await.into_iter().zip(0..).map(|(store, worker)| {
        tokio::spawn(async move {
            let to = |state| RunUpdate { state: Some(state), ..RunUpdate::default() };
            let (me, free) = (format!("w{worker}"), Free { threads: 2, idle: true, gpus: None });
            let mut taken = 0;
            while let Some((_, lease)) = store.claim_run(&me, 60_000, free, None, "w").await.unwrap() {
                assert_eq!(store.abandoned_runs().await.unwrap(), []);
                let findings = Findings::default();
                store.take_findings(&lease, &findings, &to(RunState::Running), "w", 3).await.unwrap();
                store.renew_lease(&lease, 60_000).await.unwrap();
                store.update_held(&lease, &to(RunState::Succeeded), "w", 4).await.unwrap();
                taken += 1;
            }
            taken
        })
    });
    let workers: Vec<_> = workers.collect();
    let mut taken = 0;
    for worker in workers {
        taken += worker.await.unwrap();
    }
    assert_eq!(taken, RUNS);
    for run in database.store.runs(&RunFilter::default()).await.unwrap() {
        assert_eq!((run.state, run.attempts, run.fence), (RunState::Succeeded, 1, 1), "{}", run.id);
    }
    // Queued, starting, running, succeeded.
    let changes = database.store.changes(&ChangeFilter::default()).await.unwrap();
    assert_eq!(changes.len(), 4 * RUNS);
    assert!(changes.iter().zip(1..).all(|(change, seq)| change.seq == seq));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn independent_writes_go_on_beside_one_that_waits_on_postgres() {
    use sqlx::Connection;
    let Some(database) = Database::postgres().await else { return };
    let store = &database.store;
    store.import(&[labelled(1), labelled(2)], "import", 1).await.unwrap();
    let spec = spec("r");
    store.add_run(NewRun { task: "t", spec: &spec, dir: "d" }, "ada", 2).await.unwrap();
    let mut stuck = sqlx::AnyConnection::connect(&database.url).await.unwrap();
    sqlx::raw_sql("begin; select 1 from examples where id = 'slack:1' for update").execute(&mut stuck).await.unwrap();
    let other = again(&database).await;
    let waiting = tokio::spawn(async move { other.approve(TASK, "slack:1", "bob", 3).await });
    let begun = "select 1 as one from pg_locks where not granted and pg_backend_pid() = any(pg_blocking_pids(pid))";
    while !waiting.is_finished() && sqlx::query(begun).fetch_optional(&mut stuck).await.unwrap().is_none() {}
    store.approve(TASK, "slack:2", "ada", 4).await.unwrap();
    let other = graft_core::Example { task: "other".into(), ..labelled(1) };
    store.import(&[other], "import", 4).await.unwrap();
    let free = Free { threads: 2, idle: true, gpus: None };
    let (_, lease) = store.claim_run("w", 60_000, free, None, "w").await.unwrap().unwrap();
    store.renew_lease(&lease, 60_000).await.unwrap();
    assert!(!waiting.is_finished());
    stuck.close().await.unwrap();
    waiting.await.unwrap().unwrap();
    // The one that began first ended last.
    let changes = store.changes(&ChangeFilter { newest: true, ..ChangeFilter::default() }).await.unwrap();
    assert_eq!((changes[0].by.as_str(), changes[0].subject.as_str()), ("bob", "slack:1"));
}
