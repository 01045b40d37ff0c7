//! What a schema allows at each position of an answer.

use std::{collections::BTreeSet, sync::Arc};

use serde_json::Value;

/// The wire form of null.
const NULL: &str = " -";
/// The wire form of a property that is left out.
const ABSENT: &str = " ?";

/// One position of the answer with its alternatives, at most one of each kind.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Shape {
    /// Fixed values: null, true, false, members of an enum, "left out".
    pub(crate) literals: Vec<Literal>,
    pub(crate) number: Option<Range>,
    pub(crate) string: Option<Length>,
    pub(crate) array: Option<Box<Array>>,
    pub(crate) object: Option<Vec<Property>>,
    /// Set if the string must be taken from the input or from known names.
    pub(crate) grounded: Option<Arc<Grounded>>,
    /// Whether literals are followed by `;`, because one is a prefix of another.
    pub(crate) literals_close: bool,
    /// Whether numbers are followed by `;`, because a digit may follow.
    pub(crate) number_closes: bool,
}

/// What a grounded string may be, beside parts of the input.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Grounded {
    /// Id of the position within its answer form: 0, 1, …
    pub(crate) id: usize,
    /// Names that are allowed if the input contains something similar.
    pub(crate) known: Vec<String>,
    /// Names that are always allowed.
    pub(crate) always: Vec<String>,
}

/// A fixed value and its wire text.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Literal {
    /// `None` if the property is left out.
    pub(crate) value: Option<Value>,
    pub(crate) text: String,
}

/// Bounds of a number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Range {
    pub(crate) integer: bool,
    /// Smallest and largest whole number allowed.
    pub(crate) whole: (i64, i64),
    /// Fractions lie strictly between these.
    pub(crate) open: (i64, i64),
}

/// Bounds of a string's length in characters.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Length {
    pub(crate) min: usize,
    pub(crate) max: usize,
}

/// An array's element and the bounds of its length.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Array {
    pub(crate) element: Shape,
    pub(crate) min: usize,
    pub(crate) max: Option<usize>,
}

/// A named property of an object.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Property {
    pub(crate) name: String,
    pub(crate) shape: Shape,
}

impl Shape {
    /// A position where only these fixed values are allowed.
    pub(crate) fn of_literals(values: impl IntoIterator<Item = Value>) -> Self {
        let literal = |value| Literal { value: Some(value), text: String::new() };
        Self { literals: values.into_iter().map(literal).collect(), ..Self::default() }
    }

    /// Allows the property to be left out.
    pub(crate) fn make_optional(&mut self) {
        self.literals.push(Literal { value: None, text: String::new() });
    }

    /// Determines terminators and texts of the literals; called when all of them are known.
    pub(crate) fn seal(&mut self, digit_may_follow: bool) {
        self.number_closes = digit_may_follow && self.number.is_some();
        let plain = |value: &Option<Value>| match value {
            None => Some(ABSENT.to_owned()),
            Some(Value::Null) => Some(NULL.to_owned()),
            Some(Value::Bool(b)) => Some(format!(" {b}")),
            Some(Value::Number(n)) => Some(format!(" {}", super::number::write(n).unwrap_or_else(|_| n.to_string()))),
            Some(_) => None,
        };
        let markers: Vec<String> = self.literals.iter().filter_map(|l| plain(&l.value)).collect();
        for literal in &mut self.literals {
            literal.text = match (plain(&literal.value), &literal.value) {
                (Some(text), _) => text,
                (None, Some(Value::String(s))) => super::text::write(s, markers.iter().map(String::as_str)),
                (None, _) => String::new(),
            };
        }
        let texts: Vec<&str> = self.literals.iter().map(|l| l.text.as_str()).collect();
        let begins = |a: usize, b: usize| a != b && texts[b].starts_with(texts[a]);
        // A marked string starts like the empty text, and may start like another marked one.
        let marked = |text: &&str| *text == " " || text.trim_start().starts_with(super::text::TEXT_FOLLOWS);
        let begins_string = self.string.is_some() && texts.iter().any(marked);
        self.literals_close = begins_string || (0..texts.len()).any(|a| (0..texts.len()).any(|b| begins(a, b)));
    }

    /// Whether the object needs `(` before it, to distinguish it from other alternatives.
    pub(crate) fn object_opens(&self) -> bool {
        self.number.is_some() || self.string.is_some() || self.array.is_some() || !self.literals.is_empty()
    }

    /// Whether the text here may start with a digit or a minus sign.
    pub(crate) fn may_start_with_digit(&self) -> bool {
        let first = self.object.as_ref().filter(|_| !self.object_opens()).and_then(|properties| properties.first());
        self.number.is_some() || first.is_some_and(|property| property.shape.may_start_with_digit())
    }

