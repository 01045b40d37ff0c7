use std::collections::BTreeMap;

use graft_core::Example;
use graft_store::{ExampleFilter, Order, ReviewFilter};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::Examples;
use crate::{Result, Stats, iso8601};

/// [`Stats`] with time and fields.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct StatsReport {
    /// The sums.
    #[serde(flatten)]
    pub stats: Stats,
    /// Day by day, in the order of time.
    pub over_time: Vec<DayStats>,
    /// For each field of the answer, how often each of its most frequent values is given.
    pub per_field: BTreeMap<String, BTreeMap<String, u64>>,
}

/// One day.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
pub struct DayStats {
    /// `2026-11-21`, UTC, by the source's time.
    pub day: String,
    /// Approved examples of that day.
    pub audited: u64,
    /// Pounds of that day.
    pub pounds: f64,
}

/// Values shown of one field.
const VALUES: usize = 20;

impl Examples<'_> {
    /// What a task's approved examples add up to, by day and by field.
    ///
    /// # Errors
    /// The task is unknown; what the store says.
    pub async fn report(self, task: &str) -> Result<StatsReport> {
        let stats = self.stats(task).await?;
        let mut days: BTreeMap<String, DayStats> = BTreeMap::new();
        let mut fields: BTreeMap<String, BTreeMap<String, u64>> = BTreeMap::new();
        for (example, answer) in self.finished(task).await? {
            if let Some(at) = example.source.at {
                let day: String = iso8601(at).chars().take(10).collect();
                let line = days.entry(day.clone()).or_insert_with(|| DayStats { day, ..DayStats::default() });
                line.audited += 1;
                line.pounds += pounds(&answer).unwrap_or(0.0);
            }
            count(&answer, String::new(), &mut fields);
        }
        let per_field = fields.into_iter().map(|(field, values)| (field, most_frequent(values))).collect();
        Ok(StatsReport { stats, over_time: days.into_values().collect(), per_field })
    }

    /// One line an item, or an example for tasks without items.
    ///
    /// # Errors
    /// As [`stats_report`](Self::report).
    pub async fn csv(self, task: &str) -> Result<String> {
        let columns = ["name", "quantity", "unit", "subcategory", "estimated_lbs"];
        let mut csv = format!("id,at,direction,rescue_location,drop_off_location,{},answer\n", columns.join(","));
        for (example, answer) in self.finished(task).await? {
            let at = example.source.at.map(iso8601).unwrap_or_default();
            let head = [
                cell(&Value::from(example.id)),
                at,
                cell(&answer["direction"]),
                cell(&answer["rescue_location"]),
                cell(&answer["drop_off_location"]),
            ];
            let items = answer["items"].as_array().cloned().unwrap_or_default();
            for item in &items {
                let cells = columns.map(|column| cell(&item[column]));
                csv += &format!("{},{},\n", head.join(","), cells.join(","));
            }
            if items.is_empty() {
                let whole = if answer.is_string() { cell(&answer) } else { String::new() };
                csv += &format!("{},,,,,,{whole}\n", head.join(","));
            }
        }
        Ok(csv)
    }

    /// The approved examples in time's order, each with its answer and what is computed of it.
    async fn finished(self, task: &str) -> Result<Vec<(Example, Value)>> {
        let definition = self.engine.tasks().definition(task).await?;
        let filter = ExampleFilter {
            task: Some(task.to_owned()),
            review: Some(ReviewFilter::Approved),
            order: Order::Oldest,
            ..ExampleFilter::default()
        };
        let tables = self.engine.home.tables()?;
        let with_answer = |mut example: Example| {
            let answer = definition.finish(example.output.take()?, &tables);
            Some((example, answer))
        };
        Ok(self.engine.store.examples(&filter).await?.into_iter().filter_map(with_answer).collect())
    }
}

fn pounds(answer: &Value) -> Option<f64> {
    let items = answer.get("items")?.as_array()?;
    Some(items.iter().filter_map(|item| item.get("estimated_lbs")?.as_f64()).sum())
}

/// Counts the single values of an answer under their paths without list positions.
fn count(value: &Value, path: String, fields: &mut BTreeMap<String, BTreeMap<String, u64>>) {
    let mut add = |text: String| *fields.entry(path.clone()).or_default().entry(text).or_default() += 1;
    match value {
        Value::Object(inner) => {
            for (name, value) in inner.iter().filter(|(name, _)| *name != "estimated_lbs") {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                count(value, path, fields);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| count(item, format!("{path}[]"), fields)),
        Value::String(text) => add(text.chars().take(80).collect()),
        Value::Null => add("(none)".into()),
        other => add(other.to_string()),
    }
}

fn most_frequent(values: BTreeMap<String, u64>) -> BTreeMap<String, u64> {
    let mut values: Vec<(String, u64)> = values.into_iter().collect();
    values.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    values.into_iter().take(VALUES).collect()
}

/// A value as a cell of a table; one that a spreadsheet would take for a formula is made a text.
pub(crate) fn cell(value: &Value) -> String {
    let text = match value {
        Value::Null => return String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let formula = value.is_string() && text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let text = if formula { format!("'{text}") } else { text };
    if text.contains(['"', ',', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn csv_cells_are_quoted_and_never_formulas() {
        assert_eq!(cell(&Value::from("a, \"b\"")), "\"a, \"\"b\"\"\"");
        assert_eq!(cell(&Value::from("=HYPERLINK(1)")), "'=HYPERLINK(1)");
        assert_eq!(cell(&Value::from(-2)), "-2");
        assert_eq!(cell(&Value::Null), "");
    }
}
