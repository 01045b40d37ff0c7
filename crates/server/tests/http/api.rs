//! Behaviour of the routes that need no training; the tests of `graft` cover the rest.

use crate::{description, service::Service};
use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

#[tokio::test]
async fn decision_on_outdated_example_is_a_conflict() {
    let service = Service::with_examples().await;
    let pending = service.get("/api/v1/examples?task=text-classification&state=pending").await.json();
    assert_eq!(pending["total"], 1);
    let example = &pending["examples"][0];
    let path = format!("/api/v1/examples/text-classification/{}", example["id"].as_str().unwrap());
    let revision = example["revision"].clone();

    let said = service.post(&format!("{path}/approve"), &json!({"revision": revision})).await;
    assert_eq!(said.status, StatusCode::UNPROCESSABLE_ENTITY, "there is nothing to approve");
    // The page of somebody whose session has ended sends what they decided.
    let of_ana = json!({"revision": revision, "output": "bad", "by": "ana"});
    let said = service.post(&format!("{path}/edit"), &of_ana).await;
    assert_eq!((said.status, said.json().get("current")), (StatusCode::CONFLICT, None));
    let own = json!({"revision": revision, "output": "good", "by": "local"});
    let edited = service.post(&format!("{path}/edit"), &own).await.json();
    assert_eq!(
        (&edited["example"]["output"], &edited["example"]["review"]["state"]),
        (&json!("good"), &json!("approved"))
    );
    let late = service.post(&format!("{path}/reject"), &json!({"revision": revision, "reason": "no"})).await;
    assert_eq!((late.status, &late.json()["current"]["output"]), (StatusCode::CONFLICT, &json!("good")));

    let detail = service.get(&path).await.json();
    let seen = detail["history"].as_array().unwrap().last().unwrap()["seq"].clone();
    let now = &edited["example"]["revision"];
    let undone = service.post(&format!("{path}/undo"), &json!({"revision": now, "seen": seen})).await.json();
    assert_eq!(
        (&undone["example"]["output"], &undone["example"]["review"]["state"]),
        (&Value::Null, &json!("pending"))
    );
}

#[tokio::test]
async fn bulk_decisions_work_and_lists_are_paged() {
    let service = Service::with_examples().await;
    let reject =
        json!({"task": "text-classification", "action": "reject", "filter": {"search": "number 3"}, "reason": "odd"});
    let done = service.post("/api/v1/examples/bulk", &reject).await.json();
    assert_eq!(done, json!({"changed": 1, "skipped": []}));
    let approve = json!({"task": "text-classification", "action": "approve", "ids": ["nobody"]});
    let done = service.post("/api/v1/examples/bulk", &approve).await.json();
    assert_eq!((&done["changed"], done["skipped"].as_array().unwrap().len()), (&json!(0), 1));
    let page = service.get("/api/v1/examples?limit=3&offset=9").await.json();
    assert_eq!(service.get("/api/v1/examples?state=audited").await.json()["total"], 10);
    let total = async |query: &str| service.get(&format!("/api/v1/examples?{query}")).await.json()["total"].clone();
    assert_eq!(total("by=local&state=rejected").await, 1);
    assert_eq!(total("by=nobody").await, 0);
    // No adapter has said anything of any of them.
    assert_eq!(total("max_confidence=0.7&field=label").await, 0);
    let unsure = json!({"task": "text-classification", "action": "reopen", "filter": {"max_confidence": 0.7}});
    assert_eq!(service.post("/api/v1/examples/bulk", &unsure).await.json()["changed"], 0);
    let alike = service.get("/api/v1/tasks/text-classification/duplicates").await.json();
    assert_eq!((&alike["extra"], alike["groups"].as_array().unwrap().len()), (&json!(0), 0), "{alike}");
    let newest = service.get("/api/v1/changes?order=newest&limit=2").await.json();
    let before = service.get(&format!("/api/v1/changes?order=newest&limit=1&before={}", newest["next"])).await.json();
    assert_eq!(newest["changes"][0]["action"], "reject");
    assert_eq!(before["next"].as_i64(), newest["next"].as_i64().map(|seq| seq - 1));
    assert_eq!((page["examples"].as_array().unwrap().len(), &page["total"]), (2, &json!(11)));
    let tasks = service.get("/api/v1/tasks").await.json();
    let task = tasks["tasks"].as_array().unwrap().iter().find(|task| task["name"] == "text-classification").unwrap();
    assert_eq!(task["counts"], json!({"pending": 1, "approved": 9, "rejected": 1}));
    assert_eq!(task["labels"], json!(["bad", "good"]));
}

