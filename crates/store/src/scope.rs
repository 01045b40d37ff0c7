//! What a write locks, so that writes that have nothing to do with each other go on side by side on Postgres. SQLite has
//! one writer at a time in any case.
//!
//! Every write takes the lock of the whole database: alone for [`Scope::All`], shared with others for every other scope,
//! which then also takes locks of its own. All locks are taken in this order and kept until the transaction ends, the lock
//! for numbers of the audit trail last (`changes::number`), so that writers never wait for each other in a circle.

use graft_core::Digest;

/// What a write reads for its decisions, and changes. No other write with an overlapping scope goes on meanwhile.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Scope<'a> {
    /// Anything: no other write goes on at all. A write needs a narrower scope only if it is frequent.
    All,
    /// All examples of a task.
    Examples(&'a str),
    /// One example of a task.
    Example(&'a str, &'a str),
    /// Which runs exist. Only this scope and [`All`](Self::All) may add an active run, or make an ended one active.
    Queue,
    /// Which run is claimed next.
    Claims,
    /// One active run that exists, and what it found.
    Run(&'a str),
    /// A request with an idempotency key: who sent it, its route and its key.
    Request(&'a str, &'a str, &'a str),
    /// The answers of a roll-out.
    Rollout(i64),
    /// One statement about one row: the database itself makes it wait for other writers of that row.
    Statement,
}

/// The lock of the whole database among the advisory locks of a Postgres server.
pub(crate) const WHOLE: i64 = 7_238_237_101;
/// The lock of the numbers of the audit trail.
pub(crate) const NUMBERS: i64 = 7_238_237_102;

impl Scope<'_> {
    /// The statements that take the scope's locks on Postgres.
    pub(crate) fn locks(self) -> String {
        let alone = |key: i64| format!("select 1 from pg_advisory_xact_lock({key}); ");
        let shared = |key: i64| format!("select 1 from pg_advisory_xact_lock_shared({key}); ");
        match self {
            Self::All => alone(WHOLE),
            _ => {
                shared(WHOLE)
                    + &self
                        .own()
                        .into_iter()
                        .map(|(key, is_alone)| if is_alone { alone(key) } else { shared(key) })
                        .collect::<String>()
            }
        }
    }

    /// The keys of its own locks, and whether it takes them alone.
    fn own(self) -> Vec<(i64, bool)> {
        match self {
            Self::All | Self::Statement => Vec::new(),
            Self::Examples(task) => vec![(key(&["examples", task]), true)],
            Self::Example(task, id) => vec![(key(&["examples", task]), false), (key(&["example", task, id]), true)],
            Self::Queue => vec![(key(&["queue"]), true)],
            Self::Claims => vec![(key(&["claims"]), true)],
            Self::Run(id) => vec![(key(&["run", id]), true)],
            Self::Request(who, route, name) => vec![(key(&["request", who, route, name]), true)],
            Self::Rollout(id) => vec![(key(&["rollout", &id.to_string()]), true)],
        }
    }
}

/// The same key for the same words in every process. Two things with the same key by chance only wait for each other.
fn key(words: &[&str]) -> i64 {
    let digest = Digest::of_parts(words.iter().map(|word| word.as_bytes()));
    let start = digest.as_str().get(..15).unwrap_or_default();
    i64::from_str_radix(start, 16).unwrap_or_default()
}
