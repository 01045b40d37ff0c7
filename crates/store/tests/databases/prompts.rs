use graft_store::{Error, NewPrompt};
use serde_json::{Value, json};

use crate::support::{Database, on_both};

on_both!(submitted_texts_become_named_datasets, each_author_has_one_draft, texts_have_versions,);

fn new(model_type: &str) -> NewPrompt<'_> {
    NewPrompt {
        task: "sentiment",
        model_type,
        description: "three lines",
        text: "a -> x\0",
        csv: "text,label\na,x\n",
        examples: 1,
        pending: 0,
        parent: None,
        settings: &Value::Null,
    }
}

async fn submitted_texts_become_named_datasets(database: Database) {
    let store = &database.store;
    let first = store.add_prompt(new("sentiment_analysis"), "ada", 1).await.unwrap();
    let second = store.add_prompt(new("own-task"), "bob", 2).await.unwrap();
    assert_eq!((first.dataset.as_str(), second.dataset.as_str()), ("prompt_1_sentiment_analysis", "prompt_2_own-task"));
    assert_eq!(first.preview, "a -> x\u{fffd}");
    assert_eq!(store.prompt_text(1).await.unwrap(), "a -> x\u{fffd}");
    store.prompt_outcome(&[1], Some("run-1"), None).await.unwrap();
    store.prompt_outcome(&[2], None, Some("nothing to learn")).await.unwrap();
    let all = store.prompts(10, 0).await.unwrap();
    let told: Vec<_> = all.iter().map(|prompt| (prompt.id, prompt.run.as_deref(), prompt.note.as_deref())).collect();
    assert_eq!(told, [(2, None, Some("nothing to learn")), (1, Some("run-1"), None)]);
    assert_eq!(store.prompts(1, 1).await.unwrap()[0].id, 1);
    assert_eq!(store.prompt_csv(1).await.unwrap(), "text,label\na,x\n");
    assert!(matches!(store.prompt_csv(3).await, Err(Error::NoPrompt(3))));
}

async fn each_author_has_one_draft(database: Database) {
    let store = &database.store;
    assert_eq!(store.prompt_draft("ada").await.unwrap(), None);
    store.save_prompt_draft("ada", &json!({"text": "a"}), 1).await.unwrap();
    store.save_prompt_draft("ada", &json!({"text": "a -> x"}), 2).await.unwrap();
    assert_eq!(store.prompt_draft("ada").await.unwrap(), Some(json!({"text": "a -> x"})));
    assert_eq!(store.prompt_draft("bob").await.unwrap(), None);
    store.add_prompt(new("sentiment_analysis"), "ada", 3).await.unwrap();
    assert_eq!(store.prompt_draft("ada").await.unwrap(), None, "a submitted text is no longer a draft");
}

async fn texts_have_versions(database: Database) {
    let store = &database.store;
    let settings = json!({"base": "tiny"});
    let version = |parent| NewPrompt { parent, settings: &settings, ..new("own-task") };
    for parent in [None, Some(1), None, Some(1), Some(2)] {
        store.add_prompt(version(parent), "ada", 1).await.unwrap();
    }
    let family = async |id| -> Vec<u64> {
        store.prompt_versions(id).await.unwrap().into_iter().map(|prompt| prompt.id).collect()
    };
    assert_eq!((family(5).await, family(1).await, family(3).await), (vec![1, 2, 4, 5], vec![1, 2, 4, 5], vec![3]));
    let fifth = store.prompt(5).await.unwrap();
    assert_eq!((fifth.parent, fifth.settings.as_ref()), (Some(2), Some(&settings)));
    assert!(matches!(store.add_prompt(version(Some(9)), "ada", 1).await, Err(Error::NoPrompt(9))));
    store.prompt_outcome(&[1, 2, 4], Some("run-1"), None).await.unwrap();
    store.prompt_outcome(&[3], None, Some("nothing to learn")).await.unwrap();
    assert!(store.prompts_left(1).await.unwrap().is_empty(), "whoever stored it may still submit it");
    let left: Vec<u64> = store.prompts_left(2).await.unwrap().iter().map(|prompt| prompt.id).collect();
    assert_eq!(left, [5]);
}
