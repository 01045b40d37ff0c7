use std::{
    collections::{HashMap, HashSet},
    path::Path,
};

use serde_json::{Map, Value};

use super::{
    Builder, Draft, Entry,
    records::{self, Row},
};
use crate::{
    Approval, Error, FileForm, Import,
    cards::{self, Task},
    encoding,
    sheet::{self, Dates, each_row},
    sniff::is_yaml,
};

/// Which columns to read; each is a heading, or a number counted from 1. `None` finds it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Columns {
    /// The text the model will see.
    pub text: Option<String>,
    /// The wanted answer.
    pub label: Option<String>,
    /// A key that stays the same when the file changes.
    pub id: Option<String>,
    /// Whether the first row names the columns; `None` finds out.
    pub heading: Option<bool>,
}

/// Headings that say what a column is, best first.
pub(super) const TEXT: [&str; 16] = [
    "text",
    "message",
    "input",
    "prompt",
    "sentence",
    "question",
    "instruction",
    "content",
    "review",
    "comment",
    "tweet",
    "utterance",
    "feedback",
    "sms",
    "body",
    "query",
];
pub(super) const LABEL: [&str; 16] = [
    "label",
    "output",
    "class",
    "category",
    "completion",
    "response",
    "answer",
    "target",
    "sentiment",
    "intent",
    "rating",
    "stars",
    "polarity",
    "score",
    "expected",
    "truth",
];
const ID: [&str; 3] = ["id", "key", "uuid"];
/// Headings of what says who, when or where rather than an answer.
const ABOUT: [&str; 17] = [
    "user",
    "username",
    "author",
    "sender",
    "from",
    "name",
    "email",
    "customer",
    "date",
    "time",
    "timestamp",
    "created_at",
    "ticket",
    "channel",
    "url",
    "link",
    "index",
];

/// Most cells that a spreadsheet's rows may be filled up to.
const MAX_CELLS: usize = 20_000_000;

/// Where the columns are, counted from 0.
#[derive(Debug)]
struct Found {
    text: usize,
    label: Option<usize>,
    id: Option<usize>,
    first: First,
    /// The fields of an answer that has several, with their names.
    fields: Vec<(usize, String)>,
}

/// What the first row is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum First {
    Heading,
    Example,
    /// Taken for an example, but it may be a heading.
    Doubtful,
}

/// Reads examples from a table: CSV (RFC 4180; separated by `,`, `;`, tab or `|`) or the first sheet of an .xlsx. Whether
/// the first row names the columns is found out unless `columns` says so: names that are asked for or known tell, and
/// otherwise how its label compares with the others. Without a heading, the first of two columns is the text and the
/// second the label; which of more columns are meant must be said. Rows without a label are pending examples, and so are
/// rows that are doubtful.
///
/// # Errors
/// [`Error::Missing`], [`Error::Read`], [`Error::TooLarge`], [`Error::OtherForm`], [`Error::Encoding`],
/// [`Error::Sheet`], [`Error::NoColumn`], [`Error::WhichHeading`], [`Error::WhichColumns`];
/// [`Error::Nothing`] where no row is usable.
pub fn import_csv(path: &Path, task: &Task, wanted: &Columns, approval: &Approval) -> Result<Import, Error> {
    let mut builder = Builder::new("csv", task, approval);
    for (row, draft) in drafts(path, wanted, true, &mut builder)?.unwrap_or_default() {
        builder.add(&format!("row {row}"), draft);
    }
    builder.finish(path)
}

/// A text of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    /// Its row, counted from 1.
    pub row: usize,
    /// Its key, where a column holds one.
    pub id: Option<String>,
    /// The text.
    pub text: String,
}

/// A text, or the number of its row and what is wrong with it.
pub type TextOrProblem = Result<Text, (usize, String)>;

