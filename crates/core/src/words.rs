/// Whether two neighbouring characters belong to one word. Values may only start or end where they don't.
#[must_use]
pub fn is_joined(before: char, after: char) -> bool {
    let in_word = |c: char| c.is_alphanumeric() || c == '_' || ('\u{300}'..='\u{36f}').contains(&c);
    in_word(before) && in_word(after) && !is_unspaced(before) && !is_unspaced(after)
}

/// Whether a character belongs to a script without spaces between words: Thai, Lao, Burmese, Khmer, Chinese, Japanese,
/// Korean.
fn is_unspaced(c: char) -> bool {
    matches!(c, '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1100}'..='\u{11ff}' | '\u{1780}'..='\u{17ff}'
        | '\u{2e80}'..='\u{a4cf}' | '\u{ac00}'..='\u{d7ff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn word_borders_follow_scripts() {
        assert!(is_joined('a', 'b') && is_joined('a', '1') && is_joined('a', '_') && is_joined('e', '\u{301}'));
        assert!(!is_joined('a', ' ') && !is_joined('-', 'a') && !is_joined('東', '京') && !is_joined('a', '京'));
    }
}
