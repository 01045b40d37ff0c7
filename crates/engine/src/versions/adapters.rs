use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use graft_core::BaseRef;
use graft_formats::{
    Family, ModelConfig, ModelFiles, RopeScaling, gguf_lora,
    peft::{self, LoraPair, PeftAdapter, PeftConfig},
    safetensors_out::{self, TensorSpec},
};
use graft_store::{Method, Version};
use graft_tasks::cards::Task;
use graft_train::AdapterCard;
use serde_json::{Value, json};

use super::Versions;
use crate::{Error, Result, files::copy_folder};

/// Files of a model folder beside its weights.
const BESIDE: [&str; 6] = [
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "generation_config.json",
    "chat_template.jinja",
    "tokenizer.model",
];

/// An adapter or contestant on this machine.
#[derive(Clone, Debug)]
pub struct Chosen {
    /// Holds PEFT's files, or a contestant's.
    pub folder: PathBuf,
    /// What it belongs to; adapters made elsewhere have none, nor do contestants.
    pub card: Option<AdapterCard>,
    /// The version it is registered as, if it was chosen by that.
    pub version: Option<Version>,
}

impl Chosen {
    /// Its card.
    ///
    /// # Errors
    /// It was made elsewhere and its task is unknown; it is not an adapter.
    pub(crate) fn known_card(&self) -> Result<&AdapterCard> {
        self.check_adapter()?;
        self.card.as_ref().ok_or_else(|| untold("task", "--task", &self.folder))
    }
}

impl Chosen {
    /// The version, if it answers without a language model.
    pub(crate) fn contestant(&self) -> Option<&Version> {
        self.version.as_ref().filter(|version| version.method != Method::Adapter)
    }

    /// Refuses what has no adapter.
    fn check_adapter(&self) -> Result<()> {
        match self.contestant() {
            None => Ok(()),
            Some(version) => Err(Error::NoAdapter {
                task: version.task.clone(),
                version: version.name.clone(),
                method: version.method.name(),
            }),
        }
    }
}

/// Something that only people can tell about an adapter's folder.
pub(crate) fn untold(what: &str, flag: &str, folder: &Path) -> Error {
    let folder = folder.display();
    Error::Unsupported(format!("tell the {what} of `{folder}`, which was not trained by Graft (`{flag}`)"))
}

