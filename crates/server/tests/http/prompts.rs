//! Texts of examples that are submitted for training.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::service::Service;

fn lines(count: usize) -> String {
    (0..count).map(|i| format!("{i}. \"text number {i} of all\" -> {}\n", ["good", "bad"][i % 2])).collect()
}

#[tokio::test]
async fn text_becomes_a_dataset_and_a_run() {
    let service = Service::new().await.with_tiny_base().await;
    let ask = json!({"text": lines(24), "model_type": "text_classification", "base": "tiny", "priority": "high", "track": false});
    let said = service.post("/api/v1/prompts", &ask).await;
    assert_eq!(said.status, StatusCode::ACCEPTED, "{}", said.json());
    let prompt = said.json()["prompt"].clone();
    assert_eq!(
        (&prompt["dataset"], &prompt["note"]),
        (&json!("prompt_1_text_classification"), &Value::Null),
        "{prompt}"
    );
    let listed = service.get("/api/v1/prompts").await.json()["prompts"][0].clone();
    assert_eq!(
        listed["metadata"],
        json!({"source": "prompt_interface", "model_type": "text_classification", "created_by": "local"})
    );
    assert_eq!((&listed["job"]["state"], &listed["job"]["priority"]), (&json!("queued"), &json!("high")), "{listed}");
    let table = service.get("/api/v1/prompts/1/prompt_data.csv").await;
    assert!(String::from_utf8(table.body.clone()).unwrap().starts_with("text,label\ntext number 0 of all,good\n"));
    assert_eq!(table.header("content-type"), "text/csv; charset=utf-8");
    assert_eq!(service.get("/api/v1/prompts/2/prompt_data.csv").await.status, StatusCode::NOT_FOUND);
    let run = service.get(&format!("/api/v1/runs/{}", prompt["run"].as_str().unwrap())).await.json()["run"].clone();
    let asked = &run["request"];
    assert_eq!((&asked["baseline"], &asked["track"]), (&json!(true), &json!(false)), "{run}");
    let again = service.post("/api/v1/prompts", &ask).await.json();
    assert!(again["prompt"]["note"].as_str().unwrap().contains("Train again when it has ended"), "{again}");
}

