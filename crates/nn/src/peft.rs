//! Converts adapters from and to the file format of Hugging Face's PEFT.

use std::{collections::BTreeMap, path::Path};

use graft_core::{AdapterSpec, Targets};
use graft_formats::{
    Tensors,
    peft::{self, LoraConfig, LoraPair, LoraPart, Modules, PeftAdapter, PeftConfig, PromptConfig, TaskType},
};
use graft_ops::{Param, Weight};

use crate::{
    Adapter, AdapterKind, Error, Model,
    adapter::{Outputs, Own},
    matches_target,
};

/// Last parts of the names of the modules with a row per token.
const EMBEDDING: &str = "embed_tokens";
const HEAD: &str = "lm_head";

impl Adapter {
    /// Reads a PEFT folder and matches it with a model.
    ///
    /// # Errors
    /// If a file is damaged, or a shape does not match the model's layers.
    pub fn open(folder: &Path, model: &Model) -> Result<Self, Error> {
        Self::from_peft(&peft::read(folder).map_err(Error::AdapterFiles)?, model)
    }

    /// Matches the contents of PEFT files with a model.
    ///
    /// # Errors
    /// If a shape does not match the model's layers.
    pub fn from_peft(files: &PeftAdapter, model: &Model) -> Result<Self, Error> {
        match &files.config {
            PeftConfig::Lora(config) => Self::lora_from(files, config, model),
            PeftConfig::PromptTuning(config) => {
                let Some((_, rows)) = files.prompt().filter(|_| config.token_dim == model.width()) else {
                    let width = model.width();
                    let what = format!("its rows are {} wide, the model's embeddings {width}", config.token_dim);
                    return Err(Error::AdapterMismatch(what));
                };
                Ok(Self::soft_prompt(config.virtual_tokens, config.token_dim, rows))
            }
        }
    }

    fn lora_from(files: &PeftAdapter, config: &LoraConfig, model: &Model) -> Result<Self, Error> {
        let modules = model.target_modules();
        let (mut weights, scale) = (Vec::new(), config.scaling());
        let (embedding, head) = (embedding(files, scale, model)?, head(files, scale, model)?);
        let mut own = Own { outputs: BTreeMap::new(), embedding, head };
        for pair in files.lora_pairs().filter(|pair| pair.module != HEAD) {
            // A model without its output head names its layers `layers.0…`.
            let is = |name: &str| name == pair.module || name.strip_prefix("model.") == Some(pair.module);
            let Some(index) = modules.iter().position(|module| is(&module.name)) else {
                return Err(Error::AdapterMismatch(format!("the model has no layer `{}`", pair.module)));
            };
            let (module, rank) = (&modules[index], config.rank_of(pair.module));
            if pair.a.0 != [rank, module.inputs] || pair.b.0 != [module.outputs, rank] {
                let (module, inputs, outputs) = (pair.module, module.inputs, module.outputs);
                let what = format!("the model's `{module}` is {outputs} × {inputs}, the adapter's differs");
                return Err(Error::AdapterMismatch(what));
            }
            if pair.magnitude.is_some() || pair.bias.is_some() {
                own.outputs.insert(index, outputs(&pair, index, scale, model)?);
            }
            weights.push((index, rank, pair.a.1.clone(), pair.b.1.clone()));
        }
        weights.sort_by_key(|(module, ..)| *module);
        Ok(Self::lora(modules, scale, weights).with_own(own))
    }

    /// Target modules of an adapter's config without weights in its file.
    #[must_use]
    pub fn missing_modules(files: &PeftAdapter, base: &Tensors) -> Vec<String> {
        let PeftConfig::Lora(config) = &files.config else { return Vec::new() };
        let targets = match &config.target_modules {
            Modules::Named(names) if !config.partial => Targets::Named(names.clone()),
            Modules::AllLinear if !config.partial => Targets::AllLinear,
            _ => return Vec::new(),
        };
        let found: Vec<&str> = files.lora_pairs().map(|pair| pair.module).collect();
        let is_there =
            |name: &str| found.contains(&name) || name.strip_prefix("model.").is_some_and(|n| found.contains(&n));
        linear_names(base).filter(|name| matches_target(&targets, name) && !is_there(name)).map(str::to_owned).collect()
    }

