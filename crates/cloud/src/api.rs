//! What the clients of all providers have in common: one JSON call at a time, with the key in its header.

use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_json::Value;
use ureq::{Agent, Body, http::Response};

use crate::{Error, Key, Result};

/// How long a call may take in all.
const LIMIT: Duration = Duration::from_secs(50);
/// Longest answer, in bytes.
const LONGEST: u64 = 8 << 20;

/// A provider's API.
#[derive(Debug)]
pub(crate) struct Api {
    /// The provider's name for people.
    pub(crate) provider: &'static str,
    /// Where its keys are made.
    pub(crate) page: &'static str,
    origin: String,
    key: Key,
    agent: Agent,
}

/// What is done to a path.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Method<'a> {
    Get,
    Post(&'a Value),
    Delete,
}

impl Api {
    pub(crate) fn new(provider: &'static str, page: &'static str, origin: &str, key: Key) -> Self {
        // The key goes where it is meant to go and nowhere else: no redirects.
        let config = Agent::config_builder()
            .timeout_global(Some(LIMIT))
            .timeout_connect(Some(Duration::from_secs(10)))
            .max_redirects(0)
            .http_status_as_error(false)
            .user_agent(concat!("graft/", env!("CARGO_PKG_VERSION")))
            .build();
        Self { provider, page, origin: origin.trim_end_matches('/').to_owned(), key, agent: config.into() }
    }

    /// One call, once. Returns the status and the text of the response.
    pub(crate) fn call(&self, doing: &'static str, method: Method<'_>, path: &str) -> Result<(u16, String)> {
        let url = format!("{}/{path}", self.origin);
        let bearer = format!("Bearer {}", self.key.0);
        let sent = match method {
            Method::Get => self.agent.get(&url).header("authorization", &bearer).call(),
            Method::Delete => self.agent.delete(&url).header("authorization", &bearer).call(),
            Method::Post(body) => self
                .agent
                .post(&url)
                .header("authorization", &bearer)
                .header("content-type", "application/json")
                .send(body.to_string()),
        };
        let read = |mut response: Response<Body>| {
            let status = response.status().as_u16();
            response.body_mut().with_config().limit(LONGEST).read_to_string().map(|text| (status, text))
        };
        sent.and_then(read).map_err(|error| self.no_answer(doing, &error.to_string()))
    }

    /// What a response says.
    pub(crate) fn parse<T: DeserializeOwned>(&self, doing: &'static str, text: &str) -> Result<T> {
        serde_json::from_str(text).map_err(|error| self.no_answer(doing, &format!("its response is damaged: {error}")))
    }

    /// The error of a status that isn't the expected one, with what the response says about it.
    pub(crate) fn failure(&self, doing: &'static str, status: u16, said: Option<String>) -> Error {
        let provider = self.provider;
        let text = || format!("it responded with status {status}");
        match status {
            401 => self.bad_key(),
            429 => Error::TooMany { provider, doing },
            400..=499 if status != 408 => {
                Error::Refused { provider, doing, said: self.key.hide(&said.unwrap_or_else(text)) }
            }
            _ => self.no_answer(doing, &text()),
        }
    }

    pub(crate) fn bad_key(&self) -> Error {
        Error::BadKey { provider: self.provider, page: self.page }
    }

    pub(crate) fn no_answer(&self, doing: &'static str, said: &str) -> Error {
        Error::NoAnswer { provider: self.provider, doing, said: self.key.hide(said) }
    }
}