/// Reads the texts of a table that are to be answered, by the rules of [`import_csv`], each or what is wrong with its row;
/// with what was decided about the columns. Labels are not read.
///
/// # Errors
/// As [`import_csv`].
pub fn read_csv(path: &Path, wanted: &Columns) -> Result<(Vec<TextOrProblem>, Vec<String>), Error> {
    let nobody = Approval { by: String::new(), at: 0, doubtful: false };
    let mut builder = Builder::new("csv", cards::task(crate::sniff::LABELS)?, &nobody);
    let Some(drafts) = drafts(path, wanted, false, &mut builder)? else {
        return Ok((Vec::new(), builder.import.notes));
    };
    let mut doubts: Vec<&str> = Vec::new();
    let mut texts = Vec::new();
    for (row, draft) in drafts {
        texts.push(match draft {
            Ok(draft) if draft.input.is_empty() => Err((row, "the text is blank".into())),
            Ok(Draft { id, input, doubt, .. }) => {
                if let Some(doubt) = doubt.filter(|doubt| !doubts.contains(doubt)) {
                    doubts.push(doubt);
                    builder.note(format!("Row {row}: {doubt}."));
                }
                Ok(Text { row, id, text: input })
            }
            Err(reason) => Err((row, reason)),
        });
    }
    Ok((texts, builder.import.notes))
}

/// What a row says, or what is wrong with it.
type RowDraft = Result<Draft, String>;

/// Reads a table's rows, each with its number; nothing where there is no row.
fn drafts(
    path: &Path,
    wanted: &Columns,
    is_labelled: bool,
    builder: &mut Builder<'_>,
) -> Result<Option<Vec<(usize, RowDraft)>>, Error> {
    let table = Table::read(path, builder)?;
    let Some((first, cells)) = table.first() else { return Ok(None) };
    let found = table.find(first, cells, wanted, is_labelled)?;
    said(cells, &found).into_iter().for_each(|note| builder.note(note));
    let (rows, headings) = table.drafts(first, cells, wanted, &found);
    for row in headings {
        builder.import.skip("heading again", format!("row {}", row.number));
    }
    Ok(Some(rows.into_iter().map(|(row, draft)| (row.number, draft)).collect()))
}

/// Rows that titles may take above a table.
const MOST_TITLES: usize = 10;

/// Whether cells name a text and a label, or a text and something else.
fn are_headings<'c>(cells: impl Iterator<Item = &'c str> + Clone) -> bool {
    let is_one_of = |names: &[&str]| cells.clone().any(|cell| names.contains(&name_of(cell).as_str()));
    cells.clone().filter(|cell| !cell.trim().is_empty()).count() > 1 && is_one_of(&TEXT) && is_one_of(&LABEL)
}

/// Whether a row is the line of dashes below the heading of a table in Markdown.
fn is_markdown_rule(row: &Row) -> bool {
    let is_rule = |cell: &&String| cell.trim().len() > 1 && cell.trim().chars().all(|c| matches!(c, '-' | ':'));
    row.cells.as_ref().is_ok_and(|cells| {
        let mut said = cells.iter().filter(|cell| !cell.trim().is_empty()).peekable();
        said.peek().is_some() && said.all(|cell| is_rule(&cell))
    })
}

/// Whether a row has the names of columns.
fn has_headings(row: &Row) -> bool {
    row.cells.as_ref().is_ok_and(|cells| are_headings(cells.iter().map(String::as_str)))
}

/// Leaves out the titles and comments that stand above the heading of a table, a cell each.
fn below_titles(mut rows: Vec<Row>, builder: &mut Builder<'_>) -> Vec<Row> {
    let cells = |row: &Row| row.cells.clone().unwrap_or_default();
    let heading = rows.iter().take(MOST_TITLES + 1).position(has_headings);
    let Some(titles @ 1..) = heading else { return rows };
    let is_title = |row: &Row| cells(row).iter().filter(|cell| !cell.trim().is_empty()).count() <= 1;
    if rows[..titles].iter().all(is_title) {
        for row in rows.drain(..titles) {
            builder.import.skip("line above the heading", format!("row {}", row.number));
        }
    }
    rows
}

/// What a pasted table says.
#[derive(Clone)]
pub(super) struct Pasted {
    pub(super) entries: Vec<Entry>,
    pub(super) notes: Vec<String>,
    /// Its first row has names that are known.
    pub(super) is_named: bool,
}

