use serde_json::Value;

use super::{Board, Confusion, LabelScore};

/// Scores labels. A wanted label that the card doesn't have still counts, under its own name.
pub(super) fn score(
    labels: &[String],
    pairs: &[(Value, Option<Value>)],
    board: &mut Board,
) -> (Vec<LabelScore>, Confusion) {
    let mut names: Vec<String> = labels.to_vec();
    let want: Vec<usize> = pairs
        .iter()
        .map(|(want, _)| {
            let label = shown(want);
            names.iter().position(|name| *name == label).unwrap_or_else(|| {
                names.push(label);
                names.len() - 1
            })
        })
        .collect();
    let none = names.len();
    let find = |got: &Option<Value>| got.as_ref().and_then(|got| names.iter().position(|name| *name == shown(got)));
    let got: Vec<usize> = pairs.iter().map(|(_, got)| find(got).unwrap_or(none)).collect();

    board.share("accuracy", want.iter().zip(&got).map(|(want, got)| want == got));
    let macro_f1 = |sample: &mut dyn Iterator<Item = usize>| {
        let tallies = tallies(&count(sample.map(|i| (want[i], got[i])), none));
        let seen: Vec<f64> = tallies.iter().filter(|t| t.support + t.given > 0).map(Tally::f1).collect();
        seen.iter().sum::<f64>() / seen.len().max(1) as f64
    };
    board.push("macro_f1", &macro_f1);

    let counts = count(want.iter().copied().zip(got.iter().copied()), none);
    let scores = tallies(&counts).into_iter().zip(&names).map(|(tally, label)| LabelScore {
        label: label.clone(),
        support: tally.support,
        precision: share(tally.hit, tally.given),
        recall: share(tally.hit, tally.support),
        f1: tally.f1(),
    });
    (scores.collect(), Confusion { labels: names.clone(), counts })
}

fn shown(label: &Value) -> String {
    match label {
        Value::String(text) => text.trim().to_owned(),
        other => other.to_string(),
    }
}

fn count(pairs: impl Iterator<Item = (usize, usize)>, labels: usize) -> Vec<Vec<usize>> {
    let mut counts = vec![vec![0; labels + 1]; labels];
    pairs.for_each(|(want, got)| counts[want][got] += 1);
    counts
}

/// How often a label was wanted, given, and both.
struct Tally {
    support: usize,
    given: usize,
    hit: usize,
}

impl Tally {
    fn f1(&self) -> f64 {
        share(2 * self.hit, self.given + self.support)
    }
}

fn tallies(counts: &[Vec<usize>]) -> Vec<Tally> {
    let one = |label: usize| Tally {
        support: counts[label].iter().sum(),
        given: counts.iter().map(|row| row[label]).sum(),
        hit: counts[label][label],
    };
    (0..counts.len()).map(one).collect()
}

fn share(part: usize, whole: usize) -> f64 {
    if whole > 0 { part as f64 / whole as f64 } else { 0.0 }
}
