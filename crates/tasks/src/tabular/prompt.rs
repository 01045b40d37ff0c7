use std::{path::Path, sync::LazyLock};

use regex::Regex;
use serde_json::Value;

use super::{
    Builder, Draft,
    jsonl::{Role, transcript},
};
use crate::{Approval, Error, Import, encoding, pattern};

/// The forms of pasted text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PromptForm {
    /// Lines of `"text" -> label`, numbered or plain.
    Labels,
    /// Blocks of `Task:`, `Input:` and `Expected:`.
    Blocks,
    /// Turns of `User:` and `Assistant:`; each answer is an example whose input is the dialogue before it.
    Dialogue,
}

/// A line, with its number counted from 1.
type Line<'a> = (usize, &'a str);

/// `3. "text" -> label`.
fn label_line(line: &str) -> Option<(String, String)> {
    static LABELLED: LazyLock<Regex> = LazyLock::new(|| {
        pattern(r"^\s*(?:\(?\d{1,6}[.)]\s+|[-*•]\s+)?(?P<text>.+?)\s*(?:->|=>|→)\s*(?P<label>[^>→]+?)\s*$")
    });
    let found = LABELLED.captures(line)?;
    Some((unquoted(&found["text"]), unquoted(&found["label"])))
}

fn unquoted(text: &str) -> String {
    let pairs = [('"', '"'), ('\'', '\''), ('“', '”'), ('`', '`')];
    let text = text.trim();
    let inner = pairs.iter().find_map(|(open, close)| text.strip_prefix(*open)?.strip_suffix(*close));
    inner.unwrap_or(text).trim().to_owned()
}

