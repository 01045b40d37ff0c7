//! Pounds are computed, not learned: from a table by unit, with overrides by food class and by item, which people edit.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::{Error, cards::Computed};

/// Everything about weights, foods and places that people edit. See `pounds_default.toml` for the file's form.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Tables {
    /// Pounds of one unit; `each` is an item without a unit.
    #[schema(required = true)]
    pub pounds: BTreeMap<String, f64>,
    /// Overrides for all items of a subcategory: class, then unit.
    #[schema(required = true)]
    pub classes: BTreeMap<String, BTreeMap<String, f64>>,
    /// Overrides for one item: name, then unit. These win over classes.
    #[schema(required = true)]
    pub items: BTreeMap<String, BTreeMap<String, f64>>,
    /// Words that tell an item's subcategory: class, then words.
    #[schema(required = true)]
    pub foods: BTreeMap<String, Vec<String>>,
    /// Other names of places: the name to write, then what people call it.
    #[schema(required = true)]
    pub locations: BTreeMap<String, Vec<String>>,
}

impl Tables {
    /// The tables Graft comes with.
    #[must_use]
    pub fn builtin() -> Self {
        toml::from_str(include_str!("pounds_default.toml")).unwrap_or_default()
    }

    /// The built-in tables with a file's entries put over them.
    ///
    /// # Errors
    /// [`Error::Tables`] where the text is not in the form of `pounds_default.toml`; [`Error::BadWeight`].
    pub fn from_toml(text: &str) -> Result<Self, Error> {
        let over = Self::entries(text)?;
        let mut tables = Self::builtin();
        tables.pounds.extend(over.pounds);
        tables.locations.extend(over.locations);
        for (name, weights) in over.items {
            tables.items.entry(name).or_default().extend(weights);
        }
        for (class, weights) in over.classes {
            tables.classes.entry(class).or_default().extend(weights);
        }
        for (class, words) in over.foods {
            tables.foods.values_mut().for_each(|known| known.retain(|word| !words.contains(word)));
            tables.foods.entry(class).or_default().extend(words);
        }
        Ok(tables)
    }

    /// A file's own entries.
    ///
    /// # Errors
    /// As [`Tables::from_toml`].
    pub fn entries(text: &str) -> Result<Self, Error> {
        let own: Self = toml::from_str(text).map_err(|e| Error::Tables(Box::new(e)))?;
        own.check()?;
        Ok(own)
    }

    /// The text of a file with these entries.
    ///
    /// # Errors
    /// [`Error::BadWeight`].
    pub fn to_toml(&self) -> Result<String, Error> {
        self.check()?;
        let mut tables = toml::Table::try_from(self).unwrap_or_default();
        tables.retain(|_, entries| entries.as_table().is_none_or(|entries| !entries.is_empty()));
        Ok(tables.to_string())
    }

    fn check(&self) -> Result<(), Error> {
        let by = |kind: &'static str, all: &BTreeMap<String, BTreeMap<String, f64>>| {
            let flat =
                all.iter().flat_map(|(name, weights)| weights.iter().map(move |(u, w)| (format!("{name}.{u}"), *w)));
            flat.map(move |(name, w)| (format!("{kind}.{name}"), w)).collect::<Vec<_>>()
        };
        let mut all = by("classes", &self.classes);
        all.extend(by("items", &self.items));
        all.extend(self.pounds.iter().map(|(unit, w)| (unit.clone(), *w)));
        match all.into_iter().find(|(_, w)| !(0.0..=10_000.0).contains(w)) {
            Some((unit, value)) => Err(Error::BadWeight { unit, value }),
            None => Ok(()),
        }
    }

    /// Pounds of an amount; `None` where the amount or the unit's weight is unknown.
    #[must_use]
    pub fn pounds(&self, name: &str, class: Option<&str>, quantity: Option<f64>, unit: Option<&str>) -> Option<f64> {
        let unit = unit.unwrap_or("each");
        let by_item = self.items.get(name.trim().to_lowercase().as_str()).and_then(|weights| weights.get(unit));
        let by_class = || self.classes.get(class?)?.get(unit);
        let one = by_item.or_else(by_class).or_else(|| self.pounds.get(unit)).copied();
        let one = if unit == "lb" { Some(1.0) } else { one };
        Some(round(quantity? * one?))
    }

    /// The subcategory that an item's words point to; the last word decides, and more words beat fewer.
    #[must_use]
    pub fn class_of(&self, item: &str) -> Option<&str> {
        let lower = item.to_lowercase();
        let words: Vec<&str> = lower.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()).collect();
        let mut best = None;
        for (class, known) in &self.foods {
            for food in known {
                let parts: Vec<&str> = food.split_whitespace().collect();
                let found =
                    words.windows(parts.len().max(1)).rposition(|w| w.iter().zip(&parts).all(|(w, p)| same(w, p)));
                if let Some(at) = found {
                    best = best.max(Some((at + parts.len(), parts.len(), class.as_str())));
                }
            }
        }
        best.map(|(_, _, class)| class)
    }

    /// The name to write for a place, however people call it.
    #[must_use]
    pub fn location(&self, said: &str) -> String {
        let said = said.trim();
        let known = self.locations.iter().find(|(name, aliases)| {
            name.eq_ignore_ascii_case(said) || aliases.iter().any(|alias| alias.eq_ignore_ascii_case(said))
        });
        known.map_or_else(|| said.to_owned(), |(name, _)| name.clone())
    }
}

