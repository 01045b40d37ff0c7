//! Versions of an adapter over HTTP, against the real program, on SQLite and on Postgres.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use graft_testkit::{Postgres, Relay, S3};
use serde_json::{Value, json};

use crate::common::{
    Graft, model,
    server::{Server, csv_form, send},
};

/// Trains, watches the events to their end, and returns the version's name.
fn train(server: &Server, rank: u32) -> String {
    let body = json!({"task": "text-classification", "base": "tiny",
                      "settings": {"epochs": 1, "rank": rank, "batch_size": 8, "learning_rate": 0.01}});
    let preflight = server.json(200, "POST", "/api/v1/runs/preflight", &body);
    assert_eq!(preflight["ok"], true, "{preflight}");
    let short = json!({"task": "text-classification", "base": "tiny", "settings": {"max_tokens": 3}});
    let short = server.json(200, "POST", "/api/v1/runs/preflight", &short);
    assert_eq!((&short["ok"], &short["problems"][0]["field"]), (&json!(false), &json!("max_tokens")), "{short}");
    let run = server.json(202, "POST", "/api/v1/runs", &body)["run"]["id"].as_str().unwrap().to_owned();
    let (status, events) = server.send("GET", &format!("/api/v1/runs/{run}/stream"), "", b"");
    assert_eq!(status, 200);
    assert!(events.contains("event: event") && events.contains("\"event\":\"done\""), "{events}");
    assert!(events.contains("event: end"), "{events}");
    let detail = server.get(&format!("/api/v1/runs/{run}"));
    assert_eq!((&detail["run"]["state"], &detail["failure"]), (&json!("succeeded"), &Value::Null), "{detail}");
    let version = detail["version"].as_str().unwrap_or_else(|| panic!("no version: {detail}"));
    let again = server.json(200, "POST", "/api/v1/runs/preflight", &body);
    assert_eq!(again["estimate"]["quality"]["version"], version, "an estimate says how good the last run was: {again}");
    version.to_owned()
}

/// Has a version measured again by a run of its own.
fn measure(server: &Server, version: &str) {
    let path = format!("/api/v1/versions/text-classification/{version}");
    let before = server.get(&path)["evaluation"]["at"].as_i64().unwrap();
    let begun = server.json(202, "POST", &format!("{path}/evaluate"), &json!({}));
    assert_eq!(begun["begun"], true, "{begun}");
    let run = begun["run"].as_str().unwrap();
    let (_, events) = server.send("GET", &format!("/api/v1/runs/{run}/stream"), "", b"");
    assert!(events.contains("\"event\":\"answered\"") && events.contains("event: end"), "{events}");
    let detail = server.get(&format!("/api/v1/runs/{run}"));
    assert_eq!((&detail["run"]["kind"], &detail["run"]["state"]), (&json!("evaluate"), &json!("succeeded")));
    assert_eq!((&detail["version"], &detail["progress"]["percent"]), (&json!(version), &json!(100.0)), "{detail}");
    assert!(server.get(&path)["evaluation"]["at"].as_i64().unwrap() > before);
}

/// Forty easy examples, uploaded as a page does.
fn upload(server: &Server) {
    let csv: String =
        (0..40).map(|i| format!("{}{i},{}\n", ["yes yes ", "no no "][i % 2], ["good", "bad"][i % 2])).collect();
    let (kind, form) = csv_form("text-classification", &(csv + "unsure,\n"));
    let (status, text) = server.send("POST", "/api/v1/imports", kind, &form);
    assert_eq!(status, 202, "{text}");
    let import: Value = serde_json::from_str(&text).unwrap();
    let path = format!("/api/v1/imports/{}", import["import"]["id"].as_str().unwrap());
    let begun = Instant::now();
    loop {
        let import = server.get(&path);
        if import["state"] != "running" {
            assert_eq!((&import["state"], &import["report"]["added"]), (&json!("done"), &json!(41)), "{import}");
            return;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "the import doesn't end");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn audit(server: &Server) {
    let pending = server.get("/api/v1/examples?task=text-classification&state=pending");
    let id = pending["examples"][0]["id"].as_str().unwrap();
    let path = format!("/api/v1/examples/text-classification/{id}/edit");
    server.json(200, "POST", &path, &json!({"revision": 1, "output": "bad"}));
    server.json(409, "POST", &path, &json!({"revision": 1, "output": "good"}));
}

/// Does something while others ask a server, none of whose requests may fail.
fn under_load(server: &Server, ask: &Value, work: impl FnOnce()) {
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let clients: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    let mut answers = 0;
                    while !done.load(Ordering::Relaxed) {
                        server.json(200, "POST", "/api/v1/infer", ask);
                        answers += 1;
                    }
                    answers
                })
            })
            .collect();
        let worked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
        done.store(true, Ordering::Relaxed);
        let answers: u32 = clients.into_iter().map(|client| client.join().unwrap()).sum();
        if let Err(panic) = worked {
            std::panic::resume_unwind(panic);
        }
        assert!(answers > 0, "nobody asked");
    });
}

