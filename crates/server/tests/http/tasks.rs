//! Tasks are created and changed.

use graft_server::auth::Role;
use hyper::{Method, StatusCode};
use serde_json::{Value, json};

use crate::service::Service;

fn tickets() -> Value {
    json!({"name": "tickets", "form": "labels", "instruction": "Sort it.", "labels": ["bug", "wish"], "closed": true})
}

#[tokio::test]
async fn task_is_created_with_examples_of_a_text() {
    let service = Service::new().await;
    let text = "it crashes -> bug\nplease add it -> wish\nwhat is this -> question\nnobody knows\n";
    let body = json!({"definition": tickets(), "text": text});
    let tried = service.post("/api/v1/tasks/new?dry_run=true", &body).await;
    let found = tried.json();
    assert_eq!(tried.status, StatusCode::OK, "{found}");
    assert_eq!((&found["examples"], &found["refused"]), (&json!(2), &json!(2)), "{found}");
    assert_eq!(found["problems"][0]["at"], "line 3");
    assert!(found["problems"][0]["reason"].as_str().unwrap().contains("not one of bug, wish"), "{found}");
    assert_eq!(service.get("/api/v1/tasks/tickets").await.status, StatusCode::NOT_FOUND, "nothing was stored");

    let made = service.post("/api/v1/tasks/new", &body).await;
    assert_eq!((made.status, &made.json()["examples"]), (StatusCode::CREATED, &json!(2)));
    assert_eq!(service.get("/api/v1/examples?task=tickets&state=approved").await.json()["total"], 2);
    assert_eq!(service.post("/api/v1/tasks/new", &body).await.status, StatusCode::CONFLICT);

    // Answers alone bring a form and no examples; with `pending`, people decide.
    let schema = json!({"type": "object", "properties": {"total": {"type": "number"}}, "required": ["total"],
        "additionalProperties": false});
    let fields = |name: &str| json!({"name": name, "form": "fields", "instruction": "Read it.", "schema": schema});
    let alone = json!({"definition": fields("bills"), "text": "{\"total\": 4}\n{\"total\": 5}\n"});
    assert_eq!(service.post("/api/v1/tasks/new", &alone).await.json()["examples"], 0);
    let text = "Bill over 4 EUR\n{\"total\": 4}\n";
    let pending = json!({"definition": fields("more-bills"), "text": text, "pending": true});
    let made = service.post("/api/v1/tasks/new", &pending).await.json();
    assert_eq!((&made["examples"], &made["pending"]), (&json!(1), &json!(1)), "{made}");
}

#[tokio::test]
async fn task_change_lists_fields_and_effects() {
    let service = Service::new().await;
    let body = json!({"definition": tickets(), "text": "it crashes -> bug\nplease add it -> wish\n"});
    service.post("/api/v1/tasks/new", &body).await;
    let path = "/api/v1/tasks/tickets";
    let seen = service.get(path).await.header("etag").to_owned();
    let patch = json!({"labels": ["bug", "question"]}).to_string();
    let tried = service.send(&Method::PATCH, &format!("{path}?dry_run=true"), &[], patch.as_bytes()).await.json();
    let impact = &tried["impact"];
    assert_eq!((&impact["fitting"], &impact["unfit"]), (&json!(1), &json!(1)), "{tried}");
    assert_eq!(impact["unfit_examples"][0]["input"], "please add it");
    let matching = [("if-match", seen.as_str())];
    let changed = service.send(&Method::PATCH, path, &matching, patch.as_bytes()).await;
    assert_eq!(changed.json()["task"]["revision"], 2);
    let late = service.send(&Method::PATCH, path, &matching, b"{\"title\": \"Mine\"}").await;
    assert_eq!(late.status, StatusCode::PRECONDITION_FAILED, "{}", late.json());
    let revisions = service.get(&format!("{path}/revisions")).await.json();
    let labels: Vec<&Value> =
        revisions["revisions"].as_array().unwrap().iter().map(|r| &r["definition"]["labels"]).collect();
    assert_eq!(labels, [&json!(["bug", "wish"]), &json!(["bug", "question"])]);

    // An unsupported schema and another name are refused by their field.
    for (patch, field) in [(json!({"name": "other"}), "name"), (json!({"instruction": ""}), "instruction")] {
        let refused = service.send(&Method::PATCH, path, &[], patch.to_string().as_bytes()).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{patch}");
        assert!(refused.json()["detail"].as_str().unwrap().contains(field), "{}", refused.json());
    }
}