#[tokio::test]
async fn second_run_of_a_task_is_refused_with_name_of_first() {
    let service = Service::with_examples().await.with_tiny_base().await;
    let ask = json!({"task": "text-classification", "base": "tiny", "evaluate": false});
    let first = service.post("/api/v1/runs", &ask).await;
    assert_eq!(first.status, StatusCode::ACCEPTED, "{}", first.json());
    let second = service.post("/api/v1/runs", &ask).await;
    assert_eq!((second.status, &second.json()["run"]), (StatusCode::CONFLICT, &first.json()["run"]["id"]));
}

#[tokio::test]
async fn request_with_idempotency_key_runs_once() {
    let service = Service::with_examples().await;
    let nightly = |cron: &str| json!({"cron": cron, "request": {"task": "text-classification"}}).to_string();
    let ask = async |key: &str, body: &str| {
        service.send(&Method::POST, "/api/v1/schedules", &[("idempotency-key", key)], body.as_bytes()).await
    };
    let first = ask("a-key", &nightly("0 3 * * *")).await;
    let again = ask("a-key", &nightly("0 3 * * *")).await;
    assert_eq!((again.status, again.header("idempotency-replayed")), (StatusCode::OK, "true"));
    assert_eq!(first.json(), again.json());
    let other = ask("a-key", &nightly("0 4 * * *")).await;
    assert_eq!(other.status, StatusCode::UNPROCESSABLE_ENTITY, "a key stands for one request");
    assert_eq!(ask("another", &nightly("0 3 * * *")).await.status, StatusCode::CONFLICT, "it exists");
}

#[tokio::test]
async fn settings_and_tables_check_if_match() {
    let service = Service::new().await;
    for (path, new) in [
        (
            "/api/v1/settings",
            json!({"softPromptEnabled": false, "softPromptModelDir": "data", "softPromptConfidenceThreshold": 0.25}),
        ),
        ("/api/v1/tables", json!({"toml": "[pounds]\ncrate = 30.0\n"})),
        ("/api/v1/settings/rent", json!({"price_per_hour": 1.5, "currency": "EUR"})),
        ("/api/v1/tasks/ask-ai/guidelines", json!({"text": "One sentence."})),
    ] {
        let first = service.get(path).await;
        let tag = first.header("etag").to_owned();
        let put = |tag: String| {
            let (service, body) = (&service, new.to_string());
            async move { service.send(&Method::PUT, path, &[("if-match", tag.as_str())], body.as_bytes()).await }
        };
        let mut said = futures_util::future::join_all([put(tag.clone()), put(tag.clone()), put(tag.clone())]).await;
        said.sort_by_key(|said| said.status);
        assert_eq!(said[1].status, StatusCode::PRECONDITION_FAILED, "of many at once, one is first");
        let done = said.swap_remove(0);
        assert_eq!(done.status, StatusCode::OK, "{}", String::from_utf8_lossy(&done.body));
        assert_ne!(done.header("etag"), tag);
        assert_eq!(put(tag).await.status, StatusCode::PRECONDITION_FAILED);
        assert_eq!(service.get(path).await.header("etag"), done.header("etag"));
    }
    assert_eq!(service.get("/api/v1/tables").await.json()["parsed"]["pounds"]["crate"], 30.0);
    let own = json!({"pounds": {"crate": 31.0}, "classes": {}, "items": {"half & half": {"case": 9.5}}, "foods": {},
                     "locations": {}});
    let written = service.put("/api/v1/tables", &json!({"own": own})).await.json();
    assert_eq!((&written["own"], &written["parsed"]["pounds"]["crate"]), (&own, &json!(31.0)), "{written}");
    assert_ne!(written["builtin"]["pounds"]["crate"], 31.0);
    for bad in [json!({"toml": "[pounds]\ncrate = -1.0\n"}), json!({}), json!({"toml": "", "own": own})] {
        assert_eq!(service.put("/api/v1/tables", &bad).await.status, StatusCode::UNPROCESSABLE_ENTITY, "{bad}");
    }
    for (task, text, status) in [("ask-ai", "x".repeat(20_001), 422), ("nothing", "x".into(), 404)] {
        let said = service.put(&format!("/api/v1/tasks/{task}/guidelines"), &json!({"text": text})).await;
        assert_eq!(said.status.as_u16(), status, "{task}");
    }
    let bad = service.put("/api/v1/settings/rent", &json!({"price_per_hour": -1.0, "currency": ""})).await;
    assert_eq!((bad.status, bad.json()["errors"].as_array().unwrap().len()), (StatusCode::UNPROCESSABLE_ENTITY, 2));
}

