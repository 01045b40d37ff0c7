//! Adapters in a bucket: published completely, verified when they are downloaded, loaded by other machines.

use std::{
    process::Stdio,
    thread::sleep,
    time::{Duration, Instant},
};

use graft_testkit::{Postgres, S3};
use serde_json::json;

use crate::common::Graft;

const TASK: &str = "text-classification";
const SHORT: [&str; 9] = ["--base", "tiny", "--epochs", "0.2", "--batch-size", "8", "--no-eval", "--threads", "1"];
const WORK: [&str; 5] = ["worker", "--once", "--no-suggestions", "--backoff", "0.1"];
const VALIDATE: [&str; 5] = ["validate", "--task", TASK, "--version", "v1"];

fn submit(graft: &Graft) -> String {
    let reply = graft.json(&[&["queue", "submit", TASK], &SHORT[..]].concat());
    reply["run"]["id"].as_str().unwrap().to_owned()
}

#[test]
fn second_machine_loads_published_adapter() {
    let Some(postgres) = Postgres::shared() else { return };
    let (server, database) = (S3::start().unwrap(), postgres.database().unwrap());
    let machine = || Graft::on(database.clone()).with_bucket(&server);
    let one = machine();
    one.add_toy_task();
    let id = submit(&one);
    let folder = format!("adapters/{TASK}/{id}");
    one.ok(&WORK);
    assert!(server.keys().contains(&format!("{folder}/graft-files.json")), "{:?}", server.keys());

    let two = machine();
    two.ok(&["base", "add", "tiny", crate::common::model("tiny-llama").to_str().unwrap()]);
    assert_eq!(two.json(&["sweep"])["missing"], json!([]), "what another machine has is not missing here");
    let backup = two.dir.path().join("all.zip");
    two.ok(&["backup", backup.to_str().unwrap()]);
    assert!(two.home().join(&folder).is_dir(), "a backup holds every adapter");
    two.ok(&VALIDATE);

    std::fs::remove_dir_all(one.home().join("runs").join(&id)).unwrap();
    assert_eq!(one.json(&["sweep"])["missing"], json!([format!("run {id}")]));

    // Whatever the bucket does to an object, it is not used.
    std::fs::remove_dir_all(two.home().join(&folder)).unwrap();
    let weights = format!("{folder}/adapter_model.safetensors");
    server.change(&weights, |bytes| {
        let mut bytes = bytes.unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        Some(bytes)
    });
    let refused = two.fails(11, &VALIDATE, &weights);
    assert!(refused.stderr.contains("differs from what was published"), "{}", refused.stderr);
    assert!(!two.home().join(&folder).exists());
    // What the hint says.
    server.change(&format!("{folder}/graft-files.json"), |_| None);
    two.fails(11, &VALIDATE, "graft sweep");
    assert_eq!(one.json(&["sweep"])["published"], json!([folder]));
    two.ok(&VALIDATE);
    assert_eq!(server.refused(), 0);

    let mut command = two.command(&["sweep"]);
    command.env("AWS_SECRET_ACCESS_KEY", "another");
    let stranger = crate::common::Said::of(command);
    assert!(stranger.code == 2 && stranger.stderr.contains("AWS_SECRET_ACCESS_KEY"), "{}", stranger.stderr);

    // Another database can't use the place.
    let other = Graft::new().with_bucket(&server);
    other.add_toy_task();
    let id = submit(&other);
    other.ok(&WORK);
    let error = other.json(&["runs", "show", &id])["run"]["error"].as_str().unwrap().to_owned();
    assert!(error.contains("belongs to another database") && error.contains("its own prefix"), "{error}");

    // A restored copy has no say in the place, unless what was backed up is gone.
    let (backup, keys) = (backup.to_str().unwrap(), server.keys());
    server.change("adapters/newer/than/the-backup", |_| Some(vec![1]));
    let copy = Graft::new().with_bucket(&server);
    assert_eq!(copy.json(&["restore", backup])["not_published"], json!(server.url()));
    copy.ok(&["sweep", "--older-than", "0"]);
    copy.ok(&["models", "delete", "v1", "--task", TASK]);
    assert_eq!(server.keys().len(), keys.len() + 1, "{:?}", server.keys());
    let heir = Graft::new().with_bucket(&server);
    assert_eq!(heir.json(&["restore", backup, "--take-over"])["not_published"], json!(null));
    heir.ok(&["sweep", "--older-than", "0"]);
    assert_eq!(server.keys(), keys);

    two.ok(&["models", "delete", "v1", "--task", TASK]);
    assert_eq!(server.keys(), ["instance"]);
    server.change("adapters/nobody/knows/this", |_| Some(vec![1]));
    assert_eq!(one.json(&["sweep"])["kept"], json!([format!("{}/adapters/nobody/knows", server.url())]));
    one.ok(&["sweep", "--older-than", "0"]);
    assert_eq!(server.keys(), ["instance"]);

    // One adapter that was added twice lies there once, until neither version needs it.
    let made = one.home().join(&folder);
    for name in ["first", "second"] {
        one.ok(&["models", "add", made.to_str().unwrap(), "--version", name]);
    }
    let added = |server: &S3| server.keys().iter().filter(|key| key.contains("/added-")).count();
    let files = added(&server);
    one.ok(&["models", "delete", "first", "--task", TASK]);
    assert!(files > 0 && added(&server) == files, "{:?}", server.keys());
    one.ok(&["models", "delete", "second", "--task", TASK]);
    assert_eq!(added(&server), 0, "{:?}", server.keys());
}

#[test]
fn crash_before_database_row_publishes_nothing() {
    let server = S3::start().unwrap();
    let graft = Graft::new().with_bucket(&server);
    graft.add_toy_task();
    let id = submit(&graft);
    // The bucket's owner object and one file; the next write blocks for ever.
    server.allow_puts(Some(2));
    let mut worker = graft.command(&WORK).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let began = Instant::now();
    while server.keys().len() < 2 {
        assert!(began.elapsed() < Duration::from_secs(90), "{:?}", server.keys());
        sleep(Duration::from_millis(20));
    }
    worker.kill().unwrap();
    worker.wait().unwrap();
    assert_eq!(graft.json(&["models", "list"])["versions"], json!([]));
    assert!(!server.keys().iter().any(|key| key.ends_with("graft-files.json")), "{:?}", server.keys());
    server.allow_puts(None);
    graft.ok(&WORK);
    assert_eq!(graft.json(&["runs", "show", &id])["run"]["state"], "succeeded");
    assert_eq!(graft.json(&["models", "list"])["versions"].as_array().unwrap().len(), 1);
    let swept = graft.json(&["sweep", "--older-than", "0"]);
    assert_eq!((&swept["removed"], &swept["missing"]), (&json!([]), &json!([])), "{swept:#}");
    assert!(server.keys().contains(&format!("adapters/{TASK}/{id}/graft-files.json")));
}
