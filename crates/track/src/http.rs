//! JSON over HTTP, on ureq with rustls, as in graft-hub.

use std::{
    fmt,
    fs::{self, File},
    path::{Path, PathBuf},
    time::Duration,
};

use base64::{Engine as _, prelude::BASE64_STANDARD as BASE64};
use graft_core::{is_this_machine, without_secrets};
use serde_json::Value;
use ureq::{
    Agent, Body, RequestBuilder,
    http::{Response, header},
    tls::{PemItem, RootCerts, TlsConfig, parse_pem},
    typestate::{WithBody, WithoutBody},
};

use crate::{Error, SinkKind};

/// Timeout of a request. Short, because it must not delay the end of a Graft process.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Timeout of a file upload.
const UPLOAD: Duration = Duration::from_secs(600);
/// Largest response that is read.
const LIMIT: u64 = 32 << 20;
/// Number of characters of a tracker's message that are printed.
const SHOWN: usize = 300;

/// Credentials and TLS settings for a tracker.
#[derive(Clone, Default)]
pub struct Access {
    /// User name; with a password it takes precedence over a token.
    pub username: Option<String>,
    /// The user's password.
    pub password: Option<String>,
    /// A bearer token.
    pub token: Option<String>,
    /// Additional headers, for collectors that need them.
    pub headers: Vec<(String, String)>,
    /// Certificates to trust instead of the default ones.
    pub ca_file: Option<PathBuf>,
    /// Accept any certificate.
    pub insecure: bool,
}

/// Prints only whether there are secrets.
impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Access").field("named", &self.authorization().is_some()).finish_non_exhaustive()
    }
}

impl Access {
    fn authorization(&self) -> Option<String> {
        match (&self.username, &self.password, &self.token) {
            (Some(name), Some(password), _) => Some(format!("Basic {}", BASE64.encode(format!("{name}:{password}")))),
            (_, _, Some(token)) => Some(format!("Bearer {token}")),
            _ => None,
        }
    }
}

/// A client of one tracker.
pub(crate) struct Client {
    kind: SinkKind,
    agent: Agent,
    pub(crate) address: String,
    authorization: Option<String>,
    headers: Vec<(String, String)>,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Client").field(&self.address).finish()
    }
}

impl Client {
    /// `address` is a URL without a trailing `/`. A user and a password in it are used if `access` has none.
    pub(crate) fn new(kind: SinkKind, address: &str, mut access: Access) -> Result<Self, Error> {
        let (address, user) = without_user(address.trim().trim_end_matches('/'));
        let refuse = |reason| Error::Address { kind, address: without_secrets(&address), reason };
        if let Some((name, password)) = user
            && access.authorization().is_none()
        {
            (access.username, access.password) = (Some(decode(&name)), Some(decode(&password)));
        }
        if !["http://", "https://"].iter().any(|scheme| address.starts_with(scheme)) {
            return Err(refuse("it begins with neither http:// nor https://"));
        }
        if address.parse::<ureq::http::Uri>().is_err() || address.contains(['?', '#']) {
            return Err(refuse("it is not the URL of a server"));
        }
        let mut tls = TlsConfig::builder().disable_verification(access.insecure);
        if let Some(path) = &access.ca_file {
            tls = tls.root_certs(authorities(path)?);
        }
        let mut config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .user_agent(concat!("graft/", env!("CARGO_PKG_VERSION")))
            .timeout_resolve(Some(TIMEOUT))
            .timeout_connect(Some(TIMEOUT))
            .timeout_send_body(Some(UPLOAD))
            .timeout_recv_response(Some(TIMEOUT * 3))
            .timeout_recv_body(Some(TIMEOUT * 3))
            .tls_config(tls.build());
        if is_this_machine(&address) {
            config = config.proxy(None);
        }
        let authorization = access.authorization();
        Ok(Self { kind, agent: config.build().new_agent(), address, authorization, headers: access.headers })
    }

