//! Authentication and roles.

mod layer;
mod limiter;
mod operations;
pub mod people;
mod scope;

use std::{
    net::IpAddr,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use axum::http::{HeaderMap, HeaderValue, header};
use graft_core::{Digest, Timestamp};
use graft_engine::{
    Engine, now,
    records::{Admins, Session},
};
use tokio::sync::watch;

use crate::{
    Error, ServerConfig,
    problem::{Kind, Problem},
};

pub use graft_engine::records::Role;
pub(crate) use layer::{authorize, changes_state};
pub(crate) use operations::Operations;

/// Who is asking.
#[derive(Clone, Debug)]
pub struct Who {
    /// A user, or a token's label.
    pub name: String,
    /// The role.
    pub role: Role,
    /// The task whose examples are all that they reach.
    pub task: Option<String>,
    /// Whether a cookie said so, which other sites' pages could send along.
    pub by_cookie: bool,
}

/// Somebody who has logged in, and with what.
#[derive(Clone, Debug)]
pub(crate) struct Login {
    pub(crate) who: Who,
    /// When what they logged in with ends.
    until: Option<Timestamp>,
    /// The token's id.
    token: Option<String>,
    /// The configured secret's mark.
    configured: Option<String>,
}

impl Login {
    /// With a password of their own.
    fn of(name: &str, role: Role) -> Self {
        let who = Who { name: name.to_owned(), role, task: None, by_cookie: true };
        Self { who, until: None, token: None, configured: None }
    }
}

/// The address at the other end of the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Peer(pub IpAddr);

impl Default for Peer {
    fn default() -> Self {
        Self(IpAddr::from([0, 0, 0, 0]))
    }
}

/// The guard of the door.
pub struct Auth {
    /// Whether one must log in.
    required: AtomicBool,
    /// Whether a login is possible.
    credentials: AtomicBool,
    /// Whether the configuration alone demands it.
    demanded: bool,
    /// Hash of the configuration's password, and its mark in sessions.
    password: Option<(String, String)>,
    /// Digest of the configuration's token.
    token: Option<String>,
    /// Digest of the token that was printed at the start.
    first: Mutex<Option<String>>,
    limiter: limiter::Limiter,
    /// Name of the caller if no login is required.
    local: String,
    cookie: &'static str,
    secure: bool,
    session_ms: i64,
    /// Notifies streams that a user may have lost access.
    changed: watch::Sender<()>,
}

impl std::fmt::Debug for Auth {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Auth").field("required", &self.required).finish_non_exhaustive()
    }
}

impl Auth {
    pub(crate) async fn new(engine: &Engine, config: &ServerConfig) -> Result<Self, Error> {
        let auth = Self {
            required: AtomicBool::new(false),
            credentials: AtomicBool::new(false),
            demanded: config.auth || !config.is_local() || config.public_url.is_some(),
            password: config.password.as_deref().map(hash_and_mark).transpose()?,
            token: config.token.as_deref().map(people::digest),
            first: Mutex::new(None),
            limiter: limiter::Limiter::default(),
            local: "local".into(),
            cookie: if config.is_secure() { "__Host-graft" } else { "graft" },
            secure: config.is_secure(),
            session_ms: i64::from(config.session_hours) * 3_600_000,
            changed: watch::Sender::new(()),
        };
        auth.refresh(engine).await?;
        Ok(auth)
    }

    /// Looks again whether there are users or tokens.
    pub(crate) async fn refresh(&self, engine: &Engine) -> graft_engine::Result<()> {
        let credentials = engine.people().must_log_in().await? || self.admins() == Admins::Configured;
        self.credentials.store(credentials, Ordering::Relaxed);
        self.required.store(self.demanded || credentials, Ordering::Relaxed);
        self.changed.send_replace(());
        Ok(())
    }

