//! Reads CSV files (RFC 4180) as rows. A malformed row is reported by line and column, and the other rows are read.

use csv::ReaderBuilder;

/// A row of a table.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Row {
    /// Counts rows from 1.
    pub(super) number: usize,
    /// The line it begins in, from 1.
    pub(super) line: usize,
    /// Or what is wrong with it.
    pub(super) cells: Result<Vec<String>, String>,
}

/// A table that was read.
#[derive(Debug, Default)]
pub(super) struct Records {
    pub(super) rows: Vec<Row>,
    /// What separates the cells; none where there is one column.
    pub(super) separator: Option<char>,
    /// What was decided about the form, a sentence each.
    pub(super) notes: Vec<String>,
}

/// Separators, the most common first.
const SEPARATORS: [u8; 4] = *b",;\t|";
/// Separates nothing: no text holds it.
const NONE: u8 = 0x1f;

/// Reads a text in CSV form. The separator is the one that a first line `sep=` names, or that splits most of the first
/// rows as it splits the first; or, where none splits the first row, the one that makes headings of one of the next.
pub(super) fn read(text: &str, is_heading: fn(&[&str]) -> bool) -> Records {
    // As older Macs end lines.
    let old = (!text.contains('\n') && text.contains('\r')).then(|| text.replace('\r', "\n"));
    let text = old.as_deref().unwrap_or(text);
    let mut notes = Vec::new();
    let (declared, text, first_line) = declared(text);
    let separator = declared.unwrap_or_else(|| detect(text, is_heading));
    if let Some(separator) = declared {
        notes.push(format!("The first line sets the separator `{}`.", char::from(separator)));
    }
    let mut form = Form { separator, escape: false };
    let mut spans = form.spans(text, first_line);
    if spans.iter().any(|span| span.fault.is_some()) && text.contains("\\\"") {
        let escaped = Form { escape: true, ..form };
        let other = escaped.spans(text, first_line);
        if other.iter().all(|span| span.fault.is_none()) {
            notes.push("Quotes within cells are written `\\\"`.".into());
            (form, spans) = (escaped, other);
        }
    }
    let rows = form.rows(text, spans);
    Records { rows, separator: (separator != NONE).then_some(char::from(separator)), notes }
}

/// Excel's `sep=;` in the first line.
fn declared(text: &str) -> (Option<u8>, &str, usize) {
    let (line, rest) = text.split_once('\n').unwrap_or((text, ""));
    let said = line.trim_end_matches('\r').trim_matches('"');
    match said.get(..4).filter(|start| start.eq_ignore_ascii_case("sep=")).map(|_| &said.as_bytes()[4..]) {
        Some([separator]) if separator.is_ascii() => (Some(*separator), rest, 2),
        _ => (None, text, 1),
    }
}

fn detect(text: &str, is_heading: fn(&[&str]) -> bool) -> u8 {
    let mut end = text.len().min(64 << 10);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let start = &text.as_bytes()[..end];
    let agreeing = |separator: u8| {
        let mut reader = ReaderBuilder::new();
        let reader = reader.has_headers(false).flexible(true).delimiter(separator).from_reader(start);
        let counts: Vec<usize> = reader.into_byte_records().take(100).flatten().map(|row| row.len()).collect();
        let first = counts.first().copied().filter(|cells| *cells > 1)?;
        let agree = counts.iter().filter(|cells| **cells == first).count();
        Some((agree, separator))
    };
    let best = SEPARATORS.iter().rev().filter_map(|separator| agreeing(*separator)).max_by_key(|(agree, _)| *agree);
    let below_a_title = || {
        let heads = |separator: &u8, line: &str| {
            let cells: Vec<&str> = line.split(char::from(*separator)).map(|cell| cell.trim_matches('"')).collect();
            is_heading(&cells)
        };
        text.lines().take(10).find_map(|line| SEPARATORS.into_iter().find(|separator| heads(separator, line)))
    };
    // A first row whose quote is not closed holds all that follows.
    let below_a_fault = || {
        let (first, rest) = text.split_once('\n')?;
        let is_open = first.bytes().filter(|byte| *byte == b'"').count() % 2 == 1 && !rest.contains('"');
        is_open.then(|| detect(rest, |_| false))
    };
    best.map(|(_, separator)| separator).or_else(below_a_title).or_else(below_a_fault).unwrap_or(NONE)
}