#[tokio::test]
async fn text_with_too_few_examples_is_kept_with_reason() {
    let service = Service::new().await.with_tiny_base().await;
    let ask = |text: &str, pending: bool| json!({"text": text, "model_type": "sentiment_analysis", "base": "tiny", "pending": pending});
    let said = service.post("/api/v1/prompts", &ask("Test training prompt", false)).await.json();
    assert_eq!((&said["prompt"]["examples"], &said["prompt"]["pending"]), (&json!(1), &json!(1)));
    assert!(said["prompt"]["note"].as_str().unwrap().contains("add answers"), "{said}");
    let seed = "Classify customer sentiment:\n\n1. \"I love this product!\" -> positive\n2. \"Not what I expected\" -> negative\n3. \"It works fine\" -> neutral\n";
    let said = service.post("/api/v1/prompts", &ask(seed, false)).await.json();
    assert!(said["prompt"]["note"].as_str().unwrap().contains("10 approved examples"), "{said}");
    let said = service.post("/api/v1/prompts", &ask(&lines(12), true)).await.json();
    assert_eq!((&said["prompt"]["pending"], &said["prompt"]["run"]), (&json!(12), &Value::Null));
    assert_eq!(service.get("/api/v1/examples?task=sentiment&state=pending").await.json()["total"], 13);
    assert_eq!(service.post("/api/v1/prompts", &ask("short", false)).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    let unknown = json!({"text": lines(12), "model_type": "unheard-of"});
    assert!(service.post("/api/v1/prompts", &unknown).await.status.is_client_error());
}

#[tokio::test]
async fn draft_is_kept_until_submitted() {
    let service = Service::new().await;
    let empty = service.get("/api/v1/prompts/draft").await.json();
    assert_eq!(empty["text"], "");
    let draft = json!({"text": "a line -> good", "model_type": "general_chat", "priority": "low"});
    let put = service.send(&Method::PUT, "/api/v1/prompts/draft", &[], draft.to_string().as_bytes()).await;
    assert_eq!(put.status, StatusCode::OK);
    let found = service.get("/api/v1/prompts/draft").await.json();
    assert_eq!((&found["text"], &found["priority"]), (&draft["text"], &draft["priority"]));
    let ask = json!({"text": "a line -> good", "model_type": "text_classification"});
    assert_eq!(service.post("/api/v1/prompts", &ask).await.status, StatusCode::ACCEPTED);
    assert_eq!(service.get("/api/v1/prompts/draft").await.json()["text"], "");
}

#[tokio::test]
async fn pasted_text_is_imported_as_pending() {
    let service = Service::new().await;
    let text = lines(4);
    let fields = [("kind", "prompt"), ("task", "text-classification"), ("pending", "true")];
    let import = service.import_with(&fields, "pasted.txt", text.as_bytes()).await;
    assert_eq!((&import["report"]["labelled"], &import["report"]["pending"]), (&json!(4), &json!(4)), "{import}");
    let import = service.import("prompt", "sentiment", "pasted.txt", text.as_bytes()).await;
    assert_eq!(import["report"]["pending"], 0, "{import}");
}

#[tokio::test]
async fn text_has_versions_with_their_difference() {
    let service = Service::new().await.with_tiny_base().await;
    let ask = |text: &str, parent: Option<u64>, base: &str| json!({"text": text, "model_type": "sentiment_analysis", "base": base, "parent": parent});
    let first = lines(24);
    assert_eq!(service.post("/api/v1/prompts", &ask(&first, None, "tiny")).await.status, StatusCode::ACCEPTED);
    let second = first.replacen("-> good", "-> great", 1) + "24. \"one text more\" -> good\n";
    let said = service.post("/api/v1/prompts", &ask(&second, Some(1), "other")).await;
    assert_eq!(said.json()["prompt"]["parent"], 1, "{}", said.json());
    let missing = service.post("/api/v1/prompts", &ask(&second, Some(9), "tiny")).await;
    assert_eq!(missing.status, StatusCode::NOT_FOUND, "{}", missing.json());

    let listed = service.get("/api/v1/prompts").await.json()["prompts"][0].clone();
    assert_eq!((listed.get("text"), listed["preview"].as_str().unwrap().chars().count()), (None, 200), "{listed}");
    let shown = service.get("/api/v1/prompts/2").await.json();
    assert_eq!((&shown["text"], &shown["parent"]), (&json!(second), &json!(1)));
    let versions: Vec<_> = shown["versions"].as_array().unwrap().iter().map(|one| &one["id"]).collect();
    assert_eq!(versions, [&json!(1), &json!(2)]);
    assert_eq!(
        (&shown["versions"][0]["reached"]["state"], &shown["versions"][1]["reached"]["state"]),
        (&json!("queued"), &Value::Null)
    );

    let diff = service.get("/api/v1/prompts/2/diff").await.json();
    assert_eq!(diff["text"]["counts"], json!({"added": 1, "removed": 0, "changed": 1, "same": 23}), "{diff}");
    assert_eq!(diff["text"]["changed"], json!([{"input": "text number 0 of all", "before": "good", "after": "great"}]));
    assert_eq!(diff["settings"], json!([{"name": "base", "before": "tiny", "after": "other"}]));
    let back = service.get("/api/v1/prompts/1/diff?with=2").await.json();
    assert_eq!(back["text"]["removed"][0]["input"], "one text more", "{back}");
    assert_eq!(service.get("/api/v1/prompts/1/diff").await.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(service.get("/api/v1/prompts/7").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn table_of_texts_becomes_a_dataset_each_and_one_run_a_task() {
    let service = Service::new().await.with_tiny_base().await;
    let text = |row: Value| format!("{row}\n");
    let table = text(
        json!({"prompt": lines(12), "model_type": "text_classification", "base": "tiny", "priority": "low"}),
    ) + &text(json!({"prompt": lines(30), "model_type": "text_classification", "base": "tiny"}))
        + &text(
            json!({"prompt": "\"too few\" -> good\n\"by far\" -> bad", "model_type": "sentiment_analysis", "base": "tiny"}),
        )
        + &text(json!({"prompt": lines(3), "model_type": "unheard-of"}))
        + &text(json!({"prompt": lines(3), "model_type": "chat", "priority": "soon"}))
        + &text(json!({"prompt": "short", "model_type": "chat"}));
    let body = json!({"text": table});
    let checked = service.post("/api/v1/prompts/batch?dry_run=true", &body).await.json();
    assert_eq!(service.get("/api/v1/prompts").await.json()["prompts"], json!([]), "nothing was stored");
    let made = service.post("/api/v1/prompts/batch", &body).await.json();
    let listed = |batch: &Value, name: &str| -> Vec<Value> {
        batch["prompts"].as_array().unwrap().iter().map(|one| one[name].clone()).collect()
    };
    assert_eq!(listed(&checked, "examples"), [12, 30, 2]);
    assert_eq!(listed(&checked, "dataset"), [Value::Null, Value::Null, Value::Null]);
    let names = ["prompt_1_text_classification", "prompt_2_text_classification", "prompt_3_sentiment_analysis"];
    assert_eq!(listed(&made, "dataset"), names);
    let lines: Vec<&Value> = made["problems"].as_array().unwrap().iter().map(|one| &one["line"]).collect();
    assert_eq!((lines, &checked["problems"]), (vec![&json!(4), &json!(5), &json!(6)], &made["problems"]));
    let runs = &made["runs"];
    assert_eq!((&runs[0]["prompts"], &runs[1]["run"]), (&json!(2), &Value::Null), "{runs}");
    assert!(runs[1]["note"].as_str().unwrap().contains("10 approved examples"), "{runs}");
    let prompts = service.get("/api/v1/prompts").await.json()["prompts"].clone();
    assert_eq!((&prompts[1]["run"], &prompts[2]["run"]), (&runs[0]["run"], &runs[0]["run"]));
    assert_eq!(prompts[1]["job"]["priority"], "normal", "the highest of its texts");
    let examples = json!({"text": "text,label\na,x\n"});
    assert_eq!(service.post("/api/v1/prompts/batch", &examples).await.status, StatusCode::UNPROCESSABLE_ENTITY);
}
