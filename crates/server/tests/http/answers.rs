//! Answers over HTTP, from a tiny base model.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise, in its helpers too")]

use std::time::{Duration, Instant};

use crate::service::{PATIENCE, Service};
use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

#[tokio::test]
async fn answers_are_counted_by_task_and_outcome() {
    let service = Service::new().await.with_tiny_base().await;
    let ask = json!({"model": "tiny", "prompt": "so good", "max_tokens": 3});
    for stream in [false, true] {
        let mut ask = ask.clone();
        ask["stream"] = json!(stream);
        let said = service.post("/v1/completions", &ask).await;
        assert_eq!(said.status, StatusCode::OK);
        assert_eq!(said.header("x-accel-buffering"), if stream { "no" } else { "" });
    }
    let long = json!({"model": "tiny", "prompt": "so good ".repeat(5000), "max_tokens": 3});
    assert_eq!(service.post("/v1/completions", &long).await.status, StatusCode::BAD_REQUEST);
    let unknown = json!({"model": "nobody", "prompt": "so good"});
    assert_eq!(service.post("/v1/completions", &unknown).await.status, StatusCode::NOT_FOUND);
    let metrics = String::from_utf8(service.get("/metrics").await.body).unwrap();
    for line in [
        "graft_infer_total{task=\"tiny\",outcome=\"answered\"} 2",
        "graft_infer_total{task=\"tiny\",outcome=\"failed\"} 1",
        "graft_infer_tokens_total{task=\"tiny\",kind=\"answer\"} 6",
        "graft_infer_seconds_count{task=\"tiny\"} 2",
        "graft_infer_waiting{base=\"tiny\"} 0",
        "graft_infer_wait_seconds{base=\"tiny\"} 0.0",
        "graft_infer_seconds_bucket{task=\"tiny\",le=\"+Inf\"} 2",
    ] {
        assert!(metrics.lines().any(|found| found == line), "{line} is not in\n{metrics}");
    }
    assert!(!metrics.contains("nobody"), "names that strangers make up are no labels:\n{metrics}");
}

#[tokio::test]
async fn api_errors_name_no_cli_command() {
    let service = Service::new().await.with_tiny_base().await;
    let chat = |model: &str| json!({"model": model, "messages": [{"role": "user", "content": "so good"}]});
    let long = json!({"model": "tiny", "prompt": "so good ".repeat(5000)});
    for (path, ask) in [
        ("/v1/chat/completions", chat("nobody")),
        ("/v1/chat/completions", chat("slack-rescue")),
        ("/v1/chat/completions", chat("slack-rescue:v7")),
        ("/v1/completions", long),
        ("/api/v1/infer", json!({"task": "slack-rescue", "input": "2 bags"})),
    ] {
        let said = service.post(path, &ask).await;
        let body = String::from_utf8(said.body).unwrap();
        assert!(said.status.is_client_error(), "{body}");
        assert!(!body.contains("`--"), "{body}");
        assert!(path.starts_with("/api") || !body.contains("`graft "), "{body}");
        assert_eq!(
            said.status == StatusCode::NOT_FOUND && path.starts_with("/v1"),
            body.contains("/v1/models"),
            "{body}"
        );
    }
}

