use graft_core::{BaseRef, Digest};
use graft_store::{Action, ChangeFilter, Error, Kind};
use serde_json::json;

use crate::support::{Database, on_both};

on_both!(settings_are_stored, bases_are_stored, audit_trail_has_no_gaps,);

async fn settings_are_stored(database: Database) {
    let store = &database.store;
    assert_eq!(store.setting("softPromptEnabled").await.unwrap(), None);
    store.set_setting("softPromptEnabled", &json!(true), "ada", 1).await.unwrap();
    store.set_setting("softPromptConfidenceThreshold", &json!(0.7), "ada", 2).await.unwrap();
    store.set_setting("softPromptEnabled", &json!(false), "bob", 3).await.unwrap();
    let setting = store.setting("softPromptEnabled").await.unwrap().unwrap();
    assert_eq!((setting.value, setting.updated_by.as_str(), setting.updated_at), (json!(false), "bob", 3));
    let names: Vec<_> = store.settings().await.unwrap().into_iter().map(|setting| setting.name).collect();
    assert_eq!(names, ["softPromptConfidenceThreshold", "softPromptEnabled"]);
    assert!(matches!(store.set_setting("", &json!(1), "ada", 4).await, Err(Error::BadName { .. })));
    let filter = ChangeFilter { kind: Some(Kind::Setting), ..ChangeFilter::default() };
    let last = store.changes(&filter).await.unwrap().pop().unwrap();
    assert_eq!((last.before, last.after), (Some(json!({"value": true})), Some(json!({"value": false}))));
}

async fn bases_are_stored(database: Database) {
    let store = &database.store;
    let base = |content: &str| BaseRef { name: "org/model".into(), digest: Digest::of(content.as_bytes()) };
    let first = store.add_base(&base("a"), "/models/a", "ada", 1).await.unwrap();
    assert_eq!((first.path.as_str(), &first.digest), ("/models/a", &base("a").digest));
    assert_eq!(store.add_base(&base("a"), "/models/a", "bob", 2).await.unwrap().added_at, 1);
    store.add_base(&base("a"), "/models/b", "bob", 3).await.unwrap();
    store.add_base(&BaseRef { name: "another".into(), ..base("c") }, "/models/c", "bob", 2).await.unwrap();
    let names: Vec<_> = store.bases().await.unwrap().into_iter().map(|base| base.name).collect();
    assert_eq!(names, ["another", "org/model"]);
    assert_eq!(store.remove_base("org/model", "ada", 4).await.unwrap().path, "/models/b");
    assert!(matches!(store.base("org/model").await, Err(Error::NoBase(_))));
    assert!(matches!(store.remove_base("org/model", "ada", 4).await, Err(Error::NoBase(_))));
    assert!(matches!(
        store.add_base(&BaseRef { name: String::new(), ..base("x") }, "/models/x", "ada", 5).await,
        Err(Error::BadName { .. })
    ));
}

async fn audit_trail_has_no_gaps(database: Database) {
    let store = &database.store;
    for n in 1..=5 {
        store.set_setting("n", &json!(n), "ada", n).await.unwrap();
        assert!(store.set_setting("", &json!(n), "ada", n).await.is_err());
    }
    let changes = store.changes(&ChangeFilter { after: 2, limit: Some(2), ..ChangeFilter::default() }).await.unwrap();
    let told: Vec<_> = changes.iter().map(|change| (change.seq, change.at, change.action)).collect();
    assert_eq!(told, [(3, 3, Action::Set), (4, 4, Action::Set)]);
    let newest = ChangeFilter { newest: true, before: Some(5), limit: Some(2), ..ChangeFilter::default() };
    let told: Vec<_> = store.changes(&newest).await.unwrap().iter().map(|change| change.seq).collect();
    assert_eq!(told, [4, 3]);
}