fn live(graft: &Graft) {
    graft.ok(&["base", "add", "tiny", model("tiny-llama").to_str().unwrap()]);
    let server = Server::start(graft);
    upload(&server);
    audit(&server);

    let first = train(&server, 2);
    let path = |name: &str, what: &str| format!("/api/v1/versions/text-classification/{name}{what}");
    let detail = server.get(&path(&first, ""));
    assert!(detail["evaluation"]["adapter"]["n"].as_u64().unwrap() > 0, "{detail}");
    let done = server.json(200, "POST", &path(&first, "/activate"), &json!({"expected": null, "force": true}));
    assert_eq!((&done["version"]["stage"], &done["previous"]), (&json!("active"), &Value::Null));

    let ask = json!({"task": "text-classification", "input": "yes yes 5"});
    let answer = server.json(200, "POST", "/api/v1/infer", &ask);
    assert_eq!(answer["version"], first.as_str());
    assert!(["good", "bad"].contains(&answer["answer"].as_str().unwrap()), "{answer}");

    let second = train(&server, 4);
    server.json(409, "POST", &path(&second, "/activate"), &json!({"expected": second, "force": true}));
    let other = Server::started(graft.command(&["serve", "--bind", "127.0.0.1:0", "--no-worker"]));
    under_load(&other, &ask, || {
        let done = server.json(200, "POST", &path(&second, "/activate"), &json!({"expected": first, "force": true}));
        assert_eq!(done["previous"], first.as_str());
        assert_eq!(server.json(200, "POST", "/api/v1/infer", &ask)["version"], second.as_str(), "here at once");
        let asked = Instant::now();
        while other.json(200, "POST", "/api/v1/infer", &ask)["version"] != second.as_str() {
            assert!(asked.elapsed() < Duration::from_secs(20), "the new version doesn't answer elsewhere");
        }
        let settings =
            json!({"softPromptEnabled": false, "softPromptModelDir": "data", "softPromptConfidenceThreshold": 0.5});
        server.json(200, "PUT", "/api/v1/settings", &settings);
        assert_eq!(other.get("/api/v1/settings")["softPromptConfidenceThreshold"], 0.5);
    });
    let back = server.json(200, "POST", "/api/v1/tasks/text-classification/rollback", &json!({"expected": second}));
    assert_eq!(back["version"]["name"], first.as_str());

    measure(&server, &first);
    let total = |query: &str| server.get(&format!("/api/v1/runs?task=text-classification{query}"))["total"].clone();
    assert_eq!([total(""), total("&kind=train"), total("&kind=evaluate")], [3, 2, 1]);
    let changes = server.get("/api/v1/changes?kind=version");
    assert!(changes["changes"].as_array().unwrap().iter().any(|change| change["action"] == "rollback"));
    server.stop();
}

#[test]
fn versions_change_across_servers_on_sqlite() {
    live(&Graft::new());
}

#[test]
fn versions_change_across_servers_on_postgres() {
    if let Some(postgres) = Postgres::shared() {
        live(&Graft::on(postgres.database().unwrap()));
    }
}

