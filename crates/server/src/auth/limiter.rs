use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use super::Peer;
use crate::problem::{Kind, Problem};

/// Wrong logins that cost nothing yet.
const FREE: u32 = 5;
/// Longest pause after one more.
const LONGEST: Duration = Duration::from_secs(300);
/// Addresses remembered, at most.
const MOST: usize = 10_000;

/// Slows down password guessing: after five failed logins from an address, each further one doubles a delay.
#[derive(Debug, Default)]
pub(super) struct Limiter(Mutex<HashMap<Peer, Failures>>);

#[derive(Clone, Copy, Debug)]
struct Failures {
    count: u32,
    until: Instant,
}

impl Limiter {
    /// Counts a login as a wrong one, before it is looked at, so that many at once aren't looked at either; refuses
    /// while the address must wait.
    pub(super) fn attempt(&self, peer: Peer) -> Result<(), Problem> {
        let now = Instant::now();
        let mut all = self.all();
        if all.len() >= MOST {
            all.retain(|_, failures| failures.until > now);
        }
        let failures = all.entry(peer).or_insert(Failures { count: 0, until: now });
        let left = failures.until.saturating_duration_since(now);
        if !left.is_zero() {
            let seconds = left.as_secs() + 1;
            return Err(Problem::new(Kind::TooManyRequests, format!("too many wrong logins; wait {seconds} s"))
                .with("retry_after", seconds));
        }
        failures.count = failures.count.saturating_add(1);
        let over = failures.count.saturating_sub(FREE);
        let pause = if over == 0 { Duration::ZERO } else { Duration::from_secs(1 << over.min(10)).min(LONGEST) };
        failures.until = now + pause;
        Ok(())
    }

    /// Forgets an address that logged in.
    pub(super) fn forget(&self, peer: Peer) {
        self.all().remove(&peer);
    }

    fn all(&self) -> std::sync::MutexGuard<'_, HashMap<Peer, Failures>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
