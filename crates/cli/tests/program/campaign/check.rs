//! The invariants that are checked after the last restart.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::PathBuf,
};

use graft_core::Digest;
use graft_store::{ChangeFilter, ExampleFilter, ImportState, Run, RunFilter, RunState, Stage, Store, Version};
use serde_json::json;

use super::{AUDITED, World};
use crate::common;

pub(crate) fn all(world: &World) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let store = Store::open(&world.graft.database()).await.unwrap();
        store.check().await.unwrap();
        let runs = store.runs(&RunFilter::default()).await.unwrap();
        let versions = store.versions(None).await.unwrap();
        imports_and_decisions(world, &store).await;
        check_runs(world, &runs, &versions);
        for run in runs.iter().filter(|run| run.state == RunState::Succeeded) {
            common::check_followed(&world.graft, &store, &run.id).await;
        }
        artifacts(world, &versions);
        active_versions(world, &versions);
        audit_trail(&store).await;
        store.close().await;
    });
}

/// What was imported and decided is there, once and as it was decided; no import is stuck.
async fn imports_and_decisions(world: &World, store: &Store) {
    let examples =
        store.examples(&ExampleFilter { task: Some(AUDITED.into()), ..ExampleFilter::default() }).await.unwrap();
    for input in &*world.ledger.inputs.lock().unwrap() {
        let found = examples.iter().filter(|example| example.input == *input).count();
        assert_eq!(found, 1, "`{input}` was imported, and is there {found} times");
    }
    let decisions = world.ledger.decisions.lock().unwrap().clone();
    for (id, decision) in &decisions {
        let example = examples.iter().find(|example| example.id == *id).unwrap_or_else(|| panic!("{id} is lost"));
        assert!(decision.holds(&json!(example)), "{decision:?} is lost: {}", json!(example));
    }
    let imports = world.ledger.imports.lock().unwrap().clone();
    for id in &imports {
        assert_ne!(store.import_state(id).await.unwrap().state, ImportState::Running, "{id} is stuck");
    }
    println!("{} imports, {} decisions", imports.len(), decisions.len());
}

/// Exactly the accepted runs are there; each has ended, and for a reason.
fn check_runs(world: &World, runs: &[Run], versions: &[Version]) {
    let accepted = world.ledger.runs.lock().unwrap().clone();
    let found: BTreeSet<String> = runs.iter().map(|run| run.id.clone()).collect();
    assert_eq!(found, accepted, "runs were lost or doubled");
    let cancelled = world.ledger.cancelled.lock().unwrap();
    let mut ends: BTreeMap<&str, u32> = BTreeMap::new();
    for run in runs {
        *ends.entry(run.state.name()).or_default() += 1;
        let made = versions.iter().filter(|version| version.run.as_ref() == Some(&run.id)).count();
        let dones = common::check_events(&world.graft, &run.id);
        match run.state {
            // A trainer that was killed between publishing its result and saying so never says it.
            RunState::Succeeded => assert!(made == 1 && dones <= 1, "{made} versions, {dones} ends of {run:#?}"),
            // Its trainers were killed as often as it may be tried.
            RunState::Failed => assert!(run.attempts >= run.max_attempts, "{run:#?}"),
            RunState::Cancelled => assert!(cancelled.contains(&run.id), "nobody cancelled {run:#?}"),
            _ => panic!("a run is stuck: {run:#?}"),
        }
    }
    println!("{} runs: {ends:?}", runs.len());
}

/// Every version has its files, with the weights that were registered; after a sweep nothing else is left.
fn artifacts(world: &World, versions: &[Version]) {
    let home = world.graft.home();
    let (model, _) = graft_nn::Model::open(&common::model("tiny-llama")).unwrap();
    for version in versions {
        let (adapter, _) = graft_train::load_adapter(&home.join(&version.adapter_dir), &model).unwrap();
        let weights: Vec<u8> = adapter.params().data().iter().flat_map(|x| x.to_le_bytes()).collect();
        assert_eq!(Digest::of(&weights), version.adapter_digest, "{} of {}", version.name, version.task);
    }
    let swept = world.graft.json(&["sweep", "--older-than", "0"]);
    assert_eq!((&swept["kept"], &swept["missing"]), (&json!([]), &json!([])), "{swept:#}");
    let expected: BTreeSet<PathBuf> = versions.iter().map(|version| home.join(&version.adapter_dir)).collect();
    let tasks = fs::read_dir(home.join("adapters")).into_iter().flatten().flatten();
    let found = tasks.flat_map(|task| fs::read_dir(task.path()).unwrap().flatten().map(|entry| entry.path()));
    assert_eq!(found.collect::<BTreeSet<_>>(), expected);
    println!("{} versions; swept: {}", versions.len(), swept["removed"]);
}

/// At most one version of a task is active, and it is the one whose activation was acknowledged last.
fn active_versions(world: &World, versions: &[Version]) {
    let active = versions.iter().filter(|version| version.stage == Stage::Active);
    let active: Vec<(&str, String)> = active.map(|version| (version.task.as_str(), version.name.clone())).collect();
    let distinct: BTreeMap<&str, String> = active.iter().cloned().collect();
    assert_eq!(active.len(), distinct.len(), "a task has two active versions: {active:?}");
    assert_eq!(distinct, *world.ledger.active.lock().unwrap());
}

/// The trail counts without a gap.
async fn audit_trail(store: &Store) {
    let changes = store.changes(&ChangeFilter::default()).await.unwrap();
    assert!(changes.iter().map(|change| change.seq).eq(1..=changes.len() as i64), "the audit trail has a gap");
    println!("{} lines of audit trail", changes.len());
}
