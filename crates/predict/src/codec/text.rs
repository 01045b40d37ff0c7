//! Strings on the wire: with a leading space, so that words have the same tokens as in running text, and with escapes.

/// Mark before a string whose text looks like a fixed value.
pub(crate) const TEXT_FOLLOWS: &str = "\\_";

/// A string in wire form without the closing `;`, at a position where `markers` are alternatives.
pub(crate) fn write<'a>(string: &str, markers: impl IntoIterator<Item = &'a str>) -> String {
    let body = escaped(string);
    let markers: Vec<&str> = markers.into_iter().collect();
    String::from_utf8_lossy(mark(body.as_bytes(), &markers)).into_owned() + &body
}

/// The prefix of a string's escaped text: a space, and the mark if the text looks like one of `markers`.
pub(crate) fn mark(body: &[u8], markers: &[&str]) -> &'static [u8] {
    let reads_as = |marker: &&str| body.starts_with(marker.strip_prefix(' ').unwrap_or(marker).as_bytes());
    if markers.iter().any(reads_as) { b" \\_" } else { b" " }
}

/// A string with escapes.
pub(crate) fn escaped(string: &str) -> String {
    let mut out = String::with_capacity(string.len());
    for c in string.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            ';' => out.push_str("\\;"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c => out.push(c),
        }
    }
    out
}

/// Where reading a string ended.
#[derive(Debug, PartialEq)]
pub(crate) enum End {
    /// At its `;`; the number of bytes read, including the `;`.
    Closed(usize),
    /// At the end of the text.
    Cut,
    /// At a byte that no string contains, after this many bytes.
    Bad(usize),
}

/// Reads a string after its leading space (and mark), up to and including its `;`.
pub(crate) fn read(wire: &str) -> (String, End) {
    let mut out = String::new();
    let mut chars = wire.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            ';' => return (out, End::Closed(at + 1)),
            '\n' | '\r' | '\t' => return (out, End::Bad(at)),
            '\\' => match chars.next() {
                Some((_, escaped @ ('\\' | ';'))) => out.push(escaped),
                Some((_, 'n')) => out.push('\n'),
                Some((_, 'r')) => out.push('\r'),
                Some((_, 't')) => out.push('\t'),
                Some(_) => return (out, End::Bad(at)),
                None => return (out, End::Cut),
            },
            c => out.push(c),
        }
    }
    (out, End::Cut)
}