/// The rows of a pasted table; `None` where the text is none. Unlike in a file, where columns must be named if it can't be
/// told which are meant, the column with the longest texts is the input, and all others are fields of the answer.
pub(super) fn pasted(text: &str, wanted: &Columns) -> Option<Pasted> {
    let records::Records { rows, separator, mut notes } = records::read(text, |_| false);
    let table = Table { path: Path::new("the text"), rows, separator: Some(separator?), is_file: false };
    let (first, cells) = table.first()?;
    let width = columns(cells);
    let headings = Headings { path: table.path, names: cells.iter().map(|cell| cell.trim().to_lowercase()).collect() };
    let is_named = headings.some_are_known();
    if width < 2 || table.rows.len() < 2 || !is_named && !table.is_even(width) {
        return None;
    }
    let mut found = table.find(first, cells, wanted, true);
    if let Err(Error::WhichHeading { .. }) = found {
        notes.push("The first row was read as a heading.".into());
        found = table.find(first, cells, &Columns { heading: Some(true), ..wanted.clone() }, true);
    }
    let found = match found {
        Ok(found) if found.label.is_some() || width == 1 + usize::from(found.id.is_some()) => {
            notes.extend(said(cells, &found));
            found
        }
        other => {
            let text = other.ok().map(|found| found.text).or(headings.known(&TEXT));
            let text = text.unwrap_or_else(|| table.longest(width));
            let id = headings.known(&ID).filter(|at| *at != text);
            let is_heading =
                wanted.heading.unwrap_or(is_named || cells[..width].iter().all(|cell| could_be_name(cell.trim())));
            let name = |at: usize| match cells[at].trim() {
                name if is_heading && !name.is_empty() => name.to_owned(),
                _ => format!("column_{}", at + 1),
            };
            let is_field = |at: &usize| *at != text && Some(*at) != id && !headings.is_index(*at);
            let fields: Vec<(usize, String)> = (0..width).filter(is_field).map(|at| (at, name(at))).collect();
            let list = fields.iter().map(|(_, name)| format!("`{name}`")).collect::<Vec<_>>().join(", ");
            notes.push(format!("Texts are from column {}; answers have the fields {list}.", text + 1));
            let first = if is_heading { First::Heading } else { First::Example };
            Found { text, label: None, id, first, fields }
        }
    };
    let (rows, headings) = table.drafts(first, cells, wanted, &found);
    if !headings.is_empty() {
        let lines = headings.iter().map(|row| row.line.to_string()).take(10).collect::<Vec<_>>().join(", ");
        notes.push(format!("Left out as headings: lines {lines}."));
    }
    let entries = rows.into_iter().map(|(row, draft)| Entry { line: row.line, draft }).collect();
    Some(Pasted { entries, notes, is_named })
}

/// The cells of an answer with several fields: numbers, truth values and nothing as such.
fn answer(cells: &[String], fields: &[(usize, String)]) -> Value {
    let value = |cell: &str| match cell {
        "" => Value::Null,
        "true" | "TRUE" | "True" => Value::Bool(true),
        "false" | "FALSE" | "False" => Value::Bool(false),
        // Leading zeros belong to codes, not to numbers.
        code if code.len() > 1 && code.starts_with('0') && !code.starts_with("0.") => Value::from(code),
        cell => match cell.parse::<i64>() {
            Ok(number) => Value::from(number),
            Err(_) => match cell.parse::<f64>() {
                Ok(number) if number.is_finite() && !cell.contains(char::is_alphabetic) => Value::from(number),
                _ => Value::from(cell),
            },
        },
    };
    let cell = |at: usize| cells.get(at).map_or("", |cell| bare(cell));
    fields.iter().map(|(at, name)| (name.clone(), value(cell(*at)))).collect::<Map<_, _>>().into()
}

/// Columns that a first row makes: those up to its last text, and two where it has two cells.
fn columns(first: &[String]) -> usize {
    filled(first).max(first.len().min(2))
}

/// Whether a text is one word with a digit, as numbers and ids are.
fn is_id(text: &str) -> bool {
    !text.contains(char::is_whitespace) && text.contains(|c: char| c.is_ascii_digit())
}

/// Whether a text is a date, with or without a time.
fn is_date(text: &str) -> bool {
    let day = text.split([' ', 'T']).next().unwrap_or_default();
    let mut parts = day.split(['-', '/', '.']);
    let is_number = |part: &str| matches!(part.len(), 1..=4) && part.bytes().all(|byte| byte.is_ascii_digit());
    day.len() >= 6 && parts.clone().count() == 3 && parts.all(is_number)
}

