use std::{collections::HashMap, path::Path};

use serde_json::Value;

use crate::{Error, cards::Task, encoding, values};

/// Reads labels: JSON objects `{"ts": …, "truth": {…}}`, as lines or as a list, into the truth by `ts` in the task's form;
/// other fields are ignored.
pub(super) fn read(path: &Path, task: &Task) -> Result<HashMap<String, Value>, Error> {
    let text = encoding::read(path)?.text;
    let (mut truths, mut first) = (HashMap::new(), None);
    values::each(&text, |line, value| {
        let taken = value.and_then(|value| label(&value, task)).and_then(|(ts, truth)| {
            match truths.insert(ts.clone(), truth) {
                Some(_) => Err(format!("ts {ts} is labelled twice")),
                None => Ok(()),
            }
        });
        if let (Err(reason), None) = (taken, &first) {
            first = Some(Error::BadLabel { path: path.into(), line, reason });
        }
    });
    first.map_or(Ok(truths), Err)
}

fn label(label: &Value, task: &Task) -> Result<(String, Value), String> {
    let ts = label.get("ts").and_then(Value::as_str).ok_or("it has no `ts` in quotes")?;
    let truth = label.get("truth").ok_or("it has no `truth`")?;
    Ok((ts.to_owned(), task.accept(truth)?))
}
