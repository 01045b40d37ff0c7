use std::{
    future::{Future as _, poll_fn},
    task::Poll,
};

use graft_store::{ChangeFilter, Error, ExampleFilter, NewRun, Store};
use serde_json::json;

use crate::support::{Database, TASK, again, is_sqlite, labelled, new_version, on_both, spec};

on_both!(
    exactly_one_concurrent_activation_wins,
    exactly_one_concurrent_run_becomes_active,
    concurrent_writers_are_serialized,
    dropped_import_stores_nothing,
    long_held_write_lock_is_reported,
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
