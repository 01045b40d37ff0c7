use graft_core::{AnswerForm, Assignment, Dataset, Example, Side, SplitRule, split};
use graft_store::{Error, ExampleFilter, Store};
use serde_json::json;

use crate::support::{Database, TASK, labelled, on_both};

on_both!(dataset_is_unchanged_by_later_edits, split_sides_are_permanent, failed_save_fixes_no_sides,);

async fn approved(store: &Store, n: std::ops::Range<i64>) -> Vec<Example> {
    let texts = |n| Example { input: format!("load {n} of {} at {}", n * 37, n * 91), ..labelled(n) };
    store.import(&n.map(texts).collect::<Vec<_>>(), "import", 1).await.unwrap();
    store.examples(&ExampleFilter { task: Some(TASK.into()), ..ExampleFilter::default() }).await.unwrap()
}

fn newest(examples: &[Example], frozen: &Assignment) -> Dataset {
    split(examples, frozen, SplitRule::Newest { eval_share: 0.2 }, &AnswerForm::Text)
}

async fn dataset_is_unchanged_by_later_edits(database: Database) {
    let store = &database.store;
    let dataset = newest(&approved(store, 0..20).await, &Assignment::new());
    assert!(store.save_dataset(TASK, &dataset, "ada", 5).await.unwrap());
    assert!(!store.save_dataset(TASK, &dataset, "ada", 6).await.unwrap());
    store.edit(TASK, &dataset.train[0].id, &json!("other"), "ada", 7).await.unwrap();
    store.reject(TASK, &dataset.train[1].id, "wrong", "ada", 8).await.unwrap();
    assert_eq!(store.dataset(TASK, &dataset.digest).await.unwrap(), dataset);
    let lengths: Vec<u32> = dataset.train.iter().map(|example| example.input.chars().count() as u32).collect();
    assert_eq!(store.training_lengths(TASK, &dataset.digest).await.unwrap(), lengths);
    // At even distances, and of the revisions that the dataset has.
    let read = async |most| store.training_inputs(TASK, &dataset.digest, most).await.unwrap();
    let every = |n: usize| dataset.train.iter().step_by(n).map(|example| example.input.clone()).collect::<Vec<_>>();
    assert_eq!(
        (dataset.train.len(), read(16).await, read(15).await, read(4).await),
        (16, every(1), every(2), every(4))
    );
    assert!(matches!(store.dataset("other", &dataset.digest).await, Err(Error::NoDataset { .. })));
}

async fn split_sides_are_permanent(database: Database) {
    let store = &database.store;
    let first = newest(&approved(store, 0..20).await, &Assignment::new());
    store.save_dataset(TASK, &first, "ada", 5).await.unwrap();
    assert_eq!(store.assignment(TASK).await.unwrap(), first.assignment);
    assert!(store.assignment("other").await.unwrap().is_empty());

    let all = approved(store, 20..40).await;
    let careless = newest(&all, &Assignment::new());
    let error = store.save_dataset(TASK, &careless, "ada", 6).await.unwrap_err();
    assert!(matches!(error, Error::SplitChanged { .. }), "{error:?}");
    assert_eq!(store.assignment(TASK).await.unwrap(), first.assignment);

    let second = newest(&all, &store.assignment(TASK).await.unwrap());
    store.save_dataset(TASK, &second, "ada", 7).await.unwrap();
    let now = store.assignment(TASK).await.unwrap();
    assert_eq!(now.len(), 40);
    assert!(first.eval.iter().all(|e| now[&e.id] == Side::Eval));
}

async fn failed_save_fixes_no_sides(database: Database) {
    let store = &database.store;
    let mut unknown = newest(&approved(store, 0..10).await, &Assignment::new());
    unknown.train[0].revision = 9;
    let error = store.save_dataset(TASK, &unknown, "ada", 5).await.unwrap_err();
    assert!(matches!(error, Error::NoRevision { revision: 9, .. }), "{error:?}");
    assert!(store.assignment(TASK).await.unwrap().is_empty(), "a failed save fixes nothing");
}
