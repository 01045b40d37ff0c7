//! Downloads into the cache, and interrupted or damaged ones.

use std::{
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
};

use crate::support::{COMMIT, REPO, Server, gguf, git_blob, hub, model, safetensors, sha256};
use crate::{quiet, reference};
use graft_core::ExitCode;
use graft_hub::{Error, Resolved, Source, Stop};

fn root(folder: &Path) -> PathBuf {
    folder.join("hf/hub/models--org--model")
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries.map(|entry| entry.file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn bytes_of(resolved: &Resolved, file: &str) -> Vec<u8> {
    fs::read(resolved.path.join(file)).unwrap()
}

#[test]
fn only_needed_files_are_stored_in_pythons_layout() {
    let (folder, server) = (tempfile::tempdir().unwrap(), Server::start(&model()));
    server.state().needs_token = true;
    let hub = hub(folder.path(), &server.url, |_| ());
    let mut last = Vec::new();
    let pulled =
        hub.pull(&reference(REPO), &mut |p| last.push((p.file.to_owned(), p.done_bytes, p.total_bytes))).unwrap();

    assert_eq!((pulled.source, pulled.reference.as_str()), (Source::Downloaded, &*format!("{REPO}@{COMMIT}")));
    let root = root(folder.path());
    assert_eq!(pulled.path, root.join("snapshots").join(COMMIT));
    let wanted = ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"];
    assert_eq!(names(&pulled.path), wanted);
    assert_eq!(fs::read_to_string(root.join("refs/main")).unwrap(), COMMIT);
    let sha = sha256(&safetensors(700_000, 0));
    let link = fs::read_link(pulled.path.join("model.safetensors")).unwrap();
    assert_eq!(link, Path::new("../../blobs").join(&sha));
    let mut blobs =
        vec![sha, git_blob(b"{\"model_type\":\"llama\"}"), git_blob(b"{}"), git_blob(b"{\"version\":\"1.0\"}")];
    blobs.sort();
    assert_eq!(names(&root.join("blobs")), blobs);
    assert_eq!(last.last().unwrap(), &("model.safetensors".to_owned(), 700_000, 700_000));

    server.log();
    let again = hub.pull(&reference(REPO), &mut quiet).unwrap();
    assert_eq!(again, Resolved { source: Source::Cache, ..pulled.clone() });
    assert_eq!(hub.find(&reference(&pulled.reference)).unwrap(), again);
    assert!(server.log().is_empty(), "what is in the cache needs no network");
}

#[test]
fn refused_model_downloads_no_weights() {
    let (folder, server) = (tempfile::tempdir().unwrap(), Server::start(&model()));
    let hub = hub(folder.path(), &server.url, |_| ()).checking(|folder| {
        let config = fs::read_to_string(folder.join("config.json")).unwrap();
        Err(graft_hub::Refusal { source: config.into(), hint: Some("take another".into()) })
    });
    let error = hub.pull(&reference(REPO), &mut quiet).unwrap_err();
    assert!(matches!(error, Error::Refused { .. }) && error.hint().as_deref() == Some("take another"), "{error:?}");
    assert!(
        server.log().iter().all(|line| !line.contains(&sha256(&safetensors(700_000, 0)))),
        "weights were asked for"
    );
}

#[test]
fn broken_download_continues_where_it_stopped() {
    let (folder, server) = (tempfile::tempdir().unwrap(), Server::start(&model()));
    let hub = hub(folder.path(), &server.url, |_| ());
    server.state().truncate = vec![300_000, 0, 0, 0];
    let error = hub.pull(&reference(REPO), &mut quiet).unwrap_err();
    assert!(matches!(error, Error::Unreachable { .. }), "{error:?}");
    assert_eq!(error.exit_code(), ExitCode::Network);
    let blob = root(folder.path()).join("blobs").join(sha256(&safetensors(700_000, 0)));
    assert!(!blob.exists() && blob.with_extension("incomplete").metadata().unwrap().len() == 300_000);
    assert!(matches!(hub.find(&reference(REPO)), Err(Error::Missing { .. })));

    server.log();
    server.state().truncate = vec![100_000];
    let pulled = hub.pull(&reference(REPO), &mut quiet).unwrap();
    assert_eq!(bytes_of(&pulled, "model.safetensors"), safetensors(700_000, 0));
    let ranges: Vec<String> = server.log().into_iter().filter(|line| line.starts_with("GET /blobs")).collect();
    assert!(ranges[0].ends_with("bytes=300000-") && ranges[1].ends_with("bytes=400000-"), "{ranges:?}");
}

#[test]
fn server_without_ranges_starts_the_download_over() {
    let (folder, server) = (tempfile::tempdir().unwrap(), Server::start(&model()));
    let hub = hub(folder.path(), &server.url, |_| ());
    server.state().truncate = vec![300_000];
    server.state().ignore_range = true;
    let pulled = hub.pull(&reference(REPO), &mut quiet).unwrap();
    assert_eq!(bytes_of(&pulled, "model.safetensors"), safetensors(700_000, 0));
}

#[test]
fn cancelled_download_continues_where_it_stopped() {
    let (folder, server) = (tempfile::tempdir().unwrap(), Server::start(&model()));
    let stop = Stop::default();
    let hub = hub(folder.path(), &server.url, |_| ());
    let stopped = hub.clone().until(stop.clone()).pull(&reference(REPO), &mut |progress| {
        if progress.file == "model.safetensors" && progress.done_bytes > 0 {
            stop.ask();
        }
    });
    assert!(matches!(stopped, Err(Error::Stopped { ref file }) if file == "model.safetensors"), "{stopped:?}");
    let incomplete = names(&root(folder.path()).join("blobs")).into_iter().filter(|name| name.ends_with(".incomplete"));
    assert_eq!(incomplete.count(), 1);
    let mut first = None;
    let pulled = hub.pull(&reference(REPO), &mut |progress| {
        if progress.file == "model.safetensors" {
            first.get_or_insert(progress.done_bytes);
        }
    });
    assert_eq!(bytes_of(&pulled.unwrap(), "model.safetensors"), safetensors(700_000, 0));
    assert!(first.is_some_and(|done| done > 0), "what was downloaded is kept: {first:?}");
}

#[test]
fn killed_download_leaves_only_incomplete_files_and_continues() {
    for steps in [0, 1, 2, 5, 7] {
        let (folder, server) = (tempfile::tempdir().unwrap(), Server::start(&model()));
        let hub = hub(folder.path(), &server.url, |_| ());
        let mut calls = 0;
        let killed = catch_unwind(AssertUnwindSafe(|| {
            hub.pull(&reference(REPO), &mut |_| {
                calls += 1;
                assert!(calls <= steps, "killed");
            })
        }));
        assert!(killed.is_err(), "step {steps}");
        let blobs = root(folder.path()).join("blobs");
        for name in names(&blobs).iter().filter(|name| !name.ends_with(".incomplete")) {
            let bytes = fs::read(blobs.join(name)).unwrap();
            assert!([git_blob(&bytes), sha256(&bytes)].contains(name), "{name} is whole");
        }
        assert!(hub.find(&reference(REPO)).is_err());
        let pulled = hub.pull(&reference(REPO), &mut quiet).unwrap();
        assert_eq!(bytes_of(&pulled, "model.safetensors"), safetensors(700_000, 0));
    }
}

#[test]
fn damaged_download_is_retried_once_then_refused() {
    let (folder, server) = (tempfile::tempdir().unwrap(), Server::start(&model()));
    let hub = hub(folder.path(), &server.url, |_| ());
    server.state().corrupt = 2;
    let error = hub.pull(&reference(REPO), &mut quiet).unwrap_err();
    assert!(matches!(&error, Error::Checksum { file, .. } if file == "model.safetensors"), "{error:?}");
    assert_eq!(error.exit_code(), ExitCode::Network);
    let blobs = names(&root(folder.path()).join("blobs"));
    assert!(blobs.len() == 3 && blobs.iter().all(|name| name.len() == 40), "{blobs:?}");

    server.state().corrupt = 1;
    assert_eq!(hub.pull(&reference(REPO), &mut quiet).unwrap().source, Source::Downloaded);
}

#[test]
fn only_missing_shards_are_downloaded_again() {
    let index = br#"{"weight_map":{"a":"model-1.safetensors","b":"model-2.safetensors","c":"model-1.safetensors"}}"#;
    let mut files = model();
    files.retain(|(name, _)| *name != "model.safetensors");
    files.push(("model.safetensors.index.json", index.to_vec()));
    files.push(("model-1.safetensors", safetensors(5_000, 1)));
    files.push(("model-2.safetensors", safetensors(6_000, 2)));
    files.push(("unused.safetensors", safetensors(7_000, 3)));
    let (folder, server) = (tempfile::tempdir().unwrap(), Server::start(&files));
    let hub = hub(folder.path(), &server.url, |_| ());
    let pulled = hub.pull(&reference(REPO), &mut quiet).unwrap();
    assert!(pulled.files.iter().any(|file| file.ends_with("model-2.safetensors")));
    assert!(!pulled.path.join("unused.safetensors").exists());

    let shard = pulled.path.join("model-2.safetensors");
    fs::remove_file(shard.canonicalize().unwrap()).unwrap();
    assert!(hub.find(&reference(REPO)).is_err());
    server.log();
    hub.pull(&reference(REPO), &mut quiet).unwrap();
    let gets = server.log().into_iter().filter(|line| line.starts_with("GET /blobs")).count();
    assert_eq!(gets, 1);
}

#[test]
fn single_gguf_file_is_downloaded_alone() {
    let mut files = model();
    files.push(("quant/m.Q4_1.gguf", gguf(9_000)));
    let (folder, server) = (tempfile::tempdir().unwrap(), Server::start(&files));
    let hub = hub(folder.path(), &server.url, |_| ());
    let pulled = hub.pull(&reference("org/model@refs/pr/1:quant/m.Q4_1.gguf"), &mut quiet).unwrap();
    assert_eq!(pulled.reference, format!("org/model@{COMMIT}:quant/m.Q4_1.gguf"));
    assert_eq!(fs::read(&pulled.path).unwrap(), gguf(9_000));
    assert_eq!(fs::read_link(&pulled.path).unwrap(), Path::new("../../../blobs").join(sha256(&gguf(9_000))));
    assert_eq!(names(&root(folder.path()).join("blobs")).len(), 1);
    assert_eq!(hub.find(&reference(&pulled.reference)).unwrap().path, pulled.path);
}

#[test]
fn renamed_repository_is_followed() {
    let (folder, server) = (tempfile::tempdir().unwrap(), Server::start(&model()));
    server.state().needs_token = true;
    let pulled = hub(folder.path(), &server.url, |_| ()).pull(&reference("old/name"), &mut quiet).unwrap();
    assert_eq!(bytes_of(&pulled, "model.safetensors"), safetensors(700_000, 0));
}

#[test]
fn damaged_cache_file_is_reported_offline_and_repaired_online() {
    let (folder, server) = (tempfile::tempdir().unwrap(), Server::start(&model()));
    let online = hub(folder.path(), &server.url, |_| ());
    let pulled = online.pull(&reference(REPO), &mut quiet).unwrap();
    let blob = pulled.path.join("model.safetensors").canonicalize().unwrap();
    for damage in [vec![0xff; 700_000], b"version https://git-lfs.github.com/spec/v1\n".to_vec()] {
        fs::write(&blob, damage).unwrap();
        let offline = hub(folder.path(), &server.url, |settings| settings.offline = true);
        let error = offline.pull(&reference(REPO), &mut quiet).unwrap_err();
        assert!(matches!(error, Error::Damaged { .. } | Error::LfsPointer { .. }), "{error:?}");
        assert_eq!(error.exit_code(), ExitCode::ModelMissing);
        let repaired = online.pull(&reference(REPO), &mut quiet).unwrap();
        assert_eq!(bytes_of(&repaired, "model.safetensors"), safetensors(700_000, 0));
    }
}

#[cfg(target_os = "linux")]
#[test]
fn full_disk_has_its_own_error() {
    let (folder, server) = (tempfile::tempdir().unwrap(), Server::start(&model()));
    let blob = root(folder.path()).join("blobs").join(sha256(&safetensors(700_000, 0)));
    fs::create_dir_all(blob.parent().unwrap()).unwrap();
    std::os::unix::fs::symlink("/dev/full", blob.with_extension("incomplete")).unwrap();
    let error = hub(folder.path(), &server.url, |_| ()).pull(&reference(REPO), &mut quiet).unwrap_err();
    assert!(matches!(error, Error::DiskFull { .. }), "{error:?}");
}
