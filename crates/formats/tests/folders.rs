//! Hugging Face folders and PEFT adapters: real ones, and ones that must be refused.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::{
    fs,
    path::{Path, PathBuf},
};

use graft_core::ExitCode;
use graft_formats::{
    DigestCache, Error, ModelConfig, RopeScaling, digest_of, open,
    peft::{self, Modules, PeftConfig},
    safetensors_out::{self, Data, TensorSpec},
};
use graft_kernels::Dtype;
use serde_json::{Value, json};

fn parity(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../testkit/data/parity").join(name)
}

/// A copy of a folder's files, with one JSON file changed.
fn changed(folder: &str, file: &str, change: impl FnOnce(&mut Value)) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(parity(folder)).unwrap().map(Result::unwrap).filter(|e| e.path().is_file()) {
        fs::copy(entry.path(), copy.path().join(entry.file_name())).unwrap();
    }
    let path = copy.path().join(file);
    let mut value: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    change(&mut value);
    fs::write(path, value.to_string()).unwrap();
    copy
}

#[test]
fn dequantization_matches_pythons_gguf_package() {
    let file = fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/dequant.safetensors")).unwrap();
    let vectors = safetensors::SafeTensors::deserialize(&file).unwrap();
    let types = [Dtype::F16, Dtype::BF16, Dtype::Q4_0, Dtype::Q4_1, Dtype::Q8_0, Dtype::Q4K, Dtype::Q5K, Dtype::Q6K];
    let more = [Dtype::Q5_0, Dtype::Q5_1, Dtype::Q2K, Dtype::Q3K, Dtype::Iq4Nl, Dtype::Iq4Xs, Dtype::Mxfp4];
    for dtype in types.into_iter().chain(more) {
        let bytes = vectors.tensor(&format!("{dtype:?}.bytes")).unwrap();
        let expected = vectors.tensor(&format!("{dtype:?}.values")).unwrap();
        let expected: Vec<f32> = expected.data().as_chunks().0.iter().map(|b| f32::from_le_bytes(*b)).collect();
        let mut ours = vec![0.0; expected.len()];
        graft_kernels::dequantize(dtype, bytes.data(), &mut ours);
        assert_eq!(ours, expected, "{dtype:?}");
    }
}

#[test]
fn folders_open() {
    let llama = open(&parity("tiny-llama3")).unwrap();
    let ModelConfig::Decoder(config) = &llama.config else { panic!("not a Llama") };
    assert_eq!((config.kv_heads, config.head_dim, config.tie), (2, 16, false));
    let expected =
        RopeScaling::Llama3 { factor: 32.0, low_freq_factor: 1.0, high_freq_factor: 4.0, original_max_positions: 64 };
    assert_eq!(config.ropes[0].scaling, expected);
    assert_eq!((llama.tokens.bos, llama.tokens.eos.as_slice(), llama.tokens.pad), (Some(0), &[3][..], Some(1)));
    llama.tensor("lm_head.weight", &[448, 64]).unwrap();

    let t5 = open(&parity("tiny-t5")).unwrap();
    let ModelConfig::T5(config) = &t5.config else { panic!("not a T5") };
    assert_eq!((config.layers, config.decoder_layers, config.gated, config.tie), (3, 2, true, false));
    assert_eq!((t5.tokens.decoder_start, t5.tokens.eos.as_slice()), (Some(0), &[1][..]));
    assert!(t5.chat_template.is_none());
}

#[test]
fn unsupported_model_is_refused_by_name() {
    let cases = [
        ("attention_bias", json!(true)),
        ("mlp_bias", json!(true)),
        ("hidden_act", json!("gelu")),
        ("model_type", json!("mixtral")),
        ("num_local_experts", json!(8)),
        ("quantization_config", json!({ "quant_method": "gptq" })),
        ("rope_scaling", json!({ "rope_type": "yarn", "factor": 2.0 })),
    ];
    for (field, value) in cases {
        let folder = changed("tiny-llama", "config.json", |config| config[field] = value);
        match open(folder.path()).map(drop) {
            Err(e @ Error::UnsupportedModel { .. }) => {
                let named = if field == "rope_scaling" { "rope_type" } else { field };
                assert!(e.to_string().contains(named) && e.hint().is_some(), "{e}");
                assert_eq!(e.exit_code(), ExitCode::ModelMissing);
            }
            other => panic!("{field}: {other:?}"),
        }
    }
    let pickled = changed("tiny-llama", "config.json", |_| ());
    fs::rename(pickled.path().join("model.safetensors"), pickled.path().join("pytorch_model.bin")).unwrap();
    assert!(matches!(open(pickled.path()).map(drop), Err(Error::Pickle(_))));
}