    /// The adapter in PEFT's format. `base` becomes `base_model_name_or_path`.
    #[must_use]
    pub fn to_peft(&self, spec: &AdapterSpec, model: &Model, base: &str) -> PeftAdapter {
        let prefix = if matches!(self.kind(), AdapterKind::Lora { .. }) { "base_model.model." } else { "" };
        let tensors: BTreeMap<_, _> = self
            .params()
            .iter()
            .map(|(name, p)| (format!("{prefix}{name}"), (vec![p.rows, p.cols], p.data.to_vec())))
            .collect();
        let config = match spec {
            AdapterSpec::Lora(spec) => PeftConfig::Lora(LoraConfig {
                r: spec.rank,
                alpha: spec.alpha,
                dropout: spec.dropout,
                use_rslora: spec.rslora,
                target_modules: Modules::Named(target_names(&spec.targets, model)),
                ranks: self.other_ranks(spec.rank),
                dora: false,
                lora_bias: false,
                modules_to_save: Vec::new(),
                partial: false,
            }),
            AdapterSpec::SoftPrompt(spec) => {
                let (layers, heads) = model.depth();
                PeftConfig::PromptTuning(PromptConfig {
                    virtual_tokens: spec.tokens,
                    submodules: if model.has_encoder() { 2 } else { 1 },
                    token_dim: model.width(),
                    layers,
                    heads,
                })
            }
        };
        let task_type = if model.has_encoder() { TaskType::Seq2SeqLm } else { TaskType::CausalLm };
        PeftAdapter { base: Some(base.to_owned()), task_type, config, tensors }
    }

