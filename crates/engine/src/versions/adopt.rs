//! Registers adapters that were made elsewhere, such as by Hugging Face's peft: their files describe everything except the
//! task.

use std::{collections::BTreeMap, path::Path};

use graft_contestants::LabelNGrams;
use graft_core::{AdapterSpec, Digest, LoraSpec, PromptInit, PromptSpec, Ranks, Targets};
use graft_formats::peft::{self, Modules, PeftAdapter, PeftConfig};
use graft_nn::{Adapter, Model};
use graft_store::{Method, NewVersion, Version};
use graft_train::{AdapterCard, weights_digest};
use serde_json::json;

use super::{Chosen, Versions, adapters::untold};
use crate::{Error, Result, now};

/// What people say about an adapter's folder.
#[derive(Clone, Copy, Debug, Default)]
pub struct Told<'t> {
    /// Name of the task; needed where Graft did not train it.
    pub task: Option<&'t str>,
    /// The base model; otherwise the one that its files name.
    pub base: Option<&'t str>,
}

impl Versions<'_> {
    /// An adapter's folder with a card: its own, or one made of what its files and `told` say. The prompt is that of the
    /// task, as Graft would train it.
    ///
    /// # Errors
    /// The task is not told, or another one than it was trained for; the base is not told, missing, or another one than
    /// it was trained with; the files are damaged; a chat template or tokens beside them are others than the base's.
    pub async fn adopt(self, folder: &Path, told: Told<'_>) -> Result<Chosen> {
        let mut chosen = self.adapter_folder(folder)?;
        if let Some(card) = &chosen.card {
            if let Some(task) = told.task.filter(|task| *task != card.task.name) {
                let (folder, of) = (folder.display(), &card.task.name);
                return Err(Error::Unsupported(format!("use `{folder}` for task `{task}`: it was trained for `{of}`")));
            }
            if let Some(name) = told.base {
                let (found, files) = self.engine.bases().find(name).await?;
                if found.digest != card.base.digest {
                    let (path, wanted) = (files.path.display().to_string(), card.base.digest.clone());
                    return Err(Error::OtherBase { name: found.name, path, wanted });
                }
            }
            return Ok(chosen);
        }
        let task = told.task.ok_or_else(|| untold("task", "--task", folder))?;
        let definition = self.engine.tasks().definition(task).await?;
        let files = peft::read(folder)?;
        let base = told.base.or(files.base.as_deref()).ok_or_else(|| untold("base model", "--base", folder))?;
        let (base, model) = self.engine.bases().find(base).await?;
        peft::check_beside(folder, &model)?;
        let missing = Adapter::missing_modules(&files, &model.tensors);
        if let Some(first) = missing.first() {
            let count = missing.len();
            chosen.notes.push(format!(
                "target modules without weights in the adapter's file: {count}, such as `{first}`; they stay as they are in \
                 the base model"
            ));
        }
        chosen.card = Some(AdapterCard {
            task: definition.card(&self.engine.examples().labels(task).await?)?,
            base,
            adapter: shape(&files),
            label_bias: BTreeMap::new(),
            n_grams: None,
            dataset: None,
            graft: env!("CARGO_PKG_VERSION").to_owned(),
        });
        Ok(chosen)
    }

    /// Registers an adopted adapter as a version in the stage shadow, without numbers: a copy of its two files and its
    /// card. It must fit its base.
    ///
    /// # Errors
    /// It doesn't fit the base; the name is taken.
    pub async fn add(self, chosen: &Chosen, name: Option<&str>) -> Result<Version> {
        let folder = &chosen.folder;
        let card = chosen.known_card()?.clone();
        let (base, files) = self.engine.bases().open(&card.base).await?;
        let adapter_digest = weights_digest(&Adapter::open(folder, &Model::load(&files)?)?);
        let parts = [adapter_digest.as_str(), card.task.digest().as_str(), base.digest.as_str()].map(str::to_owned);
        let key = Digest::of_parts(parts.iter().map(String::as_bytes));
        let adapter_dir = format!("adapters/{}/added-{}", card.task.name, key.short());
        self.keep_files(folder, &card, &self.engine.home.resolve(&adapter_dir))?;
        self.publish(&adapter_dir).await?;
        // What it learned from elsewhere is no dataset of this home.
        let known = self.engine.store.datasets(Some(&card.task.name)).await?;
        let dataset = card.dataset.filter(|dataset| known.iter().any(|info| info.digest == *dataset));
        let new = NewVersion {
            task: card.task.name.clone(),
            name: name.map(str::to_owned),
            method: Method::Adapter,
            run: None,
            adapter_dir,
            adapter_digest,
            base: Some(base),
            dataset,
            card: card.task,
            metrics: json!({}),
            parent: None,
            task_revision: None,
        };
        Ok(self.engine.store.add_version(&new, &self.engine.by, now()).await?)
    }

    /// Copies an adapter's files to another folder, with this card: PEFT's two, and the n-grams' where it has some.
    pub(crate) fn keep_files(self, folder: &Path, card: &AdapterCard, to: &Path) -> Result<()> {
        let read = |name: &str| {
            let path = folder.join(name);
            std::fs::read(&path).map_err(|source| Error::Io { doing: "read", path, source })
        };
        let n_grams = card.n_grams.as_ref().map(|_| read(LabelNGrams::FILE)).transpose()?;
        let (config, weights, card) = (read(peft::CONFIG)?, read(peft::WEIGHTS)?, card.text());
        let mut files =
            vec![(peft::CONFIG, &*config), (peft::WEIGHTS, &*weights), (AdapterCard::FILE, card.as_bytes())];
        files.extend(n_grams.as_deref().map(|file| (LabelNGrams::FILE, file)));
        Ok(graft_formats::atomic::folder(to, &files)?)
    }
}

/// Kind and shape, as far as PEFT's files tell: where a soft prompt began is not among it.
fn shape(files: &PeftAdapter) -> AdapterSpec {
    match &files.config {
        PeftConfig::Lora(lora) => AdapterSpec::Lora(LoraSpec {
            rank: lora.r,
            alpha: lora.alpha,
            dropout: lora.dropout,
            rslora: lora.use_rslora,
            ranks: if lora.ranks.is_empty() { Ranks::Equal } else { Ranks::Pattern(lora.ranks.clone()) },
            targets: match &lora.target_modules {
                Modules::AllLinear => Targets::AllLinear,
                Modules::Named(names) => Targets::Named(names.clone()),
                Modules::Pattern(_) => Targets::Named(files.lora_pairs().map(|pair| pair.module.to_owned()).collect()),
            },
        }),
        PeftConfig::PromptTuning(prompt) => {
            AdapterSpec::SoftPrompt(PromptSpec { tokens: prompt.virtual_tokens, init: PromptInit::Random })
        }
    }
}
