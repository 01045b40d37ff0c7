//! Continuous learning, while workers and trainers are killed.

use std::{
    process::{Child, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::common::{Graft, Random, seed, signal};

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

/// A home whose live adapter waits with 24 approvals.
fn waiting() -> Graft {
    let graft = Graft::with_toy_task();
    let learns = ["train", TASK, "--base", "tiny", "--epochs", "20", "--learning-rate", "1e-2", "--threads", "1"];
    let more = ["--split", "random", "--precision", "f32", "--activate", "--skip-base"];
    graft.ok(&[&learns[..], &more].concat());
    let settings = ["--windows", "12", "--minutes", "60", "--batch", "8", "--forgetting", "1"];
    let live = graft.json(&[&["live", "start", TASK][..], &settings].concat());
    assert_eq!((&live["live"]["head"], &live["live"]["state"]), (&json!("v1"), &json!("running")));
    let rows: String =
        (60..84).map(|i| format!("{}{i},\n", if i % 2 == 1 { "yes " } else { "no " }.repeat(6))).collect();
    graft.ok(&["import", "csv", graft.file("more.csv", &format!("text,label\n{rows}")).to_str().unwrap()]);
    for example in
        graft.json(&["examples", "list", "--state", "pending", "--limit", "50"])["examples"].as_array().unwrap()
    {
        let label = if example["input"].as_str().unwrap().starts_with("yes") { "good" } else { "bad" };
        graft.ok(&["examples", "edit", example["id"].as_str().unwrap(), "--output", label]);
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
