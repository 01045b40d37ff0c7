use graft_core::{Digest, Review};
use graft_store::{ChangeFilter, Error, ExampleFilter, Kind, NewRun, NewSchedule, NewTaskRevision, NewVersion};
use serde_json::{Value, json};

use crate::support::{Database, again, labelled, new_version, on_both, spec};

on_both!(task_revisions_are_stored, renamed_task_keeps_all_its_data, task_can_be_archived_and_unarchived,);

fn definition(instruction: &str) -> Value {
    json!({"name": "tickets", "form": "labels", "instruction": instruction})
}

fn new<'a>(after: i64, definition: &'a Value) -> NewTaskRevision<'a> {
    NewTaskRevision { task: "tickets", after, definition, built_in: false, created_by: "bob" }
}

async fn task_revisions_are_stored(database: Database) {
    let store = &database.store;
    assert_eq!(store.task("tickets").await.unwrap(), None);
    let (first, second) = (definition("Sort it."), definition("Sort the ticket."));
    assert_eq!(store.add_task_revision(new(0, &first), "ada", 1).await.unwrap().revision, 1);
    assert!(matches!(store.add_task_revision(new(0, &second), "bob", 2).await, Err(Error::TaskExists(_))));
    let kept = store.add_task_revision(new(1, &second), "bob", 2).await.unwrap();
    assert_eq!((kept.revision, kept.created_by.as_str(), kept.archived), (2, "bob", false));
    let stale = store.add_task_revision(new(1, &first), "ada", 3).await;
    assert!(matches!(stale, Err(Error::TaskChanged { expected: 1, found: 2, .. })), "{stale:?}");
    let store = again(&database).await;
    let all = store.task_revisions("tickets").await.unwrap();
    assert_eq!(all.iter().map(|one| &one.definition).collect::<Vec<_>>(), [&first, &second]);
    assert_eq!(store.tasks().await.unwrap(), [all[1].clone()]);
    let filter = ChangeFilter { kind: Some(Kind::Task), ..ChangeFilter::default() };
    let last = store.changes(&filter).await.unwrap().pop().unwrap();
    assert_eq!(last.before, Some(json!({"instruction": "Sort it."})));
    assert_eq!(last.after, Some(json!({"instruction": "Sort the ticket.", "revision": 2})));
}

async fn renamed_task_keeps_all_its_data(database: Database) {
    let store = &database.store;
    let definition = definition("Sort it.");
    store.add_task_revision(new(0, &definition), "ada", 1).await.unwrap();
    let examples: Vec<_> = (0..3).map(|n| graft_core::Example { task: "tickets".into(), ..labelled(n) }).collect();
    store.import(&examples, "ada", 2).await.unwrap();
    let (train, eval) = (examples[..2].to_vec(), examples[2..].to_vec());
    let dataset = graft_core::Dataset {
        digest: Digest::of(b"dataset"),
        train,
        eval,
        leaking: Vec::new(),
        assignment: Default::default(),
    };
    store.save_dataset("tickets", &dataset, "ada", 3).await.unwrap();
    store.add_version(&NewVersion { task: "tickets".into(), ..new_version(Some("v1")) }, "ada", 4).await.unwrap();
    store.set_active("tickets", "v1", None, "ada", 5).await.unwrap();
    store.set_setting("guidelines-tickets", &json!("Be kind."), "ada", 6).await.unwrap();
    let schedule = NewSchedule {
        id: "nightly",
        task: "tickets",
        cron: "0 3 * * *",
        zone: "UTC",
        request: &json!({"task": "tickets"}),
        min_new: 0,
        after_new: 0,
        even_unchanged: false,
        next_at: None,
    };
    store.add_schedule(schedule, "ada", 7).await.unwrap();
    let spec = spec("r1");
    store.add_run(NewRun { task: "tickets", spec: &spec, dir: "runs/r1" }, "ada", 8).await.unwrap();
    assert!(matches!(store.rename_task("tickets", "mail", "ada", 9).await, Err(Error::RunActive { .. })));
    let ended = graft_store::RunUpdate { state: Some(graft_store::RunState::Cancelled), ..Default::default() };
    store.update_run("r1", &ended, "ada", 9).await.unwrap();

    store.rename_task("tickets", "mail", "ada", 10).await.unwrap();
    let filter = ExampleFilter { task: Some("mail".into()), ..ExampleFilter::default() };
    let found = store.examples(&filter).await.unwrap();
    assert_eq!(found.len(), 3);
    assert!(found.iter().all(|example| example.task == "mail" && matches!(example.review, Review::Approved { .. })));
    assert_eq!(store.history("mail", "slack:1").await.unwrap().len(), 1);
    assert_eq!(store.dataset("mail", &dataset.digest).await.unwrap().train.len(), 2);
    assert_eq!(store.active_version("mail").await.unwrap().unwrap().name, "v1");
    assert_eq!(store.setting("guidelines-mail").await.unwrap().unwrap().value, json!("Be kind."));
    assert_eq!(store.schedules().await.unwrap()[0].request, json!({"task": "mail"}));
    assert_eq!(store.run("r1").await.unwrap().task, "mail");
    let task = store.task("mail").await.unwrap().unwrap();
    assert_eq!((task.revision, &task.definition["name"]), (1, &json!("mail")));
    assert!(store.task("tickets").await.unwrap().is_none());
    assert!(store.examples(&ExampleFilter { task: Some("tickets".into()), ..filter }).await.unwrap().is_empty());

    store.add_task_revision(new(0, &definition), "ada", 11).await.unwrap();
    assert!(matches!(store.rename_task("mail", "tickets", "ada", 12).await, Err(Error::TaskExists(_))));
    assert!(matches!(store.rename_task("none", "other", "ada", 12).await, Err(Error::NoTask(_))));
}

async fn task_can_be_archived_and_unarchived(database: Database) {
    let store = &database.store;
    assert!(matches!(store.archive_task("tickets", true, "ada", 1).await, Err(Error::NoTask(_))));
    store.add_task_revision(new(0, &definition("Sort it.")), "ada", 1).await.unwrap();
    assert!(store.archive_task("tickets", true, "ada", 2).await.unwrap());
    assert!(!store.archive_task("tickets", true, "ada", 3).await.unwrap());
    assert!(store.task("tickets").await.unwrap().unwrap().archived);
    assert!(store.archive_task("tickets", false, "ada", 4).await.unwrap());
    assert!(!store.task("tickets").await.unwrap().unwrap().archived);
}
