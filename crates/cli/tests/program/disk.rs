//! A file operation fails at every possible point: the error is clear, nothing is damaged, and the same command works
//! afterwards.

use std::{
    fs,
    os::unix::{fs::MetadataExt as _, process::CommandExt as _},
    path::Path,
    process::Command,
};

use serde_json::json;

use crate::common::{Graft, Said, points, server::Server};

const TRAIN: [&str; 13] = [
    "train",
    "text-classification",
    "--base",
    "tiny",
    "--epochs",
    "0.3",
    "--batch-size",
    "8",
    "--checkpoints-per-epoch=8",
    "--threads",
    "1",
    "--rank=2",
    "--no-eval",
];

/// Runs a command whose `k`-th operation on files and all after it fail; nothing when it has no `k`-th.
fn struck(graft: &Graft, args: &[&str], k: u64, kind: &str) -> Option<(Said, String)> {
    let mark = graft.dir.path().join("mark");
    let _ = fs::remove_file(&mark);
    let mut command = graft.command(args);
    command.env("GRAFT_FAULT", format!("{k}:{kind}:{}", mark.display()));
    let said = Said::of(command);
    let Ok(point) = fs::read_to_string(&mark) else {
        assert_eq!(said.code, 0, "{}", said.stderr);
        return None;
    };
    Some((said, format!("point {k}, {kind}: {point}")))
}

/// What people read when a disk refuses: which file, and what to do.
fn is_clear(graft: &Graft, said: &Said, point: &str) {
    assert_eq!(said.code, 1, "{point}: {}", said.stderr);
    assert!(said.stderr.contains("error: failed to"), "{point}: {}", said.stderr);
    assert!(said.stderr.contains("hint: "), "{point} has no hint: {}", said.stderr);
    let names_a_path = said.stderr.contains(graft.dir.path().to_str().unwrap());
    assert!(names_a_path, "{point} names no path: {}", said.stderr);
}

/// Every version and run is complete, and there are no unused files.
fn is_whole(graft: &Graft, point: &str) {
    let swept = graft.json(&["sweep"]);
    assert_eq!(swept["missing"], json!([]), "{point}: {swept}");
    let (model, _) = graft_nn::Model::open(&crate::common::model("tiny-llama")).unwrap();
    for version in graft.json(&["models", "list"])["versions"].as_array().unwrap() {
        let folder = graft.home().join(version["adapter_dir"].as_str().unwrap());
        graft_train::load_adapter(&folder, &model).unwrap_or_else(|error| panic!("{point}: {error:?}"));
    }
}

/// The same command works. A trainer that outlived its starter may still be at work where the disk refuses: then it works
/// once that one has ended too.
fn goes_on(graft: &Graft, point: &str) {
    let said = graft.run(&TRAIN);
    if said.code != 0 {
        assert!(said.stderr.contains("its trainer ended without a result"), "{point}: {}", said.stderr);
        graft.ok(&TRAIN);
    }
}

#[test]
fn training_reports_every_refused_write_and_resumes() {
    let graft = Graft::with_toy_task();
    for kind in ["full", "read-only", "broken"] {
        let (mut k, stride) = points(11);
        while let Some((said, point)) = struck(&graft, &TRAIN, k, kind) {
            // Caches and old checkpoints are worth no failure.
            if said.code != 0 {
                is_clear(&graft, &said, &point);
            }
            is_whole(&graft, &point);
            let before = graft.json(&["models", "list"])["versions"].as_array().unwrap().len();
            goes_on(&graft, &point);
            is_whole(&graft, &point);
            let after = graft.json(&["models", "list"])["versions"].as_array().unwrap().len();
            assert_eq!(after, before + 1, "{point}");
            k += stride;
        }
        assert!(k > 15, "a training passes {k} points");
    }
}

#[test]
fn backup_is_complete_or_absent_after_any_refused_write() {
    let graft = Graft::with_toy_task();
    graft.ok(&TRAIN);
    let (file, list) = (graft.dir.path().join("all.zip"), graft.json(&["models", "list"]));
    let (home, aside) = (graft.home(), graft.dir.path().join("aside"));
    let backup = ["backup", file.to_str().unwrap()];
    let (mut k, stride) = points(3);
    while let Some((said, point)) = struck(&graft, &backup, k, "full") {
        is_clear(&graft, &said, &point);
        assert!(!file.exists(), "{point}");
        k += stride;
    }
    assert!(file.exists() && k > 5, "a backup passes {k} points");
    fs::rename(&home, &aside).unwrap();
    let restore = ["restore", file.to_str().unwrap()];
    for kind in ["full", "read-only"] {
        let (mut k, stride) = points(3);
        while let Some((said, point)) = struck(&graft, &restore, k, kind) {
            is_clear(&graft, &said, &point);
            assert_eq!(leftovers(&home), Vec::<String>::new(), "{point}");
            k += stride;
        }
        assert_eq!(graft.json(&["models", "list"]), list);
        is_whole(&graft, kind);
        fs::remove_dir_all(&home).unwrap();
    }
}