/// Cells up to the last that has a text.
fn filled(cells: &[String]) -> usize {
    cells.iter().rposition(|cell| !cell.trim().is_empty()).map_or(0, |last| last + 1)
}

/// What was decided about the columns, in sentences.
fn said(first: &[String], found: &Found) -> Vec<String> {
    let headed = found.first == First::Heading;
    let name = |at: usize| match headed {
        true => format!("`{}`", first.get(at).map_or("", |cell| cell.trim())),
        false => format!("column {}", at + 1),
    };
    let is_said = |at: &usize| !headed || first.get(*at).is_some_and(|cell| !cell.trim().is_empty());
    let label = found.label.map_or_else(|| "no column".to_owned(), name);
    let row = if headed { "The first row names the columns" } else { "The first row is an example" };
    let mut said = vec![format!("{row}: texts from {}, answers from {label}.", name(found.text))];
    let read = [Some(found.text), found.label, found.id];
    let others: Vec<String> =
        (0..columns(first)).filter(|at| !read.contains(&Some(*at)) && is_said(at)).map(name).take(20).collect();
    if !others.is_empty() {
        said.push(format!("Columns that are not read: {}.", others.join(", ")));
    }
    said
}

/// The rows of a file.
struct Table<'p> {
    path: &'p Path,
    rows: Vec<Row>,
    separator: Option<char>,
    /// Options say how its columns are to be read.
    is_file: bool,
}

/// The rows of a workbook's first sheet whose columns have known names, or else of the first that has rows, and which sheets
/// these and the others are.
fn sheet_rows(path: &Path) -> Result<(Vec<Row>, Vec<String>), Error> {
    let (mut sheets, mut total): (Vec<(String, Vec<Row>)>, usize) = (Vec::new(), 0);
    each_row(path, Dates::Written, |name, line, cells| {
        let width = cells.keys().next_back().map_or(0, |last| *last as usize + 1);
        total += width;
        if total <= MAX_CELLS {
            let cells = (0..width).map(|at| cells.get(&(at as u32)).cloned().unwrap_or_default()).collect();
            let row = Row { number: line as usize + 1, line: line as usize + 1, cells: Ok(cells) };
            match sheets.last_mut().filter(|(last, _)| last == name) {
                Some((_, rows)) => rows.push(row),
                None => sheets.push((name.to_owned(), vec![row])),
            }
        }
    })?;
    if total > MAX_CELLS {
        return Err(Error::TooLarge { place: path.display().to_string(), limit: 256 });
    }
    let named = sheets.iter().position(|(_, rows)| rows.iter().take(MOST_TITLES + 1).any(has_headings));
    let (name, rows) = match sheets.is_empty() {
        true => Default::default(),
        false => sheets.remove(named.unwrap_or(0)),
    };
    let mut notes = vec![format!("Read from the sheet `{name}`.")];
    if !sheets.is_empty() {
        let others: Vec<String> = sheets.into_iter().map(|(name, _)| name).collect();
        notes.push(format!("Sheets that are not read: `{}`.", others.join("`, `")));
    }
    Ok((rows, notes))
}

/// Makes every row at least as long as the first: cells of a sheet without a value are not there at all.
fn widen(rows: &mut [Row], path: &Path) -> Result<(), Error> {
    let width = rows.first().and_then(|row| row.cells.as_ref().ok()).map_or(0, Vec::len);
    if width.saturating_mul(rows.len()) > MAX_CELLS {
        return Err(Error::TooLarge { place: path.display().to_string(), limit: 256 });
    }
    for cells in rows.iter_mut().flat_map(|row| &mut row.cells) {
        cells.resize(cells.len().max(width), String::new());
    }
    Ok(())
}

/// A file as text that people could have pasted: a spreadsheet as CSV, anything else in UTF-8. With it, what people should
/// know of that.
///
/// # Errors
/// The file can't be read, or is neither text nor a spreadsheet.
pub fn pasted_text(path: &Path) -> Result<(String, Vec<String>), Error> {
    match encoding::read(path) {
        Err(Error::OtherForm { found: FileForm::Zip, .. }) if sheet::is_one(path) => {
            let (mut rows, notes) = sheet_rows(path)?;
            widen(&mut rows, path)?;
            let line = |row: &Row| {
                let cells: Vec<_> = row.cells.iter().flatten().map(|text| cell(text)).collect();
                cells.join(",") + "\n"
            };
            Ok((rows.iter().map(line).collect(), notes))
        }
        read => {
            let read = read?;
            Ok((read.text, read.note.into_iter().collect()))
        }
    }
}

