//! The wire form of answers: the text that the model is trained on and generates.
//!
//! The schema determines JSON's names and brackets, so an object is written as the sequence of its values in the
//! schema's order. Words keep their leading space, so that they have the same tokens as in the message they are copied
//! from. A value has a terminator only where its end is ambiguous:
//!
//! ```text
//! null       " -"         left out   " ?"        true, false   " true" " false"
//! number     "12" "1.5"   and ";" where a digit may come next
//! enum       " case"      and ";" where one member begins another
//! string     " toilet paper;"    with \\ \; \n \r \t escaped; "\_" before text that would read as a fixed value
//! object     its values, in the schema's order; "(" before it where something else may stand there
//! array      "|" before each element, "]" at the end
//! ```
//!
//! Tokens per answer on 500 rescue messages with SmolLM2's tokenizer: this form 29.1; JSON arrays of values 46.4; a
//! terminator after every value 34.7; compact JSON with names 87.2. Without the "|" it would be 26.3, and one decision
//! less clear.

mod grammar;
mod number;
mod read;
mod schema;
mod shape;
mod text;
mod write;

use std::{collections::BTreeSet, sync::Arc};

use graft_core::AnswerForm;
use serde_json::Value;

pub use read::FieldSpan;
pub(crate) use read::Progress;
pub use schema::{FROM_RULES, GROUNDED};
pub(crate) use shape::{Grounded, Shape};
pub(crate) use text::{escaped, mark};

use crate::{Error, Result};

/// Version of the wire form. The codec can't use an adapter trained with another version.
pub const WIRE_VERSION: u32 = 1;

/// Encodes and decodes the answers of one form.
///
/// ```
/// use graft_core::AnswerForm;
/// use graft_predict::Codec;
/// use serde_json::json;
///
/// let schema = json!({
///     "type": "object",
///     "properties": { "item": {"type": "string"}, "quantity": {"type": ["number", "null"]} },
///     "required": ["item", "quantity"],
/// });
/// let codec = Codec::new(&AnswerForm::Json { schema })?;
/// let answer = json!({"item": "bananas", "quantity": null});
/// assert_eq!(codec.encode(&answer)?, " bananas; -");
/// assert_eq!(codec.decode(" bananas; -")?, answer);
/// # Ok::<(), graft_predict::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Codec {
    form: Form,
    /// The grounded positions of the form, by id.
    grounded: Vec<Arc<Grounded>>,
}

#[derive(Clone, Debug)]
enum Form {
    Text,
    Label(Vec<String>),
    Json(Shape),
}

impl Codec {
    /// Prepares an answer form.
    ///
    /// # Errors
    /// [`Error::Schema`] for a schema that the wire form does not support (the message names the keyword), or a list of
    /// labels that is empty or has duplicates.
    pub fn new(form: &AnswerForm) -> Result<Self> {
        let form = match form {
            AnswerForm::Text => Form::Text,
            AnswerForm::Label { labels } => Form::Label(checked(labels)?),
            AnswerForm::Json { schema } => Form::Json(schema::compile(schema)?),
        };
        let mut grounded = Vec::new();
        if let Form::Json(shape) = &form {
            shape.grounded_places(&mut grounded);
        }
        Ok(Self { form, grounded })
    }

    /// Encodes an answer.
    ///
    /// # Errors
    /// [`Error::Value`] names the first field that does not follow the form.
    pub fn encode(&self, answer: &Value) -> Result<String> {
        let refuse = |expected: String| Error::Value { field: "the answer".to_owned(), expected };
        match (&self.form, answer) {
            (Form::Json(shape), answer) => {
                let mut writer = write::Writer::default();
                writer.shape(shape, Some(answer))?;
                Ok(writer.out)
            }
            (Form::Text, Value::String(text)) => Ok(text.clone()),
            (Form::Text, _) => Err(refuse("a string".to_owned())),
            (Form::Label(labels), Value::String(label)) if labels.contains(label) => Ok(label.clone()),
            (Form::Label(labels), _) => Err(refuse(format!("one of {}", labels.join(", ")))),
        }
    }