    /// Whether every text here starts with a space.
    pub(crate) fn starts_with_space(&self) -> bool {
        if self.number.is_some() || self.array.is_some() {
            return false;
        }
        match &self.object {
            Some(_) if self.object_opens() => false,
            Some(properties) => properties.first().is_some_and(|property| property.shape.starts_with_space()),
            None => true,
        }
    }

    /// Adds the characters that the tokenizer must be able to encode.
    pub(crate) fn characters(&self, all: &mut BTreeSet<char>) {
        all.extend(self.literals.iter().flat_map(|l| l.text.chars()));
        if let Some(range) = self.number {
            // Without these, a number could become impossible to continue: "-0" needs its fraction.
            all.extend("0123456789".chars());
            all.extend((!range.integer).then_some('.'));
            all.extend((range.whole.0 < 0 || range.open.0 < 0).then_some('-'));
        }
        if self.string.is_some() {
            all.extend([' ', ';']);
        }
        if self.number_closes || self.literals_close {
            all.insert(';');
        }
        if let Some(array) = &self.array {
            all.extend(['|', ']']);
            array.element.characters(all);
        }
        if let Some(properties) = &self.object {
            all.extend(self.object_opens().then_some('('));
            properties.iter().for_each(|property| property.shape.characters(all));
        }
    }

    /// Adds the grounded positions at and below this one, in the order of their ids.
    pub(crate) fn grounded_places(&self, all: &mut Vec<Arc<Grounded>>) {
        all.extend(self.grounded.clone());
        self.array.iter().for_each(|array| array.element.grounded_places(all));
        self.object.iter().flatten().for_each(|property| property.shape.grounded_places(all));
    }

    /// Adds path, position id and text of each grounded string in a value at this position.
    pub(crate) fn grounded_strings(&self, value: &Value, path: &str, all: &mut Vec<(String, usize, String)>) {
        match value {
            Value::String(text) => all.extend(self.grounded.iter().map(|g| (path.to_owned(), g.id, text.clone()))),
            Value::Array(items) => {
                for (array, (index, item)) in
                    self.array.iter().flat_map(|array| std::iter::repeat(array).zip(items.iter().enumerate()))
                {
                    array.element.grounded_strings(item, &format!("{path}[{index}]"), all);
                }
            }
            Value::Object(map) => {
                for property in self.object.iter().flatten() {
                    if let Some(inner) = map.get(&property.name) {
                        let path = format!("{path}{}", super::write::member(path, &property.name));
                        property.shape.grounded_strings(inner, &path, all);
                    }
                }
            }
            _ => {}
        }
    }

    /// Number of values in the shortest value allowed here.
    pub(crate) fn least_values(&self) -> usize {
        if !self.literals.is_empty() || self.string.is_some() || self.number.is_some() {
            return 1;
        }
        let array = |array: &Array| array.min.saturating_mul(array.element.least_values());
        let object = |properties: &Vec<Property>| properties.iter().map(|p| p.shape.least_values()).sum();
        self.array.as_deref().map(array).or_else(|| self.object.as_ref().map(object)).unwrap_or(0).max(1)
    }

    /// The shortest value allowed here, for truncated answers.
    pub(crate) fn filler(&self) -> Option<Value> {
        let literal =
            |wanted: fn(&Option<Value>) -> bool| self.literals.iter().find(|l| wanted(&l.value)).map(|l| &l.value);
        if let Some(value) = literal(Option::is_none).or_else(|| literal(|v| v.as_ref().is_some_and(Value::is_null))) {
            return value.clone();
        }
        if let Some(array) = &self.array {
            return Some(Value::Array((0..array.min).filter_map(|_| array.element.filler()).collect()));
        }
        if let Some(length) = self.string {
            return Some(Value::String("?".repeat(length.min)));
        }
        if let Some(range) = self.number {
            return Some(range.filler());
        }
        if let Some(properties) = &self.object {
            let filled = properties.iter().filter_map(|p| Some((p.name.clone(), p.shape.filler()?)));
            return Some(Value::Object(filled.collect()));
        }
        self.literals.first().and_then(|l| l.value.clone())
    }
}

impl Range {
    /// The whole number nearest to zero, or a half if there is none.
    fn filler(self) -> Value {
        let (low, high) = self.whole;
        if low <= high { Value::from(0.clamp(low, high)) } else { Value::from(self.open.0 as f64 + 0.5) }
    }

    /// Whether a number lies within the bounds.
    pub(crate) fn contains(self, number: &serde_json::Number) -> bool {
        let within = |low: f64, high: f64, n: f64| n > low && n < high;
        match (number.as_i64(), number.as_f64()) {
            (Some(n), _) => (self.whole.0..=self.whole.1).contains(&n),
            (None, Some(n)) if n.fract() == 0.0 => n >= self.whole.0 as f64 && n <= self.whole.1 as f64,
            (None, Some(n)) => !self.integer && within(self.open.0 as f64, self.open.1 as f64, n),
            (None, None) => false,
        }
    }
}