/// Whether a word is a food word, singular or plural.
fn same(word: &str, food: &str) -> bool {
    match word.strip_prefix(food) {
        Some(rest) => matches!(rest, "" | "s" | "es"),
        None => food.strip_suffix('y').is_some_and(|stem| word.strip_prefix(stem) == Some("ies")),
    }
}

/// Adds the computed weight to every item of the list and their sum to the answer. Items of unknown weight get null and
/// count as nothing in the sum.
pub(crate) fn add(by: &Computed, mut answer: Value, tables: &Tables) -> Value {
    let mut total = 0.0;
    for item in answer.get_mut(&by.list).and_then(Value::as_array_mut).into_iter().flatten() {
        let text = |field: &str| item.get(field).and_then(Value::as_str);
        let quantity = item.get(&by.quantity).and_then(Value::as_f64);
        let pounds = tables.pounds(text(&by.name).unwrap_or(""), text(&by.class), quantity, text(&by.unit));
        total += pounds.unwrap_or(0.0);
        if let Value::Object(fields) = item {
            fields.insert(by.field.clone(), pounds.map_or(Value::Null, Value::from));
        }
    }
    if let Value::Object(fields) = &mut answer {
        fields.insert(by.field.clone(), Value::from(round(total)));
    }
    answer
}

fn round(pounds: f64) -> f64 {
    (pounds * 100.0).round() / 100.0
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn builtin_tables_are_complete() {
        let tables = Tables::builtin();
        let item =
            &crate::cards::task("slack-rescue").unwrap().schema.as_ref().unwrap()["properties"]["items"]["items"];
        let values = |field: &str| {
            let all = item["properties"][field]["enum"].as_array().unwrap();
            all.iter().filter_map(|value| value.as_str().map(str::to_owned)).collect::<Vec<_>>()
        };
        for unit in values("unit").into_iter().chain(["each".to_owned()]) {
            assert!(unit == "lb" || tables.pounds.contains_key(&unit), "{unit}");
        }
        let classes = values("subcategory");
        assert!(tables.foods.keys().all(|class| classes.contains(class)));
    }

    #[test]
    fn item_weight_precedes_class_and_unit_weight() {
        let tables =
            Tables::from_toml("[pounds]\nbox = 20\n[classes.bakery]\nbox = 9\n[items.bagels]\nbox = 7").unwrap();
        let box_of = |name, class| tables.pounds(name, Some(class), Some(2.0), Some("box"));
        assert_eq!(box_of("limes", "produce"), Some(40.0));
        assert_eq!(box_of("rolls", "bakery"), Some(18.0));
        assert_eq!(box_of("Bagels", "bakery"), Some(14.0));
        assert_eq!(tables.pounds("limes", None, None, Some("box")), None);
        assert_eq!(tables.pounds("limes", None, Some(25.0), Some("lb")), Some(25.0));
        assert!(matches!(Tables::from_toml("[pounds]\nbox = -1"), Err(Error::BadWeight { .. })));
        assert!(matches!(Tables::from_toml("boxes = 3"), Err(Error::Tables(_))));
    }

    #[test]
    fn table_entries_survive_a_round_trip() {
        let text =
            "[pounds]\nbox = 20\n[items.\"half \\\"n\\\" half\"]\ncase = 7.5\n[locations]\n\"Trader Joe's\" = [\"TJ\"]";
        let own = Tables::entries(text).unwrap();
        let written = own.to_toml().unwrap();
        assert_eq!(Tables::entries(&written).unwrap(), own, "{written}");
        assert!(!written.contains("foods"), "{written}");
        assert_eq!(Tables::default().to_toml().unwrap(), "");
        let wrong = Tables { pounds: [("box".into(), f64::NAN)].into(), ..Tables::default() };
        assert!(matches!(wrong.to_toml(), Err(Error::BadWeight { .. })));
    }

    #[test]
    fn last_word_determines_the_class() {
        let tables = Tables::from_toml("[foods]\nprotein = [\"fish\"]").unwrap();
        let cases = [
            ("apple juice", "beverage"),
            ("peanut butter", "dry goods"),
            ("chicken salads", "prepared"),
            ("Blackberries", "produce"),
            ("frozen fish", "protein"),
        ];
        for (item, class) in cases {
            assert_eq!(tables.class_of(item), Some(class), "{item}");
        }
        assert_eq!(tables.class_of("widgets"), None);
    }

    #[test]
    fn pounds_are_added_to_any_answer_shape() {
        let tables = Tables::builtin();
        let answer = json!({"items": [{"name": "milk", "quantity": 2, "unit": "case"}, {"name": "kale", "quantity": null, "unit": null}]});
        let slack = crate::cards::task("slack-rescue").unwrap();
        let out = slack.finish(answer, &tables);
        assert_eq!(
            (out["items"][0]["estimated_lbs"].as_f64(), out["estimated_lbs"].as_f64()),
            (Some(36.0), Some(36.0))
        );
        assert!(out["items"][1]["estimated_lbs"].is_null());
        assert_eq!(slack.finish(json!([1]), &tables), json!([1]));
    }
}
