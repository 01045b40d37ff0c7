//! What clients of HTTP services share.

use std::fmt;

/// A secret that is in no message and no log.
pub(crate) struct Token(pub(crate) String);

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token")
    }
}

/// Whether a text is the address of a service: a URL without a user, a query or blanks.
#[must_use]
pub fn is_address(text: &str) -> bool {
    let rest = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://")).unwrap_or_default();
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.:/[]%".contains(c);
    rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '[') && rest.chars().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_have_no_user_and_no_query() {
        for good in ["http://head:8265", "https://ray.example.org/prefix", "http://[::1]:8265"] {
            assert!(is_address(good), "{good}");
        }
        for bad in
            ["", "head:8265", "ray://head:10001", "http://", "http://ada:secret@head", "http://head?x", "http://a b"]
        {
            assert!(!is_address(bad), "{bad}");
        }
    }
}
