//! Counts of requests, which are added up in memory and stored together: the inputs of each task by hour, for drift, and how
//! long the versions of a roll-out take to answer. No text is kept.

use std::{
    collections::{HashMap, HashSet},
    hash::{DefaultHasher, Hash as _, Hasher as _},
    sync::{Mutex, MutexGuard, PoisonError},
};

use graft_store::ServedInputs;

use super::Serving;
use crate::{
    Result, now,
    rollouts::times,
    versions::{HOUR, KEPT_HOURS, groups},
};

/// Different inputs of a task that are counted in an hour. Later ones would change no share.
const MOST: usize = 50_000;

/// What was counted, and is stored as totals of this process.
pub(super) struct Tallies {
    /// A name that no other process has.
    process: String,
    counts: Mutex<Counts>,
}

#[derive(Default)]
struct Counts {
    inputs: HashMap<(String, i64), Inputs>,
    times: HashMap<(i64, String), Tally>,
    /// The hour in which old counts were last deleted.
    forgot_at: i64,
}

/// Counts, and whether they have changed since they were stored.
#[derive(Default)]
struct Tally {
    counts: Vec<u64>,
    is_new: bool,
}

impl Tally {
    fn add(&mut self, places: impl IntoIterator<Item = usize>) {
        for place in places {
            self.counts.resize(self.counts.len().max(place + 1), 0);
            self.counts[place] += 1;
        }
        self.is_new = true;
    }
}

#[derive(Default)]
struct Inputs {
    /// Hashes of the inputs: one that is sent again and again counts once.
    seen: HashSet<u64>,
    groups: Tally,
}

/// What is stored at once.
struct Due {
    inputs: Vec<(String, ServedInputs)>,
    times: Vec<((i64, String), Vec<u64>)>,
}

impl Default for Tallies {
    fn default() -> Self {
        // Processes of one database rarely begin in the same nanosecond; without random numbers that must do.
        let random = getrandom::u64().unwrap_or_default();
        Self { process: format!("{:x}-{random:016x}", now()), counts: Mutex::default() }
    }
}

impl Tallies {
    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts an input.
    fn input(&self, task: &str, text: &str, hour: i64) {
        let mut hasher = DefaultHasher::new();
        text.hash(&mut hasher);
        let (digest, found) = (hasher.finish(), groups(text));
        let mut counts = self.counts();
        let inputs = counts.inputs.entry((task.to_owned(), hour)).or_default();
        if inputs.seen.len() < MOST && inputs.seen.insert(digest) {
            inputs.groups.add(found);
        }
    }

    fn time(&self, rollout: i64, version: &str, seconds: f64) {
        self.counts().times.entry((rollout, version.to_owned())).or_default().add([times::place(seconds)]);
    }

    /// What has changed since it was stored. What is stored and over is forgotten.
    fn due(&self, hour: i64, is_running: impl Fn(i64) -> bool) -> Due {
        let mut counts = self.counts();
        counts.inputs.retain(|(_, of), inputs| inputs.groups.is_new || *of >= hour);
        counts.times.retain(|(rollout, _), tally| tally.is_new || is_running(*rollout));
        let inputs = counts.inputs.iter().filter(|(_, inputs)| inputs.groups.is_new);
        let inputs = inputs.map(|((task, hour), inputs)| {
            let (counts, inputs) = (inputs.groups.counts.clone(), inputs.seen.len() as u64);
            (task.clone(), ServedInputs { hour: *hour, inputs, counts })
        });
        let times = counts.times.iter().filter(|(_, tally)| tally.is_new);
        Due { inputs: inputs.collect(), times: times.map(|(of, tally)| (of.clone(), tally.counts.clone())).collect() }
    }

    /// Notes that these totals are stored, unless more was counted meanwhile.
    fn stored_inputs(&self, task: &str, stored: &ServedInputs) {
        if let Some(inputs) = self.counts().inputs.get_mut(&(task.to_owned(), stored.hour)) {
            inputs.groups.is_new = inputs.seen.len() as u64 != stored.inputs;
        }
    }

    fn stored_times(&self, of: &(i64, String), stored: &[u64]) {
        if let Some(tally) = self.counts().times.get_mut(of) {
            tally.is_new = tally.counts != stored;
        }
    }
}

impl Serving {
    /// Counts an input that somebody asked a task about.
    pub(super) fn count_input(&self, task: &str, text: &str) {
        // A command or a measurement is no traffic.
        if self.0.given.get().is_some() {
            self.0.tallies.input(task, text, now() / HOUR);
        }
    }

    /// Counts how long a version took to answer a request that a roll-out gave to it at random.
    pub(super) fn count_time(&self, rollout: i64, version: &str, seconds: f64) {
        self.0.tallies.time(rollout, version, seconds);
    }

    /// Stores what was counted since the last time.
    pub(super) async fn store_tallies(&self) -> Result<()> {
        let (store, tallies, hour) = (&self.engine().store, &self.0.tallies, now() / HOUR);
        let running: Vec<i64> = self.state().rollouts.values().map(|rollout| rollout.id).collect();
        let Due { inputs, times } = tallies.due(hour, |rollout| running.contains(&rollout));
        if !inputs.is_empty() && std::mem::replace(&mut tallies.counts().forgot_at, hour) < hour {
            store.forget_served_inputs(hour - KEPT_HOURS).await?;
        }
        for (task, served) in inputs {
            store.set_served_inputs(&task, &tallies.process, &served).await?;
            tallies.stored_inputs(&task, &served);
        }
        for (of, counts) in times {
            store.set_rollout_times(of.0, &of.1, &tallies.process, &counts).await?;
            tallies.stored_times(&of, &counts);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn totals_are_due_until_they_are_stored() {
        let tallies = Tallies::default();
        let due = |hour| tallies.due(hour, |_| false).inputs;
        for text in ["free prize", "free prize", "two cases of kale"] {
            tallies.input("mail", text, 7);
        }
        let (task, first) = due(7).remove(0);
        assert_eq!((task.as_str(), first.hour, first.inputs), ("mail", 7, 2), "the same input counts once");
        assert_eq!(
            first.counts.iter().sum::<u64>() as usize,
            groups("free prize").len() + groups("two cases of kale").len()
        );
        // Another one comes while these are stored.
        tallies.input("mail", "one more", 7);
        tallies.stored_inputs("mail", &first);
        let second = due(8).remove(0).1;
        assert_eq!((second.hour, second.inputs), (7, 3), "kept in the next hour until it is stored");
        tallies.stored_inputs("mail", &second);
        tallies.input("mail", "free prize", 8);
        assert_eq!(due(8).remove(0).1.inputs, 1, "each hour begins at zero");
        assert_eq!(tallies.counts().inputs.len(), 1, "the last hour is forgotten");
    }

    #[test]
    fn times_are_kept_while_their_rollout_runs() {
        let tallies = Tallies::default();
        tallies.time(3, "v2", 0.2);
        let due = tallies.due(0, |_| false).times;
        assert_eq!(due.len(), 1);
        tallies.stored_times(&due[0].0, &due[0].1);
        assert!(tallies.due(0, |_| true).times.is_empty());
        tallies.time(3, "v2", 0.2);
        assert_eq!(tallies.due(0, |_| true).times[0].1.iter().sum::<u64>(), 2, "totals, not what was added");
        tallies.stored_times(&due[0].0, &tallies.due(0, |_| true).times[0].1);
        assert!(tallies.due(0, |_| false).times.is_empty() && tallies.counts().times.is_empty());
    }
}
