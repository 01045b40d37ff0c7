use std::{collections::HashMap, path::Path};

use super::{Left, Message, checked, kept, text};
use crate::{
    Error, Import,
    sheet::{Cells, Dates, each_row},
};

/// Where the wanted columns are.
struct Columns {
    ts: u32,
    message: u32,
    user: Option<u32>,
    kind: Option<u32>,
    subtype: Option<u32>,
    thread: Option<u32>,
}

/// Reads every sheet whose first row names the columns `Timestamp` and `Message`; the sheet's name is the channel.
pub(super) fn read(path: &Path, import: &mut Import) -> Result<Vec<Message>, Error> {
    let (mut messages, mut headings) = (Vec::new(), Vec::new());
    let mut sheets: HashMap<String, Option<Columns>> = HashMap::new();
    each_row(path, Dates::Seconds, |sheet, line, row| match sheets.get(sheet) {
        None => drop(sheets.insert(sheet.to_owned(), Columns::find(row, &mut headings))),
        Some(Some(columns)) => take(row, columns, sheet, line, &mut messages, import),
        Some(None) => import.skip("row of a sheet without Timestamp and Message", format!("sheet {sheet}")),
    })?;
    if sheets.values().all(Option::is_none) {
        let (column, place) = ("Timestamp` and `Message".into(), path.display().to_string());
        return Err(Error::NoColumn { column, place, has: headings.join(", ") });
    }
    unlike(&mut messages);
    Ok(messages)
}

/// Gives messages of the same moment keys of their own, in the sheet's order: times of a sheet are often whole minutes.
/// A message that stands there twice, by the same user, has one key and is a duplicate.
fn unlike(messages: &mut [Message]) {
    let mut taken: HashMap<(String, String), Vec<usize>> = HashMap::new();
    for i in 0..messages.len() {
        let (before, rest) = messages.split_at_mut(i);
        let message = &mut rest[0];
        let same = taken.entry((message.channel.clone(), message.ts.clone())).or_default();
        if let Some(j) = same.iter().find(|j| before[**j].user == message.user && before[**j].text == message.text) {
            message.ts.clone_from(&before[*j].ts);
            continue;
        }
        if let (false, Some((seconds, fraction))) = (same.is_empty(), message.ts.split_once('.')) {
            let fraction = fraction.parse::<usize>().unwrap_or(0) + same.len();
            message.ts = format!("{seconds}.{fraction:06}");
        }
        same.push(i);
    }
}

impl Columns {
    fn find(row: &Cells, headings: &mut Vec<String>) -> Option<Self> {
        let by_name: HashMap<String, u32> = row.iter().map(|(i, name)| (name.trim().to_lowercase(), *i)).collect();
        if headings.is_empty() {
            headings.extend(row.values().take(20).map(|name| name.chars().take(40).collect::<String>()));
            headings.sort();
        }
        let column = |name: &str| by_name.get(name).copied();
        Some(Self {
            ts: column("timestamp")?,
            message: column("message")?,
            user: column("user"),
            kind: column("type"),
            subtype: column("subtype"),
            thread: column("threadts"),
        })
    }
}

fn take(row: &Cells, columns: &Columns, sheet: &str, line: u32, messages: &mut Vec<Message>, import: &mut Import) {
    let cell = |column: Option<u32>| column.and_then(|i| row.get(&i)).map(|value| value.trim()).unwrap_or_default();
    let subtype = cell(columns.subtype);
    let message = kept(cell(columns.kind), subtype, false).and_then(|()| {
        let thread = Some(slack_ts(cell(columns.thread))).filter(|ts| !ts.is_empty());
        let user = cell(columns.user).to_owned();
        checked(slack_ts(cell(Some(columns.ts))), user, sheet, &text::plain_text(cell(Some(columns.message))), thread)
    });
    let at = || format!("sheet {sheet}, row {}", line.saturating_add(1));
    match message {
        Ok(message) => messages.push(message),
        Err(Left::Kind(kind)) => import.skip(&kind, at()),
        Err(Left::Bad(reason)) => import.problem("malformed", at(), reason),
    }
}

/// A timestamp as Slack writes it, from that or from a date.
fn slack_ts(cell: &str) -> String {
    let seconds = cell.split_once('.').map_or(cell, |(seconds, _)| seconds);
    if seconds.len() >= 9 && seconds.bytes().all(|b| b.is_ascii_digit()) && cell.contains('.') {
        return cell.to_owned();
    }
    match crate::time::parse(cell) {
        Some(ms) => format!("{}.{:06}", ms.div_euclid(1000), ms.rem_euclid(1000) * 1000),
        None => cell.to_owned(),
    }
}