#[tokio::test]
async fn unsupported_parameters_are_refused_by_name() {
    let service = Service::new().await.with_tiny_base().await;
    let tool = json!([{"type": "function", "function": {"name": "f"}}]);
    let ask = |name: &str, value: &Value| {
        let mut ask = json!({"model": "tiny", "messages": [{"role": "user", "content": "so good"}], "max_tokens": 1});
        ask[name] = value.clone();
        ask
    };
    let refused = [
        ("tools", tool.clone()),
        ("tool_choice", json!("required")),
        ("functions", tool),
        ("presence_penalty", json!(2.5)),
        ("frequency_penalty", json!(-3)),
        ("logit_bias", json!({"50256": -100})),
        ("logit_bias", json!({"7": 101})),
        ("logit_bias", json!({"7": "much"})),
        ("logit_bias", json!({"word": 1})),
        ("logit_bias", json!([7])),
        ("echo", json!(true)),
        ("suffix", json!("!")),
        ("best_of", json!(3)),
        ("top_logprobs", json!(3)),
    ];
    for (name, value) in refused {
        let said = service.post("/v1/chat/completions", &ask(name, &value)).await;
        assert_eq!(said.status, StatusCode::BAD_REQUEST, "{name}");
        let error = &said.json()["error"];
        assert_eq!(error["param"], name, "{error}");
        assert!(error["message"].as_str().unwrap().contains(name), "{error}");
    }
    let nothing = [
        ("tools", json!([])),
        ("tool_choice", Value::Null),
        ("frequency_penalty", json!(0.0)),
        ("logit_bias", json!({})),
        ("user", json!("somebody")),
        ("top_logprobs", json!(0)),
    ];
    for (name, value) in nothing {
        let said = service.post("/v1/chat/completions", &ask(name, &value)).await;
        assert_eq!(said.status, StatusCode::OK, "{name} asks for nothing");
    }
}

/// The text of a completion of `so good` by the tiny model, with these parameters.
async fn completed(service: &Service, parameters: Value) -> Value {
    let mut ask = json!({"model": "tiny", "prompt": "so good", "max_tokens": 4});
    ask.as_object_mut().unwrap().extend(parameters.as_object().unwrap().clone());
    let said = service.post("/v1/completions", &ask).await;
    assert_eq!(said.status, StatusCode::OK, "{}", String::from_utf8_lossy(&said.body));
    said.json()
}

fn text(completion: &Value) -> &str {
    completion["choices"][0]["text"].as_str().unwrap()
}

#[tokio::test]
async fn bias_and_penalties_change_the_answer() {
    let service = Service::new().await.with_tiny_base().await;
    let tokenizer = include_str!("../../../testkit/data/parity/tiny-llama/tokenizer.json");
    let tokenizer: Value = serde_json::from_str(tokenizer).unwrap();
    let id = |token: &str| tokenizer["model"]["vocab"][token.replace(' ', "\u{120}")].as_u64().unwrap().to_string();
    let first = completed(&service, json!({"max_tokens": 1})).await;
    let first = text(&first);
    let without = completed(&service, json!({"max_tokens": 1, "logit_bias": {id(first): -100}})).await;
    assert_ne!(text(&without), first);
    let (unit, wer) = (id("unit"), id("wer"));
    let bias = json!({&unit: 100, &wer: 99.5});
    for temperature in [0.0, 0.5] {
        let ask = |more: Value| {
            let mut ask = json!({"logit_bias": {&unit: 100}, "temperature": temperature, "seed": 1});
            ask.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            completed(&service, ask)
        };
        assert_eq!(text(&ask(json!({})).await), "unitunitunitunit");
    }
    assert_eq!(text(&completed(&service, json!({"logit_bias": bias})).await), "unitunitunitunit");
    for (name, least) in [("frequency_penalty", 2), ("presence_penalty", 1)] {
        let penalized = completed(&service, json!({"logit_bias": bias, name: 2})).await;
        let told = text(&penalized);
        assert!(told.starts_with("unit") && told.matches("wer").count() >= least, "{name}: {told}");
    }
}

