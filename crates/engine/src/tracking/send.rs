//! Sends the events and files that a tracker does not have yet.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use graft_core::Timestamp;
use graft_store::{Run, Tracked};
use graft_track::{Alias, Place, Point, Sink};
use serde_json::json;
use tokio::sync::watch;
use tracing::Level;

use super::{Tracking, card::points, kept, status, study_status};
use crate::{Engine, Error, Result, Say, files::apart, now};

/// How often it is looked for what is to be sent.
const LOOK: Duration = Duration::from_secs(1);
/// How long a process may send a run without renewing its claim.
const LEASE: i64 = 120_000;
/// The same while files are sent, which may be large.
const LEASE_FOR_FILES: i64 = 1_800_000;
/// After so many looks it is looked for processes that ended without giving their right back.
const TAKE_OVER: u32 = 30;
/// Events that are sent at once.
const BATCH: u32 = 250;
/// Longest wait before a tracker is tried again that could not be told anything.
const LONGEST: Duration = Duration::from_secs(60);
/// Longest wait before a run is tried again that a tracker refuses.
const LONGEST_OF_A_RUN: Duration = Duration::from_secs(600);

/// One tracker, as this process knows it.
struct Line {
    sink: Arc<dyn Sink>,
    /// Failures since the last success.
    tries: u32,
    /// It isn't called before.
    pause: Option<Instant>,
}

