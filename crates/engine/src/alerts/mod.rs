//! Tells people by webhook and email what went wrong, when it is over, and once a day what waits for them.
//!
//! Problems are found in the audit trail, from a stored cursor, and in the present state of schedules, machines and
//! versions. They and the messages to people are rows of the database; each receiver has a cursor of the last message
//! that it got. One process at a time looks, and one sends to a receiver; if it is killed, another one continues.

mod digest;
mod problems;
mod send;

use std::{
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use graft_core::{Timestamp, with_causes};
use graft_notify::{Email, EmailOptions, Notice, NoticeState, Receiver, Webhook};
use graft_store::{Alert, AlertChange, ChangeFilter};
use serde::Serialize;
use serde_json::{Value, json};
use tokio::sync::watch;
use tracing::Level;

pub(crate) use digest::Digest;
use problems::{Found, Problem, Step};

use crate::{Engine, Result, Say, files::apart, now};

/// How often it is looked for what is new.
const LOOK: Duration = Duration::from_secs(1);
/// How often schedules and machines are looked at.
const LOOK_AT_STATE: Duration = Duration::from_secs(30);
/// How often drift is computed.
const LOOK_AT_DRIFT: Duration = Duration::from_secs(300);
/// How long a process may look or send without giving the right back. A mail server may be slow at each of its steps.
const LEASE: i64 = 300_000;
/// Entries of the audit trail that are read at once.
const BATCH: u32 = 1000;
/// What happened longer ago is no news.
const NEWS: i64 = 24 * 3_600_000;
/// How long a command waits at its end for receivers that are slow.
const FAREWELL: Duration = Duration::from_secs(10);

/// The reader of the audit trail.
const WATCH: &str = "watch";

/// Where alerts are sent.
#[derive(Clone, Debug, Default)]
pub struct AlertOptions {
    /// A webhook.
    pub webhook: Option<String>,
    /// The secret that signs its requests.
    pub webhook_secret: Option<String>,
    /// Email.
    pub email: Option<EmailOptions>,
    /// Certificates to trust instead of the usual ones.
    pub ca_file: Option<PathBuf>,
    /// The public address of the server, for links.
    pub url: Option<String>,
    /// When a daily digest is sent, as `HH:MM`.
    pub digest: Option<String>,
    /// The time zone of this time; the machine's if absent.
    pub zone: Option<String>,
}

/// The receivers of this process.
#[derive(Debug, Default)]
pub struct Receivers {
    all: Vec<Arc<Receiver>>,
    url: Option<String>,
    digest: Option<Digest>,
}

impl Receivers {
    /// Those that are configured; none is called yet.
    ///
    /// # Errors
    /// A setting that can't be used.
    pub fn open(options: AlertOptions) -> Result<Self> {
        let mut all = Vec::new();
        if let Some(url) = &options.webhook {
            let webhook = Webhook::new(url, options.webhook_secret, options.ca_file.as_deref())?;
            all.push(Arc::new(Receiver::Webhook(webhook)));
        }
        if let Some(email) = options.email {
            all.push(Arc::new(Receiver::Email(Email::new(&EmailOptions { ca_file: options.ca_file, ..email })?)));
        }
        let url = options.url.map(|url| url.trim_end_matches('/').to_owned());
        let digest = options.digest.map(|time| Digest::parse(&time, options.zone)).transpose()?;
        Ok(Self { all, url, digest })
    }
}

/// Alerts and their receivers.
#[derive(Clone, Copy, Debug)]
pub struct Alerts<'e> {
    engine: &'e Engine,
}

impl Engine {
    /// The same engine with receivers of alerts.
    #[must_use]
    pub fn with_receivers(self, receivers: Receivers) -> Self {
        Self { receivers: Arc::new(receivers), ..self }
    }

    /// Alerts and their receivers.
    #[must_use]
    pub fn alerts(&self) -> Alerts<'_> {
        Alerts { engine: self }
    }
}

/// A receiver, and how far it is.
#[derive(Clone, Debug, Serialize)]
pub struct ReceiverView {
    /// `webhook` or `email`.
    pub name: &'static str,
    /// Its address, without secrets.
    pub about: String,
    /// Messages that still have to be sent.
    pub waiting: u64,
    /// Why the last message could not be sent.
    pub error: Option<String>,
    /// When a message was last sent.
    pub sent_at: Option<Timestamp>,
}

/// What became of a test message.
#[derive(Clone, Debug, Serialize)]
pub struct Tried {
    /// `webhook` or `email`.
    pub name: &'static str,
    /// The receiver, without secrets.
    pub about: String,
    /// Why it failed.
    pub error: Option<String>,
    /// What to do about it.
    pub hint: Option<String>,
}

