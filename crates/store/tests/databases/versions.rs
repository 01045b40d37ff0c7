use graft_core::Digest;
use graft_store::{
    Action, ChangeFilter, Error, Kind, Measurement, NewRun, NewVersion, Stage, Store, Version, model_registry,
};
use serde_json::json;

use crate::support::{Database, TASK, card, new_version, on_both, spec};

on_both!(
    versions_can_be_registered,
    current_versions_are_the_active_and_the_newest,
    answers_belong_to_one_evaluation,
    task_has_one_active_version,
    repeated_rollback_goes_back_further,
    deleting_a_version_keeps_the_others,
    version_names_are_not_reused,
    registry_matches_the_slack_system_format,
);

async fn add(store: &Store, names: &[&str]) {
    for name in names {
        store.add_version(&new_version(Some(name)), "ada", 10).await.unwrap();
    }
}

async fn active(store: &Store) -> Option<String> {
    store.active_version(TASK).await.unwrap().map(|version| version.name)
}

async fn versions_can_be_registered(database: Database) {
    let store = &database.store;
    let missing = NewVersion { run: Some("r1".into()), ..new_version(None) };
    assert!(matches!(store.add_version(&missing, "ada", 10).await, Err(Error::NoRun(_))));
    let spec = spec("r1");
    store.add_run(NewRun { task: TASK, spec: &spec, dir: "runs/r1" }, "ada", 5).await.unwrap();
    let version = store.add_version(&missing, "ada", 10).await.unwrap();
    let told = NewVersion { parent: Some("v1".into()), dataset: None, ..new_version(Some("final")) };
    let second = store.add_version(&told, "ada", 11).await.unwrap();
    assert_eq!((version.name.as_str(), version.stage, version.run.as_deref()), ("v1", Stage::Shadow, Some("r1")));
    assert_eq!((version.card_digest.clone(), version.dataset.clone()), (card().digest(), Some(Digest::of(b"dataset"))));
    assert_eq!((second.parent.as_deref(), second.dataset.clone()), (Some("v1"), None));
    assert_eq!(store.version(TASK, "v1").await.unwrap(), version);
    assert_eq!(store.versions(Some(TASK)).await.unwrap(), [version, second]);
    let names = store.version_names(Some(TASK)).await.unwrap();
    let names: Vec<_> = names.iter().map(|one| (one.name.as_str(), one.run.as_deref())).collect();
    assert_eq!(names, [("v1", Some("r1")), ("final", None)]);
    assert_eq!(store.version_names(None).await.unwrap().len(), 2);
    assert!(store.versions(Some("other")).await.unwrap().is_empty());
    assert!(store.version_names(Some("other")).await.unwrap().is_empty());
    let first = store.version(TASK, "v1").await.unwrap();
    let scores = json!({"item_f1": 0.95});
    let scored = store.set_metric(&first, ("adapter", &scores), None, "ada", 12).await.unwrap();
    assert_eq!(scored.metrics["adapter"], scores);
    // Metrics that were stored in the meantime are kept.
    let both = store.set_metric(&first, ("base", &scores), None, "ada", 12).await.unwrap().metrics;
    assert_eq!((&both["adapter"], &both["base"]), (&scores, &scores));
    for name in ["", "../v1", "-v", "a b", "x".repeat(101).as_str()] {
        let error = store.add_version(&new_version(Some(name)), "ada", 13).await.unwrap_err();
        assert!(matches!(error, Error::BadName { .. }), "{name}: {error:?}");
    }
    let error = store.add_version(&new_version(Some("v1")), "ada", 13).await.unwrap_err();
    assert!(matches!(error, Error::VersionExists { .. }), "{error:?}");
}

async fn current_versions_are_the_active_and_the_newest(database: Database) {
    #[derive(Debug, PartialEq, serde::Deserialize)]
    struct Part {
        adapter: serde_json::Value,
    }
    let store = &database.store;
    add(store, &["v1", "v2", "v3"]).await;
    store
        .add_version(&NewVersion { task: "other".into(), metrics: json!({}), ..new_version(None) }, "ada", 11)
        .await
        .unwrap();
    store.set_active(TASK, "v1", None, "ada", 12).await.unwrap();
    let found = store.current_versions::<Part>().await.unwrap();
    let heads: Vec<_> = found.iter().map(|head| (head.task.as_str(), head.name.as_str(), head.stage)).collect();
    assert_eq!(heads, [(TASK, "v1", Stage::Active), (TASK, "v3", Stage::Shadow), ("other", "v1", Stage::Shadow)]);
    assert_eq!(found[0].metrics, Some(Part { adapter: json!({"item_f1": 0.93}) }));
    assert_eq!(found[2].metrics, None, "it has no such metrics");
}

async fn answers_belong_to_one_evaluation(database: Database) {
    let store = &database.store;
    add(store, &["v1"]).await;
    let version = store.version(TASK, "v1").await.unwrap();
    let (scores, answers) = (json!({"n": 2}), [Some(json!("a\u{0}")), None]);
    for at in [20, 30] {
        let new = Measurement { scores: &scores, at, answers: &answers[..if at == 20 { 1 } else { 2 }] };
        let kept = store.keep_evaluation(&version, new, None, "ada", at).await.unwrap();
        assert_eq!(kept.metrics["evaluation"], scores);
    }
    assert_eq!(store.version_answers(&version, 30).await.unwrap().as_deref(), Some(&answers[..]));
    assert_eq!(store.version_answers(&version, 20).await.unwrap(), None, "those of the evaluation before");
    store.delete_version(TASK, "v1", false, "ada", 40).await.unwrap();
    assert_eq!(store.version_answers(&version, 30).await.unwrap(), None);
}

