//! Users, tokens and their secrets. Used by the routes and by the commands.

use std::sync::OnceLock;

use tokio::sync::Semaphore;

use argon2::{
    Argon2,
    password_hash::{PasswordHasher as _, PasswordVerifier as _, phc::PasswordHash},
};
use graft_core::Digest;
use graft_engine::{
    Engine, now,
    records::{Admins, Token, User},
};

use super::Role;
use crate::Error;

/// Shortest password, in characters.
const SHORTEST: usize = 10;
/// Longest password, in bytes: hashing takes time with length.
const LONGEST: usize = 1024;
/// Passwords that are hashed at once: each takes 19 MiB and a core.
static HASHING: Semaphore = Semaphore::const_new(2);

/// Adds a user, or gives one another role and password, which ends their sessions.
///
/// # Errors
/// [`Error::AgentUser`]; [`Error::Password`]; a store error about the name; no administrator could log in afterwards.
pub async fn set_user(engine: &Engine, admins: Admins, name: &str, role: Role, password: &str) -> Result<User, Error> {
    if role == Role::Agent {
        return Err(Error::AgentUser);
    }
    if password.chars().count() < SHORTEST || password.len() > LONGEST {
        return Err(Error::Password { shortest: SHORTEST, longest: LONGEST });
    }
    let password = password.to_owned();
    let hash = hashing(move || hash_password(&password)).await.ok_or(Error::Hash)??;
    Ok(engine.people().set_user(name, role, &hash, admins).await?)
}

/// Days that a review link is good for unless it is said.
const LINK_DAYS: u32 = 14;

/// Makes a review link for one person and the examples of one task: the token that is kept, and the address below the
/// server's own that opens it.
///
/// # Errors
/// As [`make_token`]; there is no such task.
pub async fn make_link(
    engine: &Engine,
    admins: Admins,
    person: &str,
    task: &str,
    days: Option<u32>,
) -> Result<(Token, String), Error> {
    engine.tasks().open(task).await?;
    let days = Some(days.unwrap_or(LINK_DAYS));
    let (token, secret) = make_scoped_token(engine, admins, person, (Role::Auditor, Some(task)), days).await?;
    Ok((token, format!("/login?token={secret}&next=%2Faudit%3Ftask%3D{task}")))
}

/// Makes a token; returns what is kept of it, and the token itself, which is not.
///
/// # Errors
/// [`Error::Label`]; the system has no random numbers; no administrator could log in afterwards.
pub async fn make_token(
    engine: &Engine,
    admins: Admins,
    label: &str,
    role: Role,
    days: Option<u32>,
) -> Result<(Token, String), Error> {
    make_scoped_token(engine, admins, label, (role, None), days).await
}

/// The same, for the examples of one task if it is named.
async fn make_scoped_token(
    engine: &Engine,
    admins: Admins,
    label: &str,
    (role, task): (Role, Option<&str>),
    days: Option<u32>,
) -> Result<(Token, String), Error> {
    let label = label.trim();
    if label.is_empty() || label.chars().count() > 100 || label.chars().any(char::is_control) {
        return Err(Error::Label);
    }
    let secret = secret("graft")?;
    let at = now();
    let token = Token {
        id: digest(&secret)[..12].to_owned(),
        role,
        label: label.to_owned(),
        task: task.map(str::to_owned),
        created_by: engine.by.clone(),
        created_at: at,
        used_at: None,
        expires_at: days.map(|days| at + i64::from(days.clamp(1, 3650)) * 86_400_000),
    };
    engine.people().add_token(&token, &digest(&secret), admins).await?;
    Ok((token, secret))
}

/// A password's hash with its method and salt (argon2id).
///
/// # Errors
/// [`Error::Hash`].
pub(crate) fn hash_password(password: &str) -> Result<String, Error> {
    let hash = Argon2::default().hash_password(password.as_bytes()).map_err(|_| Error::Hash)?;
    Ok(hash.to_string())
}

/// What a password that matches one of the hashes stands for. Where there is none to match, as much time is taken, so
/// that nobody learns which names exist.
pub(super) async fn verify<T: Send + 'static>(hashes: Vec<(String, T)>, password: &str) -> Option<T> {
    if password.len() > LONGEST {
        return None;
    }
    let password = password.to_owned();
    let check = move || {
        if hashes.is_empty() {
            // The result is ignored: an unknown user has no password.
            matches(nobodys(), &password);
            return None;
        }
        hashes.into_iter().find(|(hash, _)| matches(hash, &password)).map(|(_, stands_for)| stands_for)
    };
    hashing(check).await.flatten()
}

/// Runs what hashes, when it is its turn.
async fn hashing<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let turn = HASHING.acquire().await.ok()?;
    // The permit is held until the work ends, even if the caller has disconnected.
    let work = move || (work(), turn).0;
    tokio::task::spawn_blocking(work).await.ok()
}

/// What a session keeps of the configured password that opened it: the same for the same password, wherever a server
/// starts with it, and as slow to guess from as a hash.
///
/// # Errors
/// [`Error::Hash`].
pub(super) fn mark(password: &str) -> Result<String, Error> {
    let mut mark = [0_u8; 32];
    let hashed = Argon2::default().hash_password_into(password.as_bytes(), b"graft, a session's mark", &mut mark);
    hashed.map_err(|_| Error::Hash)?;
    Ok(Digest::of(&mark).to_string())
}

fn matches(hash: &str, password: &str) -> bool {
    let parsed = PasswordHash::new(hash);
    parsed.is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok())
}

/// A hash of unknown random bytes, to spend the same time if the user does not exist.
fn nobodys() -> &'static str {
    static HASH: OnceLock<String> = OnceLock::new();
    HASH.get_or_init(|| secret("nobody").and_then(|secret| hash_password(&secret)).unwrap_or_default())
}

/// 256 random bits behind a name that tells scanners what it is.
pub(super) fn secret(name: &str) -> Result<String, Error> {
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes).map_err(|_| Error::Hash)?;
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(format!("{name}_{hex}"))
}

pub(super) fn digest(secret: &str) -> String {
    super::digest_of(secret)
}
