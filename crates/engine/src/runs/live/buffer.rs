//! Orders windows: decisions come from several servers, whose clocks and writes do not agree.

use graft_core::Timestamp;
use graft_store::{LiveWindow, Released};

/// How long a window waits for those that started before it.
const RELEASE: i64 = 5_000;
/// How much later than its successors a window may come without being called late.
const TOLERANCE: i64 = 60_000;
/// Windows that wait at most; the oldest beyond that are released at once.
const MOST: usize = 1000;

/// The windows to be released now, in the order in which they are learned. `buffered` is in order of start; `newest` is the
/// start of the newest that was released before. A late one is learned all the same, and counted.
pub(super) fn release(buffered: &[LiveWindow], newest: Option<Timestamp>, now: Timestamp) -> Vec<Released> {
    let over = buffered.len().saturating_sub(MOST);
    // Whoever has waited long enough takes along all that started before it.
    let ripe = buffered.iter().rposition(|window| now - window.arrived_at >= RELEASE).map_or(0, |place| place + 1);
    let released = buffered.iter().take(ripe.max(over));
    let is_late = |window: &LiveWindow| newest.is_some_and(|newest| window.started_at < newest - TOLERANCE);
    released
        .map(|window| Released { example: window.example.clone(), revision: window.revision, late: is_late(window) })
        .collect()
}

#[cfg(test)]
mod tests {
    use graft_core::Digest;

    use super::*;

    fn window(id: usize, started_at: i64, arrived_at: i64) -> LiveWindow {
        LiveWindow { example: format!("e{id}"), revision: 1, started_at, arrived_at }
    }

    fn ids(released: &[Released]) -> Vec<&str> {
        released.iter().map(|one| one.example.as_str()).collect()
    }

    #[test]
    fn window_waits_for_earlier_windows() {
        let buffered = [window(1, 100, 9_000), window(2, 200, 4_000), window(3, 300, 9_000)];
        assert!(release(&buffered, None, 8_999).is_empty());
        assert_eq!(ids(&release(&buffered, None, 9_000)), ["e1", "e2"]);
        let late = [window(1, 0, 0), window(2, 40_000, 0)];
        let released = release(&late, Some(90_000), 10_000);
        assert_eq!(released.iter().map(|one| one.late).collect::<Vec<_>>(), [true, false]);
        let many: Vec<_> = (0..1_003).map(|id| window(id, id as i64, 0)).collect();
        assert_eq!(release(&many, None, 0).len(), 3, "the buffer is full");
    }

    #[test]
    fn windows_within_tolerance_are_ordered_and_used_once() {
        for seed in 0..50 {
            let draw = |id: usize, of: &str, below: i64| {
                let digest = Digest::of(format!("{seed} {id} {of}").as_bytes());
                i64::from_str_radix(&digest.as_str()[..12], 16).unwrap() % below
            };
            // Decisions of an hour; each is seen up to 4 seconds later.
            let mut all: Vec<_> = (0..300)
                .map(|id| {
                    let started = draw(id, "start", 3_600_000);
                    window(id, started, started + draw(id, "delay", 4_000))
                })
                .collect();
            all.sort_by_key(|window| window.arrived_at);
            let (mut buffered, mut seen): (Vec<LiveWindow>, Vec<Released>) = (Vec::new(), Vec::new());
            let (mut newest, mut next) = (None, 0);
            for now in (0..3_700_000).step_by(500) {
                while next < all.len() && all[next].arrived_at <= now {
                    buffered.push(all[next].clone());
                    next += 1;
                }
                buffered.sort_by(|a, b| (a.started_at, &a.example).cmp(&(b.started_at, &b.example)));
                let released = release(&buffered, newest, now);
                newest = buffered.iter().take(released.len()).map(|window| window.started_at).max().max(newest);
                buffered.drain(..released.len());
                seen.extend(released);
            }
            assert!(buffered.is_empty() && seen.len() == all.len() && seen.iter().all(|one| !one.late));
            let mut wanted = all.clone();
            wanted.sort_by(|a, b| (a.started_at, &a.example).cmp(&(b.started_at, &b.example)));
            assert!(seen.iter().zip(&wanted).all(|(one, other)| one.example == other.example), "seed {seed}");
        }
    }
}
