//! Spreadsheets (.xlsx), row by row.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, BufReader, Read as _},
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
};

use calamine::{DataRef, Reader, SheetVisible, Xlsx, XlsxError};
use jiff::civil::Date;
use zip::ZipArchive;

use crate::{Error, import::cannot_read, time::midnight};

/// Largest spreadsheet, unpacked: the reader keeps all shared texts in memory.
const MAX_TOTAL: u64 = 256 << 20;
/// Most files in a zip archive.
pub(crate) const MAX_ENTRIES: usize = 200_000;

/// A row's cells by column, counted from 0.
pub(crate) type Cells = BTreeMap<u32, String>;

/// Whether a file is an .xlsx.
pub(crate) fn is_one(path: &Path) -> bool {
    let archive = File::open(path).ok().and_then(|file| ZipArchive::new(file).ok());
    archive.is_some_and(|archive| archive.index_for_name("xl/workbook.xml").is_some())
}

/// How a cell that is a date is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dates {
    /// As `2025-03-01 10:00:00`, without the time at midnight.
    Written,
    /// In seconds since the epoch, as Slack writes times.
    Seconds,
}

/// Hands over every row that has cells: its sheet, its number from 0, its cells. Hidden sheets come last.
pub(crate) fn each_row(path: &Path, dates: Dates, mut take: impl FnMut(&str, u32, &Cells)) -> Result<(), Error> {
    check_size(path)?;
    // calamine 0.38 computes with row and column numbers unchecked, which panics where overflows are checked.
    let whole = catch_unwind(AssertUnwindSafe(|| read(path, dates, &mut take)));
    whole.unwrap_or_else(|_| Err(bad(path, XlsxError::Unexpected("a cell's position is out of range"))))
}

fn bad(path: &Path, source: XlsxError) -> Error {
    Error::Sheet { path: path.into(), source: Box::new(source) }
}

fn read(path: &Path, dates: Dates, take: &mut impl FnMut(&str, u32, &Cells)) -> Result<(), Error> {
    let bad = |source| bad(path, source);
    let file = File::open(path).map_err(|source| cannot_read(path, source))?;
    let mut book: Xlsx<_> = Xlsx::new(BufReader::new(file)).map_err(bad)?;
    let mut sheets = book.sheets_metadata().to_vec();
    sheets.sort_by_key(|sheet| sheet.visible != SheetVisible::Visible);
    for sheet in sheets.into_iter().map(|sheet| sheet.name) {
        let mut cells = book.worksheet_cells_reader(&sheet).map_err(bad)?;
        // Cells are read one by one: a sheet's size is whatever its last cell claims.
        let (mut row, mut at) = (Cells::new(), 0);
        loop {
            let cell = cells.next_cell().map_err(bad)?;
            let position = cell.as_ref().map(calamine::Cell::get_position);
            if position.is_none_or(|(line, _)| line != at) {
                if !row.is_empty() {
                    take(&sheet, at, &row);
                }
                row.clear();
            }
            let (Some(cell), Some((line, column))) = (cell, position) else { break };
            at = line;
            row.extend(shown(cell.get_value(), dates).map(|value| (column, value)));
        }
    }
    Ok(())
}

/// Unpacks a whole archive into nothing, to learn whether it is honest before something else trusts it.
fn check_size(path: &Path) -> Result<(), Error> {
    let file = File::open(path).map_err(|source| cannot_read(path, source))?;
    let damaged = |source| Error::Archive { path: path.into(), source };
    let mut archive = ZipArchive::new(file).map_err(damaged)?;
    let too_large = || Error::TooLarge { place: path.display().to_string(), limit: MAX_TOTAL >> 20 };
    if archive.len() > MAX_ENTRIES {
        return Err(too_large());
    }
    let mut total = 0;
    for index in 0..archive.len() {
        let entry = archive.by_index(index).map_err(damaged)?;
        let unpacked = io::copy(&mut entry.take(MAX_TOTAL - total + 1), &mut io::sink());
        total += unpacked.map_err(|source| Error::Read { path: path.into(), source })?;
        if total > MAX_TOTAL {
            return Err(too_large());
        }
    }
    Ok(())
}

fn shown(value: &DataRef<'_>, dates: Dates) -> Option<String> {
    Some(match value {
        DataRef::String(text) | DataRef::DateTimeIso(text) => text.clone(),
        DataRef::SharedString(text) => (*text).to_owned(),
        DataRef::Int(number) => number.to_string(),
        // A ts stored as a number keeps six decimals.
        DataRef::Float(number) if dates == Dates::Seconds && *number > 1e8 && number.abs() < 1e11 => {
            format!("{number:.6}")
        }
        DataRef::Float(number) => number.to_string(),
        DataRef::Bool(value) => value.to_string(),
        DataRef::DateTime(date) => {
            let (year, month, day, hour, minute, second, ms) = date.to_ymd_hms_milli();
            if dates == Dates::Written {
                let day = format!("{year:04}-{month:02}-{day:02}");
                let is_day = (hour, minute, second, ms) == (0, 0, 0, 0);
                return Some(if is_day { day } else { format!("{day} {hour:02}:{minute:02}:{second:02}") });
            }
            let date = Date::new(year.try_into().ok()?, month.try_into().ok()?, day.try_into().ok()?).ok()?;
            let seconds = midnight(date)? / 1000 + i64::from(hour) * 3600 + i64::from(minute) * 60 + i64::from(second);
            format!("{seconds}.{ms:03}000")
        }
        DataRef::DurationIso(_) | DataRef::Error(_) | DataRef::Empty => return None,
    })
}
