//! Email over SMTP (RFC 5321), with lettre.

use std::{fmt, path::PathBuf, time::UNIX_EPOCH};

use graft_core::is_this_machine;
use lettre::{
    Address, Message, SmtpTransport, Transport as _,
    address::Envelope,
    message::{
        Mailbox,
        header::{ContentType, HeaderName, HeaderValue},
    },
    transport::smtp::{
        Error as SmtpError,
        authentication::Credentials,
        client::{Certificate, CertificateStore, Tls, TlsParameters},
    },
};

use crate::{Error, MAIL_TIMEOUT, Notice, certificates, notice};

pub(crate) const NAME: &str = "email";
const SETTING: &str = "GRAFT_ALERT_SMTP";
/// Reply codes that refuse a login (RFC 4954).
const LOGIN_REFUSED: [&str; 4] = ["530", "534", "535", "538"];

/// How email is sent.
#[derive(Clone, Default)]
pub struct EmailOptions {
    /// `smtps://user@host:465` (TLS) or `smtp://user@host:587` (STARTTLS; no TLS to this machine).
    pub server: String,
    /// The user's password, if it is not in the URL.
    pub password: Option<String>,
    /// The sender's address.
    pub from: String,
    /// The receivers' addresses.
    pub to: Vec<String>,
    /// Certificates to trust instead of the default ones.
    pub ca_file: Option<PathBuf>,
}

impl fmt::Debug for EmailOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EmailOptions").field("to", &self.to).finish_non_exhaustive()
    }
}

/// Mailboxes, and the mail server that delivers to them.
pub struct Email {
    transport: SmtpTransport,
    /// Scheme, host and port.
    address: String,
    from: Mailbox,
    to: Vec<Mailbox>,
}

impl fmt::Debug for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Email").field(&self.about()).finish()
    }
}

impl Email {
    /// A mail server with the addresses of messages. Does not connect yet.
    ///
    /// # Errors
    /// [`Error::Setting`]; [`Error::Certificates`].
    pub fn new(options: &EmailOptions) -> Result<Self, Error> {
        let server = Server::parse(&options.server)?;
        let address = server.address();
        let mailbox = |setting: &'static str, text: &str| -> Result<Mailbox, Error> {
            text.trim().parse().map_err(|_| Error::Setting { setting, reason: format!("`{text}` is not an address") })
        };
        let from = mailbox("GRAFT_ALERT_FROM", &options.from)?;
        let to: Vec<Mailbox> = options.to.iter().map(|one| mailbox("GRAFT_ALERT_TO", one)).collect::<Result<_, _>>()?;
        if to.is_empty() {
            return Err(Error::Setting { setting: "GRAFT_ALERT_TO", reason: "it names nobody".into() });
        }
        let tls = match (server.wrapped, is_this_machine(&server.host)) {
            (true, _) => Tls::Wrapper(parameters(&server.host, options)?),
            (false, false) => Tls::Required(parameters(&server.host, options)?),
            (false, true) => Tls::None,
        };
        let host = server.host.trim_matches(['[', ']']).to_owned();
        let mut transport =
            SmtpTransport::builder_dangerous(host).port(server.port).tls(tls).timeout(Some(MAIL_TIMEOUT));
        match (server.user, server.password.or_else(|| options.password.clone())) {
            (Some(user), Some(password)) => transport = transport.credentials(Credentials::new(user, password)),
            (Some(_), None) => {
                let reason = "its user has no password".to_owned();
                return Err(Error::Setting { setting: "GRAFT_ALERT_SMTP_PASSWORD", reason });
            }
            (None, _) => {}
        }
        Ok(Self { transport: transport.build(), address, from, to })
    }

    /// Receivers and mail server, without secrets.
    #[must_use]
    pub fn about(&self) -> String {
        let to: Vec<String> = self.to.iter().map(|one| one.email.to_string()).collect();
        format!("{} through {}", to.join(", "), self.address)
    }

    /// Each mailbox gets the message by itself: a server refuses all of them because of one.
    pub(crate) fn send(&self, notices: &[Notice]) -> Result<Option<Error>, Error> {
        let refused = |reason: String| Error::Refused { address: self.address.clone(), reason, permanent: true };
        let message = self.message(notices).map_err(|error| refused(error.to_string()))?.formatted();
        let (mut taken, mut failed) = (0, None);
        for to in &self.to {
            match self.send_to(&to.email, &message) {
                Ok(()) => taken += 1,
                // Nothing is wrong with the mailbox, so the others have the same.
                Err(error @ (Error::Unreachable { .. } | Error::Login { .. })) if taken == 0 => return Err(error),
                Err(error) => failed = Some(error),
            }
        }
        match failed {
            Some(error) if taken == 0 => Err(error),
            failed => Ok(failed),
        }
    }

    fn send_to(&self, to: &Address, message: &[u8]) -> Result<(), Error> {
        let envelope = Envelope::new(Some(self.from.email.clone()), vec![to.clone()]);
        let sent =
            envelope.map(|envelope| self.transport.send_raw(&envelope, message).map_err(|error| self.error(&error)));
        match sent {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(Error::Refused { address, reason, permanent })) => {
                Err(Error::Refused { address, reason: format!("{to}: {reason}"), permanent })
            }
            Ok(Err(error)) => Err(error),
            Err(error) => {
                Err(Error::Refused { address: self.address.clone(), reason: error.to_string(), permanent: true })
            }
        }
    }

    pub(crate) fn check(&self) -> Result<(), Error> {
        match self.transport.test_connection().map_err(|error| self.error(&error))? {
            true => Ok(()),
            false => {
                let reason = "it does not answer".to_owned();
                Err(Error::Unreachable { address: self.address.clone(), reason })
            }
        }
    }

    fn message(&self, notices: &[Notice]) -> Result<Message, lettre::error::Error> {
        let first = notices.first();
        let title: String = first.map_or("", |one| one.title.as_str()).split_whitespace().collect::<Vec<_>>().join(" ");
        let subject = match notices.len() {
            0 | 1 => format!("[Graft] {title}"),
            n => format!("[Graft] {n} notices: {title}"),
        };
        let mut message = Message::builder().from(self.from.clone()).subject(subject);
        for to in &self.to {
            message = message.to(to.clone());
        }
        if let Some(first) = first {
            // The same each time that these notices are sent, so that mail programs can drop a repetition.
            message =
                message.message_id(Some(format!("<{}.{}@{}>", first.id, notices.len(), self.from.email.domain())));
            if let Some(at) = u64::try_from(first.at).ok().map(std::time::Duration::from_millis) {
                message = message.date(UNIX_EPOCH + at);
            }
        }
        // No answers of absent people (RFC 3834).
        let automatic = HeaderValue::new(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated".to_owned());
        message.header(ContentType::TEXT_PLAIN).raw_header(automatic).body(notice::text(notices) + "\n")
    }

    fn error(&self, error: &SmtpError) -> Error {
        let (address, reason) = (self.address.clone(), error.to_string());
        match error.status().map(|code| code.to_string()) {
            Some(code) if LOGIN_REFUSED.contains(&code.as_str()) => Error::Login { address, reason },
            Some(_) => Error::Refused { address, reason, permanent: error.is_permanent() },
            None => Error::Unreachable { address, reason },
        }
    }
}

