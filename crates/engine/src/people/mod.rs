//! Users, tokens, sessions, idempotency keys, and messages between servers of one database.

use graft_core::Timestamp;
use graft_store::{Admins, Error as StoreError, KeyedRequest, KeyedState, Messages, Role, Session, Token, User};

use crate::{Engine, Result, now};

/// People, programs and servers. Of secrets only hashes come here.
#[derive(Clone, Copy, Debug)]
pub struct People<'e> {
    pub(crate) engine: &'e Engine,
}

impl People<'_> {
    /// Whether there is a user or a token, so that a login is required.
    pub async fn must_log_in(self) -> Result<bool> {
        let store = &self.engine.store;
        Ok(!store.users().await?.is_empty() || !store.tokens().await?.is_empty())
    }

    /// Every user, by name.
    pub async fn users(self) -> Result<Vec<User>> {
        Ok(self.engine.store.users().await?)
    }

    /// A user, by name.
    pub async fn user(self, name: &str) -> Result<Option<User>> {
        Ok(self.engine.store.user(name).await?)
    }

    /// Adds a user, or gives one another role and password, which ends their sessions.
    ///
    /// # Errors
    /// The name is invalid; no administrator could log in afterwards.
    pub async fn set_user(self, name: &str, role: Role, password_hash: &str, admins: Admins) -> Result<User> {
        Ok(self.engine.store.put_user(name, role, password_hash, admins, &self.engine.by, now()).await?)
    }

    /// Removes a user, and ends their sessions.
    ///
    /// # Errors
    /// There is none of the name, or it is the last administrator.
    pub async fn remove_user(self, name: &str, admins: Admins) -> Result<User> {
        let missing = || StoreError::NotFound { what: "user", name: name.to_owned() };
        let user = self.user(name).await?.ok_or_else(missing)?;
        self.engine.store.remove_user(name, admins, &self.engine.by, now()).await?;
        Ok(user)
    }

    /// Every token, oldest first.
    pub async fn tokens(self) -> Result<Vec<Token>> {
        Ok(self.engine.store.tokens().await?)
    }

    /// The token of a hash, unless it has ended; notes its use.
    pub async fn use_token(self, hash: &str) -> Result<Option<Token>> {
        Ok(self.engine.store.use_token(hash, now()).await?)
    }

    /// Keeps the hash of a new token.
    ///
    /// # Errors
    /// Nobody could log in as an administrator afterwards.
    pub async fn add_token(self, token: &Token, hash: &str, admins: Admins) -> Result<()> {
        Ok(self.engine.store.add_token(token, hash, admins).await?)
    }

    /// Ends a token, and the sessions that were opened with it.
    ///
    /// # Errors
    /// There is none of the id, or it is the last administrator's.
    pub async fn remove_token(self, id: &str, admins: Admins) -> Result<Token> {
        let missing = || StoreError::NotFound { what: "token", name: id.to_owned() };
        let token = self.tokens().await?.into_iter().find(|token| token.id == id).ok_or_else(missing)?;
        self.engine.store.remove_token(id, admins, &self.engine.by, now()).await?;
        Ok(token)
    }

    /// Keeps the hash of a session's cookie.
    pub async fn open_session(self, hash: &str, session: &Session, at: Timestamp) -> Result<()> {
        Ok(self.engine.store.add_session(hash, session, at).await?)
    }

    /// The session of a hash, unless it or its token has ended.
    pub async fn session(self, hash: &str) -> Result<Option<Session>> {
        Ok(self.engine.store.session(hash, now()).await?)
    }

    /// Ends a session.
    pub async fn end_session(self, hash: &str) -> Result<()> {
        Ok(self.engine.store.end_session(hash).await?)
    }

    /// Takes up a request with a key, unless a process that still works has; its answer is kept for some milliseconds.
    ///
    /// # Errors
    /// The key came with another body.
    pub async fn begin_request(self, request: KeyedRequest<'_>, kept: i64) -> Result<KeyedState> {
        let gone = |process: &str| self.engine.is_gone(process);
        Ok(self.engine.store.begin_request(request, &gone, now(), now() + kept).await?)
    }

    /// Says that a request is still being answered.
    pub async fn renew_request(self, request: KeyedRequest<'_>) -> Result<()> {
        Ok(self.engine.store.renew_request(request, now()).await?)
    }

    /// Keeps the answer to a request, status and body, or forgets the request when there is none to keep.
    pub async fn end_request(self, request: KeyedRequest<'_>, answer: Option<(u16, &str)>) -> Result<()> {
        Ok(self.engine.store.end_request(request, answer).await?)
    }

    /// Sends a message to all servers of this database. Does nothing on SQLite.
    pub async fn send_message(self, message: &str) -> Result<()> {
        Ok(self.engine.store.send_message(message).await?)
    }

    /// Subscribes to the messages of all servers of this database; `None` on SQLite.
    pub async fn messages(self) -> Option<Messages> {
        self.engine.store.messages().await
    }
}