/// A text as a cell of a CSV file.
pub(crate) fn cell(text: &str) -> String {
    match text.contains([',', '"', '\n', '\r']) || text.trim() != text {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text.to_owned(),
    }
}

impl<'p> Table<'p> {
    fn read(path: &'p Path, builder: &mut Builder<'_>) -> Result<Self, Error> {
        let text = match encoding::read(path) {
            Err(Error::OtherForm { found: FileForm::Zip, .. }) if sheet::is_one(path) => {
                return Self::of_sheet(path, builder);
            }
            read => builder.text(read?),
        };
        let records = records::read(&text, |cells| are_headings(cells.iter().copied()));
        if is_json(&text) {
            return Err(Error::OtherForm { path: path.into(), found: FileForm::Json });
        }
        if is_yaml(&text) {
            return Err(Error::OtherForm { path: path.into(), found: FileForm::Yaml });
        }
        records.notes.into_iter().for_each(|note| builder.note(note));
        let mut rows = below_titles(records.rows, builder);
        if records.separator == Some('|') {
            rows.retain(|row| !is_markdown_rule(row));
        }
        Ok(Self { path, rows, separator: records.separator, is_file: true })
    }

    fn of_sheet(path: &'p Path, builder: &mut Builder<'_>) -> Result<Self, Error> {
        let (rows, notes) = sheet_rows(path)?;
        notes.into_iter().for_each(|note| builder.note(note));
        let mut rows = below_titles(rows, builder);
        widen(&mut rows, path)?;
        Ok(Self { path, rows, separator: None, is_file: true })
    }

    /// The first row that can be read.
    fn first(&self) -> Option<(&Row, &[String])> {
        self.rows.iter().find_map(|row| Some((row, row.cells.as_deref().ok().filter(|cells| filled(cells) > 0)?)))
    }

    /// Whether nearly all rows have as many cells, as lines of prose with commas seldom have.
    fn is_even(&self, width: usize) -> bool {
        let is_row = |row: &&Row| {
            row.cells.as_ref().is_ok_and(|cells| {
                let last = cells.last().map_or("", |cell| cell.trim());
                let prose = self.separator == Some(',') && (last.len() > 60 || last.ends_with(['.', '!', '?']));
                cells.len() == width && !prose
            })
        };
        self.rows.iter().filter(is_row).count() * 10 >= self.rows.len() * 9
    }

    /// The column with the longest texts.
    fn longest(&self, width: usize) -> usize {
        let cells = |at: usize| self.rows.iter().filter_map(move |row| row.cells.as_ref().ok()?.get(at));
        (0..width).max_by_key(|at| cells(*at).map(String::len).sum::<usize>()).unwrap_or(0)
    }

    /// What the rows say, with why they are doubtful; and the further rows that name the columns.
    fn drafts(
        &self,
        first: &Row,
        headings: &[String],
        wanted: &Columns,
        found: &Found,
    ) -> (Vec<(&Row, RowDraft)>, Vec<&Row>) {
        let names = |cells: &[String]| cells.iter().map(|cell| name_of(cell)).collect::<Vec<_>>();
        let named = names(headings);
        let (mut drafts, mut again, mut is_other) = (Vec::new(), Vec::new(), false);
        for row in &self.rows {
            let cells = match &row.cells {
                Ok(cells) => cells,
                Err(reason) => {
                    drafts.push((row, Err(reason.clone())));
                    continue;
                }
            };
            let is_first = row.number == first.number;
            let is_named = found.first == First::Heading && names(cells) == named;
            if is_named || !is_first && has_headings(row) {
                // Joined files may have other columns.
                is_other = !is_named;
                if !is_first {
                    again.push(row);
                }
                continue;
            }
            let mut draft = self.draft(row, cells, columns(headings), found);
            if let Ok(draft) = &mut draft {
                draft.doubt = match (found.first, self.is_file) {
                    (First::Doubtful, true) if is_first => {
                        Some("the row may be a heading: add `--heading yes` or `--heading no`")
                    }
                    (First::Doubtful, false) if is_first => Some("the row may be a heading"),
                    _ if is_other => Some("another heading, with other columns, stands above the row"),
                    _ => draft.doubt,
                };
            }
            drafts.push((row, draft));
        }
        if let Some(doubt) = self.doubt_of_columns(&drafts, &named, wanted, found) {
            for draft in drafts.iter_mut().flat_map(|(_, draft)| draft) {
                draft.doubt = draft.doubt.or(Some(doubt));
            }
        }
        (drafts, again)
    }