#[tokio::test]
async fn list_of_tasks_stays_short() {
    let service = Service::with_examples().await;
    let labels: Vec<String> = (0..250).map(|n| format!("label-{n:03}")).collect();
    let many = json!({"name": "many", "form": "labels", "instruction": "Sort it.", "labels": labels, "closed": true});
    service.post("/api/v1/tasks", &many).await;
    let kind = json!({"kind": "most-frequent"});
    let version = service.post("/api/v1/tasks/text-classification/contestants", &kind).await.json()["version"].clone();
    let name = version["name"].as_str().unwrap();
    let path = format!("/api/v1/versions/text-classification/{name}/activate");
    let activated = service.post(&path, &json!({"force": true})).await;
    assert_eq!(activated.status, StatusCode::OK, "{}", activated.json());
    let list = service.get("/api/v1/tasks").await;
    let of =
        |name: &str| list.json()["tasks"].as_array().unwrap().iter().find(|task| task["name"] == name).unwrap().clone();
    let active = &of("text-classification")["active"];
    let evaluation = &version["metrics"]["evaluation"];
    assert_eq!(active["scores"]["metric"], evaluation["adapter"]["metrics"][0], "{active}");
    assert_eq!(active["scores"]["examples"], evaluation["adapter"]["n"]);
    assert_eq!(
        active["scores"]["contestants"].as_array().map(Vec::len),
        evaluation["contestants"].as_array().map(Vec::len)
    );
    assert!(active.get("metrics").is_none() && active.get("card").is_none(), "{active}");
    let many = of("many");
    assert_eq!((many["labels"].as_array().unwrap().len(), &many["label_count"]), (200, &json!(250)));
    let text = String::from_utf8(list.body.clone()).unwrap();
    assert!(!["per_example", "calibration", "confidences"].iter().any(|part| text.contains(part)), "{text}");
    assert!(text.len() < 24_000, "{} bytes", text.len());
}

