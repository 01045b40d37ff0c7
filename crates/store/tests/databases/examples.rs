use graft_core::{Example, Review};
use graft_store::{Action, Counts, Error, ExampleFilter, ImportReport, Order, ReviewFilter};
use serde_json::{Value, json};

use crate::support::{Database, TASK, again, example, labelled, on_both};

on_both!(
    large_import_lets_others_write,
    interrupted_import_can_be_completed,
    repeated_import_changes_nothing,
    changed_source_makes_a_revision,
    import_keeps_reviews_of_people,
    reviews_are_recorded_in_the_audit_trail,
    examples_are_filtered_and_searched,
    any_text_is_stored_unchanged,
    import_with_an_invalid_example_stores_nothing,
);

async fn repeated_import_changes_nothing(database: Database) {
    let store = &database.store;
    let examples: Vec<Example> = (0..20).map(labelled).collect();
    let first = store.import(&examples, "import slack", 10).await.unwrap();
    assert_eq!(first, ImportReport { added: 20, ..ImportReport::default() });
    let second = store.import(&examples, "import slack", 11).await.unwrap();
    assert_eq!(second, ImportReport { unchanged: 20, ..ImportReport::default() });
    assert_eq!(store.examples(&ExampleFilter::default()).await.unwrap(), examples);
    assert_eq!(store.history(TASK, "slack:3").await.unwrap().len(), 1);
}

async fn changed_source_makes_a_revision(database: Database) {
    let store = &database.store;
    store.import(&[labelled(1)], "import", 10).await.unwrap();
    let changed = Example { output: Some(json!({"items": []})), ..labelled(1) };
    let report = store.import(&[changed.clone(), labelled(2)], "import", 11).await.unwrap();
    assert_eq!(report, ImportReport { added: 1, updated: 1, ..ImportReport::default() });
    let now = store.example(TASK, "slack:1").await.unwrap();
    assert_eq!(now, Example { revision: 2, ..changed });
    let last = store.history(TASK, "slack:1").await.unwrap().pop().unwrap();
    assert_eq!(last.before.unwrap()["output"], labelled(1).output.unwrap());
    assert_eq!(last.after.unwrap(), json!({"output": {"items": []}, "revision": 2}));
}

async fn import_keeps_reviews_of_people(database: Database) {
    let store = &database.store;
    store.import(&[labelled(1), labelled(2), labelled(3), example(4, None)], "import", 10).await.unwrap();
    store.edit(TASK, "slack:1", &json!({"items": []}), "ada", 20).await.unwrap();
    store.reject(TASK, "slack:2", "not a pickup", "ada", 21).await.unwrap();
    store.approve(TASK, "slack:3", "ada", 22).await.unwrap();
    let before = store.examples(&ExampleFilter::default()).await.unwrap();
    let report = store.import(&[labelled(1), labelled(2), labelled(3), labelled(4)], "import", 30).await.unwrap();
    assert_eq!(report, ImportReport { kept: 2, unchanged: 1, updated: 1, added: 0 });
    assert_eq!(store.examples(&ExampleFilter::default()).await.unwrap()[..3], before[..3]);
}

async fn reviews_are_recorded_in_the_audit_trail(database: Database) {
    let store = &database.store;
    store.import(&[example(1, None)], "import", 10).await.unwrap();
    assert!(matches!(store.approve(TASK, "slack:1", "ada", 20).await, Err(Error::NoOutput { .. })));
    let edited = store.edit(TASK, "slack:1", &json!("two"), "ada", 21).await.unwrap();
    assert_eq!((edited.revision, edited.review), (2, Review::Approved { by: "ada".into(), at: 21 }));
    let rejected = store.reject(TASK, "slack:1", "a joke", "bob", 22).await.unwrap();
    assert_eq!(rejected, store.example(TASK, "slack:1").await.unwrap());
    store.approve(TASK, "slack:1", "ada", 23).await.unwrap();
    let told: Vec<_> =
        store.history(TASK, "slack:1").await.unwrap().into_iter().map(|c| (c.action, c.by, c.at)).collect();
    let by = |action, by: &str, at| (action, by.to_owned(), at);
    assert_eq!(
        told,
        [
            by(Action::Import, "import", 10),
            by(Action::Edit, "ada", 21),
            by(Action::Reject, "bob", 22),
            by(Action::Approve, "ada", 23)
        ]
    );
    let review = store.history(TASK, "slack:1").await.unwrap()[2].after.clone().unwrap();
    assert_eq!(review, json!({"review": {"state": "rejected", "by": "bob", "at": 22, "reason": "a joke"}}));
    assert!(matches!(store.approve(TASK, "slack:9", "ada", 24).await, Err(Error::NoExample { .. })));
    assert!(matches!(store.history("other", "slack:1").await, Err(Error::NoExample { .. })));
}

