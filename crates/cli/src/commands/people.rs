use std::io::{IsTerminal as _, Read as _};

use clap::{Subcommand, ValueEnum};
use graft_engine::{Engine, Error, iso8601, records::Admins};
use graft_server::auth::{Role, people};
use serde_json::json;

use crate::{
    failure::{Failure, Result},
    output::{Reply, Table},
};

#[derive(Debug, Subcommand)]
pub(crate) enum Users {
    /// List users and their roles.
    List,
    /// Add a user, or change a user's role and password. The password is read from stdin or GRAFT_NEW_PASSWORD.
    Add {
        /// Login name.
        name: String,
        /// Role: viewer reads, auditor also reviews and asks, trainer also trains, admin may do everything.
        #[arg(long, value_enum, default_value = "viewer")]
        role: RoleName,
    },
    /// Remove a user and end their sessions.
    Remove {
        /// Login name.
        name: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Tokens {
    /// List tokens, without their secrets.
    List,
    /// Create a token. It is shown only once.
    Add {
        /// Label: what the token is for.
        label: String,
        /// Role of the token.
        #[arg(long, value_enum, default_value = "auditor")]
        role: RoleName,
        /// Days until the token expires [default: never].
        #[arg(long, value_name = "N")]
        days: Option<u32>,
    },
    /// Create a review link: whoever opens it reviews the examples of one task, and reaches nothing else. It is shown only
    /// once; removing its token ends it.
    Link {
        /// Task.
        task: String,
        /// Person whom it is for; their decisions are recorded under this name.
        person: String,
        /// Days until the link expires [default: 14].
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=3650))]
        days: Option<u32>,
    },
    /// Revoke a token.
    Remove {
        /// Id as printed by `list`.
        id: String,
    },
}

/// Roles. Each includes the permissions of those before it.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum RoleName {
    /// Take versions and report them, for `graft agent`; tokens only.
    Agent,
    /// Read everything.
    Viewer,
    /// Review examples and query versions.
    Auditor,
    /// Train, import, and activate versions.
    Trainer,
    /// Everything.
    Admin,
}

impl From<RoleName> for Role {
    fn from(name: RoleName) -> Self {
        match name {
            RoleName::Agent => Self::Agent,
            RoleName::Viewer => Self::Viewer,
            RoleName::Auditor => Self::Auditor,
            RoleName::Trainer => Self::Trainer,
            RoleName::Admin => Self::Admin,
        }
    }
}

pub(crate) async fn users(engine: &Engine, admins: Admins, command: Users) -> Result<Reply> {
    match command {
        Users::List => {
            let users = engine.people().users().await?;
            let mut table = Table::new(["name", "role", "since"]);
            users
                .iter()
                .for_each(|user| table.row([user.name.clone(), user.role.name().into(), iso8601(user.created_at)]));
            Ok(Reply::new(json!({"users": users}), table.to_string()))
        }
        Users::Add { name, role } => {
            let user = people::set_user(engine, admins, &name, role.into(), &password()?).await?;
            Ok(Reply::new(json!({"user": user}), format!("{} can now log in as {}.", user.name, user.role.name())))
        }
        Users::Remove { name } => {
            let user = engine.people().remove_user(&name, admins).await?;
            Ok(Reply::new(json!({"user": user}), format!("{} can no longer log in.", user.name)))
        }
    }
}

pub(crate) async fn tokens(engine: &Engine, admins: Admins, command: Tokens) -> Result<Reply> {
    match command {
        Tokens::List => {
            let tokens = engine.people().tokens().await?;
            let mut table = Table::new(["id", "role", "label", "last used"]);
            for token in &tokens {
                let used = token.used_at.map_or_else(|| "never".to_owned(), iso8601);
                let may =
                    token.task.as_ref().map_or_else(|| token.role.name().into(), |task| format!("review of {task}"));
                table.row([token.id.clone(), may, token.label.clone(), used]);
            }
            Ok(Reply::new(json!({"tokens": tokens}), table.to_string()))
        }
        Tokens::Add { label, role, days } => {
            let (token, secret) = people::make_token(engine, admins, &label, role.into(), days).await?;
            let text = format!("{secret}\nIt is shown only once; send it as `Authorization: Bearer …`.");
            Ok(Reply::new(json!({"token": token, "secret": secret}), text))
        }
        Tokens::Link { task, person, days } => {
            let (token, path) = people::make_link(engine, admins, &person, &task, days).await?;
            let text = format!(
                "{path}\nIt is shown this once: put the server's address before it. `graft tokens remove {}` ends it.",
                token.id
            );
            Ok(Reply::new(json!({"token": token, "path": path}), text))
        }
        Tokens::Remove { id } => {
            let token = engine.people().remove_token(&id, admins).await?;
            Ok(Reply::new(json!({"token": token}), format!("Revoked token {}.", token.id)))
        }
    }
}

/// Reads a new password. It is never an argument, because other users of the machine could see it.
fn password() -> Result<String> {
    if let Ok(password) = std::env::var("GRAFT_NEW_PASSWORD") {
        return Ok(password);
    }
    if std::io::stdin().is_terminal() {
        eprintln!("Password (it is shown while you type), then Enter and Ctrl-D:");
    }
    let mut text = String::new();
    let failed = |source| Failure::from(Error::Io { doing: "read", path: "stdin".into(), source });
    std::io::stdin().take(4096).read_to_string(&mut text).map_err(failed)?;
    Ok(text.trim_end_matches(['\n', '\r']).to_owned())
}