/// `Key: rest`, for the keys of blocks.
fn key_line(line: &str) -> Option<(Key, &str)> {
    let (name, rest) = line.split_once(':')?;
    let key = match name.trim().to_lowercase().as_str() {
        "task" | "instruction" => Key::Task,
        "input" => Key::Input,
        "expected" | "output" | "expected output" => Key::Expected,
        _ => return None,
    };
    Some((key, rest.trim()))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Key {
    Task,
    Input,
    Expected,
}

fn turn_line(line: &str) -> Option<(Role, &str)> {
    let (name, rest) = line.split_once(':')?;
    Some((Role::named(name)?, rest.trim()))
}

/// The form most lines of a text have; `None` where no line has any.
#[must_use]
pub fn detect(text: &str) -> Option<PromptForm> {
    let count = |is: fn(&str) -> bool| text.lines().filter(|line| is(line)).count();
    let counts = [
        (count(|line| turn_line(line).is_some()), PromptForm::Dialogue),
        (count(|line| label_line(line).is_some()), PromptForm::Labels),
        (count(|line| key_line(line).is_some()), PromptForm::Blocks),
    ];
    counts.into_iter().max_by_key(|(count, _)| *count).filter(|(count, _)| *count > 0).map(|(_, form)| form)
}

/// Whether at least half of a text's lines have the form of examples.
pub(crate) fn is_prompt(text: &str) -> bool {
    let is_one = |line: &&str| turn_line(line).is_some() || label_line(line).is_some() || key_line(line).is_some();
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    let (all, examples) = (lines.clone().count(), lines.filter(is_one).count());
    examples > 0 && examples * 2 >= all
}

/// Reads examples from pasted text; `name` stands for the text in errors.
///
/// # Errors
/// [`Error::UnknownForm`], [`Error::UnknownTask`]; [`Error::Nothing`] where nothing is usable.
pub fn import_prompt(text: &str, name: &str, task: &str, approval: &Approval) -> Result<Import, Error> {
    read(text, Path::new(name), Builder::new("prompt", task, approval)?)
}

/// As [`import_prompt`], from a file.
///
/// # Errors
/// The same; [`Error::Missing`], [`Error::Read`], [`Error::TooLarge`], [`Error::OtherForm`], [`Error::Encoding`].
pub fn import_prompt_file(path: &Path, task: &str, approval: &Approval) -> Result<Import, Error> {
    let mut builder = Builder::new("prompt", task, approval)?;
    let text = builder.text(encoding::read(path)?);
    read(&text, path, builder)
}

fn read(text: &str, name: &Path, mut builder: Builder<'_>) -> Result<Import, Error> {
    let lines: Vec<Line<'_>> = text.lines().enumerate().map(|(i, line)| (i + 1, line)).collect();
    match detect(text).ok_or(Error::UnknownForm)? {
        PromptForm::Labels => labels(&lines, &mut builder),
        PromptForm::Blocks => blocks(&lines, &mut builder),
        PromptForm::Dialogue => dialogues(&lines, &mut builder),
    }
    builder.finish(name)
}

fn labels(lines: &[Line<'_>], builder: &mut Builder<'_>) {
    let first = lines.iter().position(|(_, line)| label_line(line).is_some()).unwrap_or(0);
    for (i, (number, line)) in lines.iter().enumerate() {
        let at = format!("line {number}");
        match label_line(line) {
            Some((input, label)) => {
                builder.add(&at, Ok(Draft { input, output: Some(label.into()), ..Draft::default() }))
            }
            // What stands above the first example says what the examples are.
            None if i < first || line.trim().is_empty() => {}
            None => builder.add(&at, Err("it is not `\"text\" -> label`".into())),
        }
    }
}

fn blocks(lines: &[Line<'_>], builder: &mut Builder<'_>) {
    let mut block = Block::default();
    for (number, line) in lines {
        match key_line(line) {
            Some((key, rest)) => {
                if block.starts_new(key) {
                    std::mem::take(&mut block).add(builder);
                }
                block.start.get_or_insert(*number);
                block.key = Some(key);
                block.push(rest);
            }
            None if block.key.is_some() => block.push(line),
            None => {}
        }
    }
    block.add(builder);
}

#[derive(Default)]
struct Block {
    start: Option<usize>,
    key: Option<Key>,
    task: Option<String>,
    input: Option<String>,
    expected: Option<String>,
}

impl Block {
    fn starts_new(&self, key: Key) -> bool {
        match key {
            Key::Task => self.key.is_some(),
            Key::Input => self.input.is_some() || self.expected.is_some(),
            Key::Expected => self.expected.is_some(),
        }
    }

    fn push(&mut self, line: &str) {
        let part = match self.key {
            Some(Key::Task) => &mut self.task,
            Some(Key::Input) => &mut self.input,
            Some(Key::Expected) => &mut self.expected,
            None => return,
        };
        let part = part.get_or_insert_default();
        if !part.is_empty() {
            part.push('\n');
        }
        part.push_str(line);
    }

    fn add(self, builder: &mut Builder<'_>) {
        let Some(start) = self.start else { return };
        let said = |part: Option<String>| part.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
        let input = [said(self.task), said(self.input)].into_iter().flatten().collect::<Vec<_>>().join("\n\n");
        let draft = said(self.expected).ok_or_else(|| "the block has no `Expected:`".to_owned());
        let draft = draft.map(|output| Draft { input, output: Some(Value::from(output)), ..Draft::default() });
        builder.add(&format!("line {start}"), draft);
    }
}

fn dialogues(lines: &[Line<'_>], builder: &mut Builder<'_>) {
    let mut turns: Vec<(usize, Role, String)> = Vec::new();
    let mut ended = Vec::new();
    for (number, line) in lines {
        match turn_line(line) {
            Some((role, rest)) => turns.push((*number, role, rest.to_owned())),
            None if is_rule(line) => ended.push(std::mem::take(&mut turns)),
            None => match turns.last_mut() {
                Some((_, _, content)) => {
                    content.push('\n');
                    content.push_str(line);
                }
                None if line.trim().is_empty() => {}
                None => builder.add(&format!("line {number}"), Err("nobody says this line".into())),
            },
        }
    }
    ended.push(turns);
    ended.into_iter().for_each(|turns| answers(turns, builder));
}

/// Every answer of one dialogue.
fn answers(turns: Vec<(usize, Role, String)>, builder: &mut Builder<'_>) {
    let mut before: Vec<(Role, String)> = Vec::new();
    for (number, role, content) in turns {
        let content = content.trim().to_owned();
        if role == Role::Assistant {
            let draft = match before.is_empty() {
                true => Err("nothing is said before this answer".into()),
                false => {
                    let output = Some(Value::from(content.clone()));
                    Ok(Draft {
                        input: transcript(before.iter().map(|(role, content)| (*role, content.as_str()))),
                        output,
                        ..Draft::default()
                    })
                }
            };
            builder.add(&format!("line {number}"), draft);
        }
        before.push((role, content));
    }
}

/// A line of dashes or the like ends a dialogue.
fn is_rule(line: &str) -> bool {
    let line = line.trim();
    line.len() >= 3 && line.chars().all(|c| "-=#*_".contains(c))
}
