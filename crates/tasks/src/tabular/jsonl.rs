use std::{collections::BTreeMap, path::Path};

use serde_json::{Map, Value};

use super::{Builder, Draft, csv::TEXT};
use crate::{Approval, Error, Import, cards::Task, encoding, values};

/// Reads examples from JSON: lines, a list, or objects one after the other. Each object says by its fields what form it
/// has: `text`/`label`, `input`/`output`, `prompt`/`completion`, `instruction` with or without `input`, `system`,
/// `history` and `output`, or `messages` (also `conversations`) of `role` and `content`. Each answer of a dialogue is an
/// example whose input is what came before, unless its `weight` is 0. Objects without an output are pending examples.
///
/// # Errors
/// [`Error::Missing`], [`Error::Read`], [`Error::TooLarge`], [`Error::OtherForm`], [`Error::Encoding`],
/// [`Error::Nothing`] where no object is usable.
pub fn import_jsonl(path: &Path, task: &Task, approval: &Approval) -> Result<Import, Error> {
    let mut builder = Builder::new("jsonl", task, approval);
    let text = builder.text(encoding::read(path)?);
    let mut unread = Unread::default();
    values::each(&text, |line, value| {
        let at = format!("line {line}");
        match value.and_then(|value| drafts(&value, &mut unread)) {
            Ok(drafts) => drafts.into_iter().for_each(|draft| builder.add(&at, Ok(draft))),
            Err(reason) => builder.add(&at, Err(reason)),
        }
    });
    unread.said().into_iter().for_each(|note| builder.note(note));
    builder.finish(path)
}

/// The text of one object or string that is to be answered, by the names that [`import_jsonl`] knows; of a dialogue, what
/// stands before its last answer.
///
/// # Errors
/// What is wrong with it.
pub fn text_of(value: &Value) -> Result<String, String> {
    if let Value::String(text) = value {
        return Ok(text.clone());
    }
    let text = match drafts(value, &mut Unread::default()) {
        Ok(mut drafts) => drafts.pop().map(|draft| draft.input),
        // A field that could be an answer as well, where there may be one.
        Err(reason) => Some(TEXT.iter().find_map(|name| value.get(*name)?.as_str()).ok_or(reason)?.to_owned()),
    };
    text.filter(|text| !text.trim().is_empty()).ok_or_else(|| "the text is blank".to_owned())
}

/// Fields that nothing is made of, with how often they occur.
#[derive(Default)]
pub(super) struct Unread(BTreeMap<String, usize>);

/// Fields that hold an input, the best first.
const INPUTS: [&str; 6] = ["text", "input", "message", "question", "query", "sentence"];

/// Names of which a file says nothing surprising by having them.
const PLAIN: [&str; 4] = ["id", "ts", "role", "from"];

impl Unread {
    fn note<'v>(&mut self, object: &'v Map<String, Value>, read: &[&str], prefix: &str) {
        let is_unread = |(name, value): &(&'v String, &'v Value)| {
            !read.contains(&name.as_str()) && !PLAIN.contains(&name.as_str()) && !value.is_null()
        };
        for (name, _) in object.iter().filter(is_unread) {
            let name = format!("{prefix}{}", name.chars().take(60).collect::<String>());
            if self.0.len() < 100 || self.0.contains_key(&name) {
                *self.0.entry(name).or_default() += 1;
            }
        }
    }

    pub(super) fn said(self) -> Option<String> {
        let fields: Vec<String> = self.0.iter().map(|(name, count)| format!("`{name}` ({count} ×)")).take(20).collect();
        (!fields.is_empty()).then(|| format!("Fields that are not read: {}.", fields.join(", ")))
    }
}

/// The examples of one object.
pub(super) fn drafts(value: &Value, unread: &mut Unread) -> Result<Vec<Draft>, String> {
    let Value::Object(row) = value else { return Err("it is not a JSON object".into()) };
    let id = ["id", "ts"].iter().find_map(|name| row.get(*name)).and_then(|id| match id {
        Value::String(id) if !id.trim().is_empty() && id.len() <= 200 => Some(id.trim().to_owned()),
        Value::Number(id) => Some(id.to_string()),
        _ => None,
    });
    let mut fields = Fields { row, unread, doubt: None };
    if let Some(mark) = fields.rejected() {
        return Err(format!("its `{mark}` marks the answer as rejected"));
    }
    let pairs = fields.pairs()?;
    let is_answered = pairs.iter().any(|(_, output)| output.as_ref().is_some_and(|output| !output.is_null()));
    if is_answered && fields.field("weight").and_then(Value::as_f64) == Some(0.0) {
        return Err("its `weight` is 0: nothing is to be learned from it".into());
    }
    let doubt = fields.doubt;
    let last = pairs.len();
    // The last answer has the row's own name.
    let named = |(number, (input, output)): (usize, (String, Option<Value>))| Draft {
        id: id.clone().map(|id| if number + 1 == last { id } else { format!("{id}:{}", number + 1) }),
        input,
        output: output.filter(|output| !output.is_null()),
        doubt,
    };
    Ok(pairs.into_iter().enumerate().map(named).collect())
}

