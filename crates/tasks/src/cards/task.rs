use std::collections::BTreeSet;

use graft_core::{AnswerForm, TaskCard};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::{
    Error,
    pounds::{self, Tables},
    rules::RuleSet,
    schema,
    variants::Wordings,
};

/// All that is declared about a task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TaskDefinition)]
pub struct Task {
    /// As users type it: lowercase letters, digits and `-`.
    pub name: String,
    /// What the model must write.
    pub form: Form,
    /// For people; made of the name if it is blank.
    #[serde(default)]
    pub title: String,
    /// Put before the input; short, for it is part of every prompt.
    pub instruction: String,
    /// Form `labels`: the labels to choose from; without `closed`, those of the approved examples come first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<String>,
    /// Form `labels`: whether an answer must be one of `labels`.
    #[serde(default, skip_serializing_if = "is_false")]
    pub closed: bool,
    /// Form `fields`: JSON Schema of the answer, as an object or as its text. The model writes the properties in this
    /// order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub schema: Option<Value>,
    /// Form `fields`: texts that stand word for word in the input, as paths such as `place` or `items.name`. The model
    /// can write only words of the input there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub grounded: Vec<String>,
    /// How people judge its examples, unless they wrote their own guidelines: paragraphs, and lines that begin with "- ".
    #[serde(default)]
    pub guidelines: String,
    /// What of Graft is made for this task: importers, pages and endpoints of another system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub integration: Option<Integration>,
    /// Name of the built-in words in which answers can be told, for variants of examples.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wordings: Option<String>,
    /// How answers are compared with the truth.
    #[serde(default, skip_serializing_if = "Scoring::is_strict")]
    pub scoring: Scoring,
    /// What is computed rather than learned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub computed: Option<Computed>,
    /// What answers without a model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<BaselineSpec>,
    /// Whether Audit proposes the baseline's answer to an example that has none.
    #[serde(default = "yes", skip_serializing_if = "is_true")]
    pub prefill: bool,
    /// Defaults of its trainings.
    #[serde(default, skip_serializing_if = "Training::is_default")]
    pub training: Training,
}

graft_core::names! {
    /// What an answer of a task is.
    #[schema(as = AnswerKind)]
    pub enum Form {
        /// One of some labels.
        Labels = "labels",
        /// An object with fields.
        Fields = "fields",
        /// Free text.
        Text = "text",
        /// The next turn of a dialogue.
        Dialogue = "dialogue",
    }
}

impl Form {
    /// Whether answers are free text.
    #[must_use]
    pub fn is_text(self) -> bool {
        matches!(self, Self::Text | Self::Dialogue)
    }
}

/// A system that Graft integrates with; at most one task of a home belongs to each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Integration {
    /// Slack exports and the statistics of food rescues.
    Slack,
    /// The Ask AI service: its database, settings and endpoints.
    AskAi,
}

/// Exceptions from the usual comparison of answers. Texts are compared without case, extra spaces, outer punctuation and a
/// leading "the"; numbers to three decimals; the order of a list doesn't matter.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(as = ScoringRules)]
pub struct Scoring {
    /// Top-level fields that are compared character by character.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub exact: Vec<String>,
    /// Properties of list items that don't decide whether an item is right; they are scored on their own.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unscored: Vec<String>,
    /// The metric that decides between versions: for fields `exact` (the usual one) or a field's name, for texts `rouge_l`
    /// (the usual one), `token_f1` or `exact`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metric: Option<String>,
    /// Values that mean the same.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub synonyms: Vec<Synonym>,
}

/// A value of a field that stands for another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Synonym {
    /// The property.
    pub field: String,
    /// Its value, in lower case.
    pub value: String,
    /// The value it stands for; null otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub means: Option<String>,
}

/// A weight that is looked up in the home's tables for each item of a list and added to the answer, with the sum.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ComputedField)]
pub struct Computed {
    /// Name of the new field, of each item and of the answer.
    pub field: String,
    /// The list.
    pub list: String,
    /// The item's property that names it.
    pub name: String,
    /// The item's property that holds its class.
    pub class: String,
    /// The item's property that holds the number of units.
    pub quantity: String,
    /// The item's property that holds the unit.
    pub unit: String,
}

