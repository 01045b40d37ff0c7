//! Exported and merged adapters, and the comparison of an adapter with the regex parser.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use common::{Graft, data, model};

#[test]
fn merged_model_gives_the_adapters_answers() {
    let graft = Graft::with_toy_task();
    graft.ok(&[
        "train",
        "text-classification",
        "--base",
        "tiny",
        "--epochs",
        "2",
        "--learning-rate",
        "1e-2",
        "--no-eval",
    ]);
    graft.ok(&["adapter", "merge", "v1", "--output", "merged"]);
    let merged = graft.dir.path().join("merged");
    let info = graft.json(&["base", "info", "./merged"]);
    let base = graft.json(&["base", "info", "tiny"]);
    assert_eq!(info["config"], base["config"]);
    assert_ne!(info["digest"], base["digest"]);

    // The merged model's greedy answers are the adapter's own.
    let tokens = |path: &std::path::Path| std::fs::metadata(path.join("model.safetensors")).unwrap().len();
    assert!(tokens(&merged) >= tokens(&model("tiny-llama")) * 9 / 10);
    let (with_adapter, files) = graft_nn::Model::open(&model("tiny-llama")).unwrap();
    let (bare, _) = graft_nn::Model::open(&merged).unwrap();
    let version = graft.json(&["models", "info", "v1"]);
    let folder = graft.home().join(version["version"]["adapter_dir"].as_str().unwrap());
    let (adapter, _) = graft_train::load_adapter(&folder, &with_adapter).unwrap();
    let ids = files.tokenizer.encode("yes yes no 7", false).unwrap().get_ids().to_vec();
    let expected = with_adapter.logits(Some(&adapter), &[], &ids).unwrap();
    let found = bare.logits(None, &[], &ids).unwrap();
    let plain = with_adapter.logits(None, &[], &ids).unwrap();
    let distance = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0_f32, f32::max);
    assert!(distance(expected.data(), found.data()) < 1e-3);
    assert!(distance(expected.data(), plain.data()) > 1e-2, "the adapter does something");
}

#[test]
fn adapters_are_exported_to_other_formats() {
    let graft = Graft::with_toy_task();
    graft.ok(&["train", "text-classification", "--base", "tiny", "--epochs", "0.1", "--no-eval"]);
    graft.ok(&["adapter", "export", "v1", "--gguf", "lora.gguf"]);
    assert!(std::fs::read(graft.dir.path().join("lora.gguf")).unwrap().starts_with(b"GGUF"));
    graft.ok(&["adapter", "export", "v1", "--peft", "peft"]);
    graft.ok(&["adapter", "merge", "./peft", "--output", "merged"]);
    graft.fails(2, &["adapter", "export", "v1"], "required");

    let prompt = ["train", "text-classification", "--base", "tiny", "--method", "soft-prompt", "--epochs", "0.1"];
    graft.ok(&[&prompt[..], &["--no-eval", "--prompt-tokens", "4", "--prompt-init", "text:good or bad"]].concat());
    graft.fails(2, &["adapter", "merge", "v2", "--output", "m2"], "merge a soft prompt");

    // An adapter that Hugging Face's peft made, on the base that is named.
    let foreign = model("tiny-llama").join("adapter_lora");
    graft.ok(&["adapter", "merge", foreign.to_str().unwrap(), "--base", "tiny", "--output", "m3"]);
    graft.fails(11, &["adapter", "merge", foreign.to_str().unwrap(), "--output", "m4"], "tiny-llama");
}

#[test]
fn compare_shows_version_beside_regex_baseline() {
    let graft = Graft::new();
    let (export, labels) = (data("slack/export"), data("slack/labels.jsonl"));
    graft.ok(&["import", "slack", export.to_str().unwrap(), "--labels", labels.to_str().unwrap()]);
    graft.ok(&["base", "add", "tiny", model("tiny-llama").to_str().unwrap()]);
    graft.ok(&["train", "slack-rescue", "--base", "tiny", "--epochs", "0.02", "--no-eval"]);
    let message = "Picked up 5 cases bananas from Aldi";
    let found = graft.json(&["compare", "--task", "slack-rescue", "--message", message, "--version", "v1"]);
    assert_eq!(found["left"]["name"], "regex");
    assert_eq!(found["left"]["answer"]["items"][0]["name"], "bananas");
    assert!(found["differences"]["fields"].as_array().is_some_and(|fields| fields.len() == 3));
    let answer = graft.json(&["infer", "--version", "v1", "--message", message, "--max-tokens", "40"]);
    for field in ["direction", "rescue_location", "drop_off_location", "items", "confidence", "version", "valid"] {
        assert!(answer.get(field).is_some(), "{field}: {answer}");
    }
}