/// The answer of an object that has an input beside fields of other names: these fields.
pub(super) fn rest(value: &Value) -> Option<Value> {
    let row = value.as_object()?;
    let input = INPUTS.into_iter().find(|name| row.get(*name).is_some_and(Value::is_string))?;
    let is_answer = |name: &str| name != input && !PLAIN.contains(&name);
    let rest: Map<String, Value> =
        row.iter().filter(|(name, _)| is_answer(name)).map(|(name, value)| (name.clone(), value.clone())).collect();
    (!rest.is_empty()).then_some(Value::Object(rest))
}

/// An input, and its output if there is one.
type Pair = (String, Option<Value>);
/// A turn of a dialogue, and whether an answer is learned.
type Turn = (Role, String, bool);

/// An object's fields.
struct Fields<'r, 'u> {
    row: &'r Map<String, Value>,
    unread: &'u mut Unread,
    /// Why people should look at what is made of them.
    doubt: Option<&'static str>,
}

/// Fields that hold the turns of a dialogue; Gemini calls them `contents`.
pub(crate) const DIALOGUES: [&str; 6] = ["messages", "conversations", "conversation", "dialog", "dialogue", "contents"];
/// Fields that hold an answer, the best first.
const ANSWERS: [&str; 7] = ["label", "output", "truth", "answer", "response", "completion", "category"];