/// When this process last looked at the state, and at drift.
#[derive(Default)]
struct Looked {
    at: Option<Instant>,
    drift_at: Option<Instant>,
}

impl Alerts<'_> {
    /// The problems that are not over, oldest first.
    pub async fn open(self) -> Result<Vec<Alert>> {
        Ok(self.engine.store.open_alerts().await?)
    }

    /// The receivers that are configured.
    pub async fn receivers(self) -> Result<Vec<ReceiverView>> {
        let newest = self.engine.store.newest_notice().await?;
        let mut views = Vec::new();
        for receiver in &self.engine.receivers.all {
            let known = self.engine.store.notifier(receiver.name()).await?;
            views.push(ReceiverView {
                name: receiver.name(),
                about: receiver.about(),
                waiting: known.as_ref().map_or(0, |known| u64::try_from(newest - known.cursor).unwrap_or(0)),
                error: known.as_ref().and_then(|known| known.error.clone()),
                sent_at: known.and_then(|known| known.sent_at),
            });
        }
        Ok(views)
    }

    /// Sends a test message to every receiver at once.
    ///
    /// # Errors
    /// Store errors; those of receivers are in the result.
    pub async fn test(self) -> Result<Vec<(Tried, Result<()>)>> {
        let at = now();
        let notice = Notice {
            id: format!("{}-test-{at}", self.engine.tracking().instance().await?),
            at,
            state: NoticeState::Test,
            kind: "test".into(),
            task: None,
            subject: None,
            title: format!("This is a test message from Graft, sent by {}.", self.engine.by),
            why: "Alerts arrive in the same way.".into(),
            next: String::new(),
            link: self.link("/"),
            details: Value::Null,
        };
        let mut tried = Vec::new();
        for receiver in &self.engine.receivers.all {
            let (called, notices) = (Arc::clone(receiver), vec![notice.clone()]);
            // A mailbox that refused it is what the test is for.
            let send = move || called.send(&notices)?.map_or(Ok(()), |refused| Err(refused.into()));
            let sent = apart("send a message", send).await;
            let error = sent.as_ref().err();
            let about = Tried {
                name: receiver.name(),
                about: receiver.about(),
                error: error.map(|error| format!("failed to {}", with_causes(error))),
                hint: error.and_then(crate::Error::hint),
            };
            tried.push((about, sent));
        }
        Ok(tried)
    }

    /// Checks every receiver as far as is possible without a message.
    pub(crate) async fn check(self) -> Vec<(&'static str, Result<String>)> {
        let views = match self.receivers().await {
            Ok(views) => views,
            Err(error) => return vec![("alerts", Err(error))],
        };
        let mut found = Vec::new();
        for (receiver, view) in self.engine.receivers.all.iter().zip(views) {
            let name = match **receiver {
                Receiver::Webhook(_) => "alerts by webhook",
                Receiver::Email(_) => "alerts by email",
            };
            let called = Arc::clone(receiver);
            let answer = apart("call a receiver", move || Ok(called.check()?)).await.map(|()| {
                let why = view.error.map(|why| format!(", the last time it failed to {why}")).unwrap_or_default();
                let waiting = format!("; {} messages still have to be sent{why}", view.waiting);
                view.about + if view.waiting > 0 { &waiting } else { "; `graft alerts test` sends a message" }
            });
            found.push((name, answer));
        }
        found
    }

    /// Looks for problems and sends messages, until told to stop; then, if `last`, once more what is left. Returns at
    /// once if no receiver is configured.
    pub async fn run(self, stop: watch::Receiver<bool>, last: bool, say: &Say) {
        let receivers = &self.engine.receivers.all;
        if receivers.is_empty() {
            return;
        }
        for receiver in receivers {
            // If the database is away, it is tried again below.
            let _ = self.begin(receiver).await;
        }
        let send = async |receiver: Option<&Arc<Receiver>>| {
            if let Some(receiver) = receiver {
                self.send_until(receiver, stop.clone(), say).await;
            }
        };
        // A receiver that is slow delays neither the other one nor the look.
        tokio::join!(self.look_until(stop.clone(), say), send(receivers.first()), send(receivers.get(1)));
        if last {
            let finish = async {
                let _ = self.look(&mut Looked::default(), now()).await;
                for receiver in receivers {
                    let _ = self.send_one(receiver, say).await;
                }
            };
            let _ = tokio::time::timeout(FAREWELL, finish).await;
        }
    }

    async fn look_until(self, mut stop: watch::Receiver<bool>, say: &Say) {
        let (mut looked, mut troubles) = (Looked::default(), 0_u32);
        while !*stop.borrow() {
            match self.look(&mut looked, now()).await {
                Ok(()) => troubles = 0,
                Err(error) => {
                    troubles += 1;
                    if troubles.is_power_of_two() {
                        say(Level::WARN, &format!("cannot look for alerts: failed to {}", with_causes(&error)));
                    }
                }
            }
            tokio::select! {
                _ = stop.changed() => {}
                () = tokio::time::sleep(LOOK) => {}
            }
        }
    }

    /// Finds what began and what is over since the last look, and stores the messages about it.
    async fn look(self, looked: &mut Looked, at: Timestamp) -> Result<()> {
        let digest = self.tell_digest(at).await;
        self.look_for_problems(looked, at).await?;
        // What keeps a digest from being written must not hide what went wrong.
        digest
    }

    async fn look_for_problems(self, looked: &mut Looked, at: Timestamp) -> Result<()> {
        let store = &self.engine.store;
        let newest = store.newest_change().await?;
        let is_due = looked.at.is_none_or(|last| last.elapsed() >= LOOK_AT_STATE);
        if !is_due && store.notifier(WATCH).await?.is_some_and(|known| known.cursor >= newest) {
            return Ok(());
        }
        let is_gone = |owner: &str| self.engine.is_gone(owner);
        let claimed = store.claim_notifier((WATCH, newest), &self.engine.me, LEASE, is_gone).await?;
        let Some(mut watch) = claimed else { return Ok(()) };
        let mut open = store.open_alerts().await?;
        let mut changes = Vec::new();
        loop {
            let filter = ChangeFilter { after: watch.cursor, limit: Some(BATCH), ..ChangeFilter::default() };
            let batch = store.changes(&filter).await?;
            for change in &batch {
                watch.cursor = change.seq;
                for step in self.steps_of(change).await? {
                    match step {
                        // It may be long ago that anybody looked.
                        Step::Begin(_) if change.at < at - NEWS => {}
                        step => self.take(step, change.at, &mut open, &mut changes),
                    }
                }
            }
            if batch.len() < BATCH as usize {
                break;
            }
        }
        // What can't be found out about the state must not hide what the trail says.
        let state = if is_due { self.state(looked, at).await.map(Some) } else { Ok(None) };
        if let Ok(Some(found)) = &state {
            for step in problems::compare(&open, found, at) {
                self.take(step, at, &mut open, &mut changes);
            }
        }
        store.save_notifier(&watch, &self.engine.me, &changes, &[], at).await?;
        state.map(drop)
    }

    /// The problems that schedules and machines have now, and, less often, those of active versions.
    async fn state(self, looked: &mut Looked, at: Timestamp) -> Result<Found> {
        looked.at = Some(Instant::now());
        let standing = self.standing(at).await?;
        let is_due = looked.drift_at.is_none_or(|last| last.elapsed() >= LOOK_AT_DRIFT);
        let drifting = if is_due { Some(self.drifting().await?) } else { None };
        if is_due {
            looked.drift_at = Some(Instant::now());
        }
        Ok(Found { standing, drifting })
    }

    /// Adds what a step changes, given what is open.
    fn take(self, step: Step, at: Timestamp, open: &mut Vec<Alert>, changes: &mut Vec<AlertChange>) {
        match step {
            Step::Begin(problem) => {
                let is_it = |alert: &Alert| problem.is(alert);
                if open.iter().any(is_it) {
                    return;
                }
                let Problem { kind, task, subject, .. } = &problem;
                let (kind, task, subject) = (*kind, task.clone(), subject.clone());
                let notice = json!(self.notice_of(&problem, at));
                open.push(Alert {
                    id: 0,
                    kind,
                    task: task.clone(),
                    subject: subject.clone(),
                    notice: notice.clone(),
                    began_at: at,
                    over_at: None,
                });
                changes.push(AlertChange::Begin { kind, task, subject, notice });
            }
            Step::End { kind, task, subject, why } => {
                let is_over = |alert: &Alert| {
                    alert.kind == kind && alert.task == task && subject.as_ref().is_none_or(|one| *one == alert.subject)
                };
                for alert in open.extract_if(.., |alert| is_over(alert)) {
                    let mut notice = alert.notice;
                    let title = notice["title"].as_str().unwrap_or_default();
                    (notice["title"], notice["state"]) = (json!(format!("Over: {title}")), json!(NoticeState::Over));
                    (notice["why"], notice["next"], notice["at"]) = (json!(why), json!(""), json!(at));
                    changes.push(AlertChange::End { kind, task: alert.task, subject: alert.subject, notice });
                }
            }
        }
    }

    fn notice_of(self, problem: &Problem, at: Timestamp) -> Notice {
        let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        Notice {
            // Given when it is sent.
            id: String::new(),
            at,
            state: NoticeState::Open,
            kind: problem.kind.name().to_owned(),
            task: some(&problem.task),
            subject: some(&problem.about),
            title: problem.title.clone(),
            why: problem.why.clone(),
            next: problem.next.clone(),
            link: self.link(&problem.link),
            details: Value::Null,
        }
    }

    /// A path of the page as a URL, if the server's public address is known.
    fn link(self, path: &str) -> String {
        self.engine.receivers.url.clone().unwrap_or_default() + path
    }
}

