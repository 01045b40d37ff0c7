//! The state that all handlers share.

use std::sync::Arc;

use graft_core::Timestamp;
use graft_engine::{Engine, Proxy, Serving};
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::{
    Error, ServerConfig,
    agents::AgentFeeds,
    auth::{Auth, Operations},
    imports::Imports,
    live::{self, ChangeFeed, RunFeeds},
    metrics::Metrics,
    presence::{self, Presence},
    pulls::Pulls,
};

/// The server's parts. Handlers take it as `State<AppState>`; those who act for somebody take
/// [`Acting`](crate::extract::Acting).
#[derive(Debug)]
pub struct App {
    /// The rules, in the name of the process.
    pub engine: Engine,
    /// How to serve.
    pub config: ServerConfig,
    /// Who may do what.
    pub auth: Auth,
    /// Uploads that are being read.
    pub imports: Imports,
    /// Base models that are being downloaded.
    pub pulls: Pulls,
    /// Numbers for Prometheus.
    pub metrics: Arc<Metrics>,
    /// The audit trail as it grows.
    pub changes: ChangeFeed,
    /// Who has which example open.
    pub presence: Presence,
    /// Runs with an open stream.
    pub run_feeds: RunFeeds,
    /// Agents that listen.
    pub agent_feeds: AgentFeeds,
    /// Versions that answer.
    pub serving: Serving,
    /// Who answers for tasks that have an upstream.
    pub proxy: Proxy,
    /// When the server started.
    pub started_at: Timestamp,
    pub(crate) operations: Operations,
    /// Held while settings or tables are compared and replaced, so that no other request changes them in between.
    pub(crate) replacing: tokio::sync::Mutex<()>,
    closing: watch::Sender<bool>,
}

/// Shared by all handlers.
pub type AppState = Arc<App>;

impl App {
    /// Puts the parts together; must be called within a tokio runtime.
    ///
    /// # Errors
    /// [`Error::Unguarded`] for an address that others can reach without a login; store errors.
    pub async fn new(engine: Engine, config: ServerConfig) -> Result<AppState, Error> {
        let auth = Auth::new(&engine, &config).await?;
        if !config.is_local() && !auth.has_credentials() {
            return Err(Error::Unguarded { bind: config.bind });
        }
        let serving = Serving::start(engine.clone(), config.serving).await?;
        let metrics = Arc::new(Metrics::default());
        let counting = Arc::clone(&metrics);
        serving.on_end(move |ended| counting.answer(ended));
        let state = Arc::new(Self {
            changes: ChangeFeed::start(&engine).await?,
            imports: Imports::new(&engine).await?,
            pulls: Pulls::default(),
            presence: Presence::new(engine.process().to_owned()),
            metrics,
            run_feeds: RunFeeds::default(),
            agent_feeds: AgentFeeds::default(),
            proxy: Proxy::new(serving.clone()),
            serving,
            started_at: graft_engine::now(),
            operations: Operations::of(&crate::openapi()),
            replacing: tokio::sync::Mutex::default(),
            closing: watch::Sender::new(false),
            auth,
            engine,
            config,
        });
        tokio::spawn(live::follow_people(Arc::clone(&state)));
        if let Some(messages) = state.engine.people().messages().await {
            tokio::spawn(presence::follow(Arc::clone(&state), messages));
        }
        Ok(state)
    }

    /// Ends the streams, so that the server can end.
    pub fn close(&self) {
        self.closing.send_replace(true);
    }

    /// Whether the server is about to end.
    #[must_use]
    pub fn is_closing(&self) -> bool {
        *self.closing.borrow()
    }

    /// Hears of the end.
    pub(crate) fn closing(&self) -> watch::Receiver<bool> {
        self.closing.subscribe()
    }

    /// What answers now.
    pub(crate) fn serving_state(&self) -> Value {
        json!(self.serving.status())
    }
}
