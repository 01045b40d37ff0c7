//! Converts adapters from and to the file format of Hugging Face's PEFT.

use std::{collections::BTreeMap, path::Path};

use graft_core::{AdapterSpec, Targets};
use graft_formats::peft::{self, LoraConfig, Modules, PeftAdapter, PeftConfig, PromptConfig, TaskType};
use graft_ops::Param;

use crate::{Adapter, AdapterKind, Error, Model, matches_target};

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
        let mut weights = Vec::new();
        for pair in files.lora_pairs() {
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
            weights.push((index, rank, pair.a.1.clone(), pair.b.1.clone()));
        }
        weights.sort_by_key(|(module, ..)| *module);
        Ok(Self::lora(modules, config.scaling(), weights))
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