/// How a text is to be read.
#[derive(Clone, Copy)]
struct Form {
    separator: u8,
    /// Whether `\` makes the next character an ordinary one.
    escape: bool,
}

/// Where a row stands in the text.
struct Span {
    start: usize,
    end: usize,
    line: usize,
    fault: Option<String>,
    /// Blanks between a separator and a quote, which are no part of the cell.
    blanks: Vec<(usize, usize)>,
}

impl Form {
    /// The rows of a text; blank lines are none.
    fn spans(self, text: &str, first_line: usize) -> Vec<Span> {
        let bytes = text.as_bytes();
        let (mut spans, mut at, mut line) = (Vec::new(), 0, first_line);
        while at < bytes.len() {
            if matches!(bytes[at], b'\n' | b'\r') {
                line += usize::from(bytes[at] == b'\n');
                at += 1;
                continue;
            }
            let mut span = Span { start: at, end: at, line, fault: None, blanks: Vec::new() };
            match self.end_of_row(bytes, at, &mut span.blanks) {
                Ok(end) => span.end = end,
                Err(fault) => {
                    let place = |at: usize| {
                        let newline = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
                        let lines = bytes[span.start..at].iter().filter(|byte| **byte == b'\n').count();
                        format!("line {}, column {}", line + lines, text[newline..at].chars().count() + 1)
                    };
                    // The opening quote may be the wrong one; read again from the line after it.
                    span.end = end_of_line(bytes, fault.opened);
                    span.fault = Some(match fault.closed {
                        None => format!("the quote in {} is never closed", place(fault.opened)),
                        Some(closed) => format!(
                            "the quote in {} seems not to be closed: the next quote, \
                             in {}, is not followed by `{}` or the end of the line",
                            place(fault.opened),
                            place(closed),
                            char::from(self.separator)
                        ),
                    });
                }
            }
            line += bytes[at..span.end].iter().filter(|byte| **byte == b'\n').count();
            at = span.end;
            spans.push(span);
        }
        spans
    }

    /// Where the row that begins there ends, its line's end included.
    fn end_of_row(self, bytes: &[u8], start: usize, blanks: &mut Vec<(usize, usize)>) -> Result<usize, Fault> {
        let mut at = start;
        loop {
            let quote = at + bytes[at..].iter().take_while(|byte| **byte == b' ').count();
            if bytes.get(quote) == Some(&b'"') {
                if quote > at {
                    blanks.push((at, quote));
                }
                at = self.end_of_quoted(bytes, quote)?;
            }
            match bytes[at..].iter().position(|byte| *byte == self.separator || matches!(byte, b'\n' | b'\r')) {
                None => return Ok(bytes.len()),
                Some(found) if bytes[at + found] == self.separator => at += found + 1,
                Some(found) => return Ok(end_of_line(bytes, at + found)),
            }
            if at == bytes.len() {
                return Ok(at);
            }
        }
    }

    /// What follows the closing quote of the cell whose opening quote stands there.
    fn end_of_quoted(self, bytes: &[u8], opened: usize) -> Result<usize, Fault> {
        let mut at = opened + 1;
        loop {
            let special = |byte: &u8| *byte == b'"' || self.escape && *byte == b'\\';
            let Some(found) = bytes.get(at..).and_then(|rest| rest.iter().position(special)) else {
                return Err(Fault { opened, closed: None });
            };
            at += found;
            if bytes[at] == b'\\' || bytes.get(at + 1) == Some(&b'"') {
                at += 2;
                continue;
            }
            let after = at + 1 + bytes[at + 1..].iter().take_while(|byte| **byte == b' ').count();
            return match bytes.get(after) {
                None | Some(b'\n' | b'\r') => Ok(after),
                Some(byte) if *byte == self.separator => Ok(after),
                Some(_) => Err(Fault { opened, closed: Some(at) }),
            };
        }
    }

