//! Decodes the wire form, with the byte range of every field.

use std::ops::Range;

use serde_json::{Map, Value};

use super::shape::{Array, Literal, Property, Shape};
use super::{number, text, write};
use crate::{Error, Result};

/// The byte range of a field's value, or of a list's mark, in the wire text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldSpan {
    /// `direction`, `items[0].quantity`; the path of a list, like `items`, stands for its marks.
    pub path: String,
    /// First byte.
    pub start: usize,
    /// End (exclusive), including the terminator; beyond the end of the text if the value was filled in.
    pub end: usize,
}

/// Why reading stopped.
enum Stop {
    /// The text ended inside a value.
    Cut,
    /// Something else was expected here.
    Bad(String),
}

/// Parse state at the end of a wire text.
#[derive(Debug, Default)]
pub(crate) struct Progress<'s> {
    /// The innermost incomplete position, and the byte at which it starts.
    pub(crate) open: Option<(&'s Shape, usize)>,
    /// Whether the text ends with a number that may continue.
    pub(crate) number: bool,
    /// The complete grounded strings with their byte ranges.
    pub(crate) complete: Vec<(&'s Shape, Range<usize>)>,
}

pub(super) struct Reader<'a, 's> {
    text: &'a str,
    at: usize,
    /// Whether to fill in what is missing at the end instead of stopping.
    fill: bool,
    /// Whether something was filled in.
    filled: bool,
    /// Whether a number at the end of the text counts as complete.
    ends_numbers: bool,
    path: String,
    pub(super) spans: Vec<FieldSpan>,
    progress: Progress<'s>,
}

impl<'a, 's> Reader<'a, 's> {
    /// Reads a text; with `fill`, the text may be truncated at any byte.
    pub(super) fn new(text: &'a str, fill: bool) -> Self {
        Self {
            text,
            at: 0,
            fill,
            filled: false,
            ends_numbers: false,
            path: String::new(),
            spans: Vec::new(),
            progress: Progress::default(),
        }
    }

    /// Reads the whole answer.
    pub(super) fn answer(&mut self, shape: &'s Shape) -> Result<Value> {
        let value = match self.shape(shape) {
            Ok(value) if self.at == self.text.len() => value,
            Ok(_) => return Err(self.error("the end")),
            Err(Stop::Cut) => return Err(Error::Wire { at: self.text.len(), expected: "more text".to_owned() }),
            Err(Stop::Bad(expected)) => return Err(self.error(&expected)),
        };
        value.ok_or_else(|| self.error("an object"))
    }

    /// Reads as much as possible and returns the state at the end.
    pub(super) fn progress(mut self, shape: &'s Shape) -> Option<Progress<'s>> {
        self.ends_numbers = true;
        self.shape(shape).ok()?;
        (self.at == self.text.len()).then_some(self.progress)
    }

    fn error(&self, expected: &str) -> Error {
        Error::Wire { at: self.at, expected: expected.to_owned() }
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn shape(&mut self, shape: &'s Shape) -> std::result::Result<Option<Value>, Stop> {
        let (start, was_filled) = (self.at, self.filled);
        let read = self.alternative(shape);
        if matches!(read, Err(Stop::Cut)) || self.filled && !was_filled {
            // Of the nested positions, the innermost is recorded.
            self.progress.open.get_or_insert((shape, start));
        } else if matches!(read, Ok(Some(Value::String(_)))) && shape.grounded.is_some() {
            self.progress.complete.push((shape, start..self.at));
        }
        match read {
            Err(Stop::Cut) if self.fill => {
                self.at = self.text.len();
                self.filled = true;
                self.span(start);
                Ok(shape.filler())
            }
            Ok(value) => {
                // Lists and objects have no range of their own: it follows from their contents.
                if !matches!(value, Some(Value::Array(_) | Value::Object(_))) {
                    self.span(start);
                }
                Ok(value)
            }
            other => other,
        }
    }

    fn alternative(&mut self, shape: &'s Shape) -> std::result::Result<Option<Value>, Stop> {
        let rest = self.rest();
        let close = if shape.literals_close { ";" } else { "" };
        let written = |l: &&Literal| rest.strip_prefix(l.text.as_str()).is_some_and(|after| after.starts_with(close));
        if let Some(literal) = shape.literals.iter().find(written) {
            self.at += literal.text.len() + close.len();
            return Ok(literal.value.clone());
        }
        let opens = shape.object_opens();
        match (rest.bytes().next(), shape) {
            (None, Shape { object: Some(properties), .. }) if !opens => self.object(properties).map(Some),
            (None, _) => Err(Stop::Cut),
            (Some(b' '), Shape { string: Some(_), .. }) => self.string(shape).map(Some),
            (Some(b'0'..=b'9' | b'-'), Shape { number: Some(_), .. }) => self.number(shape).map(Some),
            (Some(b'|' | b']'), Shape { array: Some(array), .. }) => self.array(array).map(Some),
            (Some(b'('), Shape { object: Some(properties), .. }) if opens => {
                self.at += 1;
                self.object(properties).map(Some)
            }
            (Some(_), Shape { object: Some(properties), .. }) if !opens => self.object(properties).map(Some),
            _ if shape.literals.iter().any(|l| l.text.starts_with(rest)) => Err(Stop::Cut),
            _ => Err(Stop::Bad(write::expected(shape))),
        }
    }

    fn string(&mut self, shape: &'s Shape) -> std::result::Result<Value, Stop> {
        let Some(length) = shape.string else { return Err(Stop::Bad(write::expected(shape))) };
        let body = self.rest().get(1..).unwrap_or_default();
        let marked = body.strip_prefix(text::TEXT_FOLLOWS).filter(|_| !shape.literals.is_empty());
        let (mut string, end) = text::read(marked.unwrap_or(body));
        let before = self.rest().len() - marked.unwrap_or(body).len();
        match end {
            text::End::Closed(bytes) => self.at += before + bytes,
            // A truncated grounded string may not occur in the input, so it is not kept.
            text::End::Cut if self.fill && !string.is_empty() && shape.grounded.is_none() => {
                string.extend(std::iter::repeat_n('?', length.min.saturating_sub(string.chars().count())));
                self.at = self.text.len();
                self.filled = true;
            }
            text::End::Cut => return Err(Stop::Cut),
            text::End::Bad(bytes) => {
                self.at += before + bytes;
                return Err(Stop::Bad("a string and its `;`".to_owned()));
            }
        }
        if (length.min..=length.max).contains(&string.chars().count()) {
            return Ok(Value::String(string));
        }
        Err(Stop::Bad(format!("a string of {} to {} characters before here", length.min, length.max)))
    }

    fn number(&mut self, shape: &'s Shape) -> std::result::Result<Value, Stop> {
        let length = number::scan(self.rest());
        let ends = length == self.rest().len();
        if ends && (shape.number_closes || !self.ends_numbers) {
            return Err(Stop::Cut);
        }
        let value = number::read(&self.rest()[..length]);
        let fits = |v: &Value| matches!((v, shape.number), (Value::Number(n), Some(range)) if range.contains(n));
        let value = match value.filter(fits) {
            Some(value) => value,
            None if ends => return Err(Stop::Cut),
            None => return Err(Stop::Bad(write::expected(shape))),
        };
        self.progress.number |= ends;
        self.at += length;
        self.close(shape.number_closes)?;
        Ok(value)
    }

    fn array(&mut self, array: &'s Array) -> std::result::Result<Value, Stop> {
        let mut items = Vec::new();
        loop {
            let mark = self.at;
            let more = match self.rest().bytes().next() {
                Some(b'|') => true,
                Some(b']') => false,
                Some(_) => return Err(Stop::Bad("`|` or `]`".to_owned())),
                None if self.fill => {
                    self.filled = true;
                    self.span(mark);
                    break;
                }
                None => return Err(Stop::Cut),
            };
            self.at += 1;
            self.span(mark);
            if !more {
                break;
            }
            let step = format!("[{}]", items.len());
            let spans = self.spans.len();
            let item = self.within(&step, |r| r.shape(&array.element))?;
            if self.filled && items.len() >= array.min {
                // An incomplete list element is dropped.
                self.spans.truncate(spans);
                self.span(self.text.len());
                break;
            }
            items.extend(item);
        }
        if self.filled {
            items.extend((items.len()..array.min).filter_map(|_| array.element.filler()));
        }
        let few = items.len() < array.min || array.max.is_some_and(|max| items.len() > max);
        if few { Err(Stop::Bad("another number of elements".to_owned())) } else { Ok(Value::Array(items)) }
    }

    fn object(&mut self, properties: &'s [Property]) -> std::result::Result<Value, Stop> {
        let mut map = Map::new();
        for property in properties {
            let step = write::member(&self.path, &property.name);
            if let Some(value) = self.within(&step, |r| r.shape(&property.shape))? {
                map.insert(property.name.clone(), value);
            }
        }
        Ok(Value::Object(map))
    }

    fn close(&mut self, closes: bool) -> std::result::Result<(), Stop> {
        match (closes, self.rest().bytes().next()) {
            (false, _) => Ok(()),
            (true, Some(b';')) => {
                self.at += 1;
                Ok(())
            }
            (true, None) => Err(Stop::Cut),
            (true, Some(_)) => Err(Stop::Bad("`;`".to_owned())),
        }
    }

    fn span(&mut self, start: usize) {
        let end = if self.filled { self.text.len() + 1 } else { self.at };
        self.spans.push(FieldSpan { path: self.path.clone(), start, end });
    }

    fn within<T>(&mut self, step: &str, read: impl FnOnce(&mut Self) -> T) -> T {
        let outer = self.path.len();
        self.path.push_str(step);
        let done = read(self);
        self.path.truncate(outer);
        done
    }
}
