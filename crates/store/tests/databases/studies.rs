use graft_core::{Assignment, Dataset, Digest};
use graft_store::{Error, NewRun, NewStudy, NewTrial, RunFilter, RunKind, StudyState, Trial, TrialState};
use serde_json::json;

use crate::support::{Database, TASK, on_both, spec};

on_both!(trial_is_added_once_and_blocks_no_training, run_waits_for_its_study,);

fn dataset() -> Dataset {
    let (train, eval, leaking) = (Vec::new(), Vec::new(), Vec::new());
    Dataset { digest: Digest::of(b"dataset"), train, eval, leaking, assignment: Assignment::new() }
}

fn trial(number: u64) -> Trial {
    Trial {
        number,
        run: format!("s-{number}"),
        state: TrialState::Running,
        point: json!({"rank": 1.0}),
        settings: json!({"rank": 8}),
        loss: None,
        rungs: json!([]),
        bytes: None,
        losses: json!([]),
        latency_ms: None,
        millis: 0,
        note: None,
    }
}

async fn trial_is_added_once_and_blocks_no_training(database: Database) {
    let store = &database.store;
    let plan = json!({"seed": 1});
    let new = |id| NewStudy { id, task: TASK, plan: &plan, waiting: None };
    let study = store.add_study(new("s"), &dataset(), "ada", 10).await.unwrap();
    let error = store.add_study(new("s2"), &dataset(), "ada", 11).await.unwrap_err();
    assert!(matches!(&error, Error::StudyActive { study, .. } if study == "s"), "{error:?}");
    let add = async |number| {
        let (trial, request) = (trial(number), json!({}));
        let spec = spec(&trial.run);
        let run = NewRun { task: TASK, spec: &spec, dir: "runs/t" };
        store
            .add_trial(
                &study,
                NewTrial {
                    trial: &trial,
                    run,
                    request: &request,
                    sides: (3, 1),
                    task_revision: Some(4),
                    machine: None,
                },
                "ada",
                12,
            )
            .await
            .unwrap()
    };
    assert!(add(0).await && !add(0).await, "another process was first");
    assert!(add(1).await, "several trials of a task are active at once");
    // The task can be trained meanwhile.
    assert_eq!(store.active_run(TASK).await.unwrap(), None);
    let spec = spec("r");
    store.add_run(NewRun { task: TASK, spec: &spec, dir: "runs/r" }, "ada", 13).await.unwrap();
    let count = async |filter: RunFilter| {
        let found = store.runs(&filter).await.unwrap();
        assert_eq!(store.count_runs(&filter).await.unwrap(), found.len() as u64);
        found.len()
    };
    assert_eq!(count(RunFilter { study: Some("s".into()), ..RunFilter::default() }).await, 2);
    assert_eq!(count(RunFilter { kind: Some(RunKind::Train), ..RunFilter::default() }).await, 1);
    assert_eq!(count(RunFilter::default()).await, 3);
    let first = store.run("s-0").await.unwrap();
    assert_eq!((first.study.as_deref(), first.task_revision), (Some("s"), Some(4)));

    let ended = Trial {
        state: TrialState::Complete,
        loss: Some(0.5),
        bytes: Some(9),
        losses: json!([[0.5, 2.0]]),
        latency_ms: Some(0.5),
        millis: 7,
        ..trial(0)
    };
    store.end_trial("s", &ended).await.unwrap();
    store.end_trial("s", &Trial { state: TrialState::Failed, ..ended.clone() }).await.unwrap();
    assert_eq!(store.trials("s").await.unwrap(), [ended, trial(1)]);
    store.end_study(&study, StudyState::Stopped, "ada", 20).await.unwrap();
    assert!(!add(2).await, "it has ended");
    assert_eq!(store.study("s").await.unwrap().finished_at, Some(20));
    assert!(store.add_study(new("s2"), &dataset(), "ada", 21).await.is_ok());
    assert_eq!(
        store.studies(None).await.unwrap().iter().map(|study| study.id.as_str()).collect::<Vec<_>>(),
        ["s2", "s"]
    );
    assert!(matches!(store.study("other").await, Err(Error::NoStudy(_))));
}

async fn run_waits_for_its_study(database: Database) {
    let store = &database.store;
    let (plan, order, spec) = (json!({}), crate::queue::order(), spec("r"));
    let run = NewRun { task: TASK, spec: &spec, dir: "runs/r" };
    let new = NewStudy { id: "s", task: TASK, plan: &plan, waiting: Some((run, &order)) };
    let study = store.add_study(new, &dataset(), "ada", 10).await.unwrap();
    let waits = store.run("r").await.unwrap();
    assert_eq!((waits.phase.as_deref(), waits.search.as_deref()), (Some("search"), Some("s")));
    assert_eq!(store.next_run().await.unwrap(), None, "nobody may take it");
    // It has its task's place, and neither is added without the other.
    let other = NewStudy { id: "s2", task: TASK, plan: &plan, waiting: None };
    store.end_study(&study, StudyState::Done, "ada", 11).await.unwrap();
    let second = NewStudy { id: "s2", waiting: Some((run, &order)), ..other };
    assert!(store.add_study(second, &dataset(), "ada", 12).await.is_err());
    assert!(matches!(store.study("s2").await, Err(Error::NoStudy(_))));
    let mut best = spec.clone();
    best.optim.lr *= 2.0;
    store.end_search(&waits, Some((&best, &json!({"epochs": 1}))), "ada", 13).await.unwrap();
    store.end_search(&waits, None, "ada", 14).await.unwrap();
    let goes = store.next_run().await.unwrap().unwrap();
    assert_eq!((goes.id.as_str(), goes.phase.clone(), goes.search.as_deref()), ("r", None, Some("s")));
    assert_eq!((goes.spec, goes.request), (json!(best), Some(json!({"epochs": 1}))));
}
