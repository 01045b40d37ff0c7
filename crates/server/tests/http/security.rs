//! The security guarantees of docs/service.md.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use crate::service::Service;
use axum::http::{Method, StatusCode};
use graft_engine::records::Admins;
use graft_server::{
    Error, ServerConfig,
    auth::{
        Role,
        people::{make_token, set_user},
    },
};
use serde_json::{Value, json};

const SESSION: &str = "/api/v1/session";

/// Every operation of the description: method, path with parameters filled in, and the role it names.
fn operations() -> Vec<(Method, String, String)> {
    let api: Value = serde_json::from_str(graft_server::openapi_json()).unwrap();
    let mut operations = Vec::new();
    for (path, item) in api["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let role = operation["x-role"].as_str().unwrap_or_else(|| panic!("{method} {path} names no role"));
            let mut filled = path.replace("{path}", "stdout.log");
            while let (Some(from), Some(to)) = (filled.find('{'), filled.find('}')) {
                filled.replace_range(from..=to, "nothing");
            }
            operations.push((method.to_uppercase().parse().unwrap(), filled, role.to_owned()));
        }
    }
    assert!(operations.len() > 50);
    operations
}

fn body(method: &Method) -> &'static [u8] {
    if *method == Method::GET { b"" } else { b"{}" }
}

#[tokio::test]
async fn every_route_requires_its_role() {
    let service = Service::new().await;
    let mut tokens = Vec::new();
    for &role in Role::ALL {
        tokens.push((role, format!("Bearer {}", service.token(role).await)));
    }
    for (method, path, demanded) in operations() {
        let nobody = service.send(&method, &path, &[], body(&method)).await;
        if demanded == "public" {
            assert!(nobody.status != StatusCode::FORBIDDEN, "{method} {path}");
            continue;
        }
        assert_eq!(nobody.status, StatusCode::UNAUTHORIZED, "{method} {path} lets nobody in");
        let demanded: Role = serde_json::from_value(demanded.into()).unwrap();
        for (role, token) in &tokens {
            let said = service.send(&method, &path, &[("authorization", token)], body(&method)).await;
            let refused = matches!(said.status, StatusCode::FORBIDDEN | StatusCode::UNAUTHORIZED);
            assert_eq!(refused, !role.may(demanded), "{method} {path} as {role:?}: {}", said.status);
        }
    }
}

#[tokio::test]
async fn foreign_host_headers_are_refused_everywhere() {
    let service = Service::new().await;
    let mut paths: Vec<String> = operations().into_iter().map(|(_, path, _)| path).collect();
    paths.extend(["/", "/assets/app.js", "/nothing/here", "/api/v1/nothing"].map(str::to_owned));
    for path in paths {
        for host in ["evil.example", "localhost.evil.example:8080", "127.0.0.1.nip.io"] {
            let said = service.send(&Method::GET, &path, &[("host", host)], b"").await;
            assert_eq!(said.status, StatusCode::MISDIRECTED_REQUEST, "{path} as {host}");
        }
    }
}

#[tokio::test]
async fn other_sites_cannot_change_anything() {
    let service = Service::new().await;
    for (method, path, _) in operations().into_iter().filter(|(method, _, _)| *method != Method::GET) {
        let json = ("content-type", "application/json");
        for foreign in [("origin", "http://evil.example"), ("origin", "null"), ("origin", "http://localhost:3000")] {
            let said = service.send(&method, &path, &[foreign, json], b"{}").await;
            assert_eq!(said.status, StatusCode::FORBIDDEN, "{method} {path} from {foreign:?}");
        }
        for site in ["cross-site", "same-site"] {
            let said = service.send(&method, &path, &[("sec-fetch-site", site), json], b"{}").await;
            assert_eq!(said.status, StatusCode::FORBIDDEN, "{method} {path} from {site}");
        }
        if path != "/api/v1/imports" {
            let said = service.send(&method, &path, &[("content-type", "text/plain")], b"{}").await;
            assert_eq!(said.status, StatusCode::UNSUPPORTED_MEDIA_TYPE, "{method} {path} as text");
        }
    }
    let said = service.send(&Method::GET, "/api/v1/tasks", &[("sec-fetch-site", "cross-site")], b"").await;
    assert_eq!(said.status, StatusCode::FORBIDDEN);
    let ours = [("origin", "http://localhost:8080"), ("sec-fetch-site", "same-origin")];
    let said = service.send(&Method::POST, "/api/v1/settings/validate", &ours, b"{}").await;
    assert_eq!(said.status, StatusCode::UNPROCESSABLE_ENTITY, "our own page may ask");
}

