//! Runs side by side.

use graft_core::Example;
use graft_store::Run;
use graft_tasks::score::{Comparison, compare};
use serde::Serialize;
use serde_json::Value;

use crate::{Engine, Result, evaluate::SEED};

/// Runs, and where they differ.
#[derive(Clone, Debug, Serialize)]
pub struct Compared {
    /// In the order asked for.
    pub runs: Vec<Run>,
    /// The settings that differ, by their path in the spec.
    pub config: Vec<(String, Vec<Value>)>,
    /// What was measured.
    pub metrics: Vec<Metric>,
    /// The last run's version against the first's, where both were scored on the same examples.
    pub comparison: Option<Comparison>,
    /// The same example by example.
    pub paired: Option<Paired>,
}

/// The last run against the first on each held-out example, by the share of the metric that decides.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Paired {
    /// Examples that the last does better.
    pub wins: usize,
    /// Examples that the last does worse.
    pub losses: usize,
    /// Examples that both do equally well.
    pub ties: usize,
    /// Some of those that differ, the furthest apart first.
    pub differing: Vec<PairedExample>,
}

/// A held-out example that two runs answered differently well.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PairedExample {
    /// As it was when they were measured.
    pub example: Example,
    /// The first run's share, from 0 to 1.
    pub first: f64,
    /// The last run's.
    pub last: f64,
}

/// Examples that are listed of those that differ.
const LISTED: usize = 50;

/// One number of several runs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Metric {
    /// Its name.
    pub name: String,
    /// Value, and the ends of its interval, of each run that has it.
    pub values: Vec<Option<(f64, f64, f64)>>,
}

impl Engine {
    /// Runs side by side: the settings that differ, what was measured, and whether the last is better than the first.
    ///
    /// # Errors
    /// One of them is missing.
    pub async fn compare_runs(&self, ids: &[String]) -> Result<Compared> {
        let (mut runs, mut versions, mut evaluations) = (Vec::new(), Vec::new(), Vec::new());
        for id in ids {
            let run = self.store.run(id).await?;
            let version = self.version_of(&run).await?;
            evaluations.push(version.as_ref().and_then(Self::evaluation));
            versions.push(version);
            runs.push(run);
        }
        let mut config = Vec::new();
        let specs: Vec<&Value> = runs.iter().map(|run| &run.spec).collect();
        differing("", &specs, &mut config);
        config.retain(|(path, _)| path != "run");
        let loss = Metric {
            name: "loss".into(),
            values: runs.iter().map(|run| run.final_loss.map(|loss| (loss, loss, loss))).collect(),
        };
        // The one that decides first.
        let scores = evaluations.iter().flatten().map(|evaluation| &evaluation.adapter).next();
        let names = scores.into_iter().flat_map(|scores| {
            let others = scores.metrics.iter().filter(|metric| metric.name != scores.headline);
            scores.headline().into_iter().chain(others).map(|metric| metric.name.clone())
        });
        let of = |name: String| Metric {
            values: evaluations
                .iter()
                .map(|evaluation| {
                    let metric = evaluation.as_ref()?.adapter.metric(&name)?;
                    Some((metric.value, metric.low, metric.high))
                })
                .collect(),
            name,
        };
        let metrics = names.map(of).chain([loss]).collect();
        let (mut comparison, mut paired) = (None, None);
        if let (Some(Some(first)), Some(Some(last)), Some(Some(version))) =
            (evaluations.first(), evaluations.last(), versions.last())
            && runs.len() > 1
            && first.adapter.truth == last.adapter.truth
        {
            comparison = Some(compare(&last.adapter, &first.adapter, SEED)?);
            let held_out = self.held_out(version, last).await?;
            paired = Some(pair(&first.adapter.per_example, &last.adapter.per_example, &held_out));
        }
        Ok(Compared { runs, config, metrics, comparison, paired })
    }
}

/// Counts who does better where; examples that are no longer there are counted, but not listed.
fn pair(first: &[f64], last: &[f64], held_out: &[Example]) -> Paired {
    let mut paired = Paired { wins: 0, losses: 0, ties: 0, differing: Vec::new() };
    for (place, (&first, &last)) in first.iter().zip(last).enumerate() {
        let count = match last.total_cmp(&first) {
            std::cmp::Ordering::Greater => &mut paired.wins,
            std::cmp::Ordering::Less => &mut paired.losses,
            std::cmp::Ordering::Equal => &mut paired.ties,
        };
        *count += 1;
        if let Some(example) = held_out.get(place).filter(|_| first != last) {
            paired.differing.push(PairedExample { example: example.clone(), first, last });
        }
    }
    paired.differing.sort_by(|a, b| (b.last - b.first).abs().total_cmp(&(a.last - a.first).abs()));
    paired.differing.truncate(LISTED);
    paired
}

/// The leaves of several documents that are not the same in all.
fn differing(path: &str, values: &[&Value], into: &mut Vec<(String, Vec<Value>)>) {
    let same = values.windows(2).all(|pair| pair[0] == pair[1]);
    if same {
        return;
    }
    let objects: Vec<_> = values.iter().filter_map(|value| value.as_object()).collect();
    if objects.len() < values.len() {
        into.push((path.to_owned(), values.iter().map(|value| (*value).clone()).collect()));
        return;
    }
    let mut names: Vec<&String> = objects.iter().flat_map(|object| object.keys()).collect();
    names.sort_unstable();
    names.dedup();
    for name in names {
        let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        let values: Vec<&Value> = objects.iter().map(|object| object.get(name).unwrap_or(&Value::Null)).collect();
        differing(&path, &values, into);
    }
}

#[cfg(test)]
mod tests {
    use graft_core::{Review, Source};
    use serde_json::json;

    use super::*;

    #[test]
    fn only_leaves_that_differ_are_listed() {
        let (a, b) = (json!({"o": {"lr": 1, "b": 2}, "t": "x"}), json!({"o": {"lr": 3, "b": 2}, "t": "x", "n": 1}));
        let mut found = Vec::new();
        differing("", &[&a, &b], &mut found);
        assert_eq!(found, [("n".into(), vec![Value::Null, json!(1)]), ("o.lr".into(), vec![json!(1), json!(3)])]);
    }

    #[test]
    fn each_example_is_won_lost_or_tied() {
        let example = |id: &str| Example {
            id: id.into(),
            task: "t".into(),
            input: String::new(),
            output: None,
            source: Source { kind: "csv".into(), reference: id.into(), at: None },
            review: Review::Pending,
            revision: 1,
        };
        let paired = pair(&[0.5, 1.0, 0.2, 0.0], &[0.7, 0.0, 0.2, 1.0], &["a", "b", "c"].map(example));
        assert_eq!((paired.wins, paired.losses, paired.ties), (2, 1, 1));
        let ids: Vec<_> = paired.differing.iter().map(|one| (one.example.id.as_str(), one.first, one.last)).collect();
        assert_eq!(ids, [("b", 1.0, 0.0), ("a", 0.5, 0.7)]);
    }
}
