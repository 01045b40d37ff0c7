//! When a database that is away is expected to respond again.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use graft_engine::records::Error as StoreError;

/// Longest wait that clients are told.
const LONGEST: Duration = Duration::from_secs(60);
/// How much later than told a client may be refused again within one outage: a request waits for a connection itself.
const LATE: Duration = Duration::from_secs(15);
/// How long SQLite waits for a lock, and Graft for a connection, before the request is refused.
const LOCK: Duration = Duration::from_secs(5);
const CONNECTION: Duration = Duration::from_secs(10);

/// A time in which the database did not respond.
#[derive(Clone, Copy, Debug)]
struct Outage {
    began: Instant,
    last: Instant,
    told: Duration,
}

/// The last outage of the process's database.
static OUTAGE: Mutex<Option<Outage>> = Mutex::new(None);

/// Seconds until another try is worthwhile after a database error; `None` if it won't pass by itself.
pub(crate) fn wait(error: &StoreError) -> Option<u64> {
    let waited = match error {
        StoreError::Locked(_) => LOCK,
        StoreError::NoConnection(_) => CONNECTION,
        StoreError::Unreachable(_) => Duration::ZERO,
        StoreError::Refused { source, .. } | StoreError::Open { source, .. } | StoreError::Partly { source, .. } => {
            return wait(source);
        }
        _ => return None,
    };
    let mut outage = OUTAGE.lock().unwrap_or_else(PoisonError::into_inner);
    let told = next(*outage, Instant::now(), waited);
    *outage = Some(told);
    Some(told.told.as_secs_f64().ceil() as u64)
}

/// The outage after one more refused request, which had `waited`. It is expected to last as long again as it has lasted.
fn next(before: Option<Outage>, now: Instant, waited: Duration) -> Outage {
    let same = before.filter(|outage| now.saturating_duration_since(outage.last) <= outage.told + LATE);
    let began = same.map_or(now.checked_sub(waited).unwrap_or(now), |outage| outage.began);
    let told = now.saturating_duration_since(began).clamp(Duration::from_secs(1), LONGEST);
    Outage { began, last: now, told }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outage_is_expected_to_last_as_long_again() {
        let (start, second) = (Instant::now() + Duration::from_secs(100), Duration::from_secs(1));
        let mut outage = None;
        let mut told = |after: u32, waited: Duration| {
            let now = next(outage, start + after * second, waited);
            outage = Some(now);
            now.told.as_secs()
        };
        assert_eq!(told(0, LOCK), 5, "the request has waited for 5 s");
        assert_eq!(told(7, LOCK), 12);
        assert_eq!(told(19, Duration::ZERO), 24);
        assert_eq!([told(43, LOCK), told(91, LOCK), told(151, LOCK)], [48, 60, 60]);
        assert_eq!(told(400, Duration::ZERO), 1, "a new outage");
    }
}
