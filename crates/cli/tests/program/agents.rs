//! Agents as processes beside a server: they take versions, prove it, go on answering while the server is down, and recover.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::{Ipv4Addr, SocketAddr, TcpStream},
    process::Command,
    thread::sleep,
    time::{Duration, Instant},
};

use graft_core::agents::{bundle_digest, proof};
use serde_json::{Value, json};

use crate::common::{
    Graft,
    server::{Server, send},
};

const TASK: &str = "text-classification";

/// A server with two trained versions, `v1` active, and a token for agents.
struct Fleet {
    graft: Graft,
    server: Option<Server>,
    address: SocketAddr,
    admin: String,
    token: String,
}

impl Fleet {
    fn start() -> Self {
        let graft = Graft::with_toy_task();
        let train = |more: &[&str]| {
            let learns = ["train", TASK, "--base", "tiny", "--epochs", "12", "--learning-rate", "1e-2"];
            let rest = ["--threads", "1", "--split", "random", "--precision", "f32", "--skip-base"];
            graft.ok(&[&learns[..], &rest, more].concat());
        };
        train(&["--activate"]);
        train(&["--seed", "5"]);
        let token = |role: &str| graft.json(&["tokens", "add", role, "--role", role])["secret"].clone();
        let (admin, token) = (token("admin"), token("agent"));
        let bind = free_address();
        let mut fleet = Self {
            graft,
            server: None,
            address: bind,
            admin: admin.as_str().unwrap().to_owned(),
            token: token.as_str().unwrap().to_owned(),
        };
        fleet.serve();
        fleet
    }

    fn serve(&mut self) {
        let bind = self.address.to_string();
        self.server = Some(Server::started(self.graft.command(&["serve", "--no-worker", "--bind", &bind])));
    }