#[tokio::test]
async fn responses_have_security_headers() {
    let service = Service::new().await;
    for path in ["/", "/api/v1/tasks", "/api/v1/nothing", "/health"] {
        let said = service.get(path).await;
        let csp = said.header("content-security-policy");
        assert!(csp.contains("default-src 'self'") && csp.contains("frame-ancestors 'none'"), "{path}: {csp}");
        assert!(!csp.contains("unsafe"), "{path}: {csp}");
        assert_eq!(said.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(said.header("access-control-allow-origin"), "", "{path}");
    }
    assert_eq!(service.get("/api/v1/tasks").await.header("cache-control"), "no-store");
}

#[tokio::test]
async fn session_cookie_is_http_only_and_same_site() {
    let password = "correct horse battery";
    let config = ServerConfig { password: Some(password.into()), ..ServerConfig::default() };
    let service = Service::with(config).await;
    assert_eq!(service.get("/api/v1/tasks").await.status, StatusCode::UNAUTHORIZED);
    let said = service.post(SESSION, &json!({"user": "admin", "password": password})).await;
    assert_eq!((said.status, said.json()["role"].as_str()), (StatusCode::OK, Some("admin")));
    let cookie = said.header("set-cookie").to_owned();
    assert!(
        cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict") && !cookie.contains("Secure"),
        "{cookie}"
    );
    let cookie = ("cookie", cookie.split(';').next().unwrap());

    let said = service.send(&Method::GET, "/api/v1/tasks", &[cookie], b"").await;
    assert_eq!(said.status, StatusCode::OK);
    let settings = br#"{"label": "x", "role": "viewer"}"#;
    let said = service.send(&Method::POST, "/api/v1/tokens", &[cookie], settings).await;
    assert_eq!(said.status, StatusCode::FORBIDDEN, "without the header that only our page sends");
    let said = service.send(&Method::POST, "/api/v1/tokens", &[cookie, ("x-graft-csrf", "1")], settings).await;
    assert_eq!(said.status, StatusCode::OK);

    let said = service.send(&Method::DELETE, SESSION, &[cookie, ("x-graft-csrf", "1")], b"").await;
    assert!(said.header("set-cookie").contains("Max-Age=0"));
    let said = service.send(&Method::GET, "/api/v1/tasks", &[cookie], b"").await;
    assert_eq!(said.status, StatusCode::UNAUTHORIZED, "the session is over for the server, too");
}

#[tokio::test]
async fn session_cookie_is_secure_behind_tls() {
    let config = ServerConfig {
        password: Some("correct horse battery".into()),
        public_url: Some("https://graft.example.org".into()),
        ..ServerConfig::default()
    };
    let service = Service::with(config).await;
    let headers = [("host", "graft.example.org"), ("origin", "https://graft.example.org")];
    let login = br#"{"password": "correct horse battery"}"#;
    let said = service.send(&Method::POST, SESSION, &headers, login).await;
    let cookie = said.header("set-cookie");
    assert!(
        cookie.starts_with("__Host-graft=") && cookie.ends_with("; Secure") && cookie.contains("Path=/;"),
        "{cookie}"
    );
}

#[tokio::test]
async fn password_guessing_is_slowed_down() {
    let config = ServerConfig { password: Some("correct horse battery".into()), ..ServerConfig::default() };
    let service = Service::with(config).await;
    let wrong = json!({"user": "admin", "password": "wrong"});
    for _ in 0..6 {
        assert_eq!(service.post(SESSION, &wrong).await.status, StatusCode::UNAUTHORIZED);
    }
    let said = service.post(SESSION, &json!({"user": "admin", "password": "correct horse battery"})).await;
    assert_eq!(said.status, StatusCode::TOO_MANY_REQUESTS, "even the right one has to wait now");
    assert!(said.header("retry-after").parse::<u64>().unwrap() >= 1);
}

#[tokio::test]
async fn unknown_users_cannot_log_in() {
    let config = ServerConfig { token: Some("a long token".into()), ..ServerConfig::default() };
    let service = Service::with(config).await;
    for user in ["nosuch", "admin", ""] {
        for password in ["nobody's", "nobody", "", "a long token"] {
            let said = service.post(SESSION, &json!({"user": user, "password": password})).await;
            let refused = [StatusCode::UNAUTHORIZED, StatusCode::TOO_MANY_REQUESTS].contains(&said.status);
            assert!(refused, "{user:?} with {password:?}: {}", said.status);
            assert_eq!(said.header("set-cookie"), "");
        }
    }
}

#[tokio::test]
async fn configured_password_and_user_password_give_their_own_roles() {
    let config = ServerConfig { password: Some("correct horse battery".into()), ..ServerConfig::default() };
    let service = Service::with(config).await;
    set_user(&service.state.engine, Admins::Configured, "admin", Role::Viewer, "a viewer's password").await.unwrap();
    for (password, role) in [("correct horse battery", "admin"), ("a viewer's password", "viewer")] {
        let said = service.post(SESSION, &json!({"user": "admin", "password": password})).await;
        assert_eq!(said.json()["role"], role);
    }
}

#[tokio::test]
async fn simultaneous_password_checks_are_limited() {
    let config = ServerConfig { password: Some("correct horse battery".into()), ..ServerConfig::default() };
    let service = Service::with(config).await;
    let wrong = json!({"user": "admin", "password": "wrong"});
    let said = futures_util::future::join_all((0..20).map(|_| service.post(SESSION, &wrong))).await;
    let looked_at = said.iter().filter(|said| said.status == StatusCode::UNAUTHORIZED).count();
    assert_eq!(looked_at, 6, "those that cost nothing, and the first that costs a pause");
}

#[tokio::test]
async fn session_ends_with_its_credential() {
    let config = ServerConfig {
        password: Some("correct horse battery".into()),
        token: Some("a long token".into()),
        ..ServerConfig::default()
    };
    let service = Service::with(config).await;
    let engine = &service.state.engine;
    let (token, secret) = make_token(engine, Admins::Configured, "ci", Role::Admin, Some(1)).await.unwrap();
    let mut cookies = Vec::new();
    for login in [
        json!({"token": secret}),
        json!({"token": "a long token"}),
        json!({"user": "admin", "password": "correct horse battery"}),
    ] {
        let said = service.post(SESSION, &login).await;
        cookies.push(said.header("set-cookie").to_owned());
    }
    let seconds = cookies[0].split("Max-Age=").nth(1).unwrap().parse::<u64>().unwrap();
    assert!((86_000..=86_400).contains(&seconds), "as long as the token, a day: {seconds} s");
    let look = async |service: &Service, cookie: &str| {
        let cookie = ("cookie", cookie.split(';').next().unwrap());
        service.send(&Method::GET, "/api/v1/tasks", &[cookie], b"").await.status
    };
    for cookie in &cookies {
        assert_eq!(look(&service, cookie).await, StatusCode::OK);
    }
    engine.people().remove_token(&token.id, Admins::Configured).await.unwrap();
    assert_eq!(look(&service, &cookies[0]).await, StatusCode::UNAUTHORIZED, "its token is gone");

    let same = ServerConfig { password: Some("correct horse battery".into()), auth: true, ..ServerConfig::default() };
    let restarted = service.restarted(same).await;
    assert_eq!(look(&restarted, &cookies[2]).await, StatusCode::OK, "the password is the same");
    assert_eq!(look(&restarted, &cookies[1]).await, StatusCode::UNAUTHORIZED, "that token is configured no more");
    let other = ServerConfig { password: Some("another horse battery".into()), ..ServerConfig::default() };
    assert_eq!(look(&restarted.restarted(other).await, &cookies[2]).await, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn public_address_needs_credentials() {
    let open = || ServerConfig { bind: "0.0.0.0:8080".parse().unwrap(), ..ServerConfig::default() };
    let refused = Service::try_with(open()).await.map(|_| ());
    assert!(matches!(refused, Err(Error::Unguarded { .. })), "{refused:?}");
    let service = Service::with(ServerConfig { token: Some("a long token".into()), ..open() }).await;
    assert_eq!(service.get("/api/v1/tasks").await.status, StatusCode::UNAUTHORIZED);
    let said = service.send(&Method::GET, "/api/v1/tasks", &[("authorization", "Bearer a long token")], b"").await;
    assert_eq!(said.status, StatusCode::OK);
}

#[tokio::test]
async fn printed_token_works_once() {
    let service = Service::with(ServerConfig { auth: true, ..ServerConfig::default() }).await;
    let login = json!({"token": service.state.auth.first_token().unwrap()});
    assert_eq!(service.post(SESSION, &login).await.json()["role"], "admin");
    assert_eq!(service.post(SESSION, &login).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn first_credential_must_be_an_administrators() {
    let service = Service::new().await;
    let token = |role: &str, days: Option<u32>| json!({"label": "ci", "role": role, "days": days});
    let user = |role: &str| json!({"name": "ada", "role": role, "password": "correct horse battery"});
    for (path, new) in [
        ("/api/v1/tokens", token("trainer", None)),
        ("/api/v1/tokens", token("admin", Some(30))),
        ("/api/v1/users", user("trainer")),
    ] {
        let refused = service.post(path, &new).await;
        assert_eq!(refused.status, StatusCode::CONFLICT, "{new}");
        assert!(refused.json()["hint"].as_str().unwrap().contains("`POST /api/v1/users`"), "{new}");
        assert_eq!(service.get("/api/v1/tokens").await.status, StatusCode::OK, "it is as open as before: {new}");
    }
    assert_eq!(service.post("/api/v1/users", &user("admin")).await.status, StatusCode::OK);
    assert_eq!(service.get("/api/v1/tokens").await.status, StatusCode::UNAUTHORIZED);

    let login = service.post(SESSION, &json!({"user": "ada", "password": "correct horse battery"})).await;
    let as_ada = [("cookie", login.header("set-cookie").split(';').next().unwrap()), ("x-graft-csrf", "1")];
    let new = token("viewer", None).to_string();
    let made = service.send(&Method::POST, "/api/v1/tokens", &as_ada, new.as_bytes()).await;
    assert_eq!(made.status, StatusCode::OK, "she can administer it");
    let demoted = user("viewer").to_string();
    let said = service.send(&Method::POST, "/api/v1/users", &as_ada, demoted.as_bytes()).await;
    let gone = service.send(&Method::DELETE, "/api/v1/users/ada", &as_ada, b"").await;
    assert_eq!((said.status, gone.status), (StatusCode::CONFLICT, StatusCode::CONFLICT), "nobody would be left");

    let config = ServerConfig { password: Some("correct horse battery".into()), ..ServerConfig::default() };
    let configured = Service::with(config).await;
    let login = configured.post(SESSION, &json!({"password": "correct horse battery"})).await;
    let as_admin = [("cookie", login.header("set-cookie").split(';').next().unwrap()), ("x-graft-csrf", "1")];
    let made = configured.send(&Method::POST, "/api/v1/tokens", &as_admin, new.as_bytes()).await;
    assert_eq!(made.status, StatusCode::OK, "the configuration's password lets an administrator in");
}

#[tokio::test]
async fn secrets_are_shown_only_once() {
    let service = Service::new().await;
    let made = service.post("/api/v1/tokens", &json!({"label": "ci", "role": "admin"})).await.json();
    let secret = made["secret"].as_str().unwrap();
    let bearer = format!("Bearer {secret}");
    let as_admin = [("authorization", bearer.as_str())];
    let user = br#"{"name": "ada", "role": "trainer", "password": "correct horse battery"}"#;
    let said = service.send(&Method::POST, "/api/v1/users", &as_admin, user).await;
    assert_eq!(said.status, StatusCode::OK);
    for path in ["/api/v1/users", "/api/v1/tokens", "/api/v1/changes", "/api/v1/system", "/api/v1/settings"] {
        let said = service.send(&Method::GET, path, &as_admin, b"").await;
        let text = String::from_utf8(said.body).unwrap();
        assert!(!text.contains(secret) && !text.contains("argon2") && !text.contains("horse"), "{path}: {text}");
    }
    let config = ServerConfig { password: Some("hush".into()), token: Some("hush".into()), ..ServerConfig::default() };
    assert!(!format!("{config:?}").contains("hush"));
}

#[tokio::test]
async fn database_stores_no_secret_or_password() {
    let service = Service::new().await;
    let new = br#"{"label": "ci", "role": "admin"}"#;
    let key = ("idempotency-key", "a-key");
    let made = service.send(&Method::POST, "/api/v1/tokens", &[key], new).await.json();
    let secret = made["secret"].as_str().unwrap();
    let bearer = format!("Bearer {secret}");
    let as_admin = [key, ("authorization", bearer.as_str())];
    let second = service.send(&Method::POST, "/api/v1/tokens", &as_admin, new).await.json();
    let again = service.send(&Method::POST, "/api/v1/tokens", &as_admin, new).await;
    assert_eq!((again.status, again.header("idempotency-replayed")), (StatusCode::CONFLICT, "true"));
    let tokens = service.send(&Method::GET, "/api/v1/tokens", &as_admin, b"").await.json();
    assert_eq!(tokens["total"], 2, "the third request was the second one once more");
    let user = br#"{"name": "ada", "role": "trainer", "password": "correct horse battery"}"#;
    assert_eq!(service.send(&Method::POST, "/api/v1/users", &as_admin, user).await.status, StatusCode::OK);
    let login = br#"{"user": "ada", "password": "correct horse battery"}"#;
    assert_eq!(service.send(&Method::POST, SESSION, &[key], login).await.status, StatusCode::OK);

    let digests = [&user[..], &login[..]].map(|body| graft_core::Digest::of(body).to_string());
    let secrets = [secret, second["secret"].as_str().unwrap(), "correct horse", &digests[0], &digests[1]];
    for file in ["graft.db", "graft.db-wal"] {
        let bytes = std::fs::read(service.state.engine.home.path().join(file)).unwrap();
        for secret in secrets {
            assert!(!bytes.windows(secret.len()).any(|part| part == secret.as_bytes()), "{secret} is in {file}");
        }
    }
}

#[tokio::test]
async fn bodies_have_limits_and_are_checked() {
    let service = Service::new().await;
    let long = vec![b' '; 3 << 20];
    let said = service.send(&Method::POST, "/api/v1/settings/validate", &[], &long).await;
    assert_eq!(said.status, StatusCode::PAYLOAD_TOO_LARGE);
    let said = service.send(&Method::POST, "/api/v1/settings/validate", &[], b"{not json").await;
    assert_eq!((said.status, said.header("content-type")), (StatusCode::BAD_REQUEST, "application/problem+json"));
    let said = service.post("/api/v1/examples/bulk", &json!({"task": "chat", "action": "approve", "more": 1})).await;
    assert_eq!(said.status, StatusCode::UNPROCESSABLE_ENTITY, "unknown fields are refused");
}

#[tokio::test]
async fn archives_with_outside_paths_are_refused() {
    let service = Service::new().await;
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    zip.start_file("../../evil/2025-01-01.json", zip::write::SimpleFileOptions::default()).unwrap();
    let zip = zip.finish().unwrap().into_inner();
    let import = service.import("slack", "slack-rescue", "export.zip", &zip).await;
    assert_eq!(import["state"], "failed");
    let detail = import["problem"]["detail"].as_str().unwrap();
    assert!(detail.contains("points outside") && detail.contains("export.zip"), "{detail}");
    assert!(!detail.contains("uploads"), "the place where it lay is nobody's business: {detail}");
}

#[tokio::test]
async fn model_directory_must_be_below_a_root() {
    let service = Service::new().await;
    let settings = |directory: &str, enabled: bool| json!({"softPromptEnabled": enabled, "softPromptModelDir": directory, "softPromptConfidenceThreshold": 0.5});
    for outside in ["/etc", "../..", "data/../../elsewhere"] {
        let said = service.put("/api/v1/settings", &settings(outside, false)).await;
        assert_eq!(said.status, StatusCode::UNPROCESSABLE_ENTITY, "{outside}");
        assert_eq!(said.json()["errors"][0]["field"], "softPromptModelDir");
    }
    assert_eq!(service.put("/api/v1/settings", &settings("data/later", false)).await.status, StatusCode::OK);
    let said = service.put("/api/v1/settings", &settings("data/later", true)).await;
    assert_eq!(said.status, StatusCode::UNPROCESSABLE_ENTITY, "enabled, it must hold an adapter");
    let said = service.put("/api/v1/settings", &json!({"softPromptEnabled": true})).await;
    assert_eq!(said.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn a_review_link_reaches_the_examples_of_its_task_and_nothing_else() {
    let service = Service::new().await;
    let admin = format!("Bearer {}", service.token(Role::Admin).await);
    let as_admin = [("authorization", admin.as_str())];
    for (name, text) in [("mail", "it crashes -> bug\n"), ("letters", "please -> wish\n")] {
        let definition = json!({"name": name, "form": "labels", "instruction": "Sort it.", "labels": ["bug", "wish"]});
        let body = json!({"definition": definition, "text": text, "pending": true}).to_string();
        let made = service.send(&Method::POST, "/api/v1/tasks/new", &as_admin, body.as_bytes()).await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.json());
    }
    let asked = json!({"person": "Ada", "task": "mail"}).to_string();
    let made = service.send(&Method::POST, "/api/v1/tokens/links", &as_admin, asked.as_bytes()).await.json();
    let path = made["path"].as_str().unwrap();
    assert!(path.ends_with("&next=%2Faudit%3Ftask%3Dmail"), "{path}");
    assert!(made["token"]["expires_at"].is_number() && made["token"]["role"] == "auditor", "{made}");
    let secret = path.trim_start_matches("/login?token=").split('&').next().unwrap();
    let link = format!("Bearer {secret}");

    let list = "/api/v1/examples?task=mail";
    let examples = service.send(&Method::GET, list, &[("authorization", &link)], b"").await.json();
    let id = examples["examples"][0]["id"].as_str().unwrap();
    let approve = format!("/api/v1/examples/mail/{id}/approve");
    let done = service.send(&Method::POST, &approve, &[("authorization", &link)], b"{\"revision\": 1}").await;
    assert_eq!((done.status, &done.json()["example"]["review"]["by"]), (StatusCode::OK, &json!("Ada")));
    let tasks = service.send(&Method::GET, "/api/v1/tasks", &[("authorization", &link)], b"").await.json();
    assert_eq!((tasks["tasks"].as_array().unwrap().len(), &tasks["tasks"][0]["name"]), (1, &json!("mail")));

    // Every other operation is refused, also those of its role, and those of other tasks.
    let mut reached = Vec::new();
    for (method, path, role) in operations().into_iter().filter(|(_, _, role)| role != "public") {
        for name in ["mail", "letters"] {
            let path = path.replace("nothing", name);
            let said = service.send(&method, &path, &[("authorization", &link)], body(&method)).await;
            if said.status != StatusCode::FORBIDDEN {
                reached.push(format!("{method} {path} {role}"));
            }
        }
    }
    reached.sort();
    reached.dedup();
    assert_eq!(
        reached,
        [
            "GET /api/v1/examples/mail/mail viewer",
            "GET /api/v1/tasks viewer",
            "GET /api/v1/tasks/mail/guidelines viewer",
            "GET /api/v1/tasks/mail/helpful viewer",
            "POST /api/v1/examples/mail/mail/approve auditor",
            "POST /api/v1/examples/mail/mail/edit auditor",
            "POST /api/v1/examples/mail/mail/reject auditor",
            "POST /api/v1/examples/mail/mail/undo auditor",
            "PUT /api/v1/presence auditor",
        ]
    );
    // It tells others which example it has open, and hears only of those of its task.
    let elsewhere = json!({"page": "p", "at": {"task": "letters", "id": "x"}}).to_string();
    service.send(&Method::PUT, "/api/v1/presence", &as_admin, elsewhere.as_bytes()).await;
    let said = service.send(&Method::PUT, "/api/v1/presence", &[("authorization", &link)], elsewhere.as_bytes()).await;
    assert_eq!(said.status, StatusCode::UNPROCESSABLE_ENTITY);
    let here = json!({"page": "q", "at": {"task": "mail", "id": id}}).to_string();
    let seats = service.send(&Method::PUT, "/api/v1/presence", &[("authorization", &link)], here.as_bytes()).await;
    assert_eq!(seats.json(), json!({"seats": [{"page": "q", "by": "Ada", "task": "mail", "id": id}]}));
    for query in ["", "?task=letters", "?task=mail&task=letters"] {
        let path = format!("/api/v1/examples{query}");
        let said = service.send(&Method::GET, &path, &[("authorization", &link)], b"").await;
        assert_eq!(said.status, StatusCode::FORBIDDEN, "{path}");
    }

    // A session that is opened with it reaches no more, and ends with it.
    let login = json!({"token": secret}).to_string();
    let opened = service.send(&Method::POST, SESSION, &[], login.as_bytes()).await;
    assert_eq!((&opened.json()["task"], &opened.json()["user"]), (&json!("mail"), &json!("Ada")));
    let cookie = opened.header("set-cookie").split(';').next().unwrap().to_owned();
    let by_cookie = [("cookie", cookie.as_str())];
    assert_eq!(service.send(&Method::GET, list, &by_cookie, b"").await.status, StatusCode::OK);
    assert_eq!(service.send(&Method::GET, "/api/v1/runs", &by_cookie, b"").await.status, StatusCode::FORBIDDEN);
    let token = format!("/api/v1/tokens/{}", made["token"]["id"].as_str().unwrap());
    assert_eq!(service.send(&Method::DELETE, &token, &as_admin, b"").await.status, StatusCode::OK);
    for headers in [[("authorization", link.as_str())], by_cookie] {
        assert_eq!(service.send(&Method::GET, list, &headers, b"").await.status, StatusCode::UNAUTHORIZED);
    }
}
