//! Compares Graft's numbers with those of Hugging Face, for a model folder with `inputs.safetensors`,
//! `adapter_{lora,prompt}/` and `expected_{base,lora,prompt}.safetensors`.

use std::{fmt, path::Path};

use anyhow::{Context as _, ensure};
use graft_formats::SpecialTokens;
use graft_nn::{Adapter, Context, MicroBatch, Model, Sequence};
use graft_ops::{Adam, Bf16, Cpu};
use safetensors::SafeTensors;

/// Largest absolute error of a logit.
const LOGITS: f64 = 1e-4;
/// Largest error of a gradient, relative to the largest element of its tensor.
const GRADIENTS: f64 = 1e-3;
/// Largest absolute error of a loss.
const LOSSES: f64 = 1e-4;
/// Relative change of an adapter's weights that stands for the rounding of two correct implementations, which sum a hundred
/// products in different orders. AdamW's first steps follow the sign of a gradient, however small, so that rounding decides
/// some of them: where ten steps differ by more than [`LOSSES`], they may differ by as much as such changes make them.
const ROUNDING: f32 = 1e-6;
/// Largest error of a gradient in a training in bf16, whose inputs have eight bits, through at most three layers.
const BF16_GRADIENTS: f64 = 3e-2;
/// The same through four: each layer rounds what the one above it sends down, and the families' norms and caps add to that.
const BF16_GRADIENTS_DEEPER: f64 = 5e-2;
/// As above.
const BF16_LOSS: f64 = 1e-3;
/// As above: ten steps at a high learning rate multiply what rounding changed.
const BF16_STEPS: f64 = 0.2;

/// Models with what Hugging Face computed on them.
const KEPT: &str = "crates/testkit/data/parity";

/// Checks all models that the project keeps.
pub(crate) fn all() -> anyhow::Result<()> {
    let entries = std::fs::read_dir(KEPT).with_context(|| format!("{KEPT} can't be read"))?;
    let paths = entries.map(|entry| entry.map(|entry| entry.path())).collect::<std::io::Result<Vec<_>>>()?;
    let mut folders: Vec<String> =
        paths.iter().filter(|path| path.is_dir()).map(|path| path.display().to_string()).collect();
    folders.sort();
    run(&folders.iter().map(String::as_str).collect::<Vec<_>>())
}

/// Checks each folder and prints one line for each of base, LoRA and soft prompt.
pub(crate) fn run(folders: &[&str]) -> anyhow::Result<()> {
    ensure!(!folders.is_empty(), "name at least one folder");
    for folder in folders {
        let bf16_gradients = if layers(Path::new(folder))? > 3 { BF16_GRADIENTS_DEEPER } else { BF16_GRADIENTS };
        for case in ["base", "lora", "prompt"] {
            let report = check(Path::new(folder), case).with_context(|| format!("{folder}: {case}"))?;
            println!("{folder:<40} {case:<6} {report}");
            ensure!(report.within_bounds(), "{folder}: {case} differs from Hugging Face");
            for &way in Bf16::all() {
                let [loss, gradients, losses] = rounded(Path::new(folder), case, way)?;
                let name = format!("{case} in bf16 with {way}");
                println!("{folder:<40} {name} loss {loss:.1e}  gradients {gradients:.1e}  ten steps {losses:.1e}");
                let within = loss <= BF16_LOSS && gradients <= bf16_gradients && losses <= BF16_STEPS;
                ensure!(within, "{folder}: {name} differs from Hugging Face");
            }
        }
    }
    Ok(())
}

/// The largest errors found.
struct Report {
    logits: f64,
    loss: f64,
    gradients: f64,
    losses: f64,
    /// What the losses of ten steps may differ by.
    losses_bound: f64,
    tokens: usize,
    wrong_tokens: usize,
}