#[tokio::test]
async fn echo_repeats_the_prompt() {
    let service = Service::new().await.with_tiny_base().await;
    let plain = completed(&service, json!({})).await;
    let echoed = completed(&service, json!({"echo": true})).await;
    assert_eq!(text(&echoed), format!("so good{}", text(&plain)));
    assert_eq!(echoed["usage"], plain["usage"]);
    let ask = json!({"model": "tiny", "prompt": "so good", "max_tokens": 4, "echo": true, "stream": true});
    let streamed = String::from_utf8(service.post("/v1/completions", &ask).await.body).unwrap();
    let chunks = streamed.lines().filter_map(|line| serde_json::from_str::<Value>(line.strip_prefix("data: ")?).ok());
    assert_eq!(chunks.map(|chunk| text(&chunk).to_owned()).collect::<String>(), text(&echoed));
    let ask = json!({"model": "tiny", "prompt": "so good", "echo": true, "logprobs": 0});
    let said = service.post("/v1/completions", &ask).await;
    assert_eq!((said.status, &said.json()["error"]["param"]), (StatusCode::BAD_REQUEST, &json!("echo")));
}

#[tokio::test]
async fn best_of_returns_the_likeliest_candidate() {
    let service = Service::new().await.with_tiny_base().await;
    let mean = |completion: &Value| {
        let log_probs = completion["choices"][0]["logprobs"]["token_logprobs"].as_array().unwrap();
        log_probs.iter().map(|log_prob| log_prob.as_f64().unwrap()).sum::<f64>() / log_probs.len() as f64
    };
    let mut better = 0;
    for seed in 0..4 {
        let ask = |best_of: usize| json!({"temperature": 1.5, "seed": seed, "best_of": best_of, "logprobs": 0, "logit_bias": {"1": -100}});
        let (one, best) = (completed(&service, ask(1)).await, completed(&service, ask(6)).await);
        assert_eq!(best["usage"]["completion_tokens"], 24, "all candidates are computed");
        assert_eq!(best["usage"]["prompt_tokens"], one["usage"]["prompt_tokens"]);
        // The first candidate is the answer without others, apart from rounding.
        assert!(mean(&best) > mean(&one) - 1e-4, "{best} {one}");
        better += usize::from(mean(&best) > mean(&one) + 1e-3);
    }
    assert!(better > 0, "the first candidate is not always the likeliest");
    let greedy = completed(&service, json!({"best_of": 6})).await;
    assert_eq!(greedy["usage"], completed(&service, json!({})).await["usage"], "one computation is enough");
    for more in [json!({"best_of": 0}), json!({"best_of": 9}), json!({"best_of": 2, "stream": true})] {
        let mut ask = json!({"model": "tiny", "prompt": "so good"});
        ask.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let said = service.post("/v1/completions", &ask).await;
        assert_eq!(
            (said.status, &said.json()["error"]["param"]),
            (StatusCode::BAD_REQUEST, &json!("best_of")),
            "{more}"
        );
    }
}

