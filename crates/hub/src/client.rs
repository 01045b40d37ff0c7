//! The part of the Hub's HTTP protocol that a download needs, on ureq with rustls.
//! hf-hub 1.0 is not used: it restarts interrupted downloads, verifies no checksum, and depends on tokio, reqwest and
//! hf-xet.

use std::{collections::BTreeSet, fs, path::Path, time::Duration};

use graft_core::is_this_machine;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use ureq::{
    Agent, Body,
    http::{HeaderMap, Response, StatusCode, header},
    tls::{PemItem, RootCerts, TlsConfig, parse_pem},
};
use url::Url;

use crate::{
    Error, HubId, Settings, Token,
    cache::{is_commit, is_hex},
    reference::is_inside,
};

const LISTING_LIMIT: u64 = 32 << 20;
const MAX_HOPS: usize = 10;

/// A client of one Hub.
#[derive(Debug)]
pub(crate) struct Client {
    agent: Agent,
    endpoint: String,
    token: Option<Token>,
}

/// The contents of a repository at a revision.
#[derive(Debug)]
pub(crate) struct Listing {
    pub(crate) commit: String,
    pub(crate) names: Vec<String>,
}

/// The Hub's metadata of a file.
#[derive(Debug)]
pub(crate) struct FileInfo {
    pub(crate) url: String,
    pub(crate) checksum: Checksum,
    pub(crate) bytes: u64,
}

/// A file's checksum, which also names it in the cache; lowercase hexadecimal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Checksum {
    /// SHA-256 of a file in Git LFS.
    Sha256(String),
    /// SHA-1 of a git blob: `blob LENGTH\0` and the content.
    GitBlob(String),
}

