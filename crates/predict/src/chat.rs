use std::sync::Arc;

use graft_formats::{Message, ModelFiles, Part, PromptTokenizer};

use crate::{Error, Result};

/// The date that templates print: fixed, so that training and inference use the same.
const TEMPLATE_DATE: i64 = 1_721_952_000; // 2024-07-26, Llama 3.2's own default

/// Renders conversations and plain texts as prompts, with the base model's own chat template.
///
/// Names of special tokens inside a message are treated as plain text.
pub struct ChatPrompter {
    files: Arc<ModelFiles>,
    tokenizer: PromptTokenizer,
    has_encoder: bool,
}

impl ChatPrompter {
    /// Creates a prompter for a model.
    ///
    /// # Errors
    /// The tokenizer fails.
    pub fn new(files: Arc<ModelFiles>, has_encoder: bool) -> Result<Self> {
        let tokenizer = PromptTokenizer::new(&files.tokenizer, has_encoder).map_err(failed)?;
        Ok(Self { files, tokenizer, has_encoder })
    }

    /// Tokens of a conversation up to where the answer begins; `None` for a model without a chat template.
    ///
    /// # Errors
    /// If the template refuses the messages or drops one.
    pub fn conversation(&self, messages: &[(String, String)]) -> Result<Option<Vec<u32>>> {
        let Some(template) = self.files.chat_template.as_ref().filter(|_| !self.has_encoder) else { return Ok(None) };
        // While the template is rendered, private-use characters that no template changes stand for the messages.
        let hole = |index: usize| format!("\u{f8ff}{index}\u{f8ff}");
        let marked: Vec<Message> =
            messages.iter().enumerate().map(|(index, (role, _))| Message::new(role, hole(index))).collect();
        let text = template.render(&marked, true, TEMPLATE_DATE).map_err(|e| Error::Model(graft_nn::Error::Load(e)))?;
        let (mut parts, mut rest) = (Vec::new(), text.as_str());
        for (index, (_, content)) in messages.iter().enumerate() {
            let (before, after) =
                rest.split_once(&hole(index)).ok_or(Error::Model(graft_nn::Error::TemplateHidesInput))?;
            parts.extend([Part::Template(before), Part::Content(content.trim())]);
            rest = after;
        }
        parts.push(Part::Template(rest));
        self.tokenizer.encode(&parts).map(Some).map_err(failed)
    }

    /// Tokens of a text to continue, or, for a model with an encoder, to answer.
    ///
    /// # Errors
    /// The tokenizer fails.
    pub fn text(&self, text: &str) -> Result<Vec<u32>> {
        let mut tokens = self.tokenizer.content(text).map_err(failed)?;
        if self.has_encoder {
            tokens.extend(self.files.tokens.eos.first());
        } else if tokens.is_empty()
            || self.files.starts_with_bos().map_err(|e| Error::Model(graft_nn::Error::Load(e)))?
        {
            tokens.splice(0..0, self.files.tokens.bos);
        }
        Ok(tokens)
    }
}

fn failed(error: Box<dyn std::error::Error + Send + Sync>) -> Error {
    Error::Model(graft_nn::Error::Tokenizer(error))
}