impl Versions<'_> {
    /// The task as it was when an adapter or contestant was trained; for one made elsewhere, as it is now, or what its card
    /// tells.
    pub(crate) async fn definition(self, chosen: &Chosen) -> Result<Task> {
        if let Some(version) = &chosen.version {
            return self.engine.tasks().of(version).await;
        }
        let card = &chosen.known_card()?.task;
        match self.engine.tasks().definition(&card.name).await {
            Err(Error::Tasks(graft_tasks::Error::UnknownTask { .. })) => Ok(Task::of_card(card)),
            found => found,
        }
    }

    /// The files of a version (the active one without a name), whose files are those that were registered.
    ///
    /// # Errors
    /// There is no such version, or [`Error::BadVersion`].
    pub async fn adapter(self, task: &str, name: Option<&str>) -> Result<Chosen> {
        let version = match name {
            Some(name) => self.engine.store.version(task, name).await?,
            None => {
                let active = self.engine.store.active_version(task).await?;
                active.ok_or_else(|| Error::NoActive { task: task.to_owned() })?
            }
        };
        let folder = self.engine.home.resolve(&version.adapter_dir);
        let bad = |what: &str| {
            Err(Error::BadVersion { task: task.to_owned(), version: version.name.clone(), what: what.to_owned() })
        };
        if !self.bring(&version).await? {
            return bad("its folder is missing");
        }
        if version.method != Method::Adapter {
            return Ok(Chosen { folder, card: None, version: Some(version) });
        }
        let card = AdapterCard::read(&folder)?;
        if card.task.digest() != version.card_digest || Some(&card.base.digest) != version.base_digest.as_ref() {
            return bad("its adapter's folder is not the one that was registered");
        }
        Ok(Chosen { folder, card: Some(card), version: Some(version) })
    }

    /// An adapter's folder, made here or elsewhere.
    ///
    /// # Errors
    /// Its card is damaged.
    pub fn adapter_folder(self, folder: &Path) -> Result<Chosen> {
        let card = match folder.join(AdapterCard::FILE).exists() {
            true => Some(AdapterCard::read(folder)?),
            false => None,
        };
        Ok(Chosen { folder: folder.to_owned(), card, version: None })
    }

    /// The base for an adapter: its own, or for one made elsewhere the one named, by people or by its own files.
    async fn base_for(self, chosen: &Chosen, named: Option<&str>) -> Result<(BaseRef, ModelFiles)> {
        match (&chosen.card, named) {
            (Some(card), _) => self.engine.bases().open(&card.base).await,
            (None, Some(name)) => self.engine.bases().find(name).await,
            (None, None) => match peft::read(&chosen.folder)?.base {
                // A path of the machine it was made on says nothing here.
                Some(name) => match self.engine.bases().find(&name).await {
                    Err(Error::Hub(graft_hub::Error::PathMissing { .. })) => {
                        Err(untold("base model", "--base", &chosen.folder))
                    }
                    found => found,
                },
                None => Err(untold("base model", "--base", &chosen.folder)),
            },
        }
    }

    /// Writes the base model with the adapter's change added to its weights, as a Hugging Face folder in f32.
    ///
    /// # Errors
    /// A soft prompt can't be merged; an adapter that doesn't fit the base; the disk refuses.
    pub async fn merge(self, chosen: &Chosen, base: Option<&str>, output: &Path) -> Result<()> {
        chosen.check_adapter()?;
        let (_, files) = self.base_for(chosen, base).await?;
        let adapter = peft::read(&chosen.folder)?;
        let PeftConfig::Lora(lora) = &adapter.config else {
            return Err(Error::Unsupported("merge a soft prompt: it does not change weights".into()));
        };
        let pairs: BTreeMap<&str, LoraPair<'_>> = adapter.lora_pairs().map(|pair| (pair.module, pair)).collect();
        check_fit(&pairs, &files)?;
        if !files.path.is_dir() {
            // Refused before the weights are written.
            llama_config(&files)?;
        }
        fs::create_dir_all(output).map_err(|source| Error::Io { doing: "make", path: output.to_owned(), source })?;
        let specs: Vec<TensorSpec> =
            files.tensors.iter().map(|(name, shape)| TensorSpec { name: name.into(), shape: shape.to_vec() }).collect();
        safetensors_out::write(&output.join("model.safetensors"), &specs, |spec| {
            let mut values = files.tensors.get(&spec.name, &spec.shape)?.to_f32();
            if let Some(pair) = spec.name.strip_suffix(".weight").and_then(|module| pairs.get(module)) {
                add(&mut values, pair, lora.scaling());
            }
            Ok::<_, Error>(values)
        })?;
        write_beside(&files, output)
    }

    /// Writes a LoRA adapter for llama.cpp.
    ///
    /// # Errors
    /// A soft prompt, or a model with an encoder; the disk refuses.
    pub async fn export_gguf(self, chosen: &Chosen, base: Option<&str>, output: &Path) -> Result<()> {
        chosen.check_adapter()?;
        let (_, files) = self.base_for(chosen, base).await?;
        let ModelConfig::Decoder(config) = &files.config else {
            return Err(Error::Unsupported("export for llama.cpp: its LoRA files are for decoder-only models".into()));
        };
        Ok(gguf_lora::write(output, &peft::read(&chosen.folder)?, config)?)
    }

    /// Copies an adapter's folder, which Hugging Face's peft reads.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn export_peft(self, chosen: &Chosen, output: &Path) -> Result<PeftAdapter> {
        chosen.check_adapter()?;
        let adapter = peft::read(&chosen.folder)?;
        copy_folder(&chosen.folder, output)?;
        Ok(adapter)
    }
}

fn check_fit(pairs: &BTreeMap<&str, LoraPair<'_>>, files: &ModelFiles) -> Result<()> {
    let shapes: BTreeMap<&str, &[usize]> = files.tensors.iter().collect();
    for (module, pair) in pairs {
        let shape = shapes.get(format!("{module}.weight").as_str());
        if shape.is_none_or(|shape| **shape != [pair.b.0[0], pair.a.0[1]]) {
            let what = format!("the model has no layer `{module}` of this shape");
            return Err(graft_nn::Error::AdapterMismatch(what).into());
        }
    }
    Ok(())
}

