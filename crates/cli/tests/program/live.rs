//! Continuous learning, while workers and trainers are killed.

use std::{
    collections::HashSet,
    fs,
    net::{Ipv4Addr, SocketAddr},
    process::{Child, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::common::{
    Graft, Random, seed,
    server::{Server, send},
    signal,
};

const TASK: &str = "text-classification";

/// A worker, which ends with its test.
struct Worker(Child);

impl Worker {
    fn start(graft: &Graft) -> Self {
        let args = ["worker", "--once", "--no-suggestions", "--backoff", "0.2", "--slots", "1"];
        Self(graft.command(&args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    }

    /// Waits for its end, or kills it after a while; says whether it ended by itself.
    fn ends_within(&mut self, time: Duration) -> bool {
        let began = Instant::now();
        while began.elapsed() < time {
            if self.0.try_wait().unwrap().is_some() {
                return true;
            }
            sleep(Duration::from_millis(20));
        }
        false
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A home with a live adapter that makes a snapshot of 12 windows, and pending examples: each with its label.
fn learning(pending: u64) -> (Graft, Vec<(String, &'static str)>) {
    let graft = Graft::with_toy_task();
    let learns = ["train", TASK, "--base", "tiny", "--epochs", "20", "--learning-rate", "1e-2", "--threads", "1"];
    let more = ["--split", "random", "--precision", "f32", "--activate", "--skip-base"];
    graft.ok(&[&learns[..], &more].concat());
    let settings = ["--windows", "12", "--minutes", "60", "--batch", "8", "--forgetting", "1", "--keep", "100"];
    let live = graft.json(&[&["live", "start", TASK][..], &settings].concat());
    assert_eq!((&live["live"]["head"], &live["live"]["state"]), (&json!("v1"), &json!("running")));
    let rows: String =
        (60..60 + pending).map(|i| format!("{}{i},\n", if i % 2 == 1 { "yes " } else { "no " }.repeat(6))).collect();
    graft.ok(&["import", "csv", graft.file("more.csv", &format!("text,label\n{rows}")).to_str().unwrap()]);
    let listed = graft.json(&["examples", "list", "--state", "pending", "--limit", "5000"]);
    let labelled = |example: &Value| {
        let label = if example["input"].as_str().unwrap().starts_with("yes") { "good" } else { "bad" };
        (example["id"].as_str().unwrap().to_owned(), label)
    };
    let labels = listed["examples"].as_array().unwrap().iter().map(labelled).collect();
    (graft, labels)
}

/// A home whose live adapter waits with 24 approvals.
fn waiting() -> Graft {
    let (graft, labels) = learning(24);
    for (id, label) in labels {
        graft.ok(&["examples", "edit", &id, "--output", label]);
    }
    graft
}

fn status(graft: &Graft) -> Value {
    graft.json(&["live", "status", TASK])
}

fn digest(graft: &Graft, version: &Value) -> Value {
    graft.json(&["models", "info", version.as_str().unwrap(), "--task", TASK])["version"]["adapter_digest"].clone()
}

#[test]
fn kills_do_not_change_snapshots() {
    let calm = waiting();
    assert!(Worker::start(&calm).ends_within(Duration::from_secs(240)), "the worker does not end");
    let wanted = status(&calm);
    let snapshots = wanted["snapshots"].as_array().unwrap();
    assert_eq!(snapshots.len(), 2, "{wanted}");
    assert_eq!((&wanted["windows"]["all"], &wanted["windows"]["waiting"]), (&json!(24), &json!(0)));
    let ranges: Vec<_> =
        snapshots.iter().map(|one| (one["first"].as_i64().unwrap(), one["last"].as_i64().unwrap())).collect();
    assert_eq!(ranges, [(13, 24), (1, 12)], "each window belongs to one snapshot");
    assert!(snapshots.iter().all(|one| one["state"] == "accepted" && one["after"].is_number()), "{wanted}");
    assert_eq!((&snapshots[1]["parent"], &snapshots[0]["parent"]), (&json!("v1"), &snapshots[1]["version"]));
    assert_eq!(wanted["live"]["head"], snapshots[0]["version"]);
    // The first snapshot is beside the active version, and none is active by itself.
    let rollout = calm.json(&["rollout", "status", TASK]);
    assert_eq!(rollout["running"]["rollout"]["version"], snapshots[1]["version"]);
    assert_eq!(calm.json(&["models", "list"])["active"][TASK], "v1");

    let killed = waiting();
    let mut random = Random::new(seed());
    println!("repeat it with GRAFT_SEED={}", seed());
    let mut kills = 0;
    let began = Instant::now();
    loop {
        let mut worker = Worker::start(&killed);
        let patience = if kills < 12 { 300 + random.below(4_000) } else { 120_000 };
        if worker.ends_within(Duration::from_millis(patience)) {
            break;
        }
        kills += 1;
        let _ = worker.0.kill();
        if random.below(2) == 0 {
            for pid in killed.processes() {
                // It may have ended just now.
                let _ = signal(pid, "KILL");
            }
        }
        assert!(began.elapsed() < Duration::from_secs(400), "it does not end");
    }
    let found = status(&killed);
    for (one, other) in found["snapshots"].as_array().unwrap().iter().zip(snapshots) {
        for field in ["seq", "first", "last", "state", "before", "after", "parent", "version"] {
            assert_eq!(one[field], other[field], "{field} after {kills} kills: {found}");
        }
        assert_eq!(digest(&killed, &one["version"]), digest(&calm, &other["version"]), "after {kills} kills");
    }
    assert_eq!(found["windows"]["all"], 24);

    // Back to where it was, and the other switches.
    let rewound = killed.json(&["live", "rewind", TASK]);
    assert_eq!(rewound["live"]["head"], snapshots[1]["version"]);
    assert_eq!(killed.json(&["live", "rewind", TASK, "--to", "v1"])["live"]["head"], "v1");
    assert_eq!(status(&killed)["snapshots"][1]["state"], "rewound");
    assert_eq!(killed.json(&["live", "pause", TASK])["live"]["state"], "paused");
    assert!(killed.ok(&["live", "status", TASK]).contains("Paused"));
    assert_eq!(killed.json(&["live", "resume", TASK])["live"]["state"], "running");
}

#[test]
fn forgetting_snapshot_is_refused_and_next_starts_from_its_parent() {
    let graft = waiting();
    // People are wrong for a while: the opposite of what was held out.
    for example in graft.json(&["examples", "list", "--limit", "100"])["examples"].as_array().unwrap() {
        let number: u32 = example["input"].as_str().unwrap().rsplit(' ').next().unwrap().parse().unwrap();
        if number >= 60 {
            let label = if number % 2 == 1 { "bad" } else { "good" };
            graft.ok(&["examples", "edit", example["id"].as_str().unwrap(), "--output", label]);
        }
    }
    let settings = ["--windows", "24", "--minutes", "60", "--batch", "8", "--learning-rate", "0.02"];
    graft.ok(&[&["live", "start", TASK, "--from", "v1", "--forgetting", "0.02"][..], &settings].concat());
    assert!(Worker::start(&graft).ends_within(Duration::from_secs(240)), "the worker does not end");
    let found = status(&graft);
    let refused = &found["snapshots"][0];
    assert_eq!((&refused["state"], &found["live"]["head"]), (&json!("refused"), &json!("v1")), "{found}");
    assert!(refused["why"].as_str().unwrap().contains("it forgot"), "{refused}");
    assert!(refused["before"].as_f64() > refused["after"].as_f64(), "{refused}");
    let version = graft.json(&["models", "info", refused["version"].as_str().unwrap(), "--task", TASK]);
    assert_eq!((&version["version"]["stage"], &version["version"]["parent"]), (&json!("archived"), &json!("v1")));
    graft.fails(2, &["live", "start", TASK, "--windows", "0"], "use `0` for `windows`");
    graft.fails(11, &["live", "start", TASK, "--from", "v9"], "find version `v9`");
}

/// A server with its worker and an agent beside it, which are killed and come back.
struct Site {
    graft: Graft,
    address: SocketAddr,
    server: Server,
    agent: Server,
    admin: String,
    token: String,
}

impl Site {
    fn start(graft: Graft) -> Self {
        let token = |role: &str| {
            let made = graft.json(&["tokens", "add", role, "--role", role]);
            made["secret"].as_str().unwrap().to_owned()
        };
        let (admin, token) = (token("admin"), token("agent"));
        let address = (Ipv4Addr::LOCALHOST, graft_testkit::free_port().unwrap()).into();
        let base = crate::common::model("tiny-llama");
        let mut add = graft.command(&["base", "add", "tiny", base.to_str().unwrap()]);
        assert!(add.env("GRAFT_HOME", graft.dir.path().join("agent")).status().unwrap().success());
        let server = serve(&graft, address);
        let agent = follow(&graft, address, &token);
        Self { graft, address, server, agent, admin, token }
    }

    /// Asks the server until it answers: it may be down.
    fn asked(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let (began, bearer) = (Instant::now(), format!("Bearer {}", self.admin));
        let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
        loop {
            match send(self.address, method, path, &headers, body.to_string().as_bytes()) {
                Ok((status, text)) if status != 503 => return (status, serde_json::from_str(&text).unwrap()),
                other => assert!(began.elapsed() < Duration::from_secs(60), "{method} {path}: {other:?}"),
            }
            sleep(Duration::from_millis(50));
        }
    }

    #[track_caller]
    fn ask(&self, method: &str, path: &str, body: &Value) -> Value {
        let (status, said) = self.asked(method, path, body);
        assert_eq!(status, 200, "{method} {path}: {said}");
        said
    }

    /// Sends a decision as a page does: again, if the answer was lost, with the revision that the person saw.
    fn edit(&self, id: &str, label: &str) {
        let path = format!("/api/v1/examples/{TASK}/{}", id.replace(':', "%3A"));
        let revision = self.ask("GET", &path, &Value::Null)["example"]["revision"].clone();
        let (status, said) =
            self.asked("POST", &format!("{path}/edit"), &json!({"output": label, "revision": revision}));
        let is_done = || self.ask("GET", &path, &Value::Null)["example"]["output"] == label;
        assert!(status == 200 || (status == 409 && is_done()), "{id}: {status} {said}");
    }

    fn live(&self) -> Value {
        self.ask("GET", &format!("/api/v1/tasks/{TASK}/live"), &Value::Null)
    }

    /// Kills the server, the agent or a trainer; says whether there was one.
    fn kill(&mut self, random: &mut Random, killed: &mut HashSet<String>) -> bool {
        match random.below(3) {
            0 => {
                assert!(signal(self.server.child.id(), "KILL"));
                self.server.child.wait().unwrap();
                self.server = serve(&self.graft, self.address);
            }
            1 => {
                assert!(signal(self.agent.child.id(), "KILL"));
                self.agent.child.wait().unwrap();
                self.agent = follow(&self.graft, self.address, &self.token);
            }
            _ => {
                // One of each run: a run whose processes died three times is given up, and one may die with its server.
                let of = |pid: u32| {
                    let command = fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
                    command.split('\0').find(|word| word.contains("/runs/")).map(|dir| (pid, dir.to_owned()))
                };
                let mut alive = self.graft.processes().into_iter().filter_map(of);
                let found = alive.find(|(_, dir)| !killed.contains(dir));
                let Some((pid, dir)) = found else { return false };
                killed.insert(dir);
                return signal(pid, "KILL");
            }
        }
        true
    }

    /// Approves the examples one after the other, with so many kills meanwhile; then waits for the snapshots and for the agent
    /// that takes the newest of them.
    fn run(&mut self, labels: &[(String, &str)], kills: usize) -> Value {
        let mut random = Random::new(seed());
        let (mut killed, mut done) = (HashSet::new(), 0);
        for (place, (id, label)) in labels.iter().enumerate() {
            self.edit(id, label);
            while done < kills * (place + 1) / labels.len() {
                sleep(Duration::from_millis(100 + random.below(1500)));
                done += usize::from(self.kill(&mut random, &mut killed));
            }
        }
        println!("{done} kills, {} of them of trainers", killed.len());
        let began = Instant::now();
        let snapshots = labels.len() / 12;
        let found = loop {
            let found = self.live();
            let ended = found["snapshots"].as_array().unwrap().iter().filter(|one| one["state"] != "training").count();
            if ended == snapshots && found["windows"]["waiting"] == 0 {
                break found;
            }
            assert_eq!(found["live"]["state"], "running", "{found}");
            assert!(began.elapsed() < Duration::from_secs(600), "it does not end: {found}");
            sleep(Duration::from_millis(200));
        };
        let head = found["live"]["head"].as_str().unwrap();
        self.ask("POST", &format!("/api/v1/versions/{TASK}/{head}/activate"), &json!({"force": true}));
        loop {
            let agents = self.ask("GET", &format!("/api/v1/tasks/{TASK}/agents"), &Value::Null);
            let agent = &agents["agents"][0];
            if agent["state"] == "synced" && agent["held_version"] == head {
                assert_eq!(agent["held"], agents["wanted"]["digest"]);
                break;
            }
            assert!(began.elapsed() < Duration::from_secs(700), "the agent does not follow: {agents}");
            sleep(Duration::from_millis(200));
        }
        found
    }
}

fn serve(graft: &Graft, address: SocketAddr) -> Server {
    let mut command = graft.command(&["serve", "--bind", &address.to_string()]);
    command.env("GRAFT_WORKER_BACKOFF", "0.2").env("GRAFT_WORKER_SLOTS", "1");
    Server::started(command)
}

fn follow(graft: &Graft, address: SocketAddr, token: &str) -> Server {
    let url = format!("http://{address}");
    let args = ["agent", "--server", &url, "--task", TASK, "--name", "kitchen", "--bind", "127.0.0.1:0"];
    let mut command = graft.command(&args);
    command.env("GRAFT_HOME", graft.dir.path().join("agent")).env("GRAFT_AGENT_TOKEN", token);
    Server::started(command)
}

/// `GRAFT_KILLS` makes it long.
#[test]
fn stream_with_killed_server_trainer_and_agent_makes_the_same_snapshots() {
    let kills: usize = std::env::var("GRAFT_KILLS").map_or(9, |kills| kills.parse().unwrap());
    println!("repeat it with GRAFT_SEED={}", seed());
    // About three kills for each snapshot.
    let approvals = 12 * (kills as u64).div_ceil(3).max(2);
    let (graft, labels) = learning(approvals);
    let mut untouched = Site::start(graft);
    let calm = untouched.run(&labels, 0);
    let (graft, labels) = learning(approvals);
    let mut site = Site::start(graft);
    let found = site.run(&labels, kills);

    // From the record: every approval is one window, and each window belongs to one snapshot.
    assert_eq!((&found["windows"]["all"], &found["windows"]["buffered"]), (&json!(approvals), &json!(0)), "{found}");
    let snapshots = found["snapshots"].as_array().unwrap();
    let ranges: Vec<_> = snapshots.iter().rev().map(|one| (one["first"].as_u64(), one["last"].as_u64())).collect();
    let wanted: Vec<_> = (0..approvals / 12).map(|n| (Some(12 * n + 1), Some(12 * n + 12))).collect();
    assert_eq!(ranges, wanted);
    for (one, other) in snapshots.iter().zip(calm["snapshots"].as_array().unwrap()) {
        for field in ["seq", "state", "before", "after", "parent", "version"] {
            assert_eq!(one[field], other[field], "{field}: {one:#} {other:#}");
        }
        assert_eq!(digest(&site.graft, &one["version"]), digest(&untouched.graft, &other["version"]), "{one:#}");
    }
}