fn parameters(host: &str, options: &EmailOptions) -> Result<TlsParameters, Error> {
    let mut tls = TlsParameters::builder(host.trim_matches(['[', ']']).to_owned());
    if let Some(path) = &options.ca_file {
        let refuse = |error: SmtpError| Error::Certificates { path: path.clone(), reason: error.to_string() };
        let certificate = Certificate::from_pem(&certificates(path)?).map_err(refuse)?;
        tls = tls.certificate_store(CertificateStore::None).add_root_certificate(certificate);
    }
    tls.build().map_err(|error| Error::Setting { setting: SETTING, reason: error.to_string() })
}

/// The parts of a mail server's URL.
#[derive(PartialEq)]
struct Server {
    /// Whether TLS begins with the connection.
    wrapped: bool,
    host: String,
    port: u16,
    user: Option<String>,
    password: Option<String>,
}

impl Server {
    fn parse(url: &str) -> Result<Self, Error> {
        let refuse = |reason: &str| Error::Setting { setting: SETTING, reason: reason.to_owned() };
        let (wrapped, rest) = match url.trim().split_once("://") {
            Some(("smtps", rest)) => (true, rest),
            Some(("smtp", rest)) => (false, rest),
            _ => return Err(refuse("it begins with neither smtps:// nor smtp://")),
        };
        // At the last `@`: an unescaped one in a password must not become a part of the host, which is shown.
        let (user, host) = match rest.trim_end_matches('/').rsplit_once('@') {
            Some((user, host)) => (Some(user), host),
            None => (None, rest.trim_end_matches('/')),
        };
        if host.is_empty() || host.contains(['/', '?', '#', ' ']) {
            return Err(refuse("write it as smtps://user@host:465"));
        }
        let (host, port) = match host.rsplit_once(':').filter(|(_, port)| !port.ends_with(']')) {
            Some((host, port)) => (host, port.parse().map_err(|_| refuse("its port is not a number"))?),
            None => (host, if wrapped { 465 } else { 587 }),
        };
        let decode = |text: &str| percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned();
        let (user, password) = match user.map(|user| user.split_once(':').unwrap_or((user, ""))) {
            Some((user, password)) => (Some(decode(user)), Some(decode(password)).filter(|text| !text.is_empty())),
            None => (None, None),
        };
        Ok(Self { wrapped, host: host.to_owned(), port, user, password })
    }

    fn address(&self) -> String {
        format!("{}://{}:{}", if self.wrapped { "smtps" } else { "smtp" }, self.host, self.port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_of_mail_servers_are_read() {
        let of = |url: &str| {
            let server = Server::parse(url).unwrap();
            (server.address(), server.user, server.password)
        };
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(of("smtps://mail.example"), ("smtps://mail.example:465".into(), None, None));
        assert_eq!(of("smtp://ada@mail.example/"), ("smtp://mail.example:587".into(), some("ada"), None));
        assert_eq!(
            of("smtp://ada%40x:se%40cr:et@mail.example:25"),
            ("smtp://mail.example:25".into(), some("ada@x"), some("se@cr:et"))
        );
        assert_eq!(of("smtps://[::1]:4650"), ("smtps://[::1]:4650".into(), None, None));
    }

    #[test]
    fn password_is_not_printed() {
        let options = |server: &str| EmailOptions {
            server: server.into(),
            from: "graft@x.example".into(),
            to: vec!["ada@x.example".into()],
            ..EmailOptions::default()
        };
        let email = Email::new(&options("smtps://ada:secret@mail.example")).unwrap();
        assert_eq!(email.about(), "ada@x.example through smtps://mail.example:465");
        for bad in ["mail://ada:secret@x", "smtp://ada:secret@", "smtp://a:b/secret@x:no", "ada:secret@x"] {
            let error = Email::new(&options(bad)).unwrap_err();
            assert!(!format!("{error:?}{error}").contains("secret"), "{error:?}");
        }
        assert!(!format!("{:?}{email:?}", options("smtps://ada:secret@mail.example")).contains("secret"));
        assert!(Email::new(&options("smtps://ada@mail.example")).is_err(), "a user without a password");
    }
}
