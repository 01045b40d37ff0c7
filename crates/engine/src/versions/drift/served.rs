//! Whether the inputs that are served are like those that a version was trained on.
//!
//! For each group, two shares are compared: of the served inputs and of the training inputs that belong to it. An input
//! counts once in each of its groups, however often it repeats a word, so the counts are those of independent inputs and
//! Fisher's test is exact.

use std::collections::{HashMap, HashSet};

use graft_core::Timestamp;
use graft_store::ServedInputs;
use serde::Serialize;
use utoipa::ToSchema;

use super::groups::{GROUPS, Group, group_of, groups, words};
use super::numbers::{Distance, apart};
use super::{DriftState, signals::percent};

/// Inputs that are compared at once: whole hours, the newest first, until there are so many.
const WINDOW: u64 = 500;
/// So many are needed to say anything.
const ENOUGH: u64 = 100;
/// Groups that are named, those that moved furthest.
const NAMED: usize = 5;
/// Words that are named of a group.
const EXAMPLES: usize = 3;
/// Milliseconds of an hour.
pub(crate) const HOUR: Timestamp = 3_600_000;

const TEST: &str = "It drifts if the shares of inputs with a word of some group (words are hashed to 512 groups), or with a \
                    length in some range, differ by 10 points or more and Fisher's exact test, corrected for the number \
                    of groups, gives p < 0.01.";

/// Whether served inputs are like the training inputs.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct ServedDrift {
    /// What follows.
    pub state: DriftState,
    /// The numbers as a sentence, or why there are none.
    pub text: String,
    /// The test and its threshold.
    pub test: &'static str,
    /// The newest inputs, of these hours.
    pub window: Option<ServedPeriod>,
    /// Training inputs that they are compared with.
    pub reference: usize,
    /// Groups whose shares changed, those that moved furthest first.
    pub moved: Vec<MovedShare>,
    /// The same comparison for periods of the last days, oldest first; the last one is the window.
    pub periods: Vec<ServedPeriod>,
}

/// Inputs of consecutive hours.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, ToSchema)]
pub struct ServedPeriod {
    /// When it begins.
    pub from: Timestamp,
    /// When it ends.
    pub until: Timestamp,
    /// Different inputs in each hour, added up.
    pub inputs: u64,
    /// How far they are from the training inputs.
    pub distance: Distance,
}

/// A group of inputs or answers whose share changed.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct MovedShare {
    /// What they have in common.
    pub what: String,
    /// Its share of the newest ones.
    pub now: f64,
    /// Its share of those that they are compared with.
    pub then: f64,
}

impl ServedDrift {
    pub(super) fn unknown(reference: usize, why: &str) -> Self {
        let (window, moved, periods) = (None, Vec::new(), Vec::new());
        Self { state: DriftState::Unknown, text: why.into(), test: TEST, window, reference, moved, periods }
    }
}

/// The counts of some inputs.
struct Counts {
    inputs: u64,
    groups: Vec<u64>,
}

impl Counts {
    fn of(inputs: &[String]) -> Self {
        let mut groups = vec![0; GROUPS];
        inputs.iter().flat_map(|input| self::groups(input)).for_each(|group| groups[group] += 1);
        Self { inputs: inputs.len() as u64, groups }
    }

    fn share(&self, group: usize) -> f64 {
        self.groups[group] as f64 / self.inputs as f64
    }

    /// Groups whose shares differ, furthest first, and the distance of all.
    fn apart(&self, other: &Self) -> (Vec<usize>, Distance) {
        let counts: Vec<(u64, u64)> = self.groups.iter().copied().zip(other.groups.iter().copied()).collect();
        apart(&counts, self.inputs, other.inputs)
    }
}

