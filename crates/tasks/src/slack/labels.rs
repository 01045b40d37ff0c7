use std::{
    collections::HashMap,
    io::{BufRead, BufReader, Read},
    path::Path,
};

use serde_json::Value;

use crate::{Error, cards};

/// No honest line is longer.
const MAX_LINE: u64 = 1 << 20;

/// Reads lines of `{"ts": …, "truth": {…}}` into the truth by `ts`; other fields are ignored.
pub(super) fn read(path: &Path) -> Result<HashMap<String, Value>, Error> {
    let mut reader = BufReader::new(crate::import::open(path)?);
    let mut truths = HashMap::new();
    for line in 1.. {
        let mut bytes = Vec::new();
        let read = reader.by_ref().take(MAX_LINE).read_until(b'\n', &mut bytes);
        let read = read.map_err(|source| Error::Read { path: path.into(), source })?;
        let bad = |reason: String| Error::BadLabel { path: path.into(), line, reason };
        if read == 0 {
            break;
        }
        if read as u64 == MAX_LINE {
            return Err(bad("it is longer than 1 MiB".into()));
        }
        if bytes.trim_ascii().is_empty() {
            continue;
        }
        let (ts, truth) = label(&bytes).map_err(bad)?;
        if truths.insert(ts.clone(), truth).is_some() {
            return Err(bad(format!("ts {ts} is labelled twice")));
        }
    }
    Ok(truths)
}

fn label(line: &[u8]) -> Result<(String, Value), String> {
    let label: Value = serde_json::from_slice(line).map_err(|e| e.to_string())?;
    let ts = label.get("ts").and_then(Value::as_str).ok_or("it has no `ts` in quotes")?;
    let truth = label.get("truth").ok_or("it has no `truth`")?;
    Ok((ts.to_owned(), cards::accept(&cards::slack_rescue::TASK, truth)?))
}