#[test]
fn shards_form_one_model() {
    let folder = changed("tiny-llama", "config.json", |_| ());
    let whole = open(folder.path()).unwrap();
    let names: Vec<String> = whole.tensors.iter().map(|(name, _)| name.to_owned()).collect();
    let shard = |i: usize| format!("model-0000{}-of-00002.safetensors", i % 2 + 1);
    for half in 0..2 {
        let mine = whole.tensors.iter().enumerate().filter(|(i, _)| i % 2 == half);
        let spec = |(_, (name, shape)): (usize, (&str, &[usize]))| TensorSpec {
            name: name.into(),
            dtype: whole.tensors.dtype(name).unwrap(),
            shape: shape.into(),
        };
        let specs: Vec<TensorSpec> = mine.map(spec).collect();
        let data = |spec: &TensorSpec| Ok::<_, Error>(Data::Stored(whole.tensor(&spec.name, &spec.shape)?));
        safetensors_out::write(&folder.path().join(shard(half)), &specs, data).unwrap();
    }
    fs::remove_file(folder.path().join("model.safetensors")).unwrap();
    let index = |places: Vec<(String, String)>| json!({ "weight_map": Value::from_iter(places) }).to_string();
    let path = folder.path().join("model.safetensors.index.json");
    fs::write(&path, index(names.iter().cloned().enumerate().map(|(i, n)| (n, shard(i))).collect())).unwrap();
    let sharded = open(folder.path()).unwrap();
    for (name, shape) in whole.tensors.iter() {
        assert_eq!(sharded.tensor(name, shape).unwrap().bytes(), whole.tensor(name, shape).unwrap().bytes(), "{name}");
    }
    fs::write(&path, index(vec![("x".into(), "../../etc/passwd".into())])).unwrap();
    assert!(matches!(open(folder.path()).map(drop), Err(Error::Damaged { .. })), "shards stay in their folder");
}

#[test]
fn digest_depends_on_content_and_is_never_stale() {
    let folder = changed("tiny-llama", "config.json", |_| ());
    let scratch = tempfile::tempdir().unwrap();
    let cache = DigestCache::open(&scratch.path().join("digests.json"));
    let first = digest_of(folder.path(), &cache).unwrap();
    let elsewhere = changed("tiny-llama", "config.json", |_| ());
    assert_eq!(first, digest_of(elsewhere.path(), &cache).unwrap(), "the path doesn't count");
    assert_eq!(first, digest_of(folder.path(), &cache).unwrap());
    // Same size and changed at once: a cache that trusts very recent timestamps would miss it.
    let template = folder.path().join("chat_template.jinja");
    let text = fs::read_to_string(&template).unwrap();
    fs::write(&template, text.replace("assistant", "ASSISTANT")).unwrap();
    assert_ne!(first, digest_of(folder.path(), &cache).unwrap());
    fs::write(&template, text).unwrap();
    assert_eq!(first, digest_of(folder.path(), &cache).unwrap());
}

#[test]
fn adapters_survive_a_round_trip() {
    for name in
        ["tiny-llama/adapter_lora", "tiny-llama/adapter_prompt", "tiny-t5/adapter_lora", "tiny-t5/adapter_prompt"]
    {
        let adapter = peft::read(&parity(name)).unwrap();
        let scratch = tempfile::tempdir().unwrap();
        let folder = scratch.path().join("adapter");
        peft::write(&folder, &adapter, &[("task.json", b"{}")]).unwrap();
        assert_eq!(peft::read(&folder).unwrap(), adapter, "{name}");
        assert_eq!(fs::read(folder.join("task.json")).unwrap(), b"{}");
        // Overwriting works and leaves no temporary files.
        peft::write(&folder, &adapter, &[]).unwrap();
        assert!(!folder.join("task.json").exists());
        assert_eq!(fs::read_dir(scratch.path()).unwrap().count(), 1);
    }
}

#[test]
fn adapter_config_describes_the_adapter() {
    let adapter = peft::read(&parity("tiny-llama/adapter_lora")).unwrap();
    let PeftConfig::Lora(lora) = &adapter.config else { panic!("not LoRA") };
    assert_eq!((lora.r, lora.scaling(), adapter.lora_pairs().count()), (8, 2.0, 21));
    assert!(matches!(&lora.target_modules, Modules::Named(names) if names.len() == 7));
    let adapter = peft::read(&parity("tiny-t5/adapter_prompt")).unwrap();
    let PeftConfig::PromptTuning(prompt) = &adapter.config else { panic!("not a prompt") };
    assert_eq!((prompt.virtual_tokens, prompt.submodules, prompt.token_dim), (6, 2, 64));
}

