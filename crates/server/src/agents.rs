//! Agents as they listen: which version each is to hold, as soon as it is its turn.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::response::{Response, sse::Event};
use futures_util::stream;
use graft_core::agents::Notice;
use graft_engine::{
    Agents,
    records::{Agent, Error as StoreError},
};
use tokio::sync::watch;

use crate::{
    live::{Open, sse},
    problem::Problem,
    state::AppState,
};

/// How often the agents of a task are looked at while some listen.
const PAUSE: Duration = Duration::from_millis(200);
/// The same after a failure.
const LONG_PAUSE: Duration = Duration::from_secs(5);

type Seen = Arc<Vec<Agent>>;

/// Tasks with agents that listen. One task looks at all agents of each, however many there are.
#[derive(Debug, Default)]
pub struct AgentFeeds(Mutex<HashMap<String, watch::Receiver<Seen>>>);

impl AgentFeeds {
    /// Listens to a task's agents; the first listener starts the task that looks at them.
    fn listen(&self, state: &AppState, task: &str) -> watch::Receiver<Seen> {
        let mut feeds = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(feed) = feeds.get(task).filter(|feed| feed.has_changed().is_ok()) {
            let mut listener = feed.clone();
            listener.mark_unchanged();
            return listener;
        }
        let (tell, listener) = watch::channel(Seen::default());
        feeds.insert(task.to_owned(), listener.clone());
        tokio::spawn(look(Arc::clone(state), task.to_owned(), tell));
        listener
    }
}

/// Takes the agents of a task on until nobody listens any more.
async fn look(state: AppState, task: String, tell: watch::Sender<Seen>) {
    // One receiver is kept for those to come.
    while tell.receiver_count() > 1 && !state.is_closing() {
        match state.engine.agents().look(&task).await {
            Ok((_, agents)) => {
                tell.send_if_modified(|known| {
                    **known != agents && {
                        *known = Arc::new(agents);
                        true
                    }
                });
            }
            Err(error) => {
                tracing::warn!(error = ?error, "the agents of {task} can't be told of a version");
                tokio::time::sleep(LONG_PAUSE).await;
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
    state.agent_feeds.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&task);
}

/// Tells an agent of each version that it is to hold, the present one first.
pub(crate) async fn notices(state: &AppState, task: &str, name: &str) -> Result<Response, Problem> {
    // What the feed tells from now on may be new; what it told before is older than what is read next.
    let feed = state.agent_feeds.listen(state, task);
    let (_, agents) = state.engine.agents().look(task).await?;
    let Some(agent) = agents.iter().find(|agent| agent.name == name) else {
        let unknown = StoreError::NotFound { what: "agent", name: name.to_owned() };
        return Err(Problem::from(unknown).with_hint("it says hello first: `PUT` this path without `/events`"));
    };
    let first = Agents::notice(agent);
    let start = (first.clone().map(event), first, feed, state.closing(), name.to_owned(), Open::new(state));
    let events = stream::unfold(start, |(first, mut told, mut feed, mut closing, name, open)| async move {
        if let Some(first) = first {
            return Some((Ok(first), (None, told, feed, closing, name, open)));
        }
        loop {
            tokio::select! {
                _ = closing.wait_for(|closing| *closing) => return None,
                changed = feed.changed() => changed.ok()?,
            }
            let agents = Arc::clone(&feed.borrow_and_update());
            let notice = agents.iter().find(|agent| agent.name == name).and_then(Agents::notice);
            if let Some(notice) = notice.filter(|notice| told.as_ref() != Some(notice)) {
                told = Some(notice.clone());
                return Some((Ok(event(notice)), (None, told, feed, closing, name, open)));
            }
        }
    });
    Ok(sse(Box::pin(events)))
}

fn event(notice: Notice) -> Event {
    Event::default().event("version").data(graft_core::json::line(&notice))
}
