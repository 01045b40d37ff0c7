//! SentencePiece's `precompiled_charsmap`: a double-array trie (Darts) of characters, and the texts that replace them.
//! <https://github.com/google/sentencepiece/blob/master/src/normalizer.cc>

/// Whether every lookup of every text stays inside the map; `text` is base64.
pub(crate) fn check(text: &str) -> Result<(), String> {
    let bad = || "its `precompiled_charsmap` is damaged".to_owned();
    let bytes = decode_base64(text).ok_or_else(bad)?;
    let (size, rest) = bytes.split_first_chunk::<4>().ok_or_else(bad)?;
    let size = u32::from_le_bytes(*size) as usize;
    if !size.is_multiple_of(4) || size > rest.len() {
        return Err(bad());
    }
    let (units, texts) = rest.split_at(size);
    let units: Vec<usize> = units.as_chunks().0.iter().map(|unit| u32::from_le_bytes(*unit) as usize).collect();
    let texts = std::str::from_utf8(texts).map_err(|_| bad())?;
    if stays_inside(&units, texts) { Ok(()) } else { Err(bad()) }
}

/// Walks every path from the root.
fn stays_inside(units: &[usize], texts: &str) -> bool {
    let Some(root) = units.first() else { return false };
    let mut reached = vec![false; units.len()];
    let mut bases = vec![offset(*root)];
    while let Some(base) = bases.pop() {
        for byte in 1..=255 {
            let at = base ^ byte;
            let Some(unit) = units.get(at) else { return false };
            if unit & (1 << 31 | 0xff) != byte || std::mem::replace(&mut reached[at], true) {
                continue;
            }
            let next = at ^ offset(*unit);
            let has_leaf = unit >> 8 & 1 == 1;
            let starts_text = |leaf: &usize| texts.is_char_boundary(leaf & ((1 << 31) - 1));
            if has_leaf && !units.get(next).is_some_and(starts_text) {
                return false;
            }
            bases.push(next);
        }
    }
    true
}

fn offset(unit: usize) -> usize {
    (unit >> 10) << ((unit & 1 << 9) >> 6)
}

/// Standard alphabet, padded.
fn decode_base64(text: &str) -> Option<Vec<u8>> {
    let text = text.trim_end_matches('=').as_bytes();
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3 + 2);
    for group in text.chunks(4) {
        let mut bits = 0u32;
        for character in group {
            let value = match character {
                b'A'..=b'Z' => character - b'A',
                b'a'..=b'z' => character - b'a' + 26,
                b'0'..=b'9' => character - b'0' + 52,
                b'+' => 62,
                b'/' => 63,
                _ => return None,
            };
            bits = bits << 6 | u32::from(value);
        }
        bits <<= 6 * (4 - group.len());
        let whole = [0, 0, 1, 2, 3][group.len()];
        bytes.extend_from_slice(&bits.to_be_bytes()[1..1 + whole]);
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_the_standard_one() {
        assert_eq!(decode_base64("aGVsbG8/Pz4=").unwrap(), b"hello??>");
        assert_eq!(decode_base64("aGk").unwrap(), b"hi");
        assert!(decode_base64("a*").is_none());
    }

    #[test]
    fn lookups_must_stay_inside() {
        // The root's base is 0, so byte `b` is looked up at unit `b`.
        let mut units = vec![0usize; 256];
        assert!(stays_inside(&units, "x\0"));
        assert!(!stays_inside(&units[..200], "x\0"));
        // `a` has a leaf at unit 0x61 ^ 0x60 = 1, whose value is a place in the texts.
        units[0x61] = 0x61 | 1 << 8 | 0x60 << 10;
        units[1] = 1;
        assert!(stays_inside(&units, "x\0"));
        units[1] = 3;
        assert!(!stays_inside(&units, "x\0"), "a text that starts past the end");
        units[0x61] = 0x61 | 1 << 8 | 0x6000 << 10;
        assert!(!stays_inside(&units, "x\0"), "a leaf past the end");
    }
}
