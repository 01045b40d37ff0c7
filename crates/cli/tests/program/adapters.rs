//! Exported and merged adapters, and the comparison of an adapter with the regex parser.

use crate::common::{Graft, Said, data, model};

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
fn merged_model_is_exported_whole_or_not_at_all() {
    let graft = Graft::with_toy_task();
    let train =
        ["train", "text-classification", "--base", "tiny", "--epochs", "2", "--learning-rate", "1e-2", "--no-eval"];
    graft.ok(&train);
    let export = ["adapter", "export", "v1", "--merged", "merged"];
    let target = graft.dir.path().join("merged");

    // Whichever write fails first, nothing is left.
    let mut at = 0;
    loop {
        at += 1;
        let mark = graft.dir.path().join(format!("mark-{at}"));
        let mut command = graft.command(&export);
        command.env("GRAFT_FAULT", format!("{at}:full:{}", mark.display()));
        if Said::of(command).code == 0 {
            break;
        }
        assert!(mark.exists(), "it fails by itself");
        assert!(!target.exists(), "write {at} failed");
    }
    assert!(at > 5, "only {at} writes");
    let left = |name: std::ffi::OsString| name.to_string_lossy().starts_with(".graft-");
    assert!(!std::fs::read_dir(graft.dir.path()).unwrap().any(|entry| left(entry.unwrap().file_name())));

    let modelfile = std::fs::read_to_string(target.join("Modelfile")).unwrap();
    assert!(modelfile.starts_with("FROM .\n"), "{modelfile}");
    assert!(modelfile.contains("Classify the text.") && modelfile.contains("{{ .Prompt }}"), "{modelfile}");
    let bare = |folder: &std::path::Path| graft_formats::open(folder).unwrap();
    let (base, merged) = (bare(&model("tiny-llama")), bare(&target));
    assert_eq!(base.tensors.iter().collect::<Vec<_>>(), merged.tensors.iter().collect::<Vec<_>>());

    graft.fails(2, &export, "the folder is in use");
    graft.fails(2, &["adapter", "export", "v1", "--merged", "m.gguf"], "into a GGUF file");
    graft.fails(2, &["adapter", "export", "v1", "--merged", "m", "--outtype", "q8_0"], "as q8_0");
    graft.fails(2, &["adapter", "export", "v1", "--peft", "m", "--outtype", "f16"], "--outtype");
    let prompt = ["--method", "soft-prompt", "--prompt-tokens", "4", "--prompt-init", "text:good or bad"];
    graft.ok(&[&train[..], &prompt[..]].concat());
    let said = graft.fails(2, &["adapter", "export", "v2", "--merged", "m"], "merge a soft prompt");
    assert!(said.stderr.contains("--bundle"), "{}", said.stderr);
    assert!(!graft.dir.path().join("m").exists());
}

#[test]
fn gguf_base_is_exported_as_gguf() {
    let graft = Graft::with_toy_task();
    let base = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../formats/tests/data/tiny-gpt2.gguf");
    graft.ok(&["base", "add", "file", base.to_str().unwrap()]);
    let train =
        ["train", "text-classification", "--base", "file", "--epochs", "2", "--learning-rate", "1e-2", "--no-eval"];
    graft.ok(&train);
    let said = graft.json(&["adapter", "export", "v1", "--merged", "one.gguf", "--outtype", "f32"]);
    assert_eq!((said["form"].as_str(), said["model"].as_str()), (Some("merged"), Some("gguf")));
    let checked = &said["checked"];
    assert!(checked["prompts"].as_u64() > Some(3), "{said}");
    assert_eq!((&checked["equal"], &checked["same_as_one_text"]), (&checked["prompts"], &checked["prompts"]), "{said}");
    graft.ok(&["adapter", "export", "v1", "--merged", "folder", "--outtype", "f32"]);
    let read = |path: &str| std::fs::read(graft.dir.path().join(path)).unwrap();
    assert_eq!(read("one.gguf"), read("folder/model.gguf"));
    assert!(read("folder/Modelfile").starts_with(b"FROM ./model.gguf\n"));
    graft.ok(&["base", "add", "merged", graft.dir.path().join("one.gguf").to_str().unwrap()]);
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