/// `W += scale · B·A`.
fn add(weight: &mut [f32], pair: &LoraPair<'_>, scale: f32) {
    let (rank, cols) = (pair.a.0[0], pair.a.0[1]);
    for (row, b) in weight.chunks_exact_mut(cols).zip(pair.b.1.chunks_exact(rank)) {
        for (b, a) in b.iter().zip(pair.a.1.chunks_exact(cols)) {
            let factor = scale * b;
            row.iter_mut().zip(a).for_each(|(w, a)| *w += factor * a);
        }
    }
}

/// Writes config, tokenizer and chat template of a model folder or GGUF file.
fn write_beside(files: &ModelFiles, output: &Path) -> Result<()> {
    let put = |name: &str, value: &Value| -> Result<()> {
        Ok(graft_formats::atomic::bytes(&output.join(name), format!("{value:#}\n").as_bytes())?)
    };
    if files.path.is_dir() {
        for name in BESIDE {
            let from = files.path.join(name);
            if from.exists() {
                fs::copy(&from, output.join(name)).map_err(|source| Error::Io {
                    doing: "copy",
                    path: from.clone(),
                    source,
                })?;
            }
        }
        let path = files.path.join("config.json");
        let text = fs::read(&path).map_err(|source| Error::Io { doing: "read", path: path.clone(), source })?;
        let mut config: Value = serde_json::from_slice(&text).unwrap_or_default();
        for name in ["torch_dtype", "dtype"] {
            if let Some(dtype) = config.get_mut(name) {
                *dtype = json!("float32");
            }
        }
        return put("config.json", &config);
    }
    put("config.json", &llama_config(files)?)?;
    let tokens = &files.tokens;
    put("generation_config.json", &json!({"bos_token_id": tokens.bos, "eos_token_id": tokens.eos}))?;
    let tokenizer = files.tokenizer.to_string(true).map_err(graft_nn::Error::Tokenizer)?;
    graft_formats::atomic::bytes(&output.join("tokenizer.json"), tokenizer.as_bytes())?;
    let text = |id: Option<u32>| id.and_then(|id| files.tokenizer.id_to_token(id));
    let mut about = json!({
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": text(tokens.bos),
        "eos_token": text(tokens.eos.first().copied()),
    });
    if let Some(template) = &files.chat_template {
        about["chat_template"] = json!(template.source());
    }
    put("tokenizer_config.json", &about)
}

/// A Hugging Face `config.json` for a Llama in a GGUF file.
fn llama_config(files: &ModelFiles) -> Result<Value> {
    let (c, rope) = match &files.config {
        ModelConfig::Decoder(c) if c.family == Family::Llama => (c, &c.ropes[0]),
        _ => {
            let what = "merge into a GGUF file of this architecture; merge into the model's safetensors form";
            return Err(Error::Unsupported(what.into()));
        }
    };
    let scaling = match &rope.scaling {
        RopeScaling::None => Value::Null,
        RopeScaling::Linear { factor } => json!({"rope_type": "linear", "factor": factor}),
        RopeScaling::Llama3 { factor, low_freq_factor, high_freq_factor, original_max_positions } => json!({
            "rope_type": "llama3", "factor": factor, "low_freq_factor": low_freq_factor,
            "high_freq_factor": high_freq_factor, "original_max_position_embeddings": original_max_positions,
        }),
        RopeScaling::Factors(_) => {
            let what = "write this GGUF file's rope factors as a Hugging Face config; merge into its safetensors form";
            return Err(Error::Unsupported(what.into()));
        }
    };
    Ok(json!({
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_act": "silu",
        "hidden_size": c.hidden, "intermediate_size": c.intermediate, "num_hidden_layers": c.layers,
        "num_attention_heads": c.heads, "num_key_value_heads": c.kv_heads, "head_dim": c.head_dim,
        "vocab_size": c.vocab, "rms_norm_eps": f64::from(c.rms_eps), "rope_theta": rope.theta,
        "rope_scaling": scaling, "tie_word_embeddings": c.tie, "max_position_embeddings": c.max_positions,
        "bos_token_id": files.tokens.bos, "eos_token_id": files.tokens.eos, "torch_dtype": "float32",
        "attention_bias": false, "mlp_bias": false,
    }))
}