    /// Why columns that nobody named may not hold texts or answers.
    fn doubt_of_columns(
        &self,
        drafts: &[(&Row, RowDraft)],
        names: &[String],
        wanted: &Columns,
        found: &Found,
    ) -> Option<&'static str> {
        let name = |at: usize| names.get(at).map(String::as_str).filter(|_| found.first == First::Heading);
        let is_known = |at: usize, known: &[&str]| name(at).is_some_and(|name| known.contains(&name));
        let said = || drafts.iter().filter_map(|(_, draft)| draft.as_ref().ok());
        let texts = || said().map(|draft| draft.input.as_str()).filter(|text| !text.is_empty());
        if wanted.text.is_none() && !is_known(found.text, &TEXT) && texts().all(|text| is_id(text) || is_date(text)) {
            return Some(match self.is_file {
                true => "the texts look like ids: name the column with `--text`",
                false => "the texts look like ids",
            });
        }
        let label = found.label.filter(|at| wanted.label.is_none() && !is_known(*at, &LABEL))?;
        let labels = || said().filter_map(|draft| draft.output.as_ref()?.as_str());
        let (count, distinct) = (labels().count(), labels().collect::<HashSet<_>>().len());
        let are_distinct = count >= 3 && distinct * 10 >= count * 9;
        let is_about = is_known(label, &ABOUT) || are_distinct && labels().all(is_id);
        (is_about || count > 0 && labels().all(is_date)).then_some(match self.is_file {
            true => "the answers look like ids, dates or names: name their column with `--label`",
            false => "the answers look like ids, dates or names",
        })
    }

    fn draft(&self, row: &Row, cells: &[String], width: usize, found: &Found) -> RowDraft {
        let cell = |i: usize| cells.get(i).map(|cell| bare(cell));
        let wanted = found.text.max(found.label.unwrap_or(0)) + 1;
        if cells.len() < wanted {
            return Err(format!("it has {} column(s), but {wanted} are needed", cells.len()));
        }
        if let Some(surplus) = cells[..filled(cells)].get(width.max(wanted)) {
            let surplus: String = surplus.trim().chars().take(40).collect();
            return Err(format!(
                "line {}, column {}: `{surplus}` is one cell more than the first row \
                 has; put texts that contain a separator in quotes",
                row.line,
                width.max(wanted) + 1
            ));
        }
        let value = |i: Option<usize>| i.and_then(cell).filter(|cell| !cell.is_empty());
        Ok(Draft {
            id: value(found.id).map(str::to_owned),
            input: cell(found.text).unwrap_or_default().to_owned(),
            output: match found.fields.as_slice() {
                [] => value(found.label).map(Value::from),
                fields => Some(answer(cells, fields)),
            },
            doubt: (cells.iter().any(|cell| self.may_hold_rows(cell)))
                .then_some("a quoted cell contains line breaks and separators; a quote may not be closed"),
        })
    }

    /// Whether a cell holds lines that could be rows, or parts of them.
    fn may_hold_rows(&self, cell: &str) -> bool {
        self.separator.is_some_and(|separator| cell.contains('\n') && cell.contains(separator))
    }

    /// The columns, as the first row and what is wanted tell them.
    fn find(&self, row: &Row, first: &[String], wanted: &Columns, is_labelled: bool) -> Result<Found, Error> {
        let headings = Headings { path: self.path, names: first.iter().map(|cell| name_of(cell)).collect() };
        let asked = [
            headings.asked(wanted.text.as_deref())?,
            headings.asked(wanted.label.as_deref())?,
            headings.asked(wanted.id.as_deref())?,
        ];
        let by_name = asked.iter().flatten().any(|asked| asked.by_name);
        let [text, label, id] = asked.map(|asked| asked.map(|asked| asked.at));
        // The columns that could be a text or a label.
        let width = columns(first);
        let free: Vec<usize> = (0..width).filter(|at| !headings.is_index(*at) && Some(*at) != id).collect();
        let which = || Error::WhichColumns {
            path: self.path.into(),
            line: row.line,
            columns: first.join(", ").chars().take(300).collect(),
        };
        let by_position = match (text, label, free.as_slice()) {
            (Some(text), Some(label), _) => Some((text, Some(label))),
            (Some(text), None, [a, b]) => Some((text, [*a, *b].into_iter().find(|at| *at != text))),
            (Some(text), None, _) => Some((text, None)),
            (None, Some(label), [a, b]) => [*a, *b].into_iter().find(|at| *at != label).map(|text| (text, Some(label))),
            (None, None, [a]) => Some((*a, None)),
            (None, None, [a, b]) => Some((*a, Some(*b))),
            _ => None,
        };
        let first_row = match wanted.heading {
            Some(true) => First::Heading,
            Some(false) => First::Example,
            None if by_name || headings.are_known() || headings.names[0].starts_with("unnamed:") => First::Heading,
            None if by_position.is_none() && headings.some_are_known() => First::Heading,
            None => self.kind_of(row, first, by_position.ok_or_else(which)?)?,
        };
        if first_row != First::Heading {
            let (text, label) = by_position.ok_or_else(which)?;
            return Ok(Found { text, label, id, first: first_row, fields: Vec::new() });
        }
        if text.is_none() && headings.rivals(&TEXT, 1) || label.is_none() && is_labelled && headings.rivals(&LABEL, 2) {
            return Err(which());
        }
        let not = |other: Option<usize>| move |at: &usize| Some(*at) != other;
        let text = text.or(headings.known(&TEXT).filter(not(label)));
        let label = label.or(headings.known(&LABEL).filter(not(text)));
        let id = id.or(headings.known(&ID).filter(|at| not(text)(at) && not(label)(at)));
        let rest: Vec<usize> = free.into_iter().filter(|at| ![text, label, id].contains(&Some(*at))).collect();
        let (text, label) = match (text, label, rest.as_slice()) {
            (Some(text), None, [only]) if !by_name => (text, Some(*only)),
            (Some(text), label, _) => (text, label),
            (None, None, [text]) => (*text, None),
            (None, None, [text, label]) => (*text, Some(*label)),
            (None, None, _) => return Err(which()),
            (None, label, [only]) => (*only, label),
            (None, ..) => return Err(headings.lacks(&TEXT.join("` or `"))),
        };
        Ok(Found { text, label, id, first: First::Heading, fields: Vec::new() })
    }

    /// What a first row is whose columns have no known names.
    fn kind_of(&self, row: &Row, first: &[String], columns: (usize, Option<usize>)) -> Result<First, Error> {
        let (text, label) = columns;
        fn cell(cells: &[String], at: Option<usize>) -> &str {
            at.and_then(|at| cells.get(at)).map_or("", |cell| cell.trim())
        }
        let names = Headings { path: self.path, names: first.iter().map(|cell| name_of(cell)).collect() };
        let (name, value) = (cell(first, Some(text)), cell(first, label));
        if label.is_none() || value.is_empty() {
            return Ok(First::Example);
        }
        let mut others: HashMap<&str, usize> = HashMap::new();
        let (mut recurs, mut numbers, mut longer) = (false, true, true);
        for cells in self.rows.iter().filter(|other| other.number > row.number).flat_map(|other| &other.cells) {
            let other = cell(cells, label);
            recurs |= other == value;
            numbers &= other.is_empty() || other.parse::<f64>().is_ok();
            longer &= cell(cells, Some(text)).len() > name.len() && (other.is_empty() || other.len() > value.len());
            if !other.is_empty() {
                *others.entry(other).or_default() += 1;
            }
        }
        if others.is_empty() {
            return Ok(First::Doubtful);
        }
        let repeated = others.values().any(|times| *times > 1);
        if recurs {
            return Ok(First::Example);
        }
        if !could_be_name(name) || !could_be_name(value) {
            let heading_like = (repeated || numbers) && value.parse::<f64>().is_err();
            return Ok(if heading_like { First::Doubtful } else { First::Example });
        }
        if numbers || names.some_are_known() {
            return Ok(First::Heading);
        }
        if longer || repeated {
            let row = first.join(", ").chars().take(100).collect();
            return Err(Error::WhichHeading { path: self.path.into(), row });
        }
        Ok(First::Doubtful)
    }
}

