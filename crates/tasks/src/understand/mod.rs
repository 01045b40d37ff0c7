//! From pasted text to a task: its examples, the form of its answers, and the evidence for each guess.
//!
//! Nothing is stored, and nothing here decides: people see what was understood and correct it.

mod diff;
mod fields;
mod hints;
#[cfg(test)]
mod tests;

use std::collections::HashMap;

use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

pub use self::{
    diff::{AnswerChange, DiffCounts, HeadingChange, TextDiff, compare},
    fields::{FieldGuess, infer},
    hints::{Hint, HintKind, KnownTask},
};
use crate::{
    cards::{Form, Task},
    tabular::{Columns, Entry, Layout, cell, parse, read_prompts},
};

/// What a text was understood as.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Understanding {
    /// How it says its examples.
    pub layout: Layout,
    /// The form of the answers; none where there is no answer yet.
    pub form: Option<Form>,
    /// Why this form, a sentence each.
    pub evidence: Vec<String>,
    /// What stands above the examples and may be the task's instruction.
    pub instruction: Option<String>,
    /// In the text's order.
    pub examples: Vec<Understood>,
    /// The lines that should be examples and are none.
    pub problems: Vec<LineProblem>,
    /// What was decided about the text, a sentence each.
    pub notes: Vec<String>,
    /// The answers that are short texts, the most frequent first.
    pub labels: Vec<LabelCount>,
    /// JSON Schema of the answers, where they are objects.
    #[schema(value_type = Option<Object>)]
    pub schema: Option<Value>,
    /// What each field of the schema was inferred from.
    pub fields: Vec<FieldGuess>,
    /// A suggestion that would improve the examples.
    pub hints: Vec<Hint>,
    /// Whether it is a table of texts that can be submitted together, each with its model type.
    pub is_batch: bool,
    /// How many there are of all, also where the lists are cut.
    pub counts: Counts,
}

/// How much is in a text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = TextCounts)]
pub struct Counts {
    /// Examples.
    pub examples: usize,
    /// Of these, with an answer.
    pub answered: usize,
    /// Lines with a problem.
    pub problems: usize,
    /// Different labels.
    pub labels: usize,
}

/// An example of the text.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Understood {
    /// The line it begins in, from 1.
    pub line: usize,
    /// What the model will see.
    pub input: String,
    /// The wanted answer, if the text says one.
    pub output: Option<Value>,
}

/// A line that should be an example but is not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct LineProblem {
    /// From 1.
    pub line: usize,
    /// What is wrong with it.
    pub reason: String,
}

/// A label, and how many examples have it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct LabelCount {
    /// The label.
    pub label: String,
    /// Examples with it.
    pub count: usize,
}

/// Longest label, in characters.
const LONGEST_LABEL: usize = 60;
/// Most words of a label.
const LABEL_WORDS: usize = 6;

/// Understands a pasted or dropped text; `columns` says what can't be found out about a table.
#[must_use]
pub fn understand(text: &str, columns: &Columns) -> Understanding {
    understand_for(text, columns, &KnownTask::default())
}

