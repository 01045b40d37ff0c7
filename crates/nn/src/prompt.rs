use graft_core::TaskCard;
use graft_formats::{ChatTemplate, Message, ModelFiles, Tokenizer};

use crate::{Error, Sequence};

/// Placeholder for the input while a chat template is rendered. It consists of private-use characters, so it does not
/// occur in real text.
const HOLE: &str = "\u{f8ff}input\u{f8ff}";
/// The date that templates print. It is fixed, so that training and inference use the same prompt.
const TEMPLATE_DATE: i64 = 1_721_952_000; // 2024-07-26, Llama 3.2's own default

/// Tokenizes inputs and answers of one task for one model. Training, evaluation and inference all use it.
///
/// A prompt is *before + input + after*; the answer follows and ends with the end-of-sequence token. Each part is
/// tokenized separately. Therefore a border between parts is always a border between tokens (which the loss mask
/// needs), the text of a special token inside an input stays ordinary text, and `before` has the same tokens in every
/// example (which prefix sharing needs).
pub struct Prompter {
    tokenizer: Tokenizer,
    /// The same tokenizer, but it treats the text of special tokens as ordinary text: for untrusted input.
    plain: Tokenizer,
    before: (String, Vec<u32>),
    after: (String, Vec<u32>),
    end: u32,
    has_encoder: bool,
}

/// One token of a sequence, for display.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenView {
    /// The token's id.
    pub id: u32,
    /// Its text.
    pub text: String,
    /// Whether it has loss.
    pub supervised: bool,
}

impl Prompter {
    /// Prepares a task's prompt for a model.
    ///
    /// # Errors
    /// If the chat template refuses the messages, or the model has no end-of-sequence token.
    pub fn new(files: &ModelFiles, has_encoder: bool, card: &TaskCard) -> Result<Self, Error> {
        let tokenizer = files.tokenizer.clone();
        let mut plain = tokenizer.clone();
        plain.set_encode_special_tokens(true);
        let end = *files.tokens.eos.first().ok_or(Error::NoEndToken)?;
        let (before, after) = match &files.chat_template {
            Some(template) if !has_encoder => chat(template, &card.instruction)?,
            _ if has_encoder => (format!("{}\n", card.instruction), String::new()),
            _ => (format!("{}\n\n", card.instruction), "\n\n".to_owned()),
        };
        let mut start = encode(&tokenizer, &before)?;
        if files.chat_template.is_none() && !has_encoder && files.starts_with_bos().map_err(Error::Load)? {
            start.splice(0..0, files.tokens.bos);
        }
        let mut close = encode(&tokenizer, &after)?;
        if has_encoder {
            close.push(end);
        }
        Ok(Self { before: (before, start), after: (after, close), tokenizer, plain, end, has_encoder })
    }

    /// The token that ends every answer.
    #[must_use]
    pub fn end(&self) -> u32 {
        self.end
    }

    /// The model's tokenizer.
    #[must_use]
    pub fn tokenizer(&self) -> &Tokenizer {
        &self.tokenizer
    }

    /// Tokens before every input.
    #[must_use]
    pub fn shared(&self) -> &[u32] {
        &self.before.1
    }

    /// The text before every input and the text after it, with special tokens as their names.
    #[must_use]
    pub fn around(&self) -> (&str, &str) {
        (&self.before.0, &self.after.0)
    }

    /// Everything before the answer: the decoder's prompt, or the encoder's input.
    ///
    /// # Errors
    /// If the tokenizer fails.
    pub fn prompt(&self, input: &str) -> Result<Vec<u32>, Error> {
        let mut tokens = self.before.1.clone();
        tokens.extend(encode(&self.plain, input.trim())?);
        tokens.extend(&self.after.1);
        Ok(tokens)
    }

    /// Tokens of an answer, without the end token.
    ///
    /// # Errors
    /// If the tokenizer fails.
    pub fn answer(&self, text: &str) -> Result<Vec<u32>, Error> {
        encode(&self.plain, text)
    }

    /// The training sequence of an example: prompt and answer.
    ///
    /// # Errors
    /// If the tokenizer fails.
    pub fn sequence(&self, input: &str, answer: &str) -> Result<Sequence, Error> {
        let prompt = self.prompt(input)?;
        let mut answer = self.answer(answer)?;
        answer.push(self.end);
        if self.has_encoder {
            return Ok(Sequence { source: prompt, tokens: answer, supervised_from: 0 });
        }
        let supervised_from = prompt.len();
        Ok(Sequence { source: Vec::new(), tokens: [prompt, answer].concat(), supervised_from })
    }

    /// The text of tokens, without special ones.
    ///
    /// # Errors
    /// If the tokenizer fails.
    pub fn decode(&self, tokens: &[u32]) -> Result<String, Error> {
        self.tokenizer.decode(tokens, true).map_err(Error::Tokenizer)
    }

    /// Each token of a sequence with its text and whether it has loss.
    #[must_use]
    pub fn view(&self, sequence: &Sequence) -> Vec<TokenView> {
        let text = |id: u32| self.tokenizer.decode(&[id], false).unwrap_or_default();
        let source = sequence.source.iter().map(|&id| TokenView { id, text: text(id), supervised: false });
        let tokens = sequence.tokens.iter().enumerate().map(|(index, &id)| TokenView {
            id,
            text: text(id),
            supervised: index >= sequence.supervised_from,
        });
        source.chain(tokens).collect()
    }
}

/// Text before and after the input, from the model's chat template. The instruction is the system message or, if the
/// template has no system role, the start of the user message.
fn chat(template: &ChatTemplate, instruction: &str) -> Result<(String, String), Error> {
    let with_system = [Message::new("system", instruction), Message::new("user", HOLE)];
    let without = [Message::new("user", format!("{instruction}\n\n{HOLE}"))];
    let render = |messages: &[Message]| template.render(messages, true, TEMPLATE_DATE);
    let text = match render(&with_system) {
        Ok(text) if text.contains(instruction.trim()) => text,
        _ => render(&without).map_err(Error::Load)?,
    };
    let (before, after) = text.split_once(HOLE).ok_or(Error::TemplateHidesInput)?;
    Ok((before.to_owned(), after.to_owned()))
}

fn encode(tokenizer: &Tokenizer, text: &str) -> Result<Vec<u32>, Error> {
    if text.is_empty() {
        return Ok(Vec::new());
    }
    Ok(tokenizer.encode(text, false).map_err(Error::Tokenizer)?.get_ids().to_vec())
}
