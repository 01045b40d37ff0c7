//! Runs of an MLflow experiment, whoever made them, beside versions of a task.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use graft_track::FoundRun;
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    Tracking,
    card::{scores_of, settings_of},
};
use crate::{Error, Evaluation, Result, files::apart};

/// Runs of an MLflow experiment and, where a task is named, its versions beside them.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct MlflowRuns {
    /// The experiment, as given.
    pub experiment: String,
    /// Its runs, the newest first.
    pub runs: Vec<FoundRun>,
    /// Versions of the task, with the names that their runs have in MLflow.
    pub versions: Vec<ComparedVersion>,
    /// The metrics that most of them have, at most four: each is in two of them or more.
    pub common_metrics: Vec<String>,
    /// The params that have different values in some of them.
    pub differing_params: Vec<String>,
}

/// A version, as it is compared with runs elsewhere.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct ComparedVersion {
    /// Its name.
    pub version: String,
    /// The run that made it.
    pub run: Option<String>,
    /// Settings of that run, by dotted name.
    pub params: BTreeMap<String, String>,
    /// Its scores and losses.
    pub metrics: BTreeMap<String, f64>,
}

impl Tracking<'_> {
    /// The newest runs of an MLflow experiment, given by name or id; `filter` is an expression in MLflow's language. Versions
    /// of `task` come beside them.
    ///
    /// # Errors
    /// No MLflow server is configured, or it can't be reached; there is no such experiment or task; the server refuses the filter.
    pub async fn mlflow_runs(
        self,
        experiment: &str,
        filter: &str,
        most: usize,
        task: Option<&str>,
    ) -> Result<MlflowRuns> {
        let mlflow = Arc::clone(self.engine.trackers.mlflow.as_ref().ok_or(Error::NoMlflow)?);
        let mut versions = Vec::new();
        if let Some(task) = task {
            self.engine.tasks().definition(task).await?;
            let known = self.engine.store.versions(Some(task)).await?;
            let names: Vec<&str> = known.iter().filter_map(|version| version.run.as_deref()).collect();
            let runs = self.engine.store.runs_named(&names).await?;
            for version in known {
                let run = runs.iter().find(|run| version.run.as_ref() == Some(&run.id));
                let mut metrics = BTreeMap::new();
                if let Some(evaluation) = Evaluation::of(&version) {
                    scores_of(&evaluation, |name, value| {
                        metrics.insert(name, value);
                    });
                }
                if let Some(loss) = run.and_then(|run| run.final_loss) {
                    metrics.insert("final_loss".to_owned(), loss);
                }
                let params = run.map(settings_of).unwrap_or_default().into_iter().collect();
                versions.push(ComparedVersion { version: version.name, run: version.run, params, metrics });
            }
        }
        let (wanted, filter) = (experiment.to_owned(), filter.to_owned());
        let runs = apart("call a tracker", move || Ok(mlflow.runs(&wanted, &filter, most)?)).await?;
        let (common_metrics, differing_params) = (common(&runs, &versions), differing(&runs, &versions));
        Ok(MlflowRuns { experiment: experiment.to_owned(), runs, versions, common_metrics, differing_params })
    }
}

/// Number of metrics that are shown where nobody names some.
const METRICS: usize = 4;

fn common(runs: &[FoundRun], versions: &[ComparedVersion]) -> Vec<String> {
    let of_runs = runs.iter().flat_map(|run| run.metrics.iter().filter(|(_, value)| value.is_some()).map(|one| one.0));
    let mut counts: BTreeMap<&String, usize> = BTreeMap::new();
    of_runs.chain(versions.iter().flat_map(|one| one.metrics.keys())).for_each(|name| {
        *counts.entry(name).or_default() += 1;
    });
    // What only one of several has compares nothing.
    let least = 2.min(runs.len() + versions.len());
    let mut names: Vec<_> = counts.into_iter().filter(|(_, count)| *count >= least).collect();
    names.sort_by_key(|(_, count)| Reverse(*count));
    names.into_iter().take(METRICS).map(|(name, _)| name.clone()).collect()
}

fn differing(runs: &[FoundRun], versions: &[ComparedVersion]) -> Vec<String> {
    let mut values: BTreeMap<&String, BTreeSet<&String>> = BTreeMap::new();
    let all = versions.iter().map(|one| &one.params).chain(runs.iter().map(|run| &run.params));
    all.flatten().for_each(|(name, value)| {
        values.entry(name).or_default().insert(value);
    });
    values.into_iter().filter(|(_, values)| values.len() > 1).map(|(name, _)| name.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(params: &[(&str, &str)], metrics: &[&str]) -> ComparedVersion {
        ComparedVersion {
            version: "v".into(),
            run: None,
            params: params.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect(),
            metrics: metrics.iter().map(|name| ((*name).into(), 1.0)).collect(),
        }
    }

    #[test]
    fn shared_metrics_and_params_with_different_values_are_shown() {
        let one = version(&[("lr", "0.1"), ("batch", "8"), ("only", "x")], &["b", "a", "alone"]);
        let other = version(&[("lr", "0.2"), ("batch", "8")], &["c", "b", "d", "e", "f"]);
        let third = version(&[], &["c", "d", "e", "f", "b"]);
        let all = [one.clone(), other, third];
        assert_eq!(differing(&[], &all), ["lr"]);
        assert_eq!(common(&[], &all), ["b", "c", "d", "e"], "the most frequent, then by name");
        assert_eq!(common(&[], &[one]), ["a", "alone", "b"], "a single one is shown with what it has");
    }
}
