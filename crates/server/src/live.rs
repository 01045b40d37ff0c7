//! What happens, as it happens: the audit trail, and single runs.
//!
//! Each source is read by one task, however many clients listen; they share what it read.

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
use graft_engine::{EventTail, LogStream, LogText};
use graft_store::{Change, ChangeFilter, Kind, Run, Store};
use serde_json::json;
use tokio::sync::{broadcast, watch};

use crate::{presence::Seat, problem::Problem, routes::presence::Seats, state::AppState};

/// Messages that a slow client may be behind before it reads them again from the source.
const BEHIND: usize = 1024;
/// Changes read at once.
const PAGE: u32 = 500;
/// Changes read at once for one client that comes back: it keeps them until it has taken them.
const REPLAY: u32 = 100;
/// How often a watched run's files are looked at.
const PAUSE: Duration = Duration::from_millis(200);
/// Bytes of a log that a new client is told from its end.
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
        let json = serde_json::to_string(change).unwrap_or_default();
        Arc::new(Self { seq: change.seq, kind: change.kind, json })
    }
}

impl ChangeFeed {
    pub(crate) async fn start(store: &Store) -> Result<Self, graft_store::Error> {
        let mut watch = store.watch().await?;
        let (tell_newest, newest) = watch::channel(watch.newest());
        let (messages, _) = broadcast::channel(BEHIND);
        let (store, tell) = (store.clone(), messages.clone());
        tokio::spawn(async move {
            while watch.changed().await.is_some() {
                loop {
                    let after = *tell_newest.borrow();
                    // Without it the next change brings these along.
                    let Ok(changes) = changes_after(&store, after, PAGE).await else { break };
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

async fn changes_after(store: &Store, after: i64, most: u32) -> Result<Vec<Change>, graft_store::Error> {
    store.changes(&ChangeFilter { after, limit: Some(most), ..ChangeFilter::default() }).await
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
        if about_people && let Err(error) = state.auth.refresh(&state.engine.store).await {
            tracing::error!(error = ?error, "who may log in can't be read");
        }
    }
}

/// What a client of the audit trail is told.
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
            Self::Presence(seats) => {
                Event::default().event("presence").data(serde_json::to_string(&Seats { seats }).unwrap_or_default())
            }
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
                let page = Box::pin(changes_after(&self.state.engine.store, self.last, REPLAY)).await.ok()?;
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

/// Counts an open stream as long as it lives.
struct Open(AppState);

impl Open {
    fn new(state: &AppState) -> Self {
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
        Some(after) if after > newest => after.min(state.engine.store.newest_change().await?),
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

type Events = Pin<Box<dyn Stream<Item = Result<Event, Infallible>> + Send>>;

fn sse(events: Events) -> Response {
    let alive = KeepAlive::new().interval(Duration::from_secs(10)).text("alive");
    (unheld(), Sse::new(events).keep_alive(alive)).into_response()
}

/// Tells proxies that they must not hold events back.
pub(crate) fn unheld() -> [(HeaderName, HeaderValue); 1] {
    [(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"))]
}

/// Runs that somebody watches, each read by one task.
#[derive(Debug, Default)]
pub struct RunFeeds(Mutex<HashMap<String, broadcast::Sender<Arc<Frame>>>>);

/// Something new of a run.
#[derive(Debug)]
enum Frame {
    Event { seq: u64, json: String },
    Log { stream: LogStream, from: u64, part: LogText },
    End,
}

impl RunFeeds {
    /// Listens to a run; the first listener starts the task that reads it.
    fn listen(&self, state: &AppState, run: &Run) -> broadcast::Receiver<Arc<Frame>> {
        let mut feeds = self.all();
        if let Some(feed) = feeds.get(&run.id) {
            return feed.subscribe();
        }
        let (tell, listener) = broadcast::channel(BEHIND);
        feeds.insert(run.id.clone(), tell.clone());
        let (state, run) = (Arc::clone(state), run.clone());
        tokio::spawn(async move {
            watch_run(&state, &run, &tell).await;
            state.run_feeds.all().remove(&run.id);
            let _ = tell.send(Arc::new(Frame::End));
        });
        listener
    }

    fn all(&self) -> MutexGuard<'_, HashMap<String, broadcast::Sender<Arc<Frame>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tells what is new of a run until it has ended or nobody listens any more.
async fn watch_run(state: &AppState, run: &Run, tell: &broadcast::Sender<Arc<Frame>>) {
    let mut events = EventTail::from_now(&state.engine.run_dir(run));
    let mut logs = STREAMS.map(|stream| (stream, log_size(state, run, stream)));
    loop {
        // The state is read before the files, so that nothing is missed of a run that has just ended.
        let ended = match state.engine.store.run(&run.id).await {
            Ok(run) => !run.state.is_active(),
            // A database that is away for a moment ends nothing.
            Err(error) => !error.is_of_the_database(),
        };
        for event in events.read().unwrap_or_default() {
            let json = serde_json::to_string(&event).unwrap_or_default();
            let _ = tell.send(Arc::new(Frame::Event { seq: event.seq, json }));
        }
        for (stream, offset) in &mut logs {
            while let Some((from, part)) = next_part(state, run, *stream, offset) {
                let _ = tell.send(Arc::new(Frame::Log { stream: *stream, from, part }));
            }
        }
        if ended || tell.receiver_count() == 0 || state.is_closing() {
            return;
        }
        tokio::time::sleep(PAUSE).await;
    }
}

const STREAMS: [LogStream; 2] = [LogStream::Stdout, LogStream::Stderr];

/// Bytes of a log.
fn log_size(state: &AppState, run: &Run, stream: LogStream) -> u64 {
    state.engine.log(run, stream.into(), u64::MAX).map_or(0, |part| part.size)
}

/// The next part of a log with its offset, unless there is none.
fn next_part(state: &AppState, run: &Run, stream: LogStream, offset: &mut u64) -> Option<(u64, LogText)> {
    let part = state.engine.log(run, stream.into(), *offset).ok().filter(|part| part.next > *offset)?;
    let from = std::mem::replace(offset, part.next);
    Some((from, part))
}

/// One client's place in a run.
struct RunCursor {
    state: AppState,
    run: Run,
    seq: u64,
    /// Bytes told of stdout and stderr.
    told: [u64; 2],
    backlog: VecDeque<Event>,
    replaying: bool,
    ended: bool,
    frames: broadcast::Receiver<Arc<Frame>>,
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
            if std::mem::take(&mut self.replaying) {
                self.replay();
                continue;
            }
            let frame = tokio::select! {
                _ = self.closing.wait_for(|closing| *closing) => return None,
                frame = self.frames.recv() => frame,
            };
            match frame {
                Ok(frame) => self.take(&frame).await,
                Err(broadcast::error::RecvError::Lagged(_)) => self.replaying = true,
                Err(broadcast::error::RecvError::Closed) => self.end().await,
            }
        }
    }

    /// Tells what the files hold beyond what was told.
    fn replay(&mut self) {
        for event in self.state.engine.events(&self.run, self.seq).unwrap_or_default() {
            self.seq = event.seq;
            self.backlog.push_back(run_event(event.seq, &serde_json::to_string(&event).unwrap_or_default()));
        }
        for stream in STREAMS {
            let told = &mut self.told[stream as usize];
            while let Some((from, part)) = next_part(&self.state, &self.run, stream, told) {
                self.backlog.push_back(log_event(stream, from, &part));
            }
        }
    }

    async fn take(&mut self, frame: &Frame) {
        match frame {
            Frame::Event { seq, json } if *seq == self.seq + 1 => {
                self.seq = *seq;
                self.backlog.push_back(run_event(*seq, json));
            }
            Frame::Event { seq, .. } => self.replaying |= *seq > self.seq,
            Frame::Log { stream, from, part } => {
                let told = &mut self.told[*stream as usize];
                if *from == *told {
                    *told = part.next;
                    self.backlog.push_back(log_event(*stream, *from, part));
                } else {
                    self.replaying |= part.next > *told;
                }
            }
            Frame::End => self.end().await,
        }
    }

    /// Tells the rest, and that it was the rest.
    async fn end(&mut self) {
        self.replay();
        let state = loop {
            match Box::pin(self.state.engine.store.run(&self.run.id)).await {
                Err(error) if error.is_of_the_database() && !self.state.is_closing() => {
                    tokio::time::sleep(PAUSE).await;
                }
                found => break found.map(|run| run.state),
            }
        };
        match state {
            Ok(state) if state.is_active() => {
                // Its watcher ended for want of listeners just as this one came.
                self.frames = self.state.run_feeds.listen(&self.state, &self.run);
            }
            state => {
                let state = state.map(|state| state.name()).ok();
                self.backlog.push_back(Event::default().event("end").data(json!({"state": state}).to_string()));
                self.ended = true;
            }
        }
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
pub(crate) fn run(state: &AppState, run: &Run, after: u64) -> Response {
    let frames = state.run_feeds.listen(state, run);
    let tail = |stream: LogStream| log_size(state, run, stream).saturating_sub(TAIL);
    let cursor = RunCursor {
        run: run.clone(),
        seq: after,
        told: STREAMS.map(tail),
        backlog: VecDeque::new(),
        replaying: true,
        ended: false,
        frames,
        closing: state.closing(),
        _open: Open::new(state),
        state: Arc::clone(state),
    };
    let events = stream::unfold(cursor, |mut cursor| async move { Some((Ok(cursor.next().await?), cursor)) });
    sse(Box::pin(events))
}
