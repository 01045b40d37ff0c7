//! GGUF files made by Python's `gguf` package, and tokens of the models' own tokenizers.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::path::{Path, PathBuf};

use graft_formats::{DigestCache, Error, Message, ModelConfig, ModelFiles, digest_of, gguf_lora, open, peft};

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)
}

fn parity(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../testkit/data/parity").join(name)
}

/// Lines of `[text, [ids]]`; the tokenizer must give these ids for each text.
fn assert_tokens(model: &ModelFiles, golden: &Path) {
    let lines = std::fs::read_to_string(golden).unwrap();
    for line in lines.lines() {
        let (text, ids): (String, Vec<u32>) = serde_json::from_str(line).unwrap();
        let ours = model.tokenizer.encode(text.as_str(), false).unwrap();
        assert_eq!(ours.get_ids(), ids, "{text:?}");
    }
}

#[test]
fn rows_come_back_in_hugging_face_order() {
    let model = open(&data("tiny-gpt2.gguf")).unwrap();
    for (name, rows) in [("q_proj", 64), ("k_proj", 32)] {
        let tensor = model.tensor(&format!("model.layers.0.self_attn.{name}.weight"), &[rows, 64]).unwrap();
        for (row, values) in tensor.to_f32().chunks_exact(64).enumerate() {
            // Quantized to 8 bits: an error of at most 0.4 per cent.
            assert!(values.iter().all(|v| (v - row as f32).abs() <= row as f32 * 4e-3), "{name} {row}: {values:?}");
        }
    }
    assert!(model.tensor("model.layers.0.self_attn.q_proj.weight", &[32, 64]).is_err());
    assert!(model.tensor("model.layers.0.mlp.gate_proj.bias", &[64]).is_err());
}

/// The same model in two files; the first has the metadata.
#[test]
fn split_model_opens_from_any_part_and_needs_all() {
    let whole = open(&data("tiny-gpt2.gguf")).unwrap();
    let names = ["tiny-split-00001-of-00002.gguf", "tiny-split-00002-of-00002.gguf"];
    let digests = names.map(|name| digest_of(&data(name), &DigestCache::none()).unwrap());
    assert_eq!(digests[0], digests[1]);
    for name in names {
        let split = open(&data(name)).unwrap();
        assert_eq!(split.config, whole.config);
        for (name, shape) in whole.tensors.iter() {
            let bytes = |model: &ModelFiles| model.tensor(name, shape).unwrap().bytes().to_vec();
            assert_eq!(bytes(&split), bytes(&whole), "{name}");
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let copy = |from: &str, to: &str| std::fs::copy(data(from), folder.path().join(to)).unwrap();
    copy(names[0], names[0]);
    assert!(matches!(open(&folder.path().join(names[0])), Err(Error::Read { .. })), "a part is missing");
    copy(names[0], names[1]);
    assert!(matches!(open(&folder.path().join(names[0])), Err(Error::Damaged { .. })), "a part is there twice");
    copy(names[0], "alone.gguf");
    assert!(matches!(open(&folder.path().join("alone.gguf")), Err(Error::Damaged { .. })), "its name says nothing");
}

#[test]
fn gguf_file_equals_its_model_folder() {
    let (gguf, folder) = (open(&data("tiny-gpt2.gguf")).unwrap(), open(&parity("tiny-llama")).unwrap());
    assert_eq!(gguf.tokens, folder.tokens);
    let messages = [Message::new("user", "ten crates to the shelter"), Message::new("assistant", "ok")];
    let rendered = |model: &ModelFiles| model.chat_template.as_ref().unwrap().render(&messages, true, 0).unwrap();
    let text = rendered(&gguf);
    assert_eq!(text, rendered(&folder));
    let ids = |model: &ModelFiles| model.tokenizer.encode(text.as_str(), false).unwrap().get_ids().to_vec();
    assert_eq!(ids(&gguf), ids(&folder));
    assert!(ids(&gguf).contains(&folder.tokens.eos[0]), "special tokens stay whole");
    assert_eq!(gguf.tokenizer.decode(&ids(&gguf), false).unwrap(), text);
}

#[test]
fn sentencepiece_tokens_match_the_sentencepiece_library() {
    let model = open(&data("tiny-spm.gguf")).unwrap();
    assert_tokens(&model, &data("tiny_spm_tokens.jsonl"));
    let with_bos = model.tokenizer.encode("the rescue", true).unwrap();
    assert_eq!(with_bos.get_ids()[0], model.tokens.bos.unwrap());
    assert_eq!(model.tokenizer.decode(with_bos.get_ids(), true).unwrap(), "the rescue");
}

/// The file has 98 MB, so it is not in the repository.
#[test]
#[ignore = "needs the base model's file in GRAFT_TEST_GGUF; `cargo xtask test` runs it"]
fn smollm2_tokens_match_its_own_tokenizer() {
    let path = std::env::var_os("GRAFT_TEST_GGUF").expect("GRAFT_TEST_GGUF names SmolLM2-135M-Instruct.Q4_1.gguf");
    let model = open(Path::new(&path)).unwrap();
    assert_tokens(&model, &data("smollm2_tokens.jsonl"));
    let ModelConfig::Decoder(config) = &model.config else { panic!("not a Llama") };
    assert_eq!((config.layers, config.head_dim, config.tie), (30, 64, true));
    for (name, shape) in model.tensors.iter() {
        assert!(model.tensor(name, shape).unwrap().to_f32().iter().all(|value| value.is_finite()), "{name}");
    }
}

#[test]
fn exported_lora_has_names_shapes_and_row_order_of_llama_cpp() {
    let ModelConfig::Decoder(config) = open(&parity("tiny-llama")).unwrap().config else { panic!("not a Llama") };
    let mut adapter = peft::read(&parity("tiny-llama/adapter_lora")).unwrap();
    let b = adapter.tensors.get_mut(&peft::lora_name("model.layers.0.self_attn.q_proj", 'B')).unwrap();
    b.1 = (0..64).flat_map(|row| [row as f32; 8]).collect();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("adapter.gguf");
    gguf_lora::write(&path, &adapter, &config).unwrap();
    let file = std::fs::read(&path).unwrap();
    let place = |needle: &[u8]| file.windows(needle.len()).position(|w| w == needle).unwrap();
    // After the name: two dimensions, the fastest first, type F32, the offset.
    let name = b"blk.0.attn_q.weight.lora_b";
    let at = place(name) + name.len();
    let u64_at = |at: usize| u64::from_le_bytes(file[at..at + 8].try_into().unwrap());
    assert_eq!((file[at], u64_at(at + 4), u64_at(at + 12)), (2, 8, 64));
    let data_bytes: usize = adapter.tensors.values().map(|(_, v)| (4 * v.len()).next_multiple_of(32)).sum();
    let start = file.len() - data_bytes + u64_at(at + 24) as usize;
    let row = |row: usize| f32::from_le_bytes(file[start + 32 * row..][..4].try_into().unwrap());
    // Heads of 16 rows: halves interleaved.
    assert_eq!([row(0), row(1), row(2), row(3), row(16), row(17)], [0.0, 8.0, 1.0, 9.0, 16.0, 24.0]);
}