impl Report {
    fn within_bounds(&self) -> bool {
        let ok = |error: f64, bound: f64| error <= bound;
        ok(self.logits, LOGITS)
            && ok(self.loss, LOSSES)
            && ok(self.gradients, GRADIENTS)
            && ok(self.losses, self.losses_bound)
            && self.wrong_tokens == 0
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { logits, loss, gradients, losses, losses_bound, tokens, wrong_tokens } = self;
        write!(f, "logits {logits:.1e}  loss {loss:.1e}  gradients {gradients:.1e}  ten steps {losses:.1e}  ")?;
        if *losses_bound > LOSSES {
            write!(f, "(rounding: {losses_bound:.1e})  ")?;
        }
        write!(f, "greedy tokens {} of {tokens} equal", tokens - wrong_tokens)
    }
}

/// Tensors of one file.
struct Tensors<'d>(SafeTensors<'d>);

impl Tensors<'_> {
    fn floats(&self, name: &str) -> anyhow::Result<Vec<f32>> {
        let bytes = self.0.tensor(name).with_context(|| format!("no tensor `{name}`"))?;
        Ok(bytes.data().as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect())
    }

    /// Rows of an integer matrix.
    fn rows(&self, name: &str) -> anyhow::Result<Vec<Vec<i64>>> {
        let tensor = self.0.tensor(name).with_context(|| format!("no tensor `{name}`"))?;
        let all: Vec<i64> = tensor.data().as_chunks::<8>().0.iter().map(|b| i64::from_le_bytes(*b)).collect();
        let width = tensor.shape().last().copied().unwrap_or(1);
        Ok(all.chunks(width).map(<[i64]>::to_vec).collect())
    }
}

fn check(folder: &Path, case: &str) -> anyhow::Result<Report> {
    let (model, files) = Model::open(folder)?;
    let inputs = std::fs::read(folder.join("inputs.safetensors"))?;
    let inputs = Tensors(SafeTensors::deserialize(&inputs)?);
    let expected = std::fs::read(folder.join(format!("expected_{case}.safetensors")))?;
    let expected = Tensors(SafeTensors::deserialize(&expected)?);
    let mut adapter = match case {
        "base" => None,
        case => Some(Adapter::open(&folder.join(format!("adapter_{case}")), &model)?),
    };
    let sequences = sequences(&model, &inputs)?;
    let mut report = Report {
        logits: 0.0,
        loss: 0.0,
        gradients: 0.0,
        losses: 0.0,
        losses_bound: LOSSES,
        tokens: 0,
        wrong_tokens: 0,
    };
    report.logits = logits_error(&model, adapter.as_ref(), &sequences, &expected, files.tokens.decoder_start)?;

    (report.tokens, report.wrong_tokens) = greedy_errors(&model, adapter.as_ref(), &inputs, &expected, &files.tokens)?;

    let fresh = adapter.clone();
    [report.loss, report.gradients, report.losses] = training_errors(&model, adapter.as_mut(), &sequences, &expected)?;
    if let Some(fresh) = fresh.filter(|_| report.losses > LOSSES) {
        report.losses_bound = rounding_error(&model, &fresh, &sequences)?.max(LOSSES);
    }
    Ok(report)
}

/// How many layers the model of a folder has, of one stack where there are two.
fn layers(folder: &Path) -> anyhow::Result<u64> {
    let config: serde_json::Value = serde_json::from_slice(&std::fs::read(folder.join("config.json"))?)?;
    let count = ["num_hidden_layers", "num_layers"].iter().find_map(|key| config[*key].as_u64());
    count.with_context(|| format!("{}/config.json does not say how many layers there are", folder.display()))
}

/// Errors of the loss, the gradients and ten steps where products round to bf16.
fn rounded(folder: &Path, case: &str, way: Bf16) -> anyhow::Result<[f64; 3]> {
    let model = Model::open(folder)?.0.upload(&Cpu::Bf16(way))?;
    let inputs = std::fs::read(folder.join("inputs.safetensors"))?;
    let inputs = Tensors(SafeTensors::deserialize(&inputs)?);
    let expected = std::fs::read(folder.join(format!("expected_{case}.safetensors")))?;
    let expected = Tensors(SafeTensors::deserialize(&expected)?);
    let mut adapter = match case {
        "base" => None,
        case => Some(Adapter::open(&folder.join(format!("adapter_{case}")), &model)?),
    };
    training_errors(&model, adapter.as_mut(), &sequences(&model, &inputs)?, &expected)
}

