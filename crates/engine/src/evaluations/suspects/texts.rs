//! Identical and nearly identical texts with different answers.

use std::collections::{BTreeMap, BTreeSet};

use graft_core::near_duplicates;
use graft_predict::{Found, find_in};
use graft_tasks::score;
use serde_json::Value;

use super::{Approved, CHOICES, Draft, Fix, FixAction, FixDecision, SuspectKind, labels::Spellings, short};

impl Approved<'_> {
    /// The same text with different answers, and nearly the same text with different answers.
    pub(super) fn contradictions(&self, spelled: &Spellings) -> Vec<Draft> {
        let mut found = self.same_text(spelled);
        // Free texts differ in as many ways as what they answer to.
        if !self.task.form.is_text() {
            let named: BTreeSet<usize> = found.iter().flat_map(|draft| draft.places.iter().copied()).collect();
            found.extend(self.near(spelled, &named));
        }
        found
    }

    fn same_text(&self, spelled: &Spellings) -> Vec<Draft> {
        let mut groups: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (place, example) in self.examples.iter().enumerate() {
            let text = example.input.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
            groups.entry(text).or_default().push(place);
        }
        let differing = |places: Vec<usize>| {
            let answers = self.answers(&places, spelled);
            let open = answers.len() > 1 && !places.iter().all(|place| self.is_confirmed(*place));
            open.then(|| {
                let what = if self.has_labels() { "labels" } else { "answers" };
                let reason = format!("the same text has {} {what}: {}", answers.len(), named(&answers));
                let keeps = self.keeps(&answers, true);
                self.draft(SuspectKind::SameText, reason, places, keeps)
            })
        };
        groups.into_values().filter(|group| group.len() > 1).filter_map(differing).collect()
    }

    /// Clusters of near-duplicates in which something is said in two ways that no text says.
    fn near(&self, spelled: &Spellings, skipped: &BTreeSet<usize>) -> Vec<Draft> {
        let texts: Vec<&str> = self.examples.iter().map(|example| example.input.as_str()).collect();
        let mut clusters: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (place, cluster) in near_duplicates(&texts).into_iter().enumerate() {
            if !skipped.contains(&place) {
                clusters.entry(cluster).or_default().push(place);
            }
        }
        let mut found = Vec::new();
        for cluster in clusters.into_values().filter(|cluster| cluster.len() > 1) {
            let mut said: BTreeMap<String, BTreeMap<String, Vec<usize>>> = BTreeMap::new();
            for place in cluster {
                for (field, value) in self.unstated(place, spelled) {
                    said.entry(field).or_default().entry(value).or_default().push(place);
                }
            }
            let differing: Vec<_> = said.iter().filter(|(_, values)| values.len() > 1).collect();
            let places: BTreeSet<usize> =
                differing.iter().flat_map(|(_, values)| values.values().flatten().copied()).collect();
            let places: Vec<usize> = places.into_iter().collect();
            if places.is_empty() || places.iter().all(|place| self.is_confirmed(*place)) {
                continue;
            }
            let ways = |(field, values): &(&String, &BTreeMap<String, Vec<usize>>)| {
                let values: Vec<String> = values.keys().take(CHOICES).map(|value| format!("`{value}`")).collect();
                let field = if field.is_empty() { String::new() } else { format!("{field} ") };
                format!("{field}{}", values.join(" and "))
            };
            let ways: Vec<String> = differing.iter().take(CHOICES).map(ways).collect();
            let reason = format!("nearly the same text has different answers: {}", ways.join("; "));
            let keeps = self.keeps(&self.answers(&places, spelled), self.has_labels());
            found.push(self.draft(SuspectKind::NearDuplicate, reason, places, keeps));
        }
        found
    }

    fn draft(&self, kind: SuspectKind, reason: String, places: Vec<usize>, keeps: Vec<Fix>) -> Draft {
        let mut fixes = keeps;
        let all = if places.len() == 2 { "both" } else { "all" };
        fixes.push(self.keep(&format!("Keep {all}"), &places));
        fixes.push(self.reject(&format!("Reject {all}"), "contradicts another example", &places));
        Draft { kind, reason, places, fixes }
    }

    /// Each different answer with the examples that have it, the most frequent first.
    fn answers(&self, places: &[usize], spelled: &Spellings) -> Vec<(&Value, Vec<usize>)> {
        let card = (!self.has_labels()).then(|| self.task.card(&[]).ok()).flatten();
        let same = |a: usize, b: usize| match &card {
            Some(card) => {
                let of = |place: usize| self.examples[place].output.clone().unwrap_or_default();
                score::all_right(card, &self.task.scoring, &of(a), &of(b))
            }
            None => self.merged(a, spelled) == self.merged(b, spelled),
        };
        let mut found: Vec<Vec<usize>> = Vec::new();
        for &place in places {
            // Of very many different answers, those of the first are enough.
            match found.iter_mut().take(SEARCHED).find(|group| same(group[0], place)) {
                Some(group) => group.push(place),
                None => found.push(vec![place]),
            }
        }
        found.sort_by_key(|group| std::cmp::Reverse(group.len()));
        let answer = |group: Vec<usize>| Some((self.examples[group[0]].output.as_ref()?, group));
        found.into_iter().filter_map(answer).collect()
    }

    /// A label in its most frequent spelling.
    pub(super) fn merged<'s>(&'s self, place: usize, spelled: &'s Spellings) -> &'s str {
        let label = self.label(place);
        spelled.get(label).map_or(label, String::as_str)
    }

    /// For each answer the fix that keeps it: the other examples get it, or they are rejected.
    fn keeps(&self, answers: &[(&Value, Vec<usize>)], edits: bool) -> Vec<Fix> {
        let keep = |at: usize| {
            let others =
                answers.iter().enumerate().filter(|(other, _)| *other != at).flat_map(|(_, (_, places))| places);
            let decide = |place: &usize| match edits {
                true => FixDecision::edit(&self.examples[*place], answers[at].0),
                false => FixDecision::reject(&self.examples[*place], "contradicts another example"),
            };
            let title = match edits {
                true => format!("Keep `{}`", short(answers[at].0)),
                false => format!("Keep only {}", self.examples[answers[at].1[0]].id),
            };
            Fix { action: FixAction::Keep, title, decisions: others.map(decide).collect() }
        };
        (0..answers.len().min(CHOICES)).map(keep).collect()
    }

    /// What an answer says that its text doesn't: a label, the choices and truths of an object. What a text states may
    /// differ where the texts do; so may numbers, which follow from details.
    fn unstated(&self, place: usize, spelled: &Spellings) -> BTreeMap<String, String> {
        if self.has_labels() {
            return BTreeMap::from([(String::new(), self.merged(place, spelled).to_owned())]);
        }
        let mut said = Vec::new();
        if let Some(output) = &self.examples[place].output {
            collect(output, String::new(), &mut said);
        }
        let texts: Vec<&str> = said.iter().map(|(_, text)| text.as_str()).collect();
        let stated = find_in(&self.examples[place].input, &texts);
        let mut unstated: BTreeMap<String, String> = BTreeMap::new();
        let mut twice = BTreeSet::new();
        for ((field, value), found) in said.iter().zip(stated) {
            if found == Found::Not && unstated.insert(field.clone(), value.clone()).is_some_and(|old| old != *value) {
                twice.insert(field.clone());
            }
        }
        unstated.retain(|field, _| !twice.contains(field));
        unstated
    }
}

/// Different answers that another one is compared with.
const SEARCHED: usize = 50;

/// Texts and truths of an answer by path; objects of a list by their first text.
fn collect(value: &Value, path: String, said: &mut Vec<(String, String)>) {
    match value {
        Value::String(text) => said.push((path, text.clone())),
        Value::Bool(truth) => said.push((path, truth.to_string())),
        Value::Object(all) => {
            for (name, value) in all {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                collect(value, path, said);
            }
        }
        Value::Array(all) => {
            for object in all.iter().filter_map(Value::as_object) {
                let Some(name) = object.values().find_map(Value::as_str) else { continue };
                collect(&Value::Object(object.clone()), format!("{path}[{}]", name.to_lowercase()), said);
            }
        }
        Value::Null | Value::Number(_) => {}
    }
}

fn named(answers: &[(&Value, Vec<usize>)]) -> String {
    let names: Vec<String> = answers.iter().take(CHOICES).map(|(answer, _)| format!("`{}`", short(answer))).collect();
    names.join(" and ")
}
