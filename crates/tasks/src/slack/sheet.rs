use std::{
    collections::HashMap,
    fs::File,
    io::BufReader,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
};

use calamine::{DataRef, Reader, Xlsx, XlsxError};
use jiff::civil::Date;

use super::{Left, Message, archive, checked, kept, text};
use crate::{Error, Import, import::cannot_read, time::midnight};

/// Largest spreadsheet, unpacked: the reader keeps all shared texts in memory.
const MAX_TOTAL: u64 = 256 << 20;

/// A row's cells by column.
type Row = HashMap<u32, String>;

/// Where the wanted columns are.
struct Columns {
    ts: u32,
    message: u32,
    user: Option<u32>,
    kind: Option<u32>,
    subtype: Option<u32>,
    thread: Option<u32>,
}

/// Reads every sheet that has the columns `Timestamp` and `Message`; the sheet's name is the channel.
pub(super) fn read(path: &Path, import: &mut Import) -> Result<Vec<Message>, Error> {
    archive::check_size(path, MAX_TOTAL)?;
    // calamine 0.38 computes with row and column numbers unchecked, which panics where overflows are checked.
    let whole = catch_unwind(AssertUnwindSafe(|| read_book(path, import)));
    whole.unwrap_or_else(|_| Err(bad(path, XlsxError::Unexpected("a cell's position is out of range"))))
}

fn bad(path: &Path, source: XlsxError) -> Error {
    Error::Sheet { path: path.into(), source: Box::new(source) }
}

fn read_book(path: &Path, import: &mut Import) -> Result<Vec<Message>, Error> {
    let bad = |source| bad(path, source);
    let file = File::open(path).map_err(|source| cannot_read(path, source))?;
    let mut book: Xlsx<_> = Xlsx::new(BufReader::new(file)).map_err(bad)?;
    let (mut messages, mut headings, mut found) = (Vec::new(), Vec::new(), false);
    for sheet in book.sheet_names() {
        let mut cells = book.worksheet_cells_reader(&sheet).map_err(bad)?;
        // Cells are read one by one: a sheet's size is whatever its last cell claims.
        let (mut row, mut at, mut columns) = (Row::new(), 0, None);
        loop {
            let cell = cells.next_cell().map_err(bad)?;
            let position = cell.as_ref().map(calamine::Cell::get_position);
            if position.is_none_or(|(line, _)| line != at) {
                match &columns {
                    Some(columns) => take(&row, columns, &sheet, at, &mut messages, import),
                    None => columns = Columns::find(&row, &mut headings),
                }
                row.clear();
            }
            let (Some(cell), Some((line, column))) = (cell, position) else { break };
            at = line;
            row.extend(shown(cell.get_value()).map(|value| (column, value)));
        }
        found |= columns.is_some();
    }
    if !found {
        let (column, place) = ("Timestamp` and `Message".into(), path.display().to_string());
        return Err(Error::NoColumn { column, place, has: headings.join(", ") });
    }
    Ok(messages)
}

impl Columns {
    fn find(row: &Row, headings: &mut Vec<String>) -> Option<Self> {
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

fn take(row: &Row, columns: &Columns, sheet: &str, line: u32, messages: &mut Vec<Message>, import: &mut Import) {
    if row.is_empty() {
        return;
    }
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

fn shown(value: &DataRef<'_>) -> Option<String> {
    Some(match value {
        DataRef::String(text) | DataRef::DateTimeIso(text) => text.clone(),
        DataRef::SharedString(text) => (*text).to_owned(),
        DataRef::Int(number) => number.to_string(),
        // A ts stored as a number keeps six decimals.
        DataRef::Float(number) if *number > 1e8 && number.abs() < 1e11 => format!("{number:.6}"),
        DataRef::Float(number) => number.to_string(),
        DataRef::Bool(value) => value.to_string(),
        DataRef::DateTime(date) => {
            let (year, month, day, hour, minute, second, ms) = date.to_ymd_hms_milli();
            let date = Date::new(year.try_into().ok()?, month.try_into().ok()?, day.try_into().ok()?).ok()?;
            let seconds = midnight(date)? / 1000 + i64::from(hour) * 3600 + i64::from(minute) * 60 + i64::from(second);
            format!("{seconds}.{ms:03}000")
        }
        DataRef::DurationIso(_) | DataRef::Error(_) | DataRef::Empty => return None,
    })
}
