//! The settings that the server needs at its start.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

use graft_engine::{AskAiTraining, serving::Options};

/// How to serve; the command line reads it from file, environment and flags.
#[derive(Clone)]
pub struct ServerConfig {
    /// Address and port to listen at.
    pub bind: SocketAddr,
    /// Names by which this server is reached, beside `localhost` and the loopback addresses.
    pub allowed_hosts: Vec<String>,
    /// Origins of other pages that may send requests, such as `http://localhost:5173` of a development server.
    pub allowed_origins: Vec<String>,
    /// The address people use, where a proxy in front speaks TLS: `https://graft.example.org`.
    pub public_url: Option<String>,
    /// Whether the server only answers for versions, as an agent does: no page, and nothing can be changed.
    pub answers_only: bool,
    /// Whether one must log in even on the loopback address.
    pub auth: bool,
    /// Password of the user `admin`, beside those in the database.
    pub password: Option<String>,
    /// A token with the role `admin`, beside those in the database.
    pub token: Option<String>,
    /// Folders under which `softPromptModelDir` may lie, beside `GRAFT_HOME`.
    pub model_roots: Vec<PathBuf>,
    /// What `POST /api/v1/admin/training/trigger` trains on.
    pub ask_ai: AskAiTraining,
    /// Hours until a session ends.
    pub session_hours: u32,
    /// Longest that a request's head may take, and longest that a part of its body may take.
    pub patience: Duration,
    /// What answering may take.
    pub serving: Options,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            bind: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8080),
            allowed_hosts: Vec::new(),
            allowed_origins: Vec::new(),
            public_url: None,
            answers_only: false,
            auth: false,
            password: None,
            token: None,
            model_roots: Vec::new(),
            ask_ai: AskAiTraining::default(),
            session_hours: 24 * 7,
            patience: Duration::from_secs(30),
            serving: Options::default(),
        }
    }
}

/// Leaves the secrets out.
impl std::fmt::Debug for ServerConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ServerConfig")
            .field("bind", &self.bind)
            .field("allowed_hosts", &self.allowed_hosts)
            .field("public_url", &self.public_url)
            .field("auth", &self.auth)
            .finish_non_exhaustive()
    }
}

impl ServerConfig {
    /// Whether only this machine can reach the server.
    #[must_use]
    pub fn is_local(&self) -> bool {
        self.bind.ip().is_loopback()
    }

    /// Whether people reach it by TLS.
    #[must_use]
    pub fn is_secure(&self) -> bool {
        self.public_url.as_deref().is_some_and(|url| url.starts_with("https://"))
    }

    /// `graft.example.org` of `https://graft.example.org/`.
    pub(crate) fn public_authority(&self) -> Option<&str> {
        let rest = self.public_url.as_deref()?.split_once("://")?.1;
        rest.split('/').next().filter(|authority| !authority.is_empty())
    }
}
