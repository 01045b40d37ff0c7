use graft_store::NewPrompt;
use serde_json::json;

use crate::support::{Database, on_both};

on_both!(submitted_texts_become_named_datasets, each_author_has_one_draft,);

fn new(model_type: &str) -> NewPrompt<'_> {
    NewPrompt {
        task: "sentiment",
        model_type,
        description: "three lines",
        text: "a -> x\0",
        csv: "text,label\na,x\n",
        examples: 1,
        pending: 0,
    }
}

async fn submitted_texts_become_named_datasets(database: Database) {
    let store = &database.store;
    let first = store.add_prompt(new("sentiment_analysis"), "ada", 1).await.unwrap();
    let second = store.add_prompt(new("own-task"), "bob", 2).await.unwrap();
    assert_eq!((first.dataset.as_str(), second.dataset.as_str()), ("prompt_1_sentiment_analysis", "prompt_2_own-task"));
    assert_eq!(first.text, "a -> x\u{fffd}");
    store.prompt_outcome(1, Some("run-1"), None).await.unwrap();
    store.prompt_outcome(2, None, Some("nothing to learn")).await.unwrap();
    let all = store.prompts(10).await.unwrap();
    let told: Vec<_> = all.iter().map(|prompt| (prompt.id, prompt.run.as_deref(), prompt.note.as_deref())).collect();
    assert_eq!(told, [(2, None, Some("nothing to learn")), (1, Some("run-1"), None)]);
    assert_eq!(store.prompts(1).await.unwrap().len(), 1);
    assert_eq!(store.prompt_csv(1).await.unwrap().as_deref(), Some("text,label\na,x\n"));
    assert_eq!(store.prompt_csv(3).await.unwrap(), None);
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
