//! A Hub with a typical model, and clients of it.

use std::time::Duration;

use graft_hub::{Hub, Settings, Stop, Token};
pub(crate) use graft_testkit::hub::{COMMIT, REPO, Server, State, TOKEN, git_blob, sha256};

/// A safetensors file without tensors, padded to a size.
pub(crate) fn safetensors(bytes: usize, seed: u8) -> Vec<u8> {
    let mut file = [&2u64.to_le_bytes()[..], b"{}"].concat();
    file.extend((file.len()..bytes).map(|at| (at as u8).wrapping_mul(31).wrapping_add(seed)));
    file
}

pub(crate) fn gguf(bytes: usize) -> Vec<u8> {
    let mut file = b"GGUF\x03\0\0\0".to_vec();
    file.resize(bytes, 7);
    file
}

/// The files of a typical repository.
pub(crate) fn model() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("README.md", b"# Model".to_vec()),
        ("config.json", b"{\"model_type\":\"llama\"}".to_vec()),
        ("model.safetensors", safetensors(700_000, 0)),
        ("onnx/model.onnx", vec![1; 10]),
        ("pytorch_model.bin", vec![2; 10]),
        ("tokenizer.json", b"{\"version\":\"1.0\"}".to_vec()),
        ("tokenizer_config.json", b"{}".to_vec()),
    ]
}

/// A hub with its own cache and home under `folder`.
pub(crate) fn hub(folder: &std::path::Path, url: &str, change: impl FnOnce(&mut Settings)) -> Hub {
    let mut settings = Settings {
        home: folder.join("graft"),
        cache: folder.join("hf/hub"),
        endpoint: url.into(),
        token: Some(Token::new(TOKEN).unwrap()),
        offline: false,
        ca_file: None,
        python: folder.join("no-such-python"),
        patience: Duration::from_secs(5),
        builtin_patience: Duration::from_secs(5),
        retry_pause: Duration::ZERO,
        stop: Stop::default(),
    };
    change(&mut settings);
    Hub::new(settings)
}
