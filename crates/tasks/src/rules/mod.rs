//! Rules as data: regular expressions that each give a label, or whose named groups are the fields of an answer.
//!
//! Patterns are untrusted input. The `regex` crate matches in linear time; the sizes of patterns, their number and the
//! text they read are limited.

mod read;

use std::collections::BTreeMap;

use regex::{Regex, RegexBuilder};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::{
    cards::{Form, Task},
    schema,
};

/// Most rules of a task.
const MOST_RULES: usize = 100;
/// Longest pattern, in bytes.
const LONGEST_PATTERN: usize = 2000;
/// Largest compiled pattern, in bytes; a pattern's cache has as much again.
const LARGEST_PATTERN: usize = 512 << 10;
/// Deepest nesting of a pattern.
const DEEPEST_PATTERN: u32 = 50;
/// Most entries of the tables of aliases and units together.
const MOST_ENTRIES: usize = 2000;
/// Longest text that is read, in bytes: finding all matches may take the square of it.
const LONGEST_TEXT: usize = 32 << 10;
/// Most items that a list gets.
const MOST_ITEMS: usize = 200;
/// Most matches of a rule that are read: most of them may give no item.
const MOST_MATCHES: usize = 5 * MOST_ITEMS;
/// The group of a list of plain values.
const PLAIN: &str = "value";

/// Regular expressions with the tables that they read values with.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RuleSet {
    /// Form `labels`: the label where no rule matches. Form `fields`: an object of values for fields that no rule gives;
    /// others are null or empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub otherwise: Option<Value>,
    /// In order: the first rule that matches gives the label, or a field its value.
    #[serde(default)]
    pub rules: Vec<Rule>,
    /// Other ways to write a value, by field (`unit`, or `items.unit` within a list): `boxes = "box"`. Upper and lower case
    /// are the same.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schema(value_type = Object)]
    pub aliases: BTreeMap<String, BTreeMap<String, Value>>,
    /// What a number is multiplied by, by field and by the unit that stands beside the number: `g = 0.001`. A number with
    /// another unit is no value of the field.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub units: BTreeMap<String, BTreeMap<String, f64>>,
}

/// A regular expression, and what it gives where it matches.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = BaselineRule)]
pub struct Rule {
    /// In the syntax of the `regex` crate, without look-around and back-references. Form `fields`: a named group
    /// `(?<total>…)` is the field of that name; other characters than letters, digits, `_` and `.` are `_` in the group's
    /// name.
    pub pattern: String,
    /// Form `labels`: the label.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Form `fields`: the list to which every match adds an item; the groups are the item's properties, or `value` if the
    /// items are plain values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub list: Option<String>,
    /// Form `fields`: values that a match gives beside its groups, by field.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    #[schema(value_type = Object)]
    pub set: Map<String, Value>,
}

/// Why rules can't be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadRules {
    /// The field within the rules, such as `rules[2].pattern`.
    pub field: String,
    /// What is wrong with it.
    pub reason: String,
}

/// What rules found in a text.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// The answer in the task's form, or why there is none.
    pub answer: Result<Value, String>,
    /// The rules that gave something, by their places, in order.
    pub used: Vec<usize>,
}

/// Rules that are ready to read texts.
#[derive(Clone, Debug)]
pub struct Rules {
    spec: RuleSet,
    compiled: Vec<Compiled>,
    /// The schema of a task with fields.
    schema: Option<Value>,
}

#[derive(Clone, Debug)]
struct Compiled {
    regex: Regex,
    /// Each named group with the path of its field, from the item in a list.
    groups: Vec<(usize, String)>,
}

fn bad<T>(field: impl Into<String>, reason: impl Into<String>) -> Result<T, BadRules> {
    Err(BadRules { field: field.into(), reason: reason.into() })
}

impl Rules {
    /// Compiles the rules of a task.
    ///
    /// # Errors
    /// [`BadRules`] with the first field that is wrong.
    pub fn new(spec: &RuleSet, task: &Task) -> Result<Self, BadRules> {
        let entries = spec.aliases.values().map(BTreeMap::len).sum::<usize>()
            + spec.units.values().map(BTreeMap::len).sum::<usize>();
        if task.form.is_text() {
            return bad("kind", "rules answer tasks with labels or fields");
        }
        if spec.rules.is_empty() || spec.rules.len() > MOST_RULES {
            return bad("rules", format!("there are {}; 1 to {MOST_RULES} are allowed", spec.rules.len()));
        }
        if entries > MOST_ENTRIES {
            return bad("aliases", format!("the tables have {entries} entries; {MOST_ENTRIES} are the most"));
        }
        let schema = (task.form == Form::Fields).then(|| task.schema.clone().unwrap_or_default());
        let mut compiled = Vec::with_capacity(spec.rules.len());
        for (place, rule) in spec.rules.iter().enumerate() {
            let at = format!("rules[{place}]");
            let regex = compile(&rule.pattern).or_else(|reason| bad(format!("{at}.pattern"), reason))?;
            let groups = match &schema {
                None => check_label(rule, &at, task).map(|()| Vec::new())?,
                Some(schema) => groups_of(rule, &at, &regex, schema)?,
            };
            compiled.push(Compiled { regex, groups });
        }
        let rules = Self { spec: spec.clone(), compiled, schema };
        rules.check_otherwise(task)?;
        rules.check_tables()?;
        Ok(rules)
    }