/// Looking for alerts and sending them, beside a worker.
pub(crate) struct AlertWatch {
    stop: watch::Sender<bool>,
    task: tokio::task::JoinHandle<()>,
}

impl AlertWatch {
    /// Begins; with `last`, what is left at the end is tried once more.
    pub(crate) fn begin(engine: &Engine, last: bool, say: &Say) -> Self {
        let (stop, stopped) = watch::channel(false);
        let (engine, say) = (engine.clone(), Arc::clone(say));
        Self { stop, task: tokio::spawn(async move { engine.alerts().run(stopped, last, &say).await }) }
    }

    /// Ends, after what is left was tried.
    pub(crate) async fn end(mut self) {
        self.stop.send_replace(true);
        if tokio::time::timeout(FAREWELL, &mut self.task).await.is_err() {
            self.task.abort();
        }
    }
}

#[cfg(test)]
mod tests {
    use graft_core::Digest as Hash;
    use graft_store::{LiveSettings, LiveState, NewSchedule, Store};

    use super::*;
    use crate::Home;

    const TASK: &str = "text-classification";
    const DAY: Timestamp = 24 * 3_600_000;

    /// A home whose receiver nobody calls, at a time long after its digest.
    struct Place {
        engine: Engine,
        store: Store,
        home: tempfile::TempDir,
    }

