//! Encodes a value into its wire form.

use serde_json::Value;

use super::shape::{Array, Property, Shape};
use super::{number, text};
use crate::{Error, Result};

/// Encodes values one after the other, and keeps the path of the current one for messages.
#[derive(Default)]
pub(super) struct Writer {
    pub(super) out: String,
    path: String,
}

impl Writer {
    /// Encodes the value of one position; `None` for a property that is left out.
    pub(super) fn shape(&mut self, shape: &Shape, value: Option<&Value>) -> Result<()> {
        if let Some(literal) = shape.literals.iter().find(|l| same(l.value.as_ref(), value)) {
            self.out.push_str(&literal.text);
            self.close(shape.literals_close);
            return Ok(());
        }
        match (value, shape) {
            (Some(Value::Number(n)), Shape { number: Some(range), .. }) => {
                let written = number::write(n).map_err(|expected| self.refuse(expected))?;
                if !range.contains(n) {
                    return Err(self.refuse(&expected(shape)));
                }
                self.out.push_str(&written);
                self.close(shape.number_closes);
                Ok(())
            }
            (Some(Value::String(s)), Shape { string: Some(length), .. }) => {
                let chars = s.chars().count();
                if chars < length.min || chars > length.max {
                    return Err(self.refuse(&format!("{} to {} characters long", length.min, length.max)));
                }
                self.out.push_str(&text::write(s, shape.literals.iter().map(|l| l.text.as_str())));
                self.close(true);
                Ok(())
            }
            (Some(Value::Array(items)), Shape { array: Some(array), .. }) => self.array(array, items),
            (Some(Value::Object(map)), Shape { object: Some(properties), .. }) => {
                if shape.object_opens() {
                    self.out.push('(');
                }
                self.object(properties, map)
            }
            _ => Err(self.refuse(&expected(shape))),
        }
    }

    fn array(&mut self, array: &Array, items: &[Value]) -> Result<()> {
        if items.len() < array.min || array.max.is_some_and(|max| items.len() > max) {
            let most = array.max.map_or_else(|| "or more".to_owned(), |max| format!("to {max}"));
            return Err(self.refuse(&format!("a list of {} {most} elements", array.min)));
        }
        for (i, item) in items.iter().enumerate() {
            self.out.push('|');
            self.within(&format!("[{i}]"), |w| w.shape(&array.element, Some(item)))?;
        }
        self.out.push(']');
        Ok(())
    }

    fn object(&mut self, properties: &[Property], map: &serde_json::Map<String, Value>) -> Result<()> {
        if let Some(extra) = map.keys().find(|key| properties.iter().all(|p| p.name != **key)) {
            return self.within(&member(&self.path, extra), |w| Err(w.refuse("left out: the schema does not name it")));
        }
        for property in properties {
            let step = member(&self.path, &property.name);
            self.within(&step, |w| w.shape(&property.shape, map.get(&property.name)))?;
        }
        Ok(())
    }

    fn close(&mut self, closes: bool) {
        if closes {
            self.out.push(';');
        }
    }

    fn within(&mut self, step: &str, write: impl FnOnce(&mut Self) -> Result<()>) -> Result<()> {
        let outer = self.path.len();
        self.path.push_str(step);
        let done = write(self);
        self.path.truncate(outer);
        done
    }

    fn refuse(&self, expected: &str) -> Error {
        let field = if self.path.is_empty() { "the answer".to_owned() } else { self.path.clone() };
        Error::Value { field, expected: expected.to_owned() }
    }
}

/// Path component of an object's member: `.name`, or `name` at the root.
pub(super) fn member(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!(".{name}") }
}

/// JSON equality: `1` and `1.0` are the same number.
fn same(a: Option<&Value>, b: Option<&Value>) -> bool {
    match (a, b) {
        (Some(Value::Number(a)), Some(Value::Number(b))) => a == b || a.as_f64() == b.as_f64(),
        (a, b) => a == b,
    }
}

/// Describes in words what is allowed at a position.
pub(super) fn expected(shape: &Shape) -> String {
    let mut kinds: Vec<String> = Vec::new();
    for literal in shape.literals.iter().take(20) {
        kinds.push(literal.value.as_ref().map_or_else(|| "left out".to_owned(), Value::to_string));
    }
    if let Some(range) = shape.number {
        let kind = if range.integer { "an integer" } else { "a number" };
        kinds.push(match range.whole {
            (low, high) if low > -number::LARGEST && high < number::LARGEST => format!("{kind} from {low} to {high}"),
            (low, _) if low > -number::LARGEST => format!("{kind} of at least {low}"),
            (_, high) if high < number::LARGEST => format!("{kind} of at most {high}"),
            _ => kind.to_owned(),
        });
    }
    let named = [
        (shape.string.is_some(), "a string"),
        (shape.array.is_some(), "a list"),
        (shape.object.is_some(), "an object"),
    ];
    kinds.extend(named.iter().filter(|(is, _)| *is).map(|(_, name)| (*name).to_owned()));
    kinds.join(" or ")
}