    fn check_otherwise(&self, task: &Task) -> Result<(), BadRules> {
        match (&self.schema, &self.spec.otherwise) {
            (None, Some(Value::String(label))) if is_label(label, task) => Ok(()),
            (None, Some(other)) => bad("otherwise", format!("{other} is no label of the task")),
            (None, None) => bad("otherwise", "give the label that a text has where no rule matches"),
            (Some(_), None) => Ok(()),
            (Some(schema), Some(Value::Object(values))) => check_values(values, schema, "otherwise"),
            (Some(_), Some(_)) => bad("otherwise", "it is no object of fields"),
        }
    }

    fn check_tables(&self) -> Result<(), BadRules> {
        let Some(schema) = &self.schema else {
            let none = self.spec.aliases.is_empty() && self.spec.units.is_empty();
            return if none { Ok(()) } else { bad("aliases", "a task with labels has no tables") };
        };
        for (path, table) in &self.spec.aliases {
            let at = format!("aliases.{path}");
            let Some(field) = read::field(schema, path) else { return bad(at, "the schema has no such field") };
            for (written, value) in table {
                if value.is_null() || schema::check(field, value).is_err() {
                    return bad(at, format!("`{written}` stands for {value}, which is no value of the field"));
                }
            }
        }
        for (path, table) in &self.spec.units {
            let at = format!("units.{path}");
            if !read::field(schema, path).is_some_and(|field| read::has_type(field, &["number", "integer"])) {
                return bad(at, "the schema has no number of that name");
            }
            if let Some((unit, _)) = table.iter().find(|(_, factor)| !factor.is_finite()) {
                return bad(at, format!("the factor of `{unit}` is no number"));
            }
        }
        Ok(())
    }

    /// Reads a text: the first 32 KiB of it.
    #[must_use]
    pub fn read(&self, text: &str) -> Reading {
        let text = &text[..text.floor_char_boundary(LONGEST_TEXT)];
        match &self.schema {
            Some(schema) => self.read_fields(text, schema),
            None => {
                let found = self.compiled.iter().position(|rule| rule.regex.is_match(text));
                let label = found.and_then(|place| self.spec.rules[place].label.clone()).map(Value::from);
                let answer = label.or_else(|| self.spec.otherwise.clone()).unwrap_or_default();
                Reading { answer: Ok(answer), used: found.into_iter().collect() }
            }
        }
    }

    fn read_fields(&self, text: &str, schema: &Value) -> Reading {
        let mut answer = read::shell(schema);
        let mut used = Vec::new();
        let mut lists: BTreeMap<&str, Vec<(std::ops::Range<usize>, Value)>> = BTreeMap::new();
        for (place, (rule, compiled)) in self.spec.rules.iter().zip(&self.compiled).enumerate() {
            let gave = match &rule.list {
                None => {
                    let Some(found) = compiled.regex.captures(text) else { continue };
                    let values = self.values(rule, compiled, &found, schema, "");
                    values.into_iter().filter(|(path, value)| read::put(&mut answer, path, value.clone())).count() > 0
                }
                Some(list) => {
                    let taken = lists.entry(list).or_default();
                    let before = taken.len();
                    for found in compiled.regex.captures_iter(text).take(MOST_MATCHES) {
                        if taken.len() >= MOST_ITEMS {
                            break;
                        }
                        let Some(range) = found.get(0).map(|whole| whole.range()) else { continue };
                        let overlaps = |(other, _): &(std::ops::Range<usize>, Value)| {
                            range.start < other.end && other.start < range.end
                        };
                        if range.is_empty() || taken.iter().any(overlaps) {
                            continue;
                        }
                        if let Some(item) = self.item(rule, compiled, &found, schema, list) {
                            taken.push((range, item));
                        }
                    }
                    taken.len() > before
                }
            };
            if gave {
                used.push(place);
            }
        }
        for (list, mut items) in lists {
            items.sort_by_key(|(range, _)| range.start);
            if !items.is_empty() {
                answer[list] = items.into_iter().map(|(_, item)| item).collect();
            }
        }
        for (path, value) in self.spec.otherwise.iter().filter_map(Value::as_object).flatten() {
            read::put(&mut answer, path, value.clone());
        }
        let answer = schema::conform(schema, &answer);
        let checked = schema::check(schema, &answer).map(|()| answer);
        Reading { answer: checked.map_err(|why| format!("no rule fits: {why}")), used }
    }