async fn task_has_one_active_version(database: Database) {
    let store = &database.store;
    add(store, &["v1", "v2"]).await;
    store.set_active(TASK, "v1", None, "ada", 20).await.unwrap();
    let error = store.set_active(TASK, "v2", None, "bob", 21).await.unwrap_err();
    assert!(matches!(&error, Error::ActiveChanged { found: Some(name), .. } if name == "v1"), "{error:?}");
    assert!(matches!(store.set_active(TASK, "v9", Some("v1"), "bob", 21).await, Err(Error::NoVersion { .. })));
    assert_eq!(active(store).await.as_deref(), Some("v1"));
    store.set_active(TASK, "v2", Some("v1"), "bob", 22).await.unwrap();
    store.set_active(TASK, "v2", Some("v2"), "bob", 23).await.unwrap();
    let stages: Vec<Stage> = store.versions(Some(TASK)).await.unwrap().iter().map(|version| version.stage).collect();
    assert_eq!(stages, [Stage::Archived, Stage::Active]);
    let history = store.activations(TASK).await.unwrap();
    let told: Vec<_> =
        history.iter().map(|a| (a.version.as_str(), a.previous.as_deref(), a.by.as_str(), a.at)).collect();
    assert_eq!(told, [("v1", None, "ada", 20), ("v2", Some("v1"), "bob", 22)]);
    let filter = ChangeFilter { kind: Some(Kind::Version), subject: Some("v2".into()), ..ChangeFilter::default() };
    let change = store.changes(&filter).await.unwrap().pop().unwrap();
    assert_eq!((change.action, change.before.unwrap()), (Action::Activate, json!({"active": "v1"})));
}

async fn repeated_rollback_goes_back_further(database: Database) {
    let store = &database.store;
    add(store, &["v1", "v2", "v3"]).await;
    assert!(matches!(store.rollback(TASK, None, "ada", 20).await, Err(Error::NothingBefore { .. })));
    let mut before = None;
    for name in ["v1", "v2", "v1", "v3"] {
        store.set_active(TASK, name, before, "ada", 20).await.unwrap();
        before = Some(name);
    }
    let mut now = String::from("v3");
    for expected in ["v1", "v2", "v1"] {
        now = store.rollback(TASK, Some(&now), "ada", 30).await.unwrap().name;
        assert_eq!(now, expected);
    }
    let error = store.rollback(TASK, Some("v1"), "ada", 31).await.unwrap_err();
    assert!(matches!(error, Error::NothingBefore { .. }), "{error:?}");
    store.set_active(TASK, "v3", Some("v1"), "ada", 40).await.unwrap();
    assert!(matches!(store.rollback(TASK, Some("v1"), "ada", 41).await, Err(Error::ActiveChanged { .. })));
    assert_eq!(store.rollback(TASK, Some("v3"), "ada", 41).await.unwrap().name, "v1");
}

async fn deleting_a_version_keeps_the_others(database: Database) {
    let store = &database.store;
    add(store, &["v1", "v2"]).await;
    store.set_active(TASK, "v1", None, "ada", 20).await.unwrap();
    store.set_active(TASK, "v2", Some("v1"), "ada", 21).await.unwrap();
    let error = store.delete_version(TASK, "v2", false, "ada", 22).await.unwrap_err();
    assert!(matches!(error, Error::VersionActive { .. }), "{error:?}");
    assert_eq!(store.delete_version(TASK, "v2", true, "ada", 23).await.unwrap().adapter_dir, "adapters/v2");
    assert_eq!(active(store).await, None);
    assert!(matches!(store.delete_version(TASK, "v2", true, "ada", 24).await, Err(Error::NoVersion { .. })));
    assert_eq!(store.rollback(TASK, None, "ada", 25).await.unwrap().name, "v1");
}

async fn version_names_are_not_reused(database: Database) {
    let store = &database.store;
    for expected in ["v1", "v2"] {
        assert_eq!(store.add_version(&new_version(None), "ada", 10).await.unwrap().name, expected);
    }
    add(store, &["v7", "version-9", "v08x"]).await;
    store.delete_version(TASK, "v7", false, "ada", 11).await.unwrap();
    assert_eq!(store.add_version(&new_version(None), "ada", 12).await.unwrap().name, "v8");

    // A new adapter under the name of a deleted version was never active.
    store.set_active(TASK, "v1", None, "ada", 20).await.unwrap();
    store.set_active(TASK, "v2", Some("v1"), "ada", 21).await.unwrap();
    store.delete_version(TASK, "v1", false, "ada", 22).await.unwrap();
    let other = NewVersion { adapter_digest: Digest::of(b"another"), ..new_version(Some("v1")) };
    store.add_version(&other, "ada", 23).await.unwrap();
    assert!(matches!(store.rollback(TASK, Some("v2"), "ada", 24).await, Err(Error::NothingBefore { .. })));
}

async fn registry_matches_the_slack_system_format(database: Database) {
    let store = &database.store;
    add(store, &["v2", "v1"]).await;
    store.set_active(TASK, "v1", None, "ada", 20).await.unwrap();
    let versions: Vec<Version> = store.versions(Some(TASK)).await.unwrap();
    let entry = |name: &str| {
        json!({
            "adapter_path": format!("adapters/{name}"), "created_at": "1970-01-01T00:00:00Z",
            "metrics": new_version(None).metrics, "base_model": "smollm2-135m",
        })
    };
    assert_eq!(
        model_registry(&versions),
        json!({"versions": {"v2": entry("v2"), "v1": entry("v1")}, "active_version": "v1"})
    );
    assert_eq!(model_registry(&[]), json!({"versions": {}, "active_version": null}));
}
