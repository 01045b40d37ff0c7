//! The file format of contestants.

use graft_core::{AnswerForm, TaskCard, json};
use graft_tasks::schema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    Body, Contestant, Error, Parser,
    nearest::Nearest,
    needed,
    ngrams::{Fitted, NGrams},
};

/// Version of the format; other versions are refused.
const FORMAT: u32 = 1;

#[derive(Serialize, Deserialize)]
struct File {
    format: u32,
    #[serde(flatten)]
    kept: Kept,
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
enum Kept {
    Rules,
    NGrams { examples: Vec<(String, String)>, coefficients: Vec<f32>, intercepts: Vec<f32> },
    Nearest { examples: Vec<(String, Value)> },
    MostFrequent { label: String, share: f64 },
}

impl Contestant {
    /// The name of its file in a version's folder.
    pub const FILE: &str = "contestant.json";

    /// The contestant as one JSON document.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let kept = match &self.0 {
            Body::Rules(_) => Kept::Rules,
            Body::NGrams(ngrams) => {
                let Fitted { examples, coefficients, intercepts } = ngrams.fitted().clone();
                Kept::NGrams { examples, coefficients, intercepts }
            }
            Body::Nearest(nearest) => Kept::Nearest { examples: nearest.examples().to_vec() },
            Body::MostFrequent { label, share } => Kept::MostFrequent { label: label.clone(), share: *share },
        };
        json::line(&File { format: FORMAT, kept }).into_bytes()
    }

    /// Reads a contestant of a task. The file is untrusted input: it is checked that all answers of the contestant have
    /// the task's form.
    ///
    /// # Errors
    /// [`Error::File`]; [`Error::Unfit`] for rules, if the task has none.
    pub fn from_bytes(bytes: &[u8], card: &TaskCard, rules: Option<&Parser>) -> Result<Self, Error> {
        let file = |what: String| Error::File(what);
        #[derive(Deserialize)]
        struct Head {
            format: u32,
        }
        let head: Head = serde_json::from_slice(bytes).map_err(|e| file(format!("it is damaged: {e}")))?;
        if head.format != FORMAT {
            return Err(file(format!("its format is {} and not {FORMAT}", head.format)));
        }
        let File { kept, .. } = serde_json::from_slice(bytes).map_err(|e| file(format!("it is damaged: {e}")))?;
        let fits = |answer: &Value| check(card, answer).map_err(file);
        Ok(Self(match kept {
            Kept::Rules => Body::Rules(needed(card, rules)?),
            Kept::NGrams { examples, coefficients, intercepts } => {
                examples.iter().try_for_each(|(_, label)| fits(&Value::from(&**label)))?;
                let model = NGrams::new(Fitted { examples, coefficients, intercepts });
                Body::NGrams(model.ok_or_else(|| file("its numbers don't fit its examples".into()))?)
            }
            Kept::Nearest { examples } => {
                examples.iter().try_for_each(|(_, answer)| fits(answer))?;
                if examples.is_empty() {
                    return Err(file("it has no examples".into()));
                }
                Body::Nearest(Nearest::new(examples))
            }
            Kept::MostFrequent { label, share } => {
                fits(&Value::from(&*label))?;
                if !(0.0..=1.0).contains(&share) {
                    return Err(file(format!("its share is {share}")));
                }
                Body::MostFrequent { label, share }
            }
        }))
    }
}

/// Checks that an answer has the task's form.
fn check(card: &TaskCard, answer: &Value) -> Result<(), String> {
    match (&card.answer, answer) {
        (AnswerForm::Text, Value::String(_)) => Ok(()),
        (AnswerForm::Text, _) => Err("one of its answers is not a text".into()),
        (AnswerForm::Label { labels }, Value::String(label)) if labels.contains(label) => Ok(()),
        (AnswerForm::Label { .. }, _) => Err("one of its answers is not a label of the task".into()),
        (AnswerForm::Json { schema }, answer) => {
            schema::check(schema, answer).map_err(|why| format!("one of its answers doesn't follow the schema: {why}"))
        }
    }
}
