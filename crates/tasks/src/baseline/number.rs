use std::sync::LazyLock;

use regex::{Captures, Regex};

use crate::pattern;

/// Number words, the usual ones first.
pub(crate) const WORDS: [(&str, u32); 22] = [
    ("one", 1),
    ("two", 2),
    ("three", 3),
    ("four", 4),
    ("five", 5),
    ("six", 6),
    ("seven", 7),
    ("eight", 8),
    ("nine", 9),
    ("ten", 10),
    ("eleven", 11),
    ("twelve", 12),
    ("thirteen", 13),
    ("fourteen", 14),
    ("fifteen", 15),
    ("sixteen", 16),
    ("twenty", 20),
    ("thirty", 30),
    ("forty", 40),
    ("fifty", 50),
    ("hundred", 100),
    ("couple", 2),
];

/// Writes every number as digits: `a dozen crates` as `12 crates`, `1 and a half`, `1 1/2` and `1½` as `1.5`.
pub(super) fn in_digits(text: &str) -> String {
    static WORD: LazyLock<Regex> = LazyLock::new(|| {
        let words: Vec<&str> = WORDS.iter().map(|(word, _)| *word).collect();
        pattern(&format!(r"(?i)\b(?:a\s+)?({})\b(?:\s+of\b)?", words.join("|")))
    });
    static THOUSANDS: LazyLock<Regex> = LazyLock::new(|| pattern(r"\b(\d{1,3}),(\d{3})\b"));
    static AND_A_HALF: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?i)\b(\d+)\s+(?:and|&)\s+(?:a\s+)?half\b"));
    static MIXED: LazyLock<Regex> = LazyLock::new(|| pattern(r"\b(\d+)\s+(\d+)/(\d+)\b"));
    static FRACTION: LazyLock<Regex> = LazyLock::new(|| pattern(r"\b(\d+)/(\d+)\b"));
    static HALF: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?i)\b(?:a\s+)?half(?:\s+an?|\s+of\s+an?)?\s"));
    static A_DOZEN: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?i)\ba\s+(?:dozen|doz|dz)\b"));

    let text = text.replace('½', " 1/2").replace('¼', " 1/4").replace('¾', " 3/4");
    let text = THOUSANDS.replace_all(&text, "$1$2");
    let text = WORD.replace_all(&text, |found: &Captures<'_>| {
        let word = found[1].to_lowercase();
        WORDS.iter().find(|(known, _)| *known == word).map_or_else(|| found[0].to_owned(), |(_, n)| n.to_string())
    });
    let text = A_DOZEN.replace_all(&text, "12");
    let text = AND_A_HALF.replace_all(&text, "$1.5");
    let text = MIXED.replace_all(&text, |found: &Captures<'_>| fraction(&found[1], &found[2], &found[3]));
    let text = FRACTION.replace_all(&text, |found: &Captures<'_>| fraction("0", &found[1], &found[2]));
    HALF.replace_all(&text, "0.5 ").into_owned()
}

fn fraction(whole: &str, over: &str, under: &str) -> String {
    let number = |digits: &str| digits.parse::<f64>().unwrap_or(0.0);
    let value = number(whole) + number(over) / number(under).max(1.0);
    ((value * 1000.0).round() / 1000.0).to_string()
}

#[cfg(test)]
mod tests {
    #[test]
    fn number_words_become_digits() {
        let cases = [
            ("ten crates", "10 crates"),
            ("a dozen flats; 2 dozen eggs", "12 flats; 2 dozen eggs"),
            ("1 and a half boxes", "1.5 boxes"),
            ("one and a half boxes", "1.5 boxes"),
            ("10 1/2 boxes, 1/2 pallet", "10.5 boxes, 0.5 pallet"),
            ("half a pallet, 1½ bags", "0.5 pallet, 1.5 bags"),
            ("1,200 lbs; a couple of bags", "1200 lbs; 2 bags"),
            ("1/0 bag and bonelessness", "1 bag and bonelessness"),
        ];
        for (said, digits) in cases {
            assert_eq!(super::in_digits(said), digits);
        }
    }
}
