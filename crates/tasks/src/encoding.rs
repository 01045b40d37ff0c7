//! Converts bytes of untrusted files to text: byte order marks, UTF-16, and guessed encodings.

use std::{fs::File, io::Read, path::Path};

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};

use crate::{Error, import::cannot_read, sniff};

/// The text of a file, and how sure it is.
#[derive(Debug, Default, PartialEq)]
pub struct Text {
    /// The text, without a byte order mark.
    pub text: String,
    /// What people should know of the encoding, a sentence.
    pub note: Option<String>,
    /// The encoding is a guess, so letters beyond ASCII may be wrong.
    pub guessed: bool,
}

/// Bytes of a file of examples.
const MAX_FILE: u64 = 1 << 30;

/// Reads a whole file as text, whatever its encoding.
///
/// # Errors
/// [`Error::Missing`], [`Error::Read`], [`Error::TooLarge`], [`Error::Encoding`]; [`Error::OtherForm`] for what is no text.
pub fn read(path: &Path) -> Result<Text, Error> {
    let bytes = read_bytes(path)?;
    if let Some(found) = sniff::magic(&bytes) {
        return Err(Error::OtherForm { path: path.into(), found });
    }
    decode(bytes).map_err(|reason| Error::Encoding { path: path.into(), reason })
}

fn read_bytes(path: &Path) -> Result<Vec<u8>, Error> {
    let failed = |source| cannot_read(path, source);
    let file = File::open(path).map_err(failed)?;
    if file.metadata().map_err(failed)?.is_dir() {
        return Err(Error::OtherForm { path: path.into(), found: sniff::FileForm::Folder });
    }
    let mut bytes = Vec::new();
    file.take(MAX_FILE + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > MAX_FILE {
        return Err(Error::TooLarge { place: path.display().to_string(), limit: MAX_FILE >> 20 });
    }
    Ok(bytes)
}

/// Reads bytes as text: by their byte order mark, as UTF-16 where every other byte is zero, as UTF-8, or in the encoding
/// that is most likely.
pub(crate) fn decode(bytes: Vec<u8>) -> Result<Text, &'static str> {
    if bytes.starts_with(&[0xff, 0xfe, 0, 0]) || bytes.starts_with(&[0, 0, 0xfe, 0xff]) {
        return Err("it is in UTF-32; save it as UTF-8");
    }
    if let Some((encoding, mark)) = Encoding::for_bom(&bytes) {
        return Ok(match encoding == UTF_8 {
            true => from_utf8(bytes[mark..].to_vec()),
            false => converted(&bytes[mark..], encoding),
        });
    }
    match without_mark(&bytes) {
        Some(encoding) => Ok(converted(&bytes, encoding)),
        None => Ok(from_utf8(bytes)),
    }
}

/// UTF-16 without a byte order mark: separators, digits and line breaks have a zero byte each.
fn without_mark(bytes: &[u8]) -> Option<&'static Encoding> {
    let start = &bytes[..bytes.len().min(4096)];
    let zeros = |from: usize| start.iter().skip(from).step_by(2).filter(|byte| **byte == 0).count();
    let (even, odd) = (zeros(0), zeros(1));
    let many = |some: usize, few: usize| some * 8 > start.len() && few * 20 < some;
    if many(odd, even) {
        Some(UTF_16LE)
    } else if many(even, odd) {
        Some(UTF_16BE)
    } else {
        None
    }
}

fn converted(bytes: &[u8], encoding: &'static Encoding) -> Text {
    let (text, _) = encoding.decode_without_bom_handling(bytes);
    Text {
        text: text.into_owned(),
        note: Some(format!("The file is in {}, not in UTF-8; it was converted.", encoding.name())),
        guessed: false,
    }
}

fn from_utf8(bytes: Vec<u8>) -> Text {
    let bytes = match String::from_utf8(bytes) {
        Ok(text) => return Text { text, ..Text::default() },
        Err(error) => error.into_bytes(),
    };
    let (mut good, mut bad, mut first, mut at) = (0, 0, None, 0);
    for chunk in bytes.utf8_chunks() {
        good += chunk.valid().chars().filter(|c| !c.is_ascii()).count();
        at += chunk.valid().len();
        if !chunk.invalid().is_empty() {
            bad += 1;
            first.get_or_insert(at);
        }
        at += chunk.invalid().len();
    }
    let first = first.unwrap_or(0);
    let line = 1 + bytes[..first].iter().filter(|byte| **byte == b'\n').count();
    // A file that was cut within a letter is still what it was.
    let is_cut = bad == 1 && good > 0 && std::str::from_utf8(&bytes[first..]).is_err_and(|e| e.error_len().is_none());
    if good > bad || is_cut {
        let note = format!(
            "{bad} place(s) are not UTF-8 (first: byte {}, line {line}); they are replaced by \u{fffd}.",
            first + 1
        );
        return Text { text: String::from_utf8_lossy(&bytes).into_owned(), note: Some(note), guessed: false };
    }
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(&bytes, true);
    let encoding = detector.guess(None, Utf8Detection::Deny);
    let (text, _) = encoding.decode_without_bom_handling(&bytes);
    let note = format!(
        "The file is not UTF-8 (first: byte {}, line {line}); it was read as {}, which is guessed.",
        first + 1,
        encoding.name()
    );
    Text { text: text.into_owned(), note: Some(note), guessed: true }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn utf_16(text: &str, big: bool) -> Vec<u8> {
        text.encode_utf16().flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect()
    }

    #[test]
    fn byte_order_marks_and_utf_16_are_read() {
        let text = "text,label\nein schöner Tag,gut\n";
        for (mark, big) in [(true, false), (true, true), (false, false), (false, true)] {
            let marked = if mark { format!("\u{feff}{text}") } else { text.to_owned() };
            let read = decode(utf_16(&marked, big)).unwrap();
            assert_eq!((read.text.as_str(), read.guessed), (text, false), "mark {mark}, big {big}");
            assert!(read.note.unwrap().contains("UTF-16"));
        }
        assert_eq!(
            decode(format!("\u{feff}{text}").into_bytes()).unwrap(),
            Text { text: text.into(), ..Text::default() }
        );
        assert!(decode(vec![0xff, 0xfe, 0, 0, b'a', 0, 0, 0]).is_err());
    }

    #[test]
    fn guessed_encoding_is_reported() {
        let latin: Vec<u8> =
            "Le café était très bon,positif\nDéçu par le dîner,négatif\n".chars().map(|c| c as u8).collect();
        let read = decode(latin).unwrap();
        assert!(read.guessed && read.text.starts_with("Le café était très bon"), "{read:?}");
        assert!(read.note.unwrap().contains("byte 7, line 1"));
    }

    #[test]
    fn invalid_utf_8_byte_affects_only_its_position() {
        let mut bytes = "schön,gut\nmüde,schlecht\nöde,".as_bytes().to_vec();
        bytes.push(0xff);
        let read = decode(bytes).unwrap();
        assert_eq!(read.text, "schön,gut\nmüde,schlecht\nöde,\u{fffd}");
        assert!(!read.guessed && read.note.unwrap().contains("byte 32, line 3"));
    }

    proptest! {
        #[test]
        fn any_bytes_are_decoded(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            if let Ok(read) = decode(bytes) {
                prop_assert!(!read.guessed || read.note.is_some());
            }
        }
    }
}