#[tokio::test]
async fn built_in_tasks_are_listed_and_cannot_be_renamed() {
    let service = Service::new().await;
    let list = service.get("/api/v1/tasks").await.json();
    let names: Vec<&str> =
        list["tasks"].as_array().unwrap().iter().map(|task| task["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["slack-rescue", "ask-ai", "text-classification", "sentiment", "instruction", "chat"]);
    assert!(list["tasks"].as_array().unwrap().iter().all(|task| task["origin"] == "built-in" && task["revision"] == 1));
    let renamed = service.post("/api/v1/tasks/chat/rename", &json!({"name": "talk"})).await;
    assert_eq!(renamed.status, StatusCode::CONFLICT, "{}", renamed.json());
    let exported = service.get("/api/v1/tasks/slack-rescue/export").await;
    let text = String::from_utf8(exported.body).unwrap();
    let read = service.post("/api/v1/tasks/import?dry_run=true", &json!({"text": text, "name": "mine"})).await;
    assert!(read.json()["detail"].as_str().unwrap().contains("belongs to the task `slack-rescue`"), "{}", read.json());
}

#[tokio::test]
async fn rules_are_tried_before_they_are_kept() {
    let service = Service::new().await;
    let text = "it crashes -> bug\nplease add it -> wish\nthe crash again -> bug\n";
    service.post("/api/v1/tasks/new", &json!({"definition": tickets(), "text": text})).await;
    let rules =
        |pattern: &str| json!({"kind": "rules", "otherwise": "wish", "rules": [{"pattern": pattern, "label": "bug"}]});
    let path = "/api/v1/tasks/tickets/baseline/try";
    let tried = service.post(path, &json!({"baseline": rules("crashes")})).await.json();
    assert_eq!((&tried["examples"], &tried["right"]), (&json!(3), &json!(2)), "{tried}");
    assert_eq!(tried["rules"], json!([{"used": 1, "right": 1}]));
    assert_eq!(tried["wrong"][0]["input"], "the crash again");
    let broken = service.post(path, &json!({"baseline": rules("(")})).await;
    assert_eq!(broken.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(broken.json()["detail"].as_str().unwrap().contains("baseline.rules[0].pattern"), "{}", broken.json());
    assert_eq!(service.post(path, &json!({})).await.status, StatusCode::UNPROCESSABLE_ENTITY, "it has none yet");

    let patch = json!({"baseline": rules("crash")}).to_string();
    let kept = service.send(&Method::PATCH, "/api/v1/tasks/tickets", &[], patch.as_bytes()).await;
    assert_eq!(kept.status, StatusCode::OK, "{}", kept.json());
    assert_eq!(service.post(path, &json!({})).await.json()["right"], 3);
    let id = service.get("/api/v1/examples?task=tickets&search=again").await.json()["examples"][0]["id"].clone();
    let shown = format!("/api/v1/examples/tickets/{}", id.as_str().unwrap());
    assert_eq!(service.get(&shown).await.json()["baseline"], "bug");
    service.send(&Method::PATCH, "/api/v1/tasks/tickets", &[], b"{\"prefill\": false}").await;
    assert_eq!(service.get(&shown).await.json()["baseline"], Value::Null, "Audit proposes nothing");
}

#[tokio::test]
async fn only_administrators_set_an_upstream() {
    let service = Service::new().await;
    service.post("/api/v1/tasks", &tickets()).await;
    let path = "/api/v1/tasks/tickets/upstream";
    let upstream = json!({"url": "http://127.0.0.1:1/v1", "model": "large", "answer_above": 0.9});
    let keyed = json!({"url": "http://127.0.0.1:1/v1", "model": "large", "key_env": "LARGE_API_KEY"});
    let put = async |who: &str, path: &str, body: &Value| {
        let headers = [("authorization", who)];
        let headers = if who.is_empty() { &headers[..0] } else { &headers };
        service.send(&Method::PUT, path, headers, body.to_string().as_bytes()).await
    };
    assert_eq!(service.get(path).await.json()["upstream"], Value::Null);
    let set = put("", path, &upstream).await;
    assert_eq!((set.status, &set.json()["upstream"]["compare_share"]), (StatusCode::OK, &json!(0.05)));
    assert_eq!(set.json()["total"]["graft"], 0);
    let ids = |list: &Value| list["data"].as_array().unwrap().iter().map(|one| one["id"].clone()).collect::<Vec<_>>();
    assert!(ids(&service.get("/v1/models").await.json()).contains(&json!("tickets")), "without a version");
    // Nobody has to log in yet: whoever reaches the server could have a secret of its environment sent elsewhere.
    assert_eq!(put("", path, &keyed).await.status, StatusCode::FORBIDDEN);
    let wrong = put("", path, &json!({"url": "host", "model": "large"})).await;
    assert_eq!((wrong.status, &wrong.json()["errors"][0]["field"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!("url")));
    assert_eq!(put("", "/api/v1/tasks/none/upstream", &upstream).await.status, StatusCode::NOT_FOUND);

    let admin = format!("Bearer {}", service.token(Role::Admin).await);
    let trainer = format!("Bearer {}", service.token(Role::Trainer).await);
    assert_eq!(put(&trainer, path, &upstream).await.status, StatusCode::FORBIDDEN);
    assert_eq!(put(&admin, path, &keyed).await.status, StatusCode::OK);
    for (who, status) in [(&trainer, StatusCode::FORBIDDEN), (&admin, StatusCode::OK)] {
        assert_eq!(service.send(&Method::DELETE, path, &[("authorization", who)], b"").await.status, status);
    }
}

#[tokio::test]
async fn only_administrators_who_logged_in_add_a_ray_cluster() {
    let service = Service::new().await;
    let launcher = json!({"kind": "ray", "shared": "/mnt/graft"});
    let machine = json!({"name": "ray", "destination": "http://head:8265", "launcher": launcher});
    assert_eq!(service.post("/api/v1/machines", &machine).await.status, StatusCode::FORBIDDEN);
    for (role, status) in [(Role::Admin, StatusCode::OK), (Role::Trainer, StatusCode::FORBIDDEN)] {
        let who = format!("Bearer {}", service.token(role).await);
        let body = machine.to_string();
        let sent = service.send(&Method::POST, "/api/v1/machines", &[("authorization", &who)], body.as_bytes()).await;
        assert_eq!(sent.status, status);
    }
}

#[tokio::test]
async fn only_administrators_who_logged_in_choose_a_command() {
    let command = json!({"kind": "command", "command": ["true"]});
    let endpoint = json!({"kind": "endpoint", "url": "http://127.0.0.1:1"});
    let service = Service::new().await;
    service.post("/api/v1/tasks", &tickets()).await;
    // Nobody has to log in yet: whoever reaches the server could run a program on its machine.
    let with = |name: &str, baseline: &Value| {
        let mut task = tickets();
        (task["name"], task["baseline"]) = (json!(name), baseline.clone());
        task
    };
    assert_eq!(service.post("/api/v1/tasks", &with("a", &command)).await.status, StatusCode::FORBIDDEN);

    let admin = format!("Bearer {}", service.token(Role::Admin).await);
    let trainer = format!("Bearer {}", service.token(Role::Trainer).await);
    let send = async |who: &str, method: Method, path: &str, body: &Value| {
        let body = body.to_string();
        service.send(&method, path, &[("authorization", who)], body.as_bytes()).await.status
    };
    let (post, put, patch) = (Method::POST, Method::PUT, Method::PATCH);
    for baseline in [&command, &endpoint] {
        assert_eq!(
            send(&admin, patch.clone(), "/api/v1/tasks/tickets", &json!({"baseline": null})).await,
            StatusCode::OK
        );
        let task = with("tickets", baseline);
        let file = json!({"text": task.to_string(), "name": "from-file"});
        let ways = [
            (&post, "/api/v1/tasks", &with("b", baseline)),
            (&post, "/api/v1/tasks?dry_run=true", &with("b", baseline)),
            (&post, "/api/v1/tasks/new", &json!({"definition": with("b", baseline)})),
            (&post, "/api/v1/tasks/import", &file),
            (&put, "/api/v1/tasks/tickets", &task),
            (&patch, "/api/v1/tasks/tickets", &json!({"baseline": baseline})),
            (&post, "/api/v1/tasks/tickets/baseline/try", &json!({"baseline": baseline})),
        ];
        for (method, path, body) in ways {
            assert_eq!(send(&trainer, method.clone(), path, body).await, StatusCode::FORBIDDEN, "{method} {path}");
        }
        assert_eq!(send(&admin, put.clone(), "/api/v1/tasks/tickets", &task).await, StatusCode::OK);
        // What an administrator chose stays when others change the rest.
        let retitled = json!({"title": format!("By {baseline}")});
        assert_eq!(send(&trainer, patch.clone(), "/api/v1/tasks/tickets", &retitled).await, StatusCode::OK);
    }
}
