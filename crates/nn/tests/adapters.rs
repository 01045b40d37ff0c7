//! Adapters that PEFT wrote give the logits that PEFT computes with them, or are refused with the reason.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use graft_formats::peft::{self, Modules, PeftConfig};
use graft_nn::{Adapter, Context, Error, Feed, MicroBatch, Model, Sequence, Session};
use safetensors::SafeTensors;

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../testkit/data/adapters").join(name)
}

fn model(name: &str) -> Model {
    Model::open(&data(name)).unwrap().0
}

/// The base model of each case.
fn cases() -> BTreeMap<String, String> {
    serde_json::from_slice(&fs::read(data("bases.json")).unwrap()).unwrap()
}

/// Token ids, and the logits after each of them.
fn expected(case: &str) -> (Vec<u32>, Vec<f32>) {
    let file = fs::read(data("expected.safetensors")).unwrap();
    let tensors = SafeTensors::deserialize(&file).unwrap();
    let ids = tensors.tensor("ids").unwrap();
    let ids = ids.data().as_chunks::<8>().0.iter().map(|b| i64::from_le_bytes(*b) as u32).collect();
    let logits = tensors.tensor(case).unwrap();
    (ids, logits.data().as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect())
}

fn error_of(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

/// Cases that are refused, with the reason.
const REFUSED: [(&str, &str); 9] = [
    ("saved-norm", "`modules_to_save` is `norm`"),
    ("bias-all", "`bias` is `all`"),
    ("bias-lora-only", "`bias` is `lora_only`"),
    ("trained-tokens", "`trainable_token_indices`"),
    ("layer-replication", "`layer_replication`"),
    ("regular-expression", "`rank_pattern`"),
    ("ia3", "`peft_type` is `IA3`"),
    ("prefix", "`peft_type` is `PREFIX_TUNING`"),
    ("pissa", "`init_lora_weights` is `pissa`"),
];
/// Cases that are refused when they meet their model.
const MISMATCHED: [(&str, &str); 2] =
    [("more-tokens", "tokens were added"), ("head-bias", "a bias of the output head")];

#[test]
fn adapters_of_peft_give_its_logits_or_are_refused_with_the_reason() {
    let (mut loaded, mut refused, mut wrong) = (0, 0, Vec::new());
    for (case, base) in cases() {
        let (model, folder) = (model(&base), data("cases").join(&case));
        let reason = REFUSED.iter().chain(&MISMATCHED).find(|(name, _)| *name == case).map(|(_, reason)| *reason);
        match (Adapter::open(&folder, &model), reason) {
            (Ok(adapter), None) => {
                let (ids, wanted) = expected(&case);
                let logits = model.logits(Some(&adapter), &[], &ids).unwrap();
                // Virtual tokens come first.
                let error = error_of(&logits.data()[logits.data().len() - wanted.len()..], &wanted);
                if error > 2e-5 {
                    wrong.push(format!("{case}: {error}"));
                }
                loaded += 1;
            }
            (Err(error), Some(reason)) => {
                let text = match &error {
                    Error::AdapterFiles(source) => source.to_string(),
                    other => other.to_string(),
                };
                if !text.contains(reason) {
                    wrong.push(format!("{case}: {text}"));
                }
                refused += 1;
            }
            (found, _) => wrong.push(format!("{case}: {:?}", found.map(drop))),
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!((loaded, refused), (33, 11));
}

#[test]
fn a_batch_mixes_adapters_with_tables_and_magnitudes_of_their_own() {
    for (base, names) in [
        ("untied", &["head", "dora-patterns", "embeddings-dora", "saved-both", "no-task-type"][..]),
        ("tied", &["dora", "lora-bias", "head-tied"]),
        ("fused", &["dora-fused", "lora-bias-fused"]),
    ] {
        let model = model(base);
        let open = |name: &&str| Some(Adapter::open(&data("cases").join(name), &model).unwrap());
        let adapters: Vec<Option<Adapter>> = names.iter().map(open).chain([None]).collect();
        let (ids, _) = expected(names[0]);
        let mut session = Session::new(&model, 200);
        let slots: Vec<usize> = adapters.iter().map(|_| session.open(None, 0, ids.len()).unwrap()).collect();
        let inputs: Vec<Feed<'_>> = slots
            .iter()
            .zip(&adapters)
            .map(|(slot, adapter)| Feed { slot: *slot, adapter: adapter.as_ref(), tokens: &ids })
            .collect();
        let hidden = session.feed(&model, &inputs).unwrap();
        let rows: Vec<_> = adapters.iter().enumerate().map(|(row, adapter)| (row, adapter.as_ref())).collect();
        let logits = model.logits_of(&hidden, &rows);
        for (row, adapter) in rows {
            let alone = model.logits(adapter, &[], &ids).unwrap();
            let error = error_of(logits.row(row), alone.row(ids.len() - 1));
            assert!(error < 2e-5, "{base}: row {row}: {error}");
            let few = model.logits_among(hidden.row(row), &[3, 5], adapter);
            assert!(error_of(&few, &[logits.row(row)[3], logits.row(row)[5]]) < 1e-5, "{base}: row {row}");
        }
    }
}

#[test]
fn parts_that_are_only_computed_are_not_trained() {
    let model = model("untied");
    let adapter = Adapter::open(&data("cases/head-dora"), &model).unwrap();
    let sequence = Sequence { source: vec![], tokens: vec![1, 7, 33, 7], supervised_from: 2 };
    let batch = MicroBatch { sequences: &[&sequence], shared: 0, weight: 1.0 };
    let mut grads = vec![0.0; adapter.params().data().len()];
    let context = Context::default();
    let refused = model.loss(Some(&adapter), &batch, context, Some(&mut grads));
    assert!(matches!(refused, Err(Error::NotTrainable)));
    let losses = model.loss(Some(&adapter), &batch, context, None).unwrap();
    let logits = model.logits(Some(&adapter), &[], &sequence.tokens).unwrap();
    let row = logits.row(1);
    let sum: f32 = row.iter().map(|x| x.exp()).sum();
    assert!((losses[0] - (row[33] - sum.ln())).abs() < 1e-5, "the loss uses the adapter's head");
}

#[test]
fn modules_without_weights_are_named() {
    let base = graft_formats::open(&data("untied")).unwrap();
    let missing = |case: &str| Adapter::missing_modules(&peft::read(&data("cases").join(case)).unwrap(), &base.tensors);
    assert_eq!(missing("missing-layer"), ["model.layers.1.self_attn.v_proj"]);
    for whole in ["no-task-type", "without-head", "layers-to-transform", "exclude-modules", "head", "embeddings"] {
        assert_eq!(missing(whole), Vec::<String>::new(), "{whole}");
    }
}

#[test]
fn files_name_the_target_modules_of_every_family() {
    let mut empty = peft::read(&data("cases/missing-layer")).unwrap();
    empty.tensors.clear();
    let PeftConfig::Lora(config) = &mut empty.config else { panic!("it is LoRA") };
    config.target_modules = Modules::AllLinear;
    for folder in fs::read_dir(data("../parity")).unwrap() {
        let folder = folder.unwrap().path();
        if !folder.join("config.json").exists() {
            continue;
        }
        let (model, files) = Model::open(&folder).unwrap();
        let mut all: Vec<_> = model.target_modules().iter().map(|module| module.name.clone()).collect();
        all.sort();
        assert_eq!(Adapter::missing_modules(&empty, &files.tensors), all, "{}", folder.display());
    }
}
