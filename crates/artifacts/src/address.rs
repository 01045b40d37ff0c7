//! Where a bucket is and whose it is, from its URL and AWS's variables.

use std::collections::BTreeMap;

use crate::{Error, client::Client, credentials::Credentials};

/// What `s3://bucket/prefix` and the variables say: the client, and the prefix with its slash.
pub(crate) fn open(
    url: &str,
    variables: impl IntoIterator<Item = (String, String)>,
) -> Result<(Client, String), Error> {
    let refuse = || Error::Address(url.to_owned());
    let rest = url.strip_prefix("s3://").ok_or_else(refuse)?;
    let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-.".contains(c);
    if bucket.is_empty() || !bucket.chars().all(plain) {
        return Err(refuse());
    }
    let prefix = prefix.trim_matches('/');
    if prefix.split('/').any(|part| part == "." || part == "..") || prefix.contains("//") {
        return Err(refuse());
    }
    let known: BTreeMap<String, String> = variables.into_iter().filter(|(_, value)| !value.is_empty()).collect();
    let first = |names: &[&str]| names.iter().find_map(|name| known.get(*name).cloned());
    let need = |names: &[&'static str]| first(names).ok_or(Error::Unset(names[0]));
    let region = need(&["AWS_REGION", "AWS_DEFAULT_REGION"])?;
    let (origin, root) = match first(&["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"]) {
        Some(endpoint) => {
            let origin = endpoint.trim_end_matches('/').to_owned();
            let is_plain = origin.starts_with("http://");
            let allowed = known.get("AWS_ALLOW_HTTP").is_some_and(|value| value == "true");
            if is_plain && !is_loopback(&origin) && !allowed {
                return Err(Error::Plain(endpoint));
            }
            if !is_plain && !origin.starts_with("https://") || origin.matches('/').count() > 2 {
                return Err(Error::Endpoint(endpoint));
            }
            (origin, format!("/{bucket}/"))
        }
        // A dot in a bucket's name fits no certificate.
        None if bucket.contains('.') => (format!("https://s3.{region}.amazonaws.com"), format!("/{bucket}/")),
        None => (format!("https://{bucket}.s3.{region}.amazonaws.com"), "/".to_owned()),
    };
    let credentials = Credentials::find(region, &known)?;
    let prefix = if prefix.is_empty() { String::new() } else { format!("{prefix}/") };
    Ok((Client { agent: Client::agent(), origin, root, credentials }, prefix))
}

/// Whether an origin names this machine.
pub(crate) fn is_loopback(origin: &str) -> bool {
    let host = origin.split_once("://").map_or(origin, |(_, host)| host);
    let port = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let host = host.rsplit_once(':').filter(|(_, rest)| port(rest)).map_or(host, |(host, _)| host);
    let host = host.trim_matches(['[', ']']);
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(url: &str, more: &[(&str, &str)]) -> Result<String, Error> {
        let keys = [("AWS_REGION", "eu-1"), ("AWS_ACCESS_KEY_ID", "a"), ("AWS_SECRET_ACCESS_KEY", "b")];
        let variables = keys.iter().chain(more).map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        open(url, variables).map(|(client, prefix)| format!("{}{}{prefix}", client.origin, client.root))
    }

    #[test]
    fn addresses_are_amazons_or_those_of_an_endpoint() {
        assert_eq!(origin("s3://b/p/q/", &[]).unwrap(), "https://b.s3.eu-1.amazonaws.com/p/q/");
        assert_eq!(origin("s3://b.c", &[]).unwrap(), "https://s3.eu-1.amazonaws.com/b.c/");
        let at = |endpoint| origin("s3://b/p", &[("AWS_ENDPOINT_URL", endpoint)]);
        assert_eq!(at("https://minio.example.org:9000/").unwrap(), "https://minio.example.org:9000/b/p/");
        for here in ["http://127.0.0.1:9000", "http://localhost", "http://[::1]:9000"] {
            assert!(at(here).is_ok(), "{here}");
        }
        for there in ["http://10.0.0.1:9000", "http://127.0.0.1.example.org", "http://localhost.example.org:80"] {
            assert!(matches!(at(there), Err(Error::Plain(_))), "{there}");
        }
        assert!(matches!(at("minio:9000"), Err(Error::Endpoint(_))));
        let plain = [("AWS_ENDPOINT_URL", "http://minio:9000"), ("AWS_ALLOW_HTTP", "true")];
        assert!(origin("s3://b", &plain).is_ok());
        for bad in ["s3:/x", "s3://", "s3://UPPER/x", "file:///x", "s3://b/../c", "s3://b/c//d"] {
            assert!(matches!(origin(bad, &[]), Err(Error::Address(_))), "{bad}");
        }
        assert!(matches!(open("s3://b", []), Err(Error::Unset("AWS_REGION"))));
    }
}
