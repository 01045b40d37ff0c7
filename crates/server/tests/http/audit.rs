//! Every change is recorded with its author.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::BTreeSet;

use crate::service::Service;
use axum::http::Method;
use graft_engine::{AskAiTraining, records::ChangeFilter};
use graft_server::ServerConfig;
use serde_json::{Value, json};

/// What changes nothing that lasts.
const SILENT: [&str; 21] = [
    "POST /api/v1/templates/{name}/fill",
    "POST /api/v1/texts",
    "POST /api/v1/ask-ai/suggest",
    // Files of this machine, which anybody may download again.
    "POST /api/v1/bases",
    "POST /api/v1/bases/cancel",
    "DELETE /api/v1/bases",
    "POST /api/v1/compare",
    "POST /api/v1/infer",
    "POST /api/v1/infer/batch",
    "PUT /api/v1/presence",
    "POST /api/v1/machines/{name}/check",
    // A draft is one person's text that was not sent yet.
    "PUT /api/v1/prompts/draft",
    "POST /api/v1/runs/preflight",
    "POST /api/v1/session",
    "DELETE /api/v1/session",
    "POST /api/v1/settings/validate",
    "POST /api/v1/tasks/mask",
    "POST /api/v1/tasks/understand",
    "POST /api/v1/tasks/{task}/baseline/try",
    "POST /v1/chat/completions",
    "POST /v1/completions",
];

/// What takes a version or a trial: the tests of the command and of the store try it. A prompt and a submitted training are an import and a run.
const ELSEWHERE: [&str; 21] = [
    "POST /api/v1/batches",
    "POST /api/v1/batches/{id}/stop",
    "POST /api/v1/batches/{id}/resume",
    "DELETE /api/v1/batches/{id}",
    "POST /api/v1/prompts",
    "POST /api/v1/prompts/batch",
    "POST /api/v1/studies/{id}/train",
    "PUT /api/v1/tasks/{task}/agents/{name}",
    "DELETE /api/v1/tasks/{task}/agents/{name}",
    "POST /api/v1/tasks/{task}/agents/{name}/reports",
    "POST /api/v1/tasks/{task}/live",
    "POST /api/v1/tasks/{task}/live/pause",
    "POST /api/v1/tasks/{task}/live/resume",
    "POST /api/v1/tasks/{task}/live/rewind",
    "POST /api/v1/tasks/{task}/rollback",
    "POST /api/v1/tasks/{task}/rollout/promote",
    "POST /api/v1/training/submit",
    "DELETE /api/v1/versions/{task}/{name}",
    "POST /api/v1/versions/{task}/{name}/activate",
    "POST /api/v1/versions/{task}/{name}/evaluate",
    "POST /api/v1/versions/{task}/{name}/stage",
];

/// Somebody who changes things, and what was tried so far.
struct Changer {
    service: Service,
    bearer: Option<String>,
    tried: BTreeSet<String>,
}

impl Changer {
    /// Sends a request for an operation; it must work, and leave lines in the audit trail that say who sent it.
    async fn does(&mut self, operation: &str, path: &str, body: &Value) -> Value {
        let trail = self.service.state.engine.upkeep();
        let before = trail.newest_change().await.unwrap();
        let method: Method = operation.split(' ').next().unwrap().parse().unwrap();
        let headers: Vec<(&str, &str)> = self.bearer.iter().map(|bearer| ("authorization", bearer.as_str())).collect();
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let said = self.service.send(&method, path, &headers, body.as_bytes()).await;
        assert!(said.status.is_success(), "{operation}: {}", String::from_utf8_lossy(&said.body));
        let changes = trail.changes(&ChangeFilter { after: before, ..ChangeFilter::default() }).await.unwrap();
        assert!(!changes.is_empty(), "{operation} leaves nothing in the audit trail");
        let by = if self.bearer.is_some() { "deploy" } else { "local" };
        assert!(changes.iter().all(|change| change.by == by), "{operation}: {changes:#?}");
        self.tried.insert(operation.to_owned());
        if said.body.is_empty() { Value::Null } else { said.json() }
    }