/// Whether a text is JSON rather than a table: its first line begins an object or a list and names something in quotes.
pub(crate) fn is_json(text: &str) -> bool {
    let is_comment = |line: &&str| {
        let line = line.trim();
        line.is_empty() || line.starts_with("//") || line.starts_with('#')
    };
    let start = text.lines().skip_while(is_comment).flat_map(str::chars).take(200);
    let start: String = start.filter(|c| !c.is_whitespace() && *c != '\u{1e}').collect();
    ["{\"", "[{", "{'", "{“", "[\"", "[["].iter().any(|open| start.starts_with(open))
        || ["[", "{", "[]", "{}"].contains(&start.as_str())
}

/// Whether a cell is as short and plain as the name of a column.
fn could_be_name(cell: &str) -> bool {
    let few = cell.len() <= 40 && cell.split_whitespace().count() <= 4;
    few && cell.starts_with(char::is_alphabetic) && !cell.ends_with(['.', '!', '?', ',', ';'])
}

/// A cell without blanks around it, and without the byte order marks of joined files.
fn bare(cell: &str) -> &str {
    cell.trim_matches(|c: char| c.is_whitespace() || matches!(c, '\u{feff}' | '\u{200b}'))
}

/// A cell as the name of a column.
fn name_of(cell: &str) -> String {
    bare(cell).to_lowercase()
}

