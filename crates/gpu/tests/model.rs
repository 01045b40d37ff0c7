//! Whole models on the device, compared with Hugging Face's numbers and with the CPU.
#![expect(clippy::unwrap_used, reason = "tests may panic")]

mod emulator;

use std::path::{Path, PathBuf};

use emulator::gpus;
use graft_gpu::{Element, Gpu};
use graft_nn::{Adapter, Context, Feed, MicroBatch, Model, Sequence, Session, Source};
use graft_ops::{Adam, Best, Device, Dropout, Inference, Shaped as _};
use safetensors::SafeTensors;

fn folder(name: &str) -> PathBuf {
    let data = std::env::var_os("GRAFT_TEST_PARITY").map(PathBuf::from);
    data.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../testkit/data/parity")).join(name)
}

fn floats(bytes: &[u8], name: &str) -> Vec<f32> {
    let tensors = SafeTensors::deserialize(bytes).unwrap();
    let tensor = tensors.tensor(name).unwrap();
    tensor.data().as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect()
}

fn rows(bytes: &[u8], name: &str) -> Vec<Vec<i64>> {
    let tensors = SafeTensors::deserialize(bytes).unwrap();
    let tensor = tensors.tensor(name).unwrap();
    let all: Vec<i64> = tensor.data().as_chunks::<8>().0.iter().map(|b| i64::from_le_bytes(*b)).collect();
    all.chunks(tensor.shape()[1]).map(<[i64]>::to_vec).collect()
}

/// The fixture's inputs without their padding.
fn sequences(model: &Model, inputs: &[u8]) -> Vec<Sequence> {
    let (ids, mask, labels) = (rows(inputs, "input_ids"), rows(inputs, "attention_mask"), rows(inputs, "labels"));
    let one = |((ids, mask), labels): ((&Vec<i64>, &Vec<i64>), &Vec<i64>)| {
        let tokens: Vec<u32> = ids.iter().zip(mask).filter(|(_, m)| **m == 1).map(|(id, _)| *id as u32).collect();
        if model.has_encoder() {
            let target = labels.iter().filter(|id| **id >= 0).map(|id| *id as u32).collect();
            return Sequence { source: tokens, tokens: target, supervised_from: 0 };
        }
        let from = labels.iter().position(|id| *id >= 0).unwrap_or(tokens.len());
        Sequence { source: Vec::new(), tokens, supervised_from: from }
    };
    ids.iter().zip(&mask).zip(&labels).map(one).collect()
}

/// The mean loss per supervised token, each token's log-probability, and the gradient.
fn learn<D: Device>(
    model: &Model<D>,
    adapter: Option<&Adapter<D>>,
    sequences: &[Sequence],
    (params, shared, recompute): (usize, usize, bool),
) -> (f64, Vec<f32>, D::Numbers) {
    let count: usize = sequences.iter().map(Sequence::supervised).sum();
    let all: Vec<&Sequence> = sequences.iter().collect();
    let batch = MicroBatch { sequences: &all, shared, weight: 1.0 / count as f32 };
    let mut gradient = model.device().numbers(&vec![0.0; params]);
    let context = Context { recompute, encoded: None };
    let log_probs = model.loss(adapter, &batch, context, adapter.is_some().then_some(&mut gradient)).unwrap();
    (-log_probs.iter().map(|p| f64::from(*p)).sum::<f64>() / count as f64, log_probs, gradient)
}

/// The largest difference, relative to the largest number.
fn difference(got: &[f32], want: &[f32]) -> f64 {
    assert_eq!(got.len(), want.len());
    let largest = want.iter().fold(1e-6_f32, |m, x| m.max(x.abs()));
    let error = got.iter().zip(want).fold(0.0_f32, |m, (a, b)| if (a - b).abs() <= m { m } else { (a - b).abs() });
    f64::from(error) / f64::from(largest)
}

/// The name of one of our tensors in the expected gradients.
fn gradient_name(name: &str) -> String {
    match name.strip_suffix(".weight") {
        Some(module) => format!("grad.base_model.model.{module}.default.weight"),
        None => "grad.prompt_encoder.default.embedding.weight".into(),
    }
}