    /// What a match gives: its groups that have a value of their field, then what the rule sets. `within` is the list.
    fn values(
        &self,
        rule: &Rule,
        compiled: &Compiled,
        found: &regex::Captures<'_>,
        schema: &Value,
        within: &str,
    ) -> Vec<(String, Value)> {
        let full = |path: &str| if within.is_empty() { path.to_owned() } else { format!("{within}.{path}") };
        let read = compiled.groups.iter().filter_map(|(group, path)| {
            let (text, full) = (found.get(*group)?.as_str(), full(path));
            let tables = (self.spec.aliases.get(&full), self.spec.units.get(&full));
            Some((path.clone(), read::value(text, read::field(schema, &full)?, tables)?))
        });
        read.chain(rule.set.clone()).collect()
    }

    /// An item of a list; none where it lacks what the schema demands.
    fn item(
        &self,
        rule: &Rule,
        compiled: &Compiled,
        found: &regex::Captures<'_>,
        schema: &Value,
        list: &str,
    ) -> Option<Value> {
        let inner = schema.get("properties")?.get(list)?.get("items")?;
        if inner.get("properties").is_none() {
            let text = found.name(PLAIN)?.as_str();
            return read::value(text, inner, (self.spec.aliases.get(list), self.spec.units.get(list)));
        }
        let mut item = read::shell(inner);
        for (path, value) in self.values(rule, compiled, found, schema, list) {
            read::put(&mut item, &path, value);
        }
        let item = schema::conform(inner, &item);
        schema::check(inner, &item).is_ok().then_some(item)
    }
}

fn compile(pattern: &str) -> Result<Regex, String> {
    if pattern.is_empty() || pattern.len() > LONGEST_PATTERN {
        return Err(format!("it has {} bytes; 1 to {LONGEST_PATTERN} are allowed", pattern.len()));
    }
    let built = RegexBuilder::new(pattern)
        .size_limit(LARGEST_PATTERN)
        .dfa_size_limit(LARGEST_PATTERN)
        .nest_limit(DEEPEST_PATTERN)
        .build();
    built.map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => "it needs more than 512 KiB; repeat less, or use ASCII classes".to_owned(),
        // The last line says what is wrong; those before it draw where.
        other => other.to_string().lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned(),
    })
}

fn is_label(label: &str, task: &Task) -> bool {
    !label.trim().is_empty() && (task.labels.is_empty() || !task.closed || task.labels.iter().any(|one| one == label))
}

fn check_label(rule: &Rule, at: &str, task: &Task) -> Result<(), BadRules> {
    if rule.list.is_some() || !rule.set.is_empty() {
        return bad(at, "a rule of a task with labels gives a label and nothing else");
    }
    match &rule.label {
        Some(label) if is_label(label, task) => Ok(()),
        Some(label) => bad(format!("{at}.label"), format!("`{label}` is no label of the task")),
        None => bad(format!("{at}.label"), "it has no label"),
    }
}

/// The fields of a pattern's named groups.
fn groups_of(rule: &Rule, at: &str, regex: &Regex, schema: &Value) -> Result<Vec<(usize, String)>, BadRules> {
    if rule.label.is_some() {
        return bad(format!("{at}.label"), "a task with fields has no labels");
    }
    let names = regex.capture_names().enumerate().filter_map(|(group, name)| Some((group, name?)));
    let mut groups = Vec::new();
    let inner = match &rule.list {
        None => schema,
        Some(list) => {
            let items = schema.get("properties").and_then(|all| all.get(list)).and_then(|field| field.get("items"));
            let Some(items) = items else {
                return bad(format!("{at}.list"), format!("`{list}` is no list of the schema"));
            };
            items
        }
    };
    let is_plain = rule.list.is_some() && inner.get("properties").is_none();
    for (group, name) in names {
        let found = if is_plain { (name == PLAIN).then(|| PLAIN.to_owned()) } else { read::path_of(inner, name) };
        let Some(path) = found else {
            return bad(format!("{at}.pattern"), format!("the schema has no single field for the group `{name}`"));
        };
        groups.push((group, path));
    }
    if is_plain && (groups.is_empty() || !rule.set.is_empty()) {
        return bad(format!("{at}.pattern"), "an item of this list is the group `value`");
    }
    if groups.is_empty() && rule.set.is_empty() {
        return bad(format!("{at}.pattern"), "it has no named group, such as `(?<total>[0-9]+)`, and `set` is empty");
    }
    check_values(&rule.set, inner, &format!("{at}.set"))?;
    Ok(groups)
}

fn check_values(values: &Map<String, Value>, schema: &Value, at: &str) -> Result<(), BadRules> {
    for (path, value) in values {
        let Some(field) = read::field(schema, path) else {
            return bad(format!("{at}.{path}"), "the schema has no such field");
        };
        if value.is_null() {
            return bad(format!("{at}.{path}"), "leave it out instead of null");
        }
        if let Err(reason) = schema::check(field, value) {
            return bad(format!("{at}.{path}"), reason);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