    async fn reviews(&mut self) {
        let pending = self.service.get("/api/v1/examples?task=text-classification&state=pending").await.json();
        let path = format!("/api/v1/examples/text-classification/{}", pending["examples"][0]["id"].as_str().unwrap());
        let mut revision = pending["examples"][0]["revision"].clone();
        for (action, more) in [
            ("edit", json!({"output": "good"})),
            ("reject", json!({"reason": "odd"})),
            ("approve", json!({"output": "good"})),
        ] {
            let mut body = more;
            body["revision"] = revision;
            let operation = format!("POST /api/v1/examples/{{task}}/{{id}}/{action}");
            revision = self.does(&operation, &format!("{path}/{action}"), &body).await["example"]["revision"].clone();
        }
        let seen = self.service.get(&path).await.json()["history"].as_array().unwrap().last().unwrap()["seq"].clone();
        let undo = json!({"revision": revision, "seen": seen});
        self.does("POST /api/v1/examples/{task}/{id}/undo", &format!("{path}/undo"), &undo).await;
        let bulk = json!({"task": "text-classification", "action": "approve", "filter": {"search": "number 3"}});
        let reject = json!({"task": "text-classification", "action": "reject", "filter": {"search": "number 3"},
            "reason": "odd"});
        self.does("POST /api/v1/examples/bulk", "/api/v1/examples/bulk", &reject).await;
        self.does("POST /api/v1/examples/bulk", "/api/v1/examples/bulk", &bulk).await;
    }

    async fn contestants(&mut self) {
        let path = "/api/v1/tasks/text-classification/contestants";
        let nearest = json!({"kind": "nearest"});
        let added = self.does("POST /api/v1/tasks/{task}/contestants", path, &nearest).await;
        assert_eq!((&added["version"]["method"], &added["version"]["base"]), (&json!("nearest"), &Value::Null));
        let rules = self.service.post(path, &json!({"kind": "rules"})).await;
        assert_eq!((rules.status.as_u16(), rules.json()["status"].as_u64()), (422, Some(422)));
    }

    async fn rollouts(&mut self) {
        let contestants = "/api/v1/tasks/text-classification/contestants";
        let other = self.service.post(contestants, &json!({"kind": "most-frequent"})).await.json();
        let other = other["version"]["name"].as_str().unwrap().to_owned();
        let path = "/api/v1/tasks/text-classification/rollout";
        let new = json!({"version": other, "policy": {"share": 0.5}});
        assert_eq!(self.service.post(path, &new).await.status.as_u16(), 409, "no version is active");
        let activate = "/api/v1/versions/text-classification/v1/activate";
        assert_eq!(self.service.post(activate, &json!({"force": true})).await.status.as_u16(), 200);
        let wrong = json!({"version": other, "policy": {"share": 7}});
        assert_eq!(self.service.post(path, &wrong).await.status.as_u16(), 422);
        let begun = self.does("POST /api/v1/tasks/{task}/rollout", path, &new).await;
        let page = self.service.get(&format!("{path}/report.html")).await;
        assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
        let none = self.service.get(&format!("{path}/report?number=9")).await;
        assert_eq!(none.status.as_u16(), 404, "{}", none.json());
        assert_eq!(
            (&begun["rollout"]["against"], &begun["rollout"]["policy"]["shadow_hours"]),
            (&json!("v1"), &json!(336))
        );
        let to = |action: &str| format!("{path}/{action}");
        self.does("POST /api/v1/tasks/{task}/rollout/canary", &to("canary"), &json!({})).await;
        let early = self.service.post(&to("promote"), &json!({})).await;
        assert!(early.status.as_u16() == 409 && early.json().to_string().contains("live outcomes"), "{}", early.json());
        let shown = self.service.get(path).await.json();
        assert_eq!(
            (&shown["running"]["rollout"]["state"], &shown["running"]["ready"]),
            (&json!("canary"), &json!(false))
        );
        self.does("POST /api/v1/tasks/{task}/rollout/stop", &to("stop"), &json!({"why": "later"})).await;
        self.does("POST /api/v1/tasks/{task}/rollout", path, &new).await;
        let no_reason = self.service.post(&to("override"), &json!({"why": " "})).await;
        assert_eq!(no_reason.status.as_u16(), 422);
        let why = json!({"why": "the director says so"});
        let done = self.does("POST /api/v1/tasks/{task}/rollout/override", &to("override"), &why).await;
        assert_eq!((done["version"]["name"].as_str(), &done["previous"]), (Some(other.as_str()), &json!("v1")));
        let ended = self.service.get(path).await.json()["ended"].clone();
        assert_eq!(ended[0]["why"], "overridden: the director says so");
        assert_eq!((&ended[0]["state"], &ended[1]["why"]), (&json!("promoted"), &json!("later")));
    }