impl Tracking<'_> {
    /// Sends to all trackers what they lack, until told to stop; then, if `last`, once more what is left.
    pub(crate) async fn send_until(self, mut stop: watch::Receiver<bool>, last: bool, say: &Say) {
        let new = |sink: &Arc<dyn Sink>| Line { sink: Arc::clone(sink), tries: 0, pause: None };
        let mut lines: Vec<Line> = self.engine.trackers.sinks.iter().map(new).collect();
        if lines.is_empty() {
            return;
        }
        for line in &lines {
            // A database that is away is met again below. The tracker's address or password may be another now.
            let _ = self.engine.store.hurry_tracked(line.sink.kind().name()).await;
        }
        for look in 0_u32.. {
            let is_last = *stop.borrow();
            if look % TAKE_OVER == 0 {
                let _ = self.take_over().await;
            }
            for line in &mut lines {
                if line.pause.is_none_or(|pause| Instant::now() >= pause) && (!is_last || last) {
                    self.turn(line, say).await;
                }
            }
            if is_last {
                return;
            }
            tokio::select! {
                _ = stop.changed() => {}
                () = tokio::time::sleep(LOOK) => {}
            }
        }
    }

    /// Takes over from processes that are gone.
    async fn take_over(self) -> Result<()> {
        for owner in self.engine.store.tracking_owners().await? {
            if self.engine.is_gone(&owner) {
                self.engine.store.free_tracked(&owner).await?;
            }
        }
        Ok(())
    }

    /// Sends a tracker what it lacks of every run, then the stages of versions.
    async fn turn(self, line: &mut Line, say: &Say) {
        let kind = line.sink.kind();
        loop {
            let claimed = self.engine.store.claim_tracked(kind.name(), &self.engine.me, LEASE).await;
            let (mut known, run) = match claimed {
                Ok(Some(claimed)) => claimed,
                Ok(None) => break,
                // The worker says so, and this is tried again.
                Err(_) => return,
            };
            let before = (known.place.is_some(), known.seq);
            let sent = self.send(&line.sink, &mut known, &run).await;
            if before != (known.place.is_some(), known.seq) {
                // A bad network that lets some of it pass is no reason to wait ever longer.
                (known.tries, line.tries) = (0, 0);
            }
            match &sent {
                Ok(()) => (known.tries, known.error, known.not_before, known.sent_at) = (0, None, 0, Some(now())),
                Err(error) => {
                    known.tries += 1;
                    known.error = Some(kept(error));
                    known.not_before = self.later(known.tries, error).await;
                }
            }
            if self.engine.store.save_tracked(&known, &self.engine.me, 0).await.is_err() {
                return;
            }
            if let (Err(error), Some(why)) = (&sent, &known.error)
                && is_of_the_tracker(error)
            {
                // The others would fail as well; their pages are to say so, too.
                let _ = self.engine.store.tracker_failed(kind.name(), why, known.not_before).await;
            }
            if self.heard(line, &format!("run {}", run.id), sent, say) {
                return;
            }
        }
        let told = self.tell_stages(&line.sink).await;
        if self.heard(line, "the stages of versions", told, say) {
            return;
        }
        let told = self.end_studies(&line.sink).await;
        self.heard(line, "the end of a study", told, say);
    }

    /// When a run is tried again.
    async fn later(self, tries: u32, error: &Error) -> Timestamp {
        let now = self.engine.store.now().await.unwrap_or_else(|_| now());
        let longest = if is_of_the_tracker(error) { LONGEST } else { LONGEST_OF_A_RUN };
        now + i64::try_from(backoff(tries, longest).as_millis()).unwrap_or(i64::MAX)
    }

    /// Notes how a tracker took something, and says when that changes; says whether it is to be left alone for now.
    fn heard(self, line: &mut Line, what: &str, sent: Result<()>, say: &Say) -> bool {
        let kind = line.sink.kind();
        match sent {
            Ok(()) => {
                if line.tries > 0 {
                    say(Level::INFO, &format!("{kind} is reachable again"));
                }
                (line.tries, line.pause) = (0, None);
                false
            }
            Err(error) => {
                if !is_of_the_tracker(&error) {
                    say(Level::WARN, &format!("{kind} did not receive {what}: failed to {}", kept(&error)));
                    return false;
                }
                line.tries += 1;
                if line.tries.is_power_of_two() {
                    let later = "the data is kept and sent later";
                    say(Level::WARN, &format!("{kind} did not receive {what}: failed to {}; {later}", kept(&error)));
                }
                line.pause = Some(Instant::now() + backoff(line.tries, LONGEST));
                true
            }
        }
    }

    /// Sends all that a tracker lacks of a run. `known` is kept after each part.
    async fn send(self, sink: &Arc<dyn Sink>, known: &mut Tracked, run: &Run) -> Result<()> {
        let mut card = self.card(run).await?;
        if let Some(study) = run.study.as_ref().filter(|_| known.place.is_none()) {
            card.parent = Some(self.parent(sink, study).await?.id);
        }
        let card = Arc::new(card);
        let mut again = known.is_unsure || known.tries > 0;
        let place: Place = match known.place.clone().and_then(|place| serde_json::from_value(place).ok()) {
            Some(place) => place,
            None => {
                let (sink, card, status) = (Arc::clone(sink), Arc::clone(&card), status(run.state));
                let place = apart("call a tracker", move || Ok(sink.begin(&card, status)?)).await?;
                known.place = Some(json!(place));
                // An end has more to it.
                known.state = run.state.is_active().then_some(run.state);
                self.keep(known, LEASE).await?;
                place
            }
        };
        loop {
            let events = self.engine.store.run_events(&run.id, known.seq, BATCH).await?;
            let Some(newest) = events.last().map(|event| event.seq) else { break };
            let mut steps: BTreeMap<String, u64> = serde_json::from_value(known.steps.clone()).unwrap_or_default();
            let mut fresh = Vec::new();
            for point in events.iter().flat_map(points) {
                // What a resumed run takes again, it takes with the same result.
                if steps.get(&point.series).is_none_or(|reached| point.step > *reached) {
                    steps.insert(point.series.clone(), point.step);
                    fresh.push(point);
                }
            }
            self.log(sink, &card, &place, fresh, again).await?;
            again = false;
            (known.seq, known.steps) = (newest, json!(steps));
            self.keep(known, LEASE).await?;
        }
        if known.state != Some(run.state) {
            if run.state.is_active() {
                let (sink, place, status) = (Arc::clone(sink), place.clone(), status(run.state));
                apart("call a tracker", move || Ok(sink.go_on(&place, status)?)).await?;
            } else {
                let last = known.steps["loss"].as_u64().unwrap_or(0);
                let (points, ending) = self.ending(run, last).await?;
                self.log(sink, &card, &place, points, true).await?;
                self.keep(known, LEASE_FOR_FILES).await?;
                let (sink, card, place) = (Arc::clone(sink), Arc::clone(&card), place.clone());
                apart("call a tracker", move || Ok(sink.end(&card, &place, &ending)?)).await?;
            }
            known.state = Some(run.state);
        }
        Ok(())
    }

    /// The run that stands for a study, whose trials are parts of it. It is created once, although several processes may send
    /// trials.
    async fn parent(self, sink: &Arc<dyn Sink>, study: &str) -> Result<Place> {
        let (store, tracker) = (&self.engine.store, sink.kind().name());
        let known = store.tracked_study(study, tracker).await?.unwrap_or_default();
        if let Ok(place) = serde_json::from_value(known["place"].clone()) {
            return Ok(place);
        }
        let now = store.now().await?;
        let is_others = known["owner"] != *self.engine.me && known["until"].as_i64().is_some_and(|until| until > now);
        let claim = json!({"owner": *self.engine.me, "until": now + LEASE});
        let before = Some(&known).filter(|known| known.is_object());
        if is_others || !store.swap_tracked_study(study, tracker, before, &claim).await? {
            return Err(Error::Unsupported("send a trial of a study that another process sends".into()));
        }
        let view = self.engine.studies().view(study).await?;
        let card = self.study_card(&view, &[]).await?;
        let (sink, status) = (Arc::clone(sink), study_status(view.study.state));
        let begun = apart("call a tracker", move || Ok(sink.begin(&card, status)?)).await;
        // Without a place, another process may try at once.
        let kept = begun.as_ref().map_or_else(|_| json!({}), |place| json!({"place": place}));
        store.swap_tracked_study(study, tracker, Some(&claim), &kept).await?;
        begun
    }

    /// Tells a tracker how studies ended.
    async fn end_studies(self, sink: &Arc<dyn Sink>) -> Result<()> {
        let (store, tracker) = (&self.engine.store, sink.kind().name());
        for study in store.untold_studies(tracker).await? {
            self.parent(sink, &study).await?;
            let view = self.engine.studies().view(&study).await?;
            let (card, points, ending) = self.study_ending(&view).await?;
            let (card, begun) = (Arc::new(card), Arc::clone(sink));
            let (known, status) = (Arc::clone(&card), ending.status);
            // The best settings are known only now.
            let place = apart("call a tracker", move || Ok(begun.begin(&known, status)?)).await?;
            self.log(sink, &card, &place, points, true).await?;
            let ended = Arc::clone(sink);
            apart("call a tracker", move || Ok(ended.end(&card, &place, &ending)?)).await?;
            store.study_told(&study, tracker).await?;
        }
        Ok(())
    }

    async fn log(
        self,
        sink: &Arc<dyn Sink>,
        card: &Arc<graft_track::RunCard>,
        place: &Place,
        points: Vec<Point>,
        again: bool,
    ) -> Result<()> {
        if points.is_empty() {
            return Ok(());
        }
        let (sink, card, place) = (Arc::clone(sink), Arc::clone(card), place.clone());
        apart("call a tracker", move || Ok(sink.log(&card, &place, &points, again)?)).await
    }

    /// Keeps how far a run was sent; an error if another process sends it now.
    async fn keep(self, known: &Tracked, millis: i64) -> Result<()> {
        if self.engine.store.save_tracked(known, &self.engine.me, millis).await? {
            Ok(())
        } else {
            Err(Error::Unsupported("send a run that another process sends".into()))
        }
    }

    /// Tells a tracker the stages of each task's versions, where they changed.
    async fn tell_stages(self, sink: &Arc<dyn Sink>) -> Result<()> {
        let (store, tracker) = (&self.engine.store, sink.kind().name());
        let mut tasks: BTreeMap<String, [Alias; 3]> = BTreeMap::new();
        for (task, version, stage) in store.tracked_versions(tracker).await? {
            let none = || ["active", "canary", "shadow"].map(|stage| Alias { stage: stage.to_owned(), version: None });
            let aliases = tasks.entry(task).or_insert_with(none);
            // Of several the newest, which comes last.
            aliases
                .iter_mut()
                .filter(|alias| alias.stage == stage)
                .for_each(|alias| alias.version = Some(version.clone()));
        }
        let sent: BTreeMap<_, _> = store.tracked_models(tracker).await?.into_iter().collect();
        for (task, aliases) in tasks {
            let wanted = json!(aliases);
            if sent.get(&task) == Some(&wanted) {
                continue;
            }
            let (sink, model, instance) = (Arc::clone(sink), task.clone(), self.instance().await?);
            apart("call a tracker", move || Ok(sink.stages(&model, &instance, &aliases)?)).await?;
            store.save_tracked_model(&task, tracker, &wanted).await?;
        }
        Ok(())
    }
}