impl<'r> Fields<'r, '_> {
    /// The field by which KTO marks an answer as a bad one. Beside a mere text, `label` is the answer.
    fn rejected(&self) -> Option<&'static str> {
        let has = |name: &str| self.field(name).is_some();
        let is_answered = ["prompt", "instruction"].into_iter().any(has)
            && ["completion", "response", "output", "answer"].into_iter().any(has);
        let is_marked = is_answered || DIALOGUES.into_iter().any(has);
        let marks = ["kto_tag", "label"].into_iter().filter(|mark| is_marked || *mark == "kto_tag");
        marks.into_iter().find(|mark| self.field(mark).is_some_and(is_no))
    }

    /// Inputs and outputs, by the names that the object uses.
    fn pairs(&mut self) -> Result<Vec<Pair>, String> {
        for (name, turns) in DIALOGUES.map(|name| (name, self.field(name))) {
            let Some(turns) = turns else { continue };
            self.unread.note(self.row, &[name, "system", "systemInstruction"], "");
            let mut read = self.system()?;
            read.extend(self.turns(turns, name)?);
            let is_answer = |turn: &Turn| turn.0 == Role::Assistant;
            if read.windows(2).any(|two| two.iter().all(is_answer)) {
                self.doubt = Some("an answer follows another one");
            }
            return answers(read);
        }
        let has = |name: &str| self.field(name).is_some();
        if has("chosen") && has("rejected") || has("preferred_output") && has("non_preferred_output") {
            let what = "it is a pair of a chosen and a rejected answer, which is not supported; write the chosen one as the \
                        last turn of `messages`";
            return Err(what.into());
        }
        if has("data") && (has("annotations") || has("completions")) {
            let what = "it is a task of Label Studio; export it there as CSV, and name the columns of text and label when \
                        you import that";
            return Err(what.into());
        }
        if let (Some(prompt @ Value::Array(_)), Some(completion)) = (self.field("prompt"), self.field("completion")) {
            self.unread.note(self.row, &["prompt", "completion"], "");
            let mut read: Vec<Turn> = self.turns(prompt, "prompt")?;
            read.iter_mut().for_each(|turn| turn.2 = false);
            read.extend(self.turns(completion, "completion")?);
            return answers(read);
        }
        if let Some(instruction) = self.text("instruction")? {
            return self.instruction(&instruction);
        }
        if let Some(prompt) = self.text("prompt")? {
            return Ok(vec![self.answered("prompt", prompt, &["completion", "response", "output", "answer"])]);
        }
        let texts: Vec<&str> = INPUTS.into_iter().filter(|name| self.field(name).is_some()).collect();
        if let Some(name) = texts.first()
            && let Some(input) = self.text(name)?
        {
            let verdict = self.field("answer").and_then(Value::as_str).unwrap_or_default();
            if matches!(verdict, "reject" | "ignore") && self.field("label").is_some() {
                return Err(format!("its `answer` is `{verdict}`: the label was rejected"));
            }
            if self.field("choices").or(self.field("options")).is_some_and(is_something) {
                self.doubt =
                    Some("the question has choices, which are not read, and the answer may be the number of one");
            }
            if *name != "text" && texts.iter().any(|other| other != name) {
                self.doubt = Some("more than one field could be the text");
            }
            return Ok(vec![self.answered(name, input, &ANSWERS)]);
        }
        let has: Vec<&str> = self.row.keys().take(8).map(String::as_str).collect();
        let is_list = |value: &Value| value.as_array().is_some_and(|list| list.iter().any(Value::is_object));
        let list = self.row.iter().find(|(_, value)| is_list(value));
        let list =
            list.map_or(String::new(), |(name, _)| format!("; if `{name}` holds the rows, import that list alone"));
        Err(format!("no text among its fields ({}){list}", has.join(", ")))
    }

    /// A field that is there and not null.
    fn field(&self, name: &str) -> Option<&'r Value> {
        self.row.get(name).filter(|value| !value.is_null())
    }

    fn text(&self, name: &str) -> Result<Option<String>, String> {
        let text = |value: &Value| match value {
            Value::String(text) => Ok(text.clone()),
            Value::Array(_) | Value::Object(_) => Err(format!(
                "`{name}` is not a text; if it contains a whole column, write one object per row (pandas: orient=\"records\")"
            )),
            _ => Err(format!("`{name}` is not a text")),
        };
        self.field(name).map(text).transpose()
    }

    /// What the other fields say about what was asked.
    fn answered(&mut self, name: &str, input: String, answers: &[&str]) -> Pair {
        let mut given = answers.iter().filter(|name| self.field(name).is_some());
        let answer = given.next();
        let is_mark = answer.is_some_and(|name| *name == "label" && self.field(name).is_some_and(Value::is_boolean));
        let is_sure = !is_mark && answer.is_none_or(|name| ["label", "output", "truth", "completion"].contains(name));
        if !is_sure && given.any(|other| Some(other) != answer) {
            self.doubt = self.doubt.or(Some("more than one field could be the answer"));
        }
        self.unread.note(self.row, &[name, answer.copied().unwrap_or_default()], "");
        (input, answer.and_then(|name| self.field(name)).cloned())
    }

    fn system(&self) -> Result<Vec<Turn>, String> {
        let system = match self.field("systemInstruction") {
            Some(system) => Some(content(system.get("parts").unwrap_or(system))?),
            None => self.text("system")?,
        };
        let system = system.filter(|system| !system.trim().is_empty());
        Ok(system.map(|system| (Role::System, system.trim().to_owned(), false)).into_iter().collect())
    }

    /// Alpaca's form. As in LLaMA-Factory, `system` comes first, and the answers of `history` are learned, too.
    fn instruction(&mut self, instruction: &str) -> Result<Vec<Pair>, String> {
        // Dolly calls it `context`.
        let said = |text: Option<String>| text.filter(|text| !text.trim().is_empty());
        let about = said(self.text("input")?).or(said(self.text("context")?));
        let input = match about {
            Some(about) => format!("{}\n\n{}", instruction.trim(), about.trim()),
            None => instruction.trim().to_owned(),
        };
        let mut turns = self.system()?;
        let rounds = self.field("history").map(|rounds| rounds.as_array().ok_or("`history` is not a list of pairs"));
        for (i, round) in rounds.transpose()?.into_iter().flatten().enumerate() {
            let text = |at: usize| round.get(at).and_then(Value::as_str).map(|text| text.trim().to_owned());
            let (Some(asked), Some(said)) = (text(0), text(1)) else {
                return Err(format!("round {} of `history` is not a pair of texts", i + 1));
            };
            turns.extend([(Role::User, asked, false), (Role::Assistant, said, true)]);
        }
        let answer = ["output", "response", "completion"].into_iter().find(|name| self.field(name).is_some());
        let read = ["instruction", "input", "context", "system", "history", answer.unwrap_or_default()];
        self.unread.note(self.row, &read, "");
        turns.push((Role::User, input, false));
        let output = answer.and_then(|name| self.field(name)).cloned();
        let mut pairs = if turns.len() > 2 { answers(turns.clone())? } else { Vec::new() };
        pairs.retain(|(_, output)| output.is_some());
        pairs.push((transcript(turns.iter().map(|(role, content, _)| (*role, content.as_str()))), output));
        Ok(pairs)
    }

    /// The turns of a dialogue.
    fn turns(&mut self, turns: &Value, name: &str) -> Result<Vec<Turn>, String> {
        let turns = turns.as_array().ok_or_else(|| format!("`{name}` is not a list"))?;
        turns
            .iter()
            .enumerate()
            .map(|(i, turn)| self.turn(turn, name).map_err(|e| format!("turn {} {e}", i + 1)))
            .collect()
    }

    fn turn(&mut self, turn: &Value, name: &str) -> Result<Turn, String> {
        let unknown = || "has no known `role` and text `content`".to_owned();
        let turn = turn.as_object().ok_or_else(unknown)?;
        let part = |names: &[&str]| names.iter().find_map(|name| turn.get(*name).filter(|value| !value.is_null()));
        let calls = ["tool_calls", "function_call"].into_iter().find(|name| turn.get(*name).is_some_and(is_something));
        if let Some(calls) = calls {
            return Err(format!("has `{calls}`: tool calls are not supported"));
        }
        let role = part(&["role", "from"]).and_then(Value::as_str).ok_or_else(unknown)?;
        let role = Role::named(role).ok_or_else(|| {
            let role: String = role.chars().take(40).collect();
            format!("has the role `{role}`; known are system, user and assistant")
        })?;
        let content = content(part(&["content", "value", "parts"]).ok_or_else(unknown)?)?;
        // OpenAI and Hugging Face call it `weight`, Axolotl `train` or `training`.
        let weight = ["weight", "train", "training"].into_iter().find_map(|name| Some((name, part(&[name])?)));
        let learned = match weight.map(|(name, weight)| (name, weight.as_f64(), weight.as_bool())) {
            None | Some((_, Some(1.0), _) | (_, _, Some(true))) => true,
            Some((_, Some(0.0), _) | (_, _, Some(false))) => false,
            Some((name, ..)) => return Err(format!("has a `{name}` that is neither 0 nor 1")),
        };
        let read = ["content", "value", "parts", "weight", "train", "training", "tool_calls", "function_call"];
        self.unread.note(turn, &read, &format!("{name}[]."));
        Ok((role, content.trim().to_owned(), learned))
    }
}

