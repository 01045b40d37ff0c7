//! Keeps what answers here in step with a server: docs/agents.md describes the requests.
//!
//! [`Agent::follow`] never ends and gives nothing up: while the server can't be reached, what is held goes on answering.
//! The server decides when a version is told again; here only connections are tried again.

mod error;

use std::{
    fs,
    io::{BufRead as _, BufReader},
    path::PathBuf,
    thread::sleep,
    time::{Duration, Instant},
};

use graft_core::{
    Digest,
    agents::{BUNDLE_FORMAT, Hello, Notice, Report, bundle_digest, proof},
    is_this_machine, with_causes,
};
use serde_json::Value;
use ureq::{
    Body,
    http::Response,
    tls::{PemItem, RootCerts, TlsConfig, parse_pem},
};

pub use error::Error;

/// How long the server may take to answer, or to send the next part: it sends a sign of life every ten seconds.
const PATIENCE: Duration = Duration::from_secs(30);
/// After this long the agent says hello again; the server wants to hear it once a minute.
const SESSION: Duration = Duration::from_secs(45);
/// The longest pause between attempts to connect.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// Largest bundle, in bytes.
const MOST: u64 = 4 << 30;
/// Characters of an answer that are shown.
const SHOWN: usize = 300;

/// Whom to follow, and as what.
#[derive(Clone)]
pub struct Options {
    /// URL of the server.
    pub server: String,
    /// What it lets the agent in with.
    pub token: Option<String>,
    /// Name of the task.
    pub task: String,
    /// The agent's name, unique within the task.
    pub name: String,
    /// New versions go to wave 1 first.
    pub wave: u32,
    /// Certificates to trust, instead of the usual ones.
    pub ca_file: Option<PathBuf>,
}

/// What holds the version, and answers with it.
pub trait Holder {
    /// Digest of the bundle that answers now.
    fn held(&self) -> Option<Digest>;

    /// Lets the version of a bundle answer. Nothing has changed where that fails.
    ///
    /// # Errors
    /// Why it can't answer, for people.
    fn hold(&mut self, bundle: &[u8]) -> Result<(), String>;
}

/// A client of one server for one task.
pub struct Agent {
    options: Options,
    http: ureq::Agent,
    address: String,
}

impl Agent {
    /// Nothing is sent yet.
    ///
    /// # Errors
    /// [`Error::Address`]; [`Error::Certificates`].
    pub fn new(options: Options) -> Result<Self, Error> {
        let address = options.server.trim().trim_end_matches('/').to_owned();
        let refuse = |reason| Error::Address { address: address.clone(), reason };
        if !["http://", "https://"].iter().any(|scheme| address.starts_with(scheme)) {
            return Err(refuse("it begins with neither http:// nor https://"));
        }
        if address.parse::<ureq::http::Uri>().is_err() || address.contains(['?', '#', '@']) {
            return Err(refuse("it is no URL of a server"));
        }
        let mut config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .user_agent(concat!("graft-agent/", env!("CARGO_PKG_VERSION")))
            .accept_encoding("identity")
            .timeout_resolve(Some(PATIENCE))
            .timeout_connect(Some(PATIENCE))
            .timeout_recv_response(Some(PATIENCE))
            .timeout_per_read(Some(PATIENCE));
        if let Some(path) = &options.ca_file {
            config = config.tls_config(TlsConfig::builder().root_certs(authorities(path)?).build());
        }
        if is_this_machine(&address) {
            config = config.proxy(None);
        }
        Ok(Self { http: config.build().new_agent(), address, options })
    }