fn is_of_the_tracker(error: &Error) -> bool {
    matches!(error, Error::Track(error) if error.is_of_the_tracker())
}

fn backoff(tries: u32, longest: Duration) -> Duration {
    Duration::from_secs(1 << tries.saturating_sub(1).min(16)).min(longest)
}

/// How long a command waits at its end for trackers that are slow; the next one sends the rest.
const FAREWELL: Duration = Duration::from_secs(10);

/// Sending, beside a worker.
pub(crate) struct Sending {
    stop: watch::Sender<bool>,
    task: tokio::task::JoinHandle<()>,
    last: bool,
}

impl Sending {
    /// Begins; with `last`, what is left at the end is tried once more.
    pub(crate) fn begin(engine: &Engine, last: bool, say: &Say) -> Self {
        let (stop, stopped) = watch::channel(false);
        let (engine, say) = (engine.clone(), Arc::clone(say));
        let task = tokio::spawn(async move { engine.tracking().send_until(stopped, last, &say).await });
        Self { stop, task, last }
    }

    /// Ends, after what is left was tried.
    pub(crate) async fn end(self) {
        self.stop.send_replace(true);
        let mut task = self.task;
        if !self.last || tokio::time::timeout(FAREWELL, &mut task).await.is_err() {
            task.abort();
        }
    }
}