/// Compares what was counted, newest hour first, with training inputs.
pub(super) fn served(learned: &[String], hours: &[ServedInputs]) -> ServedDrift {
    let then = Counts::of(learned);
    let unknown = |text: &str| ServedDrift::unknown(learned.len(), text);
    if learned.is_empty() {
        return unknown("Unknown: the training data of the version is not known.");
    }
    let periods = periods(hours);
    let Some((_, now)) = periods.first() else {
        let have: u64 = hours.iter().map(|hour| hour.inputs).sum();
        return unknown(&format!(
            "Unknown yet: {have} different inputs were served in the last 7 days; {} more are needed.",
            ENOUGH.saturating_sub(have)
        ));
    };
    let (groups, distance) = now.apart(&then);
    let named = words_of(learned, &groups);
    let moved: Vec<MovedShare> = groups
        .iter()
        .take(NAMED)
        .map(|group| MovedShare { what: what(*group, &named), now: now.share(*group), then: then.share(*group) })
        .collect();
    let state = if moved.is_empty() { DriftState::Stable } else { DriftState::Drifting };
    let text = match moved.first() {
        None => format!(
            "The last {} inputs have the words and the lengths of {} training examples.",
            now.inputs, then.inputs
        ),
        Some(first) => {
            format!(
                "Of the last {} inputs {} have {}, of {} training examples {}, {}. Import inputs of this kind, audit them \
                 and train again.",
                now.inputs,
                percent(first.now),
                first.what,
                then.inputs,
                percent(first.then),
                distance.said(),
            )
        }
    };
    let mut compared: Vec<ServedPeriod> = periods
        .iter()
        .map(|((from, until), counts)| ServedPeriod {
            from: *from,
            until: *until,
            inputs: counts.inputs,
            distance: counts.apart(&then).1,
        })
        .collect();
    compared.reverse();
    ServedDrift { state, window: compared.last().copied(), moved, periods: compared, ..unknown(&text) }
}

/// Whole hours with enough inputs each, newest first. Inputs of the oldest hours that are too few are left out.
fn periods(hours: &[ServedInputs]) -> Vec<((Timestamp, Timestamp), Counts)> {
    let mut periods: Vec<((Timestamp, Timestamp), Counts)> = Vec::new();
    for hour in hours {
        let from = hour.hour * HOUR;
        match periods.last_mut().filter(|(_, counts)| counts.inputs < WINDOW) {
            Some((times, counts)) => {
                times.0 = from;
                counts.inputs += hour.inputs;
                counts.groups.iter_mut().zip(&hour.counts).for_each(|(sum, count)| *sum += count);
            }
            None => {
                let mut groups = hour.counts.clone();
                groups.resize(GROUPS, 0);
                periods.push(((from, from + HOUR), Counts { inputs: hour.inputs, groups }));
            }
        }
    }
    periods.retain(|(_, counts)| counts.inputs >= ENOUGH);
    periods
}

/// The words of training inputs in these groups, those of most inputs first.
fn words_of(learned: &[String], groups: &[usize]) -> HashMap<usize, Vec<String>> {
    let mut counts: HashMap<String, usize> = HashMap::new();
    for input in learned {
        let mut seen = HashSet::new();
        for word in words(input) {
            if groups.contains(&group_of(&word)) && seen.insert(word.clone()) {
                *counts.entry(word).or_default() += 1;
            }
        }
    }
    let mut words: Vec<(String, usize)> = counts.into_iter().collect();
    words.sort_by(|(a, x), (b, y)| y.cmp(x).then_with(|| a.cmp(b)));
    let mut named: HashMap<usize, Vec<String>> = HashMap::new();
    for (word, _) in words {
        let of = named.entry(group_of(&word)).or_default();
        if of.len() < EXAMPLES {
            of.push(word);
        }
    }
    named
}

fn what(group: usize, named: &HashMap<usize, Vec<String>>) -> String {
    match (Group::of(group), named.get(&group)) {
        (Group::Length(from, below), _) => format!("{from} to {} characters", below - 1),
        (Group::Words, Some(words)) => {
            let words: Vec<String> = words.iter().map(|word| format!("“{word}”")).collect();
            format!("a word like {} (group {group})", words.join(", "))
        }
        (Group::Words, None) => format!("words that no training example has (group {group})"),
    }
}

#[cfg(test)]
mod tests;