/// Three servers with their own homes, one of which is cut off from database and bucket while another version becomes active.
#[test]
fn replica_that_was_cut_off_serves_its_last_version_and_catches_up() {
    let Some(postgres) = Postgres::shared() else { return };
    let (bucket, database) = (S3::start().unwrap(), postgres.database().unwrap());
    let ways = [Relay::to_database(&database).unwrap(), Relay::to_origin(&bucket.place()[0].1).unwrap()];
    let cut = |is_cut| ways.iter().for_each(|way| way.cut(is_cut));
    let near = || Graft::on(database.clone()).with_bucket(&bucket);
    let far = Graft::on(ways[0].url().to_owned()).with_bucket(&bucket).with("AWS_ENDPOINT_URL", ways[1].url());
    let homes = [near(), near(), far];
    homes.iter().for_each(|home| drop(home.ok(&["base", "add", "tiny", model("tiny-llama").to_str().unwrap()])));
    let first = Server::start(&homes[0]);
    let [second, third] = [&homes[1], &homes[2]]
        .map(|home| Server::started(home.command(&["serve", "--bind", "127.0.0.1:0", "--no-worker"])));
    upload(&first);
    let [old, new] = [train(&first, 2), train(&first, 4)];
    let ask = json!({"task": "text-classification", "input": "yes yes 5"});
    let activate = |name: &str, expected: Value| {
        let path = format!("/api/v1/versions/text-classification/{name}/activate");
        first.json(200, "POST", &path, &json!({"expected": expected, "force": true}));
    };
    let wait_for = |server: &Server, version: &str| {
        let begun = Instant::now();
        loop {
            let (status, text) = server.send("POST", "/api/v1/infer", "application/json", ask.to_string().as_bytes());
            if status == 200 && text.contains(&format!("\"version\":\"{version}\"")) {
                return begun.elapsed();
            }
            assert!(begun.elapsed() < Duration::from_secs(60), "{version} doesn't answer: {text}");
            std::thread::sleep(Duration::from_millis(20));
        }
    };
    activate(&old, Value::Null);
    for server in [&first, &second, &third] {
        wait_for(server, &old);
    }
    assert_eq!(third.send("GET", "/ready", "", b"").0, 200);

    cut(true);
    activate(&new, json!(old));
    println!("the others changed after {:?}", [&first, &second].map(|server| wait_for(server, &new)));
    for _ in 0..5 {
        assert_eq!(third.json(200, "POST", "/api/v1/infer", &ask)["version"], old.as_str(), "its last good version");
    }
    assert_eq!(third.send("GET", "/ready", "", b"").0, 503, "it says that it is cut off");
    assert_eq!(third.json(200, "POST", "/api/v1/infer", &ask)["version"], old.as_str());

    cut(false);
    println!("the one that was cut off changed after {:?}", wait_for(&third, &new));
    assert_eq!(third.send("GET", "/ready", "", b"").0, 200);
}

#[test]
fn configuration_shows_its_sources() {
    let graft = Graft::new();
    std::fs::create_dir_all(graft.home()).unwrap();
    std::fs::write(graft.home().join("config.toml"), "bind = \"127.0.0.1:9999\"\nallowed_hosts = [\"nuc\"]\n").unwrap();
    let mut command = graft.command(&["config", "show", "--origin", "--json"]);
    let said = command.env("GRAFT_AUTH", "true").env("GRAFT_PASSWORD", "hush hush").output().unwrap();
    let text = String::from_utf8(said.stdout).unwrap();
    let config: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(config["auth"]["from"], "GRAFT_AUTH");
    assert!(config["bind"]["from"].as_str().unwrap().ends_with("config.toml:1"), "{text}");
    assert_eq!((&config["password"]["value"], &config["worker"]["from"]), (&json!(true), &json!("default")));
    assert!(!text.contains("hush"));

    let file = "serving_lanes = 3\npatience = 2.5\nworker_slots = 1\ndatabase = \"postgres://me@there/graft\"\n";
    std::fs::write(graft.home().join("config.toml"), file).unwrap();
    let mut command = graft.command(&["config", "show", "--origin", "--json"]);
    let said = command.env("GRAFT_SERVING_QUEUE", "7").output().unwrap();
    let config: Value = serde_json::from_slice(&said.stdout).unwrap();
    let from_file = |key: &str| config[key]["from"].as_str().unwrap().contains("config.toml:");
    assert!(["serving_lanes", "patience", "worker_slots", "database"].into_iter().all(from_file), "{config:#}");
    assert_eq!((&config["patience"]["value"], &config["serving_queue"]["value"]), (&json!("2.5"), &json!("7")));
    std::fs::write(graft.home().join("config.toml"), "database = \"postgres://me:pw@there/graft\"\n").unwrap();
    graft.fails(2, &["config", "show"], "belongs in secrets.toml");
    std::fs::write(graft.home().join("config.toml"), "serving_lanes = 0\n").unwrap();
    graft.fails(2, &["serve", "--bind", "127.0.0.1:0"], "use `0` for `serving_lanes`");
    std::fs::write(graft.home().join("config.toml"), "blind = 1\n").unwrap();
    graft.fails(2, &["config", "show"], "there is no key `blind`");
    std::fs::remove_file(graft.home().join("config.toml")).unwrap();
    std::fs::write(graft.home().join("secrets.toml"), "password = \"hush hush\"\n").unwrap();
    graft.fails(2, &["config", "show"], "others may read the file");
    graft.fails(2, &["serve", "--bind", "0.0.0.0:0"], "others may read the file");
    std::fs::remove_file(graft.home().join("secrets.toml")).unwrap();
    graft.fails(2, &["serve", "--bind", "0.0.0.0:0"], "which others can reach");
}

