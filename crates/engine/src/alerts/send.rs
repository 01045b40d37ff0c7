//! Sends a receiver the messages that it does not have yet.

use std::{sync::Arc, time::Duration};

use graft_core::with_causes;
use graft_notify::{Notice, Receiver};
use tokio::sync::watch;
use tracing::Level;

use super::{Alerts, LEASE, LOOK};
use crate::{Error, Result, Say, files::apart, now};

/// Notices in one message. After a failure each has its own: a long one may be what is refused.
const BATCH: u32 = 20;
/// How often a receiver may refuse a notice for good before it is left out, so that the next ones arrive.
const REFUSALS: u32 = 8;
/// Longest wait before a receiver is tried again; longer if it refuses the login, which some servers punish.
const LONGEST: (Duration, Duration) = (Duration::from_secs(120), Duration::from_secs(1800));

impl Alerts<'_> {
    /// Registers a receiver, so that it gets what happens from now on. One that failed is tried again at once, because
    /// its address or password may have changed.
    pub(super) async fn begin(self, receiver: &Receiver) -> Result<()> {
        if let Some(mut known) = self.claim(receiver).await? {
            known.not_before = 0;
            self.engine.store.save_notifier(&known, &self.engine.me, &[], &[], now()).await?;
        }
        Ok(())
    }

    /// Sends a receiver what it lacks, until told to stop.
    pub(super) async fn send_until(self, receiver: &Arc<Receiver>, mut stop: watch::Receiver<bool>, say: &Say) {
        while !*stop.borrow() {
            // The look for alerts says so if the database is away.
            while self.send_one(receiver, say).await.unwrap_or(false) {}
            tokio::select! {
                _ = stop.changed() => {}
                () = tokio::time::sleep(LOOK) => {}
            }
        }
    }

    /// Sends one message with the oldest notices that a receiver lacks; says whether it was sent.
    pub(super) async fn send_one(self, receiver: &Arc<Receiver>, say: &Say) -> Result<bool> {
        let store = &self.engine.store;
        let Some(seen) = store.notifier(receiver.name()).await? else {
            self.begin(receiver).await?;
            return Ok(false);
        };
        let left = seen.not_before - store.now().await?;
        // A longer wait is of a clock that was ahead.
        let waits = left > 0 && u128::from(left.unsigned_abs()) <= LONGEST.1.as_millis();
        if waits || store.notices_after(seen.cursor, 1).await?.is_empty() {
            return Ok(false);
        }
        let Some(mut known) = self.claim(receiver).await? else { return Ok(false) };
        let most = if known.tries > 0 { 1 } else { BATCH };
        let stored = store.notices_after(known.cursor, most).await?;
        let instance = self.engine.tracking().instance().await?;
        let notices: Vec<Notice> = stored
            .iter()
            .filter_map(|one| {
                let notice: Notice = serde_json::from_value(one.notice.clone()).ok()?;
                Some(Notice { id: format!("{instance}-{}", one.topic), ..notice })
            })
            .collect();
        let count = notices.len();
        let called = Arc::clone(receiver);
        let sent = match count {
            // Another process was faster.
            0 => Ok(None),
            _ => apart("send a message", move || Ok(called.send(&notices)?)).await,
        };
        let name = receiver.name();
        let after = stored.last().map_or(known.cursor, |last| last.id);
        match &sent {
            Ok(refused) => {
                if known.tries > 0 {
                    say(Level::INFO, &format!("{name} receives alerts again"));
                }
                let why = refused.as_ref().map(|refused| with_causes(refused));
                if let Some(why) = why.as_ref().filter(|why| Some(*why) != known.error.as_ref()) {
                    say(Level::WARN, &format!("{name}: some mailboxes did not receive an alert: failed to {why}"));
                }
                (known.cursor, known.tries, known.error, known.not_before) = (after, 0, why, 0);
                known.sent_at = Some(now());
            }
            Err(error @ Error::Notify(refused)) if count == 1 && refused.is_permanent() && known.tries >= REFUSALS => {
                let why = with_causes(error);
                say(Level::ERROR, &format!("{name} refuses a notice, which is left out: failed to {why}"));
                (known.cursor, known.tries, known.error, known.not_before) = (after, 0, Some(why), 0);
            }
            Err(error) => {
                known.tries += 1;
                let hint = error.hint().map(|hint| format!(" ({hint}; notices are kept and sent later)"));
                let why = with_causes(error) + &hint.unwrap_or_default();
                if known.tries.is_power_of_two() {
                    say(Level::WARN, &format!("{name} did not receive {count} notices: failed to {why}"));
                }
                known.error = Some(why);
                known.not_before =
                    store.now().await? + i64::try_from(wait(known.tries, error).as_millis()).unwrap_or(0);
            }
        }
        store.save_notifier(&known, &self.engine.me, &[], &[], now()).await?;
        Ok(sent.is_ok() && count > 0)
    }

    async fn claim(self, receiver: &Receiver) -> Result<Option<graft_store::Notifier>> {
        let start = self.engine.store.newest_notice().await?;
        let is_gone = |owner: &str| self.engine.is_gone(owner);
        Ok(self.engine.store.claim_notifier((receiver.name(), start), &self.engine.me, LEASE, is_gone).await?)
    }
}

/// How long to wait after so many failures.
fn wait(tries: u32, error: &Error) -> Duration {
    let longest = match error {
        Error::Notify(graft_notify::Error::Login { .. }) => LONGEST.1,
        _ => LONGEST.0,
    };
    Duration::from_secs(1 << tries.saturating_sub(1).min(16)).min(longest)
}
