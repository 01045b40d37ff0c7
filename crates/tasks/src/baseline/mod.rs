//! The rules that read food-rescue messages without a model: the baseline that an adapter has to beat.
//!
//! The patterns were written after reading the first 400 sample messages and nothing else. They cover the phrasings of the
//! Slack system's own parser (picked up, rescued, today from; dropped at, delivered to, took to, stocked; a heading over a
//! list), three more that the sample uses (`A -> B:`, `A pickup today:`, `… from A for B`), and the usual ways to write an
//! amount. Swapped letters in the names of known foods are corrected.

mod item;
mod number;
mod place;
mod spelling;

pub(crate) use number::WORDS as NUMBER_WORDS;
use regex::Regex;
use serde_json::{Value, json};

use crate::{pattern, pounds::Tables};

/// Its name in a task's definition.
pub const FOOD_RESCUE: &str = "food-rescue";

/// Kinds of food, and what else a pantry takes.
const SUBCATEGORIES: [&str; 10] =
    ["produce", "bakery", "dairy", "protein", "seafood", "prepared", "dry goods", "snacks", "beverage", "household"];

/// Reads a message with regular expressions.
#[derive(Clone, Debug)]
pub struct Baseline {
    tables: Tables,
    spelling: spelling::Spelling,
}

impl Baseline {
    /// `tables` gives the subcategories of foods and other names of places.
    #[must_use]
    pub fn new(tables: &Tables) -> Self {
        Self { spelling: spelling::Spelling::new(tables), tables: tables.clone() }
    }

    /// The answer in the form of the `slack-rescue` task. A message that is not about a rescue gets the direction `unknown`
    /// and no items.
    #[must_use]
    pub fn extract(&self, message: &str) -> Value {
        let found = place::find(&tidy(message));
        let items: Vec<Value> = match found.direction {
            "unknown" => Vec::new(),
            _ => item::parse(&found.rest).into_iter().map(|item| self.value(item)).collect(),
        };
        let place = |said: Option<String>| said.map(|said| self.tables.location(&said));
        json!({
            "direction": found.direction,
            "rescue_location": place(found.rescue),
            "drop_off_location": place(found.drop_off),
            "items": items,
        })
    }

    fn value(&self, item: item::Item) -> Value {
        let name = self.spelling.correct(&item.name);
        let class = class_or_default(&self.tables, &name);
        json!({"name": name, "quantity": item.quantity.map(tidy_number), "unit": item.unit, "subcategory": class})
    }
}

/// The class of an item; a usual one where no food word tells it.
fn class_or_default<'a>(tables: &'a Tables, item: &str) -> &'a str {
    tables.class_of(item).filter(|class| SUBCATEGORIES.contains(class)).unwrap_or("dry goods")
}

/// Whole numbers are written without a fraction.
fn tidy_number(number: f64) -> Value {
    if number.fract() == 0.0 { Value::from(number as i64) } else { Value::from(number) }
}

/// Removes escapes, mentions, emoji, trailing spaces and remarks in parentheses.
fn tidy(message: &str) -> String {
    use std::sync::LazyLock;
    static NOISE: LazyLock<Regex> =
        LazyLock::new(|| pattern(r"(?m)@[\w.-]+|:[a-z][a-z0-9_+-]*:|\([^()0-9\n]*\)|[ \t]+$"));
    let plain = crate::slack::plain_text(message).replace(['\u{2019}', '`'], "'").replace("\u{2013}", "-");
    NOISE.replace_all(&plain, "").into_owned()
}

#[cfg(test)]
mod tests;
