//! Presence: which page has which example open, so that two people do not review the same one. It locks nothing; the
//! examples' revisions prevent that one decision overwrites another.
//!
//! Each server knows its own pages; with Postgres, servers of the same database exchange theirs. Nothing is stored: an
//! entry expires unless its page repeats it.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use utoipa::ToSchema;

use crate::state::AppState;

/// How long a page counts that says nothing more; pages say it again every ten seconds.
const LEASE: Duration = Duration::from_secs(25);
/// Pages that are remembered, at most.
const MOST: usize = 500;

/// An example that a person has open.
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
    /// The person who has it open.
    by: String,
    /// The task of the example that is open.
    pub(crate) task: String,
    /// The example's id.
    id: String,
    #[serde(skip)]
    #[schema(ignore)]
    until: Instant,
}

/// The message between servers: which example a page has open now.
#[derive(Serialize, Deserialize)]
struct Word {
    /// Who says it: a server hears its own words too.
    server: String,
    page: String,
    by: String,
    at: Option<Place>,
}

/// Who looks at what.
#[derive(Debug, Default)]
pub struct Presence {
    seats: watch::Sender<Vec<Seat>>,
    /// This server's name among those of the database.
    server: String,
}

impl Presence {
    /// Without any page.
    pub(crate) fn new(server: String) -> Self {
        Self { server, ..Self::default() }
    }

    /// Notes where a page of somebody is now (none: nowhere) and returns who is where, all pages included. Those who
    /// listen hear of it where it changed anything.
    pub(crate) fn sit(&self, page: &str, by: &str, place: Option<Place>) -> Vec<Seat> {
        let now = Instant::now();
        let mine = |seat: &Seat| seat.page == page && seat.by == by;
        self.seats.send_if_modified(|seats| {
            let known = seats.len();
            seats.retain(|seat| seat.until > now);
            let here = seats.iter().position(mine);
            let before = here.map(|at| seats.remove(at));
            let moved =
                before.as_ref().map(|seat| (&seat.task, &seat.id)) != place.as_ref().map(|at| (&at.task, &at.id));
            let expired = seats.len() + usize::from(before.is_some()) < known;
            if let Some(place) = place.filter(|_| seats.len() < MOST) {
                seats.push(Seat {
                    page: page.to_owned(),
                    by: by.to_owned(),
                    task: place.task,
                    id: place.id,
                    until: now + LEASE,
                });
            }
            moved || expired
        });
        self.seats.borrow().clone()
    }

    /// What to say to the other servers of it.
    pub(crate) fn word(&self, page: &str, by: &str, at: Option<&Place>) -> String {
        let word = Word { server: self.server.clone(), page: page.into(), by: by.into(), at: at.cloned() };
        graft_core::json::line(&word)
    }

    /// Takes over what a server said, unless it was this one.
    fn hear(&self, word: &str) {
        if let Ok(Word { server, page, by, at }) = serde_json::from_str(word)
            && server != self.server
        {
            self.sit(&page, &by, at);
        }
    }

    /// Hears of every change.
    pub(crate) fn listen(&self) -> watch::Receiver<Vec<Seat>> {
        self.seats.subscribe()
    }
}

/// Hears where the pages of other servers are, until this one ends.
pub(crate) async fn follow(state: AppState, mut messages: graft_engine::records::Messages) {
    let mut closing = state.closing();
    loop {
        tokio::select! {
            _ = closing.wait_for(|closing| *closing) => return,
            message = messages.next() => state.presence.hear(&message),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(id: &str) -> Option<Place> {
        Some(Place { task: "t".into(), id: id.into() })
    }

    #[test]
    fn presence_reports_only_changes() {
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
        assert_eq!(presence.sit("p", "ana", at("2")).iter().filter(|seat| seat.id == "1").count(), 1);
        presence.seats.send_modify(|seats| seats[0].until = Instant::now());
        heard.mark_unchanged();
        assert_eq!(presence.sit("p", "ana", at("2")).len(), 1, "who says nothing more is gone");
        assert!(heard.has_changed().is_ok_and(|changed| changed));
        assert!(presence.sit("p", "ana", None).is_empty());
    }

    #[test]
    fn servers_forward_only_presence_of_others() {
        let (here, there) = (Presence::new("here".into()), Presence::new("there".into()));
        there.hear(&here.word("p", "ana", at("1").as_ref()));
        here.hear(&here.word("p", "ana", at("1").as_ref()));
        there.hear("what?");
        assert_eq!(
            there.sit("q", "ben", at("2")).iter().map(|seat| seat.page.as_str()).collect::<Vec<_>>(),
            ["p", "q"]
        );
        assert_eq!(here.listen().borrow().len(), 0, "what a page has done since counts, not its echo");
        there.hear(&here.word("p", "ana", None));
        assert_eq!(there.listen().borrow().len(), 1);
    }
}