#[tokio::test]
async fn damaged_run_does_not_hide_others() {
    let service = Service::with_examples().await.with_tiny_base().await;
    let new = json!({"task": "text-classification", "base": "tiny", "evaluate": false});
    let run = service.post("/api/v1/runs", &new).await.json()["run"]["id"].as_str().unwrap().to_owned();
    let folder = service.state.engine.home.path().join("runs").join(&run);
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("events.jsonl"), "{\"no\": \"event\"}\n{}\n").unwrap();
    // One that ended before runs were followed into the database: it is read from its folder.
    service.post(&format!("/api/v1/runs/{run}/cancel"), &json!({})).await;
    let list = service.get("/api/v1/runs").await;
    assert_eq!((list.status, &list.json()["runs"][0]["id"]), (StatusCode::OK, &json!(run)));
    for shown in [list.json()["runs"][0].clone(), service.get(&format!("/api/v1/runs/{run}")).await.json()] {
        assert!(shown["damage"].as_str().unwrap().contains("events.jsonl"), "{shown}");
    }
}

#[tokio::test]
async fn run_shows_the_scores_of_its_newest_measurement() {
    let service = Service::with_examples().await.with_tiny_base().await;
    let new = json!({"task": "text-classification", "base": "tiny", "evaluate": false});
    let run = service.post("/api/v1/runs", &new).await.json()["run"]["id"].as_str().unwrap().to_owned();
    let folder = service.state.engine.home.path().join("runs").join(&run);
    std::fs::create_dir_all(&folder).unwrap();
    let scores = json!({"examples": 12, "accuracy": 0.75, "f1": 0.5, "seconds": 1.5});
    let events = [
        json!({"seq": 1, "at": 1, "event": "eval", "step": 5, "loss": 0.5, "best": true, "scores": scores}),
        // An earlier version of Graft went on with it.
        json!({"seq": 2, "at": 2, "event": "eval", "step": 9, "loss": 0.25, "best": true, "seconds": 0.1}),
    ];
    std::fs::write(folder.join("events.jsonl"), events.map(|event| format!("{event}\n")).concat()).unwrap();
    service.post(&format!("/api/v1/runs/{run}/cancel"), &json!({})).await;
    let held_out = json!({"step": 9, "loss": 0.25, "scores": scores});
    assert_eq!(service.get(&format!("/api/v1/runs/{run}")).await.json()["progress"]["held_out"], held_out);
    assert_eq!(service.get("/api/v1/runs").await.json()["runs"][0]["progress"]["held_out"], held_out);
    let status = service.get(&format!("/api/v1/training/status/{run}")).await.json();
    let metrics = ["eval_loss", "accuracy", "f1"].map(|name| status["metrics"][name].as_f64());
    assert_eq!(metrics, [0.25, 0.75, 0.5].map(Some), "{status}");
    let stream = service.get(&format!("/api/v1/runs/{run}/events")).await;
    let told = String::from_utf8(stream.body).unwrap();
    assert!(told.contains("\"accuracy\":0.75"), "{told}");
}

#[tokio::test]
async fn imports_report_skipped_rows() {
    let service = Service::new().await;
    let csv = b"text,label\nfine,good\n,bad\nalso fine,bad\n";
    let import = service.import("csv", "text-classification", "rows.csv", csv).await;
    assert_eq!((&import["state"], &import["report"]["added"]), (&json!("done"), &json!(2)), "{import}");
    assert_eq!((&import["done"], &import["of"]), (&json!(2), &json!(2)), "rows");
    assert_eq!(import["skipped"][0]["count"], 1);
    assert!(import["problems"][0]["reason"].as_str().unwrap().contains("blank"), "{import}");
    let failed = service.import("csv", "text-classification", "empty.csv", b"text,label\n").await;
    assert_eq!(failed["state"], "failed");
    assert!(failed["problem"]["detail"].as_str().unwrap().contains("empty.csv"), "{failed}");
}