/// The first row's cells in lower case.
struct Headings<'p> {
    path: &'p Path,
    names: Vec<String>,
}

/// A column that was asked for.
struct Asked {
    at: usize,
    by_name: bool,
}

impl Headings<'_> {
    fn known(&self, names: &[&str]) -> Option<usize> {
        names.iter().find_map(|name| self.names.iter().position(|heading| heading == name))
    }

    /// Whether several columns have such names, and none has one of the first `sure`, which leave no doubt.
    fn rivals(&self, names: &[&str], sure: usize) -> bool {
        let named = |names: &[&str]| self.names.iter().filter(|heading| names.contains(&heading.as_str())).count();
        let best = self.known(names).map_or(0, |at| named(&[&self.names[at]]));
        best > 1 || named(names) > 1 && named(&names[..sure]) == 0
    }

    /// Whether a column is the index that pandas writes: without a name, or `Unnamed: 0`.
    fn is_index(&self, at: usize) -> bool {
        self.names[at].starts_with("unnamed:") || at == 0 && self.names[at].is_empty()
    }

    /// Whether they name a text and a label, or the only column.
    fn are_known(&self) -> bool {
        self.known(&TEXT).is_some() && (self.known(&LABEL).is_some() || self.names.len() == 1)
    }

    /// Whether one of them names a text or a label.
    fn some_are_known(&self) -> bool {
        self.known(&TEXT).or(self.known(&LABEL)).is_some()
    }

    fn asked(&self, column: Option<&str>) -> Result<Option<Asked>, Error> {
        let Some(column) = column else { return Ok(None) };
        let name = column.trim().to_lowercase();
        match self.names.iter().filter(|heading| **heading == name).count() {
            0 => {}
            1 => return Ok(self.known(&[&name]).map(|at| Asked { at, by_name: true })),
            _ => return Err(Error::TwoColumns { column: column.to_owned(), place: self.path.display().to_string() }),
        }
        match column.trim().parse::<usize>() {
            Ok(number) if (1..=self.names.len()).contains(&number) => {
                Ok(Some(Asked { at: number - 1, by_name: false }))
            }
            _ => Err(self.lacks(column)),
        }
    }

    fn lacks(&self, column: &str) -> Error {
        Error::NoColumn {
            column: column.to_owned(),
            place: self.path.display().to_string(),
            has: self.names.join(", ").chars().take(300).collect(),
        }
    }
}
