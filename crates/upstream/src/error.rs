/// Why a service gave no answer. Messages hold neither its key nor what it said.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No connection.
    #[error("reach the upstream")]
    Unreachable(#[source] Box<ureq::Error>),
    /// It took too long.
    #[error("get an answer of the upstream in time")]
    Late,
    /// It refuses the key, or requires one.
    #[error("use the upstream: it refuses the server's key (status {0})")]
    Refused(u16),
    /// It answers from another address.
    #[error("use the upstream: it redirects to another address (status {0})")]
    Redirected(u16),
    /// Its answer broke off.
    #[error("read the answer of the upstream: it broke off")]
    Broken,
    /// Its answer is longer than what is read.
    #[error("read the answer of the upstream: it is longer than {0} bytes")]
    TooLong(u64),
    /// There is no key.
    #[error("use the upstream: the server has no key for it in the environment variable `{0}`")]
    NoKey(String),
    /// The key can't be sent.
    #[error("use the upstream: its key in the environment variable `{0}` has characters that a key can't have")]
    BadKey(String),
    /// The request is no JSON object.
    #[error("pass the request on: it is no JSON object")]
    BadRequest,
    /// Many requests are under way.
    #[error("pass the request on: too many requests are under way")]
    Busy,
}

impl Error {
    /// What the owner of the server can do.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::Unreachable(_) => "check the upstream's address and the network; the server's log has the reason",
            Self::Late => "try again later, or allow it more time",
            Self::Refused(_) => "the owner of the server must correct the key",
            Self::Redirected(_) => "the owner of the server must give the address that it redirects to",
            Self::NoKey(_) | Self::BadKey(_) => "the owner of the server must set the variable and start it again",
            Self::Busy | Self::Broken => "try again",
            Self::TooLong(_) | Self::BadRequest => return None,
        })
    }
}