    /// Receives a notification when a user may have lost access.
    pub(crate) fn changed(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    /// Where administrators can come from.
    pub(crate) fn admins(&self) -> Admins {
        let configured = self.password.is_some() || self.token.is_some();
        if configured { Admins::Configured } else { Admins::Stored }
    }

    /// Whether one must log in.
    #[must_use]
    pub fn required(&self) -> bool {
        self.required.load(Ordering::Relaxed)
    }

    /// Whether there is a user, a token or a configured secret.
    #[must_use]
    pub fn has_credentials(&self) -> bool {
        self.credentials.load(Ordering::Relaxed)
    }

    /// A token that logs in once as `admin`, for the address that is printed at the start.
    ///
    /// # Errors
    /// The system has no random numbers.
    pub fn first_token(&self) -> Result<String, Error> {
        let token = people::secret("first")?;
        *self.first.lock().unwrap_or_else(PoisonError::into_inner) = Some(people::digest(&token));
        Ok(token)
    }

    /// The caller if no login is required.
    pub(crate) fn anonymous(&self) -> Option<Who> {
        (!self.required()).then(|| Who { name: self.local.clone(), role: Role::Admin, task: None, by_cookie: false })
    }

    /// Who a request says it comes from: a bearer token first, then the session's cookie.
    pub(crate) async fn identify(&self, engine: &Engine, headers: &HeaderMap) -> Result<Option<Who>, Problem> {
        if let Some(token) = bearer(headers) {
            let login = self.token_holder(engine, token).await?;
            let who = login.map(|login| Who { by_cookie: false, ..login.who });
            return Ok(who.or_else(|| self.anonymous()));
        }
        if let Some(cookie) = self.cookie_of(headers) {
            let session = engine.people().session(&people::digest(cookie)).await?;
            if let Some(session) = session.filter(|session| self.is_configured(session.configured.as_deref())) {
                return Ok(Some(Who { name: session.who, role: session.role, task: session.task, by_cookie: true }));
            }
        }
        Ok(self.anonymous())
    }

    /// Whether the configured secret that a session was opened with, if it was one, still is configured.
    fn is_configured(&self, mark: Option<&str>) -> bool {
        let marks = self.token.iter().chain(self.password.iter().map(|(_, mark)| mark));
        mark.is_none_or(|opened| marks.into_iter().any(|mark| mark == opened))
    }

    async fn token_holder(&self, engine: &Engine, token: &str) -> Result<Option<Login>, Problem> {
        let digest = people::digest(token);
        if self.token.as_ref() == Some(&digest) {
            return Ok(Some(Login { configured: Some(digest), ..Login::of("token", Role::Admin) }));
        }
        let found = engine.people().use_token(&digest).await?;
        Ok(found.map(|token| {
            let who = Who { name: token.label, role: token.role, task: token.task, by_cookie: true };
            Login { who, until: token.expires_at, token: Some(token.id), configured: None }
        }))
    }

    /// Logs in with a token: one of the database, the configuration's, or that of the start, which is used up.
    pub(crate) async fn by_token(&self, engine: &Engine, token: &str, peer: Peer) -> Result<Login, Problem> {
        self.limiter.attempt(peer)?;
        let digest = people::digest(token);
        let is_first = {
            let mut first = self.first.lock().unwrap_or_else(PoisonError::into_inner);
            first.take_if(|first| *first == digest).is_some()
        };
        let login = match is_first {
            true => Some(Login::of("admin", Role::Admin)),
            // An agent has no use for a session.
            false => self.token_holder(engine, token).await?.filter(|login| login.who.role != Role::Agent),
        };
        self.limited(peer, login, "the token is unknown or expired")
    }

    /// Logs in with a password.
    pub(crate) async fn by_password(
        &self,
        engine: &Engine,
        name: &str,
        password: &str,
        peer: Peer,
    ) -> Result<Login, Problem> {
        self.limiter.attempt(peer)?;
        let user = engine.people().user(name).await?;
        let user = user.map(|user| (user.password, Login::of(name, user.role)));
        let configured = self.password.as_ref().filter(|_| name == "admin").map(|(hash, mark)| {
            (hash.clone(), Login { configured: Some(mark.clone()), ..Login::of(name, Role::Admin) })
        });
        let login = people::verify(user.into_iter().chain(configured).collect(), password).await;
        self.limited(peer, login, "name or password is wrong")
    }

    fn limited(&self, peer: Peer, login: Option<Login>, refusal: &str) -> Result<Login, Problem> {
        let login = login.ok_or_else(|| Problem::new(Kind::Unauthenticated, refusal))?;
        self.limiter.forget(peer);
        Ok(login)
    }

    /// Begins a session, which ends at the latest with what opened it; returns the cookie.
    pub(crate) async fn open_session(&self, engine: &Engine, login: &Login) -> Result<HeaderValue, Problem> {
        let secret = people::secret("session").map_err(|_| Problem::new(Kind::Internal, "no random numbers"))?;
        let at = now();
        let longest = at + self.session_ms;
        let expires_at = login.until.map_or(longest, |until| until.min(longest));
        let session = Session {
            who: login.who.name.clone(),
            role: login.who.role,
            task: login.who.task.clone(),
            expires_at,
            token: login.token.clone(),
            configured: login.configured.clone(),
        };
        engine.people().open_session(&people::digest(&secret), &session, at).await?;
        Ok(self.set_cookie(&secret, (expires_at - at) / 1000))
    }

    /// Ends the session of a request; returns a cookie that takes its cookie away.
    pub(crate) async fn close_session(&self, engine: &Engine, headers: &HeaderMap) -> Result<HeaderValue, Problem> {
        if let Some(cookie) = self.cookie_of(headers) {
            engine.people().end_session(&people::digest(cookie)).await?;
            self.changed.send_replace(());
        }
        Ok(self.set_cookie("", 0))
    }

    fn set_cookie(&self, value: &str, seconds: i64) -> HeaderValue {
        let secure = if self.secure { "; Secure" } else { "" };
        let cookie = format!("{}={value}; Path=/; HttpOnly; SameSite=Strict; Max-Age={seconds}{secure}", self.cookie);
        // A name of ours and hexadecimal digits are a valid header.
        HeaderValue::from_str(&cookie).unwrap_or(HeaderValue::from_static(""))
    }

    fn cookie_of<'h>(&self, headers: &'h HeaderMap) -> Option<&'h str> {
        let all = headers.get_all(header::COOKIE).into_iter().filter_map(|value| value.to_str().ok());
        let mut pairs = all.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
        pairs.find(|(name, _)| *name == self.cookie).map(|(_, value)| value)
    }
}

/// The token of an `Authorization` header.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn hash_and_mark(password: &str) -> Result<(String, String), Error> {
    Ok((people::hash_password(password)?, people::mark(password)?))
}

/// 128 random bits as a name that cannot be guessed.
pub(crate) fn random_name() -> Result<String, Error> {
    Ok(people::secret("x")?.chars().skip(2).take(32).collect())
}

/// A secret's digest, which is all that is kept of it: secrets of 256 random bits need no slow hash.
pub(crate) fn digest_of(secret: &str) -> String {
    Digest::of(secret.as_bytes()).to_string()
}