async fn examples_are_filtered_and_searched(database: Database) {
    let store = &database.store;
    let mut examples: Vec<Example> = [3, 1, 2].map(labelled).into();
    examples.push(Example { input: "100% of the Ärger_".into(), source: source("csv", None), ..example(4, None) });
    examples.push(Example { task: "ask-ai".into(), ..example(9, None) });
    store.import(&examples, "import", 1).await.unwrap();
    let ids = async |filter: ExampleFilter| {
        let found = store.examples(&filter).await.unwrap();
        let all = ExampleFilter { limit: None, offset: 0, ..filter.clone() };
        assert_eq!(store.count_examples(&filter).await.unwrap(), store.examples(&all).await.unwrap().len() as u64);
        found.iter().map(|e| e.source.reference.clone()).collect::<Vec<_>>().join(" ")
    };
    let task = || ExampleFilter { task: Some(TASK.into()), ..ExampleFilter::default() };
    let search = |text: &str| ExampleFilter { search: Some(text.into()), ..task() };
    assert_eq!(ids(task()).await, "3 1 2 row");
    assert_eq!(ids(ExampleFilter { order: Order::Newest, ..task() }).await, "3 2 1 row");
    assert_eq!(ids(ExampleFilter { order: Order::Oldest, ..task() }).await, "row 1 2 3");
    assert_eq!(ids(ExampleFilter { limit: Some(2), offset: 1, ..task() }).await, "1 2");
    assert_eq!(ids(ExampleFilter { review: Some(ReviewFilter::Pending), ..task() }).await, "row");
    assert_eq!(ids(ExampleFilter { review: Some(ReviewFilter::Audited), ..task() }).await, "3 1 2");
    assert_eq!(ids(ExampleFilter { source: Some("csv".into()), ..task() }).await, "row");
    assert_eq!(ids(search("äRGER_")).await, "row");
    assert_eq!(ids(search("%")).await, "row");
    assert_eq!(ids(search("r_e")).await, "");
    assert_eq!(ids(search("\"quantity\":2")).await, "2");
    assert_eq!(ids(search("SLACK:1")).await, "1");
    assert_eq!(store.approved_outputs("ask-ai").await.unwrap(), Vec::<Value>::new());
    assert_eq!(store.approved_outputs(TASK).await.unwrap().len(), 3);
    // Answers of examples that are not approved, or not any more, are none of them; long ones are.
    let labels = ["b", "a", "b", "gone"].iter().map(|label| (*label).to_owned()).chain(["long ".repeat(200)]);
    let said = labels
        .enumerate()
        .map(|(i, label)| Example { task: "sentiment".into(), ..example(20 + i as i64, Some(json!(label))) });
    let said: Vec<Example> = said.collect();
    store.import(&said, "import", 1).await.unwrap();
    for one in said.iter().filter(|one| one.output != Some(json!("gone"))) {
        store.approve("sentiment", &one.id, "someone", 2).await.unwrap();
    }
    assert_eq!(
        store.approved_outputs("sentiment").await.unwrap(),
        [json!("a"), json!("b"), json!("long ".repeat(200))]
    );
    let counts = store.example_counts().await.unwrap();
    assert_eq!(counts[TASK], Counts { pending: 1, approved: 3, rejected: 0 });
    assert_eq!(counts["ask-ai"], Counts { pending: 1, ..Counts::default() });
}

async fn any_text_is_stored_unchanged(database: Database) {
    let store = &database.store;
    let text = "naïve \u{1f34c} '; drop table examples; --\\ %_$1 \u{7f}\r\n\t\u{202e}";
    let output = json!({"z": "\u{0}", "a": [1, 0.1, -0.0, 1e300, null, true], "": text});
    let odd = Example { id: text.into(), input: text.into(), output: Some(output), ..example(1, None) };
    store.import(std::slice::from_ref(&odd), text, 1).await.unwrap();
    let back = store.example(TASK, text).await.unwrap();
    assert_eq!(back, odd);
    assert_eq!(back.output.unwrap().to_string(), odd.output.as_ref().unwrap().to_string());
    assert_eq!(store.import(&[odd], text, 2).await.unwrap().unchanged, 1);
    store.reject(TASK, text, "nul \0 in a reason", "someone", 3).await.unwrap();
}

async fn import_with_an_invalid_example_stores_nothing(database: Database) {
    let store = &database.store;
    let bad = [
        Example { id: String::new(), ..labelled(1) },
        Example { task: String::new(), ..labelled(1) },
        Example { input: "a\0b".into(), ..labelled(1) },
        Example { output: None, ..labelled(1) },
    ];
    for example in bad {
        let error = store.import(&[labelled(2), example], "import", 1).await.unwrap_err();
        assert!(matches!(error, Error::BadExample { .. }), "{error:?}");
    }
    assert_eq!(store.count_examples(&ExampleFilter::default()).await.unwrap(), 0);
}

fn source(kind: &str, at: Option<i64>) -> graft_core::Source {
    graft_core::Source { kind: kind.into(), reference: "row".into(), at }
}

fn many(n: i64) -> Vec<Example> {
    (0..n).map(|n| example(n, None)).collect()
}

async fn large_import_lets_others_write(database: Database) {
    let (store, other) = (database.store.clone(), again(&database).await);
    let import = tokio::spawn(async move { store.import(&many(12_000), "import", 1).await });
    let mut between = 0;
    while !import.is_finished() {
        other.set_setting("note", &json!(between), "ada", 2).await.unwrap();
        let stored = other.count_examples(&ExampleFilter::default()).await.unwrap();
        between += u64::from(stored > 0 && stored < 12_000);
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    assert_eq!(import.await.unwrap().unwrap().added, 12_000);
    assert!(between > 0, "another writer waits for the whole import");
}

async fn interrupted_import_can_be_completed(database: Database) {
    let examples = many(12_000);
    // The fifth fault point is the commit of the second part.
    let cut = database.store.failing_at(5).import(&examples, "import", 1).await.unwrap_err();
    assert!(cut.hint().unwrap().contains("import the same again"));
    let Error::Partly { stored, of: 12_000, .. } = cut else { panic!("{cut:?}") };
    assert!((100..=10_000).contains(&stored), "{stored}");
    let store = &database.store;
    assert_eq!(store.examples(&ExampleFilter::default()).await.unwrap(), examples[..stored]);
    let report = store.import(&examples, "import", 2).await.unwrap();
    let unchanged = stored as u64;
    assert_eq!(report, ImportReport { added: 12_000 - unchanged, unchanged, ..ImportReport::default() });
    assert_eq!(store.examples(&ExampleFilter::default()).await.unwrap(), examples);
}