/// The same of a text for a task: its hints compare the text with the task's labels and examples.
#[must_use]
pub fn understand_for(text: &str, columns: &Columns, task: &KnownTask) -> Understanding {
    let parsed = parse(text, columns);
    let (mut examples, mut problems) = (Vec::new(), Vec::new());
    for Entry { line, draft } in parsed.entries {
        match draft {
            Ok(draft) if draft.input.trim().is_empty() => {
                problems.push(LineProblem { line, reason: "the text is blank".into() });
            }
            Ok(draft) => {
                let input = draft.input.trim().to_owned();
                let output = draft.output.and_then(answer);
                problems.extend(draft.doubt.map(|doubt| LineProblem { line, reason: doubt.to_owned() }));
                examples.push(Understood { line, input, output });
            }
            Err(reason) => problems.push(LineProblem { line, reason }),
        }
    }
    let mut understanding = Understanding {
        layout: parsed.layout,
        form: None,
        evidence: Vec::new(),
        instruction: parsed.heading,
        labels: labels(&examples),
        examples,
        problems,
        notes: parsed.notes,
        schema: None,
        fields: Vec::new(),
        hints: Vec::new(),
        is_batch: read_prompts(text).is_some(),
        counts: Counts::default(),
    };
    match parsed.layout {
        Layout::Schema => {
            understanding.form = Some(Form::Fields);
            understanding.evidence.push("The text is one JSON Schema.".into());
            understanding.schema = parsed.answers.into_iter().map(|(_, schema)| schema).next();
        }
        Layout::Answers => {
            let answers: Vec<Value> = parsed.answers.into_iter().map(|(_, answer)| answer).collect();
            understanding.form = Some(Form::Fields);
            understanding.evidence.push(format!("{} without an input.", counted(answers.len(), "JSON answer")));
            (understanding.schema, understanding.fields) = infer(answers.iter().map(|answer| (None, answer)));
        }
        _ => understanding.guess(),
    }
    understanding.hints = hints::of(&understanding, task);
    // A missing end is reported behind the last line.
    let last = text.split(['\n', '\r']).count();
    understanding.problems.iter_mut().for_each(|problem| problem.line = problem.line.min(last));
    understanding.problems.sort_by_key(|problem| problem.line);
    understanding.counts = Counts {
        examples: understanding.examples.len(),
        answered: understanding.examples.iter().filter(|example| example.output.is_some()).count(),
        problems: understanding.problems.len(),
        labels: understanding.labels.len(),
    };
    understanding
}

impl Form {
    /// The default instruction of a task of this form.
    #[must_use]
    pub fn usual_instruction(self) -> &'static str {
        match self {
            Self::Labels => "Classify the text.",
            Self::Fields => "Extract the fields from the text; use null for what is not said.",
            Self::Text => "Follow the instruction.",
            Self::Dialogue => "Write the assistant's next reply.",
        }
    }
}

impl Understanding {
    /// The task that a text says; none where it has no answers. `form` overrules what was understood.
    #[must_use]
    pub fn task(&self, name: &str, form: Option<Form>) -> Option<Task> {
        let form = form.or(self.form)?;
        let mut task = Task::blank(name, form);
        task.instruction = self.instruction.clone().unwrap_or_else(|| form.usual_instruction().to_owned());
        match form {
            Form::Labels => {
                task.labels = self.labels.iter().map(|one| one.label.clone()).collect();
                task.labels.sort();
            }
            Form::Fields => task.schema.clone_from(&self.schema),
            Form::Text | Form::Dialogue => {}
        }
        Some(task)
    }
}

/// The examples as JSON lines, which are understood as the same examples.
#[must_use]
pub fn render(examples: &[Understood]) -> String {
    let line = |example: &Understood| match &example.output {
        Some(output) => json!({"input": example.input, "output": output}).to_string() + "\n",
        None => json!({"input": example.input}).to_string() + "\n",
    };
    examples.iter().map(line).collect()
}

/// Examples as a table with the columns `text` and `label`; answers that are objects as JSON.
#[must_use]
pub fn csv<'e>(examples: impl Iterator<Item = (&'e str, Option<&'e Value>)>) -> String {
    let answer = |output: &Value| output.as_str().map_or_else(|| output.to_string(), str::to_owned);
    let row = |(input, output): (&str, Option<&Value>)| {
        format!("{},{}\n", cell(input), cell(&output.map(answer).unwrap_or_default()))
    };
    std::iter::once("text,label\n".to_owned()).chain(examples.map(row)).collect()
}

impl Understanding {
    /// Keeps so many of each list at most; the counts stay.
    pub fn cut(&mut self, most: usize) {
        self.examples.truncate(most);
        self.problems.truncate(most);
        self.labels.truncate(most);
    }