    /// Decodes a wire text.
    ///
    /// # Errors
    /// [`Error::Wire`] if the text does not follow the form.
    pub fn decode(&self, wire: &str) -> Result<Value> {
        match &self.form {
            Form::Json(shape) => read::Reader::new(wire, false).answer(shape),
            Form::Label(labels) if !labels.iter().any(|label| label == wire) => {
                Err(Error::Wire { at: 0, expected: format!("one of {}", labels.join(", ")) })
            }
            Form::Label(_) | Form::Text => Ok(Value::String(wire.to_owned())),
        }
    }

    /// Decodes a truncated wire text: complete values are kept, incomplete list elements are dropped, and the rest is
    /// filled with the shortest values that follow the schema.
    ///
    /// # Errors
    /// [`Error::Wire`] if the text is not a prefix of a wire text.
    pub fn decode_cut(&self, wire: &str) -> Result<Value> {
        match &self.form {
            Form::Json(shape) => read::Reader::new(wire, true).answer(shape),
            Form::Text => Ok(Value::String(wire.to_owned())),
            Form::Label(labels) => {
                let label = labels.iter().find(|label| label.starts_with(wire));
                let label = label.ok_or_else(|| Error::Wire { at: 0, expected: "the start of a label".to_owned() })?;
                Ok(Value::String(label.clone()))
            }
        }
    }

    /// The byte range of each field in a complete or truncated wire text; empty for text and labels.
    ///
    /// # Errors
    /// [`Error::Wire`] if the text does not follow the form.
    pub fn fields(&self, wire: &str) -> Result<Vec<FieldSpan>> {
        let Form::Json(shape) = &self.form else { return Ok(Vec::new()) };
        let mut reader = read::Reader::new(wire, true);
        reader.answer(shape)?;
        Ok(reader.spans)
    }

    /// The grounded positions of the form, by id.
    pub(crate) fn grounded(&self) -> &[Arc<Grounded>] {
        &self.grounded
    }

    /// Path, position id and text of each grounded string of an answer.
    pub(crate) fn grounded_strings(&self, answer: &Value) -> Vec<(String, usize, String)> {
        let mut all = Vec::new();
        if let Form::Json(shape) = &self.form {
            shape.grounded_strings(answer, "", &mut all);
        }
        all
    }

    /// Parse state at the end of a wire text, with its grounded strings; `None` if it is not a prefix of a wire text.
    pub(crate) fn progress(&self, wire: &str) -> Option<Progress<'_>> {
        let Form::Json(shape) = &self.form else { return None };
        read::Reader::new(wire, true).progress(shape)
    }

    /// The Lark grammar of the wire form after the prefix `before`; `None` for free text.
    pub(crate) fn grammar(&self, before: &str) -> Option<String> {
        match &self.form {
            Form::Text => None,
            Form::Label(labels) => Some(grammar::of_labels(labels, before)),
            Form::Json(shape) => Some(grammar::of_shape(shape, before)),
        }
    }

    /// The characters that the tokenizer must be able to encode.
    pub(crate) fn characters(&self) -> BTreeSet<char> {
        let mut all = BTreeSet::new();
        match &self.form {
            Form::Text => {}
            Form::Label(labels) => all.extend(labels.iter().flat_map(|label| label.chars())),
            Form::Json(shape) => shape.characters(&mut all),
        }
        all
    }

    /// Whether every answer begins with a space.
    pub(crate) fn starts_with_space(&self) -> bool {
        matches!(&self.form, Form::Json(shape) if shape.starts_with_space())
    }
}

fn checked(labels: &[String]) -> Result<Vec<String>> {
    let refuse = |what: &str| Err(Error::Schema { path: "labels".to_owned(), what: what.to_owned() });
    if labels.is_empty() || labels.iter().any(String::is_empty) {
        return refuse("no labels, or an empty label");
    }
    if labels.iter().enumerate().any(|(i, label)| labels[..i].contains(label)) {
        return refuse("a label that is there twice");
    }
    Ok(labels.to_vec())
}
