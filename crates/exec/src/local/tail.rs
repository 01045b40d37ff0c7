//! Reads what was appended to a file since an offset.

use std::{
    fs::File,
    io::{self, Read as _, Seek as _, SeekFrom},
    path::Path,
};

use graft_core::Event;

use crate::{Error, Result};

/// Bytes that are read at once.
const PART: u64 = 1 << 20;

/// The whole events from an offset on, and where they end. A file that is shorter than the offset was replaced, and is
/// read from its beginning.
pub(super) fn events(dir: &Path, offset: u64) -> Result<(Vec<Event>, u64)> {
    let path = dir.join("events.jsonl");
    let failed = |source| Error::Io { doing: "read", path: path.clone(), source };
    let (from, bytes) = part(&path, offset).map_err(failed)?;
    let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    let lines = bytes[..whole].split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let events = lines.map(serde_json::from_slice).collect::<std::result::Result<_, _>>();
    let events = events.map_err(|source| Error::BadEvents { path: path.clone(), source })?;
    Ok((events, from + whole as u64))
}

/// The whole characters from an offset on, and where they end.
pub(super) fn text(dir: &Path, name: &str, offset: u64) -> Result<(String, u64)> {
    let path = dir.join(name);
    let failed = |source| Error::Io { doing: "read", path: path.clone(), source };
    let (from, bytes) = part(&path, offset).map_err(failed)?;
    let whole = whole_characters(&bytes);
    Ok((readable(&bytes[..whole]), from + whole as u64))
}

/// Bytes from an offset on, and where they begin; none of a file that isn't there.
fn part(path: &Path, offset: u64) -> io::Result<(u64, Vec<u8>)> {
    let mut file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok((offset, Vec::new())),
        opened => opened?,
    };
    let from = if file.metadata()?.len() < offset { 0 } else { offset };
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(from))?;
    file.take(PART).read_to_end(&mut bytes)?;
    Ok((from, bytes))
}

/// Bytes as a text of the same length, so that offsets in it are offsets in the file: what is no character, or one that
/// databases refuse, becomes a question mark.
fn readable(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text += &chunk.valid().replace('\0', "?");
        text.extend(chunk.invalid().iter().map(|_| '?'));
    }
    text
}

/// Bytes that end with a whole character, or with what will never become one.
fn whole_characters(bytes: &[u8]) -> usize {
    match std::str::from_utf8(bytes) {
        Err(error) if error.error_len().is_none() => error.valid_up_to(),
        _ => bytes.len(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_is_split_between_characters() {
        assert_eq!(whole_characters("aü".as_bytes()), 3);
        assert_eq!(whole_characters(&"aü".as_bytes()[..2]), 1);
        assert_eq!(whole_characters(&[b'a', 0xff, b'b']), 3);
        assert_eq!(readable(b"a\xff\xfe\0\xc3\xbc"), "a???ü");
    }

    #[test]
    fn incomplete_line_is_not_read() {
        let dir = tempfile::tempdir().unwrap();
        let line = "{\"seq\":1,\"at\":2,\"event\":\"note\",\"text\":\"x\"}\n";
        std::fs::write(dir.path().join("events.jsonl"), format!("{line}{{\"seq\":2")).unwrap();
        let (found, next) = events(dir.path(), 0).unwrap();
        assert_eq!((found.len(), next), (1, line.len() as u64));
        assert_eq!(events(dir.path(), next).unwrap(), (Vec::new(), next));
        assert_eq!(events(dir.path(), 999).unwrap().0.len(), 1, "a shorter file is another file");
        std::fs::write(dir.path().join("events.jsonl"), "nonsense\n").unwrap();
        assert!(matches!(events(dir.path(), 0), Err(Error::BadEvents { .. })));
    }
}
