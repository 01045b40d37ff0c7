//! Random requests for every operation of the description: no response is a server error or late, and each matches the
//! description.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use crate::{
    description::check,
    service::{PATIENCE, Service},
};
use axum::http::Method;
use rand::{RngExt as _, SeedableRng as _, rngs::ChaCha8Rng};
use serde_json::{Map, Value, json};

/// Requests an operation; `GRAFT_FUZZ` asks for more.
const ROUNDS: u64 = 6;

/// Random numbers that follow from a seed, so that a failure can be repeated.
struct Random(ChaCha8Rng);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0.random_range(0..n.max(1))
    }

    fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())].clone()
    }

    /// A text: usual, odd, or one that means something here.
    fn text(&mut self) -> String {
        let known = ["text-classification", "ask-ai", "tiny", "user", "v1"];
        let odd = [
            "nothing",
            "",
            " ",
            "0",
            "-1",
            "1e999",
            "null",
            "../../etc/passwd",
            "a%00b",
            "%",
            "_",
            "\u{0}",
            "\u{202e}x",
            "🍌",
            "'; drop table runs; --",
            "<script>",
            "\"",
            "a/b",
            "all",
        ];
        match self.below(12) {
            0 => "x".repeat(self.below(5000)),
            1..5 => self.pick(&known).to_owned(),
            _ => self.pick(&odd).to_owned(),
        }
    }

    fn number(&mut self) -> Value {
        self.pick(&[
            json!(0),
            json!(1),
            json!(-1),
            json!(7),
            json!(0.5),
            json!(1e300),
            json!(i64::MAX),
            json!(u64::MAX),
        ])
    }

    /// Something of another type.
    fn junk(&mut self) -> Value {
        let text = self.text();
        self.pick(&[json!(null), json!(true), json!([]), json!({}), json!([[[]]]), json!({"a": 1}), json!(text)])
    }
}

/// A value for a schema, mostly one that fits it.
fn value(api: &Value, schema: &Value, random: &mut Random, depth: usize) -> Value {
    if random.below(12) == 0 || depth > 6 {
        return random.junk();
    }
    if let Some(name) = schema["$ref"].as_str() {
        return value(api, &api["components"]["schemas"][name.rsplit('/').next().unwrap()], random, depth);
    }
    for several in ["oneOf", "anyOf", "allOf"] {
        if let Some(options) = schema[several].as_array().filter(|options| !options.is_empty()) {
            let option = random.pick(options);
            return value(api, &option, random, depth + 1);
        }
    }
    if let Some(names) = schema["enum"].as_array() {
        return random.pick(names);
    }
    let kind = match &schema["type"] {
        Value::Array(kinds) => random.pick(kinds),
        kind => kind.clone(),
    };
    match kind.as_str() {
        Some("object") => {
            let mut object = Map::new();
            for (name, inner) in schema["properties"].as_object().into_iter().flatten() {
                if random.below(5) > 0 {
                    object.insert(name.clone(), value(api, inner, random, depth + 1));
                }
            }
            if random.below(10) == 0 {
                object.insert(random.text(), random.junk());
            }
            object.into()
        }
        Some("array") => (0..random.below(4)).map(|_| value(api, &schema["items"], random, depth + 1)).collect(),
        Some("string") => random.text().into(),
        Some("integer" | "number") => random.number(),
        Some("boolean") => (random.below(2) == 0).into(),
        _ => random.junk(),
    }
}

/// A text as a part of a URL.
fn encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

fn request(api: &Value, path: &str, operation: &Value, random: &mut Random) -> (String, Vec<u8>) {
    let (mut filled, mut query) = (path.replace("{*", "{"), Vec::new());
    for parameter in operation["parameters"].as_array().into_iter().flatten() {
        let name = parameter["name"].as_str().unwrap();
        let text = match value(api, &parameter["schema"], random, 1) {
            Value::String(text) => text,
            other => other.to_string(),
        };
        match parameter["in"].as_str() {
            Some("path") => {
                let text = if text.is_empty() { "x" } else { &text };
                filled = filled.replace(&format!("{{{name}}}"), &encoded(text));
            }
            Some("query") if random.below(3) > 0 => query.push(format!("{name}={}", encoded(&text))),
            _ => {}
        }
    }
    if !query.is_empty() {
        filled += &format!("?{}", query.join("&"));
    }
    let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
    let body = match schema {
        Value::Null => Vec::new(),
        schema if random.below(15) > 0 => value(api, schema, random, 0).to_string().into_bytes(),
        _ => b"{\"a\": [1, ".to_vec(),
    };
    (filled, body)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_causes_a_server_error_or_hang() {
    let service = Service::with_examples().await.with_tiny_base().await;
    let api: Value = serde_json::from_str(graft_server::openapi_json()).unwrap();
    let rounds = std::env::var("GRAFT_FUZZ").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(ROUNDS);
    for round in 0..rounds {
        for (path, item) in api["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                // A user that is added would lock this test out; the page's own tests log in.
                if method != "get" && (path.ends_with("/users") || path.ends_with("/tokens")) {
                    continue;
                }
                let seed = round ^ (path.len() as u64) << 32 ^ (method.len() as u64) << 40;
                let mut random = Random(ChaCha8Rng::seed_from_u64(seed));
                let (target, body) = request(&api, path, operation, &mut random);
                let sent: Method = method.to_uppercase().parse().unwrap();
                let said = tokio::time::timeout(PATIENCE, service.send(&sent, &target, &[], &body)).await;
                let shown = || format!("{sent} {target}\n{}", String::from_utf8_lossy(&body));
                let said = said.unwrap_or_else(|_| panic!("no answer to {}", shown()));
                let known = said.status.as_u16() < 500 || said.status.as_u16() == 502;
                let told = String::from_utf8_lossy(&said.body);
                assert!(known, "{} {}\n{told}", said.status, shown());
                if let Err(odd) = check(&api, operation, &said) {
                    panic!("{odd} in the answer {} to {}\n{told}", said.status, shown());
                }
            }
        }
    }
}
