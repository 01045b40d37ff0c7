use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use graft_store::{ExampleFilter, Store};

use crate::support::{Database, TASK, again, labelled, on_both};

const BATCH: i64 = 40;
const DATABASE: &str = "GRAFT_TEST_DATABASE";

on_both!(killed_writer_loses_no_acknowledged_write, concurrent_processes_can_migrate,);

/// Runs in a child process: imports batch after batch until it is killed, and prints the number of each committed
/// batch.
#[tokio::test]
#[ignore = "started by the tests of this file"]
async fn writer() {
    let store = Store::open(&std::env::var(DATABASE).unwrap()).await.unwrap();
    for batch in 0.. {
        let examples: Vec<_> = (batch * BATCH..(batch + 1) * BATCH).map(labelled).collect();
        store.import(&examples, "import", batch).await.unwrap();
        println!("\ncommitted {batch}");
    }
}

fn start_writer(url: &str) -> std::process::Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "crash::writer", "--ignored", "--nocapture"])
        .env(DATABASE, url)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

async fn killed_writer_loses_no_acknowledged_write(database: Database) {
    for round in 0..5_u64 {
        let mut child = start_writer(&database.url);
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        lines.find(|line| line.starts_with("committed")).unwrap();
        // Kill it within the next batches, at another point each time.
        tokio::time::sleep(std::time::Duration::from_millis(3 + 7 * round)).await;
        child.kill().unwrap();
        child.wait().unwrap();
        let acknowledged = lines.filter(|line| line.starts_with("committed")).last();
        let last: i64 = acknowledged.map_or(0, |line| line["committed ".len()..].parse().unwrap());

        let store = again(&database).await;
        store.check().await.unwrap();
        let stored = store.count_examples(&ExampleFilter::default()).await.unwrap() as i64;
        assert_eq!(stored % BATCH, 0, "a batch is half there");
        assert!(stored >= (last + 1) * BATCH, "batch {last} was acknowledged, {stored} examples are there");
        assert_eq!(store.history(TASK, &format!("slack:{}", stored - 1)).await.unwrap().len(), 1);
    }
}

async fn concurrent_processes_can_migrate(database: Database) {
    // The fixture's database is migrated already; each iteration creates a new one of the same kind.
    for _ in 0..3 {
        let (url, _folder) = fresh(&database);
        let opened: Vec<_> = (0..6)
            .map(|_| {
                let url = url.clone();
                tokio::spawn(async move { Store::open(&url).await })
            })
            .collect();
        for store in opened {
            store.await.unwrap().unwrap().settings().await.unwrap();
        }
    }
}

fn fresh(database: &Database) -> (String, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let url = if crate::support::is_sqlite(database) {
        folder.path().join("graft.db").to_str().unwrap().to_owned()
    } else {
        graft_testkit::Postgres::shared().unwrap().database().unwrap()
    };
    (url, folder)
}