    fn ask(&self, token: &str, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let bearer = format!("Bearer {token}");
        let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let (status, text) = send(self.address, method, path, &headers, body.as_bytes()).unwrap();
        (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }

    fn admin(&self, method: &str, path: &str, body: &Value) -> Value {
        let (status, said) = self.ask(&self.admin, method, path, body);
        assert_eq!(status, 200, "{method} {path}: {said}");
        said
    }

    fn activate(&self, version: &str) {
        self.admin("POST", &format!("/api/v1/versions/{TASK}/{version}/activate"), &json!({"force": true}));
    }

    fn agents(&self) -> Value {
        self.admin("GET", &format!("/api/v1/tasks/{TASK}/agents"), &Value::Null)
    }

    fn agent(&self, name: &str) -> Value {
        let all = self.agents();
        let found = all["agents"].as_array().unwrap().iter().find(|agent| agent["name"] == name);
        found.cloned().unwrap_or_default()
    }

    /// Waits until an agent is as wanted.
    #[track_caller]
    fn wait(&self, name: &str, is: impl Fn(&Value) -> bool) -> Value {
        let began = Instant::now();
        loop {
            let agent = self.agent(name);
            if is(&agent) {
                return agent;
            }
            assert!(began.elapsed() < Duration::from_secs(90), "{name} stays {agent:#}");
            sleep(Duration::from_millis(50));
        }
    }

    #[track_caller]
    fn wait_synced(&self, name: &str, version: &str) -> Value {
        self.wait(name, |agent| agent["state"] == "synced" && agent["held_version"] == version)
    }

    /// An agent with a home of its own beside this one.
    fn command(&self, name: &str) -> Command {
        let url = format!("http://{}", self.address);
        let args = ["agent", "--server", &url, "--task", TASK, "--name", name, "--bind", "127.0.0.1:0"];
        let mut command = self.graft.command(&args);
        command.env("GRAFT_HOME", self.home(name)).env("GRAFT_AGENT_TOKEN", &self.token);
        command
    }

    fn home(&self, name: &str) -> std::path::PathBuf {
        self.graft.dir.path().join(name)
    }

    /// Gives an agent's home the base model that its versions need.
    fn add_base(&self, name: &str) {
        let mut add =
            self.graft.command(&["base", "add", "tiny", crate::common::model("tiny-llama").to_str().unwrap()]);
        assert!(add.env("GRAFT_HOME", self.home(name)).status().unwrap().success());
    }

    fn agent_process(&self, name: &str) -> Server {
        self.add_base(name);
        Server::started(self.command(name))
    }

    /// The next notice for an agent that is played by the test.
    fn notice(&self, name: &str) -> Value {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let path = format!("/api/v1/tasks/{TASK}/agents/{name}/events");
        let (address, token) = (self.address, &self.token);
        write!(stream, "GET {path} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {token}\r\n\r\n").unwrap();
        for line in BufReader::new(stream).lines() {
            if let Some(data) = line.unwrap().strip_prefix("data: ") {
                return serde_json::from_str(data).unwrap();
            }
        }
        panic!("the stream of {name} ended");
    }

    fn hello(&self, name: &str, hello: &Value) -> (u16, Value) {
        self.ask(&self.token, "PUT", &format!("/api/v1/tasks/{TASK}/agents/{name}"), hello)
    }

    fn report(&self, name: &str, report: &Value) -> (u16, Value) {
        self.ask(&self.token, "POST", &format!("/api/v1/tasks/{TASK}/agents/{name}/reports"), report)
    }

    /// The bytes of a bundle: the helper of other tests reads texts.
    fn bundle(&self, digest: &str) -> Vec<u8> {
        use std::io::Read as _;
        let mut stream = TcpStream::connect(self.address).unwrap();
        let path = format!("/api/v1/tasks/{TASK}/bundles/{digest}");
        let (address, token) = (self.address, &self.token);
        let head = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {token}\r\n");
        write!(stream, "{head}connection: close\r\n\r\n").unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let end = answer.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
        let head = String::from_utf8(answer[..end].to_vec()).unwrap();
        assert!(head.contains(&format!("etag: \"{digest}\"")), "{head}");
        answer.split_off(end + 4)
    }
}

fn free_address() -> SocketAddr {
    (Ipv4Addr::LOCALHOST, graft_testkit::free_port().unwrap()).into()
}

fn infer(address: SocketAddr, headers: &[(&str, &str)]) -> Value {
    let headers = [headers, &[("content-type", "application/json")]].concat();
    let ask = json!({"task": TASK, "input": "yes yes yes 7"}).to_string();
    let (status, text) = send(address, "POST", "/api/v1/infer", &headers, ask.as_bytes()).unwrap();
    assert_eq!(status, 200, "{text}");
    serde_json::from_str(&text).unwrap()
}

/// What must be the same wherever a version answers.
fn answered(answer: &Value) -> Value {
    json!([answer["version"], answer["generation"], answer["output"], answer["confidence"], answer["fields"]])
}

#[test]
fn agents_take_versions_answer_as_the_server_does_and_go_on_without_it() {
    let mut fleet = Fleet::start();
    let agent = fleet.agent_process("kitchen");
    let row = fleet.wait_synced("kitchen", "v1");
    assert_eq!(row["held"], fleet.agents()["wanted"]["digest"]);
    let bearer = format!("Bearer {}", fleet.admin);
    let of_server = infer(fleet.address, &[("authorization", &bearer)]);
    let v1 = infer(agent.address, &[]);
    assert_eq!((answered(&v1), &v1["version"]), (answered(&of_server), &json!("v1")), "the same answer to the bit");
    let (status, _) = send(agent.address, "GET", "/api/v1/versions", &[], b"").unwrap();
    assert_eq!(status, 404, "an agent only answers");

    // A new version replaces it while requests run: each answer is of one of the two, never of anything else.
    fleet.activate("v2");
    let began = Instant::now();
    let mut last = json!("v1");
    while last != "v2" {
        let answer = infer(agent.address, &[]);
        assert!(answer["version"] == "v2" || answer["version"] == last, "back to {}", answer["version"]);
        last = answer["version"].clone();
        assert!(began.elapsed() < Duration::from_secs(90), "it stays at v1");
    }
    fleet.wait_synced("kitchen", "v2");

    // Without its server it answers, also after a restart.
    drop(fleet.server.take());
    assert_eq!(infer(agent.address, &[])["version"], "v2");
    drop(agent);
    let agent = Server::started(fleet.command("kitchen"));
    let alone = infer(agent.address, &[]);
    assert_eq!(alone["version"], "v2");

    // The server comes back with what it knew, and the agent takes the next version.
    fleet.serve();
    fleet.activate("v1");
    fleet.wait_synced("kitchen", "v1");
    assert_eq!(answered(&infer(agent.address, &[])), answered(&v1));
}

#[test]
fn an_agent_that_is_killed_while_it_takes_a_version_serves_the_old_or_the_new_one() {
    let fleet = Fleet::start();
    let mut random = crate::common::Random::new(crate::common::seed());
    println!("repeat it with GRAFT_SEED={}", crate::common::seed());
    drop(fleet.agent_process("van"));
    let mut process = Server::started(fleet.command("van"));
    fleet.wait_synced("van", "v1");
    for round in 0..6 {
        let version = ["v2", "v1"][round % 2];
        fleet.activate(version);
        sleep(Duration::from_millis(random.below(400)));
        process.child.kill().unwrap();
        process.child.wait().unwrap();
        process = Server::started(fleet.command("van"));
        // Whatever it was at: what is there answers whole.
        let answer = infer(process.address, &[]);
        assert!(["v1", "v2"].contains(&answer["version"].as_str().unwrap()), "{answer}");
        fleet.wait_synced("van", version);
        assert_eq!(infer(process.address, &[])["version"], version);
    }
    let held: Vec<_> = std::fs::read_dir(fleet.home("van").join("adapters").join(TASK)).unwrap().collect();
    assert!(held.len() <= 4, "only the last two are kept, and what was being written: {held:?}");
}

#[test]
fn an_agent_without_the_base_model_says_so_and_recovers() {
    let fleet = Fleet::start();
    let agent = Server::started(fleet.command("cellar"));
    let row = fleet.wait("cellar", |agent| agent["problem"].is_string());
    assert!(row["problem"].as_str().unwrap().contains("base"), "{row:#}");
    assert_eq!(row["held"], Value::Null);
    fleet.add_base("cellar");
    fleet.wait_synced("cellar", "v1");
    assert_eq!(infer(agent.address, &[])["version"], "v1");
}

#[test]
fn the_server_believes_proofs_only() {
    let fleet = Fleet::start();
    let hello = json!({"graft": "0.0.9", "format": 1});
    let (status, said) = fleet.hello("liar", &json!({"graft": "0.0.9", "format": 1, "wave": 101}));
    assert_eq!((status, &said["errors"][0]["field"]), (422, &json!("wave")), "{said}");
    assert_eq!(fleet.hello("liar", &hello).0, 200);
    let notice = fleet.notice("liar");
    let (digest, nonce) = (notice["digest"].as_str().unwrap(), notice["nonce"].as_str().unwrap());
    assert_eq!((&notice["version"], &notice["attempt"]), (&json!("v1"), &json!(1)));

    // It repeats the digest that it was told, without having the bundle.
    let said = fleet.report("liar", &json!({"nonce": nonce, "digest": digest, "proof": digest})).1;
    assert_eq!((&said["agent"]["state"], &said["agent"]["held"]), (&json!("pending"), &Value::Null));
    assert!(said["agent"]["problem"].as_str().unwrap().contains("could not prove"), "{said}");
    // It is told again, with another nonce, and takes another version.
    let second = fleet.notice("liar");
    assert_eq!((&second["digest"], &second["attempt"]), (&notice["digest"], &json!(2)));
    assert_ne!(second["nonce"], nonce);
    let other = bundle_digest(b"another bundle");
    let said = fleet.report("liar", &json!({"nonce": second["nonce"], "digest": other, "proof": other})).1;
    assert!(said["agent"]["problem"].as_str().unwrap().contains("where it was told of"), "{said}");
    // The proof of an earlier notice is of no account.
    let bundle = fleet.bundle(digest);
    assert_eq!(bundle_digest(&bundle).as_str(), digest);
    let late = fleet.report("liar", &json!({"nonce": nonce, "digest": digest, "proof": proof(nonce, &bundle)})).1;
    assert_eq!(late["agent"]["held"], Value::Null);
    for attempt in [3, 4] {
        let notice = fleet.notice("liar");
        assert_eq!(notice["attempt"], attempt);
        fleet.report("liar", &json!({"nonce": notice["nonce"], "digest": digest, "problem": "no room"}));
    }
    let row = fleet.agent("liar");
    assert_eq!((&row["state"], &row["problem"]), (&json!("failed"), &json!("no room")));
    assert_eq!((&row["graft"], &row["other_graft"]), (&json!("0.0.9"), &json!(true)), "an old one is shown as such");

    // It recovers as soon as it is honest.
    assert_eq!(fleet.hello("liar", &hello).1["agent"]["state"], "syncing");
    let notice = fleet.notice("liar");
    let proof = proof(notice["nonce"].as_str().unwrap(), &bundle);
    let said = fleet.report("liar", &json!({"nonce": notice["nonce"], "digest": digest, "proof": proof})).1;
    assert_eq!((&said["agent"]["state"], &said["agent"]["held_version"]), (&json!("synced"), &json!("v1")));
    // What it claims to hold after that is proven again where it is another.
    let claims = json!({"graft": "0.0.9", "format": 1, "holds": other});
    assert_eq!(fleet.hello("liar", &claims).1["agent"]["state"], "syncing");

    // Who reads no bundles of this form is told what to do.
    let old = fleet.hello("ancient", &json!({"graft": "0.0.1", "format": 0})).1;
    assert_eq!(old["agent"]["state"], "failed");
    assert!(old["agent"]["problem"].as_str().unwrap().contains("update Graft there"), "{old}");
    // Later waves wait for one that fails.
    assert_eq!(fleet.hello("later", &json!({"graft": "0.1.0", "format": 1, "wave": 2})).1["agent"]["state"], "pending");
    assert!(fleet.agents()["next"].as_str().unwrap().starts_with("Wave 1 takes v1: 0 of 2"), "{:#}", fleet.agents());

    // The token of agents has no other right, and no other token speaks for an agent.
    for (method, path) in
        [("GET", "/api/v1/tasks"), ("GET", "/api/v1/events"), ("POST", "/api/v1/infer"), ("GET", "/api/v1/versions")]
    {
        assert_eq!(fleet.ask(&fleet.token, method, path, &json!({})).0, 403, "{method} {path}");
    }
    let viewer = fleet.graft.json(&["tokens", "add", "reader", "--role", "viewer"])["secret"].clone();
    let path = format!("/api/v1/tasks/{TASK}/agents/liar");
    assert_eq!(fleet.ask(viewer.as_str().unwrap(), "PUT", &path, &hello).0, 403);
    assert_eq!(fleet.ask(&fleet.admin, "PUT", &path, &hello).0, 409);
    let listed = fleet.graft.ok(&["agents", "list"]);
    assert!(listed.contains("ancient") && listed.contains("update Graft there"), "{listed}");
    fleet.graft.ok(&["agents", "remove", "liar"]);
    assert_eq!(fleet.ask(&fleet.admin, "PUT", &path, &hello).0, 200, "the name is free again");
}

#[test]
fn a_bundle_moves_a_version_with_all_that_it_needs() {
    let fleet = Fleet::start();
    let (bundle, twice) = (fleet.graft.dir.path().join("v1.zip"), fleet.graft.dir.path().join("twice.zip"));
    for path in [&bundle, &twice] {
        fleet.graft.ok(&["adapter", "export", "v1", "--bundle", path.to_str().unwrap()]);
    }
    let bytes = std::fs::read(&bundle).unwrap();
    assert_eq!(bytes, std::fs::read(&twice).unwrap(), "the same version is the same bytes");
    let agent = ["agent", "--server", "http://127.0.0.1:1", "--task", TASK];
    fleet.graft.fails(2, &agent, "which has versions of its own");
    fleet.graft.fails(2, &[&agent[..], &["--wave", "101"]].concat(), "101 is not in 1..=100");
    assert_eq!(fleet.agents()["wanted"]["digest"], json!(bundle_digest(&bytes)), "and what agents are sent");
    let text = String::from_utf8_lossy(&bytes).into_owned();
    assert!(!text.contains("yes yes yes"), "no example goes along");

    let elsewhere = Graft::new();
    elsewhere.ok(&["base", "add", "tiny", crate::common::model("tiny-llama").to_str().unwrap()]);
    let added = elsewhere.json(&["models", "add", bundle.to_str().unwrap()]);
    assert_eq!((&added["name"], &added["stage"]), (&json!("v1"), &json!("shadow")));
    let answer = |graft: &Graft| {
        let args = ["infer", "--task", TASK, "--version", "v1", "--message", "yes yes yes 7"];
        answered(&serde_json::from_str(graft.ok(&args).lines().next().unwrap()).unwrap())
    };
    assert_eq!(answer(&elsewhere), answer(&fleet.graft));

    let mut damaged = bytes.clone();
    let middle = damaged.len() / 2;
    damaged[middle] ^= 1;
    let path = fleet.graft.dir.path().join("damaged.zip");
    std::fs::write(&path, damaged).unwrap();
    let other = Graft::new();
    other.fails(10, &["models", "add", path.to_str().unwrap()], "read the version bundle");
    std::fs::write(&path, &bytes[..middle]).unwrap();
    other.fails(10, &["models", "add", path.to_str().unwrap()], "read the version bundle");
}

/// A connection of the real client that holds versions in memory.
struct Held {
    digest: Option<graft_core::Digest>,
    /// What goes wrong with the second version.
    fault: Option<Fault>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    /// It ends in the middle.
    Killed,
    /// It takes too long.
    Slow(Duration),
}

impl graft_agent::Holder for Held {
    fn held(&self) -> Option<graft_core::Digest> {
        self.digest.clone()
    }