#[tokio::test]
async fn page_and_unknown_paths_are_served() {
    let service = Service::new().await;
    let page = service.get("/tasks/slack-rescue/audit").await;
    assert!(page.status == StatusCode::OK && page.header("content-type").starts_with("text/html"));
    let run = service.get("/runs/exp-1.5").await;
    assert_eq!(run.header("content-type"), "text/html; charset=utf-8", "a run's name may hold a dot");
    for missing in ["/assets/none.js", "/api/v1/none"] {
        let said = service.get(missing).await;
        assert_eq!((said.status, said.header("content-type")), (StatusCode::NOT_FOUND, "application/problem+json"));
    }
    let said = service.send(&Method::PUT, "/health", &[], b"{}").await;
    assert_eq!(
        (said.status, said.header("content-type")),
        (StatusCode::METHOD_NOT_ALLOWED, "application/problem+json")
    );
    for n in 0..3 {
        service.send(&format!("ZZ{n}").parse().unwrap(), "/api/v1/tasks", &[], b"").await;
    }
    assert_eq!(service.get("/health").await.header("x-request-id").len(), 36, "logs and answers name each request");
    let metrics = String::from_utf8(service.get("/metrics").await.body).unwrap();
    assert!(!metrics.contains("ZZ"), "methods that strangers make up are no labels:\n{metrics}");
    assert!(metrics.contains("graft_requests_total{method=\"GET\",route=\"page\",status=\"200\"} 2"), "{metrics}");
}

