//! A loaded base model, shared by all its adapters.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use graft_core::{BaseRef, Digest, TaskCard};
use graft_formats::ModelFiles;
use graft_nn::Model;
use graft_predict::{ChatPrompter, Limits, PromptCache, Service, Template, Vocabulary};

use super::Options;
use crate::{Result, bases::file_bytes};

/// A base model, loaded once for all its adapters, with the thread that computes. What only some requests need is made
/// for the first of them.
pub(super) struct Base {
    pub(super) name: String,
    pub(super) digest: Digest,
    pub(super) model: Arc<Model>,
    pub(super) service: Service,
    /// Bytes of its files.
    pub(super) bytes: usize,
    files: Arc<ModelFiles>,
    chat: OnceLock<ChatPrompter>,
    /// By the tokens that end an answer.
    vocabularies: Mutex<HashMap<Vec<u32>, Arc<Vocabulary>>>,
    /// By the digest of the task's card.
    templates: Mutex<HashMap<Digest, Arc<Template>>>,
}

impl Base {
    /// Loads a model and starts its thread. Computes for long.
    pub(super) fn load(base: &BaseRef, files: ModelFiles, options: &Options, cache: PromptCache) -> Result<Self> {
        let model = Arc::new(Model::load(&files)?);
        let Options { slots, gpu_slots, cache_bytes, .. } = *options;
        let limits = Limits { slots, gpu_slots, cache_bytes, ..Limits::default() };
        let service = Service::start_on(options.device, Arc::clone(&model), limits, options.queue, Some(cache))?;
        Ok(Self {
            name: base.name.clone(),
            digest: base.digest.clone(),
            bytes: usize::try_from(file_bytes(&files.path)).unwrap_or(usize::MAX),
            model,
            service,
            files: Arc::new(files),
            chat: OnceLock::new(),
            vocabularies: Mutex::default(),
            templates: Mutex::default(),
        })
    }

    /// How conversations and texts become prompts.
    pub(super) fn chat(&self) -> Result<&ChatPrompter> {
        if let Some(made) = self.chat.get() {
            return Ok(made);
        }
        let new = ChatPrompter::new(Arc::clone(&self.files), self.model.has_encoder())?;
        Ok(self.chat.get_or_init(|| new))
    }

    /// The tokens, where any of those that end a chat may end an answer.
    pub(super) fn vocabulary(&self) -> Result<Arc<Vocabulary>> {
        Ok(self.vocabulary_ending_with(&self.files.tokens.eos)?)
    }

    fn vocabulary_ending_with(&self, ends: &[u32]) -> graft_predict::Result<Arc<Vocabulary>> {
        let mut made = self.vocabularies.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = made.get(ends) {
            return Ok(Arc::clone(found));
        }
        let new = Arc::new(Vocabulary::new(Arc::new(self.files.tokenizer.clone()), ends)?);
        made.insert(ends.to_vec(), Arc::clone(&new));
        Ok(new)
    }

    /// A task's prompt and answer form, made once for all its adapters. Its answers end as in training: with the
    /// tokenizer's own end token, not with any that may end a chat.
    pub(super) fn template(&self, card: &TaskCard) -> Result<Arc<Template>> {
        let mut made = self.templates.lock().unwrap_or_else(PoisonError::into_inner);
        let key = card.digest();
        if let Some(found) = made.get(&key) {
            return Ok(Arc::clone(found));
        }
        let vocabulary = |prompter: &graft_nn::Prompter| self.vocabulary_ending_with(&[prompter.end()]);
        let new = Arc::new(Template::new(&self.files, self.model.has_encoder(), card, vocabulary)?);
        made.insert(key, Arc::clone(&new));
        Ok(new)
    }
}
