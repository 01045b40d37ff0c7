//! The groups that an input belongs to: one for each of its words, and one for its length.
//!
//! A group has many words, because they are hashed, so counts of inputs by group are no texts. Servers of one database must
//! form the same groups, so the hash is written out here.

use graft_core::is_joined;

/// Groups of words.
const WORDS: usize = 512;
/// Groups of lengths: a power of two characters and up to the next.
const LENGTHS: usize = 16;
/// All groups.
pub(super) const GROUPS: usize = WORDS + LENGTHS;
/// Characters of an input whose words are looked at.
const MAX_CHARS: usize = 4000;

/// What the inputs of a group have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Group {
    /// A word of this group.
    Words,
    /// So many characters: from, and below.
    Length(u32, u32),
}

impl Group {
    pub(super) fn of(group: usize) -> Self {
        match group.checked_sub(WORDS) {
            None => Self::Words,
            Some(power) => Self::Length(1 << power, 2 << power),
        }
    }
}

/// The groups of an input, each once, in order.
pub(crate) fn groups(text: &str) -> Vec<usize> {
    let mut found: Vec<usize> = words(text).iter().map(|word| group_of(word)).collect();
    found.push(WORDS + (text.chars().count().max(1).ilog2() as usize).min(LENGTHS - 1));
    found.sort_unstable();
    found.dedup();
    found
}

/// The group of a word: its hash (FNV-1a).
pub(super) fn group_of(word: &str) -> usize {
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    let hash = word.bytes().fold(0xcbf2_9ce4_8422_2325, step);
    ((hash ^ (hash >> 32)) % WORDS as u64) as usize
}

/// The words of a text in lower case. Numbers with the same number of digits are one word.
pub(super) fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut last = None;
    for char in text.chars().take(MAX_CHARS) {
        if char.is_alphanumeric() {
            let char = if char.is_ascii_digit() { '0' } else { char };
            match words.last_mut().filter(|_| last.is_some_and(|last| is_joined(last, char))) {
                Some(word) => word.extend(char.to_lowercase()),
                None => words.push(char.to_lowercase().collect()),
            }
        }
        last = char.is_alphanumeric().then_some(char);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_ignore_case_marks_and_digits() {
        assert_eq!(
            words("Call 0800-123 NOW!!! it's ÄRGER_x 東京"),
            ["call", "0000", "000", "now", "it", "s", "ärger", "x", "東", "京"]
        );
        assert_eq!(words("..."), [""; 0]);
    }

    /// Counts that are stored already would be of other groups.
    #[test]
    fn groups_never_change() {
        assert_eq!([group_of("free"), group_of("lbs"), group_of("東")], [355, 209, 316]);
        assert_eq!(groups("free FREE"), [group_of("free"), WORDS + 3]);
        assert_eq!((groups(""), groups(&"é".repeat(40_000)).last()), (vec![WORDS], Some(&(GROUPS - 1))));
        assert_eq!((Group::of(WORDS - 1), Group::of(WORDS + 7)), (Group::Words, Group::Length(128, 256)));
    }
}