#[tokio::test]
async fn responses_match_the_openapi_description() {
    let api: Value = serde_json::from_str(graft_server::openapi_json()).unwrap();
    let service = Service::with_examples().await;
    for path in
        ["tasks", "examples", "changes", "tasks/{task}/drift", "stats", "tables", "datasets", "versions", "runs"]
    {
        let said = service.get(&format!("/api/v1/{}", path.replace("{task}", "chat"))).await;
        assert_eq!(said.status, StatusCode::OK, "{path}");
        let operation = &api["paths"][format!("/api/v1/{path}")]["get"];
        description::check(&api, operation, &said).unwrap_or_else(|odd| panic!("{path}: {odd}"));
    }
    let drift = service.get("/api/v1/tasks/chat/drift").await.json();
    assert_eq!((&drift["state"], &drift["version"]), (&json!("unknown"), &Value::Null));
    for path in ["/api/v1/tasks/chat/drift?version=v9", "/api/v1/tasks/nowhere/drift"] {
        assert_eq!(service.get(path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    let nothing = json!({"task": "chat", "base": "nowhere"});
    let preflight = service.post("/api/v1/runs/preflight", &nothing).await.json();
    assert_eq!(preflight["ok"], false);
    let refused = service.post("/api/v1/runs", &nothing).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.json()["problems"].as_array().unwrap().len() >= 2, "all problems at once");
    let said = refused.json().to_string() + &preflight["problems"].to_string();
    assert!(!said.contains("--") && !said.contains("`graft "), "commands are advised: {said}");
    let trigger = service.send(&Method::POST, "/api/v1/admin/training/trigger", &[], b"").await;
    assert_eq!(trigger.status, StatusCode::BAD_REQUEST);
    assert!(!trigger.json()["detail"].as_str().unwrap().contains("downloaded"), "there is nothing to train on");
}

#[tokio::test]
async fn import_reports_detected_columns_and_asks_if_unclear() {
    let service = Service::new().await;
    let table = service.import("csv", "sentiment", "a.csv", b"Review,Stars\nso good,5\nso bad,1\n").await;
    assert_eq!((&table["report"]["added"], &table["report"]["pending"]), (&json!(2), &json!(0)), "{table}");
    assert!(table["notes"][0].as_str().unwrap().contains("`Stars`"), "{table}");
    let unsure = service.import("csv", "sentiment", "b.csv", b"Essen,Note\ngut,ja\nmies,nein\nfad,nein\n").await;
    assert_eq!((&unsure["state"], &unsure["report"]), (&json!("failed"), &Value::Null));
    assert!(unsure["problem"]["hint"].as_str().unwrap().contains(r#"`"heading": "yes"`"#), "{unsure}");
    let day = br#"[{"type": "message", "user": "U1", "text": "2 cases of kale", "ts": "1740800004.000000"}]"#;
    let day = service.import("slack", "slack-rescue", "2025-03-01.json", day).await;
    assert_eq!((&day["state"], &day["report"]["pending"]), (&json!("done"), &json!(1)), "{day}");
}

#[tokio::test]
async fn preview_shows_rows_and_stores_nothing() {
    let service = Service::new().await;
    let csv = b"text,label\nfine,good\nI came, I saw,bad\n\"late,\nvery late\",bad\n";
    let fields = [("kind", "csv"), ("task", "text-classification"), ("preview", "true")];
    let shown = service.import_with(&fields, "rows.csv", csv).await;
    assert_eq!((&shown["state"], &shown["report"]["examples"]), (&json!("done"), &json!(2)), "{shown}");
    let first = json!({"at": "row 2", "input": "fine", "output": "good", "review": "approved"});
    assert_eq!((&shown["preview"][0], &shown["preview"][1]["review"]), (&first, &json!("pending")), "{shown}");
    assert!(shown["problems"][0]["reason"].as_str().unwrap().contains("line 3, column 3"), "{shown}");
    let import = service.import("csv", "text-classification", "rows.csv", csv).await;
    assert_eq!((&import["report"]["added"], &import["preview"]), (&json!(2), &json!([])), "{import}");
    let direct = br#"[{"type": "message", "user": "U1", "text": "kale", "ts": "1740800004.000000"}]"#;
    let fields = [("kind", "slack"), ("task", "slack-rescue"), ("channels", "nowhere")];
    let other = service.import_with(&fields, "2025-03-01.json", direct).await;
    assert!(other["problem"]["detail"].as_str().unwrap().contains("`nowhere`"), "{other}");
}

#[tokio::test]
async fn near_duplicates_in_training_data_are_reported() {
    let service = Service::new().await;
    let csv = "text,label\nwe got ten crates of ripe pears today,a\nnothing else,b\n\
               We got ten crates of ripe pears today!,a\nwe got ten crates of ripe pears today.,\n";
    service.import("csv", "text-classification", "rows.csv", csv.as_bytes()).await;
    let alike = service.get("/api/v1/tasks/text-classification/duplicates").await.json();
    assert_eq!(alike["extra"], 1, "what waits isn't learned: {alike}");
    assert_eq!(alike["groups"][0][1]["input"], "We got ten crates of ripe pears today!");
}

#[tokio::test]
async fn most_helpful_pending_examples_are_listed() {
    let service = Service::with_examples().await;
    let csv = "text,label\ntext number 11,good\ntext number 3 again,\nzinnias bloom beside every quiet brook,\n";
    service.import("csv", "text-classification", "more.csv", csv.as_bytes()).await;
    let found = service.get("/api/v1/tasks/text-classification/helpful").await.json();
    let inputs: Vec<&str> =
        found["examples"].as_array().unwrap().iter().filter_map(|one| one["input"].as_str()).collect();
    assert_eq!((inputs.len(), inputs[0]), (3, "zinnias bloom beside every quiet brook"), "{found}");
    assert!(found["examples"][0]["why"].as_str().unwrap().contains("Nothing approved or listed before is like it."));
    assert_eq!(found["add"][0]["text"], "5 of `bad`; at least 10 are wanted");
    let one = service.get("/api/v1/tasks/text-classification/helpful?limit=1").await.json();
    assert_eq!(one["examples"], json!([found["examples"][0]]));
    assert_eq!(service.get("/api/v1/tasks/no-task/helpful").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn results_of_a_version_are_files() {
    let service = Service::with_examples().await;
    let kind = json!({"kind": "n-grams"});
    let added = service.post("/api/v1/tasks/text-classification/contestants", &kind).await;
    assert_eq!(added.json()["version"]["name"], "v1");
    let results = "/api/v1/versions/text-classification/v1/results";
    for (format, kind, begin) in [
        ("csv", "text/csv; charset=utf-8", "id,input,expected,answer,correct,score,confidence\n"),
        ("jsonl", "application/jsonl", "{\"id\":"),
        ("html", "text/html; charset=utf-8", "<!doctype html>"),
    ] {
        let said = service.get(&format!("{results}?format={format}")).await;
        assert_eq!((said.status, said.header("content-type")), (StatusCode::OK, kind));
        // Nothing that a model wrote is shown as a page of this server.
        let file = format!("attachment; filename=\"text-classification-v1-results.{format}\"");
        assert_eq!(said.header("content-disposition"), file);
        assert!(said.body.starts_with(begin.as_bytes()), "{format}");
    }
    assert_eq!(service.get(results).await.status, StatusCode::BAD_REQUEST);
    assert_eq!(
        service.get(&results.replace("v1/results", "v9/results?format=csv")).await.status,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn submitted_datasets_approve_nothing_doubtful() {
    let service = Service::new().await.with_tiny_base().await;
    let submission = |content: &str, config: Value| {
        json!({"dataset_id": "d", "dataset_name": "d", "csv_files": [{"filename": "kitchen.csv", "content": content}],
            "config": config})
    };
    let submit = "/api/v1/training/submit";
    let unknown = service.post(submit, &submission("text,label\nsoup,good\n", json!({"epochs": 50}))).await;
    assert!(unknown.status.is_client_error() && String::from_utf8_lossy(&unknown.body).contains("epochs"));
    let swallowed = "text,label\n\"cold soup, bad\nwarm soup\",good\n";
    let refused = service.post(submit, &submission(swallowed, json!({"base": "tiny"}))).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.json()["detail"].as_str().unwrap().contains("a quote may not be closed"), "{}", refused.json());
    // Whether there is enough to train on or not, the rows are stored.
    service.post(submit, &submission(&format!("{swallowed}fresh bread,good\n"), json!({"base": "tiny"}))).await;
    let pending = service.get("/api/v1/examples?task=text-classification&state=pending").await.json();
    assert_eq!(pending["examples"][0]["input"], "cold soup, bad\nwarm soup", "{pending}");
}

#[tokio::test]
async fn labels_of_another_task_are_mixed_only_where_asked() {
    const LINES: &str = "\"soup was cold\" -> spam\n\"bread is warm\" -> ham\n";
    let service = Service::with_examples().await.with_tiny_base().await;
    let task = ("task", "text-classification");
    let fails = |import: Value| {
        assert_eq!((&import["state"], &import["problem"]["status"]), (&json!("failed"), &json!(422)), "{import}");
        assert_eq!(import["problem"]["errors"][0]["field"], "mix_labels", "{import}");
        assert!(import["problem"]["hint"].as_str().unwrap().contains("`mix_labels`"), "{import}");
        let detail = import["problem"]["detail"].as_str().unwrap();
        assert!(detail.contains("ham, spam") && detail.contains("bad, good"), "{detail}");
    };
    fails(service.import("prompt", task.1, "spam.txt", LINES.as_bytes()).await);
    let shown =
        service.import_with(&[("kind", "prompt"), task, ("preview", "true")], "spam.txt", LINES.as_bytes()).await;
    assert!(shown["notes"][0].as_str().unwrap().starts_with("All labels are new: ham, spam."), "{shown}");
    let prompt = json!({"text": LINES, "model_type": "text_classification", "base": "tiny"});
    let refused = service.post("/api/v1/prompts", &prompt).await;
    assert_eq!(refused.json()["errors"][0]["field"], "mix_labels", "{}", refused.json());
    let dataset = |config: Value| {
        let files = json!([{"filename": "spam.csv", "content": "text,label\nsoup was cold,spam\nbread is warm,ham\n"}]);
        json!({"dataset_id": "d", "dataset_name": "d", "csv_files": files, "config": config})
    };
    let refused = service.post("/api/v1/training/submit", &dataset(json!({"base": "tiny"}))).await;
    assert_eq!(refused.json()["errors"][0]["field"], "mix_labels", "{}", refused.json());
    let total = |state: &str| format!("/api/v1/examples?task=text-classification&state={state}");
    assert_eq!(service.get(&total("approved")).await.json()["total"], 10, "nothing was stored");

    // People decide on each of these, and one known label is enough.
    let kept = service.import_with(&[("kind", "prompt"), task, ("pending", "true")], "p.txt", LINES.as_bytes()).await;
    assert_eq!(kept["report"]["pending"], 2, "{kept}");
    let partly = service.import("csv", task.1, "x.csv", b"text,label\nnice soup,good\nodd soup,unsure\n").await;
    assert_eq!(
        partly["notes"].as_array().unwrap().last().unwrap(),
        "New labels: unsure. The approved examples of task `text-classification` have bad, good."
    );
    let mixed = json!({"text": LINES, "model_type": "text_classification", "base": "tiny", "mix_labels": true});
    let mixed = service.post("/api/v1/prompts", &mixed).await;
    assert_eq!((mixed.status, mixed.json()["notes"].as_array().unwrap().len()), (StatusCode::ACCEPTED, 1));
    let more =
        service.import_with(&[("kind", "csv"), task, ("mix_labels", "true")], "y.csv", b"text,label\na,x\n").await;
    assert_eq!(more["report"]["added"], 1, "{more}");
}
