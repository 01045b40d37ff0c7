use std::{
    io::{self, Read as _},
    time::Duration,
};

use graft_core::is_this_machine;
use ureq::{
    Agent, BodyReader,
    http::{HeaderValue, header},
};

use crate::Error;

/// Longest that a connection may take to be made.
const CONNECT: Duration = Duration::from_secs(10);
/// Longest that an answer may take from its first byte to its last.
const LONGEST: Duration = Duration::from_secs(600);
/// Longest that sending may take: the request line and headers, and the body.
const SEND: (Duration, Duration) = (Duration::from_secs(30), Duration::from_secs(60));
/// A shorter key is none (`none`, `EMPTY`) or too common a text to be recognized in a reply.
const SHORTEST_KEY: usize = 12;
/// Largest answer that is read as a whole.
const LARGEST: u64 = 32 << 20;

/// Where a request goes.
#[derive(Clone, Copy)]
pub struct Target<'a> {
    /// The address of the API, such as `https://api.openai.com/v1`.
    pub url: &'a str,
    /// The key, if it needs one.
    pub key: Option<&'a str>,
    /// Longest until its answer begins.
    pub timeout: Duration,
}

/// A client with its connections.
#[derive(Clone, Debug)]
pub struct Client {
    agent: Agent,
}

/// What a service replies.
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// Headers that concern who asked: the type, when to come back, what is left of a limit.
    pub headers: Vec<(String, String)>,
    body: BodyReader<'static>,
    key: String,
}

impl Default for Client {
    fn default() -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            // The key must not follow to another host.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .user_agent(concat!("graft/", env!("CARGO_PKG_VERSION")))
            .timeout_connect(Some(CONNECT))
            .timeout_send_request(Some(SEND.0))
            .timeout_send_body(Some(SEND.1))
            .timeout_recv_body(Some(LONGEST));
        Self { agent: config.build().into() }
    }
}

/// Whether a key can be sent.
#[must_use]
pub fn check_key(key: &str) -> bool {
    !key.is_empty() && HeaderValue::from_str(key).is_ok()
}

impl Client {
    /// Sends a request for a chat completion, and waits until its answer begins.
    ///
    /// # Errors
    /// There is no answer, or none that concerns who asked: the key is refused, it is elsewhere.
    pub fn send(&self, target: Target<'_>, body: &str) -> Result<Reply, Error> {
        let url = format!("{}/chat/completions", target.url.trim_end_matches('/'));
        let mut config = self.agent.post(&url).config().timeout_recv_response(Some(target.timeout));
        if is_this_machine(target.url) {
            config = config.proxy(None);
        }
        let mut request = config.build().content_type("application/json");
        if let Some(key) = target.key
            && let Ok(mut value) = HeaderValue::from_str(&format!("Bearer {key}"))
        {
            value.set_sensitive(true);
            request = request.header(header::AUTHORIZATION, value);
        }
        let reply = request.send(body).map_err(|error| match error {
            ureq::Error::Timeout(what) if !is_of_connection(what) => Error::Late,
            other => Error::Unreachable(Box::new(other)),
        })?;
        let status = reply.status().as_u16();
        match status {
            // These concern the server's key and address, not those of who asked.
            401 | 403 | 407 => return Err(Error::Refused(status)),
            300..=399 => return Err(Error::Redirected(status)),
            _ => {}
        }
        let concerns = |name: &str| {
            ["content-type", "retry-after", "retry-after-ms"].contains(&name) || name.starts_with("x-ratelimit-")
        };
        let text = |(name, value): (&header::HeaderName, &HeaderValue)| {
            Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
        };
        let headers = reply.headers().iter().filter_map(text).filter(|(name, _)| concerns(name)).collect();
        let body = reply.into_body().into_reader();
        Ok(Reply { status, headers, body, key: target.key.unwrap_or_default().to_owned() })
    }
}

fn is_of_connection(timeout: ureq::Timeout) -> bool {
    matches!(timeout, ureq::Timeout::Resolve | ureq::Timeout::Connect)
}

impl Reply {
    /// Whether it is a stream of events, which is handed on piece by piece.
    #[must_use]
    pub fn is_stream(&self) -> bool {
        let is_events =
            |(name, value): &(String, String)| name == "content-type" && value.starts_with("text/event-stream");
        (200..300).contains(&self.status) && self.headers.iter().any(is_events)
    }

    /// The next bytes of a stream, as soon as there are some; none at its end.
    ///
    /// # Errors
    /// It broke off.
    pub fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.body.read(buffer)
    }

    /// All bytes. A key that the service repeats in an error is made unreadable.
    ///
    /// # Errors
    /// It broke off, is late, or too long.
    pub fn whole(self) -> Result<Vec<u8>, Error> {
        let mut bytes = Vec::new();
        self.body.take(LARGEST + 1).read_to_end(&mut bytes).map_err(|error| match error.kind() {
            io::ErrorKind::TimedOut => Error::Late,
            _ => Error::Broken,
        })?;
        if bytes.len() as u64 > LARGEST {
            return Err(Error::TooLong(LARGEST));
        }
        // Answers are passed on as they come.
        match self.status >= 400 && self.key.len() >= SHORTEST_KEY {
            true => Ok(without(bytes, self.key.as_bytes())),
            false => Ok(bytes),
        }
    }
}

impl std::fmt::Debug for Reply {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reply").field("status", &self.status).finish_non_exhaustive()
    }
}

/// Bytes in which a secret is overwritten.
fn without(mut bytes: Vec<u8>, secret: &[u8]) -> Vec<u8> {
    let mut at = 0;
    while let Some(found) = bytes.get(at..).and_then(|rest| rest.windows(secret.len()).position(|part| part == secret))
    {
        let end = at + found + secret.len();
        bytes[at + found..end].fill(b'*');
        at = end;
    }
    bytes
}
