//! The four requests of S3's protocol that published folders need, on the HTTP client that is here already. Not
//! object_store: with its own client it brings reqwest and a second provider of cryptography, and without it still
//! some dozen crates for what are two hundred lines.

use std::{thread::sleep, time::Duration};

use graft_core::Timestamp;
use ureq::{
    Agent,
    http::{Method, Request as HttpRequest, StatusCode},
};

use crate::{
    credentials::Credentials,
    sign::{Keys, Request, encoded},
    xml,
};

/// How long a bucket may take to say anything.
const PATIENCE: Duration = Duration::from_secs(60);
/// Most bytes that are taken of one object.
const MOST: u64 = 4 << 30;
/// Pauses before a request that may pass is sent again.
const PAUSES: [Duration; 3] = [Duration::from_millis(200), Duration::from_secs(1), Duration::from_secs(4)];

/// Asks one bucket.
#[derive(Debug)]
pub(crate) struct Client {
    pub(crate) agent: Agent,
    /// `https://host`.
    pub(crate) origin: String,
    /// What precedes a key in a path: `/`, or `/bucket/`.
    pub(crate) root: String,
    pub(crate) credentials: Credentials,
}

/// Why there is no answer.
#[derive(Debug)]
pub(crate) enum Fault {
    /// There is no such object.
    Absent,
    /// The keys are wrong, or may not do that.
    Refused(String),
    /// Anything else, whole.
    Failed(String),
}

impl Client {
    pub(crate) fn agent() -> Agent {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .user_agent(concat!("graft/", env!("CARGO_PKG_VERSION")))
            .accept_encoding("identity")
            .timeout_resolve(Some(PATIENCE))
            .timeout_connect(Some(Duration::from_secs(10)))
            .timeout_recv_response(Some(PATIENCE))
            .timeout_per_read(Some(PATIENCE));
        config.build().new_agent()
    }

    pub(crate) fn get(&self, key: &str) -> Result<Vec<u8>, Fault> {
        self.ask(&Method::GET, key, "", b"")
    }

    pub(crate) fn put(&self, key: &str, body: &[u8]) -> Result<(), Fault> {
        self.ask(&Method::PUT, key, "", body).map(drop)
    }

    /// Removes an object; one that isn't there is removed already.
    pub(crate) fn delete(&self, key: &str) -> Result<(), Fault> {
        match self.ask(&Method::DELETE, key, "", b"") {
            Err(Fault::Absent) => Ok(()),
            deleted => deleted.map(drop),
        }
    }

    /// The keys below a prefix, each with the time it was written.
    pub(crate) fn list(&self, prefix: &str) -> Result<Vec<(String, Timestamp)>, Fault> {
        let (mut found, mut token) = (Vec::new(), None::<String>);
        loop {
            let next = token.map_or_else(String::new, |t| format!("continuation-token={}&", encoded(&t, "")));
            let query = format!("{next}encoding-type=url&list-type=2&prefix={}", encoded(prefix, ""));
            let page = self.ask(&Method::GET, "", &query, b"")?;
            let page = xml::page(&String::from_utf8_lossy(&page)).map_err(Fault::Failed)?;
            found.extend(page.objects);
            match page.next {
                Some(next) => token = Some(next),
                None => return Ok(found),
            }
        }
    }

    /// Sends a request, and again where what failed may pass.
    fn ask(&self, method: &Method, key: &str, query: &str, body: &[u8]) -> Result<Vec<u8>, Fault> {
        let mut pauses = PAUSES.iter();
        loop {
            let keys = self.credentials.keys(&self.agent)?;
            let (fault, passes) = match self.send(&keys, method, key, query, body) {
                Ok((status, bytes)) if status.is_success() => return Ok(bytes),
                Ok((StatusCode::NOT_FOUND, bytes)) if !String::from_utf8_lossy(&bytes).contains("NoSuchBucket") => {
                    return Err(Fault::Absent);
                }
                Ok((status, bytes)) => {
                    let said = format!("{status}: {}", xml::error(&String::from_utf8_lossy(&bytes)));
                    let refused = matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN);
                    let fault = if refused { Fault::Refused(said) } else { Fault::Failed(said) };
                    (fault, status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS)
                }
                Err(error) => (Fault::Failed(error.to_string()), true),
            };
            match pauses.next() {
                Some(pause) if passes => sleep(*pause),
                _ => return Err(fault),
            }
        }
    }

    fn send(
        &self,
        keys: &Keys,
        method: &Method,
        key: &str,
        query: &str,
        body: &[u8],
    ) -> Result<(StatusCode, Vec<u8>), ureq::Error> {
        let path = format!("{}{}", self.root, encoded(key, "/"));
        let host = self.origin.split_once("://").map_or("", |(_, host)| host);
        let signed = Request { method: method.as_str(), host, path: &path, query, body };
        let mark = if query.is_empty() { "" } else { "?" };
        let mut request = HttpRequest::builder().method(method).uri(format!("{}{path}{mark}{query}", self.origin));
        let stamp = jiff::Timestamp::now().strftime("%Y%m%dT%H%M%SZ").to_string();
        for (name, value) in keys.sign(&signed, &stamp) {
            request = request.header(name, value);
        }
        let answer = match *method {
            Method::PUT => self.agent.run(request.body(body)?),
            _ => self.agent.run(request.body(())?),
        };
        let mut answer = answer?;
        let bytes = answer.body_mut().with_config().limit(MOST).read_to_vec()?;
        Ok((answer.status(), bytes))
    }
}
