//! Roll-outs: one at a time, each input once, scores in review order.

use graft_core::Digest;
use graft_store::{ChangeFilter, Error, Kind, RolloutPair, RolloutPolicy, RolloutState, Stage, Store};
use serde_json::{Value, json};

use crate::support::{Database, TASK, example, new_version, on_both};

on_both! {
    task_has_one_rollout_and_its_version_follows_the_state,
    rollout_answers_are_stored_once_and_scored_in_order,
}

async fn with_versions(store: &Store) {
    for name in ["old", "new", "other"] {
        store.add_version(&new_version(Some(name)), "ada", 1).await.unwrap();
    }
    store.set_active(TASK, "old", None, "ada", 2).await.unwrap();
}

async fn stage(store: &Store, name: &str) -> Stage {
    store.version(TASK, name).await.unwrap().stage
}

async fn task_has_one_rollout_and_its_version_follows_the_state(database: Database) {
    let store = &database.store;
    store.add_version(&new_version(Some("new")), "ada", 1).await.unwrap();
    let policy = RolloutPolicy { share: 0.25, clients: vec!["bob".into()], ..RolloutPolicy::default() };
    let start = async |version: &str, at| store.start_rollout((TASK, version), &policy, "ada", at).await;
    assert!(matches!(start("new", 2).await, Err(Error::RolloutRefused { .. })), "nothing is active");
    for name in ["old", "other"] {
        store.add_version(&new_version(Some(name)), "ada", 1).await.unwrap();
    }
    store.set_active(TASK, "old", None, "ada", 2).await.unwrap();
    assert!(matches!(start("old", 3).await, Err(Error::RolloutRefused { .. })), "it is active");
    assert!(matches!(start("nobody", 3).await, Err(Error::NoVersion { .. })));
    let begun = start("new", 3).await.unwrap();
    assert_eq!(
        (begun.id, begun.against.as_str(), begun.state, &begun.policy),
        (1, "old", RolloutState::Shadow, &policy)
    );
    assert!(matches!(start("other", 4).await, Err(Error::RolloutRefused { .. })), "one at a time");
    assert_eq!(store.rollout(TASK).await.unwrap().as_ref(), Some(&begun));

    let canary = store.move_rollout(&begun, RolloutState::Canary, None, "bob", 5).await.unwrap();
    assert_eq!((canary.stage_at, canary.started_at, stage(store, "new").await), (5, 3, Stage::Canary));
    let stale = store.move_rollout(&begun, RolloutState::Stopped, None, "bob", 6).await;
    assert!(matches!(stale, Err(Error::RolloutRefused { .. })), "it was moved meanwhile");
    let back = store.move_rollout(&canary, RolloutState::Returned, Some("it failed"), "bob", 7).await.unwrap();
    assert_eq!((back.ended_at, back.why.as_deref()), (Some(7), Some("it failed")));
    assert_eq!((stage(store, "new").await, stage(store, "old").await), (Stage::Archived, Stage::Active));
    assert_eq!(store.rollout(TASK).await.unwrap(), None);
    // A second roll-out, whose version becomes active before it ends.
    let second = start("new", 8).await.unwrap();
    assert_eq!((second.id, stage(store, "new").await), (2, Stage::Shadow));
    store.set_active(TASK, "new", Some("old"), "ada", 9).await.unwrap();
    store.move_rollout(&second, RolloutState::Promoted, None, "ada", 10).await.unwrap();
    assert_eq!(stage(store, "new").await, Stage::Active);
    let ids: Vec<i64> = store.rollouts(TASK, 5).await.unwrap().iter().map(|one| one.id).collect();
    assert_eq!((ids, store.running_rollouts().await.unwrap().len()), (vec![2, 1], 0));
    let filter = ChangeFilter { kind: Some(Kind::Version), subject: Some("new".into()), ..ChangeFilter::default() };
    let trail = store.changes(&filter).await.unwrap();
    let said = trail.iter().filter_map(|change| change.after.as_ref()?.get("why")?.as_str()).collect::<Vec<_>>();
    assert_eq!(said, ["it failed"]);
}

