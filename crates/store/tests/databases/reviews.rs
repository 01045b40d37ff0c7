use graft_core::{Dataset, Digest, Example, Review, Side};
use graft_store::{
    Bulk, Decision, Error, ExampleFilter, NewVersion, Order, ReviewFilter, Seen, Store, Suggested, Suggestion,
};
use serde_json::json;

use crate::support::{Database, TASK, again, example, labelled, new_version, on_both};

on_both!(
    review_of_an_outdated_example_is_refused,
    reviews_are_undone_one_by_one,
    bulk_review_changes_matching_examples,
    bulk_review_keeps_what_others_decided,
    examples_are_filtered_by_confidence_field_and_person,
    least_confident_suggestions_come_first,
    suggestions_are_listed_with_later_reviews,
    dump_and_restore_keep_everything,
);

async fn review_of_an_outdated_example_is_refused(database: Database) {
    let store = &database.store;
    store.import(&[example(1, Some(json!("a")))], "import", 10).await.unwrap();
    let (seen, change) = store.example_seen(TASK, "slack:1").await.unwrap();
    let mine = Seen { revision: Some(seen.revision), change: Some(change) };
    store.review(TASK, "slack:1", mine, &Decision::Approve, "ada", 20).await.unwrap();
    // The revision is the same, but another person has reviewed it since.
    let late = store.review(TASK, "slack:1", mine, &Decision::Reject("no".into()), "bob", 21).await.unwrap_err();
    let Error::Conflict { current } = late else { panic!("{late:?}") };
    assert_eq!(current.review, Review::Approved { by: "ada".into(), at: 20 });
    // Of a caller who names the revision only, another person's review is kept, and one's own is not.
    let by_revision = Seen { revision: Some(1), change: None };
    let late = store.review(TASK, "slack:1", by_revision, &Decision::Reject("no".into()), "bob", 22).await.unwrap_err();
    assert!(matches!(late, Error::Conflict { .. }), "{late:?}");
    let late = store.undo_review(TASK, "slack:1", by_revision, "bob", 22).await.unwrap_err();
    assert!(matches!(late, Error::Conflict { .. }), "{late:?}");
    store.review(TASK, "slack:1", by_revision, &Decision::Edit(json!("b")), "ada", 23).await.unwrap();
    let late = store.undo_review(TASK, "slack:1", by_revision, "ada", 24).await.unwrap_err();
    assert!(matches!(late, Error::Conflict { .. }), "{late:?}");
}

async fn bulk_review_keeps_what_others_decided(database: Database) {
    let store = &database.store;
    store.import(&[labelled(0), example(1, Some(json!(1))), example(2, Some(json!(2)))], "import", 10).await.unwrap();
    let ben = Decision::Reject("no".into());
    store.review(TASK, "slack:1", Seen::default(), &ben, "ben", 20).await.unwrap();
    let all = |review| Bulk::Matching(ExampleFilter { review, ..ExampleFilter::default() });
    let report = store.review_many(TASK, &all(None), &Decision::Approve, "ada", 21).await.unwrap();
    assert_eq!((report.changed, report.skipped[0].id.as_str()), (2, "slack:1"), "an import is no person's decision");
    assert_eq!(report.skipped[0].why, "ben has decided on it");
    let report =
        store.review_many(TASK, &all(Some(ReviewFilter::Rejected)), &Decision::Reopen, "ada", 22).await.unwrap();
    assert_eq!((report.changed, report.skipped.len()), (1, 0), "who asks for rejected ones means those of others too");
}

async fn reviews_are_undone_one_by_one(database: Database) {
    let store = &database.store;
    store.import(&[example(1, Some(json!("a")))], "import", 10).await.unwrap();
    let any = Seen::default();
    store.review(TASK, "slack:1", any, &Decision::Reject("no".into()), "ada", 20).await.unwrap();
    store.review(TASK, "slack:1", any, &Decision::Edit(json!("b")), "ada", 21).await.unwrap();
    let once = store.undo_review(TASK, "slack:1", any, "ada", 22).await.unwrap();
    assert_eq!((once.output, once.review.name(), once.revision), (Some(json!("a")), "rejected", 3));
    let twice = store.undo_review(TASK, "slack:1", any, "ada", 23).await.unwrap();
    assert_eq!((twice.review, twice.revision), (Review::Pending, 3));
    let none = store.undo_review(TASK, "slack:1", any, "ada", 24).await.unwrap_err();
    assert!(matches!(none, Error::NothingToUndo { .. }), "{none:?}");
    // After the undo it counts as not reviewed: imported labels may fill it in again.
    assert_eq!(store.import(&[labelled(1)], "import", 30).await.unwrap().updated, 1);
}

