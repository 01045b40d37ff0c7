use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

use super::{
    Draft, Entry,
    jsonl::{Role, transcript},
};
use crate::pattern;

/// The forms of lines that stand for examples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PromptForm {
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
pub(super) fn detect(text: &str) -> Option<PromptForm> {
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

/// Whether a text has a block with an input and an answer, however long they are.
pub(super) fn has_blocks(text: &str) -> bool {
    let keys: Vec<Key> = text.lines().filter_map(|line| Some(key_line(line)?.0)).collect();
    detect(text) == Some(PromptForm::Blocks)
        && keys.contains(&Key::Expected)
        && keys.iter().any(|key| *key != Key::Expected)
}

/// The examples of a text in this form, and what is wrong with its other lines.
pub(super) fn entries(text: &str, form: PromptForm) -> Vec<Entry> {
    let lines: Vec<Line<'_>> = text.lines().enumerate().map(|(i, line)| (i + 1, line)).collect();
    let mut entries = Vec::new();
    match form {
        PromptForm::Labels => labels(&lines, &mut entries),
        PromptForm::Blocks => blocks(&lines, &mut entries),
        PromptForm::Dialogue => dialogues(&lines, &mut entries),
    }
    entries
}

/// What stands above the first example and says what the examples are.
pub(super) fn heading(text: &str) -> Option<String> {
    let is_one = |line: &str| turn_line(line).is_some() || label_line(line).is_some() || key_line(line).is_some();
    let above: Vec<&str> = text.lines().take_while(|line| !is_one(line)).map(str::trim).collect();
    let above = above.join("\n").trim().trim_end_matches(':').trim().to_owned();
    (!above.is_empty() && above.len() <= 400).then_some(above)
}

/// A line without the number or bullet before it and the quotes around it.
pub(super) fn bare(line: &str) -> String {
    static COUNTED: LazyLock<Regex> = LazyLock::new(|| pattern(r"^\s*(?:\(?\d{1,6}[.)]\s+|[-*•]\s+)?"));
    unquoted(&COUNTED.replace(line, ""))
}

fn labels(lines: &[Line<'_>], entries: &mut Vec<Entry>) {
    let first = lines.iter().position(|(_, line)| label_line(line).is_some()).unwrap_or(0);
    for (i, (number, line)) in lines.iter().enumerate() {
        match label_line(line) {
            Some((input, label)) => {
                let draft = Draft { input, output: Some(label.into()), ..Draft::default() };
                entries.push(Entry { line: *number, draft: Ok(draft) });
            }
            // What stands above the first example says what the examples are.
            None if i < first || line.trim().is_empty() => {}
            None => entries.push(Entry { line: *number, draft: Err("it is not `\"text\" -> label`".into()) }),
        }
    }
}

fn blocks(lines: &[Line<'_>], entries: &mut Vec<Entry>) {
    let mut block = Block::default();
    for (number, line) in lines {
        match key_line(line) {
            Some((key, rest)) => {
                if block.starts_new(key) {
                    std::mem::take(&mut block).add(entries);
                }
                block.start.get_or_insert(*number);
                block.key = Some(key);
                block.push(rest);
            }
            None if block.key.is_some() => block.push(line),
            None => {}
        }
    }
    block.add(entries);
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

    fn add(self, entries: &mut Vec<Entry>) {
        let Some(start) = self.start else { return };
        let said = |part: Option<String>| part.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
        let input = [said(self.task), said(self.input)].into_iter().flatten().collect::<Vec<_>>().join("\n\n");
        let draft = said(self.expected).ok_or_else(|| "the block has no `Expected:`".to_owned());
        let draft = draft.map(|output| Draft { input, output: Some(Value::from(output)), ..Draft::default() });
        entries.push(Entry { line: start, draft });
    }
}

fn dialogues(lines: &[Line<'_>], entries: &mut Vec<Entry>) {
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
                None => entries.push(Entry { line: *number, draft: Err("this line has no speaker".into()) }),
            },
        }
    }
    ended.push(turns);
    ended.into_iter().for_each(|turns| answers(turns, entries));
}

/// Every answer of one dialogue.
fn answers(turns: Vec<(usize, Role, String)>, entries: &mut Vec<Entry>) {
    let mut before: Vec<(Role, String)> = Vec::new();
    for (number, role, content) in turns {
        let content = content.trim().to_owned();
        if role == Role::Assistant {
            let draft = match before.is_empty() {
                true => Err("there is no turn before this answer".into()),
                false => {
                    let output = Some(Value::from(content.clone()));
                    Ok(Draft {
                        input: transcript(before.iter().map(|(role, content)| (*role, content.as_str()))),
                        output,
                        ..Draft::default()
                    })
                }
            };
            entries.push(Entry { line: number, draft });
        }
        before.push((role, content));
    }
}

/// A line of dashes or the like ends a dialogue.
fn is_rule(line: &str) -> bool {
    let line = line.trim();
    line.len() >= 3 && line.chars().all(|c| "-=#*_".contains(c))
}