    /// Guesses the form from the answers.
    fn guess(&mut self) {
        let answered: Vec<(usize, &Value)> =
            self.examples.iter().filter_map(|example| Some((example.line, example.output.as_ref()?))).collect();
        let (all, objects) = (answered.len(), answered.iter().filter(|(_, answer)| answer.is_object()).count());
        if all == 0 {
            self.evidence.push("No line has an answer yet.".into());
            return;
        }
        if objects * 2 > all {
            self.form = Some(Form::Fields);
            self.evidence.push(format!("{objects} of {} JSON objects.", are(all, "answer")));
            let reason = "its answer is no JSON object, as most others are";
            let other = answered.iter().filter(|(_, answer)| !answer.is_object());
            self.problems.extend(other.map(|(line, _)| LineProblem { line: *line, reason: reason.into() }));
            let pairs =
                self.examples.iter().filter_map(|example| Some((Some(&*example.input), example.output.as_ref()?)));
            (self.schema, self.fields) = infer(pairs.filter(|(_, answer)| answer.is_object()));
            return;
        }
        if self.layout == Layout::Dialogue || self.examples.iter().any(|example| is_dialogue(&example.input)) {
            self.form = Some(Form::Dialogue);
            self.evidence.push("The inputs are turns of a dialogue, and each answer is the next turn.".into());
            return;
        }
        let distinct = self.labels.len();
        let short =
            |label: &str| label.chars().count() <= LONGEST_LABEL && label.split_whitespace().count() <= LABEL_WORDS;
        let all_short = self.labels.iter().all(|label| short(&label.label));
        let terse = self.labels.iter().all(|label| label.label.split_whitespace().count() <= 2);
        let written_so = matches!(self.layout, Layout::LabelLines | Layout::Table);
        let (form, why) = match () {
            () if !all_short => (Form::Text, "Some answers are longer than labels are."),
            () if distinct * 2 <= all => (Form::Labels, "The answers are short and recur."),
            () if self.layout == Layout::LabelLines => {
                (Form::Labels, "The answers are short and written as `-> label`.")
            }
            () if written_so => (Form::Labels, "The answers are short and stand in a column of their own."),
            () if terse && distinct < all => (Form::Labels, "The answers are words, and some recur."),
            () => (Form::Text, "Nearly every answer is another."),
        };
        self.form = Some(form);
        self.evidence.push(why.into());
        self.evidence.push(format!("{distinct} different in {}.", counted(all, "answer")));
        let objects = answered.iter().filter(|(_, answer)| !answer.is_string());
        let reason = "its answer is JSON, and most others are texts";
        self.problems.extend(objects.map(|(line, _)| LineProblem { line: *line, reason: reason.into() }));
    }
}

/// An answer as the text means it: a text that is an object counts as one, a blank one as none.
fn answer(output: Value) -> Option<Value> {
    match output {
        Value::Null => None,
        Value::String(text) => match text.trim() {
            "" => None,
            object if object.starts_with('{') => match serde_json::from_str(object) {
                Ok(object @ Value::Object(_)) => Some(object),
                _ => Some(Value::from(object)),
            },
            text => Some(Value::from(text)),
        },
        Value::Number(_) | Value::Bool(_) => Some(Value::from(output.to_string())),
        other => Some(other),
    }
}

fn labels(examples: &[Understood]) -> Vec<LabelCount> {
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for label in examples.iter().filter_map(|example| example.output.as_ref()?.as_str()) {
        *counts.entry(label).or_default() += 1;
    }
    let mut labels: Vec<LabelCount> =
        counts.into_iter().map(|(label, count)| LabelCount { label: label.to_owned(), count }).collect();
    labels.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.label.cmp(&b.label)));
    labels
}

/// Whether an input is a dialogue as importers write it.
fn is_dialogue(input: &str) -> bool {
    (input.starts_with("User: ") || input.starts_with("System: ")) && input.contains("\nAssistant: ")
}

/// `1 answer`, `3 answers`.
fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// `1 answer is`, `3 answers are`.
fn are(count: usize, noun: &str) -> String {
    format!("{} {}", counted(count, noun), if count == 1 { "is" } else { "are" })
}