    impl Place {
        async fn new(digest: Option<(&str, &str)>) -> Self {
            let home = tempfile::tempdir().unwrap();
            let engine = Self::engine(home.path(), digest).await;
            let store = Store::open(engine.database()).await.unwrap();
            let place = Self { engine, store, home };
            place.look(1).await;
            place
        }

        async fn engine(home: &std::path::Path, digest: Option<(&str, &str)>) -> Engine {
            let engine = Engine::open(Home::at(home).unwrap(), "test").await.unwrap();
            let options = AlertOptions {
                webhook: Some("http://127.0.0.1:9/".into()),
                url: Some("https://graft.example/".into()),
                digest: digest.map(|(time, _)| time.to_owned()),
                zone: digest.map(|(_, zone)| zone.to_owned()),
                ..AlertOptions::default()
            };
            engine.with_receivers(Receivers::open(options).unwrap())
        }

        async fn look(&self, at: Timestamp) {
            self.engine.alerts().look(&mut Looked::default(), at).await.unwrap();
        }

        /// All messages so far: state, kind and title.
        async fn told(&self) -> Vec<String> {
            let notices = self.store.notices_after(0, 100).await.unwrap();
            let text = |notice: &Value, field: &str| notice[field].as_str().unwrap().to_owned();
            notices
                .iter()
                .map(|one| format!("{}: {}", text(&one.notice, "state"), text(&one.notice, "title")))
                .collect()
        }

        async fn live(&self, state: LiveState, why: Option<&str>, at: Timestamp) {
            self.store.set_live(TASK, state, why, "live", at).await.unwrap();
        }
    }

    async fn with_live() -> Place {
        let place = Place::new(None).await;
        let card = graft_core::TaskCard {
            name: TASK.into(),
            instruction: String::new(),
            answer: graft_core::AnswerForm::Text,
        };
        let new = graft_store::NewVersion {
            task: TASK.into(),
            name: Some("v1".into()),
            method: graft_store::Method::Adapter,
            run: None,
            adapter_dir: "adapters/v1".into(),
            adapter_digest: Hash::of(b"v1"),
            base: Some(graft_core::BaseRef { name: "tiny".into(), digest: Hash::of(b"tiny") }),
            dataset: None,
            card,
            metrics: Value::Null,
            parent: None,
            task_revision: None,
        };
        place.store.add_version(&new, "test", 2).await.unwrap();
        place.store.start_live((TASK, "v1"), &Hash::of(b"x"), &LiveSettings::default(), "test", 2).await.unwrap();
        place
    }