    pub(crate) fn get(&self, path: &str) -> Result<Value, Error> {
        twice(|| {
            let request = self.agent.get(format!("{}{path}", self.address));
            let answer = self.named::<WithoutBody>(request).call();
            self.read(path, answer)
        })
    }

    /// The response as text that need not be JSON.
    pub(crate) fn text(&self, path: &str) -> Result<String, Error> {
        let request = self.agent.get(format!("{}{path}", self.address));
        let mut answer = self.passed(path, self.named::<WithoutBody>(request).call())?;
        let text = answer.body_mut().with_config().limit(LIMIT).read_to_string();
        text.map_err(|source| self.unreachable(source))
    }

    /// Sends an idempotent request; repeated once if the connection breaks.
    pub(crate) fn post(&self, path: &str, body: &Value) -> Result<Value, Error> {
        twice(|| self.post_once(path, body))
    }

    /// Sends a request that must not be repeated.
    pub(crate) fn post_once(&self, path: &str, body: &Value) -> Result<Value, Error> {
        self.send(self.agent.post(format!("{}{path}", self.address)), path, body)
    }

    pub(crate) fn delete(&self, path: &str, body: &Value) -> Result<Value, Error> {
        twice(|| self.send(self.agent.delete(format!("{}{path}", self.address)).force_send_body(), path, body))
    }

    /// Uploads a file of this machine.
    pub(crate) fn put_file(&self, path: &str, file: &Path) -> Result<(), Error> {
        let failed = |source| Error::File { path: file.to_owned(), source };
        twice(|| {
            let content = File::open(file).map_err(failed)?;
            // Without a length ureq would use chunked encoding, which some servers behind proxies refuse.
            let length = content.metadata().map_err(failed)?.len();
            let answer = self.upload(path).header(header::CONTENT_LENGTH, length).send(content);
            self.passed(path, answer).map(drop)
        })
    }

    pub(crate) fn put_bytes(&self, path: &str, bytes: &[u8]) -> Result<(), Error> {
        twice(|| self.passed(path, self.upload(path).send(bytes)).map(drop))
    }

    fn upload(&self, path: &str) -> RequestBuilder<WithBody> {
        let request = self.agent.put(format!("{}{path}", self.address));
        self.named(request.header(header::CONTENT_TYPE, "application/octet-stream"))
    }

    fn send(&self, request: RequestBuilder<WithBody>, path: &str, body: &Value) -> Result<Value, Error> {
        let request = self.named(request.header(header::CONTENT_TYPE, "application/json"));
        self.read(path, request.send(body.to_string()))
    }

    fn named<B>(&self, mut request: RequestBuilder<B>) -> RequestBuilder<B> {
        if let Some(authorization) = &self.authorization {
            request = request.header(header::AUTHORIZATION, authorization);
        }
        self.headers.iter().fold(request, |request, (name, value)| request.header(name, value))
    }

    fn read(&self, path: &str, answer: Result<Response<Body>, ureq::Error>) -> Result<Value, Error> {
        let mut answer = self.passed(path, answer)?;
        let bytes = answer.body_mut().with_config().limit(LIMIT).read_to_vec();
        let bytes = bytes.map_err(|source| self.unreachable(source))?;
        if bytes.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_slice(&bytes).map_err(|error| self.odd(path, error.to_string()))
    }

