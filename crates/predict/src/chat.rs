use std::sync::Arc;

use graft_formats::{Message, ModelFiles, Tokenizer};

use crate::{Error, Result};

/// The date that templates print: always the same, as in training.
const TEMPLATE_DATE: i64 = 1_721_952_000; // 2024-07-26, Llama 3.2's own default

/// Turns conversations and plain texts into prompts for a base model, as its own makers do.
///
/// Special tokens written inside a message are plain text.
pub struct ChatPrompter {
    files: Arc<ModelFiles>,
    /// Reads special tokens' names as ordinary text.
    plain: Tokenizer,
    has_encoder: bool,
}

impl ChatPrompter {
    /// For a model.
    #[must_use]
    pub fn new(files: Arc<ModelFiles>, has_encoder: bool) -> Self {
        let mut plain = files.tokenizer.clone();
        plain.set_encode_special_tokens(true);
        Self { files, plain, has_encoder }
    }

    /// Tokens of a conversation up to where the answer begins; `None` for a model without a chat template.
    ///
    /// # Errors
    /// The template refuses the messages, or drops one.
    pub fn conversation(&self, messages: &[(String, String)]) -> Result<Option<Vec<u32>>> {
        let Some(template) = self.files.chat_template.as_ref().filter(|_| !self.has_encoder) else { return Ok(None) };
        // Private-use characters, which no template changes, stand for the messages while it is rendered.
        let hole = |index: usize| format!("\u{f8ff}{index}\u{f8ff}");
        let marked: Vec<Message> =
            messages.iter().enumerate().map(|(index, (role, _))| Message::new(role, hole(index))).collect();
        let text = template.render(&marked, true, TEMPLATE_DATE).map_err(|e| Error::Model(graft_nn::Error::Load(e)))?;
        let (mut tokens, mut rest) = (Vec::new(), text.as_str());
        for (index, (_, content)) in messages.iter().enumerate() {
            let (before, after) =
                rest.split_once(&hole(index)).ok_or(Error::Model(graft_nn::Error::TemplateHidesInput))?;
            tokens.extend(encode(&self.files.tokenizer, before)?);
            tokens.extend(encode(&self.plain, content.trim())?);
            rest = after;
        }
        tokens.extend(encode(&self.files.tokenizer, rest)?);
        Ok(Some(tokens))
    }

    /// Tokens of a text to be continued, or, with an encoder, to be answered.
    ///
    /// # Errors
    /// The tokenizer fails.
    pub fn text(&self, text: &str) -> Result<Vec<u32>> {
        let mut tokens = encode(&self.plain, text)?;
        if self.has_encoder {
            tokens.extend(self.files.tokens.eos.first());
        } else if self.starts_with_bos()? || tokens.is_empty() {
            tokens.splice(0..0, self.files.tokens.bos);
        }
        Ok(tokens)
    }

    /// Whether the tokenizer puts the start token before a text by itself.
    fn starts_with_bos(&self) -> Result<bool> {
        let first = self.files.tokenizer.encode("a", true).map_err(tokenizer)?.get_ids().first().copied();
        Ok(first.is_some() && first == self.files.tokens.bos)
    }
}

fn encode(with: &Tokenizer, text: &str) -> Result<Vec<u32>> {
    if text.is_empty() {
        return Ok(Vec::new());
    }
    Ok(with.encode(text, false).map_err(tokenizer)?.get_ids().to_vec())
}

fn tokenizer(error: Box<dyn std::error::Error + Send + Sync>) -> Error {
    Error::Model(graft_nn::Error::Tokenizer(error))
}