    /// The cells of well-formed rows, and what is wrong with the others.
    fn rows(self, text: &str, spans: Vec<Span>) -> Vec<Row> {
        let mut clean = String::new();
        for span in spans.iter().filter(|span| span.fault.is_none()) {
            let mut from = span.start;
            for (blank, quote) in &span.blanks {
                clean.push_str(&text[from..*blank]);
                from = *quote;
            }
            clean.push_str(&text[from..span.end]);
            if !clean.ends_with(['\n', '\r']) {
                clean.push('\n');
            }
        }
        let mut reader = ReaderBuilder::new();
        reader.has_headers(false).flexible(true).delimiter(self.separator);
        reader.escape(self.escape.then_some(b'\\'));
        let mut records = reader.from_reader(clean.as_bytes()).into_records();
        let mut row = |(i, span): (usize, Span)| {
            let cells = match span.fault {
                Some(fault) => Err(fault),
                None => match records.next() {
                    Some(Ok(record)) => Ok(record.iter().map(str::to_owned).collect()),
                    Some(Err(error)) => Err(error.to_string()),
                    None => Err("it can't be read".into()),
                },
            };
            Row { number: i + 1, line: span.line, cells }
        };
        spans.into_iter().enumerate().map(&mut row).collect()
    }
}

/// A quoted cell that is not well-formed.
struct Fault {
    opened: usize,
    /// The quote that should have closed it.
    closed: Option<usize>,
}

/// What follows the line end at or after a place.
fn end_of_line(bytes: &[u8], from: usize) -> usize {
    match bytes[from..].iter().position(|byte| matches!(byte, b'\n' | b'\r')) {
        None => bytes.len(),
        Some(found) if bytes[from + found..].starts_with(b"\r\n") => from + found + 2,
        Some(found) => from + found + 1,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cells(text: &str) -> Vec<Result<Vec<String>, String>> {
        read(text, |_| false).rows.into_iter().map(|row| row.cells).collect()
    }

    #[test]
    fn unclosed_quote_drops_only_its_row() {
        let cases = [
            ("text,label\n\"late van,bad\nok,good\n\"nice, really\",good\n", 2, "the quote in line 2, column 1 seems"),
            ("text,label\nok,good\na,\"bad\nfine,good\n", 3, "the quote in line 3, column 3 is never closed"),
            ("text,label\nok,good\n\"he said \"hi\", loud\",bad\nfine,good\n", 3, "in line 3, column 10"),
        ];
        for (text, line, reason) in cases {
            let rows = read(text, |_| false).rows;
            let bad: Vec<&Row> = rows.iter().filter(|row| row.cells.is_err()).collect();
            assert!(bad.len() == 1 && bad[0].line == line, "{text}: {rows:?}");
            assert!(bad[0].cells.as_ref().unwrap_err().contains(reason), "{:?}", bad[0]);
            assert_eq!(rows.len(), text.lines().count(), "{rows:?}");
        }
    }

    #[test]
    fn declared_separators_are_used() {
        let ab = || vec![Ok(vec!["a, \"b\" c".to_owned(), "x".to_owned()]), Ok(vec!["d".to_owned(), "y".to_owned()])];
        for text in [
            "\"a, \"\"b\"\" c\",x\nd,y\n",
            "\"a, \\\"b\\\" c\",x\nd,y\n",
            "sep=;\r\n\"a, \"\"b\"\" c\";x\r\nd;y\r\n",
            "\"a, \"\"b\"\" c\", \"x\"\nd, \"y\"\n",
            "\n\n\"a, \"\"b\"\" c\"\tx\r\rd\ty",
            "\"a, \"\"b\"\" c\",x\rd,y\r",
        ] {
            assert_eq!(cells(text), ab(), "{text:?}");
        }
        assert_eq!(cells("text\nHello, all\nBye; you\n").len(), 3);
        assert_eq!(cells("text\nHello, all\n")[1], Ok(vec!["Hello, all".to_owned()]));
        assert_eq!(read("a, b, c; x\nd; y\ne; y\n", |_| false).separator, Some(';'));
    }

    proptest! {
        #[test]
        fn every_line_belongs_to_a_row(text in "([a\",;\\\\ \r\n\t|]|\"\"|\\\\\"|é){0,60}") {
            let rows = read(&text, |_| false).rows;
            prop_assert!(rows.iter().all(|row| row.cells != Err("it can't be read".to_owned())), "{rows:?}");
            prop_assert!(rows.windows(2).all(|two| two[0].line <= two[1].line && two[0].number + 1 == two[1].number));
        }
    }
}