    async fn live(&mut self) {
        let path = "/api/v1/tasks/text-classification/live";
        let off = self.service.get(path).await.json();
        assert_eq!((&off["live"], &off["windows"]["all"]), (&Value::Null, &json!(0)));
        // Only adapters learn, and here are none.
        let start = self.service.post(path, &json!({"from": "v1"})).await;
        assert!(start.status.is_client_error() && start.json().to_string().contains("without an adapter"));
        for action in ["pause", "resume"] {
            assert_eq!(self.service.post(&format!("{path}/{action}"), &json!({})).await.status.as_u16(), 404);
        }
    }

    async fn runs(&mut self) {
        let new = json!({"task": "text-classification", "base": "tiny", "evaluate": false});
        for all in [false, true] {
            let run = self.does("POST /api/v1/runs", "/api/v1/runs", &new).await;
            let path = format!("/api/v1/runs/{}", run["run"]["id"].as_str().unwrap());
            for action in ["cancel", "retry", "cancel", "resume", "cancel"] {
                let operation = format!("POST /api/v1/runs/{{id}}/{action}");
                self.does(&operation, &format!("{path}/{action}"), &json!({})).await;
            }
            for action in ["retry", "cancel"] {
                let mut body = json!({"action": action, "task": "text-classification", "dry_run": true});
                let told = self.service.post("/api/v1/runs/bulk", &body).await.json();
                assert_eq!(told["changed"], json!([run["run"]["id"]]), "{action}: {told}");
                body["dry_run"] = json!(false);
                assert_eq!(self.does("POST /api/v1/runs/bulk", "/api/v1/runs/bulk", &body).await, told);
            }
            if all {
                let ended = format!("/api/v1/runs?finished_before={}", i64::from(u32::MAX) * 1000);
                self.does("DELETE /api/v1/runs", &ended, &Value::Null).await;
            } else {
                self.does("DELETE /api/v1/runs/{id}", &path, &Value::Null).await;
            }
        }
    }

    async fn trainings_of_ask_ai(&mut self) {
        let ask = "/api/v1/admin/training";
        for by_id in [true, false] {
            let row = self.does("POST /api/v1/admin/training/trigger", &format!("{ask}/trigger"), &Value::Null).await;
            let name = row["runIdentifier"].as_str().unwrap();
            self.does("POST /api/v1/runs/{id}/cancel", &format!("/api/v1/runs/{name}/cancel"), &json!({})).await;
            if by_id {
                let path = format!("{ask}/runs/{}", row["id"]);
                self.does("DELETE /api/v1/admin/training/runs/{id}", &path, &Value::Null).await;
            } else {
                self.does("DELETE /api/v1/admin/training/runs", &format!("{ask}/runs"), &Value::Null).await;
            }
        }
    }