    /// A successful response, or the error that it stands for.
    fn passed(&self, path: &str, answer: Result<Response<Body>, ureq::Error>) -> Result<Response<Body>, Error> {
        let mut answer = answer.map_err(|source| self.unreachable(source))?;
        let (kind, address, status) = (self.kind, self.address.clone(), answer.status().as_u16());
        if answer.status().is_success() {
            return Ok(answer);
        }
        if matches!(status, 401 | 403) {
            return Err(Error::Refused { kind, address, status, named: self.authorization.is_some() });
        }
        let text = answer.body_mut().with_config().limit(LIMIT).read_to_string().unwrap_or_default();
        let parsed: Value = serde_json::from_str(&text).unwrap_or_default();
        let leads = answer.headers().get(header::LOCATION).and_then(|to| to.to_str().ok());
        let said = match (parsed["message"].as_str(), leads) {
            (Some(message), _) => message.to_owned(),
            (None, Some(leads)) => format!("it redirects to {leads}"),
            // An HTML page has no useful message in its first lines.
            (None, None) if text.trim_start().starts_with('<') => "a page".to_owned(),
            (None, None) => text.trim().to_owned(),
        };
        let said = said.chars().take(SHOWN).collect();
        let code = parsed["error_code"].as_str().unwrap_or_default().to_owned();
        let what = path.split('?').next().unwrap_or_default().to_owned();
        Err(Error::Status { kind, address, status, what, code, said })
    }

    fn unreachable(&self, source: ureq::Error) -> Error {
        Error::Unreachable { kind: self.kind, address: self.address.clone(), source: Box::new(source) }
    }

    /// The error for a response without a required field.
    pub(crate) fn odd(&self, path: &str, reason: impl Into<String>) -> Error {
        let what = path.split('?').next().unwrap_or_default().to_owned();
        Error::Answer { kind: self.kind, address: self.address.clone(), what, reason: reason.into() }
    }
}

/// Calls again if the connection broke: the many requests at the end of a run would rarely all succeed over a bad
/// network.
fn twice<T>(call: impl Fn() -> Result<T, Error>) -> Result<T, Error> {
    match call() {
        Err(Error::Unreachable { .. }) => call(),
        answer => answer,
    }
}

/// A URL without its user, and that user with the password.
fn without_user(address: &str) -> (String, Option<(String, String)>) {
    let Some((scheme, rest)) = address.split_once("://") else { return (address.to_owned(), None) };
    let end = rest.find('/').unwrap_or(rest.len());
    let Some((user, _)) = rest[..end].rsplit_once('@') else { return (address.to_owned(), None) };
    let (name, password) = user.split_once(':').unwrap_or((user, ""));
    let named = Some((name.to_owned(), password.to_owned()));
    (format!("{scheme}://{}", &rest[user.len() + 1..]), named)
}

fn decode(text: &str) -> String {
    percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned()
}

fn authorities(path: &PathBuf) -> Result<RootCerts, Error> {
    let refuse = |reason: String| Error::Certificates { path: path.clone(), reason };
    let pem = fs::read(path).map_err(|error| refuse(error.to_string()))?;
    let certificates: Vec<_> = parse_pem(&pem)
        .filter_map(|item| match item {
            Ok(PemItem::Certificate(certificate)) => Some(certificate),
            _ => None,
        })
        .collect();
    if certificates.is_empty() {
        return Err(refuse("it has none".into()));
    }
    Ok(RootCerts::new_with_certs(&certificates))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_in_the_address_is_not_printed() {
        let client = Client::new(SinkKind::Mlflow, "https://me:se%40cret@ml.local/x/", Access::default()).unwrap();
        assert_eq!(client.address, "https://ml.local/x");
        assert_eq!(client.authorization.as_deref(), Some(format!("Basic {}", BASE64.encode("me:se@cret")).as_str()));
        assert!(!format!("{client:?}").contains("cret"));
        for bad in ["sqlite:///mlflow.db", "databricks", "./mlruns", "http://x y", ""] {
            assert!(
                matches!(Client::new(SinkKind::Mlflow, bad, Access::default()), Err(Error::Address { .. })),
                "{bad}"
            );
        }
    }

    #[test]
    fn password_takes_precedence_over_token() {
        let (username, password) = (Some("u".to_owned()), Some("p".to_owned()));
        let both = Access { username, password, token: Some("t".into()), ..Access::default() };
        assert_eq!(both.authorization().as_deref(), Some("Basic dTpw"));
        let token = Access { token: Some("t".into()), ..Access::default() };
        assert_eq!(token.authorization().as_deref(), Some("Bearer t"));
        assert!(!format!("{token:?}").contains("\"t\""));
    }
}
