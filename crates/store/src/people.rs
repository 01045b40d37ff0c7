//! Access control: users with passwords, programs with tokens, and sessions. The store only sees hashes of secrets; the
//! caller computes them.

use graft_core::Timestamp;
use serde::Serialize;
use serde_json::json;
use sqlx::any::AnyExecutor;
use utoipa::ToSchema;

use crate::changes::{Actor, Entry, record};
use crate::row::from_row;
use crate::scope::Scope;
use crate::{Action, Error, Kind, Store, row, statement};

names! {
    /// A role; each also has the permissions of those before it, except for what only agents do.
    #[derive(PartialOrd, Ord, Hash)]
    pub enum Role {
        /// Take versions of a task and report which one is held; for tokens only.
        Agent = "agent",
        /// Read everything.
        Viewer = "viewer",
        /// Review examples and request predictions.
        Auditor = "auditor",
        /// Train, import, and activate versions.
        Trainer = "trainer",
        /// Everything.
        Admin = "admin",
    }
}

impl Role {
    /// Whether it may do what demands another role. Who only looks doesn't speak for agents.
    #[must_use]
    pub fn may(self, demanded: Self) -> bool {
        self >= demanded && !(demanded == Self::Agent && matches!(self, Self::Viewer | Self::Auditor))
    }
}

/// Where administrators can come from. Once the first user or token exists, everybody must log in, so at least one
/// administrator must be able to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admins {
    /// Only from the database.
    Stored,
    /// The configured password or token also grants administrator rights.
    Configured,
}

/// A person who may log in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = UserView)]
pub struct User {
    /// The name to log in with.
    pub name: String,
    /// What the user may do.
    pub role: Role,
    /// Hash of the password, with its method and salt.
    #[serde(skip)]
    pub password: String,
    /// Who added the user.
    pub created_by: String,
    /// When.
    pub created_at: Timestamp,
}

/// An access token of a program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = TokenView)]
pub struct Token {
    /// Its public name.
    pub id: String,
    /// What it may do.
    pub role: Role,
    /// What it is for.
    pub label: String,
    /// For a review link: the only task whose examples it reaches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<String>,
    /// Who created it.
    pub created_by: String,
    /// When.
    pub created_at: Timestamp,
    /// When it was last used.
    pub used_at: Option<Timestamp>,
    /// When it expires.
    pub expires_at: Option<Timestamp>,
}

/// A login session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Session {
    /// The user, or the token's label.
    pub who: String,
    /// What the session may do.
    pub role: Role,
    /// When it expires.
    pub expires_at: Timestamp,
    /// For a review link: the only task whose examples it reaches.
    pub task: Option<String>,
    /// Id of the token that opened it; the session ends with the token.
    pub token: Option<String>,
    /// Fingerprint of the configured secret that opened it; the session ends when the secret changes.
    pub configured: Option<String>,
}

impl Store {
    /// Adds a user, or changes role and password of an existing one.
    ///
    /// # Errors
    /// [`Error::BadName`]; [`Error::NoAdmin`].
    pub async fn put_user(
        &self,
        name: &str,
        role: Role,
        hash: &str,
        admins: Admins,
        by: &str,
        at: Timestamp,
    ) -> Result<User, Error> {
        row::check_name("user", name)?;
        let mut tx = self.begin().await?;
        let before = find_user(&mut *tx, name).await?;
        tx.execute(
            "insert into users (name, role, password, created_by, created_at) values ($1, $2, $3, $4, $5)
             on conflict (name) do update set role = excluded.role, password = excluded.password",
            (name, role, hash, row::text(by), at),
        )
        .await?;
        keep_an_admin(&mut *tx, admins).await?;
        // Sessions opened with the old password end.
        tx.execute("delete from sessions where who = $1", name).await?;
        let action = if before.is_some() { Action::Set } else { Action::Add };
        let entry = Entry { action, kind: Kind::User, task: "", subject: name };
        let before = before.map(|user| json!({"role": user.role}));
        record(&mut tx, entry, Actor { by, at }, before.as_ref(), Some(&json!({"role": role}))).await?;
        let user = find_user(&mut *tx, name).await?;
        tx.commit().await?;
        user.ok_or_else(|| no_user(name))
    }