    async fn settings(&mut self) {
        let settings =
            json!({"softPromptEnabled": false, "softPromptModelDir": "data", "softPromptConfidenceThreshold": 0.25});
        self.does("PUT /api/v1/settings", "/api/v1/settings", &settings).await;
        let change = json!({"softPromptConfidenceThreshold": 0.5});
        let changed = self.does("PATCH /api/v1/settings", "/api/v1/settings", &change).await;
        assert_eq!(
            (&changed["softPromptModelDir"], &changed["softPromptConfidenceThreshold"]),
            (&json!("data"), &json!(0.5))
        );
        let rent = json!({"price_per_hour": 1.5, "currency": "EUR"});
        self.does("PUT /api/v1/settings/rent", "/api/v1/settings/rent", &rent).await;
        let guidelines = json!({"text": "Yes is good.\n"});
        let path = "/api/v1/tasks/text-classification/guidelines";
        let operation = "PUT /api/v1/tasks/{task}/guidelines";
        assert_eq!(self.does(operation, path, &guidelines).await["text"], "Yes is good.");
        let usual = self.does(operation, path, &json!({"text": " "})).await;
        assert!(usual["text"] == usual["usual"] && usual["text"].as_str().unwrap().contains("\n- "), "{usual}");
        let tables = json!({"toml": "[pounds]\ncrate = 30.0\n"});
        self.does("PUT /api/v1/tables", "/api/v1/tables", &tables).await;
        let nightly = json!({"cron": "0 3 * * *", "request": {"task": "text-classification", "base": "tiny"}});
        let wanted = json!({"task": "text-classification", "base": "tiny", "budget": "2-trials"});
        let study = self.does("POST /api/v1/studies", "/api/v1/studies", &wanted).await["study"]["id"].clone();
        let path = format!("/api/v1/studies/{}/stop", study.as_str().unwrap());
        self.does("POST /api/v1/studies/{id}/stop", &path, &Value::Null).await;
        self.does("POST /api/v1/schedules", "/api/v1/schedules", &nightly).await;
        let path = "/api/v1/schedules/text-classification";
        self.does("DELETE /api/v1/schedules/{id}", path, &Value::Null).await;
        let machine = json!({"name": "gpu", "destination": "ada@gpu"});
        self.does("POST /api/v1/machines", "/api/v1/machines", &machine).await;
        self.does("DELETE /api/v1/machines/{name}", "/api/v1/machines/gpu", &Value::Null).await;
    }

    async fn tasks(&mut self) {
        let tickets =
            json!({"name": "tickets", "form": "labels", "instruction": "Sort it.", "labels": ["bug", "wish"]});
        self.does("POST /api/v1/tasks", "/api/v1/tasks", &tickets).await;
        // Examples that come along are an import, of which the trail says so.
        let mut with = json!({"definition": tickets});
        with["definition"]["name"] = json!("mail");
        let made = self.does("POST /api/v1/tasks/new", "/api/v1/tasks/new", &with).await;
        assert_eq!((&made["examples"], &made["ready"]), (&json!(0), &json!(false)));
        let file = json!({"text": "name = \"chat-2\"\nform = \"text\"\ninstruction = \"Answer.\"\n"});
        self.does("POST /api/v1/tasks/import", "/api/v1/tasks/import", &file).await;
        let path = "/api/v1/tasks/tickets";
        let mut changed = tickets.clone();
        changed["instruction"] = json!("Sort the ticket.");
        let put = self.does("PUT /api/v1/tasks/{task}", path, &changed).await;
        assert_eq!((&put["task"]["revision"], &put["impact"]["form_changed"]), (&json!(2), &json!(false)));
        self.does("PATCH /api/v1/tasks/{task}", path, &json!({"title": "Tickets"})).await;
        let upstream = json!({"url": "https://api.example.org/v1", "model": "large"});
        self.does("PUT /api/v1/tasks/{task}/upstream", &format!("{path}/upstream"), &upstream).await;
        self.does("DELETE /api/v1/tasks/{task}/upstream", &format!("{path}/upstream"), &Value::Null).await;
        let template = json!({"title": "Sort", "instruction": "Sort the {{text}}.", "form": "text"});
        self.does("PUT /api/v1/templates/{name}", "/api/v1/templates/sort", &template).await;
        self.does("DELETE /api/v1/templates/{name}", "/api/v1/templates/sort", &Value::Null).await;
        let path_of = format!("{path}/template");
        self.does("POST /api/v1/tasks/{task}/template", &path_of, &json!({"name": "kept"})).await;
        self.does("POST /api/v1/tasks/{task}/clone", &format!("{path}/clone"), &json!({"name": "more"})).await;
        self.does("POST /api/v1/tasks/{task}/rename", &format!("{path}/rename"), &json!({"name": "cases"})).await;
        self.does("DELETE /api/v1/tasks/{task}", "/api/v1/tasks/cases", &Value::Null).await;
        self.does("POST /api/v1/tasks/{task}/restore", "/api/v1/tasks/cases/restore", &Value::Null).await;
    }