    fn hold(&mut self, bundle: &[u8]) -> Result<(), String> {
        if self.digest.is_some() {
            match self.fault.take() {
                // The thread ends without its message among those of the test.
                Some(Fault::Killed) => std::panic::resume_unwind(Box::new("killed")),
                Some(Fault::Slow(time)) => sleep(time),
                None => {}
            }
        }
        self.digest = Some(bundle_digest(bundle));
        Ok(())
    }
}

/// Starts a connection; it ends with the test's process.
fn connect(fleet: &Fleet, name: &str, mut held: Held) {
    let client = graft_agent::Agent::new(graft_agent::Options {
        server: format!("http://{}", fleet.address),
        token: Some(fleet.token.clone()),
        task: TASK.to_owned(),
        name: name.to_owned(),
        wave: 1,
        ca_file: None,
    });
    let client = client.unwrap();
    std::thread::spawn(move || client.follow(&mut held));
}

/// Waits until so many agents hold a version; returns all.
fn wait_for(fleet: &Fleet, version: &str, count: usize) -> Vec<Value> {
    let began = Instant::now();
    loop {
        let all = fleet.agents()["agents"].as_array().unwrap().clone();
        let synced = all.iter().filter(|a| a["state"] == "synced" && a["held_version"] == version).count();
        if synced >= count {
            return all;
        }
        assert!(began.elapsed() < Duration::from_secs(300), "{synced} of {count} hold {version}: {all:#?}");
        sleep(Duration::from_millis(100));
    }
}

/// Of many agents, one in ten is killed, lies or is slow. A few are processes, the others are connections of the real client.
/// `cargo xtask campaign agents` has 200 of them, 5 as processes.
#[test]
fn many_agents_take_a_new_version_and_those_with_faults_are_shown_and_recover() {
    let long = std::env::var("GRAFT_CAMPAIGN").ok().and_then(|count| count.parse().ok());
    let (count, slow): (usize, _) = (long.unwrap_or(30), Duration::from_secs(if long.is_some() { 35 } else { 1 }));
    let processes = if long.is_some() { 5 } else { 2 };
    let mut fleet = Fleet::start();
    let faults = count / 10;
    let name = |i: usize| format!("a{i:03}");
    // Faults take turns: killed, lying, slow.
    let is_liar = |i: usize| i < faults && i % 3 == 1;
    let running: Vec<Server> = (count - processes..count).map(|i| fleet.agent_process(&name(i))).collect();
    for i in (0..count - processes).filter(|i| !is_liar(*i)) {
        let fault = (i < faults).then_some(if i % 3 == 0 { Fault::Killed } else { Fault::Slow(slow) });
        connect(&fleet, &name(i), Held { digest: None, fault });
    }
    let hello = json!({"graft": "0.1.0", "format": 1});
    let prove = |i: usize, notice: &Value, bundle: &[u8]| {
        let proof = proof(notice["nonce"].as_str().unwrap(), bundle);
        fleet.report(&name(i), &json!({"nonce": notice["nonce"], "digest": notice["digest"], "proof": proof}))
    };
    for i in (0..count).filter(|i| is_liar(*i)) {
        assert_eq!(fleet.hello(&name(i), &hello).0, 200);
        let notice = fleet.notice(&name(i));
        let bundle = fleet.bundle(notice["digest"].as_str().unwrap());
        prove(i, &notice, &bundle);
    }
    wait_for(&fleet, "v1", count);

    let at = graft_engine::now();
    fleet.activate("v2");
    for i in (0..count).filter(|i| is_liar(*i)) {
        let notice = fleet.notice(&name(i));
        let lie = json!({"nonce": notice["nonce"], "digest": notice["digest"], "proof": notice["digest"]});
        let said = fleet.report(&name(i), &lie).1;
        assert!(said["agent"]["problem"].as_str().unwrap().contains("could not prove"), "{said}");
        assert_ne!(said["agent"]["state"], "synced");
    }
    let all = wait_for(&fleet, "v2", count - faults);
    let took = |agent: &Value| agent["synced_at"].as_i64().unwrap_or_default() - at;
    let mut times: Vec<i64> =
        all.iter().filter(|a| a["state"] == "synced" && a["held_version"] == "v2").map(took).collect();
    times.sort_unstable();
    let (half, last) = (times[times.len() / 2], times[times.len() - 1]);
    println!("{} of {count} agents took the new version: half of them in {half} ms, all in {last} ms", times.len());
    let behind = all.iter().filter(|agent| agent["held_version"] != "v2").count();
    println!("{faults} were killed, lied or were slow; {behind} of them were shown as behind then");

    // Those killed are started again, liars become honest, slow ones are told once more.
    for i in (0..faults).filter(|i| i % 3 == 0) {
        connect(&fleet, &name(i), Held { digest: None, fault: None });
    }
    for i in (0..count).filter(|i| is_liar(*i)) {
        let notice = fleet.notice(&name(i));
        let bundle = fleet.bundle(notice["digest"].as_str().unwrap());
        assert_eq!(prove(i, &notice, &bundle).1["agent"]["state"], "synced");
    }
    let all = wait_for(&fleet, "v2", count);
    let last = all.iter().map(took).max().unwrap();
    println!("all {count} held it {last} ms after it became active");
    drop(fleet.server.take());
    for agent in &running {
        assert_eq!(infer(agent.address, &[])["version"], "v2", "it answers without its server");
    }
}
