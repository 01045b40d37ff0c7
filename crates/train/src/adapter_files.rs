use std::path::Path;

use graft_core::{AdapterSpec, BaseRef, Digest, TaskCard, json};
use graft_nn::{Adapter, Model};
use serde::{Deserialize, Serialize};

use crate::{Error, run_dir::read_json};

/// What an adapter belongs to. The card is stored with the weights, and an adapter is never used with anything else.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AdapterCard {
    /// Prompt and answer form.
    pub task: TaskCard,
    /// The base model, with the digest of its weights, tokenizer and chat template.
    pub base: BaseRef,
    /// Kind and shape.
    pub adapter: AdapterSpec,
    /// The dataset it was trained on; unknown for imported adapters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dataset: Option<Digest>,
    /// Version of Graft that trained or imported it.
    pub graft: String,
}

/// Writes an adapter in PEFT's format with its card, atomically. Returns the weights' digest.
pub(crate) fn save_adapter(
    folder: &Path,
    adapter: &Adapter,
    model: &Model,
    card: &AdapterCard,
) -> Result<Digest, Error> {
    let files = adapter.to_peft(&card.adapter, model, &card.base.name);
    graft_formats::peft::write(folder, &files, &[(AdapterCard::FILE, card.text().as_bytes())])
        .map_err(Error::Publish)?;
    Ok(weights_digest(adapter))
}

/// The digest of an adapter's weights.
#[must_use]
pub fn weights_digest(adapter: &Adapter) -> Digest {
    Digest::of(&adapter.weight_bytes())
}

/// Reads an adapter trained by Graft and its card.
///
/// # Errors
/// If a file is damaged or the weights don't fit `model`.
pub fn load_adapter(folder: &Path, model: &Model) -> Result<(Adapter, AdapterCard), Error> {
    let card = AdapterCard::read(folder)?;
    Ok((Adapter::open(folder, model).map_err(Error::Model)?, card))
}

impl AdapterCard {
    /// Name of its file, next to PEFT's.
    pub const FILE: &str = "graft.json";

    /// The content of its file.
    #[must_use]
    pub fn text(&self) -> String {
        json::pretty(self)
    }

    /// Reads the card of an adapter folder.
    ///
    /// # Errors
    /// If it is missing or damaged.
    pub fn read(folder: &Path) -> Result<Self, Error> {
        read_json(&folder.join(Self::FILE))
    }
}