async fn bulk_review_changes_matching_examples(database: Database) {
    let store = &database.store;
    let mut examples: Vec<_> = (0..6).map(|n| example(n, Some(json!(n)))).collect();
    examples[5].output = None;
    store.import(&examples, "import", 10).await.unwrap();
    let all = ExampleFilter { review: Some(ReviewFilter::Pending), limit: Some(1), ..ExampleFilter::default() };
    let report = store.review_many(TASK, &Bulk::Matching(all), &Decision::Approve, "ada", 20).await.unwrap();
    assert_eq!((report.changed, report.skipped.len(), report.skipped[0].id.as_str()), (5, 1, "slack:5"));
    let ids = Bulk::Ids(vec!["slack:1".into(), "nobody".into()]);
    let report = store.review_many(TASK, &ids, &Decision::Reopen, "ada", 21).await.unwrap();
    assert_eq!((report.changed, report.skipped.len()), (1, 1));
    assert_eq!(store.example(TASK, "slack:1").await.unwrap().review, Review::Pending);
    let sure = [suggestion(1, 0.9, false), suggestion(5, 0.2, false)];
    store.put_suggestions(&sure).await.unwrap();
    let review = Some(ReviewFilter::Pending);
    let sure = Bulk::Matching(ExampleFilter { review, min_confidence: Some(0.8), ..ExampleFilter::default() });
    let report = store.review_many(TASK, &sure, &Decision::Reject("old".into()), "ada", 22).await.unwrap();
    assert_eq!(report.changed, 1);
    assert_eq!(store.example(TASK, "slack:1").await.unwrap().review.name(), "rejected");
}