/// `bounds` are for the loss, the gradients, and the losses of ten steps.
fn check(gpu: &Gpu, name: &str, case: &str, bounds: (f64, f64, f64)) {
    let folder = folder(name);
    let (model, _) = Model::open(&folder).unwrap();
    let there = model.upload(gpu).unwrap();
    let inputs = std::fs::read(folder.join("inputs.safetensors")).unwrap();
    let expected = std::fs::read(folder.join(format!("expected_{case}.safetensors"))).unwrap();
    let sequences = sequences(&model, &inputs);
    let adapter = (case != "base").then(|| Adapter::open(&folder.join(format!("adapter_{case}")), &model).unwrap());
    let params = adapter.as_ref().map_or(0, |adapter| adapter.params().data().len());
    let mut uploaded = adapter.as_ref().map(|adapter| adapter.upload(gpu));

    let (_, want, _) = learn(&model, adapter.as_ref(), &sequences, (params, 0, false));
    let (loss, got, gradient) = learn(&there, uploaded.as_ref(), &sequences, (params, 0, false));
    let loss_error = (loss - f64::from(floats(&expected, "loss")[0])).abs();
    let log_probs = difference(&got, &want);
    let (mut gradients, mut losses) = (0.0_f64, 0.0_f64);
    if let (Some(adapter), Some(uploaded)) = (&adapter, &mut uploaded) {
        let gradient = gpu.read(&gradient);
        let mut start = 0;
        for (name, param) in adapter.params().iter() {
            let got = &gradient[start..start + param.data.len()];
            start += got.len();
            gradients = gradients.max(difference(got, &floats(&expected, &gradient_name(name))));
        }
        let mut adam = Adam::new(params, 0.9, 0.999, 1e-8, 0.01).upload(gpu);
        for want in floats(&expected, "adamw_losses") {
            let (loss, _, gradient) = learn(&there, Some(&*uploaded), &sequences, (params, 0, false));
            losses = losses.max((loss - f64::from(want)).abs());
            adam.step_on(gpu, uploaded.device_params_mut(), &gradient, 1e-2, 1.0);
        }
    }
    println!(
        "{name:<12} {case:<6} log-probs {log_probs:.1e}  loss {loss_error:.1e}  gradients {gradients:.1e}  ten steps {losses:.1e}"
    );
    assert!(loss_error <= bounds.0 && log_probs <= bounds.0, "{name}, {case}: the loss differs");
    assert!(gradients <= bounds.1 && losses <= bounds.2, "{name}, {case}: learning differs");
}

#[test]
fn f32_matches_hugging_face() {
    for gpu in gpus(Element::F32) {
        for name in ["tiny-llama", "tiny-llama3", "tiny-t5"] {
            for case in ["base", "lora", "prompt"] {
                check(&gpu, name, case, (1e-4, 1e-3, 1e-4));
            }
        }
    }
}

/// Caps and windows; norms of heads and two rotary embeddings; fused layers; norms of whole rows; factors; biases.
const FAMILIES: [&str; 6] = ["gemma2", "gemma3", "phi3", "olmo2", "granite", "qwen2-window"];

#[test]
fn other_families_match_hugging_face() {
    for gpu in gpus(Element::F32) {
        for name in FAMILIES {
            // Rounding decides some of AdamW's first steps; `cargo xtask parity` prints how much.
            check(&gpu, name, "lora", (1e-4, 1e-3, 5e-3));
        }
        check_answers(&gpu, "gemma2", "prompt", 1e-4);
        check_answers(&gpu, "phi3", "lora", 1e-4);
    }
}

#[test]
fn bf16_is_close_to_hugging_face() {
    for gpu in gpus(Element::Bf16) {
        for name in ["tiny-llama", "tiny-llama3", "tiny-t5"] {
            for case in ["base", "lora", "prompt"] {
                // Rounding errors grow over ten steps at a large learning rate.
                check(&gpu, name, case, (2e-2, 1e-1, 4e-1));
            }
        }
    }
}

#[test]
fn shared_prefix_dropout_and_recomputation_do_not_change_results() {
    for gpu in gpus(Element::F32) {
        let folder = folder("tiny-llama");
        let (model, _) = Model::open(&folder).unwrap();
        let there = model.upload(&gpu).unwrap();
        let mut adapter = Adapter::open(&folder.join("adapter_lora"), &model).unwrap();
        let params = adapter.params().data().len();
        let sequence = |tail: &[u32]| {
            let tokens = [&[5, 6, 7, 8, 9, 10], tail].concat();
            Sequence { source: vec![], supervised_from: 5, tokens }
        };
        let sequences = [sequence(&[1, 2]), sequence(&[3, 4, 5, 6, 7]), sequence(&[11])];
        for dropout in [None, Some(Dropout { rate: 0.4, seed: 99 })] {
            adapter.set_dropout(dropout);
            let uploaded = adapter.upload(&gpu);
            let (_, want, gradient) = learn(&model, Some(&adapter), &sequences, (params, 6, false));
            let mut before: Option<(Vec<f32>, Vec<f32>)> = None;
            for recompute in [false, true, false] {
                let (_, got, there) = learn(&there, Some(&uploaded), &sequences, (params, 6, recompute));
                let found = (got, gpu.read(&there));
                assert!(difference(&found.0, &want) < 1e-4 && difference(&found.1, &gradient) < 1e-3);
                if let Some(before) = &before {
                    assert_eq!(*before, found, "repeating gives other bits");
                }
                before = Some(found);
            }
        }
    }
}

