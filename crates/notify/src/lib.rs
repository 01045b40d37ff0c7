//! Sends notices to people: JSON to a webhook, and email over SMTP.
//!
//! A [`Receiver`] gets several [`Notice`]s at once. The caller stores what was sent; a notice that is sent again has the
//! same id. The calls block, with timeouts.

mod email;
mod error;
mod notice;
mod webhook;

pub use email::{Email, EmailOptions};
pub use error::Error;
pub use notice::{Notice, NoticeState};
pub use webhook::Webhook;

use std::{path::Path, time::Duration};

/// Timeout of one network operation.
const TIMEOUT: Duration = Duration::from_secs(20);
/// The same for a mail server, which may look for viruses before it takes a message.
const MAIL_TIMEOUT: Duration = Duration::from_secs(60);

/// Where notices are sent.
#[derive(Debug)]
pub enum Receiver {
    /// A URL that takes JSON.
    Webhook(Webhook),
    /// Mailboxes, through a mail server.
    Email(Email),
}

impl Receiver {
    /// `webhook` or `email`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Webhook(_) => webhook::NAME,
            Self::Email(_) => email::NAME,
        }
    }

    /// The receiver for people, without secrets.
    #[must_use]
    pub fn about(&self) -> String {
        match self {
            Self::Webhook(webhook) => webhook.address().to_owned(),
            Self::Email(email) => email.about(),
        }
    }

    /// Sends notices as one message. Returns the error of those mailboxes that refused it, if others took it.
    ///
    /// # Errors
    /// The receiver can't be reached, or refuses the message.
    pub fn send(&self, notices: &[Notice]) -> Result<Option<Error>, Error> {
        match self {
            Self::Webhook(webhook) => webhook.send(notices).map(|()| None),
            Self::Email(email) => email.send(notices),
        }
    }

    /// Checks as much as is possible without a message: logs in to the mail server; a webhook is not called.
    ///
    /// # Errors
    /// The mail server can't be reached, or refuses the login.
    pub fn check(&self) -> Result<(), Error> {
        match self {
            Self::Webhook(_) => Ok(()),
            Self::Email(email) => email.check(),
        }
    }
}

/// The bytes of a file of certificates.
fn certificates(path: &Path) -> Result<Vec<u8>, Error> {
    std::fs::read(path).map_err(|error| Error::Certificates { path: path.to_owned(), reason: error.to_string() })
}