    #[tokio::test]
    async fn problem_is_told_once_and_again_when_it_is_over() {
        let place = with_live().await;
        place.live(LiveState::Paused, None, 3).await;
        place.look(4).await;
        assert!(place.told().await.is_empty(), "a person paused it");
        let why = "run r1 ended as failed";
        place.live(LiveState::Paused, Some(why), 5).await;
        place.live(LiveState::Paused, Some(why), 6).await;
        place.look(7).await;
        place.live(LiveState::Paused, Some(why), 8).await;
        place.look(9).await;
        let paused = format!("open: The live adapter of task `{TASK}` is paused.");
        assert_eq!(place.told().await, [paused.as_str()]);
        let first = &place.store.notices_after(0, 1).await.unwrap()[0].notice;
        assert_eq!(
            (&first["why"], &first["kind"], &first["task"], &first["link"]),
            (
                &json!("Why: run r1 ended as failed."),
                &json!("paused"),
                &json!(TASK),
                &json!(format!("https://graft.example/versions?task={TASK}"))
            )
        );
        place.live(LiveState::Running, None, 10).await;
        place.live(LiveState::Paused, Some(why), 11).await;
        place.look(12).await;
        let over = format!("over: Over: The live adapter of task `{TASK}` is paused.");
        assert_eq!(place.told().await, [paused.clone(), over, paused]);
    }

    #[tokio::test]
    async fn news_of_long_ago_is_not_told() {
        let place = with_live().await;
        place.live(LiveState::Paused, Some("too late"), 5).await;
        place.look(5 + 2 * DAY).await;
        assert!(place.told().await.is_empty());
    }

    #[tokio::test]
    async fn schedule_that_fails_is_told_until_it_works() {
        let place = Place::new(None).await;
        let new = NewSchedule {
            id: "nightly",
            task: TASK,
            cron: "0 3 * * *",
            zone: "UTC",
            request: &json!({"task": TASK}),
            min_new: 0,
            after_new: 0,
            even_unchanged: false,
            next_at: Some(10),
        };
        place.store.add_schedule(new, "test", 2).await.unwrap();
        for (at, failed) in [(10, true), (20, true), (30, false)] {
            let due = graft_store::Due { schedule: "nightly", at: Some(at), next_at: Some(at + 10) };
            place.store.skip_schedule(due, "failed to find base `none`", failed, at).await.unwrap();
            place.look(at).await;
        }
        let title = format!("Schedule `nightly` could not start a run of task `{TASK}`.");
        assert_eq!(place.told().await, [format!("open: {title}"), format!("over: Over: {title}")]);
    }

    #[tokio::test]
    async fn digest_is_stored_once_a_day_if_something_waits() {
        let morning = Some(("08:00", "UTC"));
        let place = Place::new(morning).await;
        let hour = DAY / 24;
        place.look(10 * DAY).await;
        assert!(place.told().await.is_empty(), "nothing waits, and nothing happened");
        let example = graft_core::Example {
            id: "csv:1".into(),
            task: TASK.into(),
            input: "WIN a phone!".into(),
            output: None,
            source: graft_core::Source { kind: "csv".into(), reference: "1".into(), at: None },
            review: graft_core::Review::Pending,
            revision: 1,
        };
        place.store.import(&[example], "test", 10 * DAY + hour).await.unwrap();
        place.look(10 * DAY + 7 * hour).await;
        assert!(place.told().await.is_empty(), "it is too early");
        // Two processes look at the same moment, and each takes the other one for dead.
        let others = Place::engine(place.home.path(), morning).await;
        let at = 10 * DAY + 9 * hour;
        let (mut one, mut two) = (Looked::default(), Looked::default());
        let (a, b) = tokio::join!(place.engine.alerts().look(&mut one, at), others.alerts().look(&mut two, at));
        a.unwrap();
        b.unwrap();
        place.look(at + 1).await;
        assert_eq!(place.told().await, ["digest: Graft on 1970-01-11: 1 example waits to be audited."]);
        let digest = &place.store.notices_after(0, 1).await.unwrap()[0].notice;
        assert_eq!(digest["why"], format!("- {TASK}: 1 example waits to be audited, 0 approved, no active version"));
        place.look(14 * DAY).await;
        assert_eq!(place.told().await.len(), 2, "days on which nobody looked have one digest together");
    }
}
