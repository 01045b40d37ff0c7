use std::sync::Arc;

use graft_core::TaskCard;
use graft_formats::ModelFiles;
use graft_nn::{Adapter, Prompter};
use serde_json::Value;

use crate::{Adjustments, Error, Guide, Priority, Request, Result, Tell, Vocabulary};

/// A task's prompt and answer form for one base model, shared by all its adapters.
pub struct Template {
    prompter: Prompter,
    guide: Guide,
    shared: Arc<[u32]>,
}

impl Template {
    /// Default limit of an answer's tokens.
    pub const MAX_TOKENS: usize = 400;

    /// Prepares a task for a model with this vocabulary.
    ///
    /// # Errors
    /// If the answer form can't be enforced with this tokenizer, or the prompt can't be rendered.
    pub fn new(
        files: &ModelFiles,
        has_encoder: bool,
        card: &TaskCard,
        vocabulary: impl FnOnce(&Prompter) -> Result<Arc<Vocabulary>>,
    ) -> Result<Self> {
        let prompter = Prompter::new(files, has_encoder, card).map_err(Error::Model)?;
        let spaced = prompter.answers_follow_space().map_err(Error::Model)?;
        let guide = Guide::after_prompt(&card.answer, vocabulary(&prompter)?, spaced)?;
        let shared = if has_encoder { Arc::default() } else { prompter.shared().into() };
        Ok(Self { prompter, guide, shared })
    }

    /// Renders prompts.
    #[must_use]
    pub fn prompter(&self) -> &Prompter {
        &self.prompter
    }

    /// Encodes, restricts and decodes answers.
    #[must_use]
    pub fn guide(&self) -> &Guide {
        &self.guide
    }

    /// Tokens that the longest of these answers takes, with room for a wrong one to be longer; at most
    /// [`MAX_TOKENS`](Self::MAX_TOKENS).
    ///
    /// # Errors
    /// If an answer does not follow the form, or the tokenizer fails.
    pub fn longest<'a>(&self, answers: impl Iterator<Item = &'a Value>) -> Result<usize> {
        let mut longest = 0;
        for answer in answers {
            let written = self.guide.codec().encode(answer)?;
            longest = longest.max(self.prompter.answer(&written).map_err(Error::Model)?.len());
        }
        Ok((longest * 3 / 2 + 8).min(Self::MAX_TOKENS))
    }

    /// A request for the answer to an input.
    ///
    /// # Errors
    /// If the tokenizer fails.
    pub fn request(&self, adapter: Option<Arc<Adapter>>, input: &str, tell: Tell) -> Result<Request> {
        let prompt = self.prompter.prompt(input).map_err(Error::Model)?;
        Ok(Request {
            adapter,
            shared: Arc::clone(&self.shared),
            prompt: prompt[self.shared.len()..].to_vec(),
            guide: self.guide.clone(),
            grounding: self.guide.ground(input),
            label_bias: None,
            max_tokens: Self::MAX_TOKENS,
            sampling: None,
            adjustments: Adjustments::default(),
            stream: 0,
            stop: Vec::new(),
            top: None,
            priority: Priority::Normal,
            client: Arc::default(),
            deadline: None,
            tell,
        })
    }
}
