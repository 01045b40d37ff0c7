//! SentencePiece's `precompiled_charsmap`: a double-array trie (Darts-clone) of character sequences, and their replacements.
//! <https://github.com/google/sentencepiece/blob/master/src/normalizer.cc>
//!
//! The map is the trie's size in bytes (u32), the trie, and the replacements, which end with NUL. The trie is an array of
//! 32-bit units (<https://github.com/s-yata/darts-clone>):
//!
//! | bits | inner unit | leaf |
//! |---|---|---|
//! | 0–7 | label: the byte that leads here | replacement: an offset into the texts (bits 0–30) |
//! | 8 | whether it has a leaf | |
//! | 9 | whether the offset is shifted by 8 | |
//! | 10–30 | offset: its children start at `position ^ offset` | |
//! | 31 | 0 | 1 |
//!
//! The child for byte `b` is at `position ^ offset ^ b`, and the leaf is the child for 0. The `tokenizers` crate follows these
//! offsets without checking them, so a damaged map would make it panic. [`check`] follows every path first.

use base64::{Engine as _, prelude::BASE64_STANDARD};

/// Checks that no lookup leaves the map; `text` is the map in base64.
pub(crate) fn check(text: &str) -> Result<(), String> {
    let inside = BASE64_STANDARD.decode(text).ok().and_then(|bytes| stays_inside(&bytes));
    inside.ok_or_else(|| "its `precompiled_charsmap` is damaged".into())
}

fn stays_inside(map: &[u8]) -> Option<()> {
    let (size, rest) = map.split_first_chunk::<4>()?;
    let (trie, texts) = rest.split_at_checked(u32::from_le_bytes(*size) as usize)?;
    let (units, []) = trie.as_chunks() else { return None };
    let units: Vec<usize> = units.iter().map(|unit| u32::from_le_bytes(*unit) as usize).collect();
    every_path_stays_inside(&units, std::str::from_utf8(texts).ok()?).then_some(())
}

/// Walks every path from the root. Each unit is visited once, so cycles end.
fn every_path_stays_inside(units: &[usize], texts: &str) -> bool {
    let Some(root) = units.first() else { return false };
    let mut reached = vec![false; units.len()];
    let mut bases = vec![offset(*root)];
    while let Some(base) = bases.pop() {
        for byte in 1..=255 {
            let at = base ^ byte;
            // A lookup reads this unit for any byte, even if it is not a child.
            let Some(unit) = units.get(at) else { return false };
            // Not a child (another label, or a leaf), or visited before.
            if unit & (1 << 31 | 0xff) != byte || std::mem::replace(&mut reached[at], true) {
                continue;
            }
            let next = at ^ offset(*unit);
            let has_leaf = unit >> 8 & 1 == 1;
            // The replacement must start at a character.
            let starts_text = |leaf: &usize| texts.is_char_boundary(leaf & ((1 << 31) - 1));
            if has_leaf && !units.get(next).is_some_and(starts_text) {
                return false;
            }
            bases.push(next);
        }
    }
    true
}

/// Bits 10–30, shifted left by 8 if bit 9 is set.
fn offset(unit: usize) -> usize {
    (unit >> 10) << ((unit & 1 << 9) >> 6)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tokenizers::normalizers::Precompiled;

    use super::*;

    /// Made by SentencePiece from six rules, among them the ligature fi and the fraction one half.
    const REAL: &str = include_str!("../tests/data/charsmap.b64");

    #[test]
    fn real_charsmap_is_accepted() {
        check(REAL).unwrap();
        let map = Precompiled::from(&BASE64_STANDARD.decode(REAL).unwrap()).unwrap();
        assert_eq!(map.normalize_string("ﬁsh ½ ＡB"), "fish 1/2 AB");
    }

    proptest! {
        #[test]
        fn accepted_charsmap_never_panics(at in any::<prop::sample::Index>(), bytes in any::<[u8; 4]>(), texts in ".{0,20}") {
            let mut map = BASE64_STANDARD.decode(REAL).unwrap();
            let at = at.index(map.len() - 4);
            map[at..at + 4].copy_from_slice(&bytes);
            if stays_inside(&map).is_some() {
                let _ = Precompiled::from(&map).unwrap().normalize_string(&format!("ﬁsh ½ ＡÅ\u{200b} {texts}"));
            }
        }
    }
}