/// The method that answers a task without a model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
#[schema(as = BaselineDefinition)]
pub enum BaselineSpec {
    /// A parser that is part of Graft.
    BuiltIn {
        /// Its name: `food-rescue`.
        name: String,
    },
    /// Regular expressions.
    Rules(RuleSet),
    /// A program on the machine: the text on stdin, the answer on stdout.
    Command {
        /// The program, by its absolute path or found in `PATH`, and its arguments. No shell reads them.
        command: Vec<String>,
        /// How long an answer may take.
        #[serde(default = "usual_patience")]
        #[schema(minimum = 1, maximum = 60)]
        timeout_seconds: u32,
    },
    /// A service: `{"task": …, "input": …}` is sent with POST; its reply is the answer.
    Endpoint {
        /// Its address, without a user and a password.
        url: String,
        /// How long an answer may take.
        #[serde(default = "usual_patience")]
        #[schema(minimum = 1, maximum = 60)]
        timeout_seconds: u32,
    },
}

/// Seconds that an answer of a command or endpoint may take, unless the definition says otherwise.
fn usual_patience() -> u32 {
    10
}

impl BaselineSpec {
    /// Whether something outside of Graft answers, with what this machine may do: only administrators may choose it.
    #[must_use]
    pub fn is_outside(&self) -> bool {
        match self {
            Self::BuiltIn { .. } | Self::Rules(_) => false,
            Self::Command { .. } | Self::Endpoint { .. } => true,
        }
    }

    /// Reads a baseline from TOML or JSON: the fields of the table `baseline` of a task's file.
    ///
    /// # Errors
    /// [`Error::TaskFile`], [`Error::TaskJson`].
    pub fn read(text: &str) -> Result<Self, Error> {
        match text.trim_start().starts_with('{') {
            true => serde_json::from_str(text).map_err(Error::TaskJson),
            false => toml::from_str(text).map_err(|e| Error::TaskFile(Box::new(e))),
        }
    }
}

/// Defaults of a task's trainings.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(as = TrainingDefaults)]
pub struct Training {
    /// Whether examples are learned from in variants: with other names and amounts, in other words, with typos. For
    /// fields read out of people's messages.
    #[serde(skip_serializing_if = "is_false")]
    pub variants: bool,
    /// Settings that differ from Graft's recipe; the names are those of the flags of `graft train`.
    #[serde(skip_serializing_if = "Map::is_empty")]
    #[schema(value_type = Object)]
    pub settings: Map<String, Value>,
}

fn is_false(value: &bool) -> bool {
    !value
}

fn is_true(value: &bool) -> bool {
    *value
}

fn yes() -> bool {
    true
}

impl std::fmt::Display for Integration {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Slack => "Slack",
            Self::AskAi => "Ask AI",
        })
    }
}

impl Scoring {
    /// Whether there are no exceptions.
    #[must_use]
    pub fn is_strict(&self) -> bool {
        *self == Self::default()
    }
}

impl Training {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

impl Task {
    /// What a card tells of a task that is not known otherwise.
    #[must_use]
    pub fn of_card(card: &TaskCard) -> Self {
        let (form, labels, schema) = match &card.answer {
            AnswerForm::Text => (Form::Text, Vec::new(), None),
            AnswerForm::Label { labels } => (Form::Labels, labels.clone(), None),
            AnswerForm::Json { schema } => (Form::Fields, Vec::new(), Some(schema.clone())),
        };
        Self { instruction: card.instruction.clone(), labels, schema, ..Self::blank(&card.name, form) }
    }

    /// A task about which nothing else is declared yet.
    #[must_use]
    pub fn blank(name: &str, form: Form) -> Self {
        Self {
            name: name.to_owned(),
            form,
            title: String::new(),
            instruction: String::new(),
            labels: Vec::new(),
            closed: false,
            schema: None,
            grounded: Vec::new(),
            guidelines: String::new(),
            integration: None,
            wordings: None,
            scoring: Scoring::default(),
            computed: None,
            baseline: None,
            prefill: true,
            training: Training::default(),
        }
    }

    /// The title for people: `Slack rescue` for `slack-rescue`, if it has none.
    #[must_use]
    pub fn shown(&self) -> String {
        if !self.title.trim().is_empty() {
            return self.title.trim().to_owned();
        }
        let words = self.name.replace('-', " ");
        let mut letters = words.chars();
        letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
    }