/// What a restore that failed must not leave: anything but an empty database and empty folders.
fn leftovers(home: &Path) -> Vec<String> {
    let entries = fs::read_dir(home).unwrap().flatten().map(|entry| entry.path());
    let full = entries.filter(|path| !path.is_dir() || fs::read_dir(path).unwrap().next().is_some());
    let names = full.map(|path| path.file_name().unwrap().to_string_lossy().into_owned());
    names.filter(|name| !name.starts_with("graft.db")).collect()
}

/// The first pending example of the toy task, which is added here.
fn pending(graft: &Graft) -> String {
    let csv = graft.file("more.csv", "text,label\nperhaps,\n");
    graft.ok(&["import", "csv", csv.to_str().unwrap()]);
    let found = graft.json(&["examples", "list", "--task", "text-classification", "--state", "pending"]);
    found["examples"][0]["id"].as_str().unwrap().to_owned()
}

#[test]
fn full_disk_is_reported_with_hint_and_loses_nothing() {
    let graft = Graft::with_toy_task();
    let path = format!("/api/v1/examples/text-classification/{}", pending(&graft).replace(':', "%3A"));
    // No file may grow beyond what the database has now, and a little: as on a disk that is nearly full.
    let blocks = fs::metadata(graft.home().join("graft.db")).unwrap().len() / 512 + 64;
    let mut command = Command::new("sh");
    command.args(["-c", &format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$@\""), "sh"]);
    command.args([env!("CARGO_BIN_EXE_graft"), "serve", "--no-worker", "--bind", "127.0.0.1:0"]);
    let server = Server::started(graft.at_home(command));
    let (mut revision, mut refused) = (1, 0);
    let edit = |server: &Server, revision: u64| {
        let body = json!({"revision": revision, "output": format!("{revision} {}", "long ".repeat(500))});
        let (status, text) =
            server.send("POST", &format!("{path}/edit"), "application/json", body.to_string().as_bytes());
        (status, serde_json::from_str::<serde_json::Value>(&text).unwrap())
    };
    while refused < 3 {
        let (status, answer) = edit(&server, revision);
        match status {
            200 => revision = answer["example"]["revision"].as_u64().unwrap(),
            507 => {
                refused += 1;
                assert!(answer["hint"].as_str().unwrap().contains("free space"), "{answer}");
            }
            other => panic!("{other}: {answer}"),
        }
        assert!(revision < 5000, "the disk is never full");
    }
    assert!(revision > 3, "the disk is full at once");
    assert_eq!(server.get(&path)["example"]["revision"], revision, "reading goes on");
    drop(server);
    let server = Server::start(&graft);
    assert_eq!(server.get(&path)["example"]["revision"], revision, "all that was acknowledged, and nothing else");
    assert_eq!(edit(&server, revision).0, 200);
    server.stop();
}

#[test]
fn read_only_database_is_reported_with_hint() {
    let graft = Graft::with_toy_task();
    let id = pending(&graft);
    let edit = ["examples", "edit", &id, "--output", "good"];
    let (home, program) = (graft.home(), graft.dir.path().join("graft"));
    // A copy, because a link would change the owner of the built program itself.
    fs::copy(env!("CARGO_BIN_EXE_graft"), &program).unwrap();
    // The superuser may write anywhere, so another user runs it.
    let is_root = fs::metadata("/proc/self").is_ok_and(|about| about.uid() == 0);
    let sh = |line: &str| assert!(Command::new("sh").args(["-c", line]).status().unwrap().success(), "{line}");
    if is_root {
        sh(&format!("chown -R 65534:65534 {}", graft.dir.path().display()));
    }
    let try_to = |args: &[&str]| {
        let mut command = Command::new(&program);
        command.args(args);
        if is_root {
            command.uid(65534).gid(65534);
        }
        Said::of(graft.at_home(command))
    };
    for locked in [home.clone(), home.join("graft.db")] {
        sh(&format!("chmod -R a-w {}", locked.display()));
        let said = try_to(&edit);
        assert_ne!(said.code, 0, "{locked:?}: {}", said.stdout);
        assert!(said.stderr.contains(" database") && said.stderr.contains("hint: "), "{locked:?}: {}", said.stderr);
        sh(&format!("chmod -R u+w {}", home.display()));
    }
    let said = try_to(&edit);
    assert_eq!(said.code, 0, "{}", said.stderr);
}
