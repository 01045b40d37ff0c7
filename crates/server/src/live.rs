//! Live events: the audit trail, and single runs.
//!
//! One task reads each source, however many clients listen; all clients share what it reads.

use std::{
    collections::{HashMap, VecDeque},
    convert::Infallible,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::{
    http::{HeaderMap, HeaderName, HeaderValue},
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use futures_util::{Stream, stream};
use graft_engine::{
    Engine, News, Pulse,
    records::{Change, ChangeFilter, Kind, LogStream, LogText, RunState},
};
use serde_json::json;
use tokio::sync::{broadcast, watch};

use crate::{advice, presence::Seat, problem::Problem, routes::presence::Seats, state::AppState};

/// Messages that a slow client may be behind before it reads them again from the source.
const BEHIND: usize = 1024;
/// Changes read at once.
const PAGE: u32 = 500;
/// Changes, or events of a run, read at once for one client that comes back: it keeps them until it has taken them.
const REPLAY: u32 = 100;
/// How often a watched run is looked at.
const PAUSE: Duration = Duration::from_millis(200);
/// How long a client waits before it reads again what could not be read.
const LONG_PAUSE: Duration = Duration::from_secs(2);
/// Bytes from the end of a log that a new client receives.
const TAIL: u64 = 64 << 10;

/// The cursor that a client brings along when it comes back.
pub(crate) fn last_event_id(headers: &HeaderMap) -> Option<i64> {
    headers.get("last-event-id")?.to_str().ok()?.trim().parse().ok().filter(|id| *id >= 0)
}

/// The audit trail as it grows, read by one task and shared by all who listen.
#[derive(Debug)]
pub struct ChangeFeed {
    messages: broadcast::Sender<Arc<Message>>,
    newest: watch::Receiver<i64>,
}

/// A change as it is sent.
#[derive(Debug)]
struct Message {
    seq: i64,
    kind: Kind,
    json: String,
}

impl Message {
    fn of(change: &Change) -> Arc<Self> {
        let json = graft_core::json::line(change);
        Arc::new(Self { seq: change.seq, kind: change.kind, json })
    }
}

impl ChangeFeed {
    pub(crate) async fn start(engine: &Engine) -> graft_engine::Result<Self> {
        let mut watch = engine.upkeep().watch().await?;
        let (tell_newest, newest) = watch::channel(watch.newest());
        let (messages, _) = broadcast::channel(BEHIND);
        let (engine, tell) = (engine.clone(), messages.clone());
        tokio::spawn(async move {
            while watch.changed().await.is_some() {
                loop {
                    let after = *tell_newest.borrow();
                    // Without it the next change brings these along.
                    let Ok(changes) = changes_after(&engine, after, PAGE).await else { break };
                    for change in &changes {
                        tell_newest.send_replace(change.seq);
                        // Nobody may be listening.
                        let _ = tell.send(Message::of(change));
                    }
                    if changes.len() < PAGE as usize {
                        break;
                    }
                }
            }
        });
        Ok(Self { messages, newest })
    }
}

async fn changes_after(engine: &Engine, after: i64, most: u32) -> graft_engine::Result<Vec<Change>> {
    engine.upkeep().changes(&ChangeFilter { after, limit: Some(most), ..ChangeFilter::default() }).await
}

/// Looks again at who may log in whenever that changes, whichever process changed it, until the server ends.
pub(crate) async fn follow_people(state: AppState) {
    let (mut messages, mut closing) = (state.changes.messages.subscribe(), state.closing());
    loop {
        let message = tokio::select! {
            _ = closing.wait_for(|closing| *closing) => return,
            message = messages.recv() => message,
        };
        let about_people = match message {
            Ok(message) => matches!(message.kind, Kind::User | Kind::Token),
            Err(broadcast::error::RecvError::Lagged(_)) => true,
            Err(broadcast::error::RecvError::Closed) => return,
        };
        if about_people && let Err(error) = state.auth.refresh(&state.engine).await {
            tracing::error!(error = ?error, "cannot read the credentials");
        }
    }
}

/// An event for a client of the audit trail.
enum Told {
    Change(Arc<Message>),
    /// Who has which example open now.
    Presence(Vec<Seat>),
}

impl Told {
    fn event(self) -> Event {
        match self {
            Self::Change(message) => Event::default().event("change").id(message.seq.to_string()).data(&message.json),
            // Without an id: the cursor stays where it is.
            Self::Presence(seats) => Event::default().event("presence").data(graft_core::json::line(&Seats { seats })),
        }
    }
}

/// One client's place in the audit trail.
struct ChangeCursor {
    state: AppState,
    last: i64,
    /// Read from the store, not told yet.
    backlog: VecDeque<Arc<Message>>,
    /// Whether there may be more in the store than the backlog.
    replaying: bool,
    messages: broadcast::Receiver<Arc<Message>>,
    presence: watch::Receiver<Vec<Seat>>,
    closing: watch::Receiver<bool>,
    _open: Open,
}

impl ChangeCursor {
    async fn next(&mut self) -> Option<Told> {
        loop {
            if let Some(message) = self.backlog.pop_front() {
                self.last = message.seq;
                return Some(Told::Change(message));
            }
            if self.replaying {
                // Boxed: a stream that waits for what comes must not be as large as a question to the database.
                let page = Box::pin(changes_after(&self.state.engine, self.last, REPLAY)).await.ok()?;
                self.replaying = !page.is_empty();
                self.backlog.extend(page.iter().map(Message::of));
                continue;
            }
            tokio::select! {
                _ = self.closing.wait_for(|closing| *closing) => return None,
                changed = self.presence.changed() => {
                    changed.ok()?;
                    return Some(Told::Presence(self.presence.borrow_and_update().clone()));
                }
                message = self.messages.recv() => match message {
                    Ok(message) if message.seq > self.last => self.backlog.push_back(message),
                    Ok(_) => {}
                    Err(broadcast::error::RecvError::Lagged(_)) => self.replaying = true,
                    Err(broadcast::error::RecvError::Closed) => return None,
                },
            }
        }
    }
}

/// Counts an open stream until it is dropped.
pub(crate) struct Open(AppState);

impl Open {
    pub(crate) fn new(state: &AppState) -> Self {
        state.metrics.stream(1);
        Self(Arc::clone(state))
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.metrics.stream(-1);
    }
}

/// The changes after one, or those to come.
pub(crate) async fn changes(state: &AppState, after: Option<i64>) -> Result<Response, Problem> {
    let messages = state.changes.messages.subscribe();
    let newest = *state.changes.newest.borrow();
    let last = match after {
        // From before a backup was restored, or another process's that is ahead.
        Some(after) if after > newest => after.min(state.engine.upkeep().newest_change().await?),
        after => after.unwrap_or(newest),
    };
    let cursor = ChangeCursor {
        last,
        backlog: VecDeque::new(),
        replaying: after.is_some(),
        messages,
        presence: state.presence.listen(),
        closing: state.closing(),
        _open: Open::new(state),
        state: Arc::clone(state),
    };
    let events = stream::unfold(cursor, |mut cursor| async move {
        let event = cursor.next().await?.event();
        Some((Ok(event), cursor))
    });
    Ok(sse(Box::pin(events)))
}

pub(crate) type Events = Pin<Box<dyn Stream<Item = Result<Event, Infallible>> + Send>>;

/// A stream of events as an answer, with a sign of life every ten seconds.
pub(crate) fn sse(events: Events) -> Response {
    let alive = KeepAlive::new().interval(Duration::from_secs(10)).text("alive");
    (unheld(), Sse::new(events).keep_alive(alive)).into_response()
}

/// Tells proxies that they must not hold events back.
pub(crate) fn unheld() -> [(HeaderName, HeaderValue); 1] {
    [(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"))]
}

/// Runs with open streams. One task per run checks for new events; each client then reads from its own
/// place.
#[derive(Debug, Default)]
pub struct RunFeeds(Mutex<HashMap<String, watch::Receiver<Pulse>>>);

impl RunFeeds {
    /// Listens to a run; the first listener starts the task that looks at it.
    fn listen(&self, state: &AppState, run: &str) -> watch::Receiver<Pulse> {
        let mut feeds = self.all();
        if let Some(feed) = feeds.get(run).filter(|feed| feed.has_changed().is_ok()) {
            return feed.clone();
        }
        let (tell, listener) = watch::channel(Pulse::default());
        feeds.insert(run.to_owned(), listener.clone());
        let (state, run) = (Arc::clone(state), run.to_owned());
        tokio::spawn(async move { watch_run(&state, &run, tell).await });
        listener
    }

    fn all(&self) -> MutexGuard<'_, HashMap<String, watch::Receiver<Pulse>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Notifies about new events of a run until it has ended or no stream is open.
async fn watch_run(state: &AppState, run: &str, tell: watch::Sender<Pulse>) {
    // One receiver is kept for those to come.
    while tell.receiver_count() > 1 && !state.is_closing() {
        if let Some(pulse) = state.engine.runs().pulse(run).await {
            let has_ended = pulse.ended.is_some();
            tell.send_if_modified(|known| {
                *known != pulse && {
                    *known = pulse;
                    true
                }
            });
            if has_ended {
                break;
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
    state.run_feeds.all().remove(run);
}

const STREAMS: [LogStream; 2] = [LogStream::Stdout, LogStream::Stderr];

/// One client's place in a run.
struct RunCursor {
    state: AppState,
    run: String,
    seq: u64,
    /// Bytes sent of stdout and stderr.
    told: [u64; 2],
    backlog: VecDeque<Event>,
    ended: bool,
    pulse: watch::Receiver<Pulse>,
    closing: watch::Receiver<bool>,
    _open: Open,
}

impl RunCursor {
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.backlog.pop_front() {
                return Some(event);
            }
            if self.ended {
                return None;
            }
            let ended = self.pulse.borrow_and_update().ended;
            // Boxed: a stream that waits for what comes must not be as large as a question to the database.
            let is_read = Box::pin(self.read()).await;
            match ended {
                _ if !self.backlog.is_empty() => {}
                Some(state) if is_read => {
                    let state = state.map(RunState::name);
                    self.backlog.push_back(Event::default().event("end").data(json!({"state": state}).to_string()));
                    self.ended = true;
                }
                _ => tokio::select! {
                    _ = self.closing.wait_for(|closing| *closing) => return None,
                    // What could not be read now is read then.
                    () = tokio::time::sleep(LONG_PAUSE) => {}
                    changed = self.pulse.changed() => if changed.is_err() && !self.state.is_closing() {
                        // Its watcher ended for want of listeners just as this one came.
                        self.pulse = self.state.run_feeds.listen(&self.state, &self.run);
                    },
                },
            }
        }
    }

    /// Reads what there is beyond what was told; says whether that could be read.
    async fn read(&mut self) -> bool {
        let news = self.state.engine.runs().news(&self.run, self.seq, self.told, REPLAY).await;
        let Ok(News { events, logs }) = news else { return false };
        for event in events {
            self.seq = event.seq;
            self.backlog.push_back(run_event(event.seq, &graft_core::json::line(&advice::of_event(event))));
        }
        for ((stream, told), part) in STREAMS.into_iter().zip(&mut self.told).zip(logs) {
            let from = std::mem::replace(told, part.next.max(*told));
            if !part.text.is_empty() {
                self.backlog.push_back(log_event(stream, from, &part));
            }
        }
        true
    }
}

fn run_event(seq: u64, json: &str) -> Event {
    Event::default().event("event").id(seq.to_string()).data(json)
}

fn log_event(stream: LogStream, from: u64, part: &LogText) -> Event {
    let data = json!({"stream": stream, "offset": from, "text": part.text, "next": part.next});
    Event::default().event("log").data(data.to_string())
}

/// A run's events after one, the ends of its logs, and what is to come.
pub(crate) async fn run(state: &AppState, run: &str, after: u64) -> Result<Response, Problem> {
    let size = state.engine.runs().known(run).await?.cursor;
    let cursor = RunCursor {
        pulse: state.run_feeds.listen(state, run),
        run: run.to_owned(),
        seq: after,
        told: [size.stdout, size.stderr].map(|size| size.saturating_sub(TAIL)),
        backlog: VecDeque::new(),
        ended: false,
        closing: state.closing(),
        _open: Open::new(state),
        state: Arc::clone(state),
    };
    let events = stream::unfold(cursor, |mut cursor| async move { Some((Ok(cursor.next().await?), cursor)) });
    Ok(sse(Box::pin(events)))
}
