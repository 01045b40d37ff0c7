//! What a schema lets stand at each place of an answer.

use std::{collections::BTreeSet, sync::Arc};

use serde_json::Value;

/// How null is written.
const NULL: &str = " -";
/// How a property that is left out is written.
const ABSENT: &str = " ?";

/// One place of the answer and what may stand there: at most one alternative of each kind.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Shape {
    /// Fixed values: null, true, false, the members of an enum, "left out".
    pub(crate) literals: Vec<Literal>,
    pub(crate) number: Option<Range>,
    pub(crate) string: Option<Length>,
    pub(crate) array: Option<Box<Array>>,
    pub(crate) object: Option<Vec<Property>>,
    /// The string is taken from the input or from known names.
    pub(crate) grounded: Option<Arc<Grounded>>,
    /// Literals are followed by `;` because one of them begins another.
    pub(crate) literals_close: bool,
    /// Numbers are followed by `;` because a digit may come next.
    pub(crate) number_closes: bool,
}

/// What a string may be beside parts of the input.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Grounded {
    /// Tells the places of one answer form apart: 0, 1, …
    pub(crate) id: usize,
    /// Names that count where the input has something like them.
    pub(crate) known: Vec<String>,
    /// Names that count for any input.
    pub(crate) always: Vec<String>,
}

/// A fixed value and its text.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Literal {
    /// `None` says that the property is left out.
    pub(crate) value: Option<Value>,
    pub(crate) text: String,
}

/// Whole-number bounds of a number.
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

/// An array's element and bounds of its length.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Array {
    pub(crate) element: Shape,
    pub(crate) min: usize,
    pub(crate) max: Option<usize>,
}

/// A named place of an object.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Property {
    pub(crate) name: String,
    pub(crate) shape: Shape,
}

impl Shape {
    /// A place where only these fixed values may stand.
    pub(crate) fn of_literals(values: impl IntoIterator<Item = Value>) -> Self {
        let literal = |value| Literal { value: Some(value), text: String::new() };
        Self { literals: values.into_iter().map(literal).collect(), ..Self::default() }
    }

    /// Also lets the property be left out.
    pub(crate) fn make_optional(&mut self) {
        self.literals.push(Literal { value: None, text: String::new() });
    }

    /// Fixes the texts of the literals, once all of them are known.
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
        // A marked string begins like the empty text, and may begin like a marked one.
        let marked = |text: &&str| *text == " " || text.trim_start().starts_with(super::text::TEXT_FOLLOWS);
        let begins_string = self.string.is_some() && texts.iter().any(marked);
        self.literals_close = begins_string || (0..texts.len()).any(|a| (0..texts.len()).any(|b| begins(a, b)));
    }

    /// Whether the object needs `(` before it, to tell it from the other alternatives.
    pub(crate) fn object_opens(&self) -> bool {
        self.number.is_some() || self.string.is_some() || self.array.is_some() || !self.literals.is_empty()
    }

    /// Whether a digit or a minus sign may begin what is written here.
    pub(crate) fn may_start_with_digit(&self) -> bool {
        let first = self.object.as_ref().filter(|_| !self.object_opens()).and_then(|properties| properties.first());
        self.number.is_some() || first.is_some_and(|property| property.shape.may_start_with_digit())
    }

    /// Whether all that may be written here begins with a space.
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

    /// Adds the characters that every tokenizer of this form must be able to write.
    pub(crate) fn characters(&self, all: &mut BTreeSet<char>) {
        all.extend(self.literals.iter().flat_map(|l| l.text.chars()));
        if let Some(range) = self.number {
            // Without these a number that was begun could not go on: "-0" needs its fraction.
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

    /// Adds the grounded places in and under this one, in the order of their ids.
    pub(crate) fn grounded_places(&self, all: &mut Vec<Arc<Grounded>>) {
        all.extend(self.grounded.clone());
        self.array.iter().for_each(|array| array.element.grounded_places(all));
        self.object.iter().flatten().for_each(|property| property.shape.grounded_places(all));
    }

    /// Adds path, place and text of each grounded string in a value that stands here.
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

    /// Number of values in the emptiest value that may stand here.
    pub(crate) fn least_values(&self) -> usize {
        if !self.literals.is_empty() || self.string.is_some() || self.number.is_some() {
            return 1;
        }
        let array = |array: &Array| array.min.saturating_mul(array.element.least_values());
        let object = |properties: &Vec<Property>| properties.iter().map(|p| p.shape.least_values()).sum();
        self.array.as_deref().map(array).or_else(|| self.object.as_ref().map(object)).unwrap_or(0).max(1)
    }

    /// The emptiest value that may stand here, for answers that were cut short.
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
    /// The whole number nearest to zero, or a half where there is none.
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
