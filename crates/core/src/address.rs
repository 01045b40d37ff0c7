//! Addresses of databases and services, which may hold passwords, also when they are mistyped.

use std::net::{IpAddr, SocketAddr};

/// Shown in place of a text that is no valid URL and may hold a password.
const HIDDEN: &str = "(hidden)";

/// Whether a text that is not a valid URL was meant as a URL or as a connection string (libpq's or ADO's). Write `./`
/// before a file path that looks like one.
#[must_use]
pub fn looks_like_address(text: &str) -> bool {
    const KEYS: [&str; 13] = [
        "host",
        "hostaddr",
        "port",
        "user",
        "user id",
        "uid",
        "dbname",
        "database",
        "server",
        "data source",
        "service",
        "sslmode",
        "application_name",
    ];
    let rest = text.strip_prefix("//").unwrap_or(text);
    let start = rest.split(['/', '\\']).next().unwrap_or_default();
    // One letter and a colon is a Windows drive.
    let has_scheme = start.split_once(':').is_some_and(|(scheme, _)| scheme.len() > 1);
    let is_key = |key: &str| KEYS.contains(&key.trim().to_ascii_lowercase().as_str());
    has_scheme
        || start.contains('@')
        || !start.is_empty() && rest[start.len()..].starts_with("//")
        || text.split_once('=').is_some_and(|(key, _)| is_key(key))
        || has_password(text)
}

/// Whether a text names a user with a password (`user:password@…`) or a password (`password=…`).
#[must_use]
pub fn has_password(text: &str) -> bool {
    let after = text.split_once("://").map_or(text, |(_, rest)| rest);
    // In a URL an unescaped `/` of a password makes it invalid, and must not expose it.
    let is_url = after.len() < text.len();
    let names = |part: &str| part.rsplit_once('@').is_some_and(|(user, _)| user.contains(':'));
    let has_user = if is_url { names(after) } else { after.split(['/', '\\']).any(names) };
    has_user || ["password", "passwd", "pwd"].iter().any(|key| is_set(text, key))
}

/// Whether `key = …` stands in a connection string or in the query of a URL.
fn is_set(text: &str, key: &str) -> bool {
    let text = text.to_ascii_lowercase();
    text.match_indices(key).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + key.len()..].trim_start();
        before.is_none_or(|before| !before.is_alphanumeric()) && after.starts_with('=')
    })
}

/// An address as it may be shown: a URL without user, password, query and fragment; `(hidden)` for a mistyped address that
/// may hold a password; a path unchanged.
#[must_use]
pub fn without_secrets(address: &str) -> String {
    let Some((scheme, rest)) = address.split_once("://") else {
        let may_hold_one = has_password(address) || address.contains('@') && looks_like_address(address);
        return if may_hold_one { HIDDEN.to_owned() } else { address.to_owned() };
    };
    // Cut at the last `@`: an unescaped `@` in a password makes the URL invalid, and must not expose the password.
    let rest = rest.rsplit('@').next().unwrap_or_default();
    let rest = rest.split(['?', '#']).next().unwrap_or_default();
    format!("{scheme}://{rest}")
}

/// Whether the host of a URL, or a host with or without a port, is this machine: what is sent there reaches no network, so
/// it may be plain text and passes no proxy.
#[must_use]
pub fn is_this_machine(address: &str) -> bool {
    let after = address.split_once("://").map_or(address, |(_, rest)| rest);
    let authority = after.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    let with_port = |_| host.parse().map(|address: SocketAddr| address.ip());
    match host.trim_matches(['[', ']']).parse::<IpAddr>().or_else(with_port) {
        Ok(address) => address.is_loopback(),
        Err(_) => host.split(':').next().is_some_and(|name| name.eq_ignore_ascii_case("localhost")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_host_names_are_this_machine() {
        for here in [
            "localhost",
            "http://localhost:8080/v1",
            "HTTPS://LocalHost",
            "http://127.0.0.1?x",
            "http://127.0.0.2/",
            "http://me:a@b@[::1]:9000/x",
            "::1",
            "[::1]",
            "127.0.0.1:80",
        ] {
            assert!(is_this_machine(here), "{here}");
        }
        for elsewhere in [
            "",
            "http://localhost.example.org",
            "http://127.0.0.1.example.org:80",
            "http://localhost:80@example.org/",
            "http://example.org/@localhost",
            "http://example.org#@localhost",
            "http://example.org?@127.0.0.1",
            "http://[::1].example.org",
            "http://10.0.0.1",
            "http://0.0.0.0",
            "[::2]:80",
        ] {
            assert!(!is_this_machine(elsewhere), "{elsewhere}");
        }
    }

    #[test]
    fn mistyped_addresses_are_recognized_and_their_passwords_hidden() {
        for text in [
            "postgres//u:secret@db/x",
            "postgres:/u:secret@db/x",
            "postgresql:u:secret@db/x",
            "postgres/u:secret@db/x",
            "u:secret@db.local/x",
            "//u:secret@db/x",
            "host=db.local password=secret dbname=x",
            "PASSWORD = secret host = db",
            "Server=db;Database=x;User Id=u;Password=secret",
            "Data Source=db;uid=u;Pwd=secret",
            "dbname=x passwd = secret",
        ] {
            assert!(looks_like_address(text), "{text}");
            assert!(has_password(text), "{text}");
            assert_eq!(without_secrets(text), "(hidden)", "{text}");
        }
        for text in ["u@db.local:5432/x", "db.local:5432/x", "sqlite:graft.db", "server=db"] {
            assert!(looks_like_address(text), "{text}");
            assert!(!has_password(text), "{text}");
        }
        for path in
            ["graft.db", "./u@host.db", "data/graft.db", "C:\\graft\\graft.db", "/srv/a@b/graft.db", "x=y/graft.db"]
        {
            assert!(!looks_like_address(path), "{path}");
            assert_eq!(without_secrets(path), path);
        }
    }

    #[test]
    fn urls_are_shown_without_secrets() {
        for (url, shown) in [
            ("postgres://me:se@cret@db.local:5432/graft?password=x", "postgres://db.local:5432/graft"),
            ("postgres://me:a/b?c@db/graft", "postgres://db/graft"),
            ("postgres:///graft?host=/run&password=x", "postgres:///graft"),
        ] {
            assert_eq!(without_secrets(url), shown);
            assert!(has_password(url));
        }
        assert!(!has_password("https://db.local:5432/x"));
    }
}