    /// The card that travels with an adapter. `labels` are those of the data; only label tasks look at them.
    ///
    /// # Errors
    /// [`Error::FewLabels`] where a label task has fewer than two.
    pub fn card(&self, labels: &[String]) -> Result<TaskCard, Error> {
        let answer = match self.form {
            Form::Text | Form::Dialogue => AnswerForm::Text,
            Form::Fields => AnswerForm::Json { schema: self.answer_schema() },
            Form::Labels => AnswerForm::Label { labels: self.all_labels(labels)? },
        };
        Ok(TaskCard { name: self.name.clone(), instruction: self.instruction.clone(), answer })
    }

    /// The schema of a fields task with its marks.
    fn answer_schema(&self) -> Value {
        let mut schema = self.schema.clone().unwrap_or_default();
        for path in &self.grounded {
            if let Some(Value::Object(field)) = field_of(&mut schema, path) {
                field.insert("x-graft-grounded".to_owned(), Value::Bool(true));
            }
        }
        schema
    }

    fn all_labels(&self, given: &[String]) -> Result<Vec<String>, Error> {
        let given = if self.closed { &[] } else { given };
        let mut labels: BTreeSet<&str> =
            given.iter().map(|label| label.trim()).filter(|label| !label.is_empty()).collect();
        if labels.is_empty() {
            labels.extend(self.labels.iter().map(String::as_str));
        }
        if labels.len() < 2 {
            return Err(Error::FewLabels { task: self.name.clone(), count: labels.len() });
        }
        Ok(labels.into_iter().map(str::to_owned).collect())
    }

    /// Puts an answer into the form the task wants: labels and texts trimmed to strings, objects in the schema's order and
    /// without fields the schema doesn't have.
    ///
    /// # Errors
    /// What is wrong with the answer, as a lowercase fragment.
    pub fn accept(&self, answer: &Value) -> Result<Value, String> {
        match self.form {
            Form::Fields => accept_fields(&self.schema.clone().unwrap_or_default(), answer),
            Form::Labels | Form::Text | Form::Dialogue => match answer {
                Value::String(text) if text.trim().is_empty() => Err("the answer is blank".into()),
                Value::String(text) => self.accept_text(text.trim()),
                Value::Number(_) | Value::Bool(_) => self.accept_text(&answer.to_string()),
                Value::Object(_) | Value::Array(_) if self.form.is_text() => Ok(Value::from(answer.to_string())),
                _ => Err(format!("the answer is {answer} and not a text")),
            },
        }
    }

    fn accept_text(&self, text: &str) -> Result<Value, String> {
        if !self.closed || self.form != Form::Labels || self.labels.iter().any(|label| label == text) {
            return Ok(Value::from(text));
        }
        let lower = text.to_lowercase();
        let mut alike = self.labels.iter().filter(|label| label.to_lowercase() == lower);
        match (alike.next(), alike.next()) {
            (Some(label), None) => Ok(Value::from(label.as_str())),
            _ => Err(format!("the label `{text}` is not one of {}", self.labels.join(", "))),
        }
    }

    /// Adds what is computed rather than learned to an answer.
    #[must_use]
    pub fn finish(&self, answer: Value, tables: &Tables) -> Value {
        match &self.computed {
            Some(computed) => pounds::add(computed, answer, tables),
            None => answer,
        }
    }

    /// The words in which answers can be told, for variants of examples; none for most tasks.
    #[must_use]
    pub fn wordings(&self) -> Wordings {
        self.wordings.as_deref().and_then(Wordings::built_in).unwrap_or_default()
    }
}

fn accept_fields(of: &Value, answer: &Value) -> Result<Value, String> {
    match answer {
        Value::Object(_) => {
            let shaped = schema::conform(of, answer);
            schema::check(of, &shaped).map(|()| shaped)
        }
        Value::String(text) => {
            let inner: Value = serde_json::from_str(text).map_err(|e| format!("the answer is not JSON: {e}"))?;
            if inner.is_object() { accept_fields(of, &inner) } else { schema::check(of, &inner).map(|()| inner) }
        }
        _ => Err("the answer is not a JSON object".into()),
    }
}

/// The schema of the field at a path; a list is passed through to its items.
pub(super) fn field_of<'s>(schema: &'s mut Value, path: &str) -> Option<&'s mut Value> {
    let mut at = schema;
    for name in path.split('.') {
        while at.get("items").is_some() {
            at = at.get_mut("items")?;
        }
        at = at.get_mut("properties")?.get_mut(name)?;
    }
    while at.get("items").is_some() {
        at = at.get_mut("items")?;
    }
    Some(at)
}
