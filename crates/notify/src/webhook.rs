//! A webhook: a URL that takes JSON by POST. Slack's incoming webhooks, and those of programs that imitate them, show
//! the field `text`.

use std::path::Path;

use graft_core::is_this_machine;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::json;
use sha2::Sha256;
use ureq::{
    Agent,
    http::{Uri, header},
    tls::{PemItem, RootCerts, TlsConfig, parse_pem},
};

use crate::{Error, Notice, TIMEOUT, certificates, notice};

pub(crate) const NAME: &str = "webhook";
const SETTING: &str = "GRAFT_ALERT_WEBHOOK";
/// Version of the JSON document.
const SCHEMA: u32 = 1;
/// The host that gets only the text, because it may refuse other fields.
const SLACK: &str = "hooks.slack.com";
/// The header with the signature: `sha256=` and the HMAC-SHA256 of the body in hexadecimal digits.
const SIGNATURE: &str = "x-graft-signature";
/// Bytes of a refusal that are read, and characters of it that are shown.
const SAID: (u64, usize) = (4096, 200);
/// Replies that mean the message itself: bad request, too large, unprocessable.
const PERMANENT: [u16; 3] = [400, 413, 422];
/// Most characters of `text`: Discord refuses more than 2,000.
const LONGEST_TEXT: usize = 1900;
/// A part of the path that is at least this long may be a secret.
const SECRET_PART: usize = 6;

/// One webhook.
pub struct Webhook {
    agent: Agent,
    url: String,
    /// Without the path, which often is the only secret.
    address: String,
    secret: Option<String>,
    is_slack: bool,
    /// Path, query and their parts: refusals often quote them.
    hidden: Vec<String>,
}

impl std::fmt::Debug for Webhook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Webhook").field(&self.address).finish()
    }
}

impl Webhook {
    /// The webhook at a URL. With a secret, each request is signed. Does not connect yet.
    ///
    /// # Errors
    /// [`Error::Setting`]; [`Error::Certificates`].
    pub fn new(url: &str, secret: Option<String>, ca_file: Option<&Path>) -> Result<Self, Error> {
        let refuse = |reason: &str| Error::Setting { setting: SETTING, reason: reason.to_owned() };
        let url = url.trim();
        let parsed: Uri = url.parse().map_err(|_| refuse("it is not a URL"))?;
        let (Some(scheme @ ("http" | "https")), Some(authority)) = (parsed.scheme_str(), parsed.authority()) else {
            return Err(refuse("it begins with neither http:// nor https://"));
        };
        if authority.as_str().contains('@') {
            return Err(refuse("it has a user name; a webhook has its secret in the path"));
        }
        let address = format!("{scheme}://{authority}");
        let mut tls = TlsConfig::builder();
        if let Some(path) = ca_file {
            let pem = certificates(path)?;
            let all: Vec<_> = parse_pem(&pem)
                .filter_map(|item| match item {
                    Ok(PemItem::Certificate(certificate)) => Some(certificate),
                    _ => None,
                })
                .collect();
            tls = tls.root_certs(RootCerts::new_with_certs(&all));
        }
        let mut config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .user_agent(concat!("graft/", env!("CARGO_PKG_VERSION")))
            .timeout_global(Some(TIMEOUT))
            .tls_config(tls.build());
        if is_this_machine(authority.host()) {
            config = config.proxy(None);
        }
        let path = parsed.path_and_query().map_or("", |path| path.as_str());
        let decoded = percent_encoding::percent_decode_str(path).decode_utf8_lossy().into_owned();
        let parts = |text: &str| text.split(['/', '?', '&', '=']).map(str::to_owned).collect::<Vec<_>>();
        let mut hidden = [parts(path), parts(&decoded), vec![path.to_owned(), decoded]].concat();
        hidden.retain(|part| part.len() >= SECRET_PART);
        hidden.sort_by_key(|part| std::cmp::Reverse(part.len()));
        let is_slack = authority.host().eq_ignore_ascii_case(SLACK);
        Ok(Self { agent: config.build().new_agent(), url: url.to_owned(), address, secret, is_slack, hidden })
    }

    /// Scheme, host and port.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    pub(crate) fn send(&self, notices: &[Notice]) -> Result<(), Error> {
        let body = self.body(notices);
        let mut request = self.agent.post(&self.url).header(header::CONTENT_TYPE, "application/json");
        if let Some(secret) = &self.secret {
            request = request.header(SIGNATURE, signature(secret, &body));
        }
        let mut reply = request.send(&body).map_err(|error| Error::Unreachable {
            address: self.address.clone(),
            reason: self.without_secrets(match error {
                ureq::Error::Io(error) => error.to_string(),
                error => error.to_string(),
            }),
        })?;
        if reply.status().is_success() {
            return Ok(());
        }
        let said = reply.body_mut().with_config().limit(SAID.0).read_to_string().unwrap_or_default();
        let said = self.without_secrets(said);
        let said: String = said.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(SAID.1).collect();
        let status = reply.status().as_u16();
        let reason = format!("status {status} {said}").trim_end().to_owned();
        Err(Error::Refused { address: self.address.clone(), reason, permanent: PERMANENT.contains(&status) })
    }

    fn without_secrets(&self, mut text: String) -> String {
        for hidden in &self.hidden {
            text = text.replace(hidden, "…");
        }
        text
    }

    fn body(&self, notices: &[Notice]) -> String {
        let mut text = notice::text(notices);
        if let Some((end, _)) = text.char_indices().nth(LONGEST_TEXT) {
            text.truncate(end);
            text.push('…');
        }
        let text = escape(&text);
        match self.is_slack {
            true => json!({"text": text}),
            false => json!({"schema": SCHEMA, "text": text, "notices": notices}),
        }
        .to_string()
    }
}

/// Slack takes `<!channel>` and `<url|text>` for instructions; a quoted error must not be one.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn signature(secret: &str, body: &str) -> String {
    // HMAC accepts keys of any length, so there is no error to report.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else { return String::new() };
    mac.update(body.as_bytes());
    let digits: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256={digits}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signature_is_that_of_rfc_4231() {
        assert_eq!(
            signature("Jefe", "what do ya want for nothing?"),
            "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }

    #[test]
    fn path_of_a_webhook_is_not_printed() {
        let webhook = Webhook::new("https://hooks.slack.com/services/T0/B0/hidden", None, None).unwrap();
        assert_eq!(webhook.address(), "https://hooks.slack.com");
        assert!(!format!("{webhook:?}").contains("hidden"));
        assert_eq!(webhook.body(&[]), r#"{"text":""}"#);
        for bad in ["hooks.slack.com/hidden", "ftp://host/hidden", "https://me:hidden@host/", "hidden"] {
            let error = Webhook::new(bad, None, None).unwrap_err();
            assert!(!format!("{error:?}{error}").contains("hidden"), "{error:?}");
        }
    }

    #[test]
    fn text_holds_no_instructions_for_slack() {
        assert_eq!(escape("a <!channel> & b"), "a &lt;!channel&gt; &amp; b");
    }
}