    async fn people(&mut self) {
        let token = json!({"label": "deploy", "role": "admin"});
        let made = self.does("POST /api/v1/tokens", "/api/v1/tokens", &token).await;
        self.bearer = Some(format!("Bearer {}", made["secret"].as_str().unwrap()));
        let link = json!({"person": "Bea", "task": "text-classification"});
        let linked = self.does("POST /api/v1/tokens/links", "/api/v1/tokens/links", &link).await;
        let ada = json!({"name": "ada", "role": "admin", "password": "correct horse battery"});
        self.does("POST /api/v1/users", "/api/v1/users", &ada).await;
        self.does("DELETE /api/v1/users/{name}", "/api/v1/users/ada", &Value::Null).await;
        // The administrator's token last: while others may log in, it stays.
        for token in [linked, made] {
            let path = format!("/api/v1/tokens/{}", token["token"]["id"].as_str().unwrap());
            self.does("DELETE /api/v1/tokens/{id}", &path, &Value::Null).await;
        }
    }
}

#[tokio::test]
async fn every_change_is_recorded_with_its_author() {
    let ask_ai = AskAiTraining { base: Some("tiny".into()), ..AskAiTraining::default() };
    let config = ServerConfig { ask_ai, ..ServerConfig::default() };
    let service = Service::with(config).await.with_tiny_base().await;
    let csv: String = (0..20).map(|i| format!("text number {i},{}\n", ["good", "bad"][i % 2])).collect();
    let csv = format!("text,label\n{csv}and one without,\n");
    for task in ["text-classification", "ask-ai"] {
        assert_eq!(service.import("csv", task, "rows.csv", csv.as_bytes()).await["state"], "done");
    }
    let imported = service.get("/api/v1/changes?kind=import").await.json();
    assert_eq!(imported["changes"].as_array().unwrap().iter().filter(|c| c["by"] == "local").count(), 2, "{imported}");
    let mut changer = Changer { service, bearer: None, tried: ["POST /api/v1/imports".to_owned()].into() };
    changer.reviews().await;
    changer.contestants().await;
    changer.rollouts().await;
    changer.live().await;
    changer.runs().await;
    changer.trainings_of_ask_ai().await;
    changer.settings().await;
    changer.tasks().await;
    changer.people().await;

    let api: Value = serde_json::from_str(graft_server::openapi_json()).unwrap();
    let known: BTreeSet<String> =
        changer.tried.into_iter().chain(SILENT.into_iter().chain(ELSEWHERE).map(str::to_owned)).collect();
    let mut changing = BTreeSet::new();
    for (path, item) in api["paths"].as_object().unwrap() {
        let methods = item.as_object().unwrap().keys().filter(|method| *method != "get");
        changing.extend(methods.map(|method| format!("{} {path}", method.to_uppercase())));
    }
    assert_eq!(known, changing, "each operation that may change something is tried, or said to change nothing");
}
