//! Who has which example open, so that two people don't do the same work. It binds nobody: that no decision overwrites
//! another is seen to by the examples' revisions.
//!
//! It is known in this process only, and for as long as pages say it again.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use utoipa::ToSchema;

/// How long a page counts that says nothing more; pages say it again every ten seconds.
const LEASE: Duration = Duration::from_secs(25);
/// Pages that are remembered, at most.
const MOST: usize = 500;

/// An example that somebody has open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Place {
    /// Its task.
    pub(crate) task: String,
    /// Its id.
    pub(crate) id: String,
}

/// A page that has an example open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Seat {
    /// The page's own name: one person may have several open.
    page: String,
    /// Who looks at it.
    by: String,
    #[serde(flatten)]
    place: Place,
    #[serde(skip)]
    #[schema(ignore)]
    until: Instant,
}

/// Who looks at what.
#[derive(Debug, Default)]
pub struct Presence(watch::Sender<Vec<Seat>>);

impl Presence {
    /// Notes where a page of somebody is now (none: nowhere) and returns who is where, all pages included. Those who
    /// listen hear of it where it changed anything.
    pub(crate) fn sit(&self, page: &str, by: &str, place: Option<Place>) -> Vec<Seat> {
        let now = Instant::now();
        let mine = |seat: &Seat| seat.page == page && seat.by == by;
        self.0.send_if_modified(|seats| {
            let known = seats.len();
            seats.retain(|seat| seat.until > now);
            let here = seats.iter().position(mine);
            let before = here.map(|at| seats.remove(at));
            let moved = before.as_ref().map(|seat| &seat.place) != place.as_ref();
            let expired = seats.len() + usize::from(before.is_some()) < known;
            if let Some(place) = place.filter(|_| seats.len() < MOST) {
                seats.push(Seat { page: page.to_owned(), by: by.to_owned(), place, until: now + LEASE });
            }
            moved || expired
        });
        self.0.borrow().clone()
    }

    /// Hears of every change.
    pub(crate) fn listen(&self) -> watch::Receiver<Vec<Seat>> {
        self.0.subscribe()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(id: &str) -> Option<Place> {
        Some(Place { task: "t".into(), id: id.into() })
    }

    #[test]
    fn pages_move_and_leave_and_only_that_is_told() {
        let presence = Presence::default();
        let mut heard = presence.listen();
        presence.sit("p", "ana", at("1"));
        let seats = presence.sit("q", "ben", at("1"));
        assert_eq!(seats.iter().map(|seat| seat.by.as_str()).collect::<Vec<_>>(), ["ana", "ben"]);
        assert!(heard.has_changed().is_ok_and(|changed| changed));
        heard.mark_unchanged();
        presence.sit("p", "ana", at("1"));
        assert!(heard.has_changed().is_ok_and(|changed| !changed), "saying it again is no news");
        // Nobody moves another's page.
        assert_eq!(presence.sit("p", "ben", None).len(), 2);
        assert_eq!(presence.sit("p", "ana", at("2")).iter().filter(|seat| seat.place.id == "1").count(), 1);
        presence.0.send_modify(|seats| seats[0].until = Instant::now());
        heard.mark_unchanged();
        assert_eq!(presence.sit("p", "ana", at("2")).len(), 1, "who says nothing more is gone");
        assert!(heard.has_changed().is_ok_and(|changed| changed));
        assert!(presence.sit("p", "ana", None).is_empty());
    }
}
