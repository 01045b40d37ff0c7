//! Empty labels, and labels in two spellings.

use std::collections::{BTreeMap, BTreeSet};

use graft_predict::typos_apart;
use serde_json::Value;

use super::{Approved, Draft, Fix, FixAction, FixDecision, SuspectKind, examples};

/// What tables and programs write where there is no label.
const EMPTY: [&str; 16] = [
    "",
    "null",
    "none",
    "nil",
    "nan",
    "na",
    "n/a",
    "#n/a",
    "undefined",
    "missing",
    "empty",
    "blank",
    "tbd",
    "todo",
    "-",
    "?",
];
/// A label with a typo is so many times rarer than the right one, at least.
const RARER: usize = 5;

/// For each spelling of a label, the one that most examples have.
pub(super) type Spellings = BTreeMap<String, String>;

impl Approved<'_> {
    /// Labels that say nothing, and rarer spellings of a label.
    pub(super) fn labels_to_merge(&self) -> Vec<Draft> {
        if !self.has_labels() {
            return Vec::new();
        }
        let mut places: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for place in 0..self.examples.len() {
            places.entry(self.label(place)).or_default().push(place);
        }
        let mut found = Vec::new();
        // One approval again says that the label is meant.
        places.retain(|label, places| {
            let is_empty = is_empty(label);
            if is_empty && !places.iter().any(|place| self.is_confirmed(*place)) {
                found.push(self.empty(label, places));
            }
            !is_empty
        });
        // The most frequent first: the others are merged into it.
        let mut all: Vec<(&str, Vec<usize>)> = places.into_iter().collect();
        all.sort_by_key(|(_, places)| std::cmp::Reverse(places.len()));
        let mut merged: BTreeSet<&str> = BTreeSet::new();
        for (at, (common, of_common)) in all.iter().enumerate() {
            for (rare, of_rare) in &all[at + 1..] {
                if merged.contains(common) || merged.contains(rare) {
                    continue;
                }
                let Some(how) = spelled_alike(rare, of_rare.len(), common, of_common.len()) else { continue };
                merged.insert(rare);
                if !of_rare.iter().any(|place| self.is_confirmed(*place)) {
                    found.push(self.spelling((rare, of_rare), (common, of_common), how));
                }
            }
        }
        found
    }

    /// The spellings that these suspects would merge.
    pub(super) fn spellings(&self, suspects: &[Draft]) -> Spellings {
        let merges = suspects.iter().filter(|draft| draft.kind == SuspectKind::LabelSpelling);
        let merge = |draft: &Draft| {
            let common = draft.fixes.first()?.decisions.first()?.output.as_ref()?.as_str()?.to_owned();
            Some((self.label(*draft.places.first()?).to_owned(), common))
        };
        merges.filter_map(merge).collect()
    }

    fn empty(&self, label: &str, places: &[usize]) -> Draft {
        let reason = format!("tables write `{label}` if there is no label; {} it", have(places.len()));
        let rejected = self.reject("Reject them", "no label", places);
        let keep = self.keep(&format!("`{label}` is a label"), &places[..1]);
        Draft { kind: SuspectKind::EmptyLabel, reason, places: places.to_vec(), fixes: vec![rejected, keep] }
    }

    fn spelling(&self, rare: (&str, &[usize]), common: (&str, &[usize]), how: &str) -> Draft {
        let reason = format!(
            "`{}` ({}) differs from `{}` ({}) only by {how}",
            rare.0,
            examples(rare.1.len()),
            common.0,
            examples(common.1.len())
        );
        let into = Value::from(common.0);
        let edits = rare.1.iter().map(|place| FixDecision::edit(&self.examples[*place], &into)).collect();
        let merge = Fix { action: FixAction::Change, title: format!("Merge into `{}`", common.0), decisions: edits };
        let keep = self.keep("They are two labels", &rare.1[..1]);
        let reject = self.reject("Reject them", "wrong label", rare.1);
        let fixes = vec![merge, keep, reject];
        Draft { kind: SuspectKind::LabelSpelling, reason, places: rare.1.to_vec(), fixes }
    }
}

fn have(count: usize) -> String {
    format!("{} {}", examples(count), if count == 1 { "has" } else { "have" })
}

/// Whether a label is none.
pub(super) fn is_empty(label: &str) -> bool {
    EMPTY.contains(&label.to_lowercase().trim_matches(|c: char| "()[]<>\"'. ".contains(c)))
}

/// How two labels differ, if they are likely to be the same.
fn spelled_alike(rare: &str, of_rare: usize, common: &str, of_common: usize) -> Option<&'static str> {
    let digits = |label: &str| label.chars().filter(char::is_ascii_digit).collect::<String>();
    match typos_apart(rare, common)? {
        0 => Some("case, spaces or punctuation"),
        _ if digits(rare) != digits(common) || of_rare * RARER > of_common => None,
        _ => Some("a typo"),
    }
}
