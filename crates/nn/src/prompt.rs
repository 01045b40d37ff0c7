use graft_core::TaskCard;
use graft_formats::{ChatTemplate, Message, ModelFiles, Part, PromptTokenizer, Tokenizer};

use crate::{Error, Sequence};

/// Placeholder for the input while a chat template is rendered. It consists of private-use characters, so it does not
/// occur in real text.
const HOLE: &str = "\u{f8ff}input\u{f8ff}";
/// The date that templates print. It is fixed, so that training and inference use the same prompt.
const TEMPLATE_DATE: i64 = 1_721_952_000; // 2024-07-26, Llama 3.2's own default

/// Tokenizes inputs and answers of one task for one model. Training, evaluation and inference all use it.
///
/// A prompt is *before + input + after*; the answer follows and ends with the end-of-sequence token. The border before the
/// answer is always a border between tokens (which the loss mask needs), the text of a special token inside an input stays
/// ordinary text, and the first tokens are the same in every example (which prefix sharing needs).
pub struct Prompter {
    text: PromptTokenizer,
    before: String,
    after: String,
    /// Tokens at the start of every prompt.
    shared: Vec<u32>,
    /// The beginning-of-sequence token, if `before` does not name it.
    start: Option<u32>,
    /// What is between prompt and answer in the same text; `None` if an answer is tokenized like a text of its own.
    joint: Option<&'static str>,
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
        let text = PromptTokenizer::new(&files.tokenizer, has_encoder).map_err(Error::Tokenizer)?;
        let end = *files.tokens.eos.first().ok_or(Error::NoEndToken)?;
        let (before, after, joint) = match &files.chat_template {
            Some(template) if !has_encoder => chat(template, &card.instruction)?,
            _ if has_encoder => (format!("{}\n", card.instruction), String::new(), ""),
            _ => (format!("{}\n\n", card.instruction), "\n\n".to_owned(), ""),
        };
        let mut shared = text.certain(&before).map_err(Error::Tokenizer)?;
        let names_none = files.chat_template.is_none() && !has_encoder;
        let start = if names_none && files.starts_with_bos().map_err(Error::Load)? { files.tokens.bos } else { None };
        shared.splice(0..0, start);
        let joint = joint_of(&text, (&before, &after), joint).map_err(Error::Tokenizer)?;
        Ok(Self { text, before, after, shared, start, joint, end, has_encoder })
    }

    /// The token that ends every answer.
    #[must_use]
    pub fn end(&self) -> u32 {
        self.end
    }

    /// The model's tokenizer.
    #[must_use]
    pub fn tokenizer(&self) -> &Tokenizer {
        self.text.tokenizer()
    }

    /// Tokens before every input.
    #[must_use]
    pub fn shared(&self) -> &[u32] {
        &self.shared
    }

    /// The text before every input and the text after it, with special tokens as their names.
    #[must_use]
    pub fn around(&self) -> (&str, &str) {
        (&self.before, &self.after)
    }

    /// Everything before the answer: the decoder's prompt, or the encoder's input.
    ///
    /// # Errors
    /// If the tokenizer fails.
    pub fn prompt(&self, input: &str) -> Result<Vec<u32>, Error> {
        let all = [Part::Template(&self.before), Part::Content(input.trim()), Part::Template(&self.after)];
        let started = |tokens: Vec<u32>| self.start.into_iter().chain(tokens).collect::<Vec<u32>>();
        let tokenize = || {
            if !self.text.is_one_text() {
                // The tokens of the first part are known.
                return Ok([self.shared.clone(), self.text.separately(&all[1..])?].concat());
            }
            let tokens = started(self.text.encode(&all)?);
            if tokens.starts_with(&self.shared) { Ok(tokens) } else { self.text.separately(&all).map(started) }
        };
        let mut tokens = tokenize().map_err(Error::Tokenizer)?;
        tokens.extend(self.has_encoder.then_some(self.end));
        Ok(tokens)
    }

    /// Tokens of an answer, without the end token.
    ///
    /// # Errors
    /// If the tokenizer fails.
    pub fn answer(&self, text: &str) -> Result<Vec<u32>, Error> {
        let tokens = match self.joint {
            Some(_) if text.is_empty() => Ok(Vec::new()),
            Some(_) if text.starts_with(' ') => self.text.continued(text),
            Some(joint) => self.text.continued(&format!("{joint}{text}")),
            None => self.text.content(text),
        };
        tokens.map_err(Error::Tokenizer)
    }

    /// Whether the first token of an answer has a space before the answer's text.
    ///
    /// # Errors
    /// If the tokenizer fails.
    pub fn answers_follow_space(&self) -> Result<bool, Error> {
        Ok(self.text.begins_with_space(&self.answer("a")?))
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
        self.tokenizer().decode(tokens, true).map_err(Error::Tokenizer)
    }

    /// Each token of a sequence with its text and whether it has loss.
    #[must_use]
    pub fn view(&self, sequence: &Sequence) -> Vec<TokenView> {
        let text = |id: u32| self.tokenizer().decode(&[id], false).unwrap_or_default();
        let source = sequence.source.iter().map(|&id| TokenView { id, text: text(id), supervised: false });
        let tokens = sequence.tokens.iter().enumerate().map(|(index, &id)| TokenView {
            id,
            text: text(id),
            supervised: index >= sequence.supervised_from,
        });
        source.chain(tokens).collect()
    }
}

/// Text before and after the input, and between prompt and answer, from the model's chat template. The instruction is the
/// system message or, if the template has no system role, the start of the user message.
fn chat(template: &ChatTemplate, instruction: &str) -> Result<(String, String, &'static str), Error> {
    let with_system = vec![Message::new("system", instruction), Message::new("user", HOLE)];
    let without = vec![Message::new("user", format!("{instruction}\n\n{HOLE}"))];
    let render = |messages: &[Message]| template.render(messages, true, TEMPLATE_DATE);
    let (text, mut messages) = match render(&with_system) {
        Ok(text) if text.contains(instruction.trim()) => (text, with_system),
        _ => (render(&without).map_err(Error::Load)?, without),
    };
    let (before, after) = text.split_once(HOLE).ok_or(Error::TemplateHidesInput)?;
    messages.push(Message::new("assistant", HOLE));
    let answered = template.render(&messages, false, TEMPLATE_DATE).unwrap_or_default();
    let between = answered.strip_prefix(&text).and_then(|rest| rest.split_once(HOLE));
    let joint = if between.is_some_and(|(between, _)| between == " ") { " " } else { "" };
    Ok((before.to_owned(), after.to_owned(), joint))
}

/// `joint`, if an answer that continues the prompt's text has the same tokens without that text.
fn joint_of(
    text: &PromptTokenizer,
    (before, after): (&str, &str),
    joint: &'static str,
) -> Result<Option<&'static str>, Box<dyn std::error::Error + Send + Sync>> {
    if !text.is_one_text() {
        return Ok(None);
    }
    let whole = |rest: &str| {
        let after = format!("{after}{rest}");
        text.encode(&[Part::Template(before), Part::Content("a"), Part::Template(&after)])
    };
    let (prompt, answer) = (whole("")?, format!("{joint}a"));
    let answered = whole(&answer)?;
    let own = answered.strip_prefix(&prompt[..]);
    Ok((own == Some(&text.continued(&answer)?)).then_some(joint))
}