#[tokio::test]
async fn no_request_schema_causes_a_server_error_or_hang() {
    let service = Service::new().await.with_tiny_base().await;
    let ask = |schema: &Value| {
        let form = json!({"type": "json_schema", "json_schema": {"name": "x", "schema": schema}});
        json!({"model": "tiny", "messages": [{"role": "user", "content": "so good"}], "max_tokens": 8,
            "response_format": form})
    };
    for (schema, allowed) in [
        (json!({"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}), true),
        (json!({"enum": ["a", 1, null]}), true),
        (json!({"$ref": "https://example.org/schema"}), false),
        (json!({"$ref": "#/nowhere"}), false),
        (json!({"type": "nonsense"}), false),
        (json!({"enum": []}), false),
        (json!({"allOf": [{"type": "string"}, {"type": "number"}]}), false),
        (json!({"type": "string", "pattern": "("}), false),
        (json!({"type": "string", "pattern": "((a{1000}){1000}){1000}"}), true),
        (json!({"$ref": "#"}), false),
        (json!({"if": {"type": "string"}, "then": {"minLength": 3}}), false),
        (json!({"type": "string", "minLength": 1e18}), false),
        (json!(7), false),
    ] {
        let said = tokio::time::timeout(PATIENCE, service.post("/v1/chat/completions", &ask(&schema))).await;
        let said = said.unwrap_or_else(|_| panic!("no answer to {schema}"));
        let told = String::from_utf8_lossy(&said.body);
        assert_eq!(said.status.as_u16(), if allowed { 200 } else { 400 }, "{schema}: {told}");
        assert!(!told.contains("x-guidance") && told.len() < 1000, "the grammar is nobody's business: {told}");
    }
}

/// Requests are counted for drift, but for those whose clients say that nothing may be kept, and those for a version.
#[tokio::test]
async fn requests_unlike_the_training_examples_are_drift() {
    let service = Service::new().await;
    let csv: String =
        (0..150).map(|i| format!("you won a free prize: call {i} now,{}\n", ["ham", "spam"][i % 2])).collect();
    let csv = format!("text,label\n{csv}");
    let import = service.import("csv", "text-classification", "sms.csv", csv.as_bytes()).await;
    assert_eq!(import["state"], "done", "{import}");
    let kind = json!({"kind": "most-frequent"});
    service.post("/api/v1/tasks/text-classification/contestants", &kind).await;
    let activate = "/api/v1/versions/text-classification/v1/activate";
    assert_eq!(service.post(activate, &json!({"force": true})).await.status, StatusCode::OK);

    let ask = |i: usize, text: &str| json!({"task": "text-classification", "input": format!("{text} {i}")});
    for i in 0..30 {
        for (path, body) in [
            ("/api/v1/infer", ask(i, "private")),
            ("/api/v1/infer/batch", json!({"task": "text-classification", "inputs": [format!("quiet {i}")]})),
            ("/v1/completions", json!({"model": "text-classification", "prompt": format!("silent {i}")})),
            (
                "/v1/chat/completions",
                json!({"model": "text-classification", "messages": [{"role": "user", "content": format!("mute {i}")}]}),
            ),
        ] {
            let headers = [("x-graft-record", "No")];
            let said = service.send(&Method::POST, path, &headers, body.to_string().as_bytes()).await;
            assert_eq!(said.status, StatusCode::OK, "{path} {}", said.json());
        }
        let mut named = ask(i, "named");
        named["version"] = json!("v1");
        assert_eq!(service.post("/api/v1/infer", &named).await.status, StatusCode::OK);
    }
    let drift = "/api/v1/tasks/text-classification/drift";
    let none = service.get(drift).await.json();
    assert_eq!(none["served"]["state"], "unknown");

    let inputs: Vec<String> = (0..60).map(|i| format!("two cases of kale from the bakery {i}")).collect();
    let batch = json!({"task": "text-classification", "inputs": inputs});
    assert_eq!(service.post("/api/v1/infer/batch", &batch).await.status, StatusCode::OK);
    for i in 0..50 {
        let path = if i < 25 { "/api/v1/infer" } else { "/v1/completions" };
        let text = format!("dropped bread at the fridge {i}");
        let body = if i < 25 {
            json!({"task": "text-classification", "input": text})
        } else {
            json!({"model": "text-classification", "prompt": text})
        };
        // The same text again counts once.
        for _ in 0..2 {
            assert_eq!(service.post(path, &body).await.status, StatusCode::OK);
        }
    }
    let asked = Instant::now();
    let found = loop {
        let found = service.get(drift).await.json();
        if found["served"]["window"]["inputs"].as_u64() >= Some(110) {
            break found;
        }
        assert!(asked.elapsed() < PATIENCE, "{}", found["served"]);
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    let served = &found["served"];
    assert_eq!((&found["state"], &served["state"]), (&json!("drifting"), &json!("drifting")), "{served:#}");
    assert_eq!((&served["window"]["inputs"], &served["reference"]), (&json!(110), &json!(120)), "{served:#}");
    let gone = served["moved"].as_array().unwrap().iter().find(|one| one["what"].as_str().unwrap().contains("“call”"));
    assert_eq!(gone.map(|one| (&one["now"], &one["then"])), Some((&json!(0.0), &json!(1.0))), "{served:#}");
}
