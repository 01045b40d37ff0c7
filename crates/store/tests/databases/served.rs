//! Counts of served requests: totals of processes, added up when they are read.

use graft_store::ServedInputs;

use crate::support::{Database, TASK, on_both};

on_both! {
    counts_of_all_processes_add_up,
    times_of_all_processes_add_up,
}

fn served(hour: i64, inputs: u64, counts: &[u64]) -> ServedInputs {
    ServedInputs { hour, inputs, counts: counts.to_vec() }
}

async fn counts_of_all_processes_add_up(database: Database) {
    let store = &database.store;
    for (process, counts) in [
        ("one", served(7, 2, &[2, 1])),
        ("one", served(8, 1, &[1])),
        ("two", served(8, 3, &[1, 0, 3])),
        // The same process has counted on, and stores its totals twice.
        ("one", served(8, 4, &[4, 1])),
        ("one", served(8, 4, &[4, 1])),
    ] {
        store.set_served_inputs(TASK, process, &counts).await.unwrap();
    }
    store.set_served_inputs("mail", "one", &served(8, 9, &[9])).await.unwrap();
    let both = served(8, 7, &[5, 1, 3]);
    assert_eq!(store.served_inputs(TASK, 0).await.unwrap(), [both.clone(), served(7, 2, &[2, 1])]);
    assert_eq!(store.served_inputs(TASK, 8).await.unwrap(), [both]);
    store.forget_served_inputs(9).await.unwrap();
    assert_eq!(store.served_inputs(TASK, 0).await.unwrap(), []);
}

async fn times_of_all_processes_add_up(database: Database) {
    let store = &database.store;
    for (process, counts) in [("one", &[0, 1][..]), ("two", &[5]), ("one", &[0, 2, 0, 1])] {
        store.set_rollout_times(3, "v2", process, counts).await.unwrap();
    }
    assert_eq!(store.rollout_times(3, "v2").await.unwrap(), [5, 2, 0, 1]);
    assert_eq!(store.rollout_times(3, "v1").await.unwrap(), [0; 0]);
    assert_eq!(store.rollout_times(4, "v2").await.unwrap(), [0; 0]);
}