fn is_no(value: &Value) -> bool {
    let is_word = |word: &str| ["false", "0"].contains(&word.trim().to_lowercase().as_str());
    *value == Value::Bool(false) || value.as_f64() == Some(0.0) || value.as_str().is_some_and(is_word)
}

fn is_something(value: &Value) -> bool {
    !value.is_null() && *value != Value::Array(Vec::new())
}

/// A turn's text: plain, or in parts that are all texts.
fn content(value: &Value) -> Result<String, String> {
    let part = |part: &Value| match (part, part.get("text").and_then(Value::as_str)) {
        (Value::String(text), _) => Ok(text.clone()),
        (_, Some(text)) => Ok(text.to_owned()),
        _ => {
            let kind =
                part.get("type").and_then(Value::as_str).unwrap_or("unknown").chars().take(40).collect::<String>();
            Err(format!("has a part of type `{kind}`; only texts are supported"))
        }
    };
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Array(parts) => Ok(parts.iter().map(part).collect::<Result<Vec<_>, _>>()?.join("\n")),
        _ => Err("has a `content` that is not a text".into()),
    }
}

/// Every answer that is learned, with what came before it; and an open question at the end, without an answer.
fn answers(turns: Vec<Turn>) -> Result<Vec<Pair>, String> {
    let before = |end: usize| transcript(turns[..end].iter().map(|(role, content, _)| (*role, content.as_str())));
    let mut pairs = Vec::new();
    for (i, (role, content, learned)) in turns.iter().enumerate() {
        let is_asked = turns[..i].iter().any(|(role, ..)| *role == Role::User);
        match role {
            Role::Assistant if *learned && is_asked => pairs.push((before(i), Some(Value::from(content.as_str())))),
            Role::User if i + 1 == turns.len() => pairs.push((before(i + 1), None)),
            _ => {}
        }
    }
    if pairs.is_empty() {
        let weighed = turns.iter().any(|(role, _, learned)| *role == Role::Assistant && !learned);
        return Err(if weighed { "every answer has the weight 0" } else { "it has no question with an answer" }.into());
    }
    Ok(pairs)
}

/// Who speaks in a dialogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    System,
    User,
    Assistant,
}

impl Role {
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name.trim().to_lowercase().as_str() {
            "system" | "developer" => Self::System,
            "user" | "human" | "customer" | "you" | "q" => Self::User,
            "assistant" | "gpt" | "chatgpt" | "bot" | "chatbot" | "ai" | "model" | "agent" | "a" => Self::Assistant,
            _ => return None,
        })
    }

    fn shown(self) -> &'static str {
        match self {
            Self::System => "System",
            Self::User => "User",
            Self::Assistant => "Assistant",
        }
    }
}

/// Turns as one text; a single turn of the user stands alone.
pub(super) fn transcript<'t>(turns: impl Iterator<Item = (Role, &'t str)>) -> String {
    let turns: Vec<(Role, &str)> = turns.collect();
    if let [(Role::User, content)] = turns[..] {
        return content.to_owned();
    }
    let lines: Vec<String> = turns.iter().map(|(role, content)| format!("{}: {content}", role.shown())).collect();
    lines.join("\n")
}