    /// A user, by name.
    pub async fn user(&self, name: &str) -> Result<Option<User>, Error> {
        find_user(&self.read, name).await
    }

    /// Every user, by name.
    pub async fn users(&self) -> Result<Vec<User>, Error> {
        let mut users: Vec<User> =
            statement::all(&self.read, "select name, role, password, created_by, created_at from users", ()).await?;
        users.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(users)
    }

    /// Removes a user and ends all their sessions.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::NoAdmin`] while others may log in.
    pub async fn remove_user(&self, name: &str, admins: Admins, by: &str, at: Timestamp) -> Result<(), Error> {
        let mut tx = self.begin().await?;
        let gone = find_user(&mut *tx, name).await?.ok_or_else(|| no_user(name))?;
        tx.execute("delete from sessions where who = $1", name).await?;
        tx.execute("delete from users where name = $1", name).await?;
        if gone.role == Role::Admin {
            keep_an_admin(&mut *tx, admins).await?;
        }
        let entry = Entry { action: Action::Delete, kind: Kind::User, task: "", subject: name };
        record(&mut tx, entry, Actor { by, at }, Some(&json!({"role": gone.role})), None).await?;
        tx.commit().await
    }

    /// Stores the hash of a new token.
    ///
    /// # Errors
    /// [`Error::BadName`] for its id; [`Error::NoAdmin`].
    pub async fn add_token(&self, token: &Token, hash: &str, admins: Admins) -> Result<(), Error> {
        row::check_name("token", &token.id)?;
        let mut tx = self.begin().await?;
        tx.execute(
            "insert into tokens (id, hash, role, label, created_by, created_at, expires_at, task)
             values ($1, $2, $3, $4, $5, $6, $7, $8)",
            (
                &token.id,
                hash,
                token.role,
                row::text(&token.label),
                row::text(&token.created_by),
                token.created_at,
                token.expires_at,
                token.task.as_deref(),
            ),
        )
        .await?;
        keep_an_admin(&mut *tx, admins).await?;
        let entry = Entry { action: Action::Add, kind: Kind::Token, task: "", subject: &token.id };
        let actor = Actor { by: &token.created_by, at: token.created_at };
        let mut after = json!({"role": token.role, "label": token.label});
        if let Some(task) = &token.task {
            after["task"] = json!(task);
        }
        record(&mut tx, entry, actor, None, Some(&after)).await?;
        tx.commit().await
    }

    /// The token with this hash, unless it expired. Records its use at most once a minute, if the database can be
    /// written: a long write by another process must not block logins.
    pub async fn use_token(&self, hash: &str, at: Timestamp) -> Result<Option<Token>, Error> {
        const SQL: &str = "select id, role, label, created_by, created_at, used_at, expires_at, task from tokens
             where hash = $1 and (expires_at is null or expires_at > $2)";
        let found: Option<Token> = statement::optional(&self.read, SQL, (hash, at)).await?;
        let Some(found) = found else { return Ok(None) };
        if found.used_at.is_none_or(|used| used < at - 60_000) {
            // A failed write is ignored: the next use is recorded.
            let _ = self.note_use(&found.id, at).await;
        }
        Ok(Some(found))
    }

    async fn note_use(&self, id: &str, at: Timestamp) -> Result<(), Error> {
        let mut tx = self.begin_in(Scope::Statement).await?;
        tx.execute("update tokens set used_at = $2 where id = $1", (id, at)).await?;
        tx.commit().await
    }