    /// Modules whose LoRA rank differs from the common one, which an imported adapter may have.
    fn other_ranks(&self, common: usize) -> BTreeMap<String, usize> {
        let of = |(name, param): (&str, Param<'_>)| Some((name.strip_suffix(".lora_A.weight")?.to_owned(), param.rows));
        self.params().iter().filter_map(of).filter(|(_, rank)| *rank != common).collect()
    }
}

/// The changes to a target module's outputs.
fn outputs(pair: &LoraPair<'_>, module: usize, scale: f32, model: &Model) -> Result<Outputs, Error> {
    let bias = pair.bias.iter().flat_map(|bias| bias.iter().map(|x| scale * x)).collect();
    let mut outputs = Outputs { gain: Vec::new(), bias };
    let Some(magnitude) = pair.magnitude else { return Ok(outputs) };
    let Model::Decoder(decoder) = model else { return Err(only_decoders("DoRA")) };
    outputs.gain = vec![1.0; magnitude.len()];
    for layer in decoder.linears().filter(|layer| layer.module == module) {
        let mut rows = numbers(&layer.weight);
        let factors = pair.change(&mut rows, layer.rows.start, scale).unwrap_or_default();
        outputs.gain[layer.rows.clone()].copy_from_slice(&factors[..layer.rows.len()]);
    }
    Ok(outputs)
}

/// The adapter's own output head, if it has one.
fn head(files: &PeftAdapter, scale: f32, model: &Model) -> Result<Option<Weight>, Error> {
    let Some(module) = files.table(HEAD) else { return Ok(None) };
    let mut table = table(files, module, model.head(None).weight, model)?;
    if let Some(pair) = files.lora_pairs().find(|pair| pair.module == module) {
        if pair.bias.is_some() {
            return Err(Error::AdapterMismatch("a bias of the output head is not supported".into()));
        }
        fits(module, pair.b.0[0] == model.vocab() && pair.a.0[1] == model.width())?;
        pair.merge_into(&mut table, scale);
    }
    Ok(Some(Weight::dense(model.vocab(), model.width(), table)))
}

/// The adapter's own embeddings, if it has some: `E + scale · (B·A)ᵀ` and, with DoRA, a factor on each column.
fn embedding(files: &PeftAdapter, scale: f32, model: &Model) -> Result<Option<Weight>, Error> {
    let Some(module) = files.table(EMBEDDING) else { return Ok(None) };
    let (vocab, width) = (model.vocab(), model.width());
    let mut table = table(files, module, model.embedding(), model)?;
    let part = |part| files.part(module, part);
    if let (Some((a_shape, a)), Some((b_shape, b))) = (part(LoraPart::EmbeddingA), part(LoraPart::EmbeddingB)) {
        let rank = a_shape[0];
        fits(module, a_shape[1] == vocab && b_shape[0] == width)?;
        for (token, row) in table.chunks_exact_mut(width).enumerate() {
            for (x, b) in row.iter_mut().zip(b.chunks_exact(rank)) {
                *x += scale * b.iter().zip(a[token..].iter().step_by(vocab)).map(|(b, a)| a * b).sum::<f32>();
            }
        }
        for (column, magnitude) in part(LoraPart::Magnitude).iter().flat_map(|(_, values)| values.iter().enumerate()) {
            let mut squares = 0.0;
            table[column..].iter().step_by(width).for_each(|x| squares += f64::from(*x).powi(2));
            let factor = magnitude / squares.sqrt() as f32;
            table[column..].iter_mut().step_by(width).for_each(|x| *x *= factor);
        }
    }
    Ok(Some(Weight::dense(vocab, width, table)))
}

/// The table under the adapter: its own, or the model's.
fn table(files: &PeftAdapter, module: &str, models: &Weight, model: &Model) -> Result<Vec<f32>, Error> {
    if model.has_encoder() {
        return Err(only_decoders("an adapter on the embeddings or the output head"));
    }
    match files.part(module, LoraPart::Base).or(files.part(module, LoraPart::Saved)) {
        Some((shape, values)) => {
            fits(module, shape[..] == [model.vocab(), model.width()])?;
            Ok(values.clone())
        }
        None => Ok(numbers(models)),
    }
}

fn fits(module: &str, fits: bool) -> Result<(), Error> {
    let what = || format!("the adapter's `{module}` has another shape, as after tokens were added to the vocabulary");
    if fits { Ok(()) } else { Err(Error::AdapterMismatch(what())) }
}

fn only_decoders(what: &str) -> Error {
    Error::AdapterMismatch(format!("{what} is supported for decoder-only models"))
}

fn numbers(weight: &Weight) -> Vec<f32> {
    let mut all = vec![0.0; weight.rows() * weight.cols()];
    weight.dequantize(0..weight.rows(), &mut all);
    all
}

/// Names of the linear layers of a base model, from its files alone: matrices other than embeddings, T5's position biases and the
/// output head.
fn linear_names(base: &Tensors) -> impl Iterator<Item = &str> {
    const OTHERS: [&str; 4] = [EMBEDDING, HEAD, "shared", "relative_attention_bias"];
    let matrices = base.iter().filter(|(_, shape)| shape.len() == 2);
    let names = matrices.filter_map(|(name, _)| name.strip_suffix(".weight"));
    names.filter(|name| !name.rsplit('.').next().is_some_and(|last| OTHERS.contains(&last)))
}

/// The `target_modules` of a PEFT config: `all-linear` becomes the last components of the module names, `decoder` the full
/// names (so that the encoder's modules don't match).
fn target_names(targets: &Targets, model: &Model) -> Vec<String> {
    match targets {
        Targets::Named(names) => names.clone(),
        Targets::Decoder if model.has_encoder() => {
            let modules = model.target_modules().iter().filter(|module| matches_target(targets, &module.name));
            modules.map(|module| module.name.clone()).collect()
        }
        Targets::AllLinear | Targets::Decoder => {
            let modules = model.target_modules();
            let mut names: Vec<String> =
                modules.iter().filter_map(|module| module.name.rsplit('.').next().map(str::to_owned)).collect();
            names.sort_unstable();
            names.dedup();
            names
        }
    }
}