    /// Follows the server for as long as the process lives.
    pub fn follow(&self, holder: &mut dyn Holder) -> ! {
        let mut pause = Duration::from_secs(1);
        loop {
            match self.session(holder) {
                Ok(()) => pause = Duration::from_secs(1),
                Err(error) => {
                    let hint = error.hint().map(|hint| format!("; {hint}")).unwrap_or_default();
                    tracing::warn!("failed to {}{hint}", with_causes(&error));
                    sleep(pause);
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
            }
        }
    }

    /// Says hello, and takes the versions that it is told of for the better part of a minute.
    ///
    /// # Errors
    /// The server can't be reached, or refuses.
    pub fn session(&self, holder: &mut dyn Holder) -> Result<(), Error> {
        let began = Instant::now();
        let hello = Hello {
            wave: self.options.wave,
            graft: env!("CARGO_PKG_VERSION").to_owned(),
            format: BUNDLE_FORMAT,
            holds: holder.held(),
        };
        let request = self.http.put(self.url("agents", &self.options.name));
        self.send("say hello", request, &hello)?;
        let request = self.named(self.http.get(self.url("agents", &format!("{}/events", self.options.name))));
        let events = self.passed("listen", request.call())?;
        let mut event = String::new();
        for line in BufReader::new(events.into_body().into_reader()).lines() {
            // The server ended, or said nothing for too long: the next session finds out.
            let Ok(line) = line else { return Ok(()) };
            if let Some(name) = line.strip_prefix("event:") {
                name.trim().clone_into(&mut event);
            } else if let Some(data) = line.strip_prefix("data:").filter(|_| event == "version") {
                let notice = serde_json::from_str(data).map_err(|error| Error::Odd(error.to_string()))?;
                self.take(&notice, holder)?;
            }
            if began.elapsed() >= SESSION {
                break;
            }
        }
        Ok(())
    }

    /// Takes a version, and reports what became of it.
    fn take(&self, notice: &Notice, holder: &mut dyn Holder) -> Result<(), Error> {
        let taken = self.download(&notice.digest).map_err(|error| format!("failed to {}", with_causes(&error)));
        let held = taken.and_then(|bundle| {
            // What is held already only has to be proven.
            if holder.held().as_ref() != Some(&notice.digest) {
                holder.hold(&bundle)?;
            }
            Ok(proof(&notice.nonce, &bundle))
        });
        match &held {
            Ok(_) => tracing::info!("holds version {} ({})", notice.version, notice.digest.short()),
            Err(problem) => tracing::warn!("version {}: {problem}", notice.version),
        }
        let (nonce, digest) = (notice.nonce.clone(), notice.digest.clone());
        let report = match held {
            Ok(proof) => Report { nonce, digest, proof: Some(proof), problem: None },
            Err(problem) => Report { nonce, digest, proof: None, problem: Some(problem) },
        };
        let request = self.http.post(self.url("agents", &format!("{}/reports", self.options.name)));
        self.send("report", request, &report)
    }

    /// A bundle with the digest that was told.
    fn download(&self, wanted: &Digest) -> Result<Vec<u8>, Error> {
        let request = self.http.get(self.url("bundles", wanted.as_str()));
        let request = self.named(request.config().timeout_global(Some(PATIENCE)).build());
        let mut answer = self.passed("download the version", request.call())?;
        let bytes = answer.body_mut().with_config().limit(MOST).read_to_vec();
        let bytes = bytes.map_err(|source| self.unreachable(source))?;
        let found = bundle_digest(&bytes);
        match found == *wanted {
            true => Ok(bytes),
            false => Err(Error::Damaged { found: found.short().to_owned(), wanted: wanted.short().to_owned() }),
        }
    }

    fn url(&self, what: &str, rest: &str) -> String {
        format!("{}/api/v1/tasks/{}/{what}/{rest}", self.address, self.options.task)
    }

    fn named<B>(&self, request: ureq::RequestBuilder<B>) -> ureq::RequestBuilder<B> {
        match &self.options.token {
            Some(token) => request.header("authorization", format!("Bearer {token}")),
            None => request,
        }
    }

    fn send(
        &self,
        doing: &'static str,
        request: ureq::RequestBuilder<ureq::typestate::WithBody>,
        body: &impl serde::Serialize,
    ) -> Result<(), Error> {
        let request = self.named(request).header("content-type", "application/json");
        self.passed(doing, request.send(graft_core::json::line(body))).map(drop)
    }

    /// An answer of success, or the error that it is.
    fn passed(
        &self,
        doing: &'static str,
        answer: Result<Response<Body>, ureq::Error>,
    ) -> Result<Response<Body>, Error> {
        let mut answer = answer.map_err(|source| self.unreachable(source))?;
        let status = answer.status();
        if status.is_success() {
            return Ok(answer);
        }
        let text = answer.body_mut().with_config().limit(1 << 20).read_to_string().unwrap_or_default();
        let detail =
            serde_json::from_str::<Value>(&text).ok().and_then(|json| Some(json["detail"].as_str()?.to_owned()));
        let said = detail.unwrap_or(text).chars().take(SHOWN).collect();
        Err(Error::Refused { doing, status: status.as_u16(), said })
    }

    fn unreachable(&self, source: ureq::Error) -> Error {
        Error::Unreachable { address: self.address.clone(), source: Box::new(source) }
    }
}

/// The certificates of a PEM file.
fn authorities(path: &PathBuf) -> Result<RootCerts, Error> {
    let bad = |reason: String| Error::Certificates { path: path.display().to_string(), reason };
    let pem = fs::read(path).map_err(|error| bad(error.to_string()))?;
    let mut found = Vec::new();
    for item in parse_pem(&pem) {
        if let PemItem::Certificate(certificate) = item.map_err(|error| bad(error.to_string()))? {
            found.push(certificate);
        }
    }
    if found.is_empty() { Err(bad("it holds none".to_owned())) } else { Ok(found.into()) }
}