#[test]
fn template_and_tokens_beside_an_adapter_must_be_the_models() {
    let base = open(&parity("tiny-llama")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let put = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    let reason = || peft::check_beside(folder.path(), &base).unwrap_err().to_string();
    let template = base.chat_template.as_ref().unwrap().source();
    for name in ["tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"] {
        fs::copy(parity("tiny-llama").join(name), folder.path().join(name)).unwrap();
    }
    put("chat_template.jinja", &format!("{template}\n"));
    peft::check_beside(folder.path(), &base).unwrap();
    put("chat_template.jinja", "{{ messages[0].content }}");
    assert!(reason().contains("another chat template"));
    put("chat_template.jinja", template);
    put("added_tokens.json", r#"{"<tool>": 400}"#);
    assert!(reason().contains("`<tool>`"));
    put("added_tokens.json", "{}");
    let tokenizer = fs::read_to_string(folder.path().join("tokenizer.json")).unwrap();
    let more = r#""added_tokens": [{"id": 401, "content": "<more>", "special": true},"#;
    put("tokenizer.json", &tokenizer.replacen("\"added_tokens\": [", more, 1).replacen("\"added_tokens\":[", more, 1));
    assert!(reason().contains("`<more>`"));
}

#[test]
fn unsupported_adapter_is_refused_by_name() {
    let cases = [
        ("modules_to_save", json!(["lm_head", "norm"])),
        ("bias", json!("all")),
        ("layer_replication", json!([[0, 2]])),
        ("rank_pattern", json!({ "[qk]_proj": 4 })),
        ("trainable_token_indices", json!([3])),
        ("fan_in_fan_out", json!(true)),
        ("init_lora_weights", json!("pissa")),
        ("peft_type", json!("IA3")),
        ("a_field_of_tomorrow", json!({ "on": true })),
    ];
    for (field, value) in cases {
        let folder = changed("tiny-llama/adapter_lora", "adapter_config.json", |config| config[field] = value);
        match peft::read(folder.path()) {
            Err(e @ Error::UnsupportedAdapter { .. }) => assert!(e.to_string().contains(field), "{e}"),
            other => panic!("{field}: {other:?}"),
        }
    }
    // Fields that only say which layers have weights, or how training was initialized.
    let neutral = [
        ("auto_mapping", json!({ "base_model_class": "LlamaForCausalLM", "parent_library": "transformers" })),
        ("layers_to_transform", json!([0, 1, 2])),
        ("layers_pattern", json!("layers")),
        ("exclude_modules", json!(["lm_head"])),
        ("eva_config", json!({ "rho": 2.0 })),
        ("task_type", Value::Null),
        ("ensure_weight_tying", json!(true)),
    ];
    let plain = peft::read(&parity("tiny-llama/adapter_lora")).unwrap();
    for (field, value) in neutral {
        let folder = changed("tiny-llama/adapter_lora", "adapter_config.json", |config| config[field] = value);
        assert_eq!(peft::read(folder.path()).unwrap().tensors, plain.tensors, "{field}");
    }
    // Another factor for one kind of layer is multiplied into its `B`.
    let doubled = changed("tiny-llama/adapter_lora", "adapter_config.json", |config| {
        config["alpha_pattern"] = json!({ "q_proj": 2.0 * config["lora_alpha"].as_f64().unwrap() });
    });
    let doubled = peft::read(doubled.path()).unwrap();
    for (pair, plain) in doubled.lora_pairs().zip(plain.lora_pairs()) {
        let factor = if pair.module.ends_with("q_proj") { 2.0 } else { 1.0 };
        assert_eq!(pair.b.1, plain.b.1.iter().map(|x| factor * x).collect::<Vec<_>>(), "{}", pair.module);
    }
    let dora = changed("tiny-llama/adapter_lora", "adapter_config.json", |config| config["use_dora"] = json!(true));
    let error = peft::read(dora.path()).unwrap_err();
    assert!(error.to_string().contains("`use_dora` is true"), "{error}");
    let other_rank = changed("tiny-llama/adapter_lora", "adapter_config.json", |config| config["r"] = json!(4));
    assert!(matches!(peft::read(other_rank.path()), Err(Error::BadTensor { .. })));
}