/// Errors of the loss, and with an adapter of its gradients and of the losses of ten steps.
fn training_errors(
    model: &Model,
    adapter: Option<&mut Adapter>,
    sequences: &[Sequence],
    expected: &Tensors<'_>,
) -> anyhow::Result<[f64; 3]> {
    let (loss, gradient) = loss_and_gradient(model, adapter.as_deref(), sequences)?;
    let loss = (loss - f64::from(expected.floats("loss")?[0])).abs();
    let Some(adapter) = adapter else { return Ok([loss, 0.0, 0.0]) };
    let gradients = gradient_error(adapter, &gradient, expected)?;
    Ok([loss, gradients, training_error(model, adapter, sequences, expected)?])
}

/// The inputs without their padding.
fn sequences(model: &Model, inputs: &Tensors<'_>) -> anyhow::Result<Vec<Sequence>> {
    let (ids, mask, labels) = (inputs.rows("input_ids")?, inputs.rows("attention_mask")?, inputs.rows("labels")?);
    let real = |ids: &[i64], mask: &[i64]| -> Vec<u32> {
        ids.iter().zip(mask).filter(|(_, m)| **m == 1).map(|(id, _)| *id as u32).collect()
    };
    let rows = ids.iter().zip(&mask).zip(&labels);
    Ok(rows
        .map(|((ids, mask), labels)| {
            let tokens = real(ids, mask);
            if model.has_encoder() {
                let target = labels.iter().filter(|id| **id >= 0).map(|id| *id as u32).collect();
                Sequence { source: tokens, tokens: target, supervised_from: 0 }
            } else {
                let from = labels.iter().position(|id| *id >= 0).unwrap_or(tokens.len());
                Sequence { source: Vec::new(), tokens, supervised_from: from }
            }
        })
        .collect())
}

/// Largest error over all real positions; the expected rows are padded to one length.
fn logits_error(
    model: &Model,
    adapter: Option<&Adapter>,
    sequences: &[Sequence],
    expected: &Tensors<'_>,
    decoder_start: Option<u32>,
) -> anyhow::Result<f64> {
    let want = expected.floats("logits")?;
    let per_sequence = want.len() / sequences.len();
    let mut worst = 0.0_f64;
    for (index, sequence) in sequences.iter().enumerate() {
        let shifted: Vec<u32> =
            decoder_start.iter().chain(&sequence.tokens).copied().take(sequence.tokens.len()).collect();
        let tokens = if model.has_encoder() { &shifted } else { &sequence.tokens };
        let got = model.logits(adapter, &sequence.source, tokens)?;
        for (got, want) in got.data().iter().zip(&want[index * per_sequence..]) {
            worst = worst.max(f64::from((got - want).abs()));
        }
    }
    Ok(worst)
}

/// Mean loss of each supervised token over all sequences, packed into one pass, and its gradient.
fn loss_and_gradient(
    model: &Model,
    adapter: Option<&Adapter>,
    sequences: &[Sequence],
) -> anyhow::Result<(f64, Vec<f32>)> {
    let count: usize = sequences.iter().map(Sequence::supervised).sum();
    let all: Vec<&Sequence> = sequences.iter().collect();
    let batch = MicroBatch { sequences: &all, shared: 0, weight: 1.0 / count as f32 };
    let mut gradient = vec![0.0; adapter.map_or(0, |a| a.params().data().len())];
    let log_probs = model.loss(adapter, &batch, Context::default(), adapter.map(|_| &mut gradient))?;
    Ok((-log_probs.iter().map(|p| f64::from(*p)).sum::<f64>() / count as f64, gradient))
}