/// Tokens and log-probabilities of answers in one batch: each input once with the adapter and once without. The first
/// `shared` tokens of a decoder's inputs are a shared prefix. The tokens of a known answer are fed regardless of the
/// chosen ones, so that one near tie does not change everything after it.
fn answers<D: Inference>(
    model: &Model<D>,
    adapter: Option<&Adapter<D>>,
    inputs: &[Vec<u32>],
    shared: usize,
    known: Option<&[Vec<Best>]>,
) -> Vec<Vec<Best>> {
    const LENGTH: usize = 8;
    let encoder = model.has_encoder();
    let mut session = Session::new(model, 400);
    let with: Vec<Option<&Adapter<D>>> = if adapter.is_some() { vec![adapter, None] } else { vec![None] };
    let (mut slots, mut fed, mut whose) = (Vec::new(), Vec::new(), Vec::new());
    for of in with {
        let ahead = of.map_or(0, Adapter::virtual_tokens);
        let prefix = (!encoder).then(|| session.prefix(model, of, &inputs[0][..shared]).unwrap().unwrap());
        for input in inputs {
            let (source, first) = match encoder {
                true => (ahead + input.len(), vec![model.decoder_start()]),
                false => (0, input[shared..].to_vec()),
            };
            let slot = session.open(prefix, source, first.len() + LENGTH).unwrap();
            session.encode(model, &[Source { slot, adapter: of, tokens: input }]).unwrap();
            slots.push(slot);
            fed.push(first);
            whose.push(of);
        }
    }
    let mask = vec![u32::MAX; model.vocab().div_ceil(32)];
    let mut answers = vec![Vec::new(); slots.len()];
    for step in 0..LENGTH {
        // Sequences with and without an adapter alternate, so that they must be reordered.
        let mut order: Vec<usize> = (0..slots.len()).collect();
        order.sort_by_key(|i| (i % inputs.len(), *i));
        let feeds: Vec<Feed<'_, D>> =
            order.iter().map(|&i| Feed { slot: slots[i], adapter: whose[i], tokens: &fed[i] }).collect();
        let hidden = session.feed(model, &feeds).unwrap();
        assert_eq!(hidden.rows(), order.len());
        let rows: Vec<_> = order.iter().enumerate().map(|(row, &i)| (row, whose[i])).collect();
        let logits = model.logits_of(&hidden, &rows);
        let best = model.device().best(&logits, &vec![&mask[..]; order.len()]);
        for (&i, best) in order.iter().zip(best) {
            let next = known.map_or(best, |known| known[i][step]);
            fed[i] = vec![next.token.unwrap()];
            answers[i].push(best);
        }
    }
    slots.into_iter().for_each(|slot| session.close(slot));
    answers
}

/// Compares greedy answers on the device with the CPU's: counts the tokens that differ, and returns the largest
/// difference of log-probabilities among the others.
fn check_answers(gpu: &Gpu, name: &str, case: &str, bound: f32) {
    let folder = folder(name);
    let (model, _) = Model::open(&folder).unwrap();
    let there = model.upload(gpu).unwrap();
    let bytes = std::fs::read(folder.join("inputs.safetensors")).unwrap();
    let mut inputs: Vec<Vec<u32>> = sequences(&model, &bytes)
        .into_iter()
        .map(|sequence| if model.has_encoder() { sequence.source } else { sequence.tokens })
        .collect();
    let shared = if model.has_encoder() { 0 } else { 3 };
    for index in 1..inputs.len() {
        let prefix = inputs[0][..shared].to_vec();
        inputs[index][..shared].copy_from_slice(&prefix);
    }
    let adapter = (case != "base").then(|| Adapter::open(&folder.join(format!("adapter_{case}")), &model).unwrap());
    let uploaded = adapter.as_ref().map(|adapter| adapter.upload(gpu));
    let want = answers(&model, adapter.as_ref(), &inputs, shared, None);
    let got = answers(&there, uploaded.as_ref(), &inputs, shared, Some(&want));
    let pairs: Vec<(&Best, &Best)> = want.iter().flatten().zip(got.iter().flatten()).collect();
    let (mut different, mut largest) = (0, 0.0_f32);
    for (want, got) in &pairs {
        if want.token == got.token {
            largest = largest.max((want.log_prob - got.log_prob).abs());
        } else {
            // A different token is allowed only if both are almost equally likely.
            different += 1;
            let apart = (want.log_prob - got.log_prob).abs();
            assert!(apart < bound, "{name}, {case}: {got:?} was chosen instead of {want:?}");
        }
    }
    println!("{name:<12} {case:<6} {different} of {} tokens differ  log-probs {largest:.1e}", pairs.len());
    assert!(largest < bound, "{name}, {case}: the log-probabilities differ");
    assert!(different * 20 <= pairs.len(), "{name}, {case}: {different} of {} tokens differ", pairs.len());
}

#[test]
fn gpu_answers_match_the_cpu() {
    for (element, bound, keep) in [(Element::F32, 1e-4, false), (Element::Bf16, 5e-2, true)] {
        for gpu in gpus(element) {
            gpu.keep_operands(keep);
            for name in ["tiny-llama", "tiny-llama3", "tiny-t5"] {
                for case in ["base", "lora", "prompt"] {
                    check_answers(&gpu, name, case, bound);
                }
            }
        }
    }
}