impl Checksum {
    /// Reads an `ETag` or `X-Linked-Etag`.
    fn from_etag(etag: &str) -> Option<Self> {
        let hex = etag.trim_start_matches("W/").trim_matches('"');
        match hex.len() {
            64 if is_hex(hex) => Some(Self::Sha256(hex.into())),
            40 if is_hex(hex) => Some(Self::GitBlob(hex.into())),
            _ => None,
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        match self {
            Self::Sha256(hex) | Self::GitBlob(hex) => hex,
        }
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Method {
    Get,
    Head,
}

impl Client {
    pub(crate) fn new(settings: &Settings, patience: Duration) -> Result<Self, Error> {
        let mut config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .user_agent(concat!("graft/", env!("CARGO_PKG_VERSION")))
            .accept_encoding("identity")
            .timeout_resolve(Some(patience))
            .timeout_connect(Some(patience))
            .timeout_recv_response(Some(patience))
            .timeout_per_read(Some(patience));
        if let Some(path) = &settings.ca_file {
            config = config.tls_config(TlsConfig::builder().root_certs(authorities(path)?).build());
        }
        if is_this_machine(&settings.endpoint) {
            config = config.proxy(None);
        }
        let agent = config.build().new_agent();
        Ok(Self { agent, endpoint: settings.endpoint.clone(), token: settings.token.clone() })
    }

    /// Lists the files of a model.
    pub(crate) fn list(&self, id: &HubId) -> Result<Listing, Error> {
        #[derive(Deserialize)]
        struct Answer {
            sha: String,
            siblings: Vec<Sibling>,
        }
        #[derive(Deserialize)]
        struct Sibling {
            rfilename: String,
        }
        let url = format!("{}/api/models/{}/revision/{}", self.endpoint, id.repo, encode(id.revision(), false));
        let (mut response, _) = self.send(Method::Get, &url, 0)?;
        self.check(id, None, &response)?;
        let text = response.body_mut().with_config().limit(LISTING_LIMIT).read_to_vec();
        let bytes = text.map_err(|error| unreachable(&url, error))?;
        let answer: Answer = serde_json::from_slice(&bytes).map_err(|error| bad_answer(&url, error.to_string()))?;
        if !is_commit(&answer.sha) {
            return Err(bad_answer(&url, "it names no commit"));
        }
        let names = answer.siblings.into_iter().map(|sibling| sibling.rfilename);
        // Names become paths in the cache; a name that would leave it is ignored.
        let names: BTreeSet<String> = names.filter(|name| is_inside(name)).collect();
        Ok(Listing { commit: answer.sha, names: names.into_iter().collect() })
    }

    /// Requests size and checksum of a file at a commit.
    pub(crate) fn head(&self, id: &HubId, commit: &str, file: &str) -> Result<FileInfo, Error> {
        let url = format!("{}/{}/resolve/{commit}/{}", self.endpoint, id.repo, encode(file, true));
        let (response, seen) = self.send(Method::Head, &url, 0)?;
        if !response.status().is_redirection() {
            self.check(id, Some(file), &response)?;
        }
        let etag = text(&seen, "x-linked-etag").or_else(|| text(&seen, "etag"));
        let checksum = etag.and_then(Checksum::from_etag).ok_or_else(|| bad_answer(&url, "it has no checksum"))?;
        let size = text(&seen, "x-linked-size").or_else(|| text(&seen, "content-length"));
        let bytes = size.and_then(|size| size.parse().ok()).ok_or_else(|| bad_answer(&url, "it has no size"))?;
        Ok(FileInfo { url, checksum, bytes })
    }

    /// Requests a file from byte `from` on. The response may still start at 0; its status says so.
    pub(crate) fn open(&self, url: &str, from: u64) -> Result<Response<Body>, Error> {
        let (response, _) = self.send(Method::Get, url, from)?;
        match response.status() {
            StatusCode::OK | StatusCode::PARTIAL_CONTENT | StatusCode::RANGE_NOT_SATISFIABLE => Ok(response),
            status => Err(broken(url, status)),
        }
    }

    /// Follows redirects. The token is sent to the endpoint only. A HEAD request stays there, because the headers it
    /// needs are the Hub's, not those of the storage behind it.
    fn send(&self, method: Method, url: &str, from: u64) -> Result<(Response<Body>, HeaderMap), Error> {
        let mut url = url.to_owned();
        let mut seen = HeaderMap::new();
        for _ in 0..MAX_HOPS {
            let response = self.send_once(method, &url, from)?;
            seen.extend(response.headers().iter().map(|(name, value)| (Some(name.clone()), value.clone())));
            let next = response.headers().get(header::LOCATION).and_then(|location| location.to_str().ok());
            let Some(location) = next.filter(|_| response.status().is_redirection()) else {
                return Ok((response, seen));
            };
            let next = join(&url, location).ok_or_else(|| bad_answer(&url, format!("it points to `{location}`")))?;
            // A redirect's content length is not the file's.
            seen.remove(header::CONTENT_LENGTH);
            if method == Method::Head && origin(&next) != origin(&self.endpoint) {
                return Ok((response, seen));
            }
            url = next;
        }
        Err(bad_answer(&url, "it redirects for ever"))
    }

    fn send_once(&self, method: Method, url: &str, from: u64) -> Result<Response<Body>, Error> {
        let mut request = match method {
            Method::Get => self.agent.get(url),
            Method::Head => self.agent.head(url),
        };
        if let Some(token) = self.token.as_ref().filter(|_| origin(url) == origin(&self.endpoint)) {
            request = request.header(header::AUTHORIZATION, token.header());
        }
        if from > 0 {
            request = request.header(header::RANGE, format!("bytes={from}-"));
        }
        request.call().map_err(|error| unreachable(url, error))
    }

    /// Maps the Hub's error responses to errors; `X-Error-Code`, if present, is more specific than the status.
    fn check(&self, id: &HubId, file: Option<&str>, response: &Response<Body>) -> Result<(), Error> {
        let status = response.status();
        if status.is_success() {
            return Ok(());
        }
        let repo = id.repo.clone();
        let no_file = |file: &str| Error::NoSuchFile { repo: repo.clone(), file: file.into() };
        let code = text(response.headers(), "x-error-code").unwrap_or_default();
        let message = text(response.headers(), "x-error-message").unwrap_or_default();
        Err(match (code, status.as_u16(), file) {
            ("GatedRepo", ..) => Error::Gated { page: format!("{}/{repo}", self.endpoint), repo },
            ("RevisionNotFound", ..) => Error::NoSuchRevision { revision: id.revision().into(), repo },
            ("EntryNotFound", _, Some(file)) => no_file(file),
            (_, 401, _) if self.token.is_none() => Error::TokenMissing { repo },
            // With a valid token, the Hub answers this for a repository that is missing or private to others.
            ("RepoNotFound", ..) if !message.contains("Invalid credentials") => Error::NoSuchModel { repo },
            (_, 401 | 403, _) => Error::TokenRefused { repo },
            (_, 404, None) => Error::NoSuchModel { repo },
            (_, 404, Some(file)) => no_file(file),
            _ => broken(&self.endpoint, status),
        })
    }
}

fn authorities(path: &Path) -> Result<RootCerts, Error> {
    let pem = fs::read(path).map_err(Error::io("read", path))?;
    let certificates: Vec<_> = parse_pem(&pem)
        .filter_map(|item| match item {
            Ok(PemItem::Certificate(certificate)) => Some(certificate),
            _ => None,
        })
        .collect();
    let reason = || format!("{} has no certificate", path.display());
    if certificates.is_empty() {
        return Err(Error::BadSetting { name: "SSL_CERT_FILE", reason: reason() });
    }
    Ok(RootCerts::new_with_certs(&certificates))
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// Scheme, host and port of a URL.
fn origin(url: &str) -> &str {
    let host = url.find("://").map_or(0, |at| at + 3);
    let end = url[host..].find(['/', '?', '#']).map_or(url.len(), |at| host + at);
    &url[..end]
}

fn join(url: &str, location: &str) -> Option<String> {
    let next = Url::parse(url).ok()?.join(location).ok()?;
    matches!(next.scheme(), "http" | "https").then(|| next.into())
}

/// Percent-encodes all but unreserved characters (RFC 3986), optionally keeping `/`.
fn encode(text: &str, keep_slash: bool) -> String {
    const ALL: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
    const PATH: AsciiSet = ALL.remove(b'/');
    utf8_percent_encode(text, if keep_slash { &PATH } else { &ALL }).to_string()
}

pub(crate) fn unreachable(url: &str, source: ureq::Error) -> Error {
    Error::Unreachable { host: origin(url).into(), source: Box::new(source) }
}

pub(crate) fn bad_answer(url: &str, reason: impl Into<String>) -> Error {
    Error::BadAnswer { url: url.into(), reason: reason.into() }
}

fn broken(url: &str, status: StatusCode) -> Error {
    if status.is_server_error() || matches!(status.as_u16(), 408 | 429) {
        return Error::Busy { host: origin(url).into(), status: status.as_u16() };
    }
    bad_answer(origin(url), format!("HTTP status {}", status.as_u16()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn etag_determines_the_kind_of_checksum() {
        let sha256 = "b1".repeat(32);
        assert_eq!(Checksum::from_etag(&format!("\"{sha256}\"")), Some(Checksum::Sha256(sha256)));
        let sha1 = "c2".repeat(20);
        assert_eq!(Checksum::from_etag(&format!("W/\"{sha1}\"")), Some(Checksum::GitBlob(sha1)));
        assert_eq!(Checksum::from_etag("\"../../x\""), None);
    }

    #[test]
    fn redirects_resolve_against_their_origin() {
        let from = "https://hub.example:8/a/b?c=//d";
        assert_eq!(join(from, "/x?y").as_deref(), Some("https://hub.example:8/x?y"));
        assert_eq!(join(from, "//cdn/x").as_deref(), Some("https://cdn/x"));
        assert_eq!(join(from, "http://cdn/x").as_deref(), Some("http://cdn/x"));
        assert_eq!(join(from, "ftp://cdn/x"), None);
        assert_eq!(encode("refs/pr/1 ü", false), "refs%2Fpr%2F1%20%C3%BC");
    }
}