#[test]
fn new_database_is_announced() {
    let graft = Graft::new();
    let file = graft.home().join("graft.db");
    let said = |said: &str| said.contains(&format!("Created a new database: {}", file.display()));
    assert!(said(&graft.run(&["stats"]).stderr) && !said(&graft.run(&["stats"]).stderr));
    let log = graft.file("serve.log", "");
    for line in [format!("  database  {} (new)\n", file.display()), format!("  database  {}\n", file.display())] {
        if line.contains("(new)") {
            std::fs::remove_file(&file).unwrap();
        }
        let _server = Server::spawn(&graft, "127.0.0.1:0".parse().unwrap(), &log);
        let began = Instant::now();
        while !std::fs::read_to_string(&log).unwrap().contains(&line) {
            assert!(began.elapsed() < Duration::from_secs(60), "{line}: {}", std::fs::read_to_string(&log).unwrap());
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

#[test]
fn broken_configuration_is_explained_by_config_show_and_doctor() {
    let graft = Graft::new();
    std::fs::create_dir_all(graft.home()).unwrap();
    let file = graft.home().join("config.toml");
    for (text, opens, line, words) in [
        ("bind = \"[::1]:9\"\nblind = 1\n", false, 2, "there is no key `blind`"),
        ("# mine\n\nbind = \n", false, 3, "read the configuration"),
        ("worker = [[]]\n", false, 1, "`worker` has an invalid value"),
        ("worker = true\nserving_lanes = 0\n", true, 2, "use `0` for `serving_lanes`"),
    ] {
        std::fs::write(&file, text).unwrap();
        let place = format!("{}:{line}", file.display());
        let is_told = |text: &str| text.contains(words) && text.contains(&place);
        let shown = graft.fails(2, &["config", "show"], words);
        assert!(is_told(&shown.stderr) && shown.stderr.contains("hint: "), "{}", shown.stderr);
        let bind = if line == 2 && !opens { "[::1]:9" } else { "127.0.0.1:8080" };
        assert!(shown.stdout.contains(bind), "what can be read is shown: {}", shown.stdout);
        let document: Value = serde_json::from_str(&graft.run(&["config", "show", "--json"]).stdout).unwrap();
        assert_eq!(document["problems"].as_array().unwrap().len(), 1, "{document:#}");
        let doctor = graft.run(&["doctor"]);
        assert_eq!(doctor.code, 2, "{}", doctor.stdout);
        assert!(is_told(&doctor.stdout) && doctor.stdout.contains("free"), "the rest is looked at: {}", doctor.stdout);
        assert_eq!(graft.home().join("graft.db").exists(), opens, "no database is made by mistake");
        for help in [&["--help"][..], &["config", "show", "--help"]] {
            graft.ok(help);
        }
        if opens {
            graft.ok(&["stats"]);
        } else {
            assert!(is_told(&graft.fails(2, &["stats"], words).stderr));
        }
    }
}

#[test]
fn servers_on_one_postgres_share_presence() {
    let Some(postgres) = Postgres::shared() else { return };
    let url = postgres.database().unwrap();
    let graft = [Graft::on(url.clone()), Graft::on(url)];
    let [one, two] = [Server::start(&graft[0]), Server::start(&graft[1])];
    let sit = |server: &Server, page: &str, at: Value| {
        server.json(200, "PUT", "/api/v1/presence", &json!({"page": page, "at": at}))["seats"].clone()
    };
    sit(&one, "first", json!({"task": "t", "id": "1"}));
    let begun = Instant::now();
    let seen = |pages: &[&str]| {
        let seats = sit(&two, "second", json!({"task": "t", "id": "2"}));
        let now: Vec<&str> = seats.as_array().unwrap().iter().filter_map(|seat| seat["page"].as_str()).collect();
        assert!(begun.elapsed() < Duration::from_secs(20), "{now:?}");
        pages.iter().all(|page| now.contains(page)) && now.len() == pages.len()
    };
    while !seen(&["first", "second"]) {
        std::thread::sleep(Duration::from_millis(20));
    }
    sit(&one, "first", Value::Null);
    while !seen(&["second"]) {
        std::thread::sleep(Duration::from_millis(20));
    }
    one.stop();
    two.stop();
}

#[test]
fn secrets_are_never_logged() {
    let graft = Graft::new();
    let path = graft.dir.path().join("server.log");
    let mut command = graft.command(&["serve", "--bind", "127.0.0.1:0", "--no-worker"]);
    command.envs([
        ("GRAFT_LOG", "trace"),
        ("GRAFT_PASSWORD", "the first secret"),
        ("GRAFT_TOKEN", "the second secret"),
    ]);
    let child = command.stderr(std::fs::File::create(&path).unwrap()).spawn().unwrap();
    let mut server = Server { child, address: ([127, 0, 0, 1], 0).into() };
    let begun = Instant::now();
    server.address = loop {
        let said = std::fs::read_to_string(&path).unwrap();
        if let Some(line) = said.lines().find(|line| line.starts_with("Graft ")) {
            break line.split("http://").nth(1).unwrap().parse().unwrap();
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "it doesn't begin: {said}");
        std::thread::sleep(Duration::from_millis(20));
    };
    let json = ("content-type", "application/json");
    let ask = |method: &str, path: &str, more: (&str, &str), body: Value| {
        let (status, text) = send(server.address, method, path, &[json, more], body.to_string().as_bytes()).unwrap();
        (status, serde_json::from_str::<Value>(&text).unwrap_or_default())
    };
    let nobody = ("x-nothing", "nothing");
    let login = |password: &str| ask("POST", "/api/v1/session", nobody, json!({"user": "admin", "password": password}));
    assert_eq!(login("a third secret").0, 401);
    assert_eq!(login("the first secret").0, 200);
    let token = ("authorization", "Bearer the second secret");
    let made = ask("POST", "/api/v1/tokens", token, json!({"label": "ci", "role": "viewer"})).1;
    let secret = made["secret"].as_str().unwrap();
    let user = json!({"name": "ada", "role": "viewer", "password": "a fourth secret"});
    assert_eq!(ask("POST", "/api/v1/users", token, user).0, 200);
    let as_ci = format!("Bearer {secret}");
    assert_eq!(ask("GET", "/api/v1/examples?search=a%20fifth%20secret", ("authorization", &as_ci), json!({})).0, 200);
    assert_eq!(ask("GET", "/api/v1/examples", ("authorization", "Bearer a sixth secret"), json!({})).0, 401);
    server.stop();
    let log = std::fs::read_to_string(&path).unwrap();
    assert!(log.contains("/api/v1/examples") && log.contains("/api/v1/session"), "requests are logged: {log}");
    let told: Vec<&str> = log.lines().filter(|line| line.contains("secret") || line.contains(secret)).collect();
    assert!(told.is_empty(), "{told:#?}");
}

#[cfg(unix)]
#[test]
fn base_model_that_is_a_pipe_does_not_block_requests() {
    let graft = Graft::with_toy_task();
    let folder = graft.dir.path().join("folder");
    std::fs::create_dir(&folder).unwrap();
    let pipes = [graft.dir.path().join("pipe.gguf"), folder.join("config.json")];
    for pipe in &pipes {
        assert!(std::process::Command::new("mkfifo").arg(pipe).status().unwrap().success());
    }
    std::fs::write(folder.join("tokenizer.json"), "{}").unwrap();
    std::fs::copy(model("tiny-llama").join("model.safetensors"), folder.join("model.safetensors")).unwrap();
    let server = Server::start(&graft);
    // More than there are threads that serve.
    for path in [&pipes[0], &pipes[0], &pipes[0], &folder] {
        let body = json!({"task": "text-classification", "base": path});
        let preflight = server.json(200, "POST", "/api/v1/runs/preflight", &body);
        let problem = &preflight["problems"][0];
        assert_eq!((&preflight["ok"], &problem["field"]), (&json!(false), &json!("base")), "{preflight}");
        let why = if path == &folder { "it has no config.json" } else { "not a regular file" };
        assert!(problem.to_string().contains(why), "{preflight}");
    }
    server.get("/health");
    server.stop();
}

#[cfg(unix)]
#[test]
fn hung_disk_blocks_neither_other_requests_nor_the_end_of_the_server() {
    let graft = Graft::with_toy_task();
    let train = ["train", "text-classification", "--base", "tiny", "--epochs", "0.2", "--batch-size", "8"];
    graft.ok(&[&train[..], &["--no-eval", "--threads", "1", "--version", "v1"]].concat());
    graft.ok(&["models", "set-active", "v1", "--task", "text-classification", "--force"]);
    let models = graft.json(&["models", "list", "--task", "text-classification"]);
    let folder = graft.home().join(models["versions"][0]["adapter_dir"].as_str().unwrap());
    let server = Server::start(&graft);
    // Opening a pipe that nobody writes to waits for ever, as a file of a network disk that is gone does.
    let hang = |path: &std::path::Path| {
        let _ = std::fs::remove_file(path);
        assert!(std::process::Command::new("mkfifo").arg(path).status().unwrap().success());
    };
    hang(&graft.home().join("tables.toml"));
    hang(&folder.join("graft.json"));
    let compare = |contestant: &str| {
        let body = json!({"task": "text-classification", "input": "good", "contestants": [contestant]});
        ("POST", "/api/v1/compare".to_owned(), body)
    };
    let of_task = |rest: &str| format!("/api/v1/tasks/text-classification/{rest}");
    let mut open = Vec::new();
    for (method, path, body) in [
        ("POST", of_task("baseline/try"), json!({})),
        ("GET", of_task("suspects"), json!({})),
        ("POST", "/api/v1/runs/preflight".to_owned(), json!({"task": "text-classification", "base": "tiny"})),
        compare("base"),
        compare("n-grams"),
        ("POST", "/api/v1/versions/text-classification/v1/evaluate".to_owned(), json!({})),
    ] {
        // More than there are threads that serve.
        for _ in 0..3 {
            let body = body.to_string();
            let head =
                format!("{method} {path} HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json", server.address);
            let mut stream = TcpStream::connect(server.address).unwrap();
            stream.write_all(format!("{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len()).as_bytes()).unwrap();
            stream.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
            let answered = stream.read(&mut [0; 1]);
            assert!(answered.is_err(), "{method} {path} needs no file, so that it shows nothing");
            open.push(stream);
        }
        assert_eq!(server.get("/health")["status"], "ok", "{path}");
    }
    drop(open);
    server.stop();
}

#[test]
fn locked_database_refuses_changes_until_it_is_free() {
    use sqlx::Connection as _;

    let graft = Graft::with_toy_task();
    let server = Server::start(&graft);
    let change = || {
        let body = json!({"text": "Be kind."}).to_string();
        let head = format!("PUT /api/v1/tasks/text-classification/guidelines HTTP/1.1\r\nhost: {}", server.address);
        let rest = format!("content-type: application/json\r\nconnection: close\r\ncontent-length: {}", body.len());
        let mut stream = TcpStream::connect(server.address).unwrap();
        stream.write_all(format!("{head}\r\n{rest}\r\n\r\n{body}").as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let url = format!("sqlite://{}", graft.home().join("graft.db").display());
    let mut other = runtime.block_on(sqlx::SqliteConnection::connect(&url)).unwrap();
    runtime.block_on(sqlx::raw_sql("begin immediate").execute(&mut other)).unwrap();
    let began = Instant::now();
    let refused = change();
    assert!(refused.starts_with("HTTP/1.1 503 "), "{refused}");
    let told =
        refused.lines().find_map(|line| line.strip_prefix("retry-after: ")).unwrap_or_else(|| panic!("{refused}"));
    // It is expected to last as long again as it has lasted.
    let (told, lasted) = (told.parse::<u64>().unwrap(), began.elapsed().as_secs());
    assert!((5..=lasted + 1).contains(&told), "{told} s after {lasted} s: {refused}");
    assert!(refused.contains("locked"), "{refused}");
    assert_eq!(server.get("/api/v1/examples?limit=1")["examples"].as_array().unwrap().len(), 1, "reads go on");
    runtime.block_on(sqlx::raw_sql("rollback").execute(&mut other)).unwrap();
    let accepted = change();
    assert!(accepted.starts_with("HTTP/1.1 200 "), "{accepted}");
    server.stop();
}

/// A client that knows the contract of the training service, and nothing else of Graft.
#[test]
fn training_service_api_accepts_datasets_and_reports_jobs() {
    let graft = Graft::new();
    graft.ok(&["base", "add", "tiny", model("tiny-llama").to_str().unwrap()]);
    let server = Server::start(&graft);
    let table = |words: [&str; 2]| {
        let row = |i: usize| format!("{} {i},{}\n", words[i % 2].repeat(4), ["positive", "negative"][i % 2]);
        format!("text,label\n{}", (0..40).map(row).collect::<String>())
    };
    let submission = |id: &str, content: &str| {
        json!({
            "dataset_id": id, "dataset_name": "prompt_12345_sentiment_analysis",
            "csv_files": [{"filename": "prompt_data.csv", "content": content}],
            "config": {"phases": 4, "checkpoint_format": "safetensors", "base": "tiny"},
        })
    };
    let first = submission("d1", &table(["good ", "bad "]));
    let job = server.json(200, "POST", "/api/v1/training/submit", &first)["job_id"].as_str().unwrap().to_owned();
    // Its answer was lost, so it is sent again.
    assert_eq!(server.json(200, "POST", "/api/v1/training/submit", &first)["job_id"], job);
    let other = submission("d2", &table(["nice ", "poor "]));
    let problem = server.json(409, "POST", "/api/v1/training/submit", &other);
    assert_eq!(problem["run"], job);

    let (mut phases, began) = (vec![0], Instant::now());
    let status = loop {
        let status = server.get(&format!("/api/v1/training/status/{job}"));
        phases.push(status["phase"].as_u64().unwrap());
        if !["queued", "running"].contains(&status["status"].as_str().unwrap()) {
            break status;
        }
        assert!(began.elapsed() < Duration::from_secs(300), "{status:#}");
        std::thread::sleep(Duration::from_millis(50));
    };
    assert_eq!((&status["status"], &status["error"]), (&json!("completed"), &json!(null)), "{status:#}");
    assert!(phases.is_sorted() && phases.last() == Some(&4), "{phases:?}");
    let metrics = status["metrics"].as_object().unwrap();
    assert!(
        ["loss", "baseline", "eval_loss", "accuracy", "f1"].iter().all(|name| metrics[*name].is_number()),
        "{metrics:#?}"
    );
    assert_eq!(status["checkpoints"].as_array().unwrap().len(), 2);
    assert_eq!(status["checkpoint"], status["checkpoints"][1]["url"]);
    let files = server.get(&format!("/api/v1/runs/{job}/artifacts"))["artifacts"].as_array().unwrap().clone();
    for checkpoint in status["checkpoints"].as_array().unwrap() {
        let url = checkpoint["url"].as_str().unwrap();
        let begin = format!("http://{}/api/v1/runs/{job}/artifacts/", server.address);
        let path = url.strip_prefix(&begin).unwrap_or_else(|| panic!("{url}"));
        assert!(files.iter().any(|file| file["path"] == path), "{path} is not in {files:#?}");
    }
    let run = server.get(&format!("/api/v1/runs/{job}"));
    assert_eq!(
        (&run["run"]["task"], &run["progress"]["baseline"]["metric"]),
        (&json!("sentiment"), &json!("accuracy"))
    );

    server.json(404, "GET", "/api/v1/training/status/nothing", &json!({}));
    let broken = submission("d3", "nothing but a heading\n");
    let problem = server.json(422, "POST", "/api/v1/training/submit", &broken);
    assert!(problem["detail"].as_str().unwrap().contains("prompt_data.csv"), "{problem:#}");
    let mut odd = other.clone();
    odd["config"]["phases"] = json!(7);
    server.json(422, "POST", "/api/v1/training/submit", &odd);
    odd["csv_files"] = json!([]);
    server.json(422, "POST", "/api/v1/training/submit", &odd);
}
