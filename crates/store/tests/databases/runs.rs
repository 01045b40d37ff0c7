use graft_core::{ExitCode, Failure, FailureClass};
use graft_store::{Error, NewRun, Run, RunFilter, RunState, RunUpdate, Store};
use serde_json::json;

use crate::support::{Database, TASK, on_both, spec};

on_both!(
    run_goes_through_its_states,
    task_has_one_active_run,
    failed_run_can_be_resumed,
    runs_are_filtered_and_listed,
    runs_convert_to_ask_ai_rows,
);

async fn add(store: &Store, id: &str, task: &str, at: i64) -> Result<Run, Error> {
    let spec = spec(id);
    store.add_run(NewRun { task, spec: &spec, dir: &format!("runs/{id}") }, "ada", at).await
}

fn to(state: RunState) -> RunUpdate {
    RunUpdate { state: Some(state), ..RunUpdate::default() }
}

async fn run_goes_through_its_states(database: Database) {
    let store = &database.store;
    let run = add(store, "r1", TASK, 10).await.unwrap();
    assert_eq!((run.state, run.method.as_str(), run.spec.clone()), (RunState::Queued, "lora", json!(spec("r1"))));
    let running =
        RunUpdate { pid: Some(u32::MAX), train_samples: Some(400), eval_samples: Some(100), ..to(RunState::Running) };
    store.update_run("r1", &running, "graft", 20).await.unwrap();
    let nan = RunUpdate { final_loss: Some(f64::NAN), ..RunUpdate::default() };
    assert_eq!(store.update_run("r1", &nan, "graft", 25).await.unwrap().final_loss, None);
    let done = RunUpdate { final_loss: Some(0.125), exit_code: Some(0), ..to(RunState::Succeeded) };
    store.update_run("r1", &done, "graft", 30).await.unwrap();
    let run = store.run("r1").await.unwrap();
    assert_eq!((run.pid, run.train_samples, run.eval_samples), (Some(u32::MAX), Some(400), Some(100)));
    assert_eq!((run.started_at, run.finished_at, run.final_loss), (Some(20), Some(30), Some(0.125)));
    let error = store.update_run("r1", &to(RunState::Running), "graft", 40).await.unwrap_err();
    assert!(matches!(error, Error::RunState { from: "succeeded", .. }), "{error:?}");
    assert!(matches!(store.run("r2").await, Err(Error::NoRun(_))));
    assert!(matches!(add(store, "r1", "other", 50).await, Err(Error::RunExists(_))));
    assert!(matches!(add(store, "../r1", TASK, 50).await, Err(Error::BadName { .. })));
}

async fn task_has_one_active_run(database: Database) {
    let store = &database.store;
    add(store, "r1", TASK, 10).await.unwrap();
    let error = add(store, "r2", TASK, 11).await.unwrap_err();
    assert!(matches!(&error, Error::RunActive { run, .. } if run == "r1"), "{error:?}");
    assert!(error.hint().unwrap().contains("r1"));
    add(store, "r3", "other", 12).await.unwrap();
    assert_eq!(store.active_run(TASK).await.unwrap().unwrap().id, "r1");
    store.update_run("r1", &to(RunState::Cancelled), "ada", 13).await.unwrap();
    assert_eq!(store.active_run(TASK).await.unwrap(), None);
    add(store, "r2", TASK, 14).await.unwrap();
    let error = store.update_run("r1", &to(RunState::Queued), "ada", 15).await.unwrap_err();
    assert!(matches!(&error, Error::RunActive { run, .. } if run == "r2"), "{error:?}");
}

async fn failed_run_can_be_resumed(database: Database) {
    let store = &database.store;
    add(store, "r1", TASK, 10).await.unwrap();
    store.update_run("r1", &to(RunState::Running), "graft", 20).await.unwrap();
    let stderr = format!("thread panicked\0{}", "x".repeat(5000));
    let failure = Failure { class: FailureClass::Lost, stderr, ..Failure::new("it ended", ExitCode::Internal) };
    let failed = RunUpdate { failure: Some(failure.clone()), exit_code: Some(137), ..to(RunState::Failed) };
    let run = store.update_run("r1", &failed, "graft", 30).await.unwrap();
    assert_eq!(run, store.run("r1").await.unwrap());
    assert_eq!((run.failure, run.exit_code, run.finished_at), (Some(failure), Some(137), Some(30)));
    let run = store.update_run("r1", &to(RunState::Running), "graft", 40).await.unwrap();
    assert_eq!((run.started_at, run.finished_at, run.failure, run.exit_code), (Some(20), None, None, None));
}

async fn runs_are_filtered_and_listed(database: Database) {
    let store = &database.store;
    for n in 0..4 {
        add(store, &format!("r{n}"), &format!("task{}", n % 2), 10).await.unwrap();
        store.update_run(&format!("r{n}"), &to(RunState::Cancelled), "ada", 11).await.unwrap();
    }
    add(store, "r4", "task0", 5).await.unwrap();
    let ids = async |filter: RunFilter| {
        store.runs(&filter).await.unwrap().iter().map(|run| run.id.clone()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(ids(RunFilter::default()).await, "r4 r3 r2 r1 r0");
    assert_eq!(ids(RunFilter { task: Some("task0".into()), ..RunFilter::default() }).await, "r4 r2 r0");
    assert_eq!(
        ids(RunFilter { state: Some(RunState::Cancelled), limit: Some(2), offset: 1, ..RunFilter::default() }).await,
        "r2 r1"
    );
}

async fn runs_convert_to_ask_ai_rows(database: Database) {
    let store = &database.store;
    add(store, "r1", TASK, 10).await.unwrap();
    let running = RunUpdate { train_samples: Some(500), eval_samples: Some(38), ..to(RunState::Running) };
    store.update_run("r1", &running, "graft", 20).await.unwrap();
    let done = RunUpdate { final_loss: Some(0.5), ..to(RunState::Succeeded) };
    let run = store.update_run("r1", &done, "graft", 30).await.unwrap();
    assert_eq!(
        json!(run.training_run()),
        json!({
            "id": 1, "trainingType": "soft_prompt", "status": "completed",
            "startedAt": "1970-01-01T00:00:00Z", "finishedAt": "1970-01-01T00:00:00Z",
            "datasetSize": 538, "baseModel": "smollm2-135m", "outputDir": "runs/r1", "runIdentifier": "r1",
            "finalLoss": 0.5, "errorMessage": null, "metadataPath": "runs/r1/training_run.json", "triggeredBy": "ada",
        })
    );
    add(store, "r2", TASK, 40).await.unwrap();
    let run = store.update_run("r2", &to(RunState::Cancelled), "ada", 41).await.unwrap().training_run();
    assert_eq!((run.status, run.error_message.as_deref(), run.metadata_path), ("failed", Some("cancelled"), None));
}