async fn examples_are_filtered_by_confidence_field_and_person(database: Database) {
    let store = &database.store;
    store.import(&(0..5).map(|n| example(n, Some(json!(n)))).collect::<Vec<_>>(), "import", 10).await.unwrap();
    let of = |n, whole, fields: &[(&str, f64)]| Suggestion {
        fields: fields.iter().map(|(path, share)| ((*path).to_owned(), *share)).collect(),
        ..suggestion(n, whole, false)
    };
    let suggestions = [
        of(1, 0.9, &[("items[0].unit_name", 0.2), ("items[1].unit_name", 0.95)]),
        of(2, 0.3, &[("direction", 0.3)]),
        of(3, 0.7, &[("items[12].unit_name", 0.7), ("unitXname", 0.1)]),
    ];
    store.put_suggestions(&suggestions).await.unwrap();
    store.review(TASK, "slack:2", Seen::default(), &Decision::Approve, "ada", 20).await.unwrap();
    store.review(TASK, "slack:4", Seen::default(), &Decision::Reject("no".into()), "Bob", 20).await.unwrap();
    let ids = async |min_confidence, max_confidence, field: &str, by: &str| {
        let (field, by) = [field, by].map(|text| Some(text.to_owned()).filter(|text| !text.is_empty())).into();
        let filter = ExampleFilter { min_confidence, max_confidence, field, by, ..ExampleFilter::default() };
        let found = store.examples(&filter).await.unwrap();
        assert_eq!(store.count_examples(&filter).await.unwrap(), found.len() as u64);
        found.iter().map(|e| e.id["slack:".len()..].to_owned()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(ids(None, Some(0.7), "", "").await, "2");
    assert_eq!(ids(Some(0.7), None, "", "").await, "1 3");
    assert_eq!(ids(Some(0.5), Some(0.8), "", "").await, "3");
    // The confidence of the field itself counts, at any depth; one uncertain item is enough.
    assert_eq!(ids(None, None, "unit_name", "").await, "1 3");
    assert_eq!(ids(None, Some(0.5), "Unit_Name", "").await, "1");
    assert_eq!(ids(Some(0.96), None, "unit_name", "").await, "");
    assert_eq!(ids(None, None, "items", "").await, "1 3");
    assert_eq!(ids(None, None, "", "ada").await, "2");
    assert_eq!(ids(None, Some(0.4), "direction", "ada").await, "2");
    assert_eq!(ids(None, None, "", "bob").await, "");
}

fn suggestion(n: i64, confidence: f64, disagrees: bool) -> Suggestion {
    Suggestion {
        task: TASK.into(),
        example: format!("slack:{n}"),
        revision: 1,
        version: "v1".into(),
        answer: json!({"n": n}),
        confidence,
        fields: [("items[0].n".to_owned(), confidence)].into(),
        disagrees,
        made_at: 5,
    }
}

async fn least_confident_suggestions_come_first(database: Database) {
    let store = &database.store;
    store.import(&(0..5).map(|n| example(n, Some(json!(n)))).collect::<Vec<_>>(), "import", 10).await.unwrap();
    store
        .put_suggestions(&[suggestion(1, 0.9, true), suggestion(2, 0.3, false), suggestion(3, 0.6, true)])
        .await
        .unwrap();
    let ids = async |order| {
        let filter = ExampleFilter { order, ..ExampleFilter::default() };
        let found = store.examples(&filter).await.unwrap();
        found.iter().map(|e| e.id["slack:".len()..].to_owned()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(ids(Order::Uncertain).await, "2 3 1 0 4");
    assert_eq!(ids(Order::Disagreeing).await, "3 1 2 0 4");
    let waiting = store.without_suggestion(TASK, "v1", 10).await.unwrap();
    assert_eq!(waiting.iter().map(|e| e.id.as_str()).collect::<Vec<_>>(), ["slack:4", "slack:0"]);
    assert_eq!(store.without_suggestion(TASK, "v2", 3).await.unwrap().len(), 3);
    assert_eq!(store.suggestion(TASK, "slack:3").await.unwrap().unwrap(), suggestion(3, 0.6, true));
    // A new revision makes the suggestion outdated.
    store.edit(TASK, "slack:3", &json!("x"), "ada", 20).await.unwrap();
    assert_eq!(store.suggestion(TASK, "slack:3").await.unwrap(), None);
    assert_eq!(ids(Order::Uncertain).await, "2 1 0 3 4");
}

async fn suggestions_are_listed_with_later_reviews(database: Database) {
    let store = &database.store;
    store.import(&(0..6).map(|n| example(n, Some(json!("é")))).collect::<Vec<_>>(), "import", 1).await.unwrap();
    store.import(&(6..8).map(labelled).collect::<Vec<_>>(), "import", 1).await.unwrap();
    let learned = split(store.examples(&ExampleFilter::default()).await.unwrap().split_off(7));
    store.save_dataset(TASK, &learned, "ada", 2).await.unwrap();
    let new = NewVersion { dataset: Some(learned.digest.clone()), ..new_version(Some("v1")) };
    let version = store.add_version(&new, "ada", 3).await.unwrap();
    let any = Seen::default();
    // One is reviewed before any suggestion, the others after it, except one that stays pending and one approved by its
    // source.
    store.review(TASK, "slack:4", any, &Decision::Approve, "ada", 4).await.unwrap();
    store.put_suggestions(&(0..8).map(|n| suggestion(n, 0.5, false)).collect::<Vec<_>>()).await.unwrap();
    store.review(TASK, "slack:0", any, &Decision::Approve, "ada", 20).await.unwrap();
    store.review(TASK, "slack:1", any, &Decision::Edit(json!("b")), "ada", 21).await.unwrap();
    store.review(TASK, "slack:2", any, &Decision::Reject("no".into()), "ada", 22).await.unwrap();
    let moved = Example { input: "Something else".into(), ..example(5, None) };
    store.import(&[moved], "import", 23).await.unwrap();

    let decided = store.suggested(&version, true, 10).await.unwrap();
    let said = |one: &Suggested| (one.answer["n"].clone(), one.truth.clone(), one.chars);
    let chars = "Picked up 0 crates of bananas".len() as u32;
    let truths = [(json!(1), Some(json!("b")), chars), (json!(0), Some(json!("é")), chars)];
    assert_eq!(decided.iter().map(said).collect::<Vec<_>>(), truths);
    assert_eq!((decided[0].confidence, decided[0].made_at), (0.5, 5));
    assert_eq!(store.suggested(&version, true, 1).await.unwrap(), decided[..1]);

    // Left out: rejected, changed input, and part of the version's dataset.
    let all = store.suggested(&version, false, 10).await.unwrap();
    let told: Vec<_> = all.iter().map(|one| (one.answer["n"].clone(), one.truth.is_some())).collect();
    let expected = [(6, false), (4, false), (3, false), (1, true), (0, true)];
    assert_eq!(told, expected.map(|(n, decided)| (json!(n), decided)));
    let other = store.add_version(&new_version(Some("v2")), "ada", 30).await.unwrap();
    assert_eq!(store.suggested(&other, false, 10).await.unwrap(), []);
    // Of all versions, and of examples that were learned since, too.
    let lately = store.suggested_lately(TASK, 10).await.unwrap();
    let told: Vec<_> = lately.iter().map(|one| (one.answer["n"].clone(), one.truth.is_some())).collect();
    let expected = [(7, false), (6, false), (4, false), (3, false), (1, true), (0, true)];
    assert_eq!(told, expected.map(|(n, decided)| (json!(n), decided)));

    // What people approved as it was suggested is not corrected, nor what they approved before.
    store.put_suggestions(&[Suggestion { answer: json!("é"), ..suggestion(3, 0.5, false) }]).await.unwrap();
    store.review(TASK, "slack:3", any, &Decision::Approve, "ada", 31).await.unwrap();
    let corrected = store.corrected_examples(TASK).await.unwrap();
    assert_eq!(corrected.iter().collect::<Vec<_>>(), ["slack:0", "slack:1"]);
}

/// A dataset with these training examples.
fn split(train: Vec<Example>) -> Dataset {
    let assignment = train.iter().map(|example| (example.id.clone(), Side::Train)).collect();
    Dataset { digest: Digest::of(b"learned"), train, eval: Vec::new(), assignment, leaking: Vec::new() }
}

async fn dump_and_restore_keep_everything(database: Database) {
    let store = &database.store;
    assert!(store.is_empty().await.unwrap());
    store.import(&(0..30).map(labelled).collect::<Vec<_>>(), "import", 10).await.unwrap();
    let definition = json!({"name": TASK});
    let task = graft_store::NewTaskRevision {
        task: TASK,
        after: 0,
        definition: &definition,
        built_in: true,
        created_by: "graft",
    };
    store.add_task_revision(task, "ada", 11).await.unwrap();
    store.put_suggestions(&[suggestion(1, 1.0, true)]).await.unwrap();
    store.edit(TASK, "slack:2", &json!("é \u{1F600}"), "ada", 20).await.unwrap();
    let spec = crate::support::spec("r1");
    let new = graft_store::NewRun { task: TASK, spec: &spec, dir: "runs/r1" };
    store.add_run(new, "ada", 30).await.unwrap();
    let loss = graft_store::RunUpdate { final_loss: Some(2.0), ..Default::default() };
    store.update_run("r1", &loss, "ada", 31).await.unwrap();
    let tables = dump(store).await;
    assert!(!store.is_empty().await.unwrap());
    assert!(matches!(store.restore(&tables).await, Err(Error::NotEmpty)));

    // Restore into each kind of database.
    let mut copies = vec![Database::sqlite().await];
    copies.extend(Database::postgres().await);
    for copy in copies {
        copy.store.restore(&tables).await.unwrap();
        assert_eq!(dump(&copy.store).await, tables);
        let (ours, theirs) = (store.run("r1").await.unwrap(), copy.store.run("r1").await.unwrap());
        assert_eq!(ours, theirs);
        assert_eq!(copy.store.tasks().await.unwrap(), store.tasks().await.unwrap());
        assert_eq!(again(&copy).await.example(TASK, "slack:2").await.unwrap().output, Some(json!("é \u{1F600}")));
        copy.store.approve(TASK, "slack:3", "ada", 40).await.unwrap();
    }

    let mut foreign = tables.clone();
    foreign[0].rows[0].insert("id) values (1); drop table runs --".into(), json!("x"));
    let empty = Database::sqlite().await;
    assert!(matches!(empty.store.restore(&foreign).await, Err(Error::BadDump { .. })));
    assert!(empty.store.is_empty().await.unwrap());
}

async fn dump(store: &Store) -> Vec<graft_store::Table> {
    let mut tables = Vec::new();
    store
        .dump::<Error>(&mut |table| {
            tables.push(table);
            Ok(())
        })
        .await
        .unwrap();
    tables
}