    /// Every token, oldest first.
    pub async fn tokens(&self) -> Result<Vec<Token>, Error> {
        statement::all(
            &self.read,
            "select id, role, label, created_by, created_at, used_at, expires_at, task from tokens order by
             created_at, id",
            (),
        )
        .await
    }

    /// Removes a token and ends the sessions that it opened.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::NoAdmin`] while others may log in.
    pub async fn remove_token(&self, id: &str, admins: Admins, by: &str, at: Timestamp) -> Result<(), Error> {
        let mut tx = self.begin().await?;
        let gone = sqlx::query("select role from tokens where id = $1").bind(id).fetch_optional(&mut *tx).await?;
        let gone = gone.ok_or_else(|| Error::NotFound { what: "token", name: id.to_owned() })?;
        tx.execute("delete from tokens where id = $1", id).await?;
        if row::get::<Role>(&gone, "role")? == Role::Admin {
            keep_an_admin(&mut *tx, admins).await?;
        }
        tx.execute("delete from sessions where token = $1", id).await?;
        let entry = Entry { action: Action::Delete, kind: Kind::Token, task: "", subject: id };
        record(&mut tx, entry, Actor { by, at }, None, None).await?;
        tx.commit().await
    }

    /// Stores the hash of a session's cookie.
    pub async fn add_session(&self, hash: &str, session: &Session, at: Timestamp) -> Result<(), Error> {
        let mut tx = self.begin().await?;
        tx.execute("delete from sessions where expires_at < $1", at).await?;
        tx.execute(
            "insert into sessions (hash, who, role, created_at, expires_at, token, configured, task)
             values ($1, $2, $3, $4, $5, $6, $7, $8)",
            (
                hash,
                row::text(&session.who),
                session.role,
                at,
                session.expires_at,
                session.token.as_deref(),
                session.configured.as_deref(),
                session.task.as_deref(),
            ),
        )
        .await?;
        tx.commit().await
    }

    /// The session with this hash, unless it expired or its token is gone.
    pub async fn session(&self, hash: &str, at: Timestamp) -> Result<Option<Session>, Error> {
        // The token is checked too: it may have been removed while a session was being opened with it.
        statement::optional(
            &self.read,
            "select who, role, expires_at, token, configured, task from sessions
             where hash = $1 and expires_at > $2 and (token is null or exists
                   (select 1 from tokens t where t.id = sessions.token
                    and (t.expires_at is null or t.expires_at > $2)))",
            (hash, at),
        )
        .await
    }

    /// Ends a session.
    pub async fn end_session(&self, hash: &str) -> Result<(), Error> {
        let mut tx = self.begin_in(Scope::Statement).await?;
        tx.execute("delete from sessions where hash = $1", hash).await?;
        tx.commit().await
    }
}

async fn find_user(on: impl AnyExecutor<'_>, name: &str) -> Result<Option<User>, Error> {
    statement::optional(on, "select name, role, password, created_by, created_at from users where name = $1", name)
        .await
}

/// Fails if everybody must log in but no administrator could. Tokens that expire don't count, because nobody could log
/// in afterwards.
async fn keep_an_admin(on: impl AnyExecutor<'_>, admins: Admins) -> Result<(), Error> {
    if admins == Admins::Configured {
        return Ok(());
    }
    let (known, admins): (i64, i64) = statement::one(
        on,
        "select (select count(*) from users) + (select count(*) from tokens) as known,
                (select count(*) from users where role = 'admin')
                + (select count(*) from tokens where role = 'admin' and expires_at is null and task is null) as admins",
        (),
    )
    .await?;
    if known > 0 && admins == 0 { Err(Error::NoAdmin) } else { Ok(()) }
}

fn no_user(name: &str) -> Error {
    Error::NotFound { what: "user", name: name.to_owned() }
}

from_row!(User { name, role, password, created_by, created_at });

from_row!(Session { who, role, expires_at, token, configured, task });

from_row!(Token { id, role, label, created_by, created_at, used_at, expires_at, task });