async fn rollout_answers_are_stored_once_and_scored_in_order(database: Database) {
    let store = &database.store;
    with_versions(store).await;
    store.import(&(0..6).map(|n| example(n, None)).collect::<Vec<_>>(), "import slack", 3).await.unwrap();
    let rollout = store.start_rollout((TASK, "new"), &RolloutPolicy::default(), "ada", 4).await.unwrap();
    let pair = |n: i64, candidate: &str| RolloutPair {
        input: example(n, None).input,
        served: if n == 0 { "new" } else { "old" }.into(),
        active: json!("a"),
        candidate: json!(candidate),
        agreement: 0.5,
        at: 10,
    };
    store.add_rollout_answers(rollout.id, &[pair(0, "b"), pair(1, "b")], 1, 2).await.unwrap();
    store.add_rollout_answers(rollout.id, &[pair(1, "later"), pair(2, "b"), pair(3, "b")], 0, 0).await.unwrap();
    let counts = store.rollout_counts(&rollout).await.unwrap();
    assert_eq!((counts.pairs, counts.canary, counts.agreement), (4, 1, Some(0.5)));
    let now = store.rollout(TASK).await.unwrap().unwrap();
    assert_eq!((now.failures, now.dropped), (1, 2));

    // Only reviews after the answers count.
    let decided = async |limit| {
        let found = store.rollout_decisions(&rollout, limit).await.unwrap();
        found.into_iter().map(|one| (one.truth, one.digest)).collect::<Vec<(Value, Digest)>>()
    };
    store.edit(TASK, "slack:0", &json!("early"), "ada", 9).await.unwrap();
    assert_eq!(decided(10).await, []);
    store.edit(TASK, "slack:2", &json!("x"), "ada", 11).await.unwrap();
    store.edit(TASK, "slack:1", &json!("y"), "ada", 12).await.unwrap();
    let found = decided(10).await;
    assert_eq!(found.iter().map(|(truth, _)| truth.clone()).collect::<Vec<_>>(), [json!("x"), json!("y")]);
    let scores: Vec<_> = found.iter().zip([(1.0, 0.0), (0.5, 1.0)]).map(|((_, d), (a, c))| (d.clone(), a, c)).collect();
    store.decide_rollout(rollout.id, &scores, 13).await.unwrap();
    // Stored scores don't change when scored again.
    store.decide_rollout(rollout.id, &[(scores[0].0.clone(), 0.0, 0.0)], 14).await.unwrap();
    store.edit(TASK, "slack:2", &json!("changed"), "ada", 15).await.unwrap();
    assert_eq!(decided(10).await, []);
    store.edit(TASK, "slack:3", &json!("z"), "ada", 16).await.unwrap();
    let last = decided(10).await;
    store.decide_rollout(rollout.id, &[(last[0].1.clone(), 1.0, 1.0)], 17).await.unwrap();
    let outcomes = store.rollout_outcomes(rollout.id).await.unwrap();
    let seen: Vec<_> = outcomes.iter().map(|one| (one.active, one.candidate, one.at)).collect();
    assert_eq!(seen, [(1.0, 0.0, 13), (0.5, 1.0, 13), (1.0, 1.0, 17)]);

    // An ended roll-out keeps only scored answers and accepts no more.
    store.move_rollout(&now, RolloutState::Stopped, None, "ada", 18).await.unwrap();
    assert_eq!(store.rollout_counts(&rollout).await.unwrap().pairs, 3);
    store.add_rollout_answers(rollout.id, &[pair(4, "b")], 5, 5).await.unwrap();
    assert_eq!(store.rollout_counts(&rollout).await.unwrap().pairs, 3);
    assert_eq!(store.rollouts(TASK, 1).await.unwrap()[0].failures, 1);
}
