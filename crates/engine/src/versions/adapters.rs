use std::path::{Path, PathBuf};

use graft_core::BaseRef;
use graft_formats::{
    ModelConfig, ModelFiles, gguf_lora,
    peft::{self, PeftAdapter},
};
use graft_nn::Adapter;
use graft_store::{Method, Version};
use graft_tasks::cards::Task;
use graft_train::{AdapterCard, weights_digest};

use super::Versions;
use crate::{
    Error, Result,
    files::{apart, copy_folder},
};

/// An adapter or contestant on this machine.
#[derive(Clone, Debug)]
pub struct Chosen {
    /// Holds PEFT's files, or a contestant's.
    pub folder: PathBuf,
    /// What it belongs to; adapters made elsewhere have none, nor do contestants.
    pub card: Option<AdapterCard>,
    /// The version it is registered as, if it was chosen by that.
    pub version: Option<Version>,
    /// What people should know about it.
    pub notes: Vec<String>,
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

    /// Refuses weights other than those that were registered.
    pub(crate) fn check_weights(&self, adapter: &Adapter) -> Result<()> {
        match &self.version {
            Some(version) if weights_digest(adapter) != version.adapter_digest => Err(Error::BadVersion {
                task: version.task.clone(),
                version: version.name.clone(),
                what: "its adapter's weights are not those that were registered".into(),
            }),
            _ => Ok(()),
        }
    }

    /// Refuses what has no adapter.
    pub(super) fn check_adapter(&self) -> Result<()> {
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
            return Ok(Chosen { folder, card: None, version: Some(version), notes: Vec::new() });
        }
        let read = folder.clone();
        let card = apart("read a version's card", move || Ok(AdapterCard::read(&read)?)).await?;
        if card.task.digest() != version.card_digest || Some(&card.base.digest) != version.base_digest.as_ref() {
            return bad("its adapter's folder is not the one that was registered");
        }
        Ok(Chosen { folder, card: Some(card), version: Some(version), notes: Vec::new() })
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
        Ok(Chosen { folder: folder.to_owned(), card, version: None, notes: Vec::new() })
    }

    /// The base for an adapter: its own, or for one made elsewhere the one named, by people or by its own files.
    pub(super) async fn base_for(self, chosen: &Chosen, named: Option<&str>) -> Result<(BaseRef, ModelFiles)> {
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
