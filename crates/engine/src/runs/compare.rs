//! Comparison of runs.

use graft_core::Example;
use graft_store::Run;
use graft_tasks::score::{Verdict, compare};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::Runs;
use crate::{Result, evaluations::SEED, versions::Evaluation};

/// Runs side by side.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct RunComparison {
    /// In the order asked for.
    pub runs: Vec<Run>,
    /// Settings in which they differ.
    pub config: Vec<ComparedField>,
    /// Numbers of their versions on the held-out examples.
    pub metrics: Vec<ComparedMetric>,
    /// The last run against the first on each held-out example, where both were scored on the same ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paired: Option<Paired>,
}

/// A setting in which runs differ.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct ComparedField {
    /// Dotted path in the spec.
    pub field: String,
    /// One a run.
    pub values: Vec<Value>,
}

/// A number of each run.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct ComparedMetric {
    /// Its name.
    pub name: String,
    /// One a run; null where a run has none.
    pub values: Vec<Option<Interval>>,
    /// For the headline metric of versions measured on the same examples: whether the last run beats the first.
    pub verdict: Option<Verdict>,
    /// Where there is a verdict: by how much the last run is above the first, from the same examples of both.
    pub difference: Option<Interval>,
}

/// A number with its 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, ToSchema)]
pub struct Interval {
    /// The number.
    pub value: f64,
    /// 2.5th percentile.
    pub low: f64,
    /// 97.5th percentile.
    pub high: f64,
}

/// Number of held-out examples on which each run is better, by the headline metric.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Paired {
    /// Examples that the last run does better than the first.
    pub wins: usize,
    /// Examples that it does worse.
    pub losses: usize,
    /// Examples that both do equally well.
    pub ties: usize,
    /// 50 at most of those that differ, the furthest apart first.
    pub differing: Vec<PairedExample>,
}

/// A held-out example that two runs answered differently well.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct PairedExample {
    /// Its id.
    pub id: String,
    /// Its task.
    pub task: String,
    /// Its text.
    pub input: String,
    /// The first run's share, from 0 to 1.
    pub first: f64,
    /// The last run's.
    pub last: f64,
}

/// Examples that are listed of those that differ.
const LISTED: usize = 50;

impl Runs<'_> {
    /// Runs side by side: the settings that differ, what was measured, and whether the last is better than the first.
    ///
    /// # Errors
    /// One of them is missing.
    pub async fn compare(self, ids: &[String]) -> Result<RunComparison> {
        let (mut runs, mut versions, mut evaluations) = (Vec::new(), Vec::new(), Vec::new());
        for id in ids {
            let run = self.engine.store.run(id).await?;
            let version = self.engine.versions().of_run(&run).await?;
            evaluations.push(version.as_ref().and_then(Evaluation::of));
            versions.push(version);
            runs.push(run);
        }
        let mut config = Vec::new();
        let specs: Vec<&Value> = runs.iter().map(|run| &run.spec).collect();
        differing("", &specs, &mut config);
        config.retain(|compared: &ComparedField| compared.field != "run");
        let (mut comparison, mut paired) = (None, None);
        if let (Some(Some(first)), Some(Some(last)), Some(Some(version))) =
            (evaluations.first(), evaluations.last(), versions.last())
            && runs.len() > 1
            && first.adapter.truth == last.adapter.truth
        {
            comparison = Some(compare(&last.adapter, &first.adapter, SEED)?);
            let held_out = self.engine.versions().held_out(version, last).await?;
            paired = Some(pair(&first.adapter.per_example, &last.adapter.per_example, &held_out));
        }
        let exact = |value: f64| Interval { value, low: value, high: value };
        let loss = ComparedMetric {
            name: "loss".into(),
            values: runs.iter().map(|run| run.final_loss.map(exact)).collect(),
            verdict: None,
            difference: None,
        };
        // The one that decides first.
        let scores = evaluations.iter().flatten().map(|evaluation| &evaluation.adapter).next();
        let names = scores.into_iter().flat_map(|scores| {
            let others = scores.metrics.iter().filter(|metric| metric.name != scores.headline);
            scores.headline().into_iter().chain(others).map(|metric| metric.name.clone())
        });
        let of = |name: String| {
            let value = |evaluation: &Option<Evaluation>| {
                let metric = evaluation.as_ref()?.adapter.metric(&name)?;
                Some(Interval { value: metric.value, low: metric.low, high: metric.high })
            };
            let values = evaluations.iter().map(value).collect();
            let decided = comparison.as_ref().filter(|comparison| comparison.metric == name);
            let verdict = decided.map(|found| found.verdict);
            let difference =
                decided.map(|found| Interval { value: found.difference, low: found.low, high: found.high });
            ComparedMetric { name, values, verdict, difference }
        };
        let metrics = names.map(of).chain([loss]).collect();
        Ok(RunComparison { runs, config, metrics, paired })
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
            let Example { id, task, input, .. } = example.clone();
            paired.differing.push(PairedExample { id, task, input, first, last });
        }
    }
    paired.differing.sort_by(|a, b| (b.last - b.first).abs().total_cmp(&(a.last - a.first).abs()));
    paired.differing.truncate(LISTED);
    paired
}

/// The leaves of several documents that are not the same in all.
fn differing(path: &str, values: &[&Value], into: &mut Vec<ComparedField>) {
    let same = values.windows(2).all(|pair| pair[0] == pair[1]);
    if same {
        return;
    }
    let objects: Vec<_> = values.iter().filter_map(|value| value.as_object()).collect();
    if objects.len() < values.len() {
        let values = values.iter().map(|value| (*value).clone()).collect();
        into.push(ComparedField { field: path.to_owned(), values });
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
    fn only_differing_settings_are_listed() {
        let (a, b) = (json!({"o": {"lr": 1, "b": 2}, "t": "x"}), json!({"o": {"lr": 3, "b": 2}, "t": "x", "n": 1}));
        let mut found = Vec::new();
        differing("", &[&a, &b], &mut found);
        let field = |name: &str, values: [Value; 2]| ComparedField { field: name.into(), values: values.into() };
        assert_eq!(found, [field("n", [Value::Null, json!(1)]), field("o.lr", [json!(1), json!(3)])]);
    }

    #[test]
    fn each_example_is_a_win_a_loss_or_a_tie() {
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
        let ids: Vec<_> = paired.differing.iter().map(|one| (one.id.as_str(), one.first, one.last)).collect();
        assert_eq!(ids, [("b", 1.0, 0.0), ("a", 0.5, 0.7)]);
    }
}
