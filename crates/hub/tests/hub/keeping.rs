//! What Graft records, and which files it may delete.

use std::{fs, path::Path};

use crate::support::{COMMIT, REPO, Server, gguf, git_blob, hub, model, safetensors};
use crate::{quiet, reference};
use graft_hub::{Error, Hub, Source, installed};

fn pulled(folder: &Path, server: &Server) -> Hub {
    let hub = hub(folder, &server.url, |_| ());
    hub.pull(&reference(REPO), &mut quiet).unwrap();
    hub
}

#[test]
fn pulled_model_is_listed_and_removed_completely() {
    let (folder, server) = (tempfile::tempdir().unwrap(), Server::start(&model()));
    let hub = pulled(folder.path(), &server);
    let home = folder.path().join("graft");
    let list = installed(&home).unwrap();
    assert_eq!((list.len(), list[0].name.as_str(), list[0].present), (1, REPO, true));
    assert!(list[0].bytes > 700_000 && list[0].resolved.reference.contains(COMMIT));

    let removed = hub.remove(&reference(REPO)).unwrap();
    assert!(removed.freed_bytes > 700_000 && removed.kept.is_empty(), "{removed:?}");
    assert!(!folder.path().join("hf/hub/models--org--model").exists());
    assert!(installed(&home).unwrap().is_empty());
    assert!(matches!(hub.remove(&reference(REPO)), Err(Error::NotInstalled { .. })));
}

#[test]
fn cache_files_of_other_programs_are_kept() {
    let (folder, server) = (tempfile::tempdir().unwrap(), Server::start(&model()));
    let root = folder.path().join("hf/hub/models--org--model");
    let snapshot = root.join("snapshots").join(COMMIT);
    let other = root.join("snapshots").join("f".repeat(40));
    for (place, name) in [(&snapshot, "pytorch_model.bin"), (&snapshot, "config.json"), (&other, "config.json")] {
        fs::create_dir_all(place).unwrap();
        fs::write(place.join(name), "{\"model_type\":\"llama\"}").unwrap();
    }
    let hub = pulled(folder.path(), &server);
    // Another program's snapshot shares a blob that Graft downloaded.
    let shared = format!("../../blobs/{}", git_blob(b"{}"));
    std::os::unix::fs::symlink(&shared, other.join("tokenizer_config.json")).unwrap();

    let removed = hub.remove(&reference(REPO)).unwrap();
    assert_eq!(removed.kept.len(), 1);
    assert_eq!(fs::read(other.join("tokenizer_config.json")).unwrap(), b"{}");
    assert!(snapshot.join("pytorch_model.bin").exists() && snapshot.join("config.json").exists());
    assert!(!snapshot.join("model.safetensors").exists() && root.join("refs/main").exists());
}

#[test]
fn shared_file_is_deleted_with_its_last_name() {
    let (folder, server) = (tempfile::tempdir().unwrap(), Server::start(&model()));
    let hub = pulled(folder.path(), &server);
    let exact = reference(&format!("{REPO}@{COMMIT}"));
    assert_eq!(hub.pull(&exact, &mut quiet).unwrap().source, Source::Cache);
    assert!(hub.remove(&reference(REPO)).unwrap().deleted.is_empty());
    assert!(hub.find(&exact).is_ok());
    hub.remove(&exact).unwrap();
    assert!(!folder.path().join("hf/hub/models--org--model").exists());
}

#[test]
fn added_path_gets_a_name_and_is_never_deleted() {
    let folder = tempfile::tempdir().unwrap();
    let hub = hub(folder.path(), "http://127.0.0.1:1", |_| ());
    let path = folder.path().join("m.gguf");
    fs::write(&path, gguf(90)).unwrap();
    assert_eq!(hub.add("mine", &path).unwrap().source, Source::Path);
    assert_eq!(hub.find(&reference("mine")).unwrap().path, path);
    assert!(hub.add("mine", &path).is_ok());

    let other = folder.path().join("other.gguf");
    fs::write(&other, gguf(80)).unwrap();
    assert!(matches!(hub.add("mine", &other), Err(Error::NameTaken { .. })));
    for name in ["smollm2-135m", "a/b", "x.gguf", "", "a@hub"] {
        assert!(matches!(hub.add(name, &other), Err(Error::BadReference { .. })), "{name}");
    }
    let removed = hub.remove(&reference("mine")).unwrap();
    assert!(removed.deleted.is_empty() && path.exists());
    assert!(matches!(hub.find(&reference("mine")), Err(Error::Missing { .. })));
}

#[test]
fn record_cannot_make_graft_delete_other_files() {
    let folder = tempfile::tempdir().unwrap();
    let hub = hub(folder.path(), "http://127.0.0.1:1", |_| ());
    let path = folder.path().join("m.gguf");
    fs::write(&path, gguf(90)).unwrap();
    hub.add("mine", &path).unwrap();
    let records = folder.path().join("graft/bases/records");
    let record = fs::read_dir(&records).unwrap().next().unwrap().unwrap().path();
    let sly = records.join("../../../m.gguf");
    let text = fs::read_to_string(&record).unwrap();
    let text = text.replace("\"placed\": []", &format!("\"placed\": [{:?}, {:?}]", path, sly));
    fs::write(&record, text).unwrap();
    assert_eq!(hub.remove(&reference("mine")).unwrap().kept.len(), 2);
    assert!(path.exists());
    fs::write(&record, "{").unwrap();
    assert!(matches!(installed(&folder.path().join("graft")), Err(Error::Damaged { .. })));
}

#[test]
fn cache_filled_by_python_is_completed_online_and_used_offline() {
    let (folder, server) = (tempfile::tempdir().unwrap(), Server::start(&model()));
    let root = folder.path().join("hf/hub/models--org--model");
    let snapshot = root.join("snapshots").join(COMMIT);
    fs::create_dir_all(&snapshot).unwrap();
    fs::create_dir_all(root.join("refs")).unwrap();
    fs::write(root.join("refs/main"), COMMIT).unwrap();
    for (name, bytes) in model().into_iter().filter(|(name, _)| *name != "tokenizer_config.json") {
        if !name.contains('/') {
            fs::write(snapshot.join(name), bytes).unwrap();
        }
    }
    let offline = hub(folder.path(), &server.url, |settings| settings.offline = true);
    assert_eq!(offline.pull(&reference(REPO), &mut quiet).unwrap().source, Source::Cache);
    let unreachable = hub(folder.path(), "http://127.0.0.1:1", |_| ());
    assert_eq!(unreachable.pull(&reference(REPO), &mut quiet).unwrap().source, Source::Cache);
    assert!(server.log().is_empty());

    let hub = pulled(folder.path(), &server);
    assert!(snapshot.join("tokenizer_config.json").exists(), "the chat template is in it");
    assert_eq!(server.log().iter().filter(|line| line.starts_with("GET")).count(), 2, "a listing and the missing file");
    assert!(hub.find(&reference(REPO)).unwrap().files.iter().any(|file| file.ends_with("tokenizer_config.json")));
    assert_eq!(fs::read(snapshot.join("model.safetensors")).unwrap(), safetensors(700_000, 0));
}
