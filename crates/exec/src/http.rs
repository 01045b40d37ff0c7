//! What clients of HTTP services share.

use std::{fmt, time::Duration};

use graft_core::is_this_machine;
use ureq::Agent;

/// Most characters that are kept of what a service says.
const SAID: usize = 300;

/// A secret that is in no message and no log.
pub(crate) struct Token(pub(crate) String);

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token")
    }
}

/// A client of the service at an address. A request fails after `limit`, if there is one.
pub(crate) fn agent(address: &str, limit: Option<Duration>) -> Agent {
    // A token goes where it is meant to go and nowhere else: no redirects.
    let config = Agent::config_builder()
        .timeout_global(limit)
        .timeout_connect(Some(Duration::from_secs(10)))
        .max_redirects(0)
        .max_redirects_will_error(false)
        .http_status_as_error(false)
        .user_agent(concat!("graft/", env!("CARGO_PKG_VERSION")));
    if is_this_machine(address) { config.proxy(None).build() } else { config.build() }.new_agent()
}

/// The first words of what a service says, on one line.
pub(crate) fn shortened(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ").chars().take(SAID).collect()
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
