use graft_store::{ChangeFilter, Recording, Upstream, UpstreamCounts};
use serde_json::json;

use crate::support::{Database, again, example, on_both};

on_both!(upstream_is_set_and_removed, counts_add_up_by_day, texts_of_examples_are_found,);

async fn upstream_is_set_and_removed(database: Database) {
    let store = &database.store;
    assert_eq!(store.upstream("spam").await.unwrap(), None);
    let first = Upstream::new("https://host/v1", "large");
    assert_eq!((first.record, first.answer_above), (Recording::Pending, None));
    store.set_upstream("spam", Some(&first), "ada", 1).await.unwrap();
    let second = Upstream { answer_above: Some(0.9), key_env: Some("HOST_API_KEY".into()), ..first.clone() };
    for at in [2, 3] {
        store.set_upstream("spam", Some(&second), "bob", at).await.unwrap();
    }
    let store = again(&database).await;
    assert_eq!(store.upstream("spam").await.unwrap(), Some(second));
    assert_eq!(store.tasks_with_upstream().await.unwrap(), [("spam".to_owned(), 2)]);
    store.set_upstream("spam", None, "ada", 4).await.unwrap();
    assert!(store.upstream("spam").await.unwrap().is_none() && store.tasks_with_upstream().await.unwrap().is_empty());
    let changes = store.changes(&ChangeFilter::default()).await.unwrap();
    assert_eq!(
        changes.iter().map(|change| (change.by.as_str(), change.at)).collect::<Vec<_>>(),
        [("ada", 1), ("bob", 2), ("ada", 4)]
    );
    assert_eq!(changes[0].before, Some(json!({"upstream": null})));
    assert_eq!(changes[2].after, Some(json!({"upstream": null})));
    assert_eq!(changes[1].after.as_ref().unwrap()["upstream"]["answer_above"], 0.9);
}

async fn counts_add_up_by_day(database: Database) {
    let store = &database.store;
    let one = UpstreamCounts {
        graft: 1,
        upstream: 2,
        failed: 3,
        prompt_tokens: 4,
        answer_tokens: 5,
        recorded: 6,
        known: 7,
        unfit: 8,
        compared: 9,
        agreement: 0.5,
    };
    for day in [20_000, 20_001, 20_001] {
        store.count_upstream("spam", day, &one).await.unwrap();
    }
    store.count_upstream("mail", 20_002, &one).await.unwrap();
    let days = store.upstream_days("spam").await.unwrap();
    let mut twice = one;
    twice += one;
    assert_eq!(days.iter().map(|day| (day.day, day.counts)).collect::<Vec<_>>(), [(20_001, twice), (20_000, one)]);
    assert_eq!((twice.unfit, twice.agreement), (16, 1.0));
}

async fn texts_of_examples_are_found(database: Database) {
    let store = &database.store;
    let known = example(1, None);
    store.import(std::slice::from_ref(&known), "ada", 1).await.unwrap();
    assert!(store.has_input(&known.task, &known.input).await.unwrap());
    assert!(!store.has_input(&known.task, &format!("{} ", known.input)).await.unwrap());
    assert!(!store.has_input("other", &known.input).await.unwrap());
    // Only the text that it has now.
    let changed = graft_core::Example { input: "another text".into(), ..known.clone() };
    store.import(&[changed], "ada", 2).await.unwrap();
    assert!(!store.has_input(&known.task, &known.input).await.unwrap());
}