/// How many tokens Hugging Face generated, and how many of them ours differ from.
fn greedy_errors(
    model: &Model,
    adapter: Option<&Adapter>,
    inputs: &Tensors<'_>,
    expected: &Tensors<'_>,
    special: &SpecialTokens,
) -> anyhow::Result<(usize, usize)> {
    let (ids, mask) = if model.has_encoder() {
        (inputs.rows("input_ids")?, inputs.rows("attention_mask")?)
    } else {
        let ids = inputs.rows("gen_input_ids")?;
        (ids.clone(), ids.iter().map(|row| vec![1; row.len()]).collect())
    };
    let (mut total, mut wrong) = (0, 0);
    for ((ids, mask), want) in ids.iter().zip(&mask).zip(expected.rows("greedy")?) {
        let real: Vec<u32> = ids.iter().zip(mask).filter(|(_, m)| **m == 1).map(|(id, _)| *id as u32).collect();
        let start: Vec<u32> = special.decoder_start.into_iter().collect();
        let (source, prompt) = if model.has_encoder() { (&real[..], &start[..]) } else { (&[][..], &real[..]) };
        let want: Vec<u32> = want[prompt.len()..].iter().map(|id| *id as u32).collect();
        let got = graft_nn::greedy(model, adapter, source, prompt, want.len(), &special.eos)?;
        // After the end, Hugging Face fills up with padding.
        let end = want.iter().position(|token| special.eos.contains(token)).unwrap_or(want.len());
        total += end;
        wrong += got.len().abs_diff(end) + got.iter().zip(&want[..end]).filter(|(a, b)| a != b).count();
    }
    Ok((total, wrong))
}

fn gradient_error(adapter: &Adapter, gradient: &[f32], expected: &Tensors<'_>) -> anyhow::Result<f64> {
    let (mut worst, mut start) = (0.0_f64, 0);
    for (name, param) in adapter.params().iter() {
        let want = expected.floats(&gradient_name(name))?;
        let got = &gradient[start..start + param.data.len()];
        start += got.len();
        let largest = want.iter().fold(0.0_f32, |m, x| m.max(x.abs()));
        let error = got.iter().zip(&want).fold(0.0_f32, |m, (a, b)| m.max((a - b).abs()));
        worst = worst.max(f64::from(error) / f64::from(largest.max(1e-6)));
    }
    Ok(worst)
}

/// What the expectation calls the gradient of one of our tensors.
fn gradient_name(name: &str) -> String {
    match name.strip_suffix(".weight") {
        Some(module) => format!("grad.base_model.model.{module}.default.weight"),
        None => "grad.prompt_encoder.default.embedding.weight".into(),
    }
}

/// The largest error of the losses before each of ten AdamW steps.
fn training_error(
    model: &Model,
    adapter: &mut Adapter,
    sequences: &[Sequence],
    expected: &Tensors<'_>,
) -> anyhow::Result<f64> {
    let want = expected.floats("adamw_losses")?;
    Ok(largest_difference(&losses(model, adapter, sequences)?, want.into_iter().map(f64::from)))
}

/// The losses before each of ten AdamW steps as the expectation took them.
fn losses(model: &Model, adapter: &mut Adapter, sequences: &[Sequence]) -> anyhow::Result<Vec<f64>> {
    let mut adam = Adam::new(adapter.params().data().len(), 0.9, 0.999, 1e-8, 0.01);
    let mut losses = Vec::new();
    for _ in 0..10 {
        let (loss, gradient) = loss_and_gradient(model, Some(adapter), sequences)?;
        losses.push(loss);
        adam.step(adapter.params_mut().data_mut(), &gradient, 1e-2, 1.0);
    }
    Ok(losses)
}

/// How much the losses of ten steps change at most when the weights of the adapter change by rounding.
fn rounding_error(model: &Model, adapter: &Adapter, sequences: &[Sequence]) -> anyhow::Result<f64> {
    let plain = losses(model, &mut adapter.clone(), sequences)?;
    let mut worst = 0.0_f64;
    for seed in 1..=8_u32 {
        let mut moved = adapter.clone();
        for (weight, index) in moved.params_mut().data_mut().iter_mut().zip(0_u32..) {
            let up = index.wrapping_mul(2_654_435_761).wrapping_mul(seed) >> 31 == 0;
            *weight *= if up { 1.0 + ROUNDING } else { 1.0 - ROUNDING };
        }
        worst = worst.max(largest_difference(&losses(model, &mut moved, sequences)?, plain.iter().copied()));
    }
    Ok(worst)
}

fn largest_difference(a: &[f64], b: impl Iterator<Item = f64>) -> f64 {
    a.iter().zip(b).fold(0.0, |most, (a, b)| most.max((a - b).abs()))
}
